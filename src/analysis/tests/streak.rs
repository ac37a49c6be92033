use super::*;
use crate::analysis::streak;
use crate::api::Time;
use crate::api::release_record::Trigger;
use proptest::prelude::*;
use rstest::rstest;

fn at(second: u64) -> Time {
    Time(jiff::Timestamp::UNIX_EPOCH).plus(Span::seconds(second))
}

/// `b` breached, `k` kept, `?` not known; a look every `apart` seconds, counted each 15, which is the window.
fn after(looks: &str, apart: u64, most: u32) -> u32 {
    let every = streak::spacing(Span::seconds(5), Span::seconds(15));
    let mut streaks = Vec::new();
    for (index, look) in looks.chars().enumerate() {
        let verdict = match look {
            'b' => Verdict::Fail(Breach {
                trigger: Trigger::ErrorRate,
                value: String::new(),
                threshold: String::new(),
                sentence: String::new(),
            }),
            'k' => Verdict::Pass(String::new()),
            _ => Verdict::NotYet(NotYet::NoData("no series".to_owned())),
        };
        let now = at(index as u64 * apart);
        streaks = streak::counted(&streaks, &[(Trigger::ErrorRate, verdict)], every, most, now);
    }
    streak::of(&streaks, Trigger::ErrorRate)
}

#[rstest]
#[case::none("kk", 15, 0)]
#[case::one("kb", 15, 1)]
#[case::three("bbb", 15, 3)]
#[case::as_many_as_are_asked_for("bbbbbb", 15, 3)]
#[case::kept_between("bbkb", 15, 1)]
#[case::not_known_neither_counts_nor_begins_anew("b?b", 15, 2)]
#[case::not_known_for_long_begins_anew("b??b", 15, 1)]
#[case::two_of_three_and_not_known_for_long("bb??b", 15, 1)]
#[case::nothing_is_left_of_one_that_is_over("b???", 15, 0)]
#[case::full_and_not_known_for_long("bbb?????", 15, 3)]
#[case::full_and_kept_at_last("bbb?????k", 15, 0)]
#[case::not_known_at_first("??b", 15, 1)]
#[case::many_looks_in_an_interval_are_one("bbbbbbbbbbbbbb", 1, 1)]
#[case::an_interval_after_the_last_that_counted("bbbbbbbbbbbbbbbb", 1, 2)]
#[case::what_lies_between_is_not_looked_at("bkkkkkkkkkkkkkkb", 1, 2)]
#[case::looks_further_apart("bb", 40, 2)]
#[case::looks_too_far_apart_to_be_in_a_row("bb", 600, 1)]
fn breaches_in_a_row(#[case] looks: &str, #[case] apart: u64, #[case] expected: u32) {
    assert_eq!(after(looks, apart, 3), expected);
}

#[rstest]
#[case::one_is_enough(1, 0, "ErrorRate")]
#[case::the_first_of_three(3, 1, "LimitBreached")]
#[case::the_second(3, 2, "LimitBreached")]
#[case::the_third(3, 3, "ErrorRate")]
fn a_limit_is_exceeded_by_so_many(#[case] consecutive: u32, #[case] count: u32, #[case] expected: &str) {
    let contract = RollbackContract { consecutive, ..contract() };
    let streaks = [Streak { limit: Trigger::ErrorRate, count, at: at(0) }];
    let seen = Observation { candidate: arm(2_000.0, 400.0, 0.2), ..good() };
    let verdict = judge(limits_of(&contract, None, &streaks), &seen);
    assert_eq!(word(&verdict), expected, "{verdict:?}");
}

#[test]
fn a_breach_that_lasts_is_not_hidden_by_one_that_does_not() {
    let contract = RollbackContract { consecutive: 3, ..contract() };
    let streaks = [
        Streak { limit: Trigger::ErrorRate, count: 1, at: at(0) },
        Streak { limit: Trigger::Latency, count: 3, at: at(0) },
    ];
    let seen = Observation { candidate: arm(2_000.0, 400.0, 0.9), ..good() };
    assert_eq!(word(&judge(limits_of(&contract, None, &streaks), &seen)), "Latency");
}

#[test]
fn what_is_on_trial_neither_fails_nor_holds_and_is_checked_all_the_same() {
    let contract = RollbackContract { dry_run: vec![crate::api::watched::TrialLimit::Latency], ..contract() };
    let slow = Observation { candidate: arm(2_000.0, 0.0, 0.9), ..good() };
    assert_eq!(word(&judge(limits_of(&contract, None, &[]), &slow)), "Pass");
    let checks = checks(limits_of(&contract, None, &[]), &[&slow]);
    let latency = checks.iter().find(|(limit, _)| *limit == Trigger::Latency).map(|(_, verdict)| word(verdict));
    assert_eq!(latency, Some("Latency"));
    let unseen = ArmSample { latency: Evidence::NoData("no series".to_owned()), ..arm(2_000.0, 0.0, 0.2) };
    let unseen = Observation { candidate: unseen, ..good() };
    assert_eq!(word(&judge(limits_of(&contract, None, &[]), &unseen)), "Pass");
}

proptest! {
    #[test]
    fn a_streak_is_never_longer_than_its_breaches_and_never_above_its_end(looks in "[bk?]{0,30}", most in 1_u32..6) {
        let count = after(&looks, 15, most);
        let tail: String = looks.chars().rev().take_while(|look| *look != 'k').collect();
        let breaches = tail.chars().filter(|look| *look == 'b').count() as u32;
        prop_assert!(count <= breaches.min(most), "{count} of {breaches}");
        // Where no two looks in a row cannot be told, nothing is forgotten.
        if !looks.contains("??") {
            prop_assert_eq!(count, breaches.min(most));
        }
    }
}

/// Whatever the interval of looks is: as many breaches as there are windows that share no request.
#[rstest]
#[case::the_window_is_longer(15, 300, 300)]
#[case::the_interval_is_longer(60, 30, 60)]
fn checks_that_count_share_no_request(#[case] interval: u64, #[case] window: u64, #[case] expected: u64) {
    assert_eq!(streak::spacing(Span::seconds(interval), Span::seconds(window)), Span::seconds(expected));
}
