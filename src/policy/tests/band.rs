use crate::api::ChangeType;
use crate::policy::band::{Band::*, *};
use crate::policy::{Gate, RiskPoints};
use proptest::prelude::*;
use rstest::rstest;

/// `000_…` §5.4, Control thresholds.
#[rstest]
#[case::all(200, 200, Green)]
#[case::sixty_percent(120, 200, Green)]
#[case::below_sixty(119, 200, Yellow)]
#[case::between_59_and_60(596, 1_000, Yellow)]
#[case::thirty_percent(60, 200, Yellow)]
#[case::below_thirty(59, 200, Red)]
#[case::a_fraction_below_thirty(299, 1_000, Red)]
#[case::one_point(1, 300, Red)]
#[case::nothing(0, 200, Exhausted)]
#[case::overspent(-3, 200, Exhausted)]
#[case::nothing_allocated(0, 0, Exhausted)]
fn what_is_left_has_a_band(#[case] left: i64, #[case] allocated: u32, #[case] expected: Band) {
    assert_eq!(band(left, RiskPoints::new(allocated)), expected);
}

/// `000_…` §7: "+50% of the change's RRS", a fraction of a point is a point.
#[rstest]
#[case(14, false, 14)]
#[case(14, true, 21)]
#[case(15, true, 23)]
#[case(1, true, 2)]
fn an_exception_costs_half_as_much_again(#[case] score: u32, #[case] exception: bool, #[case] charged: u32) {
    assert_eq!(charge(RiskPoints::new(score), exception), RiskPoints::new(charged));
}

#[test]
fn a_budget_can_be_overspent() {
    assert_eq!(left(RiskPoints::new(80), RiskPoints::new(95)), -15);
}

#[test]
fn what_is_named_as_allowed_now_is_allowed() {
    for band in [Red, Exhausted] {
        for kind in ChangeType::ALL {
            let ships = |diff| blocks(band, &BandFacts { kind: *kind, diff, exception: false }).is_empty();
            let named = allowed_now(band).contains(kind.as_str());
            assert_eq!(named, ships(Gate::G2), "{kind} in {band}");
            assert_eq!(band == Red || named, ships(Gate::G1), "{kind} in {band}");
            assert_eq!(ships(Gate::G3), *kind == ChangeType::Rollback, "{kind} in {band}");
        }
    }
}

const CATEGORIES: &str = "block high-risk categories unless exception";
const LOW_RISK: &str = "allow only low-risk changes or reliability/security work";
const FIXES: &str = "releases restricted to incident fixes, security fixes, and rollback-only";

/// `000_…` §5.4 and §6.3: where one line blocks what another lets pass, the stricter holds and both are named.
#[rstest]
#[case::low_risk(Red, ChangeType::Feature, Gate::G1, &[])]
#[case::moderate(Red, ChangeType::Feature, Gate::G2, &[(LOW_RISK, None)])]
#[case::high(Red, ChangeType::Feature, Gate::G3, &[(CATEGORIES, None), (LOW_RISK, None)])]
#[case::high_reliability_work(Red, ChangeType::Reliability, Gate::G3, &[(CATEGORIES, Some(LOW_RISK))])]
#[case::high_fix(Red, ChangeType::SecurityFix, Gate::G3, &[(CATEGORIES, Some(LOW_RISK))])]
#[case::nothing_left_low_risk(Exhausted, ChangeType::Feature, Gate::G1, &[(FIXES, Some(LOW_RISK))])]
#[case::nothing_left_moderate(Exhausted, ChangeType::Feature, Gate::G2, &[(LOW_RISK, None), (FIXES, None)])]
#[case::nothing_left_reliability_work(Exhausted, ChangeType::Reliability, Gate::G2, &[(FIXES, Some(LOW_RISK))])]
#[case::nothing_left_high_reliability_work(Exhausted, ChangeType::Reliability, Gate::G3, &[(CATEGORIES, Some(LOW_RISK)), (FIXES, Some(LOW_RISK))])]
#[case::nothing_left_fix(Exhausted, ChangeType::IncidentFix, Gate::G2, &[])]
#[case::nothing_left_high_fix(Exhausted, ChangeType::IncidentFix, Gate::G3, &[(CATEGORIES, Some(FIXES))])]
#[case::nothing_left_high(Exhausted, ChangeType::Feature, Gate::G3, &[(CATEGORIES, None), (LOW_RISK, None), (FIXES, None)])]
fn what_blocks_and_what_would_let_it_pass(
    #[case] band: Band,
    #[case] kind: ChangeType,
    #[case] diff: Gate,
    #[case] expected: &[(&str, Option<&str>)],
) {
    let all = blocks(band, &BandFacts { kind, diff, exception: false });
    let said: Vec<_> = all.iter().map(|block| (block.by.says, block.despite.map(|line| line.says))).collect();
    assert_eq!(said, expected);
    assert_eq!(blocks(band, &BandFacts { kind, diff, exception: true }), vec![]);
}

proptest! {
    #[test]
    fn less_left_is_never_a_better_band(allocated in 0_u32..5_000, one in -500_i64..5_000, other in -500_i64..5_000) {
        let points = RiskPoints::new(allocated);
        prop_assert!(band(one.min(other), points) >= band(one.max(other), points));
    }

    #[test]
    fn the_extremes_do_not_overflow(left in any::<i64>(), allocated in any::<u32>()) {
        let seen = band(left, RiskPoints::new(allocated));
        prop_assert_eq!(seen == Exhausted, left <= 0 || allocated == 0);
        prop_assert!(charge(RiskPoints::new(allocated), true) >= charge(RiskPoints::new(allocated), false));
    }

    #[test]
    fn a_worse_band_or_diff_never_lifts_a_block(kind in proptest::sample::select(ChangeType::ALL), band in proptest::sample::select(Band::ALL), diff in proptest::sample::select(Gate::ALL)) {
        let blocked = |band, diff| !blocks(band, &BandFacts { kind, diff, exception: false }).is_empty();
        if blocked(band, diff) {
            prop_assert!(Band::ALL.iter().filter(|worse| **worse >= band).all(|worse| blocked(*worse, diff)));
            prop_assert!(Gate::ALL.iter().filter(|worse| **worse >= diff).all(|worse| blocked(band, *worse)));
        }
    }
}
