//! Weights: their sum, what they may rise on, whom they reach, and how soon an abort is through.

use serde_json::Value;

use super::{Checkers, NAME, NAMESPACE, Rule, Seen, items, newest_record, number, text, time};
use crate::api::Span;
use crate::cluster::kind::{DEPLOYMENT, HTTP_ROUTE};

/// The canary's Deployment, Service and PodDisruptionBudget.
pub const CANARY: &str = "web-canary";
/// Those of the previous version.
pub const PREVIOUS: &str = "web-previous";

/// The weight of a backend in the route: the largest of any rule; none where no rule names it.
pub(super) fn weight(route: &Value, backend: &str) -> Option<u64> {
    let rules = items(route, "/spec/rules").iter();
    let refs = rules.flat_map(|rule| items(rule, "/backendRefs")).filter(|one| one["name"] == backend);
    refs.map(|one| one.get("weight").and_then(Value::as_u64).unwrap_or(1)).max()
}

pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let Some(after) = seen.after else { return };
    if seen.process.is_none() {
        return;
    }
    sums(checkers, seen, after);
    let rises = |backend: &str| {
        let now = weight(after, backend).unwrap_or(0);
        (now > seen.before.and_then(|before| weight(before, backend)).unwrap_or(0)).then_some(now)
    };
    for backend in [CANARY, PREVIOUS] {
        if let Some(now) = rises(backend)
            && !checkers.lately_ready(seen, backend)
        {
            checkers.violated(
                Rule::TrafficToNobody,
                seen.now,
                format!("{backend} gets {now} % and has no ready endpoint"),
            );
        }
    }
    home(checkers, seen, after);
    super::ledger::weight_of_workload(checkers, seen, rises(NAME));
    if let Some(now) = rises(CANARY) {
        rise(checkers, seen, now);
        super::around::rises(checkers, seen);
        super::network::rises(checkers, seen);
        super::lost::rises(checkers, seen, now);
        super::ledger::exposed(checkers, seen, &format!("{CANARY} gets {now} %"));
    }
}

/// All traffic goes home, from somebody who answers to nobody. A workload that is to have no pods has none.
fn home(checkers: &mut Checkers, seen: &Seen<'_>, after: &Value) {
    let Some(before) = seen.before else { return };
    let had = |backend: &str| weight(before, backend).unwrap_or(0) > 0;
    let rises = weight(after, NAME).unwrap_or(0) > weight(before, NAME).unwrap_or(0);
    let wanted = seen.objects.get(&DEPLOYMENT, NAMESPACE, NAME).map_or(1, |it| number(it, "/spec/replicas"));
    let answered = [CANARY, PREVIOUS].into_iter().find(|backend| had(backend) && checkers.ready_now(seen, backend));
    let release = super::release(seen.objects);
    let deleted = release.is_none_or(|it| !it["metadata"]["deletionTimestamp"].is_null());
    let detached = release.is_some_and(|it| !it["metadata"]["annotations"]["tidegate.io/detach"].is_null());
    let workload = seen.objects.get(&DEPLOYMENT, NAMESPACE, NAME);
    let gated = workload.is_some_and(|it| !it["metadata"]["labels"]["tidegate.io/gated"].is_null());
    // Who takes the release away is kept waiting for a while only.
    let taken = deleted || detached || !gated;
    if let Some(answered) = answered.filter(|_| rises && !taken && wanted > 0 && !checkers.lately_ready(seen, NAME)) {
        let says = format!("{NAME} gets the traffic of {answered}, and has no ready endpoint");
        checkers.violated(Rule::TrafficToNobody, seen.now, says);
    }
}

fn sums(checkers: &mut Checkers, seen: &Seen<'_>, route: &Value) {
    for rule in items(route, "/spec/rules") {
        let family = items(rule, "/backendRefs").iter().filter(|one| {
            [Some(NAME), Some(CANARY), Some(PREVIOUS)].contains(&one.get("name").and_then(Value::as_str))
        });
        let weights: Vec<_> = family.map(|one| one.get("weight").and_then(Value::as_u64).unwrap_or(1)).collect();
        if weights.len() > 1 && weights.iter().sum::<u64>() != 100 {
            checkers.violated(Rule::WeightsSum, seen.now, format!("weights {weights:?}"));
        }
    }
}

