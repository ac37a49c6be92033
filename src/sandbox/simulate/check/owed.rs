//! What people owe: it arises with what happened, is late by the clock, is met by an attestation, and is not forgotten.

use serde_json::Value;

use super::{Checkers, NAME, NAMESPACE, Rule, Seen, items, text, time};
use crate::api::Span;
use crate::cluster::kind::{ATTESTATION, RELEASE_RECORD};

/// How long after a record was closed its obligations may still be missing, while nothing fails.
const NOTICED_WITHIN: Span = Span::minutes(2);
/// What ends with the level that demanded it, or renews.
const WHILE_IT_LASTS: [&str; 8] = [
    "freeze-announcement",
    "emergency-announcement",
    "daily-review",
    "daily-standup",
    "executive-update",
    "tightening-review",
    "weekly-review",
    "monthly-review",
];
/// As many as a status shows.
const SHOWN: usize = 48;

pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let place = "/status/obligations";
    let (old, new) = (items(seen.before.unwrap_or(&Value::Null), place), items(after, place));
    let mut wrong = Vec::new();
    for one in new {
        let name = text(one, "/name").unwrap_or_default();
        let (state, due) = (text(one, "/state").unwrap_or_default(), time(one, "/due"));
        if state == "Overdue" && due.is_none_or(|due| due > seen.now) {
            wrong.push(format!("{name} is overdue before its time"));
        }
        if state == "Met"
            && let Some(why) = unmet(seen, one)
        {
            wrong.push(format!("{name} is shown as met, {why}"));
        }
        if let Some(says) = untimely(seen, one).filter(|_| !anew(checkers, one)) {
            wrong.push(format!("{name} {says}"));
        }
        let stood = old.iter().find(|stood| text(stood, "/name") == Some(name) && !passes(stood));
        if stood.is_some_and(|stood| stood["since"] != one["since"] || stood["due"] != one["due"]) {
            wrong.push(format!("{name} is due at another time than before"));
        }
    }
    let stays = |name: &str| new.iter().any(|one| text(one, "/name") == Some(name));
    for one in old.iter().filter(|one| text(one, "/state") != Some("Met") && !passes(one)) {
        let name = text(one, "/name").unwrap_or_default();
        if new.len() < SHOWN && !stays(name) {
            wrong.push(format!("{name} was owed, nobody met it, and it is gone"));
        }
    }
    let calm = checkers.circumstances.calm_since.is_some_and(|since| seen.now.since(since) > NOTICED_WITHIN);
    let records = seen.objects.list(&RELEASE_RECORD, NAMESPACE).into_iter();
    let ours = records.filter(|record| text(record, "/spec/riskBudget") == Some(NAME));
    for record in ours.filter(|_| calm && new.len() < SHOWN) {
        let ended = time(record, "/status/endedAt").is_some_and(|at| seen.now.since(at) > NOTICED_WITHIN);
        let past = text(record, "/status/outcome") == Some("Bypassed");
        let name = text(record, "/metadata/name").unwrap_or_default();
        if ended && past && !stays(&format!("post-mortem-{name}")) {
            wrong.push(format!("{name} ran past the gate and nobody owes a post-mortem"));
        }
    }
    for says in wrong {
        checkers.violated(Rule::ObligationWrong, seen.now, says);
    }
}

/// Whether it ends without having been met.
fn passes(one: &Value) -> bool {
    WHILE_IT_LASTS.contains(&text(one, "/type").unwrap_or_default())
}

