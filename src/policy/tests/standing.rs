use jiff::tz::TimeZone;
use serde_json::json;

use crate::api::condition::{Condition, Truth};
use crate::api::{RiskBudgetSpec, RiskBudgetStatus, Span, Time};
use crate::policy::burn::Present;
use crate::policy::message::{News, UnknownWaivers, owed_condition};
use crate::policy::obligation::facts::Cause;
use crate::policy::obligation::{Demand, RecordFacts, SHOWN_MAX, Said};
use crate::policy::requirement::Claim;
use crate::policy::requirement::document::Field;
use crate::policy::standing::{Seen, Standing, asks, stand};
use crate::policy::{Remaining, budget_status};

fn at(text: &str) -> Time {
    Time(format!("2026-11-{text}:00Z").parse().unwrap())
}

/// One budget, looked at again and again.
struct World {
    spec: RiskBudgetSpec,
    status: RiskBudgetStatus,
    said: Vec<Said>,
    records: Vec<RecordFacts>,
    /// What tightened the window of risk points.
    tightened_by: Vec<&'static str>,
    /// How fast the error budget goes at present.
    present: Option<Present>,
    /// What of it is too fast.
    burn: serde_json::Value,
}

impl World {
    fn new() -> Self {
        let spec = json!({"tier": 2, "slos": [{"name": "availability", "objective": 99.5, "availability": {"service": "web"}}]});
        Self {
            spec: serde_json::from_value(spec).unwrap(),
            status: RiskBudgetStatus::default(),
            said: vec![],
            records: vec![],
            tightened_by: vec![],
            present: None,
            burn: json!(null),
        }
    }

    /// A look that measures so many percent; what it finds is written.
    fn look(&mut self, time: &str, percent: f64) -> Standing {
        let now = at(time);
        let own = budget_status(Remaining::from_percent(percent).unwrap());
        let status = crate::policy::budget::with_freeze(own, self.spec.freeze.as_ref(), now);
        let measured: RiskBudgetStatus = serde_json::from_value(json!({"errorBudget": {
            "status": status, "remainingPercent": percent, "decidedBy": "availability", "coveragePercent": 100,
            "slos": [{"name": "availability", "remainingPercent": percent, "burn": self.burn}]},
            "risk": {"window": "2026-11", "from": at("01T00:00"), "until": at("30T00:00"), "allocated": 80, "consumed": 0, "sequence": 0,
                "reserved": 0, "remaining": 80, "remainingPercent": 100, "band": "Green", "releases": 0, "exceptions": 0,
                "tightenedBy": self.tightened_by, "adjustments": ["Two exceptions in a row."]}}))
        .unwrap();
        let seen = Seen {
            namespace: "shop",
            name: "web",
            spec: &self.spec,
            zone: &TimeZone::UTC,
            before: &self.status,
            now: &measured,
            records: Some(&self.records),
            said: &self.said,
            present: self.present,
        };
        let standing = stand(&seen, now);
        assert_eq!(asks(&seen, now), !standing.obligations.is_empty() || !self.status.obligations.is_empty());
        self.status = RiskBudgetStatus {
            course: standing.course.clone(),
            message: standing.message.clone(),
            obligations: standing.obligations.clone(),
            further_obligations: standing.further.clone(),
            conditions: standing.condition.clone().into_iter().collect(),
            ..measured
        };
        standing
    }

    fn meets(&mut self, obligation: &str, kind: &str, time: &str, facts: &[&str]) {
        let facts = facts.iter().map(|key| ((*key).to_owned(), "done".to_owned())).collect();
        let (at, author) = (at(time), "dana".to_owned());
        let claim = Claim {
            kind: kind.to_owned(),
            role: None,
            author,
            passed: true,
            withdrawn: false,
            at,
            until: None,
            facts,
            machine: false,
            about: None,
        };
        self.said.push(Said {
            attestation: format!("web-{kind}-x"),
            obligation: obligation.to_owned(),
            claim,
            unheard: String::new(),
        });
    }
}

