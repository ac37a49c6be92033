use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use crate::api::BudgetStatus::{self, *};
use crate::api::obligation::{Course, ObligationRules, ObligationState, ObligationStatus};
use crate::api::{ReleaseRecordSpec, ReleaseRecordStatus, Time};
use crate::policy::course::{Reading, advance};
use crate::policy::obligation::facts::Cause;
use crate::policy::obligation::{DEMANDS, Demand, Due, Facts, RecordFacts, Said, next_change, obligations};
use crate::policy::obligation::{remembered, shown};
use crate::policy::requirement::Claim;
use ObligationState::{Due as Open, Met, Overdue};

mod approval;

fn at(text: &str) -> Time {
    Time(text.parse().unwrap())
}

/// Everything that obligations are computed from, owned.
struct World {
    course: Option<Course>,
    records: Vec<RecordFacts>,
    /// Whether somebody has listed its records.
    listed: bool,
    tightened: Option<(&'static str, &'static str)>,
    rules: ObligationRules,
    said: Vec<Said>,
    before: Vec<ObligationStatus>,
    zone: TimeZone,
}

impl World {
    fn new() -> Self {
        Self {
            course: None,
            records: vec![],
            listed: true,
            tightened: None,
            rules: ObligationRules::default(),
            said: vec![],
            before: vec![],
            zone: TimeZone::UTC,
        }
    }

    /// At a level since a moment.
    fn level(status: BudgetStatus, since: &str) -> Self {
        let mut world = Self::new();
        world.goes(status, since);
        world
    }

    /// The error budget is measured.
    fn goes(&mut self, status: BudgetStatus, now: &str) {
        let reading = Reading { status, remaining: 20.0, last: None, objective: "availability", present: None };
        self.course = Some(advance(self.course.as_ref(), &reading, &self.zone, at(now)));
    }

    /// A look: what it finds is known at the next.
    fn look(&mut self, now: &str) -> Vec<ObligationStatus> {
        let facts = Facts {
            course: self.course.as_ref(),
            records: self.listed.then_some(self.records.as_slice()),
            tightened: self.tightened,
            rules: &self.rules,
            said: &self.said,
            before: &self.before,
            zone: &self.zone,
        };
        self.before = obligations(&facts, at(now));
        self.before.clone()
    }

    fn says(&mut self, obligation: &str, author: &str, now: &str, outcome: &str) {
        let demand = Demand::of_obligation(obligation).unwrap();
        let facts: BTreeMap<String, String> = demand
            .form
            .fields
            .iter()
            .map(|field| {
                let text = field.check.words().map_or("something", |words| words[0]);
                (field.key.to_owned(), text.to_owned())
            })
            .collect();
        self.said.push(Said {
            attestation: format!("att-{}", self.said.len()),
            obligation: obligation.to_owned(),
            claim: Claim {
                kind: demand.kind().to_owned(),
                role: None,
                author: author.to_owned(),
                passed: outcome == "Passed",
                withdrawn: outcome == "Withdrawn",
                at: at(now),
                until: None,
                facts,
                machine: false,
                about: None,
            },
            unheard: String::new(),
        });
    }

    /// Somebody approves, or does not, in the role that a RiskBudget counts it as.
    fn speaks(&mut self, (who, role): (&str, &str), now: &str, outcome: &str, note: &str) {
        self.says("override-approval-web-0007", who, now, outcome);
        let said = self.said.last_mut().unwrap();
        (said.claim.kind, said.claim.role) = ("approval".to_owned(), Some(role.to_owned()));
        said.claim.facts.insert("note".to_owned(), note.to_owned());
    }
}

/// `name state due`.
fn rows(all: &[ObligationStatus]) -> Vec<String> {
    all.iter().map(|one| format!("{} {} {}", one.name, one.state, one.due)).collect()
}

/// `001_…`, Freeze Policy: what each level demands, entered on Friday, 20 November 2026, 08:00.
#[rstest]
#[case::healthy(Healthy, &[])]
#[case::warning(Warning, &["daily-review Due 2026-11-20T10:00:00Z"])]
#[case::critical(Critical, &[
    "freeze-announcement-20261120-0800 Due 2026-11-20T08:15:00Z",
    "daily-review Due 2026-11-20T10:00:00Z",
    "incident-review-20261120-0800 Due 2026-11-20T10:00:00Z",
    "daily-standup Due 2026-11-20T15:00:00Z",
    "reliability-plan-20261120-0800 Due 2026-11-21T08:00:00Z",
])]
#[case::emergency(Emergency, &[
    "emergency-announcement-20261120-0800 Due 2026-11-20T08:15:00Z",
    "emergency-review-20261120-0800 Due 2026-11-20T09:00:00Z",
    "daily-review Due 2026-11-20T10:00:00Z",
    "recovery-plan-20261120-0800 Due 2026-11-20T12:00:00Z",
    "stakeholder-communication-20261120-0800 Due 2026-11-20T12:00:00Z",
    "executive-update Due 2026-11-20T14:00:00Z",
    "daily-standup Due 2026-11-20T15:00:00Z",
])]
fn each_level_demands(#[case] status: BudgetStatus, #[case] expected: &[&str]) {
    let mut world = World::level(status, "2026-11-20T08:00:00Z");
    assert_eq!(rows(&world.look("2026-11-20T08:00:00Z")), expected);
}

