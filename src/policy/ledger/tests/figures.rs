use super::*;
use crate::api::figures::{DiffSizes, Figures};
use crate::policy::ledger::{deploys_per_week, figures};
use rstest::rstest;

fn of(entries: &[Entry]) -> Figures {
    figures(entries, &period(0))
}

#[test]
fn a_window_without_releases_has_no_rates() {
    let nothing = of(&[]);
    assert_eq!(nothing, Figures { window: "w0".into(), ..Figures::default() });
    let other_windows = [charged(1, 1, -1.0), charged(2, 1, 30.0)];
    assert_eq!(of(&other_windows), nothing, "the end of a window is the beginning of the next");
}

/// `000_…` §8, Change failure rate; `003_…`, Module 7. Each ends on the second day.
#[rstest]
#[case::succeeded(Outcome::Succeeded, 0)]
#[case::came_back(Outcome::RolledBack, 1)]
#[case::hurt_without_a_way_back(Outcome::NotWithdrawn, 1)]
#[case::a_newer_template(Outcome::Superseded, 0)]
#[case::a_change_of_mind(Outcome::Reverted, 0)]
#[case::ungated(Outcome::Bypassed, 0)]
#[case::left(Outcome::Abandoned, 0)]
fn what_failed(#[case] outcome: Outcome, #[case] failed: u32) {
    let shown = of(&[
        ended(charged(1, 1, 1.0), outcome, 2.0),
        ended(charged(2, 1, 1.0), Outcome::Succeeded, 2.0),
        charged(3, 1, 1.0),
    ]);
    assert_eq!((shown.deploys, shown.ended, shown.failed), (3, 2, failed));
    assert_eq!(shown.change_failure_percent, Some(f64::from(failed) * 50.0));
}

#[test]
fn what_is_no_workload_s_change_was_charged_and_says_nothing_of_releases() {
    let shown = of(&[ended(exception(charged(1, 30, 1.0)), Outcome::Charged, 1.0)]);
    assert_eq!(shown, of(&[]));
}

#[test]
fn what_users_never_met_is_no_deploy_and_fails_nothing() {
    let unseen = Entry { charge: None, ..came_back(charged(1, 1, 1.0), Trigger::NotReady, 1.0, 9) };
    assert_eq!(of(&[unseen]), of(&[]));
}

/// `000_…` §8, MTTR: of the failures alone, and of one that could not be brought back until it was given up.
#[test]
fn recovery_is_measured_from_the_decision() {
    let mut given_up = came_back(charged(3, 1, 1.0), Trigger::ErrorRate, 1.5, 0);
    given_up.recovered = Some(Span::minutes(80));
    given_up.outcome = Some(Outcome::NotWithdrawn);
    let shown = of(&[
        came_back(charged(1, 1, 1.0), Trigger::Latency, 1.5, 1),
        came_back(charged(2, 1, 1.0), Trigger::Crashed, 1.5, 9),
        given_up,
        ended(charged(4, 1, 1.0), Outcome::Succeeded, 2.0),
    ]);
    assert_eq!((shown.failed, shown.mttr), (3, Some(Span::minutes(30))));
}

/// A record as it was sealed: users met it on day 1, its way back was decided on day 2, and it ended on day 2.5.
fn sealed(outcome: &str, trigger: Option<&str>, took: Option<&str>) -> Entry {
    let mut status = serde_json::json!({
        "phase": "Complete", "phaseSince": day(2.0), "outcome": outcome, "endedAt": day(2.5),
        "charge": {"sequence": 1, "points": 12, "at": day(1.0)},
    });
    if let Some(trigger) = trigger {
        status["rollback"] = serde_json::json!({"trigger": trigger, "value": "v", "threshold": "t", "at": day(2.0),
            "phase": "Verify", "fromWeight": 100, "trafficTo": "web", "took": took});
    }
    Entry::of("web-0001".into(), Some(&serde_json::from_value(status).unwrap()))
}

