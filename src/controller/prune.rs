//! Takes away records that nobody needs any more: what may go is decided in `release::retention`, this reads and deletes.
//!
//! The status of the GatedRelease says first with which attempt its chain begins, then the records before it go, the oldest
//! first: so a walk along the chain tells what was pruned from what somebody deleted, also after a death in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::queue::Key;
use super::{Context, lock};
use crate::api::gated_release::RecordsKept;
use crate::api::names::{EXPORTED, RELEASE};
use crate::api::{ReleaseRecordSpec, ReleaseRecordStatus, RiskBudgetStatus};
use crate::cluster::Error;
use crate::cluster::events::About;
use crate::cluster::kind::{GATED_RELEASE, RELEASE_RECORD, RISK_BUDGET};
use crate::cluster::request::Just;
use crate::policy::obligation::FURTHER_MAX;
use crate::release::action::{Event, EventKind};
use crate::release::chain::{Known, walk};
use crate::release::retention::{Counted, Facts, RECORDS_MIN, Shelved, begins};
use crate::release::snapshot::{Release, record_name};

/// How often the records of one GatedRelease are looked through.
const EVERY: Duration = Duration::from_secs(3_600);
/// The same while a pass has left some that may go too.
const AGAIN: Duration = Duration::from_secs(60);

/// When each GatedRelease's records are looked through again.
#[derive(Default)]
pub(super) struct Passes(Mutex<BTreeMap<Key, Instant>>);

impl Passes {
    /// Whether it is time. The first look comes some time after the process began, so that a start is no rush.
    fn due(&self, key: &Key, chance: f64) -> bool {
        let mut all = lock(&self.0);
        match all.get(key) {
            Some(next) => Instant::now() >= *next,
            None => {
                all.insert(key.clone(), Instant::now() + AGAIN.mul_f64(1.0 + 9.0 * chance));
                false
            }
        }
    }

    fn next(&self, key: &Key, pause: Duration) {
        lock(&self.0).insert(key.clone(), Instant::now() + pause);
    }

    /// A GatedRelease is gone.
    pub(super) fn forget(&self, key: &Key) {
        lock(&self.0).remove(key);
    }
}

/// Looks through the records of a GatedRelease where it is time and there may be too many. Only who leads comes here, and
/// every write asks for that once more.
pub(super) async fn look(context: &Context, key: &Key, release: &Release) -> Result<(), Error> {
    let first = release.status.records.as_ref().map_or(1, |kept| kept.begins);
    let there = u64::from(release.status.attempts.saturating_add(1).saturating_sub(first));
    if there <= RECORDS_MIN as u64 || !context.passes.due(key, context.cluster.chance()) {
        return Ok(());
    }
    context.passes.next(key, EVERY);
    if pass(context, release).await? {
        context.passes.next(key, AGAIN);
    }
    Ok(())
}

/// One pass; says whether something went, and so more may follow.
async fn pass(context: &Context, release: &Release) -> Result<bool, Error> {
    let (namespace, name) = (release.namespace.as_str(), release.name.as_str());
    let Some(object) = context.cluster.get(&GATED_RELEASE, namespace, name).await? else { return Ok(false) };
    let kept = release.status.records.clone();
    let mut records = context.cluster.list_all(&RELEASE_RECORD, namespace, &format!("{RELEASE}={name}")).await?;
    records.retain(|record| record.pointer("/spec/release").and_then(Value::as_str) == Some(name));
    let known = Known { attempts: Some(release.status.attempts), kept: kept.as_ref() };
    if let Some(broken) = walk(name, &records, known).broken {
        // What shows that somebody tampered with it is evidence.
        tracing::warn!(namespace, name, %broken, "records are not pruned while their chain does not hold");
        return Ok(false);
    }
    let Some(shelved) = records.iter().map(shelved).collect::<Option<Vec<_>>>() else {
        tracing::warn!(namespace, name, "records are not pruned while one of them cannot be read");
        return Ok(false);
    };
    let (budgets, mut named) = budgets(context, namespace, &shelved).await?;
    strings(&object["status"], &mut named);
    let only_exported = context.sources.config().records.prune_only_exported;
    let exported = only_exported.then(|| exported(&object, &records));
    let facts = Facts { records: &shelved, budgets: &budgets, named: &named, exported };
    let Some(first) = begins(facts) else { return Ok(false) };
    let gone: Vec<&Value> = records.iter().filter(|record| attempt(record) < first).collect();
    if gone.is_empty() {
        return Ok(false);
    }
    let pruned = kept.as_ref().map_or(0, |kept| kept.pruned);
    let before = kept.as_ref().map_or(0, |kept| kept.begins);
    if before < first {
        let follows = records.iter().find(|record| attempt(record).saturating_add(1) == first);
        let digest = follows.and_then(|record| record.pointer("/status/digest")).and_then(Value::as_str);
        let more = u32::try_from(gone.iter().filter(|record| attempt(record) >= before).count()).unwrap_or(u32::MAX);
        let kept = RecordsKept {
            begins: first,
            previous_digest: digest.map(str::to_owned),
            pruned: pruned.saturating_add(more),
        };
        context.cluster.write_records_kept((namespace, name), &release.uid, &kept).await?;
        context.metrics.wrote("release_status");
    }
    delete(context, release, gone).await?;
    Ok(true)
}