/// Each line's time and who owes it, by section.
#[rstest]
#[case::critical_immediate(
    "freeze-announcement",
    "within 15m",
    "sre",
    "001, Critical, Mandatory Actions; Requirements"
)]
#[case::critical_2h("incident-review", "within 2h", "service-owner, sre", "001, Critical, Mandatory Actions")]
#[case::critical_24h(
    "reliability-plan",
    "within 1d",
    "service-owner, engineering-manager",
    "001, Critical, Mandatory Actions"
)]
#[case::critical_daily("daily-standup", "daily by 15:00", "sre, service-owner", "001, Critical, Mandatory Actions")]
#[case::below_50(
    "daily-review",
    "daily by 10:00",
    "service-owner, sre, engineering-manager",
    "001, Daily Review; Warning, Action Items"
)]
#[case::emergency_immediate("emergency-announcement", "within 15m", "sre", "001, Emergency, Mandatory Actions")]
#[case::emergency_1h(
    "emergency-review",
    "within 1h",
    "service-owner, sre, engineering-manager",
    "001, Emergency, Mandatory Actions"
)]
#[case::emergency_4h(
    "recovery-plan",
    "within 4h",
    "service-owner, engineering-manager",
    "001, Emergency, Mandatory Actions"
)]
#[case::emergency_4h_told(
    "stakeholder-communication",
    "within 4h",
    "engineering-manager, vp-engineering",
    "001, Emergency, Mandatory Actions"
)]
#[case::emergency_6h(
    "executive-update",
    "every 6h",
    "engineering-manager, sre",
    "001, Emergency, Mandatory Actions; Emergency Review"
)]
#[case::exception_rationale(
    "override-rationale",
    "within 1 business day",
    "development-manager, on-call",
    "000 §7; 002, Guardrails"
)]
#[case::executive_approval(
    "override-approval",
    "within 1 business day",
    "vp-engineering",
    "002, Guardrails; 001, VP Engineering / CTO"
)]
#[case::exception_5_days("exception-follow-up", "within 5 business days", "development-manager", "000 §7")]
#[case::override_post_mortem(
    "post-mortem",
    "within 5 business days",
    "development-manager, service-owner",
    "002, Guardrails; 000 §4"
)]
#[case::tightened(
    "tightening-review",
    "within 5 business days",
    "product-manager, development-manager",
    "000 §8, §7, §4"
)]
#[case::weekly(
    "weekly-review",
    "every Monday by 10:00",
    "product-manager, development-manager, service-owner, sre",
    "000 §9, §8; 001, Weekly Review"
)]
#[case::monthly("monthly-review", "every month", "vp-engineering, product-manager, development-manager", "000 §9")]
fn the_lines_of_the_documents(#[case] kind: &str, #[case] due: &str, #[case] roles: &str, #[case] source: &str) {
    let demand = Demand::named(kind).unwrap();
    let owed: Vec<&str> = demand.owed_by.iter().map(|role| role.as_str()).collect();
    assert_eq!((demand.due.to_string().as_str(), owed.join(", ").as_str(), demand.source), (due, roles, source));
}

#[test]
fn every_line_has_its_row_and_can_be_attested() {
    // The table above names 17 types; post-mortems are demanded twice.
    let kinds: std::collections::BTreeSet<&str> = DEMANDS.iter().map(Demand::kind).collect();
    assert_eq!((kinds.len(), DEMANDS.len()), (17, 18));
    for demand in DEMANDS {
        assert!(!demand.form.fields.is_empty() && !demand.owed_by.is_empty() && !demand.says.is_empty());
        assert!(!(demand.due.renews() && demand.outlives), "{}", demand.kind());
        for name in [demand.kind().to_owned(), format!("{}-20261120-0800", demand.kind())] {
            assert_eq!(Demand::of_obligation(&name).map(Demand::kind), Some(demand.kind()));
        }
    }
    assert!(Demand::of_obligation("post-mortems").is_none());
}