/// Why nobody met it although it is told so.
fn unmet(seen: &Seen<'_>, one: &Value) -> Option<&'static str> {
    let name = text(one, "/met/attestation").unwrap_or_default();
    let Some(attestation) = seen.objects.get(&ATTESTATION, NAMESPACE, name) else {
        return Some("by an attestation that does not exist");
    };
    let author = text(attestation, "/spec/author").unwrap_or_default();
    let about = text(attestation, "/spec/releaseRef/kind") == Some("RiskBudget")
        && text(attestation, "/spec/releaseRef/name") == Some(NAME)
        && text(attestation, "/spec/revision") == text(one, "/name")
        && match text(one, "/type") {
            // An agreement that a document demands is an approval, not somebody's word that there was one.
            Some("override-approval") => {
                text(attestation, "/spec/type") == Some("approval")
                    && text(attestation, "/spec/role") == Some("vp-engineering")
            }
            kind => text(attestation, "/spec/type") == kind,
        };
    let record = text(one, "/record").and_then(|name| seen.objects.get(&RELEASE_RECORD, NAMESPACE, name));
    let own = |place: &str| record.and_then(|record| text(record, place)) == Some(author);
    let made = record.is_some_and(|record| {
        let names = items(record, "/status/assessment/authors/names");
        names.iter().any(|name| name.as_str() == Some(author))
    });
    let own = made || own("/spec/changedBy") || own("/status/resumedBy");
    let own = text(one, "/type") == Some("override-approval") && own;
    let said = text(attestation, "/spec/outcome").unwrap_or("Passed") == "Passed";
    match (about, said && text(one, "/met/by") == Some(author), author.starts_with("system:")) {
        (false, ..) => Some("by an attestation about something else"),
        (true, false, _) => Some("by somebody who does not say so"),
        (true, true, true) => Some("by a machine"),
        (true, true, false) if own => Some("by who changed it or let it go"),
        (true, true, false) => None,
    }
}

/// Whether the record it is about was deleted since, and so may be one that was made anew: what is owed is about the first.
fn anew(checkers: &Checkers, one: &Value) -> bool {
    let about = text(one, "/record").unwrap_or_default();
    let deleted = |key: &String| key.starts_with(&format!("{about}, number ")) && key.ends_with(", deleted");
    !about.is_empty() && checkers.charges.keys().any(deleted)
}

/// How many business days there are for what is owed because of a record (`000_…` §7; `003_…`, Module 6).
fn days(kind: &str) -> Option<u32> {
    match kind {
        "post-mortem" | "exception-follow-up" => Some(5),
        "override-rationale" | "override-approval" => Some(1),
        _ => None,
    }
}

/// What is wrong with the times of what is owed because of a record, by the record.
fn untimely(seen: &Seen<'_>, one: &Value) -> Option<String> {
    let kind = text(one, "/type")?;
    let days = days(kind)?;
    let of = text(one, "/name")?.strip_prefix(kind)?.strip_prefix('-')?;
    let record = seen.objects.get(&RELEASE_RECORD, NAMESPACE, of)?;
    let (since, due) = (time(one, "/since")?, time(one, "/due")?);
    let moments = ["/status/endedAt", "/status/charge/at", "/status/rollback/at"];
    if !moments.iter().any(|moment| time(record, moment) == Some(since)) {
        return Some(format!("is owed since {}, when nothing happened to {of}", since.clock()));
    }
    // The end of the so many-th day from Monday to Friday after the one on which it arose.
    let mut day = since.0.to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut left = days;
    while left > 0 {
        day = day.tomorrow().ok()?;
        left -= u32::from(day.weekday().to_monday_zero_offset() < 5);
    }
    let by = day.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    (due.0 != by).then(|| format!("is due {}, and {days} business days end {}", due.0, by))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Time;
    use crate::cluster::kind::RISK_BUDGET;
    use crate::sandbox::simulate::check::tests::Kept;
    use rstest::rstest;
    use serde_json::json;

    fn at(text: &str) -> Time {
        Time(text.parse().unwrap())
    }

    fn met(attestation: &str, by: &str) -> Value {
        json!({"met": {"attestation": attestation, "by": by}})
    }

    fn owed(state: &str, more: Value) -> Value {
        let mut one = json!({"name": "post-mortem-web-0002", "type": "post-mortem", "state": state,
            "since": "2026-01-01T10:00:00Z", "due": "2026-01-09T00:00:00Z"});
        json_patch::merge(&mut one, &more);
        one
    }

    #[rstest]
    #[case::arises(json!([]), json!([owed("Due", json!({}))]), None)]
    #[case::is_late(json!([owed("Due", json!({}))]), json!([owed("Overdue", json!({}))]), None)]
    #[case::is_late_too_soon(json!([]), json!([owed("Overdue", json!({"due": "2026-01-11T00:00:00Z"}))]), Some("post-mortem-web-0002 is overdue before its time"))]
    #[case::moves(json!([owed("Due", json!({"due": "2026-01-08T00:00:00Z"}))]), json!([owed("Due", json!({}))]), Some("is due at another time"))]
    #[case::is_due_too_late(json!([]), json!([owed("Due", json!({"due": "2026-01-10T00:00:00Z"}))]), Some("5 business days end 2026-01-09T00:00:00Z"))]
    #[case::arises_from_nothing(json!([]), json!([owed("Due", json!({"since": "2026-01-01T10:00:01Z"}))]), Some("when nothing happened to web-0002"))]
    #[case::is_met(json!([owed("Due", json!({}))]), json!([owed("Met", met("a", "dana"))]), None)]
    #[case::is_met_by_nothing(json!([owed("Due", json!({}))]), json!([owed("Met", met("z", "dana"))]), Some("does not exist"))]
    #[case::is_met_by_another(json!([]), json!([owed("Met", met("a", "sam"))]), Some("who does not say so"))]
    #[case::is_met_by_who_took_it_back(json!([]), json!([owed("Met", met("b", "dana"))]), Some("who does not say so"))]
    #[case::is_met_astray(json!([]), json!([owed("Met", met("c", "dana"))]), Some("about something else"))]
    #[case::is_met_by_a_machine(json!([]), json!([owed("Met", met("d", "system:serviceaccount:ci:ci"))]), Some("by a machine"))]
    #[case::is_forgotten(json!([owed("Overdue", json!({}))]), json!([]), Some("was owed, nobody met it, and it is gone"))]
    #[case::was_met(json!([owed("Met", json!({}))]), json!([owed("Due", json!({}))]), None)]
    #[case::ends_with_its_level(json!([owed("Due", json!({"type": "daily-review"}))]), json!([owed("Due", json!({}))]), None)]
    #[case::never_arises(json!([]), json!([]), Some("web-0002 ran past the gate and nobody owes a post-mortem"))]
    fn an_obligation_is_honest(#[case] before: Value, #[case] after: Value, #[case] expected: Option<&str>) {
        let says = |name: &str, about: &str, author: &str, outcome: &str| {
            let spec = json!({"releaseRef": {"kind": "RiskBudget", "name": "web"}, "type": "post-mortem",
                "revision": about, "author": author, "outcome": outcome});
            (ATTESTATION, json!({"metadata": {"name": name}, "spec": spec}))
        };
        let objects = Kept(vec![
            says("a", "post-mortem-web-0002", "dana", "Passed"),
            says("b", "post-mortem-web-0002", "dana", "Withdrawn"),
            says("c", "post-mortem-web-0001", "dana", "Passed"),
            says("d", "post-mortem-web-0002", "system:serviceaccount:ci:ci", "Passed"),
            (
                RELEASE_RECORD,
                json!({"metadata": {"name": "web-0002"}, "spec": {"riskBudget": "web"}, "status": {"outcome": "Bypassed", "endedAt": "2026-01-01T10:00:00Z"}}),
            ),
        ]);
        let mut checkers = Checkers::default();
        checkers.circumstances.calm_since = Some(at("2026-01-01T09:00:00Z"));
        let (before, after) = (json!({"status": {"obligations": before}}), json!({"status": {"obligations": after}}));
        let seen = Seen {
            kind: &RISK_BUDGET,
            namespace: NAMESPACE,
            name: "web",
            before: Some(&before),
            after: Some(&after),
            process: Some(0),
            objects: &objects,
            now: at("2026-01-10T12:00:00Z"),
        };
        checkers.see(&seen);
        let said = checkers.violations.first().map(|one| (one.rule, one.says.as_str()));
        match (said, expected) {
            (None, None) => {}
            (Some((Rule::ObligationWrong, says)), Some(expected)) => assert!(says.contains(expected), "{says}"),
            (said, expected) => panic!("{said:?}, {expected:?}"),
        }
    }
}