/// The canary's weight rises to `now`.
fn rise(checkers: &mut Checkers, seen: &Seen<'_>, now: u64) {
    let Some(record) = newest_record(seen.objects) else {
        return checkers.violated(Rule::WeightWithoutVerdict, seen.now, format!("{now} % without any record"));
    };
    let name = text(record, "/metadata/name").unwrap_or_default();
    let withdrawn = seen.before.is_some_and(|before| {
        text(before, "/metadata/annotations/tidegate.io~1withdrawn").is_some_and(|mark| mark.contains(name))
    });
    if withdrawn || record.pointer("/status/rollback").is_some_and(|log| !log.is_null()) {
        checkers.violated(Rule::WeightAfterAbort, seen.now, format!("{name} is being brought back; {now} %"));
    }
    if record.pointer("/status/outcome").is_some_and(|outcome| !outcome.is_null()) {
        checkers.violated(Rule::WeightWithoutVerdict, seen.now, format!("{name} is closed; {now} %"));
    }
    let stages = items(record, "/status/stages");
    let passed = stages.iter().take_while(|stage| text(stage, "/passedAt").is_some()).count();
    let allowed = stages.get(passed).or(stages.last()).map_or(0, |stage| number(stage, "/weight"));
    if now > allowed {
        let says = format!("{name}: {now} % with {passed} of {} stages passed, which allows {allowed} %", stages.len());
        checkers.violated(Rule::WeightWithoutVerdict, seen.now, says);
    }
    super::asked::rises(checkers, seen, record, now);
    breaker(checkers, seen, record, now);
    let canary = seen.objects.get(&DEPLOYMENT, NAMESPACE, CANARY);
    let runs = canary.and_then(|canary| text(canary, "/metadata/annotations/tidegate.io~1revision"));
    if runs != text(record, "/spec/revision") {
        let says = format!("{name} judges {:?}, the canary runs {runs:?}", text(record, "/spec/revision"));
        checkers.violated(Rule::WeightWithoutVerdict, seen.now, says);
    }
}

/// How long a breaker may be open before every look knows: an answer serves for 5 s, a look is due every 2 s.
const HEARD_WITHIN: Span = Span::seconds(10);

/// What may be what closes a breaker goes on.
const FIXES: [&str; 4] = ["BugFix", "IncidentFix", "SecurityFix", "Rollback"];

/// The weight goes to `now`, beyond the stages that began.
fn breaker(checkers: &mut Checkers, seen: &Seen<'_>, record: &Value, now: u64) {
    let Some((since, until)) = checkers.circumstances.open else { return };
    let honest = checkers.circumstances.honest_since.is_some_and(|honest| honest.0 <= since.0);
    let begun = items(record, "/status/stages").iter().filter(|stage| text(stage, "/startedAt").is_some());
    let begun = begun.map(|stage| number(stage, "/weight")).max().unwrap_or(0);
    let fix = text(record, "/spec/change/type").is_some_and(|kind| FIXES.contains(&kind));
    let open = seen.now.since(since) > HEARD_WITHIN && seen.now.0 < until.0;
    if open && honest && !fix && now > begun {
        let says = format!("goes to {now} %, and a circuit breaker is open since {}", since.clock());
        checkers.violated(Rule::BreakerIgnored, seen.now, says);
    }
}

/// How long after an abort the canary may have weight, besides the contract's time budget.
const GRACE: Span = Span::seconds(15);

/// Looks at every moment whether an abort has been going on for too long.
pub(super) fn abort(checkers: &mut Checkers, seen: &Seen<'_>) {
    let going =
        newest_record(seen.objects).filter(|record| record.pointer("/status/outcome").is_none_or(Value::is_null));
    let since = going.and_then(|record| time(record, "/status/rollback/at"));
    let weights = seen.objects.list(&HTTP_ROUTE, NAMESPACE).into_iter().filter_map(|route| weight(route, CANARY));
    let weight = weights.max().unwrap_or(0);
    checkers.abort = since.filter(|_| weight > 0);
    let (Some(since), Some(calm)) = (checkers.abort, checkers.circumstances.calm_since) else { return };
    let release = super::release(seen.objects);
    let budget = release.and_then(|release| text(release, "/spec/rollback/timeBudget")?.parse::<Span>().ok());
    let from = if calm.0 > since.0 { calm } else { since };
    if seen.now.since(from) > budget.unwrap_or(Span::minutes(5)).max(GRACE) {
        let says = format!("brought back since {}, and the canary still has {weight} %", since.clock());
        checkers.violated(Rule::AbortLate, seen.now, says);
    }
}