/// Friday is followed by Monday; days are those of the zone.
#[rstest]
#[case::friday_to_monday(Due::BusinessDays(1), "2026-11-20T08:00:00Z", false, "UTC", "2026-11-24T00:00:00Z")]
#[case::five_over_a_weekend(Due::BusinessDays(5), "2026-11-20T08:00:00Z", false, "UTC", "2026-11-28T00:00:00Z")]
#[case::from_a_saturday(Due::BusinessDays(1), "2026-11-21T08:00:00Z", false, "UTC", "2026-11-24T00:00:00Z")]
#[case::from_a_monday(Due::BusinessDays(5), "2026-11-16T08:00:00Z", false, "UTC", "2026-11-24T00:00:00Z")]
#[case::still_friday_there(
    Due::BusinessDays(1),
    "2026-11-21T02:00:00Z",
    false,
    "America/New_York",
    "2026-11-24T05:00:00Z"
)]
#[case::already_monday_there(Due::BusinessDays(1), "2026-11-22T16:00:00Z", false, "Asia/Tokyo", "2026-11-24T15:00:00Z")]
#[case::clocks_change(Due::BusinessDays(1), "2026-10-23T08:00:00Z", false, "Europe/Berlin", "2026-10-26T23:00:00Z")]
#[case::today_at_ten(Due::Daily(10), "2026-11-20T08:00:00Z", false, "UTC", "2026-11-20T10:00:00Z")]
#[case::too_late_today(Due::Daily(10), "2026-11-20T10:00:00Z", false, "UTC", "2026-11-21T10:00:00Z")]
#[case::met_early_today(Due::Daily(10), "2026-11-20T08:00:00Z", true, "UTC", "2026-11-21T10:00:00Z")]
#[case::ten_there(Due::Daily(10), "2026-11-20T08:00:00Z", false, "Europe/Berlin", "2026-11-20T09:00:00Z")]
#[case::an_hour_that_is_left_out(Due::Daily(2), "2026-03-28T12:00:00Z", false, "Europe/Berlin", "2026-03-29T01:00:00Z")]
#[case::next_monday(Due::Mondays(10), "2026-11-20T08:00:00Z", false, "UTC", "2026-11-23T10:00:00Z")]
#[case::this_monday(Due::Mondays(10), "2026-11-23T08:00:00Z", false, "UTC", "2026-11-23T10:00:00Z")]
#[case::met_on_monday(Due::Mondays(10), "2026-11-23T08:00:00Z", true, "UTC", "2026-11-30T10:00:00Z")]
#[case::this_month(Due::Monthly, "2026-11-20T08:00:00Z", false, "UTC", "2026-12-01T00:00:00Z")]
#[case::met_this_month(Due::Monthly, "2026-11-20T08:00:00Z", true, "UTC", "2027-01-01T00:00:00Z")]
fn by_when(#[case] due: Due, #[case] from: &str, #[case] met: bool, #[case] zone: &str, #[case] expected: &str) {
    assert_eq!(due.after(at(from), met, &TimeZone::get(zone).unwrap()), at(expected));
}

#[rstest]
#[case::in_time("2026-11-20T09:59:59Z", Open)]
#[case::at_the_deadline("2026-11-20T10:00:00Z", Overdue)]
#[case::later("2026-11-21T09:00:00Z", Overdue)]
fn it_is_overdue_from_its_deadline_on(#[case] now: &str, #[case] state: ObligationState) {
    let mut world = World::level(Critical, "2026-11-20T08:00:00Z");
    let all = world.look(now);
    let review = all.iter().find(|one| one.kind == "incident-review").unwrap();
    assert_eq!(review.state, state);
}

const REVIEW: &str = "incident-review-20261120-0800";

#[rstest]
#[case::somebody_did_it(&[(REVIEW, "dana", "Passed")], Some("dana"), "")]
#[case::another_s_name(&[("incident-review-20261119-0800", "dana", "Passed")], None, "")]
#[case::another_type(&[("reliability-plan-20261120-0800", "dana", "Passed")], None, "")]
#[case::without_the_moment(&[("incident-review", "dana", "Passed")], None, "")]
#[case::taken_back(&[(REVIEW, "dana", "Passed"), (REVIEW, "dana", "Withdrawn")], None, "")]
#[case::of_somebody_else(&[(REVIEW, "dana", "Passed"), (REVIEW, "sam", "Withdrawn")], Some("dana"), "")]
#[case::contradicted(&[(REVIEW, "dana", "Passed"), (REVIEW, "sam", "Failed")], None, "sam (20 Nov 09:01:00 UTC) says that it is not met")]
fn an_obligation_is_met_by_an_attestation(
    #[case] said: &[(&str, &str, &str)],
    #[case] by: Option<&str>,
    #[case] problem: &str,
) {
    let mut world = World::level(Critical, "2026-11-20T08:00:00Z");
    for (minute, (obligation, author, outcome)) in said.iter().enumerate() {
        world.says(obligation, author, &format!("2026-11-20T09:0{minute}:00Z"), outcome);
    }
    let all = world.look("2026-11-20T09:30:00Z");
    let review = all.iter().find(|one| one.name == REVIEW).unwrap();
    assert_eq!(review.met.as_ref().map(|met| met.by.as_str()), by);
    assert_eq!(review.state, if by.is_some() { Met } else { Open });
    assert_eq!(review.problem, problem);
    if let Some(met) = &review.met {
        assert_eq!((met.attestation.as_str(), met.at), ("att-0", at("2026-11-20T09:00:00Z")));
    }
}

