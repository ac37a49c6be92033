use super::*;
use crate::api::release_record::Trigger;
use rstest::rstest;

fn breach(verdict: Verdict) -> Breach {
    match verdict {
        Verdict::Fail(breach) => breach,
        Verdict::Pass(_) | Verdict::NotYet(_) => panic!("{verdict:?}"),
    }
}

/// Limit 1 %, at least 50 requests.
#[rstest]
#[case::clean(2_000.0, 0.0, "Pass")]
#[case::at_the_limit(2_000.0, 20.0, "Pass")]
#[case::just_above_is_noise(2_000.0, 21.0, "Undecided")]
#[case::twice_the_limit(2_000.0, 40.0, "ErrorRate")]
#[case::twenty_percent(100.0, 20.0, "ErrorRate")]
#[case::two_of_ten(10.0, 2.0, "TooLittleTraffic")]
#[case::three_of_ten_is_one_client(10.0, 3.0, "TooLittleTraffic")]
#[case::five_of_ten(10.0, 5.0, "ErrorRate")]
#[case::half_as_much_again_is_noise(2_000.0, 30.0, "Undecided")]
#[case::one_client_that_tries_again(3.0, 3.0, "TooLittleTraffic")]
#[case::everything_at_once(5.0, 5.0, "ErrorRate")]
#[case::one_of_one(1.0, 1.0, "TooLittleTraffic")]
#[case::one_of_five(5.0, 1.0, "TooLittleTraffic")]
#[case::one_of_sixty(60.0, 1.0, "Undecided")]
#[case::two_of_sixty_by_chance(60.0, 2.0, "Undecided")]
#[case::enough(50.0, 0.0, "Pass")]
#[case::not_enough(49.9, 0.0, "TooLittleTraffic")]
#[case::nothing(0.0, 0.0, "TooLittleTraffic")]
#[case::errors_without_requests(0.0, 5.0, "TooLittleTraffic")]
#[case::extrapolated_apart(100.0, 104.0, "ErrorRate")]
#[case::two_different_queries(100.0, 106.0, "InvalidEvidence")]
#[case::nan(f64::NAN, 0.0, "InvalidEvidence")]
#[case::infinite(f64::INFINITY, 0.0, "InvalidEvidence")]
#[case::negative(-1.0, 0.0, "InvalidEvidence")]
#[case::negative_errors(100.0, -1.0, "InvalidEvidence")]
#[case::nan_errors(100.0, f64::NAN, "InvalidEvidence")]
fn error_rate_limit(#[case] requests: f64, #[case] errors: f64, #[case] expected: &str) {
    let seen = Observation { candidate: arm(requests, errors, 0.2), ..good() };
    let verdict = verdict(&seen);
    assert_eq!(word(&verdict), expected, "{verdict:?}");
}

/// Limit 1 %, at least 50 requests, and fewer are let be.
#[rstest]
#[case::none_failed(49.0, 0.0, "Pass")]
#[case::one_is_chance(49.0, 1.0, "Pass")]
#[case::two_are_too(49.0, 2.0, "Pass")]
#[case::four_are_not(49.0, 4.0, "Undecided")]
#[case::one_of_one_is_the_limit_itself(1.0, 1.0, "Undecided")]
#[case::two_of_seven(7.0, 2.0, "Undecided")]
#[case::a_dozen(49.0, 12.0, "ErrorRate")]
#[case::enough_requests_and_chance(60.0, 1.0, "Pass")]
fn few_requests_pass_where_they_do_not_speak_against_the_version(
    #[case] requests: f64,
    #[case] errors: f64,
    #[case] expected: &str,
) {
    let seen = Observation { candidate: arm(requests, errors, 0.2), ..good() };
    let contract = contract();
    let verdict = judge_few(limits_of(&contract, None, &[]), &seen);
    assert_eq!(word(&verdict), expected, "{verdict:?}");
    if let Verdict::Pass(figures) = verdict {
        assert!(figures.contains(&format!("of {requests} requests failed, limit 1 %")), "{figures}");
    }
}