fn reasons(news: &[News]) -> Vec<&str> {
    news.iter().map(|one| one.reason).collect()
}

#[test]
fn each_change_is_told_once() {
    let mut world = World::new();
    assert_eq!(reasons(&world.look("20T08:00", 72.0).news), Vec::<&str>::new());
    assert_eq!(world.status.conditions, vec![]);
    let fell = world.look("20T11:00", 18.0);
    assert_eq!(reasons(&fell.news), ["ErrorBudgetCritical", "ObligationDue"]);
    assert_eq!(fell.next, Some(at("20T11:15")));
    assert_eq!(fell.condition.map(|one| (one.status, one.reason)), Some((Truth::True, "Due".to_owned())));
    // Nothing happens: nothing is told, and nothing written.
    let before = world.status.clone();
    assert_eq!(world.look("20T11:10", 18.0).news, vec![]);
    assert_eq!(world.status, before);
    let late = world.look("20T11:15", 18.0);
    assert_eq!(reasons(&late.news), ["ObligationOverdue"]);
    assert_eq!(world.look("20T11:16", 18.0).news, vec![]);
    let facts = ["channel", "incident-commander", "war-room", "teams"];
    world.meets("freeze-announcement-20261120-1100", "freeze-announcement", "20T11:20", &facts);
    let met = world.look("20T11:21", 18.0);
    assert_eq!(reasons(&met.news), ["ObligationMet"]);
    assert_eq!(met.news[0].note, "Met: freeze-announcement-20261120-1100 by dana (web-freeze-announcement-x).");
    assert_eq!(met.condition.map(|one| (one.status, one.reason)), Some((Truth::True, "Due".to_owned())));
    assert_eq!(reasons(&world.look("20T11:30", 55.0).news), ["ErrorBudgetHealthy"]);
}

/// `000_…` §5.6, §7: only what tightens a window is reviewed, not every adjustment.
#[test]
fn a_window_that_was_tightened_is_reviewed() {
    let mut world = World::new();
    assert_eq!(world.look("20T08:00", 72.0).obligations, vec![]);
    world.tightened_by = vec!["RepeatedExceptions"];
    let names: Vec<_> = world.look("20T09:00", 72.0).obligations.into_iter().map(|one| (one.name, one.about)).collect();
    assert_eq!(names, [("tightening-review-2026-11".to_owned(), "Two exceptions in a row.".to_owned())]);
}

#[test]
fn an_update_that_renews_is_told_when_it_was_given_and_when_it_is_late() {
    let mut world = World::new();
    world.look("20T08:00", 7.0);
    world.look("20T13:00", 7.0);
    world.meets("executive-update", "executive-update", "20T13:30", &["status", "plan", "resources", "sent-to"]);
    let given = world.look("20T13:31", 7.0);
    assert_eq!(
        given.news,
        [News {
            warns: false,
            reason: "ObligationMet",
            note: "Met: executive-update by dana (web-executive-update-x), owed again by 20 Nov 19:30:00 UTC."
                .to_owned()
        }]
    );
    let late = world.look("20T19:30", 7.0);
    assert!(late.news.iter().any(|one| one.note.starts_with("Overdue:") && one.note.contains("executive-update by 20 Nov 19:30:00 UTC")), "{:?}", late.news);
}

