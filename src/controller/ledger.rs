//! Counts a risk budget from its records, which are listed where something about them may have changed.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Mutex;

use serde_json::Value;

use super::{Context, budget, lock};
use crate::api::condition::Truth;
use crate::api::names::{BUDGET, label_value};
use crate::api::risk_budget::{LedgerStatus, LostCharges};
use crate::api::{ReleaseRecordSpec, ReleaseRecordStatus, RiskBudgetSpec, RiskBudgetStatus, Time};
use crate::cluster::Error;
use crate::cluster::kind::RELEASE_RECORD;
use crate::policy::adjustment::{EarnedPercent, Reward};
use crate::policy::category::parse_list;
use crate::policy::ledger::{self, Entry, PENDING_WITHIN, Rules};
use crate::policy::restricted::understand;
use crate::policy::window::Cut;
use crate::policy::{RiskPoints, Tier};
use crate::release::charge::is_book;

/// What was found of the records of each budget, until one of them changes.
#[derive(Default)]
pub(super) struct Books(Mutex<BTreeMap<(String, String), Vec<Entry>>>);

impl Books {
    /// A record of a budget was made, changed or deleted: they are listed anew. By the label's value.
    pub(super) fn changed(&self, namespace: &str, budget: &str) {
        lock(&self.0).remove(&(namespace.to_owned(), budget.to_owned()));
    }
}

/// Adds what the risk budget comes to, and whether its ledger is whole, to a status; `unnumbered` tells of a charge that was asked for
/// and has no number yet.
pub(super) async fn count(
    context: &Context,
    (namespace, name): (&str, &str),
    (spec, unnumbered): (&RiskBudgetSpec, Option<String>),
    before: &RiskBudgetStatus,
    status: &mut RiskBudgetStatus,
    now: Time,
) -> Result<(), Error> {
    let cut = cut(spec).and_then(|cut| restricted(spec).map(|()| cut));
    let (cut, tier) = match (cut, Tier::new(spec.tier)) {
        (Ok(cut), Ok(tier)) => (cut, tier),
        (Err(why), _) => {
            invalid(status, before, &why, now);
            return Ok(());
        }
        (_, Err(why)) => {
            invalid(status, before, &why.to_string(), now);
            return Ok(());
        }
    };
    let period = cut.after(before.risk.as_ref().map(|risk| risk.from), now);
    let turns = before.risk.as_ref().is_none_or(|risk| risk.window != period.key);
    let promised = !before.ledger.reservations.is_empty() || !before.ledger.pending.is_empty();
    let entries = entries(context, namespace, name, turns || promised).await?;
    let rules = Rules { tier, points: spec.risk_points.map(RiskPoints::new), reward: reward(spec) };
    let counted = ledger::count(&rules, before, &entries, &period, now);
    let beginning = beginning(counted.missing.first());
    let broken: Vec<String> = counted
        .missing
        .iter()
        .map(|range| match range.start() == range.end() {
            true => range.start().to_string(),
            false => format!("{} to {}", range.start(), range.end()),
        })
        .collect();
    let waits: Vec<String> = waiting(namespace, &counted.ledger, now)
        .into_iter()
        .chain(unnumbered.map(|says| format!("a charge waits for its number: {says}.")))
        .collect();
    let waits = (!waits.is_empty()).then(|| waits.join(" "));
    let facts = match (broken.is_empty(), waits) {
        (true, None) => (Truth::False, "Whole", "Every charge of this window stands in a record.".to_owned()),
        (true, Some(waits)) => (Truth::False, "ChargeWaits", format!("RiskBudget {name}: {waits}")),
        (false, _) => (
            Truth::True,
            "RecordMissing",
            format!(
                "RiskBudget {name}: the records of charges {} are gone. {} Find out who deleted them (API server audit log, tidegate audit verify -n {namespace}) and keep an export (tidegate audit export).{beginning}",
                broken.join(", "),
                cost_of(counted.risk.lost)
            ),
        ),
    };
    status.conditions.push(budget::condition("LedgerBroken", facts, before, status.observed_generation, now));
    (status.risk, status.ledger, status.windows) = (Some(counted.risk), counted.ledger, counted.windows);
    status.suspended = None;
    status.figures = Some(counted.figures);
    Ok(())
}

/// What becomes of the cost of records that are gone.
fn cost_of(lost: Option<LostCharges>) -> String {
    match lost.map_or(0, |lost| lost.points) {
        0 => "What they cost stands in no status either and counts as nothing: they were gone before they were counted, or the status of the RiskBudget was lost as well.".to_owned(),
        points => format!("The {points} RP that they cost still count until the window closes."),
    }
}

/// What is said where the very first numbers are among those that are gone.
fn beginning(first: Option<&RangeInclusive<u64>>) -> &'static str {
    match first.map(RangeInclusive::start) {
        Some(1) => {
            " Nothing tells where its numbers begin: if the RiskBudget was created anew, those before may have been pruned in the time of the former one, and an export says so."
        }
        Some(_) | None => "",
    }
}

/// What is said of charges that have their number for long and stand in no record yet.
fn waiting(namespace: &str, ledger: &LedgerStatus, now: Time) -> Option<String> {
    let late: Vec<String> = ledger
        .pending
        .iter()
        .filter(|one| now.since(one.charge.at) >= PENDING_WITHIN)
        .map(|one| format!("{} ({}, since {})", one.charge.sequence, one.record, one.charge.at.clock()))
        .collect();
    (!late.is_empty()).then(|| {
        format!(
            "charges have their number, count, and stand in no record yet: {}. Each is written as soon as the error budget is measured and its release is looked at; the condition Ready and tidegate doctor -n {namespace} say what is in the way.",
            late.join(", ")
        )
    })
}