/// Deletes records, the oldest first, each as it was looked at.
async fn delete(context: &Context, release: &Release, mut gone: Vec<&Value>) -> Result<(), Error> {
    let (namespace, name) = (release.namespace.as_str(), release.name.as_str());
    gone.sort_by_key(|record| attempt(record));
    for record in &gone {
        let text = |place: &str| record.pointer(place).and_then(Value::as_str).unwrap_or_default();
        let (record, version) = (text("/metadata/name"), text("/metadata/resourceVersion"));
        context.cluster.delete(&RELEASE_RECORD, namespace, record, Just::Version(version)).await?;
        context.metrics.wrote("prune_record");
        tracing::info!(namespace, name, record, digest = text("/status/digest"), "record pruned");
    }
    let (Some(oldest), Some(newest)) = (gone.first().map(|one| attempt(one)), gone.last().map(|one| attempt(one)))
    else {
        return Ok(());
    };
    let note = format!(
        "{} records were pruned, {} to {}: two windows and more have passed since, or {} newer ones are kept. The chain begins with {} (tidegate audit verify -n {namespace} --release {name}).",
        gone.len(),
        record_name(name, oldest),
        record_name(name, newest),
        crate::release::retention::RECORDS_MAX,
        record_name(name, newest.saturating_add(1)),
    );
    let about = About { kind: &GATED_RELEASE, namespace, name, uid: &release.uid };
    context.cluster.tell(&about, &Event { kind: EventKind::Normal, reason: "RecordsPruned", note }).await;
    context.metrics.wrote("event");
    Ok(())
}

fn attempt(record: &Value) -> u32 {
    let number = record.pointer("/spec/attempt").and_then(Value::as_u64);
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or(u32::MAX)
}

/// None where it cannot be read.
fn shelved(record: &Value) -> Option<Shelved> {
    let spec: ReleaseRecordSpec = serde_json::from_value(record["spec"].clone()).ok()?;
    let status: Option<ReleaseRecordStatus> = serde_json::from_value(record["status"].clone()).ok()?;
    let status = status.as_ref();
    let charge = status.and_then(|status| status.charge.as_ref());
    let ended = status.and_then(|status| status.ended_at);
    Some(Shelved {
        name: record.pointer("/metadata/name").and_then(Value::as_str)?.to_owned(),
        attempt: spec.attempt,
        outcome: status.and_then(|status| status.outcome),
        last: ended.map(|ended| charge.map_or(ended, |charge| ended.max(charge.at))),
        charge: charge.map(|charge| charge.sequence),
        budget: spec.risk_budget,
    })
}

/// What the budgets of these records have counted, and all that their statuses say.
async fn budgets(
    context: &Context,
    namespace: &str,
    records: &[Shelved],
) -> Result<(BTreeMap<String, Counted>, BTreeSet<String>), Error> {
    let names: BTreeSet<&str> = records.iter().map(|record| record.budget.as_str()).collect();
    let (mut counted, mut named) = (BTreeMap::new(), BTreeSet::new());
    for name in names {
        let Some(budget) = context.cluster.get(&RISK_BUDGET, namespace, name).await? else { continue };
        strings(&budget["status"], &mut named);
        let status: Option<RiskBudgetStatus> = serde_json::from_value(budget["status"].clone()).unwrap_or_default();
        let Some((status, risk)) = status.and_then(|status| status.risk.clone().map(|risk| (status, risk))) else {
            continue;
        };
        let now = context.cluster.now();
        // Of more obligations than a status remembers nobody knows which records they are owed for.
        if status.further_obligations.len() >= FURTHER_MAX {
            continue;
        }
        // A window that has turned and was not counted since is not folded yet.
        if risk.from <= now && now < risk.until {
            let second_before = status.windows.get(1).map(|window| window.from);
            counted
                .insert(name.to_owned(), Counted { present: risk.from, second_before, folded: status.ledger.before });
        }
    }
    Ok((counted, named))
}

/// Every text in a status: whatever names a record keeps it, whoever wrote it there.
fn strings(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.insert(text.clone());
        }
        Value::Array(all) => all.iter().for_each(|one| strings(one, found)),
        Value::Object(fields) => fields.values().for_each(|one| strings(one, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The last attempt that was exported, as the annotation says; 0 where it names none of this chain.
fn exported(object: &Value, records: &[Value]) -> u32 {
    let said = object["metadata"]["annotations"][EXPORTED].as_str().unwrap_or_default();
    let Some((number, digest)) = said.split_once(' ') else { return 0 };
    let of_it = records.iter().find(|record| number.parse().is_ok_and(|number: u32| attempt(record) == number));
    let same = of_it.is_some_and(|record| record.pointer("/status/digest").and_then(Value::as_str) == Some(digest));
    of_it.filter(|_| same).map_or(0, attempt)
}

#[cfg(test)]
mod story;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_mark_counts_only_where_it_names_a_record_of_this_chain() {
        let record =
            |attempt: u32| json!({"spec": {"attempt": attempt}, "status": {"digest": format!("sha256:{attempt}")}});
        let records = [record(7), record(8)];
        let marked = |mark: &str| exported(&json!({"metadata": {"annotations": {EXPORTED: mark}}}), &records);
        assert_eq!((marked("8 sha256:8"), marked("7 sha256:7")), (8, 7));
        assert_eq!((marked("8 sha256:7"), marked("9 sha256:9"), marked("all"), marked("")), (0, 0, 0, 0));
        assert_eq!(exported(&json!({}), &records), 0);
    }

    #[test]
    fn every_text_of_a_status_is_found() {
        let mut found = BTreeSet::new();
        strings(&json!({"a": [{"record": "web-0001"}], "b": {"c": "x"}, "d": 1, "e": null}), &mut found);
        assert_eq!(found, ["web-0001", "x"].map(str::to_owned).into());
    }
}