/// Clumps as large as stable's excuse less among few requests than they do among many.
#[test]
fn what_clumps_would_excuse_is_not_let_pass_on_few_requests() {
    let contract = contract();
    let scattered = Limits { scatter: Overdispersion::from(30.0), ..limits_of(&contract, None, &[]) };
    let seen = Observation { candidate: arm(49.0, 45.0, 0.2), ..good() };
    assert_eq!(word(&judge(scattered, &seen)), "TooLittleTraffic");
    assert_eq!(word(&judge_few(scattered, &seen)), "Undecided");
}

#[rstest]
#[case::nothing_allowed_first_error(0, 100.0, 1.0, "ErrorRate")]
#[case::nothing_allowed_clean(0, 100.0, 0.0, "Pass")]
#[case::five_percent(5, 2_000.0, 100.0, "Pass")]
#[case::above_five_percent(5, 2_000.0, 140.0, "ErrorRate")]
fn error_rate_under_other_limits(
    #[case] limit: u8,
    #[case] requests: f64,
    #[case] errors: f64,
    #[case] expected: &str,
) {
    let contract = RollbackContract { error_rate_percent: Percent::whole(limit), ..contract() };
    let seen = Observation { candidate: arm(requests, errors, 0.2), ..good() };
    assert_eq!(word(&verdict_under(&contract, None, &seen)), expected);
}

/// Base 200 ms.
#[rstest]
#[case::factor_kept(Some(2.0), None, 0.4, "Pass")]
#[case::factor_exceeded(Some(2.0), None, 0.401, "Latency")]
#[case::added_kept(None, Some(200), 0.4, "Pass")]
#[case::added_exceeded(None, Some(200), 0.401, "Latency")]
#[case::the_smaller_of_both_decides(Some(3.0), Some(200), 0.5, "Latency")]
#[case::the_smaller_of_both_decides_too(Some(2.0), Some(500), 0.5, "Latency")]
#[case::faster(Some(2.0), Some(200), 0.1, "Pass")]
#[case::nan(Some(2.0), None, f64::NAN, "InvalidEvidence")]
#[case::infinite(Some(2.0), None, f64::INFINITY, "InvalidEvidence")]
#[case::no_limit_is_no_pass(None, None, 0.2, "InvalidEvidence")]
fn latency_limit(
    #[case] latency_factor: Option<f64>,
    #[case] added_ms: Option<u64>,
    #[case] seconds: f64,
    #[case] expected: &str,
) {
    let contract = RollbackContract { latency_factor, latency_added: added_ms.map(Span::from_millis), ..contract() };
    let seen = Observation { candidate: arm(2_000.0, 0.0, seconds), ..good() };
    let verdict = verdict_under(&contract, None, &seen);
    assert_eq!(word(&verdict), expected, "{verdict:?}");
}

/// Stable at 200 ms, limit 2 times; the new version's p95 and its lower quantile.
#[rstest]
#[case::slow_whatever_chance_does(2_000.0, 0.5, Some(0.45), "Latency")]
#[case::slow_by_chance(60.0, 0.5, Some(0.3), "Undecided")]
#[case::at_the_limit_by_chance(60.0, 0.5, Some(0.4), "Undecided")]
#[case::few_but_all_of_them_slow(60.0, 0.9, Some(0.8), "Latency")]
#[case::kept(60.0, 0.3, Some(0.1), "Pass")]
#[case::the_lower_is_above_only_by_interpolation(60.0, 0.3, Some(0.5), "Pass")]
#[case::lower_not_a_number(60.0, 0.5, Some(f64::NAN), "InvalidEvidence")]
#[case::own_query_and_many(1_000.0, 0.5, None, "Latency")]
#[case::own_query_and_few(999.0, 0.5, None, "Undecided")]
fn latency_by_chance(#[case] requests: f64, #[case] p95: f64, #[case] least: Option<f64>, #[case] expected: &str) {
    let latency_at_least = least.map(Evidence::Value);
    let seen = Observation { candidate: arm(requests, 0.0, p95), latency_at_least, ..good() };
    let verdict = verdict(&seen);
    assert_eq!(word(&verdict), expected, "{verdict:?}");
}