/// `000_…` §8, Change failure rate and MTTR; `003_…`, Module 7. Which word the attempt ended with decides nothing: a version
/// that hurt failed, and took until no user met it, or at least until its attempt ended.
#[rstest]
#[case::came_back("RolledBack", Some("ErrorRate"), Some("2m"), 1, Some(Span::minutes(2)))]
#[case::never_came_back("NotWithdrawn", Some("Latency"), None, 1, Some(Span::hours(12)))]
#[case::reverted_by_a_person_who_could_not_wait("Reverted", Some("ErrorRate"), None, 1, Some(Span::hours(12)))]
#[case::reverted_and_home("Reverted", Some("Crashed"), Some("9m"), 1, Some(Span::minutes(9)))]
#[case::replaced_while_it_went_back("Superseded", Some("Complaints"), Some("3m"), 1, Some(Span::minutes(3)))]
#[case::not_shown_to_be_good("RolledBack", Some("HoldExpired"), Some("1m"), 1, Some(Span::minutes(1)))]
#[case::a_change_of_mind("Reverted", Some("Reverted"), Some("1m"), 0, None)]
#[case::a_change_of_mind_that_could_not_be_carried_out("NotWithdrawn", Some("Deleted"), None, 0, None)]
#[case::a_newer_template("Superseded", Some("Superseded"), Some("1m"), 0, None)]
#[case::let_go_by_a_person("Bypassed", Some("Resumed"), Some("1m"), 0, None)]
#[case::ended_well("Succeeded", None, None, 0, None)]
#[case::decided_when_is_not_on_record("NotWithdrawn", None, None, 1, None)]
fn what_failed_and_how_long_it_took(
    #[case] outcome: &str,
    #[case] trigger: Option<&str>,
    #[case] took: Option<&str>,
    #[case] failed: u32,
    #[case] mttr: Option<Span>,
) {
    let shown = of(&[sealed(outcome, trigger, took)]);
    assert_eq!((shown.ended, shown.failed, shown.mttr), (1, failed, mttr));
}

/// `000_…` §8, Rollback frequency; `002_…`, Rollback; `003_…`, Module 6.
#[rstest]
#[case(Trigger::ErrorRate, 1)]
#[case(Trigger::Latency, 1)]
#[case(Trigger::Complaints, 1)]
#[case(Trigger::NotReady, 1)]
#[case(Trigger::Crashed, 1)]
#[case(Trigger::RouteNotEffective, 1)]
#[case(Trigger::HoldExpired, 1)]
#[case::by_a_person(Trigger::Reverted, 1)]
#[case(Trigger::Superseded, 0)]
#[case(Trigger::Resumed, 0)]
#[case(Trigger::Ungated, 0)]
#[case(Trigger::Deleted, 0)]
fn what_is_a_rollback(#[case] trigger: Trigger, #[case] counts: u32) {
    assert_eq!(of(&[came_back(charged(1, 1, 1.0), trigger, 1.5, 2)]).rollbacks, counts);
}

/// `003_…`, Module 6: "Define rollback time budgets (e.g., 5 minutes for critical services)".
#[test]
fn the_time_to_rollback_has_a_mean_and_a_longest() {
    let going_on = Rollback { trigger: Trigger::Latency, at: day(1.0), took: None, late: false };
    let shown = of(&[
        came_back(charged(1, 1, 1.0), Trigger::Latency, 1.5, 2),
        came_back(charged(2, 1, 1.0), Trigger::Crashed, 1.5, 8),
        Entry { rollback: Some(going_on), ..charged(3, 1, 1.0) },
    ]);
    assert_eq!((shown.rollbacks, shown.late_rollbacks), (3, 1));
    assert_eq!((shown.time_to_rollback, shown.longest_rollback), (Some(Span::minutes(5)), Some(Span::minutes(8))));
}

/// `000_…` §8, "Gate compliance rate (how often gates were bypassed)".
#[test]
fn a_gate_is_complied_with_where_nothing_went_past_it() {
    let short = |entry: Entry| Entry { shown_short: true, ..entry };
    let shown = of(&[charged(1, 1, 1.0), short(charged(2, 1, 1.0)), short(exception(charged(3, 1, 1.0)))]);
    assert_eq!((shown.past_gate, shown.shown_short, shown.gate_compliance_percent), (1, 1, Some(66.7)));
}