#[test]
fn an_attestation_that_leaves_something_out_meets_nothing_and_says_so() {
    let mut world = World::level(Critical, "2026-11-20T08:00:00Z");
    world.says(REVIEW, "dana", "2026-11-20T09:00:00Z", "Passed");
    world.said[0].claim.facts.remove("actions");
    let all = world.look("2026-11-20T09:30:00Z");
    let review = all.iter().find(|one| one.name == REVIEW).unwrap();
    assert_eq!(review.state, Open);
    assert_eq!(
        review.problem,
        "the attestation of dana (20 Nov 09:00:00 UTC) is not complete: facts.actions is missing (Action items, each with who does it)"
    );
}

/// `001_…`, Emergency, Every 6 hours.
#[rstest]
#[case::none_yet(&[], "2026-11-20T13:00:00Z", Open, "2026-11-20T14:00:00Z")]
#[case::none_in_time(&[], "2026-11-20T14:00:00Z", Overdue, "2026-11-20T14:00:00Z")]
#[case::given_early(&["2026-11-20T12:00:00Z"], "2026-11-20T14:00:00Z", Open, "2026-11-20T18:00:00Z")]
#[case::not_given_again(&["2026-11-20T12:00:00Z"], "2026-11-20T18:00:00Z", Overdue, "2026-11-20T18:00:00Z")]
#[case::given_late(&["2026-11-20T12:00:00Z", "2026-11-20T19:00:00Z"], "2026-11-20T19:30:00Z", Open, "2026-11-21T01:00:00Z")]
#[case::of_the_time_before(&["2026-11-20T07:00:00Z"], "2026-11-20T14:00:00Z", Overdue, "2026-11-20T14:00:00Z")]
fn an_update_is_owed_again_after_each(
    #[case] given: &[&str],
    #[case] now: &str,
    #[case] state: ObligationState,
    #[case] due: &str,
) {
    let mut world = World::level(Emergency, "2026-11-20T08:00:00Z");
    given.iter().for_each(|given| world.says("executive-update", "eve", given, "Passed"));
    let all = world.look(now);
    let update = all.iter().find(|one| one.name == "executive-update").unwrap();
    assert_eq!((update.state, update.due), (state, at(due)));
}

/// Who falls from Critical into Emergency owes both reviews; who comes back from there to Critical owes nothing new, however
/// long that lasts.
#[test]
fn each_level_that_is_come_to_demands_its_own_and_the_worse_stands_for_the_milder() {
    let reviews = |world: &mut World, now: &str| -> Vec<String> {
        world
            .look(now)
            .iter()
            .map(|one| one.kind.clone())
            .filter(|kind| kind.ends_with("t-review") || kind.ends_with("y-review"))
            .filter(|kind| kind != "daily-review")
            .collect()
    };
    let mut fell = World::level(Critical, "2026-11-20T08:00:00Z");
    fell.goes(Emergency, "2026-11-20T08:30:00Z");
    assert_eq!(reviews(&mut fell, "2026-11-20T08:30:00Z"), ["emergency-review", "incident-review"]);
    let mut at_once = World::level(Emergency, "2026-11-20T08:00:00Z");
    for (now, status) in
        [("2026-11-20T09:00:00Z", Emergency), ("2026-11-20T10:00:00Z", Critical), ("2026-11-25T10:00:00Z", Critical)]
    {
        at_once.goes(status, now);
        assert_eq!(reviews(&mut at_once, now), ["emergency-review"], "{now}");
    }
}

fn names(all: &[ObligationStatus]) -> Vec<&str> {
    all.iter().map(|one| one.name.as_str()).collect()
}

#[test]
fn a_level_that_is_left_takes_its_announcements_and_rounds_along_and_leaves_its_reviews() {
    let mut world = World::level(Critical, "2026-11-20T08:00:00Z");
    world.look("2026-11-20T08:00:00Z");
    world.goes(Warning, "2026-11-20T09:00:00Z");
    let all = world.look("2026-11-20T09:00:00Z");
    assert_eq!(names(&all), ["daily-review", REVIEW, "reliability-plan-20261120-0800"]);
    // A day later the level is forgotten; what was owed is not.
    world.goes(Healthy, "2026-11-20T10:00:00Z");
    world.goes(Healthy, "2026-11-22T10:00:00Z");
    let all = world.look("2026-11-22T10:00:00Z");
    assert_eq!(names(&all), [REVIEW, "reliability-plan-20261120-0800"]);
    assert!(world.course.as_ref().unwrap().episodes.is_empty());
    world.says(REVIEW, "dana", "2026-11-22T11:00:00Z", "Passed");
    assert_eq!(world.look("2026-11-22T12:00:00Z").iter().filter(|one| one.state == Met).count(), 1);
    // It is shown for a week; what nobody did stays owed.
    assert_eq!(world.look("2026-11-30T12:00:00Z").len(), 1);
    let all = world.look("2027-03-01T12:00:00Z");
    assert_eq!(rows(&all), ["reliability-plan-20261120-0800 Overdue 2026-11-21T08:00:00Z"]);
}

