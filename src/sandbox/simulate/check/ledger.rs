//! Risk points: each record is charged once, numbers have no gaps, what is promised and charged stays within what was
//! allocated, and users meet nothing that was not charged.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Checkers, NAME, NAMESPACE, Rule, Seen, items, newest_record, number, text, time};
use crate::api::{Span, Time};
use crate::cluster::kind::{RELEASE_RECORD, RISK_BUDGET};

/// Changes that no document lets wait for points (`000_…` §5.4).
pub(super) const MAY_OVERDRAW: [&str; 4] = ["BugFix", "IncidentFix", "SecurityFix", "Rollback"];

/// How long a charge may be on its way from its number to its record.
const PENDING_WITHIN: Span = Span::minutes(10);

/// A number that was given out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbered {
    sequence: u64,
    pub(super) points: u64,
    pub(super) at: Option<Time>,
}

impl Numbered {
    pub(super) fn of(charge: &Value) -> Self {
        Self { sequence: number(charge, "/sequence"), points: number(charge, "/points"), at: time(charge, "/at") }
    }
}

/// A write of the RiskBudget.
pub(super) fn budget(checkers: &mut Checkers, seen: &Seen<'_>) {
    if seen.after.is_none() {
        // Whoever deletes a budget deletes its numbers.
        checkers.charges.clear();
    }
    let (Some(_), Some(before), Some(after)) = (seen.process, seen.before, seen.after) else { return };
    let stood: Vec<&str> =
        items(before, "/status/ledger/pending").iter().filter_map(|one| text(one, "/record")).collect();
    let pending = items(after, "/status/ledger/pending");
    let mut new = 0;
    for one in pending {
        let record = text(one, "/record").unwrap_or_default();
        let charge = Numbered::of(one);
        match checkers.charges.get(record) {
            Some(known) if *known != charge => {
                let says = format!("{record} has charge {}, and is given {} too", known.sequence, charge.sequence);
                checkers.violated(Rule::ChargedTwice, seen.now, says);
            }
            Some(_) => {}
            None => {
                let others = checkers.charges.values();
                let highest = others.map(|charge| charge.sequence).max().unwrap_or(0);
                if charge.sequence != highest + 1 {
                    let says = format!("{record} gets number {} after {highest}", charge.sequence);
                    checkers.violated(Rule::Misnumbered, seen.now, says);
                }
                within(checkers, seen, before, (record, charge.points), true);
                checkers.charges.insert(record.to_owned(), charge);
                new += 1;
            }
        }
    }
    let (had, has) = (number(before, "/status/ledger/sequence"), number(after, "/status/ledger/sequence"));
    if has != had + new {
        let says = format!("the last number goes from {had} to {has}, and {new} were given");
        checkers.violated(Rule::Misnumbered, seen.now, says);
    }
    for record in stood.iter().filter(|record| !pending.iter().any(|one| text(one, "/record") == Some(**record))) {
        let written = seen.objects.get(&RELEASE_RECORD, NAMESPACE, record);
        let written = written.is_some_and(|record| record.pointer("/status/charge").is_some());
        let at = checkers.charges.get(*record).and_then(|charge| charge.at);
        if !written && at.is_some_and(|at| seen.now.since(at) < PENDING_WITHIN) {
            checkers.violated(Rule::Misnumbered, seen.now, format!("the charge of {record} is lost on its way"));
        }
    }
    for one in items(after, "/status/ledger/reservations") {
        let (record, points) = (text(one, "/record").unwrap_or_default(), number(one, "/points"));
        if promised(before, record) < points {
            within(checkers, seen, before, (record, points), false);
        }
    }
}

/// What is promised to a record.
fn promised(budget: &Value, record: &str) -> u64 {
    let all = items(budget, "/status/ledger/reservations").iter();
    all.filter(|one| text(one, "/record") == Some(record)).map(|one| number(one, "/points")).sum()
}

/// Points that a record is promised, or charged without a promise, must be there, whatever else is promised and charged.
fn within(checkers: &mut Checkers, seen: &Seen<'_>, before: &Value, (record, points): (&str, u64), charged: bool) {
    // What runs past the gate is charged when it is found: its record may not be there yet.
    let Some(stands) = seen.objects.get(&RELEASE_RECORD, NAMESPACE, record) else { return };
    let kind = text(stands, "/spec/change/type").unwrap_or_default();
    let excepted = text(stands, "/status/assessment/exception").is_some();
    let bypassed =
        text(stands, "/spec/closedAs").is_some() || charged && text(stands, "/status/phase") != Some("Release");
    if MAY_OVERDRAW.contains(&kind) || excepted || bypassed || charged && promised(before, record) >= points {
        return;
    }
    let from = time(before, "/status/risk/from");
    let here = |charge: &&Numbered| from.is_none_or(|from| charge.at.is_none_or(|at| at.0 >= from.0));
    let spent: u64 = checkers.charges.values().filter(here).map(|charge| charge.points).sum();
    let reservations = items(before, "/status/ledger/reservations").iter();
    let others = reservations.filter(|one| text(one, "/record") != Some(record));
    let others: u64 = others.map(|one| number(one, "/points")).sum();
    let allocated = super::spent::allowed(before);
    if spent + others + points > allocated {
        let says =
            format!("{record}, a {kind}, gets {points} RP of {allocated}: {spent} are charged, {others} promised");
        checkers.violated(Rule::Overspent, seen.now, says);
    }
}