/// `000_…` §8, "Diff size distribution (are we shipping huge diffs?)".
#[rstest]
#[case(None, "unknown")]
#[case(Some(0), "tiny")]
#[case(Some(10), "tiny")]
#[case(Some(11), "small")]
#[case(Some(100), "small")]
#[case(Some(101), "medium")]
#[case(Some(400), "medium")]
#[case(Some(401), "large")]
#[case(Some(1_000), "large")]
#[case(Some(1_001), "huge")]
#[case(Some(u32::MAX), "huge")]
fn a_diff_has_a_size(#[case] lines: Option<u32>, #[case] class: &str) {
    let sizes: DiffSizes = of(&[Entry { diff_lines: lines, ..charged(1, 1, 1.0) }]).diff_sizes;
    let there: Vec<_> = sizes.classes().into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(there, [(class, 1)]);
}

/// `000_…` §8, Deploy frequency.
#[rstest]
#[case::half_a_window(15.0, Some(7.0 * 3.0 / 15.0))]
#[case::the_second_day(1.0, Some(21.0))]
#[case::the_first_day(0.5, None)]
fn a_frequency_is_by_the_week(#[case] now: f64, #[case] wanted: Option<f64>) {
    let shown = of(&[charged(1, 1, 0.1), charged(2, 1, 0.2), charged(3, 1, 0.3)]);
    assert_eq!(deploys_per_week(&shown, day(0.0), day(now)), wanted);
}

#[test]
fn a_record_is_read_as_it_was_sealed() {
    let status = serde_json::from_value(serde_json::json!({
        "phase": "Rollback", "phaseSince": day(2.0), "outcome": "NotWithdrawn", "endedAt": day(2.5),
        "charge": {"sequence": 4, "points": 12, "at": day(1.0)},
        "assessment": {"points": 12, "score": "12 RP", "gate": "G2", "why": "12 RP → G2", "band": "Green",
                       "riskClass": "Low", "notShown": ["sast"], "diffLines": 120},
        "rollback": {"trigger": "Latency", "value": "1s", "threshold": "0.5s", "at": day(2.0), "phase": "Verify",
                     "fromWeight": 100, "trafficTo": "web", "withinTimeBudget": false},
    }))
    .unwrap();
    let entry = Entry::of("web-0004".into(), Some(&status));
    assert_eq!((entry.recovered, entry.shown_short, entry.diff_lines), (Some(Span::hours(12)), true, Some(120)));
    assert!(entry.rollback.unwrap().late && entry.failed());
    let never_written = Entry::of("web-0005".into(), None);
    assert_eq!((never_written.charge, never_written.outcome, never_written.rollback), (None, None, None));
}

/// What went past its gate is told as that, not once more as what was shown short.
#[rstest]
#[case::short(true, false, 1, 0)]
#[case::past_the_gate(true, true, 0, 1)]
#[case::all_shown(false, false, 0, 0)]
fn what_was_not_shown_is_counted_once(
    #[case] short: bool,
    #[case] past: bool,
    #[case] shown_short: u32,
    #[case] past_gate: u32,
) {
    let entry = Entry { shown_short: short, ..ended(charged(1, 1, 1.0), Outcome::Succeeded, 2.0) };
    let shown = of(&[if past { exception(entry) } else { entry }]);
    assert_eq!((shown.shown_short, shown.past_gate), (shown_short, past_gate));
}

/// What is due later is not missing while the release goes on.
#[rstest]
#[case::goes_on(None, &["post-release-checklist"], false)]
#[case::over(Some("Succeeded"), &["post-release-checklist"], true)]
#[case::over_with_all(Some("Succeeded"), &[], false)]
fn what_is_short_is_known_at_the_end(#[case] outcome: Option<&str>, #[case] not_shown: &[&str], #[case] short: bool) {
    let status = serde_json::from_value(serde_json::json!({
        "phase": "Complete", "phaseSince": "1970-01-02T00:00:00Z", "outcome": outcome,
        "assessment": {"points": 6, "score": "6 RP", "gate": "G2", "why": "6 RP → G2", "band": "Green", "riskClass": "Medium",
                       "notShown": not_shown},
    }))
    .unwrap();
    assert_eq!(Entry::of("web-0001".into(), Some(&status)).shown_short, short);
}