/// How a spec cuts time into windows; the error names field, value and remedy.
pub(super) fn cut(spec: &RiskBudgetSpec) -> Result<Cut, String> {
    let zone = jiff::tz::TimeZone::get(&spec.window.time_zone).map_err(|_| {
        format!(
            "spec.window.timeZone: there is no time zone {:?}; write one of the IANA data base, such as Europe/Berlin",
            spec.window.time_zone
        )
    })?;
    Cut::new(&spec.window, zone).map_err(|why| why.to_string())
}

/// Whether the restricted windows of a spec can be understood; the error names field, value and remedy.
pub(super) fn restricted(spec: &RiskBudgetSpec) -> Result<(), String> {
    understand(spec, |zone| jiff::tz::TimeZone::get(zone).ok()).map(|_| ())
}

/// A window that cannot be cut is told in Ready; nothing is counted by it, and so nothing ships.
fn invalid(status: &mut RiskBudgetStatus, before: &RiskBudgetStatus, why: &str, now: Time) {
    let generation = status.observed_generation;
    status.suspend();
    status.figures = None;
    let facts = (Truth::False, "WindowInvalid", format!("{why}. Nothing is released until it is corrected."));
    status.conditions = vec![budget::condition("Ready", facts, before, generation, now)];
}

/// The records of a budget. While something is promised they are always listed: a promise that is dropped by mistake could
/// be given twice.
async fn entries(context: &Context, namespace: &str, name: &str, fresh: bool) -> Result<Vec<Entry>, Error> {
    let key = (namespace.to_owned(), label_value(name));
    if let Some(known) = lock(&context.books.0).get(&key).filter(|_| !fresh) {
        return Ok(known.clone());
    }
    let mut records = context.cluster.list_all(&RELEASE_RECORD, namespace, &format!("{BUDGET}={}", key.1)).await?;
    context.files.records(namespace, name, &records);
    let entries: Vec<Entry> = records.iter_mut().filter_map(|record| entry(record, name)).collect();
    lock(&context.books.0).insert(key, entries.clone());
    Ok(entries)
}

/// A record that cannot be read is no entry: its number is missed.
fn entry(record: &mut Value, budget: &str) -> Option<Entry> {
    let name = record.pointer("/metadata/name").and_then(Value::as_str)?.to_owned();
    let spec: ReleaseRecordSpec = serde_json::from_value(record["spec"].take()).ok()?;
    let status: Option<ReleaseRecordStatus> = serde_json::from_value(record["status"].take()).ok()?;
    let entry = Entry::of(name, status.as_ref());
    let entry = if is_book(&spec.release) { entry.in_chain(spec.attempt, status.as_ref()) } else { entry };
    (spec.risk_budget == budget).then_some(entry)
}

fn reward(spec: &RiskBudgetSpec) -> Option<Reward> {
    let reward = spec.reward.as_ref()?;
    match (&reward.budget_percent, &reward.relaxed_categories) {
        (Some(percent), _) => EarnedPercent::new(*percent).ok().map(Reward::Budget),
        (None, Some(categories)) => Some(Reward::Relaxation(parse_list(&categories.join(",")).0.into_iter().collect())),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_still_counts_and_what_was_not_is_said() {
        let lost = |points| Some(LostCharges { charges: 1, points, exceptions: 0 });
        assert_eq!(cost_of(lost(50)), "The 50 RP that they cost still count until the window closes.");
        assert!(cost_of(lost(0)).contains("counts as nothing") && cost_of(None).contains("counts as nothing"));
    }

    #[test]
    fn a_beginning_that_nothing_tells_is_said() {
        assert!(beginning(Some(&(1..=4))).contains("if the RiskBudget was created anew"));
        assert_eq!((beginning(Some(&(2..=4))), beginning(None)), ("", ""));
    }

    #[test]
    fn a_restricted_window_in_no_zone_lets_nothing_ship_and_keeps_what_was_counted() {
        let spec: RiskBudgetSpec = serde_json::from_value(serde_json::json!({
            "tier": 1, "slos": [{"name": "a", "objective": 99.5, "availability": {"service": "web"}}],
            "restrictedWindows": [{"name": "y", "timeZone": "Europe/Vena", "yearly": {"firstDay": "12-20", "lastDay": "01-02"}}],
        }))
        .unwrap();
        let why = restricted(&spec).unwrap_err();
        let risk = serde_json::from_value(serde_json::json!({
            "window": "2026-06", "from": "2026-06-01T00:00:00Z", "until": "2026-07-01T00:00:00Z", "allocated": 200,
            "consumed": 10, "sequence": 40, "reserved": 0, "remaining": 190, "remainingPercent": 95, "band": "Green",
            "releases": 10, "exceptions": 0,
        }));
        let before = RiskBudgetStatus { risk: Some(risk.unwrap()), ..RiskBudgetStatus::default() };
        let mut status = before.clone();
        invalid(&mut status, &before, &why, Time("2026-06-15T00:00:00Z".parse().unwrap()));
        assert_eq!((&status.risk, &status.suspended), (&None, &before.risk));
        let ready = &status.conditions[0];
        assert_eq!((ready.status, ready.reason.as_str()), (Truth::False, "WindowInvalid"));
        assert!(
            ready.message.starts_with("spec.restrictedWindows[0] (y).timeZone: there is no time zone"),
            "{}",
            ready.message
        );
    }
}
