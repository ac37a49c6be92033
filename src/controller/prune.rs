//! Takes away records that nobody needs any more: what may go is decided in `release::retention`, this reads and deletes.
//!
//! The status of the GatedRelease, or of the RiskBudget for charges that are no workload's, says first with which attempt its
//! chain begins, then the records before it go, the oldest first: so a walk along the chain tells what was pruned from what
//! somebody deleted, also after a death in between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::queue::Key;
use super::{Context, lock};
use crate::api::gated_release::RecordsKept;
use crate::api::names::{EXPORTED, RELEASE, label_value};
use crate::api::{ReleaseRecordSpec, ReleaseRecordStatus, RiskBudgetStatus, Span};
use crate::cluster::events::About;
use crate::cluster::kind::{GATED_RELEASE, RELEASE_RECORD, RISK_BUDGET};
use crate::cluster::request::Just;
use crate::cluster::{Error, Kind};
use crate::policy::ledger::LATE;
use crate::policy::obligation::FURTHER_MAX;
use crate::release::action::{Event, EventKind};
use crate::release::chain::{Known, is_older, walk};
use crate::release::charge::{book, is_book};
use crate::release::retention::{Counted, Facts, RECORDS_MIN, Shelved, begins};
use crate::release::snapshot::Release;

/// How often the records of one chain are looked through, where the configuration says an hour.
const EVERY: Duration = Duration::from_secs(3_600);
/// The same while a pass has left some that may go too.
const AGAIN: Duration = Duration::from_secs(60);

/// When each chain is looked through again, and how much of an hour an hour is.
pub(super) struct Passes(Mutex<BTreeMap<Key, Instant>>, f64);

impl Passes {
    /// Passes of this interval; every pause is as much longer or shorter as it is than an hour.
    pub(super) fn every(interval: Span) -> Self {
        Self(Mutex::default(), interval.as_std().as_secs_f64() / EVERY.as_secs_f64())
    }

    /// Whether it is time. The first look comes some time after the process began, so that a start is no rush.
    fn due(&self, key: &Key, chance: f64) -> bool {
        let mut all = lock(&self.0);
        match all.get(key) {
            Some(next) => Instant::now() >= *next,
            None => {
                all.insert(key.clone(), Instant::now() + AGAIN.mul_f64(self.1 * (1.0 + 9.0 * chance)));
                false
            }
        }
    }

    fn next(&self, key: &Key, pause: Duration) {
        lock(&self.0).insert(key.clone(), Instant::now() + pause.mul_f64(self.1));
    }

    /// The object is gone.
    pub(super) fn forget(&self, key: &Key) {
        lock(&self.0).remove(key);
    }
}

/// A chain of records, and the object whose status says with which of them it begins.
struct Chain<'a> {
    kind: &'a Kind,
    namespace: &'a str,
    /// The object's name.
    name: &'a str,
    uid: &'a str,
    /// What stands in `spec.release` of the records.
    book: String,
    /// How many there were; none where nobody counts them.
    attempts: Option<u32>,
    kept: Option<RecordsKept>,
}

/// Looks through the records of a GatedRelease where it is time and there may be too many. Only who leads comes here, and
/// every write asks for that once more.
pub(super) async fn look(context: &Context, key: &Key, release: &Release) -> Result<(), Error> {
    let first = release.status.records.as_ref().map_or(1, |kept| kept.begins);
    let there = u64::from(release.status.attempts.saturating_add(1).saturating_sub(first));
    if there <= RECORDS_MIN as u64 {
        return Ok(());
    }
    passes(context, key, &of_release(release)).await
}

/// Looks through the records of what was charged to a RiskBudget and is no workload's change, where it is time.
pub(super) async fn look_at_charges(
    context: &Context,
    key: &Key,
    (namespace, name, uid): (&str, &str, &str),
    status: &RiskBudgetStatus,
) -> Result<(), Error> {
    let kept = status.records.clone();
    let attempts = status.ledger.chain.as_ref().map(|chain| chain.attempts);
    let chain = Chain { kind: &RISK_BUDGET, namespace, name, uid, book: book(name), attempts, kept };
    passes(context, key, &chain).await
}