#[test]
fn what_was_met_is_still_seen_when_its_level_is_left() {
    let mut world = World::level(Critical, "2026-11-20T08:00:00Z");
    world.look("2026-11-20T08:00:00Z");
    world.says("freeze-announcement-20261120-0800", "dana", "2026-11-20T08:10:00Z", "Passed");
    world.look("2026-11-20T08:11:00Z");
    world.goes(Healthy, "2026-11-20T09:00:00Z");
    let met: Vec<_> = world.look("2026-11-20T09:00:00Z").into_iter().filter(|one| one.state == Met).collect();
    assert_eq!(names(&met), ["freeze-announcement-20261120-0800"]);
}

/// A status has room for so many, in full or by name.
#[test]
fn as_many_are_remembered_as_a_status_has_room_for() {
    let one = World::level(Warning, "2026-11-20T08:00:00Z").look("2026-11-20T08:00:00Z").remove(0);
    let many = vec![one; 400];
    let (full, by_name) = shown(&many);
    assert_eq!((full.len(), by_name.len(), remembered(&many).len()), (48, 256, 304));
}

#[rstest]
#[case::within_a_day("2026-11-21T08:30:00Z", REVIEW)]
#[case::a_day_later("2026-11-21T09:00:00Z", "incident-review-20261121-0900")]
#[case::later("2026-11-21T09:30:00Z", "incident-review-20261121-0930")]
fn who_comes_back_to_a_level_within_a_day_owes_nothing_new(#[case] again: &str, #[case] expected: &str) {
    let mut world = World::level(Critical, "2026-11-20T08:00:00Z");
    world.goes(Warning, "2026-11-20T09:00:00Z");
    world.goes(Critical, again);
    let reviews = world.look(again);
    let new = reviews.iter().filter(|one| one.kind == "incident-review").max_by_key(|one| one.since).unwrap();
    assert_eq!(new.name, expected);
}

fn record(name: &str, status: serde_json::Value) -> Option<RecordFacts> {
    record_by("", name, status)
}

fn record_by(changed_by: &str, name: &str, status: serde_json::Value) -> Option<RecordFacts> {
    let spec: ReleaseRecordSpec = serde_json::from_value(json!({
        "release": "web", "attempt": 7, "workloadUid": "u", "revision": "abc", "changedBy": changed_by,
        "change": {"reference": "git:1", "type": "Feature"}, "riskBudget": "web",
    }))
    .unwrap();
    let mut whole = json!({"phase": "Complete", "phaseSince": "2026-11-20T08:00:00Z"});
    json_patch::merge(&mut whole, &status);
    let status: ReleaseRecordStatus = serde_json::from_value(whole).unwrap();
    RecordFacts::of(name, &spec, &status)
}

fn charge(exception: bool) -> serde_json::Value {
    json!({"sequence": 1, "points": 9, "at": "2026-11-20T07:00:00Z", "exception": exception})
}

fn log(trigger: &str) -> serde_json::Value {
    json!({"trigger": trigger, "value": "20 %", "threshold": "1 %", "at": "2026-11-20T07:30:00Z", "phase": "Release", "fromWeight": 5, "trafficTo": "web"})
}

fn assessed(exception: &str) -> serde_json::Value {
    json!({"points": 6, "score": "6 RP", "gate": "G2", "why": "6 RP → G2", "band": "Red", "riskClass": "Medium", "exception": exception})
}

