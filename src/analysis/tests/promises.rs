//! What must hold for every observation.

use super::*;
use proptest::prelude::*;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        -10.0..10.0_f64,
        0.0..5_000.0_f64,
        0.0..1e12_f64
    ]
}

fn unknown() -> impl Strategy<Value = Evidence<f64>> {
    prop_oneof![
        Just(Evidence::NoData("no series".to_owned())),
        Just(Evidence::Unreachable("timeout".to_owned())),
        Just(Evidence::Invalid("two series".to_owned())),
        proptest::option::of(number())
            .prop_map(|value| Evidence::Partial { value, why: "one store of two".to_owned() }),
    ]
}

fn evidence() -> impl Strategy<Value = Evidence<f64>> {
    prop_oneof![3 => number().prop_map(Evidence::Value), 1 => unknown()]
}

fn any_arm() -> impl Strategy<Value = ArmSample> {
    (evidence(), evidence(), evidence()).prop_map(|(requests, errors, latency)| ArmSample { requests, errors, latency })
}

fn observation() -> impl Strategy<Value = Observation> {
    (any_arm(), any_arm(), proptest::option::of(evidence())).prop_map(|(candidate, base, complaints)| Observation {
        candidate,
        base,
        latency_at_least: None,
        base_at_most: None,
        complaints,
        business: None,
        window: Span::minutes(2),
    })
}

fn with_complaints() -> RollbackContract {
    RollbackContract { complaints: Some(3), ..contract() }
}

proptest! {
    #[test]
    fn nothing_panics_and_every_sentence_says_something(seen in observation(), baseline in proptest::option::of(number())) {
        let told = match verdict_under(&with_complaints(), baseline, &seen) {
            Verdict::Pass(told) => told,
            Verdict::Fail(breach) => breach.to_string(),
            Verdict::NotYet(why) => why.to_string(),
        };
        prop_assert!(!told.is_empty());
    }

    /// Whatever one figure of the new version is missing, the rest cannot make it pass.
    #[test]
    fn unknown_never_passes(seen in observation(), missing in unknown(), which in 0..4_usize, baseline in proptest::option::of(0.1..1.0_f64)) {
        let mut seen = seen;
        match which {
            0 => seen.candidate.requests = missing,
            1 => seen.candidate.errors = missing,
            2 => seen.candidate.latency = missing,
            _ => seen.complaints = Some(missing),
        }
        let passed = matches!(verdict_under(&with_complaints(), baseline, &seen), Verdict::Pass(_));
        prop_assert!(!passed);
    }

    /// Where nothing at all is known of the new version, nothing is held against it.
    #[test]
    fn unknown_never_fails(base in any_arm(), requests in unknown(), errors in evidence(), latency in evidence()) {
        let seen = Observation { candidate: ArmSample { requests, errors, latency }, base, ..good() };
        let failed = matches!(verdict(&seen), Verdict::Fail(_));
        prop_assert!(!failed);
    }

    #[test]
    fn more_errors_never_help(requests in 1.0..1e7_f64, one in 0.0..1.0_f64, other in 0.0..1.0_f64, limit in 0..99_u8) {
        let contract = RollbackContract { error_rate_percent: Percent::whole(limit), ..contract() };
        let badness = |share: f64| {
            let seen = Observation { candidate: arm(requests, requests * share, 0.2), ..good() };
            match verdict_under(&contract, None, &seen) {
                Verdict::Pass(_) => 0,
                Verdict::NotYet(_) => 1,
                Verdict::Fail(_) => 2,
            }
        };
        prop_assert!(badness(one.min(other)) <= badness(one.max(other)));
    }

    #[test]
    fn slower_never_helps(one in 0.001..10.0_f64, other in 0.001..10.0_f64) {
        let fails = |seconds| matches!(verdict(&Observation { candidate: arm(2_000.0, 0.0, seconds), ..good() }), Verdict::Fail(_));
        prop_assert!(fails(one.min(other)) <= fails(one.max(other)));
    }

    /// A version at half the limit is not rolled back by chance at any size of sample that such a rate can show.
    #[test]
    fn within_the_limit_never_fails(requests in 1.0..1e7_f64, share in 0.0..=1.0_f64) {
        let seen = Observation { candidate: arm(requests, requests * 0.01 * share, 0.2), ..good() };
        let failed = matches!(verdict(&seen), Verdict::Fail(_));
        prop_assert!(!failed);
    }

    /// Splitting the same share over more requests never makes a Fail of fewer requests a Pass.
    #[test]
    fn more_of_the_same_evidence_only_decides(requests in 50.0..1e5_f64, share in 0.0..1.0_f64, times in 1.0..100.0_f64) {
        let at = |size: f64| verdict(&Observation { candidate: arm(size, size * share, 0.2), ..good() });
        if matches!(at(requests), Verdict::Fail(_)) {
            let failed = matches!(at(requests * times), Verdict::Fail(_));
            prop_assert!(failed);
        }
    }
}