#[test]
fn a_lower_quantile_that_is_not_known_holds() {
    let latency_at_least = Some(Evidence::Unreachable("connection refused".to_owned()));
    let seen = Observation { candidate: arm(60.0, 0.0, 0.5), latency_at_least, ..good() };
    assert_eq!(word(&verdict(&seen)), "MetricsUnreachable");
}

#[rstest]
#[case(95, 50.0, 73.3)]
#[case(95, 60.0, 75.1)]
#[case(95, 2_000.0, 91.6)]
#[case(99, 50.0, 89.1)]
#[case(50, 5.0, 1.0)]
#[case(95, 0.0, 1.0)]
#[case(95, 1e12, 95.0)]
fn the_lower_quantile(#[case] quantile: u8, #[case] requests: f64, #[case] expected: f64) {
    let lower = Quantiles::apart(Percent::whole(quantile), requests, 0.0, Looked::FIRST).candidate.get();
    assert!((lower - expected).abs() < 0.06, "{lower}");
}

/// Requests of the new version, and of stable, at p95 in the first window.
#[rstest]
#[case::stable_has_most(600.0, 11_400.0, 88.88, Some(95.32))]
#[case::as_many(8_000.0, 8_000.0, 93.78, Some(96.22))]
#[case::stable_has_few(10_800.0, 1_200.0, 94.53, Some(99.22))]
#[case::stable_has_too_few(2_070.0, 64.0, 91.62, None)]
#[case::stable_has_none(2_070.0, 0.0, 91.62, None)]
fn both_quantiles(#[case] new: f64, #[case] stable: f64, #[case] lower: f64, #[case] upper: Option<f64>) {
    let asked = Quantiles::beside(Percent::whole(95), new, stable, Looked::FIRST);
    assert!((asked.candidate.get() - lower).abs() < 0.02, "{asked:?}");
    let got = asked.base.map(Percent::get);
    assert_eq!(got.is_some(), upper.is_some(), "{asked:?}");
    assert!(got.zip(upper).is_none_or(|(got, upper)| (got - upper).abs() < 0.02), "{asked:?}");
}

/// The k-th window may spend 2 / k(k + 1) of the first one's chance.
#[test]
fn a_late_look_asks_for_more_distance() {
    let at = |windows: u64| {
        let looked = Looked::for_so_long(Span::minutes(2 * windows), Span::minutes(2));
        Quantiles::apart(Percent::whole(95), 12_000.0, 12_000.0, looked)
    };
    let (first, last) = (at(1), at(720));
    assert!((first.candidate.get() - 93.6).abs() < 0.01 && (last.candidate.get() - 92.41).abs() < 0.01, "{last:?}");
    assert!((last.base.unwrap().get() - 97.59).abs() < 0.01, "{last:?}");
}

fn last_seen((seconds, at_most): (f64, Option<f64>)) -> LastSeen {
    LastSeen { seconds, at_most }
}

fn too_few() -> Option<Evidence<f64>> {
    Some(Evidence::NoData("too few requests".to_owned()))
}