/// A record is sealed: what ran past its gate was charged, whatever was known of its budget when it was found (`000_…` §7).
fn sealed(checkers: &mut Checkers, seen: &Seen<'_>, after: &Value, charged: bool) {
    let is = |record: &Value| text(record, "/status/digest").is_some();
    let bypass = text(after, "/status/outcome") == Some("Bypassed");
    let budget = text(after, "/spec/riskBudget").unwrap_or_default();
    // Where there is no RiskBudget there is nothing to charge.
    let payable = || seen.objects.get(&RISK_BUDGET, NAMESPACE, budget).is_some();
    if bypass && is(after) && !seen.before.is_some_and(is) && !charged && payable() {
        let says = format!("{} ran past its gate and is sealed without a charge", seen.name);
        checkers.violated(Rule::NotCharged, seen.now, says);
    }
}

/// A record is sealed whose release was held until it came back: had nobody met it, it was not charged. A process that died, or a
/// write that was lost, between the charge and the first users leaves one that nobody met; of a world in which nothing failed since
/// the charge nobody can say that.
fn unmet(checkers: &mut Checkers, seen: &Seen<'_>, after: &Value, charge: &Numbered) {
    let is = |record: &Value| text(record, "/status/digest").is_some();
    let held = text(after, "/status/rollback/trigger") == Some("HoldExpired");
    let untouched = text(after, "/status/stages/0/startedAt").is_none() && !checkers.met.contains(seen.name);
    let calm = checkers.circumstances.calm_since.zip(charge.at).is_some_and(|(calm, at)| calm <= at);
    if is(after) && !seen.before.is_some_and(is) && held && untouched && calm {
        let says = format!("{} came back before any user met it, and is charged {} RP", seen.name, charge.points);
        checkers.violated(Rule::ChargedUnmet, seen.now, says);
    }
}

/// A write of a record: what it is charged is what the ledger said, and stays; but that half as much again is due once, in the
/// write that seals it, where somebody let it go past its gate after users had met it (`000_…` §7).
pub(super) fn record(checkers: &mut Checkers, seen: &Seen<'_>) {
    if seen.process.is_none() && seen.after.is_none() {
        // What it cost stays charged; a record of its name that is made again is another.
        if let Some(gone) = checkers.charges.remove(seen.name) {
            checkers.charges.insert(format!("{}, number {}, deleted", seen.name, gone.sequence), gone);
        }
        return;
    }
    let (Some(_), Some(after)) = (seen.process, seen.after) else { return };
    let charge = |record: &Value| record.pointer("/status/charge").filter(|charge| !charge.is_null()).map(Numbered::of);
    let (had, has) = (seen.before.and_then(charge), charge(after));
    sealed(checkers, seen, after, has.is_some());
    if let Some(charge) = &has {
        unmet(checkers, seen, after, charge);
    }
    let penalty = |had: &Numbered| Numbered { points: (had.points * 3).div_ceil(2), ..had.clone() };
    let plain = |record: &Value| record.pointer("/status/charge/exception").and_then(Value::as_bool) != Some(true);
    let let_go = text(after, "/status/outcome") == Some("Bypassed") && seen.before.is_some_and(plain);
    if let_go && has.is_some() && had.as_ref().map(penalty) == has {
        checkers.charges.extend(has.map(|has| (seen.name.to_owned(), has)));
        return;
    }
    if had.is_some() && had != has {
        checkers.violated(Rule::ChargedTwice, seen.now, format!("{}: {had:?}, then {has:?}", seen.name));
    }
    if let Some(has) = has.filter(|_| had.is_none())
        && checkers.charges.get(seen.name) != Some(&has)
    {
        let says = format!("{} says {has:?}, the ledger gave {:?}", seen.name, checkers.charges.get(seen.name));
        checkers.violated(Rule::Misnumbered, seen.now, says);
    }
}

/// Users are about to meet the version of the newest record, in this many percent or pods.
pub(super) fn exposed(checkers: &mut Checkers, seen: &Seen<'_>, what: &str) {
    let Some(record) = newest_record(seen.objects) else { return };
    checkers.met.extend(text(record, "/metadata/name").map(str::to_owned));
    let ended = record.pointer("/status/outcome").is_some_and(|outcome| !outcome.is_null());
    if ended || record.pointer("/status/charge").is_some_and(|charge| !charge.is_null()) {
        return;
    }
    let says = format!("{what}: {} is not charged", text(record, "/metadata/name").unwrap_or_default());
    checkers.violated(Rule::NotCharged, seen.now, says);
}

/// A route that gives a workload more, which is itself what is judged after a late way back.
pub(super) fn weight_of_workload(checkers: &mut Checkers, seen: &Seen<'_>, rises: Option<u64>) {
    let Some(now) = rises else { return };
    let judged = newest_record(seen.objects).is_some_and(|record| {
        let unset = |place: &str| record.pointer(place).is_none_or(Value::is_null);
        text(record, "/spec/arm") == Some("Workload") && unset("/status/rollback")
    });
    if judged {
        exposed(checkers, seen, &format!("{NAME} gets {now} %"));
    }
}

/// By record.
pub(super) type Charges = BTreeMap<String, Numbered>;