/// `000_…` §7; `002_…`, Guardrails; `003_…`, Module 6.
#[rstest]
#[case::released(json!({"charge": charge(false), "outcome": "Succeeded", "endedAt": "2026-11-20T08:00:00Z"}), &[])]
#[case::came_back(json!({"charge": charge(false), "rollback": log("ErrorRate"), "outcome": "RolledBack", "endedAt": "2026-11-20T08:00:00Z"}), &["post-mortem"])]
#[case::came_back_from_nobody(json!({"rollback": log("NotReady"), "outcome": "RolledBack", "endedAt": "2026-11-20T08:00:00Z"}), &[])]
#[case::replaced(json!({"charge": charge(false), "rollback": log("Superseded"), "outcome": "Superseded", "endedAt": "2026-11-20T08:00:00Z"}), &[])]
#[case::not_withdrawn(json!({"charge": charge(false), "outcome": "NotWithdrawn", "endedAt": "2026-11-20T08:00:00Z"}), &["post-mortem"])]
#[case::not_withdrawn_for_what_was_measured(json!({"charge": charge(false), "rollback": log("Latency"), "outcome": "NotWithdrawn", "endedAt": "2026-11-20T08:00:00Z"}), &["post-mortem"])]
#[case::not_withdrawn_and_nothing_hurt(json!({"charge": charge(false), "rollback": log("Deleted"), "outcome": "NotWithdrawn", "endedAt": "2026-11-20T08:00:00Z"}), &[])]
#[case::exception(json!({"charge": charge(true), "assessment": assessed("legal-deadline")}), &["exception-follow-up", "post-mortem"])]
#[case::exception_that_came_back(json!({"charge": charge(true), "assessment": assessed("legal-deadline"), "rollback": log("Latency")}), &["exception-follow-up", "post-mortem"])]
#[case::past_its_budget_without_a_gate(json!({"charge": charge(true), "assessment": assessed("Red blocks it"), "outcome": "Charged", "endedAt": "2026-11-20T08:00:00Z"}), &["override-approval", "exception-follow-up", "post-mortem"])]
#[case::resumed_by_hand(json!({"charge": charge(true), "outcome": "Bypassed", "endedAt": "2026-11-20T08:00:00Z", "summary": "Runs ungated, resumed by bob while it was held."}), &["override-rationale", "override-approval", "exception-follow-up", "post-mortem"])]
#[case::budget_not_known(json!({"outcome": "Bypassed", "endedAt": "2026-11-20T08:00:00Z"}), &["override-rationale", "override-approval", "exception-follow-up", "post-mortem"])]
#[case::first_revision(json!({"outcome": "Bootstrap", "endedAt": "2026-11-20T08:00:00Z"}), &[])]
fn a_record_demands(#[case] status: serde_json::Value, #[case] kinds: &[&str]) {
    let mut world = World::new();
    world.records.extend(record("web-0007", status));
    let all = world.look("2026-11-20T09:00:00Z");
    let wanted: Vec<String> = kinds.iter().map(|kind| format!("{kind}-web-0007")).collect();
    assert_eq!(
        names(&all).into_iter().collect::<std::collections::BTreeSet<_>>(),
        wanted.iter().map(String::as_str).collect()
    );
    for one in &all {
        let wanted = if one.kind.starts_with("override-") { "2026-11-24T00:00:00Z" } else { "2026-11-28T00:00:00Z" };
        assert_eq!(one.due, at(wanted), "{}", one.name);
    }
}

#[test]
fn who_resumed_by_hand_is_named_where_they_are_asked_why() {
    let summary = "Runs ungated, resumed by bob while it was held. It is the stable revision from now on.";
    let status = json!({"outcome": "Bypassed", "endedAt": "2026-11-20T08:00:00Z", "summary": summary});
    let mut world = World::new();
    world.records.extend(record("web-0007", status));
    let all = world.look("2026-11-20T09:00:00Z");
    assert_eq!(
        all.iter().find(|one| one.kind == "override-rationale").unwrap().about,
        "Feature git:1 (web-0007) ran past the gate: Runs ungated, resumed by bob while it was held. It is the stable revision from now on"
    );
}

#[test]
fn what_is_owed_for_a_record_stays_owed_when_the_record_is_gone() {
    let mut world = World::new();
    world.records.extend(record("web-0007", json!({"charge": charge(false), "rollback": log("ErrorRate")})));
    world.look("2026-11-20T09:00:00Z");
    world.records.clear();
    assert_eq!(rows(&world.look("2026-12-20T09:00:00Z")), ["post-mortem-web-0007 Overdue 2026-11-28T00:00:00Z"]);
}

#[test]
fn what_happens_to_a_record_later_moves_no_deadline() {
    let mut world = World::new();
    let back = json!({"charge": charge(false), "rollback": log("ErrorRate")});
    world.records.extend(record("web-0007", back.clone()));
    let first = world.look("2026-11-20T09:00:00Z");
    world.records.clear();
    let mut bypassed = back;
    json_patch::merge(&mut bypassed, &json!({"outcome": "Bypassed", "endedAt": "2026-11-24T08:00:00Z"}));
    world.records.extend(record("web-0007", bypassed));
    let then = world.look("2026-11-24T09:00:00Z");
    let post_mortem = then.iter().find(|one| one.kind == "post-mortem").unwrap();
    assert_eq!((post_mortem.since, post_mortem.due), (first[0].since, first[0].due));
    assert_eq!(then.len(), 4);
}

#[test]
fn a_tightened_window_is_reviewed_once_since_it_was_first_seen() {
    let mut world = World::new();
    world.tightened = Some(("2026-11", "Tightened: one gate level more (000 §7): 2 exceptions."));
    let first = world.look("2026-11-20T09:00:00Z");
    assert_eq!(rows(&first), ["tightening-review-2026-11 Due 2026-11-28T00:00:00Z"]);
    assert_eq!(world.look("2026-11-24T09:00:00Z"), first);
    world.tightened = None;
    assert_eq!(world.look("2026-11-25T09:00:00Z"), vec![]);
}