/// The new version at 500 ms and hardly below 450 ms, stable at 200 ms, limit 2 times: how many requests of stable say so, what it is at
/// most, and what was last seen of it.
#[rstest]
#[case::known(2_000.0, Some(Evidence::Value(0.21)), None, "Latency")]
#[case::may_be_as_slow(2_000.0, Some(Evidence::Value(0.23)), None, "Undecided")]
#[case::too_few(64.0, too_few(), None, "Undecided")]
#[case::too_few_and_known_before(64.0, too_few(), Some((0.2, Some(0.21))), "Latency")]
#[case::too_few_and_slower_before(64.0, too_few(), Some((0.3, Some(0.3))), "Pass")]
#[case::too_few_now_and_before(64.0, too_few(), Some((0.2, None)), "Undecided")]
#[case::none_now_and_too_few_before(0.0, too_few(), Some((0.2, None)), "Undecided")]
#[case::none_now_and_known_before(0.0, too_few(), Some((0.2, Some(0.21))), "Latency")]
#[case::own_query_and_many(1_000.0, None, None, "Latency")]
#[case::own_query_and_few(999.0, None, None, "Undecided")]
#[case::not_answered(2_000.0, Some(Evidence::Unreachable("time-out".to_owned())), None, "MetricsUnreachable")]
fn what_stables_requests_say(
    #[case] requests: f64,
    #[case] base_at_most: Option<Evidence<f64>>,
    #[case] before: Option<(f64, Option<f64>)>,
    #[case] expected: &str,
) {
    let latency_at_least = Some(Evidence::Value(0.45));
    let seen = Observation {
        candidate: arm(2_000.0, 0.0, 0.5),
        latency_at_least,
        base: arm(requests, 0.0, 0.2),
        base_at_most,
        ..good()
    };
    let contract = contract();
    let limits = Limits { last_seen: before.map(last_seen), ..limits_of(&contract, None, &[]) };
    let verdict = judge(limits, &seen);
    assert_eq!(word(&verdict), expected, "{verdict:?}");
}

/// Stable's latency, and its upper quantile where it was told.
type Stables = (f64, Option<f64>);

/// What is kept of stable's latency: known is what chance is left out of.
#[rstest]
#[case::first((None, Some((0.2, None))), Some((0.2, None)))]
#[case::known_is_kept((Some((0.2, Some(0.21))), Some((0.1, None))), Some((0.2, Some(0.21))))]
#[case::later_and_known((Some((0.2, Some(0.21))), Some((0.1, Some(0.11)))), Some((0.1, Some(0.11))))]
#[case::later_and_neither_known((Some((0.2, None)), Some((0.1, None))), Some((0.1, None)))]
#[case::nothing_new((Some((0.2, None)), None), Some((0.2, None)))]
fn what_is_kept_of_stable(
    #[case] (before, now): (Option<Stables>, Option<Stables>),
    #[case] expected: Option<Stables>,
) {
    assert_eq!(LastSeen::latest(before.map(last_seen), now.map(last_seen)), expected.map(last_seen));
}

#[test]
fn fifty_requests_of_stable_are_kept_without_a_bound() {
    let seen = |base_at_most| Observation { base: arm(64.0, 0.0, 0.2), base_at_most, ..good() };
    assert_eq!(LastSeen::of(&seen(too_few()), 50), Some(last_seen((0.2, None))));
    assert_eq!(LastSeen::of(&seen(Some(Evidence::Value(0.3))), 50), Some(last_seen((0.2, Some(0.3)))));
    assert_eq!(LastSeen::of(&seen(too_few()), 65), None);
}

/// The new version at 500 ms; what it is compared with.
#[rstest]
#[case::stable_has_traffic(arm(2_000.0, 0.0, 0.2), Some(0.5), "Latency")]
#[case::stable_without_series(silent(), Some(0.2), "Latency")]
#[case::stable_without_requests(arm(0.0, 0.0, f64::NAN), Some(0.2), "Latency")]
#[case::stable_with_too_few_requests(arm(3.0, 0.0, 0.01), Some(0.5), "Pass")]
#[case::nothing_to_compare_with(silent(), None, "NoEvidence")]
#[case::too_few_to_compare_with(arm(3.0, 0.0, 0.01), None, "Undecided")]
#[case::stable_of_no_time(arm(2_000.0, 0.0, 0.0), None, "InvalidEvidence")]
#[case::last_seen_of_no_time(silent(), Some(f64::NAN), "InvalidEvidence")]
fn latency_compared_with(#[case] base: ArmSample, #[case] baseline: Option<f64>, #[case] expected: &str) {
    let seen = Observation { candidate: arm(2_000.0, 0.0, 0.5), base, ..good() };
    let verdict = verdict_under(&contract(), baseline, &seen);
    assert_eq!(word(&verdict), expected, "{verdict:?}");
}

