//! The smallest patch from one status to another.

use serde_json::{Map, Value, json};

use super::kind::{GATED_RELEASE, RISK_BUDGET};
use super::request::Change;
use super::{Cluster, Error, Kind};
use crate::api::gated_release::RecordsKept;
use crate::api::{GatedReleaseStatus, RiskBudgetStatus};

/// The JSON merge patch that makes `now` of `before`; none where they say the same.
pub fn difference(before: &Value, now: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (before, now) else {
        return (!same(before, now)).then(|| now.clone());
    };
    let mut patch = Map::new();
    for (key, value) in new {
        let change = match old.get(key) {
            Some(stands) => difference(stands, value),
            None => Some(value.clone()),
        };
        patch.extend(change.map(|change| (key.clone(), change)));
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Equal as the API server keeps it: it writes 80.0 as 80.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(_), Value::Object(_)) => difference(one, other).is_none(),
        (one, other) => one == other,
    }
}

/// What became of a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It stood already.
    Nothing,
    /// It was written.
    Whole,
    /// It was written, and what is in force did not come back: the CustomResourceDefinition does not know the field, and an API
    /// server drops such without a word.
    Forgotten,
}

impl Cluster {
    /// Writes the status of a GatedRelease where it differs from `before`; says whether it did.
    pub async fn write_release_status(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        before: &Value,
        now: &GatedReleaseStatus,
    ) -> Result<bool, Error> {
        // The uid keeps the status of a deleted object off one that was created anew under its name.
        let fence = json!({"uid": uid});
        let answer =
            self.write_status(&GATED_RELEASE, (namespace, name, fence), before, serde_json::to_value(now)).await?;
        Ok(answer.is_some())
    }

    /// Writes the status of a RiskBudget where it differs from `before`; says whether it did. Fenced by the
    /// resourceVersion at which `before` was read: what a release reserved or charged meanwhile is not overwritten.
    pub async fn write_budget_status(
        &self,
        (namespace, name): (&str, &str),
        resource_version: &str,
        before: &Value,
        now: &RiskBudgetStatus,
    ) -> Result<Written, Error> {
        let fence = json!({"resourceVersion": resource_version});
        let of = (namespace, name, fence);
        let answer = self.write_status(&RISK_BUDGET, of, before, serde_json::to_value(now)).await?;
        Ok(answer.map_or(Written::Nothing, |answer| {
            let forgets = now.in_force.is_some() && answer.pointer("/status/inForce/spec").is_none();
            if forgets { Written::Forgotten } else { Written::Whole }
        }))
    }

    /// Says in the status of a GatedRelease, or of a RiskBudget, with which attempt its chain of records begins.
    pub async fn write_records_kept(
        &self,
        kind: &Kind,
        (namespace, name): (&str, &str),
        uid: &str,
        kept: &RecordsKept,
    ) -> Result<(), Error> {
        let RecordsKept { begins, previous_digest, pruned } = kept;
        let records = json!({"begins": begins, "previousDigest": previous_digest, "pruned": pruned});
        let patch = json!({"metadata": {"uid": uid}, "status": {"records": records}});
        self.patch(kind, namespace, name, Some("status"), Change::Merge(patch)).await.map(drop)
    }

    async fn write_status(
        &self,
        kind: &Kind,
        (namespace, name, fence): (&str, &str, Value),
        before: &Value,
        now: Result<Value, serde_json::Error>,
    ) -> Result<Option<Value>, Error> {
        let now = now.map_err(|why| Error::Malformed {
            what: format!("status of {} {namespace}/{name}", kind.kind),
            why: why.to_string(),
        })?;
        let empty = json!({});
        let before = if before.is_object() { before } else { &empty };
        let Some(patch) = difference(before, &now) else { return Ok(None) };
        let patch = json!({"metadata": fence, "status": patch});
        self.patch(kind, namespace, name, Some("status"), Change::Merge(patch)).await.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(json!({"a": 1}), json!({"a": 1}), None)]
    #[case(json!({"a": 1}), json!({"a": 2}), Some(json!({"a": 2})))]
    #[case(json!({"a": 1, "b": 2}), json!({"a": 1}), Some(json!({"b": null})))]
    #[case(json!({}), json!({"a": {"b": 1}}), Some(json!({"a": {"b": 1}})))]
    #[case(json!({"w": {"x": 1, "y": 2}}), json!({"w": {"x": 1}}), Some(json!({"w": {"y": null}})))]
    #[case(json!({"list": [1, 2]}), json!({"list": [1]}), Some(json!({"list": [1]})))]
    #[case(json!({"list": [{"t": "A", "m": "x"}]}), json!({"list": [{"t": "A", "m": "x"}]}), None)]
    #[case(json!({"left": 80, "slos": [{"left": 80}]}), json!({"left": 80.0, "slos": [{"left": 80.0}]}), None)]
    #[case(json!({"left": 80}), json!({"left": 80.1}), Some(json!({"left": 80.1})))]
    fn a_patch_holds_what_differs_and_nothing_else(
        #[case] before: Value,
        #[case] now: Value,
        #[case] patch: Option<Value>,
    ) {
        assert_eq!(difference(&before, &now), patch);
    }
}

#[cfg(test)]
#[cfg(feature = "sandbox")]
mod memory {
    use std::sync::Arc;

    use super::*;
    use crate::api::custom_resource_definitions;
    use crate::api::loosening::InForce;
    use crate::cluster::{Leadership, SystemClock};
    use crate::sandbox::api::ApiServer;
    use crate::sandbox::objects::Objects as _;
    use crate::sandbox::present::bare::{Bare, CRD, NAMESPACE, admin};
    use crate::sandbox::schema::Schemas;

    /// What becomes of a status that remembers what is in force; the CRDs are this version's, or know nothing of it.
    async fn written(outdated: bool) -> [Written; 2] {
        let mut api = ApiServer::new(1);
        api.set_schemas(Box::new(Schemas::default())).unwrap();
        for crd in custom_resource_definitions() {
            let mut crd = serde_json::to_value(crd).unwrap();
            let fields = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties";
            if let Some(fields) = crd.pointer_mut(fields).and_then(Value::as_object_mut).filter(|_| outdated) {
                fields.remove("inForce");
            }
            api.create(&admin(), &CRD, crd).unwrap();
        }
        api.create(&admin(), &NAMESPACE, json!({"metadata": {"name": "shop"}})).unwrap();
        let budget = json!({
            "apiVersion": RISK_BUDGET.api_version(), "kind": RISK_BUDGET.kind, "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"tier": 1, "slos": [{"name": "a", "objective": 99.5, "availability": {"service": "web"}}]},
        });
        api.create(&admin(), &RISK_BUDGET, budget).unwrap();
        let client = Bare::new(api).client(admin());
        let cluster = Cluster::new(client, Arc::new(SystemClock), Leadership::always(), "tidegate-0");
        let status = RiskBudgetStatus {
            in_force: Some(InForce { generation: 1, spec: "{}".into() }),
            ..RiskBudgetStatus::default()
        };
        let mut all = [Written::Nothing; 2];
        for written in &mut all {
            let stands = cluster.get(&RISK_BUDGET, "shop", "web").await.unwrap().unwrap();
            let version = stands["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
            *written =
                cluster.write_budget_status(("shop", "web"), &version, &stands["status"], &status).await.unwrap();
        }
        all
    }

    #[tokio::test]
    async fn a_crd_that_drops_what_is_in_force_is_noticed() {
        assert_eq!(written(false).await, [Written::Whole, Written::Nothing]);
        assert_eq!(written(true).await, [Written::Forgotten, Written::Forgotten]);
    }
}
