use crate::api::signals::SignalsStatus;
use crate::api::{Span, Time};
use crate::policy::score::signals::{Heard, Sighting, incidents_of, on_call_of, status_of};
use crate::policy::score::{Context, OnCallLoad, Signal};
use rstest::rstest;

fn at(text: &str) -> Time {
    Time(text.parse().unwrap())
}

fn now() -> Time {
    at("2026-03-31T12:00:00Z")
}

fn seen(name: &str, severity: &str, last: Time) -> Sighting {
    Sighting { name: name.into(), severity: severity.into(), last: last.0.as_second() as f64 }
}

fn heard(incidents: Result<Vec<Sighting>, String>) -> Heard {
    Heard { source: "default".into(), incidents: Some(incidents), on_call: None }
}

fn paged(pages: f64, normal: f64) -> Heard {
    Heard { source: "default".into(), incidents: None, on_call: Some(Ok(OnCallLoad { pages, normal })) }
}

fn context(status: &SignalsStatus, now: Time) -> Context {
    Context {
        incidents: incidents_of(Some(status), now),
        error_budget: Signal::NotConfigured,
        on_call: on_call_of(Some(status), now),
        restricted: None,
    }
}

/// The points of the context, and whether the service is in an incident (`000_…` §5.3, §6.3).
fn costs(status: &SignalsStatus, now: Time) -> (u32, bool) {
    use crate::policy::score::{Score, ScoreFacts};
    let (context, change) = (context(status, now), super::classification(&[crate::policy::Category::Docs]));
    let facts = ScoreFacts { tier: crate::policy::Tier::T0, change: &change, context: &context, mitigations: &[] };
    // 1 of the tier and 1 of the diff.
    (Score::of(&facts, now).total.get() - 2, context.in_incident(now))
}

/// `000_…` §5.3: "+5: service currently in incident or had Sev1/Sev2 in last 7 days".
#[rstest]
#[case::none(vec![Sighting { name: String::new(), severity: String::new(), last: 0.0 }], (0, false))]
#[case::goes_on(vec![seen("INC-7", "sev4", now())], (5, true))]
#[case::seen_five_minutes_ago(vec![seen("INC-7", "sev4", at("2026-03-31T11:55:00Z"))], (5, true))]
#[case::just_over_but_not_grave(vec![seen("INC-7", "sev4", at("2026-03-31T11:54:59Z"))], (0, false))]
#[case::sev2_six_days_ago(vec![seen("INC-7", "SEV-2", at("2026-03-25T12:00:00Z"))], (5, false))]
#[case::sev3_six_days_ago(vec![seen("INC-7", "3", at("2026-03-25T12:00:00Z"))], (0, false))]
#[case::severity_in_other_words(vec![seen("INC-7", "critical", at("2026-03-25T12:00:00Z"))], (5, false))]
#[case::sev1_seven_days_ago_to_the_second(vec![seen("INC-7", "1", at("2026-03-24T12:00:00Z"))], (5, false))]
#[case::eight_days_ago(vec![seen("INC-7", "P1", at("2026-03-23T12:00:00Z"))], (0, false))]
#[case::still_to_end(vec![seen("INC-7", "1", at("2026-03-31T13:00:00Z"))], (5, true))]
#[case::one_name_counts_by_its_worst(vec![seen("INC-7", "3", at("2026-03-30T12:00:00Z")), seen("INC-7", "1", at("2026-03-29T12:00:00Z"))], (5, false))]
fn incidents_cost_and_block(#[case] seen: Vec<Sighting>, #[case] wanted: (u32, bool)) {
    assert_eq!(costs(&status_of(&heard(Ok(seen)), None, now()), now()), wanted);
}

#[test]
fn what_counts_is_among_the_few_that_are_kept() {
    let mut all: Vec<Sighting> =
        (0..30).map(|day| seen(&format!("INC-{day}"), "sev3", at("2026-03-30T12:00:00Z"))).collect();
    all.push(seen(&"x".repeat(200), "sev2", at("2026-03-26T12:00:00Z")));
    all.push(seen("INC-99", "sev5", now()));
    let status = status_of(&heard(Ok(all)), None, now());
    let kept = status.incidents.unwrap().known.unwrap();
    assert_eq!((kept.len(), kept[0].name.as_str(), kept[1].name.len()), (8, "INC-99", 80));
}