#[test]
fn a_slow_version_with_few_requests_is_not_blamed() {
    let seen = Observation { candidate: arm(49.0, 0.0, 9.0), ..good() };
    assert_eq!(word(&verdict(&seen)), "TooLittleTraffic");
}

#[rstest]
#[case::not_limited(None, None, "Pass")]
#[case::few(Some(3), Some(Evidence::Value(3.0)), "Pass")]
#[case::too_many(Some(3), Some(Evidence::Value(4.0)), "Complaints")]
#[case::three_extrapolated(Some(3), Some(Evidence::Value(3.3)), "Pass")]
#[case::none_allowed(Some(0), Some(Evidence::Value(1.0)), "Complaints")]
#[case::not_asked(Some(3), None, "NoEvidence")]
#[case::no_data(Some(3), Some(Evidence::NoData("no series".to_owned())), "NoEvidence")]
#[case::nan(Some(3), Some(Evidence::Value(f64::NAN)), "InvalidEvidence")]
fn complaints_limit(#[case] limit: Option<u32>, #[case] complaints: Option<Evidence<f64>>, #[case] expected: &str) {
    let contract = RollbackContract { complaints: limit, ..contract() };
    let verdict = verdict_under(&contract, None, &Observation { complaints, ..good() });
    assert_eq!(word(&verdict), expected, "{verdict:?}");
}

/// A breach is told before a hold, and of several holds the one that hides the others.
#[test]
fn the_order_of_reasons() {
    let contract = RollbackContract { complaints: Some(3), ..contract() };
    let down = || Evidence::Unreachable("connection refused".to_owned());
    let dark = ArmSample { requests: down(), errors: down(), latency: down() };
    let seen = Observation { candidate: dark, complaints: Some(Evidence::Value(9.0)), ..good() };
    assert_eq!(word(&verdict_under(&contract, None, &seen)), "Complaints");
    let seen = Observation { complaints: Some(Evidence::NoData("no series".to_owned())), ..seen };
    assert_eq!(word(&verdict_under(&contract, None, &seen)), "MetricsUnreachable");
    let slow_and_failing = Observation { candidate: arm(2_000.0, 400.0, 9.0), ..good() };
    assert_eq!(breach(verdict(&slow_and_failing)).trigger, Trigger::ErrorRate);
}

#[test]
fn what_people_read() {
    let failing = Observation { candidate: arm(1_930.0, 386.0, 0.2), base: arm(9_100.0, 3.0, 0.2), ..good() };
    let told = breach(verdict(&failing));
    assert_eq!(told.value, "20 % of 1,930 requests");
    assert_eq!(told.threshold, "1 %");
    assert_eq!(told.sentence, "20 % of 1,930 requests failed, limit 1 % (stable 0.03 % of 9,100)");

    let slow = Observation { candidate: arm(1_930.0, 0.0, 0.48), base: arm(9_100.0, 3.0, 0.21), ..good() };
    let told = breach(verdict(&slow));
    assert_eq!(told.value, "p95 480 ms");
    assert_eq!(told.threshold, "420 ms (2.3 times, limit 2)");
    assert_eq!(told.sentence, "p95 480 ms, stable 210 ms: 2.3 times, limit 2 (1,930 requests)");

    let alone = Observation { candidate: arm(1_930.0, 0.0, 0.2), base: silent(), ..good() };
    let Verdict::Pass(told) = verdict_under(&contract(), Some(0.21), &alone) else { panic!("{alone:?}") };
    assert_eq!(
        told,
        "0 % of 1,930 requests failed, limit 1 % (stable without traffic); p95 200 ms, stable 210 ms when it last had traffic: 1.0 times, limit 2"
    );

    let touched = Observation { candidate: arm(2_000.0, 21.0, 0.2), ..good() };
    let Verdict::NotYet(told) = verdict(&touched) else { panic!("{touched:?}") };
    assert_eq!(
        told.to_string(),
        "1.05 % of 2,000 requests failed, limit 1 % (stable 0.1 % of 2,000): above the limit, but chance would explain it"
    );
    let few = Observation { candidate: arm(12.7, 0.0, 0.2), ..good() };
    let Verdict::NotYet(told) = verdict(&few) else { panic!("{few:?}") };
    assert_eq!(told.to_string(), "too little traffic to judge: 12 of the 50 requests needed");
}