/// `000_…` §9; `001_…`, Weekly Review.
#[test]
fn regular_reviews_are_asked_for_where_the_service_wants_them() {
    let mut world = World::new();
    assert_eq!(world.look("2026-11-20T09:00:00Z"), vec![]);
    world.rules.regular_reviews = true;
    world.look("2026-11-20T09:00:00Z");
    let expected = ["weekly-review Due 2026-11-23T10:00:00Z", "monthly-review Due 2026-12-01T00:00:00Z"];
    assert_eq!(rows(&world.look("2026-11-20T12:00:00Z")), expected);
    world.says("weekly-review", "pm", "2026-11-23T09:30:00Z", "Passed");
    for now in ["2026-11-23T12:00:00Z", "2026-11-24T12:00:00Z"] {
        let expected = ["weekly-review Due 2026-11-30T10:00:00Z", "monthly-review Due 2026-12-01T00:00:00Z"];
        assert_eq!(rows(&world.look(now)), expected);
    }
}

#[test]
fn what_is_waived_is_not_owed_until_the_waiver_ends() {
    let mut world = World::level(Warning, "2026-11-20T08:00:00Z");
    world.rules = serde_json::from_value(json!({"waived": [
        {"name": "daily-review", "reason": "one person, no meeting", "until": "2026-11-21T00:00:00Z"}]}))
    .unwrap();
    assert_eq!(world.look("2026-11-20T09:00:00Z"), vec![]);
    assert_eq!(names(&world.look("2026-11-21T00:00:00Z")), ["daily-review"]);
}

#[test]
fn the_next_deadline_wakes() {
    let mut world = World::level(Emergency, "2026-11-20T08:00:00Z");
    let all = world.look("2026-11-20T08:20:00Z");
    assert_eq!(next_change(&all, at("2026-11-20T08:20:00Z")), Some(at("2026-11-20T09:00:00Z")));
    assert_eq!(next_change(&all, at("2026-11-20T09:00:00Z")), Some(at("2026-11-20T10:00:00Z")));
    assert_eq!(next_change(&[], at("2026-11-20T08:20:00Z")), None);
}

/// What several events demand is told by its source.
#[rstest]
#[case::an_override("002, Guardrails; 000 §4", "002, Guardrails; 000 §4")]
#[case::a_rollback("003, Module 6; 002, Rollback log", "003, Module 6; 002, Rollback log")]
#[case::of_an_older_version("000", "002, Guardrails; 000 §4")]
fn a_post_mortem_is_told_by_what_it_arose_from(#[case] source: &str, #[case] expected: &str) {
    assert_eq!(Demand::told("post-mortem", source).unwrap().source, expected);
}

#[test]
fn what_was_met_is_shown_once_and_for_a_week() {
    let mut world = World::level(Critical, "2026-11-20T08:00:00Z");
    world.says(REVIEW, "dana", "2026-11-20T09:00:00Z", "Passed");
    let first = world.look("2026-11-20T09:30:00Z");
    assert_eq!(names(&first).iter().filter(|name| **name == REVIEW).count(), 1);
    assert_eq!(world.look("2026-11-20T09:30:00Z"), first);
    world.goes(Healthy, "2026-11-20T10:00:00Z");
    world.goes(Healthy, "2026-11-22T10:00:00Z");
    let shown = |world: &mut World, now: &str| names(&world.look(now)).contains(&REVIEW);
    assert!(shown(&mut world, "2026-11-22T10:00:00Z"), "the level is forgotten, what was met is not");
    assert!(shown(&mut world, "2026-11-27T08:59:59Z"));
    assert!(!shown(&mut world, "2026-11-27T09:00:00Z"));
}

/// Time alone meets nothing. What is longer ago demands nothing new: nobody knows whether it was met.
#[test]
fn what_was_told_stays_owed_and_what_is_found_after_three_months_does_not_begin_to_be() {
    let mut world = World::new();
    world.records.push(RecordFacts {
        record: "web-0007".to_owned(),
        exception: None,
        bypass: None,
        unapproved: None,
        rollback: Some(Cause { at: at("2026-08-01T08:00:00Z"), about: "it".to_owned() }),
        people: vec![],
        knows_author: true,
    });
    assert_eq!(world.look("2026-11-01T08:00:00Z"), vec![]);
    let told = world.look("2026-11-01T07:59:59Z");
    assert_eq!(rows(&told), ["post-mortem-web-0007 Overdue 2026-08-08T00:00:00Z"]);
    assert_eq!(world.look("2026-11-01T08:00:00Z"), told);
    world.records.clear();
    assert_eq!(world.look("2027-11-01T08:00:00Z"), told);
    world.says("post-mortem-web-0007", "dana", "2027-11-01T09:00:00Z", "Passed");
    assert_eq!(world.look("2027-11-01T10:00:00Z")[0].state, Met);
    assert_eq!(world.look("2027-11-09T10:00:00Z"), vec![]);
}