/// `000_…` §5.3: "+2: on-call load high (paging above normal baseline)".
#[rstest]
#[case(2.0, 2.0, 0)]
#[case(2.04, 2.0, 2)]
#[case(1.96, 2.0, 0)]
fn a_load_above_normal_costs(#[case] pages: f64, #[case] normal: f64, #[case] points: u32) {
    let status = status_of(&paged(pages, normal), None, now());
    let high = status.on_call.as_ref().unwrap().load.as_ref().unwrap().high;
    assert_eq!((high, costs(&status, now()).0), (points > 0, points));
}

#[test]
fn a_load_that_moves_on_one_side_of_normal_writes_nothing() {
    let first = status_of(&paged(7.3, 4.0), None, now());
    let later = now().plus(Span::minutes(1));
    assert_eq!(status_of(&paged(8.9, 4.1), Some(&first), later), first);
    let calm = status_of(&paged(3.0, 4.1), Some(&first), later);
    assert_eq!(calm.on_call.unwrap().load.unwrap().since, later);
}

#[test]
fn an_incident_that_goes_on_writes_nothing() {
    let first = status_of(&heard(Ok(vec![seen("INC-7", "1", now())])), None, now());
    let later = now().plus(Span::minutes(1));
    assert_eq!(status_of(&heard(Ok(vec![seen("INC-7", "1", later)])), Some(&first), later), first);
}

/// What is not known counts as bad; what was known stands in for 15 minutes.
#[rstest]
#[case::at_once(0, (0, false))]
#[case::for_a_short_time(15, (0, false))]
#[case::for_long(16, (5, true))]
fn an_outage_counts_as_bad_after_a_while(#[case] minutes: u64, #[case] wanted: (u32, bool)) {
    let calm = status_of(&heard(Ok(vec![])), None, now());
    let down = status_of(&heard(Err("connection refused".into())), Some(&calm), now());
    let later = now().plus(Span::minutes(minutes));
    let still = status_of(&heard(Err("connection refused".into())), Some(&down), later);
    assert_eq!(still, down, "nothing is written while nothing changes");
    assert_eq!(costs(&still, later), wanted);
}

#[test]
fn an_outage_from_the_beginning_counts_as_bad_and_says_why() {
    let heard = Heard {
        source: "default".into(),
        incidents: Some(Err("no samples".into())),
        on_call: Some(Err("no samples".into())),
    };
    let status = status_of(&heard, None, now());
    assert_eq!(costs(&status, now()), (7, true));
    assert_eq!(incidents_of(Some(&status), now()), Signal::Unknown("no samples".into()));
}

#[test]
fn what_another_source_said_is_forgotten() {
    let calm = status_of(&heard(Ok(vec![])), None, now());
    let other = Heard { source: "other".into(), ..heard(Err("down".into())) };
    assert_eq!(costs(&status_of(&other, Some(&calm), now()), now()), (5, true));
}

#[test]
fn what_nobody_asks_for_costs_nothing() {
    let status = SignalsStatus { source: "default".into(), incidents: None, on_call: None };
    assert_eq!(costs(&status, now()), (0, false));
    assert_eq!((incidents_of(None, now()), on_call_of(None, now())), (Signal::NotConfigured, Signal::NotConfigured));
}

#[test]
fn what_ended_more_than_seven_days_ago_is_not_kept() {
    let kept = |last| {
        status_of(&heard(Ok(vec![seen("INC-7", "1", at(last))])), None, now()).incidents.unwrap().known.unwrap().len()
    };
    assert_eq!([kept("2026-03-24T12:00:00Z"), kept("2026-03-24T11:59:59Z"), kept("2026-03-23T12:00:00Z")], [1, 0, 0]);
}

/// To one decimal; a high load is shown as one.
#[rstest]
#[case::normal(1.24, 2.06, 1.2, 2.1)]
#[case::high(7.31, 4.09, 7.4, 4.0)]
#[case::hardly_high(2.02, 2.01, 2.1, 2.0)]
fn a_load_is_shown_rounded(#[case] pages: f64, #[case] normal: f64, #[case] shown: f64, #[case] shown_normal: f64) {
    let load = status_of(&paged(pages, normal), None, now()).on_call.unwrap().load.unwrap();
    assert_eq!((load.pages, load.normal), (shown, shown_normal));
}