fn needed(verdict: Verdict) -> String {
    match verdict {
        Verdict::NotYet(NotYet::Undecided { needed, .. }) => needed,
        Verdict::Pass(_) | Verdict::Fail(_) | Verdict::NotYet(_) => panic!("{verdict:?}"),
    }
}

/// Limit 1 %, in two minutes: the fifth failure is not chance any more.
#[rstest]
#[case::one_of_sixty(60.0, 1.0, 10)]
#[case::two_of_sixty(60.0, 2.0, 4)]
#[case::nearer_to_the_limit(2_000.0, 30.0, 2)]
fn how_long_failures_take_to_be_told_is_said(#[case] requests: f64, #[case] errors: f64, #[case] least: u64) {
    let told = needed(verdict(&Observation { candidate: arm(requests, errors, 0.2), ..good() }));
    let rest = told.strip_prefix(", and needs about ").unwrap_or_else(|| panic!("{told}"));
    let (minutes, rest) = rest.split_once(" min more at ").unwrap_or_else(|| panic!("{told}"));
    assert!(minutes.parse::<u64>().unwrap() >= least, "{told}");
    let rate = if requests > 100.0 { "17" } else { "0.5" };
    assert_eq!(rest, format!("{rate} requests/s to the new version if it goes on like this"), "{told}");
}

#[test]
fn failures_at_the_limit_take_longer_than_any_release() {
    let told = needed(verdict(&Observation { candidate: arm(2_000.0, 20.001, 0.2), ..good() }));
    assert_eq!(told, "; that takes longer than a year at the present rate of requests to the new version");
}

/// The new version at 500 ms in 60 requests within two minutes, stable at 200 ms: limit 2 times. Its lower quantile, stable's requests and
/// upper quantile, and what was last seen of it.
#[rstest]
#[case::both_leave_something_open((Some(0.31), 2_000.0, Some(Evidence::Value(0.25)), None),
    // 290 ms are open, and 100 ms beyond: 8.4 times the requests.
    ", and needs about 15 min more at 0.5 requests/s to the new version if it goes on like this")]
#[case::stable_leaves_nothing_open((Some(0.31), 2_000.0, Some(Evidence::Value(0.2)), None),
    ", and needs about 6 min more at 0.5 requests/s to the new version if it goes on like this")]
#[case::stable_as_it_was_last_seen((Some(0.31), 0.0, None, Some((0.2, Some(0.22)))),
    // 190 ms are open, and 60 ms beyond what stable was at most: ten times.
    ", and needs about 19 min more at 0.5 requests/s to the new version if it goes on like this")]
#[case::stable_may_have_been_as_slow((Some(0.31), 0.0, None, Some((0.2, Some(0.26)))),
    "; more requests to the new version do not tell it, more to stable would")]
#[case::stable_was_seen_too_little((Some(0.45), 0.0, None, Some((0.2, None))),
    "; more requests to the new version do not tell it, more to stable would")]
#[case::own_query((None, 2_000.0, None, None), ", and needs about 32 min more at 0.5 requests/s to the new version")]
#[case::own_query_and_few_of_stable((Some(0.45), 120.0, None, None), ", and needs about 15 min more at 1 requests/s to stable")]
fn how_long_a_slow_version_takes_to_be_told_is_said(
    #[case] (least, base, base_at_most, before): (Option<f64>, f64, Option<Evidence<f64>>, Option<Stables>),
    #[case] expected: &str,
) {
    let seen = Observation {
        candidate: arm(60.0, 0.0, 0.5),
        latency_at_least: least.map(Evidence::Value),
        base: arm(base, 0.0, 0.2),
        base_at_most,
        ..good()
    };
    let contract = contract();
    let limits = Limits { last_seen: before.map(last_seen), ..limits_of(&contract, None, &[]) };
    assert_eq!(needed(judge(limits, &seen)), expected);
}

