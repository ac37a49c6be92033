//! All policies of a cluster, and the order in which they run.

use std::sync::{Arc, LazyLock};

use k8s_openapi::api::admissionregistration::v1::{
    MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::policy::{Mutating, Validating};
use super::refusals;
use super::request;
use super::review::{Refusal, Review};

use crate::cel::{Fault, Val};

const AUDIT: &str = include_str!("policies.yaml");
const ENFORCE: &str = include_str!("policies-enforce.yaml");

/// The chart's `override.mode`: who may let a held template run ungated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Override {
    /// Any person who may update the Deployment; it is recorded.
    Audit,
    /// Who holds the verb `bypass`.
    Enforce,
}

/// The policies of a cluster, compiled. A copy shares them.
#[derive(Debug, Clone)]
pub struct Policies {
    mutating: Arc<[Mutating]>,
    validating: Arc<[Validating]>,
}

impl Policies {
    /// The policies that the chart ships. They are read once for all.
    pub fn shipped(mode: Override) -> Result<Self, String> {
        static SHIPPED: LazyLock<[Result<Policies, String>; 2]> =
            LazyLock::new(|| [AUDIT, ENFORCE].map(Policies::read));
        let [audit, enforce] = &*SHIPPED;
        match mode {
            Override::Audit => audit.clone(),
            Override::Enforce => enforce.clone(),
        }
    }

    /// Reads policies and their bindings, as YAML documents. A policy without a binding is not in force. Errors name the
    /// policy and say what is wrong, or not supported here.
    pub fn read(text: &str) -> Result<Self, String> {
        let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|why| why.to_string())?;
        let bindings = of_kind::<MutatingAdmissionPolicyBinding>(&documents, "MutatingAdmissionPolicyBinding")?;
        let mut mutating = Vec::new();
        for policy in of_kind::<MutatingAdmissionPolicy>(&documents, "MutatingAdmissionPolicy")? {
            let name = policy.metadata.name.clone();
            let binding = bindings
                .iter()
                .find(|binding| binding.spec.as_ref().and_then(|spec| spec.policy_name.as_ref()) == name.as_ref());
            let Some(binding) = binding else { continue };
            mutating
                .push(Mutating::read(policy, binding).map_err(|why| format!("{}: {why}", name.unwrap_or_default()))?);
        }
        let bindings = of_kind::<ValidatingAdmissionPolicyBinding>(&documents, "ValidatingAdmissionPolicyBinding")?;
        let mut validating = Vec::new();
        for policy in of_kind::<ValidatingAdmissionPolicy>(&documents, "ValidatingAdmissionPolicy")? {
            let name = policy.metadata.name.clone();
            let binding = bindings.iter().find(|binding| Some(&binding.spec.policy_name) == name.as_ref());
            let Some(binding) = binding else { continue };
            validating
                .push(Validating::read(policy, binding).map_err(|why| format!("{}: {why}", name.unwrap_or_default()))?);
        }
        Ok(Self { mutating: mutating.into(), validating: validating.into() })
    }

    /// For a webhook, which changes objects and has no authorizer: refuses a text without a policy that changes objects, and
    /// one with such a policy that names `authorizer`. Errors name the policy.
    pub fn for_webhook(self) -> Result<Self, String> {
        if self.mutating.is_empty() {
            return Err("no MutatingAdmissionPolicy with a binding: nothing would be held".to_owned());
        }
        match self.mutating.iter().find(|mutating| mutating.names("authorizer")) {
            Some(mutating) => Err(format!("{}: a webhook cannot answer `authorizer`", mutating.policy.name)),
            None => Ok(self),
        }
    }

    /// Asks all policies about a write: [`Self::mutate`], then [`Self::validate`]. Gives the object where it was changed.
    pub fn admit(&self, review: &Review<'_>) -> Result<Option<Value>, Refusal> {
        let changed = self.mutate(review)?;
        self.validate(&Review { object: changed.as_ref().or(review.object), ..*review })?;
        Ok(changed)
    }

    /// Lets the policies that change objects run, by name. Gives the object where it was changed. An API server validates
    /// the object between this and [`Self::validate`].
    pub fn mutate(&self, review: &Review<'_>) -> Result<Option<Value>, Refusal> {
        let mut changed: Option<Value> = None;
        let mut last = None;
        for (index, policy) in self.mutating.iter().enumerate() {
            if let Some(object) = mutate(policy, review, changed.as_ref().or(review.object))? {
                (changed, last) = (Some(object), Some(index));
            }
        }
        // Who ran before the last change sees the object once more, where it wants to.
        for policy in self.mutating.iter().take(last.unwrap_or(0)).filter(|policy| policy.again) {
            if let Some(object) = mutate(policy, review, changed.as_ref().or(review.object))? {
                changed = Some(object);
            }
        }
        Ok(changed)
    }

    /// Asks the policies that refuse writes, by name; the first that does decides.
    pub fn validate(&self, review: &Review<'_>) -> Result<(), Refusal> {
        self.validating.iter().try_for_each(|policy| validate(policy, review, review.object))
    }
}

