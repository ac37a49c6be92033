//! What a window comes to: each charge counts in one window and once, points are those in force, and what ordinary releases
//! are promised and charged never exceeds what was there when the last of them was let in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ledger::MAY_OVERDRAW;
use super::{Checkers, NAMESPACE, Rule, Seen, items, number, text, time};
use crate::api::{Span, Time};
use crate::cluster::kind::RELEASE_RECORD;

/// What a window had when points were first promised or charged to a record.
pub(super) type Granted = BTreeMap<String, u64>;

/// A write of the RiskBudget, after its numbers were noted.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    // Whoever deletes a budget deletes what is known of it.
    checkers.forgotten |= seen.after.is_none();
    let (Some(_), Some(before), Some(after)) = (seen.process, seen.before, seen.after) else { return };
    let points = |budget: &Value, place: &str| -> Vec<(String, u64)> {
        let one = |one: &Value| (text(one, "/record").unwrap_or_default().to_owned(), number(one, "/points"));
        items(budget, place).iter().map(one).collect()
    };
    let stood: BTreeSet<_> = PLACES.iter().flat_map(|place| points(before, place)).collect();
    for (record, points) in PLACES.iter().flat_map(|place| points(after, place)) {
        if !stood.contains(&(record.clone(), points)) {
            checkers.granted.insert(record, allowed(before));
        }
    }
    ordinary(checkers, seen, after, &points(after, RESERVED));
    if !checkers.forgotten && before.pointer("/status/risk") != after.pointer("/status/risk") {
        counted(checkers, seen, (before, after));
    }
}

/// How long after a record was closed what it says may not be counted yet, while watches are lost.
const HEARD_WITHIN: Span = Span::minutes(2);

const RESERVED: &str = "/status/ledger/reservations";
const PLACES: [&str; 2] = [RESERVED, "/status/ledger/pending"];

/// The points of a window: the spec's, or fewer where what is in force has fewer.
pub(super) fn allowed(budget: &Value) -> u64 {
    let wanted = number(budget, "/spec/riskPoints");
    super::loosened::in_force(budget).map_or(wanted, |spec| number(&spec, "/riskPoints").min(wanted))
}

/// Whether somebody lets this record's points exceed what is there: its type, an exception, or that it ran past the gate.
fn overdraws(record: &Value) -> bool {
    let past = text(record, "/spec/closedAs").is_some_and(|closed| closed != "Charged")
        || text(record, "/status/outcome") == Some("Bypassed");
    MAY_OVERDRAW.contains(&text(record, "/spec/change/type").unwrap_or_default())
        || past
        || text(record, "/status/assessment/exception").is_some()
        || record.pointer("/status/charge/exception") == Some(&true.into())
}

/// What is promised and charged to ordinary releases in the present window, together.
fn ordinary(checkers: &mut Checkers, seen: &Seen<'_>, after: &Value, reserved: &[(String, u64)]) {
    let from = time(after, "/status/risk/from");
    let here =
        checkers.charges.iter().filter(|(_, charge)| from.is_none_or(|from| charge.at.is_none_or(|at| at >= from)));
    let charged = here.map(|(record, charge)| (record.clone(), charge.points));
    let all = reserved.iter().cloned().chain(charged).filter(|(record, _)| {
        // What has no record yet is either past the gate or no workload's: it is looked at when its record is there.
        seen.objects.get(&RELEASE_RECORD, NAMESPACE, record).is_some_and(|record| !overdraws(record))
    });
    let all: Vec<_> = all.collect();
    let sum: u64 = all.iter().map(|(_, points)| points).sum();
    let most = all.iter().filter_map(|(record, _)| checkers.granted.get(record)).max().copied().unwrap_or(0);
    if sum > most {
        let says = format!("{all:?} are promised or charged, and {most} RP were there");
        checkers.violated(Rule::Overspent, seen.now, says);
    }
}

/// Whether a number was given up: its record was sealed without it, or can never be made any more.
fn given_up(before: &Value, after: &Value) -> bool {
    let numbers = |budget: &Value| items(budget, "/status/ledger/pending").len();
    numbers(after) < numbers(before)
}

/// The figures of all windows together are all charges, and those of the present one follow from each other.
fn counted(checkers: &mut Checkers, seen: &Seen<'_>, (before, after): (&Value, &Value)) {
    let Some(risk) = after.pointer("/status/risk").filter(|risk| !risk.is_null()) else { return };
    let (had, has) = (number(before, "/status/risk/consumed"), number(risk, "/consumed"));
    if has < had && text(before, "/status/risk/window") == text(risk, "/window") && !given_up(before, after) {
        let says = format!("{had} RP of window {:?} were spent, then {has}", text(risk, "/window"));
        checkers.violated(Rule::Miscounted, seen.now, says);
    }
    let windows = items(after, "/status/windows");
    let told = number(risk, "/consumed") + windows.iter().map(|window| number(window, "/consumed")).sum::<u64>();
    // What was charged by a clock that is ahead belongs to the next window, which has not begun here.
    let until = time(risk, "/until");
    let by_then = |at: Option<Time>| until.is_none_or(|until| at.is_none_or(|at| at < until));
    let charged: u64 = checkers.charges.values().filter(|charge| by_then(charge.at)).map(|charge| charge.points).sum();
    let mut wrong = Vec::new();
    // Of what was let go past its gate half as much again is counted once the change of its record is heard of.
    let lately = |record: &Value| time(record, "/status/endedAt").is_some_and(|at| seen.now.since(at) < HEARD_WITHIN);
    let past = |record: &&Value| text(record, "/status/outcome") == Some("Bypassed") && lately(record);
    let records = seen.objects.list(&RELEASE_RECORD, NAMESPACE);
    let unheard: u64 =
        records.into_iter().filter(past).map(|record| number(record, "/status/charge/points").div_ceil(3)).sum();
    if told > charged || told + unheard < charged {
        let each: Vec<_> =
            windows.iter().map(|window| (text(window, "/window"), number(window, "/consumed"))).collect();
        wrong.push(format!(
            "{charged} RP were charged, window {:?} has {} of them and those before {each:?}",
            text(risk, "/window"),
            number(risk, "/consumed")
        ));
    }
    let mut keys: Vec<_> = windows.iter().filter_map(|window| text(window, "/window")).collect();
    keys.extend(text(risk, "/window"));
    if keys.iter().collect::<BTreeSet<_>>().len() != keys.len() {
        wrong.push(format!("a window is there twice: {keys:?}"));
    }
    let reserved: u64 = items(after, RESERVED).iter().map(|one| number(one, "/points")).sum();
    if number(risk, "/reserved") != reserved {
        wrong.push(format!("{reserved} RP are promised, and {} are told", number(risk, "/reserved")));
    }
    let spent = [number(risk, "/consumed"), reserved]
        .map(|points| i64::try_from(points).unwrap_or(i64::MAX))
        .iter()
        .sum::<i64>();
    let left = i64::try_from(number(risk, "/allocated")).unwrap_or(i64::MAX) - spent;
    if risk["remaining"].as_i64() != Some(left) {
        wrong.push(format!("{left} RP are left, and {} are told", risk["remaining"]));
    }
    let adjusted = !items(risk, "/adjustments").is_empty();
    if let Some(spec) = super::loosened::in_force(after).filter(|_| !adjusted)
        && number(&spec, "/riskPoints") != number(risk, "/allocated")
    {
        wrong.push(format!("{} RP are in force, and {} are allocated", spec["riskPoints"], risk["allocated"]));
    }
    for says in wrong {
        checkers.violated(Rule::Miscounted, seen.now, says);
    }
}
