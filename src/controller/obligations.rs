//! Adds what people owe, and how the error budget went, to the status of a RiskBudget.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jiff::tz::TimeZone;
use serde_json::Value;

use super::words::Look;
use super::{Context, lock};
use crate::api::names::label_value;
use crate::api::{ReleaseRecordSpec, ReleaseRecordStatus, RiskBudgetSpec, RiskBudgetStatus, Time};
use crate::cluster::Error;
use crate::cluster::events::About;
use crate::cluster::kind::RISK_BUDGET;
use crate::policy::burn::Present;
use crate::policy::message::News;
use crate::policy::obligation::{RecordFacts, Said};
use crate::policy::standing::{Seen, asks, stand};
use crate::release::action::{Event, EventKind};

type Key = (String, String);

/// What the records of each budget tell, until they are listed again.
#[derive(Default)]
pub(super) struct Files {
    records: Mutex<BTreeMap<Key, Vec<RecordFacts>>>,
}

impl Files {
    /// The records of a budget were listed; by the label's value.
    pub(super) fn records(&self, namespace: &str, budget: &str, records: &[Value]) {
        let facts = records.iter().filter_map(record).collect();
        lock(&self.records).insert((namespace.to_owned(), label_value(budget)), facts);
    }

    /// A budget is gone.
    pub(super) fn forget(&self, namespace: &str, name: &str) {
        lock(&self.records).remove(&(namespace.to_owned(), label_value(name)));
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
    look: &Look<'_>,
    (namespace, name): (&str, &str),
    (spec, present): (&RiskBudgetSpec, Option<Present>),
    before: &RiskBudgetStatus,
    status: &mut RiskBudgetStatus,
    now: Time,
) -> Result<Added, Error> {
    // A zone that does not exist is told where windows are cut.
    let zone = TimeZone::get(&spec.window.time_zone).unwrap_or(TimeZone::UTC);
    let records = lock(&context.files.records).get(&(namespace.to_owned(), label_value(name))).cloned();
    let records = records.as_deref();
    let seen = Seen { namespace, name, spec, zone: &zone, before, now: status, records, said: &[], present };
    let said: Vec<Said> = match asks(&seen, now) {
        true => look.known().await?.iter().map(|one| Said::of(one, &spec.roles)).collect(),
        false => Vec::new(),
    };
    let standing = stand(&Seen { said: &said, ..seen }, now);
    (status.course, status.message) = (standing.course, standing.message);
    (status.obligations, status.further_obligations) = (standing.obligations, standing.further);
    context.metrics.obligations(namespace, name, &standing.all);
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

fn record(record: &Value) -> Option<RecordFacts> {
    let name = record.pointer("/metadata/name").and_then(Value::as_str)?;
    let spec: ReleaseRecordSpec = serde_json::from_value(record["spec"].clone()).ok()?;
    let status: ReleaseRecordStatus = serde_json::from_value(record["status"].clone()).ok()?;
    RecordFacts::of(name, &spec, &status)
}
