//! Records: sealed ones stay, moments stay, holds end, and what passes rests on the truth.

use serde_json::Value;

use super::{Checkers, NAME, NAMESPACE, Rule, Seen, WORKLOADS, image, items, text, time};
use crate::api::Span;
use crate::cluster::kind::{DEPLOYMENT, STATEFUL_SET};
use crate::sandbox::simulate::schedule::Quality;

/// Moments that are noted once.
const MOMENTS: [&str; 11] = [
    "/status/promotion/resumedAt",
    "/status/promotion/rolledAt",
    "/status/promotion/halfAt",
    "/status/promotion/passedAt",
    "/status/promotion/homeAt",
    "/status/promotion/verifiedAt",
    "/status/rollback/at",
    "/status/rollback/trigger",
    "/status/rollback/homeAt",
    "/status/endedAt",
    "/status/outcome",
];

/// How long after its deadline a hold may stand.
const GRACE: Span = Span::seconds(60);

pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(process), Some(after)) = (seen.process, seen.after) else { return };
    let before = seen.before.unwrap_or(&Value::Null);
    let is = |place: &str| before.pointer(place).is_some_and(|value| !value.is_null());
    // One that waits for its charge is sealed by the write that brings it.
    let settles = is("/status/chargeWaits") && text(after, "/status/digest").is_some();
    if is("/status/outcome") && before["status"] != after["status"] && !settles {
        checkers.violated(Rule::SealedChanged, seen.now, format!("{} was closed and changed", seen.name));
    }
    for place in MOMENTS {
        once(checkers, seen, before.pointer(place), after.pointer(place), place);
    }
    let (old, new) = (items(before, "/status/stages"), items(after, "/status/stages"));
    for (index, stage) in new.iter().enumerate() {
        let stood = old.get(index);
        for field in ["/startedAt", "/passedAt"] {
            let place = format!("/status/stages/{index}{field}");
            once(checkers, seen, stood.and_then(|stood| stood.pointer(field)), stage.pointer(field), &place);
        }
        let passes = text(stage, "/passedAt").is_some() && stood.is_none_or(|stood| text(stood, "/passedAt").is_none());
        if passes {
            passed(checkers, seen, process, (workload(after), index), stage);
        }
    }
    hold(checkers, seen, before, after);
    if text(after, "/status/outcome") == Some("Succeeded") && text(before, "/status/outcome").is_none() {
        succeeded(checkers, seen, after);
    }
}

fn once(checkers: &mut Checkers, seen: &Seen<'_>, before: Option<&Value>, after: Option<&Value>, place: &str) {
    let (Some(before), Some(after)) = (before.filter(|it| !it.is_null()), after.filter(|it| !it.is_null())) else {
        return;
    };
    if before != after {
        checkers.violated(Rule::TimerTwice, seen.now, format!("{}{place}: {before}, then {after}", seen.name));
    }
}

/// The workload of a record, named as its release is.
fn workload(record: &Value) -> &'static str {
    WORKLOADS.into_iter().find(|name| text(record, "/spec/release") == Some(name)).unwrap_or(NAME)
}

fn passed(checkers: &mut Checkers, seen: &Seen<'_>, process: usize, (of, index): (&str, usize), stage: &Value) {
    if checkers.circumstances.last_answer_true.get(&process) == Some(&false) {
        let says = format!("{} stage {index} passed while Prometheus did not tell the truth", seen.name);
        checkers.violated(Rule::UnknownPassed, seen.now, says);
    }
    // Under an honest Prometheus for the whole stage.
    let started = time(stage, "/startedAt");
    let honest = checkers.circumstances.honest_since.zip(started).is_some_and(|(since, started)| since.0 <= started.0);
    let canary = seen.objects.get(&DEPLOYMENT, NAMESPACE, &format!("{of}-canary"));
    // A StatefulSet has the new version itself.
    let canary = canary.or_else(|| seen.objects.get(&STATEFUL_SET, NAMESPACE, of));
    let quality = canary.and_then(|canary| canary.pointer("/spec/template")).map(|it| Quality::of_image(image(it)));
    // Latency is compared with stable, which is slow itself where somebody let a slow version run ungated.
    let stable = super::workload::active_of(seen.objects, of);
    let slow = stable.iter().any(|set| Quality::of_image(image(&set["spec"]["template"])) == Quality::Slow);
    let bad = matches!(quality, Some(Quality::Errors | Quality::Unready)) || (quality == Some(Quality::Slow) && !slow);
    if honest && bad {
        let says = format!("{} stage {index} passed a version of quality {quality:?}: {}", seen.name, stage["verdict"]);
        checkers.violated(Rule::BadPassed, seen.now, says);
    }
}