#[test]
fn how_long_stable_takes_to_tell_its_own_is_said() {
    let few = |base, base_at_most| Observation {
        candidate: arm(2_000.0, 0.0, 0.5),
        latency_at_least: Some(Evidence::Value(0.45)),
        base: arm(base, 0.0, 0.2),
        base_at_most,
        ..good()
    };
    let told = needed(verdict(&few(64.0, too_few())));
    assert!(told.starts_with(", and needs about ") && told.ends_with(" at 0.53 requests/s to stable"), "{told}");
    // It never had the 50 requests that it takes to be compared with.
    let told = needed(verdict_under(&contract(), None, &few(30.0, None)));
    assert_eq!(told, ", and needs about 2 min more at 0.25 requests/s to stable");
}

/// What chance would explain is let be as too few requests are, and stays in the figures.
#[rstest]
#[case::a_failure(arm(60.0, 1.0, 0.2), "Pass", "above the limit, but chance would explain it")]
#[case::slow(arm(60.0, 0.0, 0.5), "Pass", "chance would explain it in 60 requests")]
#[case::failures_that_speak_against_it(arm(60.0, 4.0, 0.2), "Undecided", "too many failed to let it pass")]
fn what_chance_would_explain_passes_where_it_is_let_be(
    #[case] candidate: ArmSample,
    #[case] expected: &str,
    #[case] says: &str,
) {
    let contract = contract();
    let seen = Observation { candidate, latency_at_least: Some(Evidence::Value(0.1)), ..good() };
    assert_eq!(word(&judge(limits_of(&contract, None, &[]), &seen)), "Undecided");
    let verdict = judge_few(limits_of(&contract, None, &[]), &seen);
    assert_eq!(word(&verdict), expected, "{verdict:?}");
    let figures = match verdict {
        Verdict::Pass(figures) => figures,
        Verdict::NotYet(why) => why.to_string(),
        Verdict::Fail(breach) => breach.sentence,
    };
    assert!(figures.contains(says), "{figures}");
}

/// A record keeps 256 characters.
#[test]
fn the_longest_sentence_fits_a_record() {
    let contract = RollbackContract {
        latency_added: Some(Span::from_millis(1_234_567)),
        latency_quantile: Percent::new(99.99).unwrap(),
        latency_factor: Some(99.75),
        complaints: Some(1_000_000),
        error_rate_percent: Percent::new(12.34).unwrap(),
        ..contract()
    };
    let seen = Observation {
        candidate: arm(123_456_789.0, 12_345_678.0, 1_234.5),
        base: arm(12.0, 1.0, 0.2),
        complaints: Some(Evidence::Value(999_999.0)),
        ..good()
    };
    let Verdict::Pass(told) = verdict_under(&contract, Some(1_200.4), &seen) else { panic!("{seen:?}") };
    assert!(told.chars().count() <= 256, "{}: {told}", told.chars().count());
}

#[rstest]
#[case::eight_a_second(960.0, 2, 11_040, Some(Span::minutes(23)))]
#[case::none(0.0, 2, 50, None)]
#[case::nan(f64::NAN, 2, 50, None)]
#[case::no_window(10.0, 0, 50, None)]
#[case::hardly_any(1e-12, 2, 50, Some(Span::days(366)))]
fn time_until_there_is_enough_traffic(
    #[case] requests: f64,
    #[case] minutes: u64,
    #[case] need: u32,
    #[case] expected: Option<Span>,
) {
    assert_eq!(traffic_time(requests, Span::minutes(minutes), need), expected);
}