fn of_release(release: &Release) -> Chain<'_> {
    Chain {
        kind: &GATED_RELEASE,
        namespace: &release.namespace,
        name: &release.name,
        uid: &release.uid,
        book: release.name.clone(),
        attempts: Some(release.status.attempts),
        kept: release.status.records.clone(),
    }
}

async fn passes(context: &Context, key: &Key, chain: &Chain<'_>) -> Result<(), Error> {
    if !context.passes.due(key, context.cluster.chance()) {
        return Ok(());
    }
    context.passes.next(key, EVERY);
    if pass(context, chain).await? {
        context.passes.next(key, AGAIN);
    }
    Ok(())
}

/// One pass; says whether something went, and so more may follow.
async fn pass(context: &Context, chain: &Chain<'_>) -> Result<bool, Error> {
    let Chain { kind, namespace, name, ref kept, .. } = *chain;
    let book = chain.book.as_str();
    let Some(object) = context.cluster.get(kind, namespace, name).await? else { return Ok(false) };
    let labels = format!("{RELEASE}={}", label_value(book));
    let mut records = context.cluster.list_all(&RELEASE_RECORD, namespace, &labels).await?;
    records.retain(|record| record.pointer("/spec/release").and_then(Value::as_str) == Some(book));
    if is_book(book) {
        // Names that are too long for a label may share one.
        records.retain(|record| record.pointer("/spec/riskBudget").and_then(Value::as_str) == Some(name));
    }
    let from_the_first = is_older(&object, &records);
    let known = Known { attempts: chain.attempts, kept: kept.as_ref(), from_the_first, ..Known::default() };
    if let Some(broken) = walk(book, &records, known).broken {
        // What shows that somebody tampered with it is evidence.
        tracing::warn!(namespace, chain = book, %broken, "records are not pruned while their chain does not hold");
        return Ok(false);
    }
    let Some(shelved) = records.iter().map(shelved).collect::<Option<Vec<_>>>() else {
        tracing::warn!(namespace, chain = book, "records are not pruned while one of them cannot be read");
        return Ok(false);
    };
    let Budgets { counted, gone, mut named } = budgets(context, namespace, &shelved).await?;
    strings(&object["status"], &mut named);
    let only_exported = context.sources.config().records.prune_only_exported;
    let marked = exported(&object, &records);
    let exported = only_exported.then_some(marked);
    let now = context.cluster.now();
    let facts = Facts { records: &shelved, budgets: &counted, gone: &gone, now, named: &named, exported };
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
        context.cluster.write_records_kept(kind, (namespace, name), chain.uid, &kept).await?;
        context.metrics.wrote(if is_book(book) { "budget_status" } else { "release_status" });
    }
    delete(context, chain, gone, marked).await?;
    Ok(true)
}

/// Deletes records, the oldest first, each as it was looked at. `marked` is the last attempt that was exported.
async fn delete(context: &Context, chain: &Chain<'_>, mut gone: Vec<&Value>, marked: u32) -> Result<(), Error> {
    let Chain { kind, namespace, name, uid, .. } = *chain;
    let book = chain.book.as_str();
    gone.sort_by_key(|record| attempt(record));
    let text =
        |record: &Value, place: &str| record.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
    for record in &gone {
        let (of, version) = (text(record, "/metadata/name"), text(record, "/metadata/resourceVersion"));
        context.cluster.delete(&RELEASE_RECORD, namespace, &of, Just::Version(&version)).await?;
        context.metrics.wrote("prune_record");
        let digest = text(record, "/status/digest");
        tracing::info!(namespace, chain = book, record = of, digest, "record pruned");
    }
    let (Some(oldest), Some(newest)) = (gone.first(), gone.last()) else { return Ok(()) };
    let note = format!(
        "{} records were pruned, {} to {}: two windows and more have passed since, or {} newer ones are kept. The chain begins with number {} (tidegate audit verify -n {namespace} --release {book}).{}",
        gone.len(),
        text(oldest, "/metadata/name"),
        text(newest, "/metadata/name"),
        crate::release::retention::RECORDS_MAX,
        attempt(newest).saturating_add(1),
        unexported(gone.iter().filter(|record| attempt(record) > marked).count()),
    );
    let about = About { kind, namespace, name, uid };
    context.cluster.tell(&about, &Event { kind: EventKind::Normal, reason: "RecordsPruned", note }).await;
    context.metrics.wrote("event");
    Ok(())
}

