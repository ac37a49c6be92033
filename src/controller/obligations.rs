//! Adds what people owe, and how the error budget went, to the status of a RiskBudget.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::tz::TimeZone;
use serde_json::Value;

use super::{Context, lock};
use crate::api::attestation::SubjectRef;
use crate::api::names::{RELEASE, label_value};
use crate::api::{AttestationSpec, ReleaseRecordSpec, ReleaseRecordStatus, RiskBudgetSpec, RiskBudgetStatus, Time};
use crate::cluster::Error;
use crate::cluster::events::About;
use crate::cluster::kind::{ATTESTATION, RISK_BUDGET};
use crate::policy::message::News;
use crate::policy::obligation::{RecordFacts, Said};
use crate::policy::requirement::Claim;
use crate::policy::standing::{Seen, asks, stand};
use crate::release::action::{Event, EventKind};

type Key = (String, String);

/// What was found about each budget, until it changes: what its records tell, and what was attested.
#[derive(Default)]
pub(super) struct Files {
    records: Mutex<BTreeMap<Key, Vec<RecordFacts>>>,
    said: Mutex<BTreeMap<Key, Vec<Said>>>,
    /// How many changes of attestations were seen: what was listed before one is not kept.
    changes: AtomicU64,
}

impl Files {
    /// The records of a budget were listed; by the label's value.
    pub(super) fn records(&self, namespace: &str, budget: &str, records: &[Value]) {
        let facts = records.iter().filter_map(record).collect();
        lock(&self.records).insert((namespace.to_owned(), label_value(budget)), facts);
    }

    /// Something was attested, or taken away, about what has this name: it is listed anew.
    pub(super) fn changed(&self, namespace: &str, name: &str) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        lock(&self.said).remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// A budget is gone.
    pub(super) fn forget(&self, namespace: &str, name: &str) {
        lock(&self.records).remove(&(namespace.to_owned(), label_value(name)));
        self.changed(namespace, name);
    }
}

/// What one look adds: what is told once it is written, and when to look again at the latest.
pub(super) struct Added {
    news: Vec<News>,
    pub(super) next: Option<Time>,
}

/// Adds it to a status that has its figures.
pub(super) async fn add(
    context: &Context,
    (namespace, name): (&str, &str),
    spec: &RiskBudgetSpec,
    before: &RiskBudgetStatus,
    status: &mut RiskBudgetStatus,
    now: Time,
) -> Result<Added, Error> {
    // A zone that does not exist is told where windows are cut.
    let zone = TimeZone::get(&spec.window.time_zone).unwrap_or(TimeZone::UTC);
    let records = lock(&context.files.records).get(&(namespace.to_owned(), label_value(name))).cloned();
    let records = records.unwrap_or_default();
    let seen = Seen { namespace, name, spec, zone: &zone, before, now: status, records: &records, said: &[] };
    let said = if asks(&seen, now) { said(context, namespace, name).await? } else { Vec::new() };
    let standing = stand(&Seen { said: &said, ..seen }, now);
    (status.course, status.message) = (standing.course, standing.message);
    status.obligations = standing.obligations;
    status.conditions.extend(standing.condition);
    Ok(Added { news: standing.news, next: standing.next })
}

/// Tells what changed, after it was written.
pub(super) async fn tell(context: &Context, (namespace, name, uid): (&str, &str, &str), added: Added) {
    let about = About { kind: &RISK_BUDGET, namespace, name, uid };
    for News { warns, reason, note } in added.news {
        let kind = if warns { EventKind::Warning } else { EventKind::Normal };
        context.cluster.tell(&about, &Event { kind, reason, note }).await;
        context.metrics.wrote("event");
    }
}

/// What was attested about a budget, listed where something may have changed.
async fn said(context: &Context, namespace: &str, name: &str) -> Result<Vec<Said>, Error> {
    let key = (namespace.to_owned(), name.to_owned());
    if let Some(known) = lock(&context.files.said).get(&key) {
        return Ok(known.clone());
    }
    let changes = context.files.changes.load(Ordering::SeqCst);
    // A name that is too long for a label has none.
    let labels = if label_value(name) == name { format!("{RELEASE}={name}") } else { String::new() };
    let mut all = context.cluster.list_all(&ATTESTATION, namespace, &labels).await?;
    let subject = SubjectRef::budget(name);
    let said: Vec<Said> = all.iter_mut().filter_map(|one| heard(one, &subject)).collect();
    // Who is not found by a label is not watched by it either.
    let mut kept = lock(&context.files.said);
    if !labels.is_empty() && context.files.changes.load(Ordering::SeqCst) == changes {
        kept.insert(key, said.clone());
    }
    drop(kept);
    Ok(said)
}

/// One that cannot be read, or is being deleted, says nothing.
fn heard(object: &mut Value, subject: &SubjectRef) -> Option<Said> {
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    let attestation = object.pointer("/metadata/name").and_then(Value::as_str)?.to_owned();
    let at = object.pointer("/metadata/creationTimestamp").and_then(Value::as_str)?.parse().ok().map(Time)?;
    let spec: AttestationSpec = serde_json::from_value(object["spec"].take()).ok()?;
    (spec.release_ref == *subject && spec.statement.is_none()).then(|| Said {
        attestation,
        obligation: spec.revision.clone(),
        claim: Claim::of(&spec, at),
    })
}
fn record(record: &Value) -> Option<RecordFacts> {
    let name = record.pointer("/metadata/name").and_then(Value::as_str)?;
    let spec: ReleaseRecordSpec = serde_json::from_value(record["spec"].clone()).ok()?;
    let status: ReleaseRecordStatus = serde_json::from_value(record["status"].clone()).ok()?;
    RecordFacts::of(name, &spec, &status)
}