/// `001_…`, Emergency, Every 6 hours: an update that does not stand any more is owed by the time before.
#[rstest]
#[case::given(&[("eve", "12:00", "Passed")], "18:00")]
#[case::taken_back(&[("eve", "12:00", "Passed"), ("eve", "12:30", "Withdrawn")], "14:00")]
#[case::taken_back_at_once(&[("eve", "12:00", "Passed"), ("eve", "12:00", "Withdrawn")], "14:00")]
#[case::another_takes_theirs_back(&[("eve", "12:00", "Passed"), ("sam", "12:30", "Withdrawn")], "18:00")]
#[case::contradicted(&[("eve", "12:00", "Passed"), ("sam", "12:30", "Failed")], "14:00")]
#[case::contradicted_before(&[("sam", "11:30", "Failed"), ("eve", "12:00", "Passed")], "18:00")]
fn an_update_counts_while_it_stands(#[case] said: &[(&str, &str, &str)], #[case] due: &str) {
    let mut world = World::level(Emergency, "2026-11-20T08:00:00Z");
    for (author, time, outcome) in said {
        world.says("executive-update", author, &format!("2026-11-20T{time}:00Z"), outcome);
    }
    let all = world.look("2026-11-20T13:00:00Z");
    let update = all.iter().find(|one| one.name == "executive-update").unwrap();
    assert_eq!(update.due, at(&format!("2026-11-20T{due}:00Z")));
}

proptest! {
    /// However much happened: bounded, each name once, overdue first and by deadline, and the same at the next look.
    #[test]
    fn the_list_is_bounded_and_the_worst_comes_first(
        records in proptest::collection::vec((0_i64..4_000_000, any::<bool>(), any::<bool>()), 0..80),
        level in super::status(),
        regular in any::<bool>(),
    ) {
        let now = at("2026-11-20T08:00:00Z");
        let mut world = World::level(level, "2026-11-20T07:00:00Z");
        world.rules.regular_reviews = regular;
        for (number, (ago, bypassed, back)) in records.into_iter().enumerate() {
            let since = Time(jiff::Timestamp::from_second(now.0.as_second() - ago).unwrap());
            let cause = |happened: bool| happened.then(|| Cause { at: since, about: "it".to_owned() });
            world.records.push(RecordFacts {
                record: format!("web-{number:04}"),
                exception: cause(bypassed),
                bypass: cause(bypassed),
                unapproved: cause(bypassed),
                rollback: cause(back),
                people: vec![],
                knows_author: true,
            });
        }
        let all = world.look("2026-11-20T08:00:00Z");
        let names: std::collections::BTreeSet<&str> = all.iter().map(|one| one.name.as_str()).collect();
        prop_assert_eq!(names.len(), all.len());
        prop_assert!(all.windows(2).all(|two| (two[0].state, two[0].due) <= (two[1].state, two[1].due)));
        prop_assert!(all.iter().all(|one| (one.state == Overdue) == (one.due <= now)));
        prop_assert!(all.iter().all(|one| one.name.len() <= 128 && one.since <= one.due));
        let again = world.look("2026-11-20T08:00:00Z");
        prop_assert_eq!(again, all);
    }
}

/// A window of a week lets records go soon: what was met for one that is gone can be taken back all the same.
#[test]
fn what_was_met_for_a_record_that_is_gone_is_owed_again_when_that_is_taken_back() {
    let mut world = World::new();
    let cause = Some(Cause { at: at("2026-11-20T08:00:00Z"), about: "it came back".to_owned() });
    let facts = RecordFacts {
        record: "web-0007".into(),
        exception: None,
        bypass: None,
        unapproved: None,
        rollback: cause,
        people: vec![],
        knows_author: true,
    };
    world.records.push(facts);
    let name = "post-mortem-web-0007";
    assert_eq!(world.look("2026-11-20T09:00:00Z")[0].record.as_deref(), Some("web-0007"));
    world.says(name, "dana", "2026-11-20T10:00:00Z", "Passed");
    assert_eq!(world.look("2026-11-20T10:01:00Z")[0].state, Met);
    world.records.clear();
    assert_eq!(world.look("2026-11-20T10:02:00Z")[0].state, Met);
    world.says(name, "dana", "2026-11-20T11:00:00Z", "Withdrawn");
    let again = world.look("2026-11-20T11:01:00Z");
    assert_eq!(rows(&again), ["post-mortem-web-0007 Due 2026-11-28T00:00:00Z"]);
    assert_eq!((again[0].about.as_str(), again[0].record.as_deref()), ("it came back", Some("web-0007")));
}
