//! What people read.

use super::*;
use crate::analysis::{Breach, Verdict};
use crate::api::release_record::Trigger;

fn found(setup: &Setup, signal: Signal, intervals: impl IntoIterator<Item = Interval>) -> Finding {
    tally_of(setup, intervals).finding(setup, &signal)
}

#[test]
fn worse() {
    let bad = found(&setup(), Signal::Errors, (0..4).map(|i| minute(i, (310.0, 9.0), (5_500.0, 5.0))));
    assert_eq!(
        bad.to_string(),
        "2.9 % of 620 requests failed, stable 0.09 % of 11,000: as unlikely as 1 in 100 if both were alike"
    );
    let Verdict::Fail(Breach { trigger, value, threshold, .. }) = bad.verdict() else { panic!("{bad}") };
    assert_eq!(trigger, Trigger::ErrorRate);
    assert_eq!(value, "2.9 % of 620 requests failed");
    assert_eq!(threshold, "as good as stable 0.09 % of 11,000");
}

#[test]
fn worse_since() {
    let trace = (0..30).map(|i| minute(i, (300.0, if i < 20 { 0.0 } else { 9.0 }), (5_700.0, 6.0)));
    let told = found(&setup(), Signal::Slower(Span::from_millis(300)), trace);
    assert_eq!(
        told.to_string(),
        "3 % of 900 requests took more than 300 ms since 1 Mar 10:20:00 UTC, stable 0.11 % of 17,100: as unlikely as 1 in 350 if both were alike"
    );
    let Verdict::Fail(breach) = told.verdict() else { panic!("{told}") };
    assert_eq!(breach.trigger, Trigger::Latency);
}

#[test]
fn not_worse() {
    let told = found(&setup(), Signal::Errors, (0..10).map(|i| minute(i, (120.0, 0.0), (2_200.0, 2.0))));
    assert_eq!(
        told.to_string(),
        "0 % of 1,200 requests failed, stable 0.09 % of 22,000: not worse (at 1.11 % this would be as unlikely as 1 in 10,000)"
    );
    assert!(matches!(told.verdict(), Verdict::Pass(_)));
}

#[test]
fn not_yet() {
    let told = found(&setup(), Signal::Errors, (0..7).map(|i| minute(i, (30.0, 0.0), (570.0, 1.0))));
    assert_eq!(told.to_string(), "0 % of 210 requests failed, stable 0.18 % of 3,990: too little to tell both apart");
    let Verdict::NotYet(why) = told.verdict() else { panic!("{told}") };
    assert_eq!(why.reason(), "Undecided");
    let empty = Tally::default().finding(&setup(), &Signal::Errors);
    assert_eq!(empty.to_string(), "0 % of 0 requests failed, stable without traffic: too little to tell both apart");
}

/// An incident of something that both use: said so, and held against nobody.
#[test]
fn both_alike() {
    let told = found(&setup(), Signal::Errors, (0..40).map(|i| minute(i, (300.0, 90.0), (5_700.0, 1_710.0))));
    assert_eq!(word(&told), "NotWorse");
    assert_eq!(
        told.to_string(),
        "30 % of 12,000 requests failed, stable 30 % of 228,000: not worse (at 38.5 % this would be as unlikely as 1 in 10,000); both do alike, which is not the new version's doing"
    );
}

/// At 100 % and in Verify stable has no traffic, and what it was like before stands for it.
#[test]
fn stable_without_traffic() {
    let setup = Setup { base_rate: Some(Percent::new(0.4).unwrap()), ..setup() };
    let alone =
        |i, bad| Interval { base: Base::Frozen(Percent::new(0.4).unwrap()), ..minute(i, (500.0, bad), (0.0, 0.0)) };
    let good = found(&setup, Signal::Errors, (0..10).map(|i| alone(i, 2.0)));
    assert_eq!(
        good.to_string(),
        "0.4 % of 5,000 requests failed, stable up to 0.4 % in a usual hour of the day before: not worse (at 1.5 % this would be as unlikely as 1 in 10,000)"
    );
    let bad = found(&setup, Signal::Errors, (0..10).map(|i| alone(i, 25.0)));
    assert_eq!(
        bad.to_string(),
        "5 % of 1,000 requests failed, stable up to 0.4 % in a usual hour of the day before: as unlikely as 1 in 100 if both were alike"
    );
}

/// A record keeps 256 characters.
#[test]
fn the_longest_sentence_fits_a_record() {
    let at = |sums| Figures {
        signal: Signal::Slower(Span::from_millis(12_345)),
        sums,
        since: Some(end(0)),
        base_rate: Some(Percent::new(12.34).unwrap()),
        too_much: 0.223_4,
        once_in: 123_456_789.0,
    };
    let many =
        Sums { requests: 123_456_789.0, bad: 23_456_789.0, base_requests: 1_234_567_890.0, base_bad: 234_567_890.0 };
    for figures in [at(many), at(Sums { base_requests: 0.0, ..many })] {
        for finding in [Finding::Worse(figures.clone()), Finding::NotWorse(figures.clone()), Finding::NotYet(figures)] {
            let told = finding.to_string();
            assert!(told.chars().count() <= 256, "{}: {told}", told.chars().count());
        }
    }
}