/// All documents of a kind, by name, as an API server orders them.
fn of_kind<T: DeserializeOwned>(documents: &[Value], kind: &str) -> Result<Vec<T>, String> {
    let mut found: Vec<&Value> =
        documents.iter().filter(|document| document.get("kind").is_some_and(|is| is == kind)).collect();
    found.sort_by_key(|document| document.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default());
    found
        .into_iter()
        .map(|document| serde_json::from_value(document.clone()).map_err(|why| format!("{kind}: {why}")))
        .collect()
}

/// The object as a policy changes it; none where it does not.
fn mutate(mutating: &Mutating, review: &Review<'_>, object: Option<&Value>) -> Result<Option<Value>, Refusal> {
    let policy = &mutating.policy;
    let Some(before) = object.filter(|object| policy.concerns(review, Some(object))) else { return Ok(None) };
    match patched(mutating, review, before) {
        Ok(after) => Ok(after.filter(|after| after != before)),
        Err(why) if policy.fails => Err(refusals::failed(review, policy, &why)),
        Err(_) => Ok(None),
    }
}

fn patched(mutating: &Mutating, review: &Review<'_>, before: &Value) -> Result<Option<Value>, Fault> {
    let policy = &mutating.policy;
    if !policy.applies(&request::scope(policy, review, Some(before)))? {
        return Ok(None);
    }
    let mut after: Option<Value> = None;
    for mutation in &mutating.mutations {
        let patch = request::scope(policy, review, Some(after.as_ref().unwrap_or(before))).eval(mutation)?.to_json()?;
        if patch.as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        let patch: json_patch::Patch = serde_json::from_value(patch).map_err(|why| Fault(why.to_string()))?;
        let object = after.get_or_insert_with(|| before.clone());
        json_patch::patch(object, &patch).map_err(|why| Fault(why.to_string()))?;
    }
    Ok(after)
}

fn validate(validating: &Validating, review: &Review<'_>, object: Option<&Value>) -> Result<(), Refusal> {
    let policy = &validating.policy;
    if !policy.concerns(review, object) {
        return Ok(());
    }
    let scope = request::scope(policy, review, object);
    match policy.applies(&scope) {
        Ok(true) => {}
        Ok(false) => return Ok(()),
        Err(why) if policy.fails => return Err(refusals::denied(review, policy, &why.to_string(), None)),
        Err(_) => return Ok(()),
    }
    for validation in &validating.validations {
        let (message, reason) = match scope.eval(&validation.program).and_then(|holds| holds.truth()) {
            Ok(true) => continue,
            Ok(false) => {
                let evaluated =
                    validation.message_expression.as_ref().and_then(|expression| scope.eval(expression).ok());
                let message = match (evaluated, &validation.message) {
                    (Some(Val::Text(text)), _) if !text.trim().is_empty() => text.trim().to_owned(),
                    (_, Some(message)) => message.clone(),
                    (_, None) => format!("failed expression: {}", validation.program.text()),
                };
                (message, validation.reason.as_deref())
            }
            Err(why) if policy.fails => {
                (format!("expression '{}' resulted in error: {why}", validation.program.text()), None)
            }
            Err(_) => continue,
        };
        return Err(refusals::denied(review, policy, &message, reason));
    }
    Ok(())
}