#[test]
fn what_is_overdue_says_what_who_and_the_command() {
    let mut world = World::new();
    world.spec.obligations = serde_json::from_value(json!({"waived": [
        {"name": "freeze-announcement", "reason": "one team"}, {"name": "daily-review", "reason": "one team"}, {"name": "daily-standup", "reason": "one team"}]})).unwrap();
    world.look("20T08:00", 18.0);
    let late = world.look("20T10:00", 18.0);
    insta::assert_snapshot!(late.condition.unwrap().message, @r#"1 obligation is overdue: incident-review-20261120-0800 by 20 Nov 10:00:00 UTC, owed by service-owner or sre ("Within 2 hours: Incident review meeting", 001, Critical, Mandatory Actions): The error budget is Critical or worse. No release is held up by it. Say what was done: kubectl tidegate meet web -n shop incident-review-20261120-0800 --facts-file FILE; the form for it: --fields"#);
    let due = world.look("20T10:00", 18.0).next;
    assert_eq!(due, Some(at("21T08:00")));
}

#[test]
fn a_waiver_of_what_does_not_exist_is_told_with_field_value_and_remedy() {
    let mut world = World::new();
    world.spec.obligations = serde_json::from_value(json!({"waived": [{"name": "lunch", "reason": "late"}]})).unwrap();
    let told = world.look("20T08:00", 72.0).condition.unwrap();
    assert_eq!((told.status, told.reason.as_str()), (Truth::True, "UnknownWaiver"));
    assert!(
        told.message.starts_with(
            "spec.obligations.waived: no obligation is called lunch, and nothing is waived by it: write a type"
        ),
        "{}",
        told.message
    );
    world.look("20T08:01", 18.0);
    let late = world.look("20T08:30", 18.0).condition.unwrap();
    assert_eq!((late.status, late.reason.as_str()), (Truth::False, "Overdue"));
    assert!(late.message.contains("spec.obligations.waived"), "{}", late.message);
}

#[test]
fn a_waiver_of_a_requirement_that_does_not_exist_is_told_too() {
    let mut world = World::new();
    world.spec.requirements = serde_json::from_value(json!({"waived": [
        {"name": "pen-test", "reason": "no new endpoints"}, {"name": "manual-qa", "reason": "no testers"}]}))
    .unwrap();
    let told = world.look("20T08:00", 72.0).condition.unwrap();
    assert_eq!(
        (told.status, told.reason.as_str(), told.message.trim()),
        (
            Truth::True,
            "UnknownWaiver",
            "spec.requirements.waived: no requirement is called pen-test, and nothing is waived by it: write a name as tidegate requirements lists them, or take the line out."
        )
    );
    world.spec.requirements.waived.remove(0);
    assert_eq!(world.look("20T08:01", 72.0).condition, None);
}

/// `001_…`, the four example messages, with their figures.
#[test]
fn the_message_of_each_level() {
    let mut world = World::new();
    world.look("18T08:00", 72.0);
    insta::assert_snapshot!("healthy", world.status.message);
    world.look("18T12:00", 42.0);
    insta::assert_snapshot!("warning", world.status.message);
    world.look("20T08:00", 42.0);
    world.look("20T08:05", 18.0);
    world.look("20T12:00", 18.0);
    insta::assert_snapshot!("critical", world.status.message);
    for (time, percent) in [("20T15:30", 16.0), ("20T15:40", 14.0), ("20T19:45", 8.0), ("21T02:10", 7.0)] {
        world.look(time, percent);
    }
    insta::assert_snapshot!("emergency", world.status.message);
    world.look("21T03:00", -2.0);
    assert!(world.status.message.contains("It is spent: the objective is missed."), "{}", world.status.message);
}

#[test]
fn a_declared_freeze_is_told_and_demands_what_its_level_does() {
    let mut world = World::new();
    world.spec.freeze = Some(serde_json::from_value(json!({"status": "Critical", "reason": "Black Friday"})).unwrap());
    let frozen = world.look("20T08:00", 72.0);
    assert_eq!(reasons(&frozen.news), ["ErrorBudgetCritical", "ObligationDue"]);
    assert!(frozen.message.contains("Freeze declared: counts as CRITICAL until spec.freeze is removed: Black Friday."));
    assert!(frozen.obligations.iter().any(|one| one.kind == "incident-review"));
}

#[test]
fn while_nothing_is_measured_what_was_owed_stays_owed() {
    let mut world = World::new();
    world.look("20T08:00", 18.0);
    let seen = Seen {
        namespace: "shop",
        name: "web",
        spec: &world.spec,
        zone: &TimeZone::UTC,
        before: &world.status,
        now: &RiskBudgetStatus::default(),
        records: Some(&[]),
        said: &[],
        present: None,
    };
    let standing = stand(&seen, at("20T08:05"));
    assert_eq!((&standing.course, &standing.obligations), (&world.status.course, &world.status.obligations));
    assert_eq!(standing.message, world.status.message);
}

/// More than a status shows in full: all of it is told once, counted, woken for and kept, and each can be met.
#[test]
fn what_is_not_shown_in_full_is_owed_all_the_same() {
    let mut world = World::new();
    let back = |number: u32| {
        // The later ones are due later, and stand behind the others.
        let when = if number <= 48 { "20T08:00" } else { "24T08:00" };
        let cause = Cause { at: at(when), about: "it came back".to_owned() };
        RecordFacts {
            record: format!("web-{number:04}"),
            exception: None,
            bypass: None,
            unapproved: None,
            rollback: Some(cause),
            people: vec![],
            knows_author: true,
        }
    };
    world.records = (1..=60).map(back).collect();
    let first = world.look("24T09:00", 72.0);
    assert_eq!((first.obligations.len(), first.further.len(), first.all.len()), (SHOWN_MAX, 12, 60));
    assert_eq!(reasons(&first.news), ["ObligationDue"]);
    assert!(first.news[0].note.contains("; and 57 more ("), "{}", first.news[0].note);
    assert!(first.condition.unwrap().message.starts_with("Nothing is overdue; 60 owed, the next is "));
    assert!(first.all.iter().all(|one| one.record.is_some()));
    let before = world.status.clone();
    assert_eq!(world.look("24T09:01", 72.0).news, vec![], "told once");
    assert_eq!(world.status, before, "nothing is written while nothing changes");
    // Those that are shown are overdue: the next to change is one that is not.
    let late = world.look("28T00:00", 72.0);
    assert!(late.news[0].note.starts_with("Overdue: "), "{:?}", late.news);
    assert_eq!((late.next, late.next > Some(at("30T00:00"))), (late.all.last().map(|one| one.due), true));
    let beyond = late.further.last().unwrap().name.clone();
    let form = Demand::of_obligation(&beyond).unwrap().form;
    let facts: Vec<&str> = form.fields.iter().map(|field| field.key).collect();
    world.meets(&beyond, "post-mortem", "28T00:30", &facts);
    let met = world.look("28T00:31", 72.0);
    assert_eq!(reasons(&met.news), ["ObligationMet"]);
    assert!(met.news[0].note.contains(&beyond), "{}", met.news[0].note);
    // Records of short windows go: what was remembered stays owed, under its name.
    world.records.clear();
    let gone = world.look("28T00:32", 72.0);
    assert_eq!((gone.all.len(), gone.news), (60, vec![]));
}

/// Other conditions of the budget have moments of their own.
#[test]
fn a_condition_keeps_its_moment_until_it_changes() {
    let mut world = World::new();
    let due = world.look("20T08:00", 18.0).condition.unwrap();
    let other =
        |status| Condition { kind: "Measured".to_owned(), status, last_transition_time: at("19T08:00"), ..due.clone() };
    world.status.conditions.insert(0, other(Truth::True));
    assert_eq!(world.look("20T08:05", 18.0).condition.unwrap().last_transition_time, at("20T08:00"));
    world.status.conditions.insert(0, other(Truth::False));
    let overdue = world.look("20T08:15", 18.0).condition.unwrap();
    assert_eq!((overdue.status, overdue.last_transition_time), (Truth::False, at("20T08:15")));
}

#[test]
fn a_worse_level_warns_and_a_better_one_does_not() {
    let mut world = World::new();
    let mut warns = |time, percent| world.look(time, percent).news.first().map(|one| (one.reason, one.warns));
    assert_eq!(warns("20T08:00", 72.0), None);
    assert_eq!(warns("20T08:05", 18.0), Some(("ErrorBudgetCritical", true)));
    assert_eq!(warns("20T08:10", 42.0), Some(("ErrorBudgetWarning", false)));
}

#[test]
fn what_is_met_is_neither_demanded_any_more_nor_overdue() {
    let mut world = World::new();
    world.look("20T11:00", 18.0);
    assert!(world.status.message.contains("freeze-announcement by"), "{}", world.status.message);
    let facts = ["channel", "incident-commander", "war-room", "teams"];
    world.meets("freeze-announcement-20261120-1100", "freeze-announcement", "20T11:05", &facts);
    let met = world.look("20T11:10", 18.0);
    assert!(!met.message.contains("freeze-announcement by"), "{}", met.message);
    assert!(met.message.contains("incident-review by"), "{}", met.message);
    let done: Vec<_> = met.obligations.into_iter().filter(|one| one.met.is_some()).collect();
    let stands =
        owed_condition("web -n shop", &done, &UnknownWaivers::default()).map(|(status, reason, _)| (status, reason));
    assert_eq!((done.len(), stands), (1, Some((Truth::True, "Met"))));
    assert_eq!(owed_condition("web -n shop", &[], &UnknownWaivers::default()), None);
}

/// Whether it matters what was attested is asked before it is read: the answer does not hang on it.
#[test]
fn what_was_attested_matters_as_long_as_something_would_be_owed_without_it() {
    let world = World::new();
    let facts =
        |field: &Field| (field.key.to_owned(), field.check.words().map_or("done in 5 days", |all| all[0]).to_owned());
    let claim = Claim {
        kind: "post-mortem".to_owned(),
        role: None,
        author: "dana".to_owned(),
        passed: true,
        withdrawn: false,
        at: at("02T08:00"),
        until: None,
        facts: Demand::named("post-mortem").unwrap().form.fields.iter().map(facts).collect(),
        machine: false,
        about: None,
    };
    let rollback = Cause { at: at("01T08:00"), about: "it".to_owned() };
    let record = RecordFacts {
        record: "web-0007".to_owned(),
        exception: None,
        bypass: None,
        unapproved: None,
        rollback: Some(rollback),
        people: vec![],
        knows_author: true,
    };
    let seen = Seen {
        namespace: "shop",
        name: "web",
        spec: &world.spec,
        zone: &TimeZone::UTC,
        before: &RiskBudgetStatus::default(),
        now: &RiskBudgetStatus::default(),
        records: Some(&[record]),
        said: &[Said {
            attestation: "web-x".to_owned(),
            obligation: "post-mortem-web-0007".to_owned(),
            claim,
            unheard: String::new(),
        }],
        present: None,
    };
    assert_eq!(stand(&seen, at("20T08:00")).obligations, vec![], "met more than a week ago");
    assert!(asks(&seen, at("20T08:00")));
}

/// `001_…`, Critical, example message: "Projected Depletion: 3 days at current rate".
#[test]
fn the_message_projects_by_the_present_burn_and_tells_what_burns() {
    let mut world = World::new();
    let (over, window) = (Span::days(1), Span::days(30));
    world.present = Some(Present { rate: 3.46, over, longer: Some((0.8, window)), window });
    world.burn = json!({"level": "Ticket", "times": 3, "over": "1d", "stillOver": "2h"});
    let told = world.look("20T08:00", 30.0).message;
    for line in [
        "Burns: availability more than 3 times too fast over 1d and still over 2h (a ticket, which holds no release).",
        "As fast as over the last 1d (3.5 times what its window allows) it is spent by 23 Nov 00:00:00 UTC (low confidence: over 30d it went quite otherwise).",
    ] {
        assert!(told.lines().any(|one| one == line), "{told}");
    }
}