fn hold(checkers: &mut Checkers, seen: &Seen<'_>, before: &Value, record: &Value) {
    if record.pointer("/status/hold").is_none_or(Value::is_null) {
        return;
    }
    // A hold whose deadline moves away is over at none: its patience counts from its beginning, whatever it waits for.
    let moved = |place| time(before, place).zip(time(record, place)).filter(|(stood, stands)| stands.0 > stood.0);
    // A version that should go back and cannot waits for that alone, with a patience of its own, once; so does one that is
    // missed for a moment, and what is waited for after that moment begins anew.
    let reason = |record: &Value| record.pointer("/status/hold/reason").and_then(Value::as_str).map(str::to_owned);
    let own = ["NoWayBack", "NobodyAnswers", "NobodyHome"];
    let is_own = reason(record).is_some_and(|reason| own.contains(&reason.as_str()));
    let missed = reason(before).as_deref() == Some("NobodyAnswers");
    // What a verified version is complete without in the end is no way back: it waits by itself, and lends its patience to nothing
    // else; all of it has one deadline.
    let completes = [
        "OnCallLapsed",
        "VerificationIncomplete",
        "CircuitOpen",
        "BudgetBurning",
        "MetricsUnreachable",
        "InvalidEvidence",
        "PartialEvidence",
        "NoEvidence",
        "TooLittleTraffic",
        "OtherShare",
        "Undecided",
    ];
    let completes = |record: &Value| {
        record.pointer("/status/phase").and_then(Value::as_str) == Some("Verify")
            && reason(record).is_some_and(|reason| completes.contains(&reason.as_str()))
    };
    let between = completes(before) != completes(record);
    let of_its_own = (is_own || missed || between) && reason(before) != reason(record);
    if let Some((stood, stands)) = moved("/status/hold/deadline").filter(|_| !of_its_own) {
        let says = format!("{}: the deadline of a hold moves from {} to {}", seen.name, stood.clock(), stands.clock());
        checkers.violated(Rule::HoldWithoutEnd, seen.now, says);
    }
    let says = |what: &str| format!("{}: hold {} {what}", seen.name, record["status"]["hold"]);
    match time(record, "/status/hold/deadline") {
        None => checkers.violated(Rule::HoldWithoutEnd, seen.now, says("has no deadline")),
        // Users are not sent to nobody because of a date: this one ends with the first ready pod of stable.
        Some(_) if reason(record).as_deref() == Some("NoWayBack") && !checkers.ready_now(seen, workload(record)) => {}
        Some(deadline) if seen.now.since(deadline) > GRACE => {
            checkers.violated(Rule::HoldWithoutEnd, seen.now, says("is past its deadline"));
        }
        Some(_) => {}
    }
}

fn succeeded(checkers: &mut Checkers, seen: &Seen<'_>, record: &Value) {
    let began = time(record, "/metadata/creationTimestamp");
    let honest = checkers.circumstances.honest_since.zip(began).is_some_and(|(since, began)| since.0 <= began.0);
    let of = workload(record);
    let workload = seen.objects.get(&DEPLOYMENT, NAMESPACE, of);
    let workload = workload.or_else(|| seen.objects.get(&STATEFUL_SET, NAMESPACE, of));
    let quality = workload.and_then(|it| it.pointer("/spec/template")).map(|it| Quality::of_image(image(it)));
    // A newer template may be there already: held, or let go under break-glass.
    let newer = |it: &Value| {
        it.pointer("/spec/paused") == Some(&true.into())
            || super::count::partition(it) > 0
            || super::workload::broken_glass(it)
    };
    let ours = workload.is_some_and(|it| !newer(it));
    if honest && ours && matches!(quality, Some(Quality::Errors | Quality::Slow | Quality::Unready)) {
        checkers.violated(Rule::BadPassed, seen.now, format!("{} succeeded with quality {quality:?}", seen.name));
    }
}