/// What is said of records that went and are in no export.
fn unexported(count: usize) -> String {
    match count {
        0 => String::new(),
        _ => format!(
            " No export is known of {count} of them: where an archive is asked for, set records.pruneOnlyExported and let a job run tidegate audit export --mark."
        ),
    }
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
    // What was attested shortly before a window is still charged to it: the record says that it was charged already.
    let late = if is_book(&spec.release) { LATE } else { Span::ZERO };
    Some(Shelved {
        name: record.pointer("/metadata/name").and_then(Value::as_str)?.to_owned(),
        attempt: spec.attempt,
        outcome: status.and_then(|status| status.outcome),
        last: ended.map(|ended| charge.map_or(ended, |charge| ended.max(charge.at)).plus(late)),
        charge: charge.map(|charge| charge.sequence),
        budget: spec.risk_budget,
    })
}

/// The budgets of some records.
struct Budgets {
    /// What they have counted.
    counted: BTreeMap<String, Counted>,
    /// Those that do not exist any more.
    gone: BTreeSet<String>,
    /// All that their statuses say.
    named: BTreeSet<String>,
}

async fn budgets(context: &Context, namespace: &str, records: &[Shelved]) -> Result<Budgets, Error> {
    let names: BTreeSet<&str> = records.iter().map(|record| record.budget.as_str()).collect();
    let mut all = Budgets { counted: BTreeMap::new(), gone: BTreeSet::new(), named: BTreeSet::new() };
    for name in names {
        let Some(budget) = context.cluster.get(&RISK_BUDGET, namespace, name).await? else {
            all.gone.insert(name.to_owned());
            continue;
        };
        strings(&budget["status"], &mut all.named);
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
            let folded = status.ledger.before;
            all.counted.insert(name.to_owned(), Counted { present: risk.from, second_before, folded });
        }
    }
    Ok(all)
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
    use rstest::rstest;
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

    /// With a chance of one half the first look comes 5.5 sixtieths of the interval after the start.
    #[rstest]
    #[case::as_it_is_by_default(Span::hours(1))]
    #[case::of_a_minute(Span::minutes(1))]
    #[tokio::test(start_paused = true)]
    async fn every_pause_is_in_the_measure_of_the_interval(#[case] interval: Span) {
        let (passes, key) = (Passes::every(interval), Key::release("shop", "web"));
        let sleep = |sixtieths: f64| tokio::time::advance(interval.as_std().mul_f64(sixtieths / 60.0));
        assert!(!passes.due(&key, 0.5), "a start is no rush");
        sleep(5.4).await;
        assert!(!passes.due(&key, 0.5));
        sleep(0.2).await;
        assert!(passes.due(&key, 0.5));
        passes.next(&key, EVERY);
        sleep(59.9).await;
        assert!(!passes.due(&key, 0.5));
        sleep(0.2).await;
        assert!(passes.due(&key, 0.5));
        passes.next(&key, AGAIN);
        sleep(0.9).await;
        assert!(!passes.due(&key, 0.5));
        sleep(0.2).await;
        assert!(passes.due(&key, 0.5));
    }

    #[test]
    fn what_went_unexported_is_said() {
        assert_eq!(unexported(0), "");
        assert!(
            unexported(7).contains("No export is known of 7 of them") && unexported(7).contains("pruneOnlyExported")
        );
    }

    #[test]
    fn every_text_of_a_status_is_found() {
        let mut found = BTreeSet::new();
        strings(&json!({"a": [{"record": "web-0001"}], "b": {"c": "x"}, "d": 1, "e": null}), &mut found);
        assert_eq!(found, ["web-0001", "x"].map(str::to_owned).into());
    }
}
