//! Admission in a cluster that knows no MutatingAdmissionPolicy: the webhook changes objects, the API server's own policies
//! refuse writes.
//!
//! What the chart's MutatingWebhookConfiguration says is said here again: what is asked about, and what happens where
//! nobody answers. The answer is [`review::answer`](crate::server::webhook::review::answer)'s, to an AdmissionReview.

use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::api::{Admission, Operation, Review};
use crate::admission::{Override, Policies, Refusal};
use crate::api::names::{CHANGED_BY, GATED, PAUSED_BECAUSE, RESUMED_BY, WEIGHTS};
use crate::server::webhook::review::answer;

/// Who the policies take for the controller.
const CONTROLLER: &str = "system:serviceaccount:tidegate:tidegate";

/// What nobody but the API server writes.
const STAMPS: [&str; 3] = [CHANGED_BY, RESUMED_BY, PAUSED_BECAUSE];

/// The webhook as the API server knows it.
#[derive(Debug, Clone)]
pub struct Webhook {
    policies: Policies,
    answers: bool,
}

/// What a webhook of the configuration means for a write that nobody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unanswered {
    Refused(&'static str),
    Passes,
}

impl Webhook {
    /// The webhook with the policies that the chart ships; where it does not answer, what is gated cannot be written.
    pub fn shipped(answers: bool) -> Result<Self, String> {
        Ok(Self { policies: Policies::shipped(Override::Audit)?.for_webhook()?, answers })
    }

    fn ask(&self, review: &Review<'_>) -> Result<Option<Value>, String> {
        let question = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "1", "operation": review.operation.as_str(), "dryRun": review.dry_run,
                "namespace": review.namespace, "name": review.name, "subResource": review.subresource,
                "resource": {"group": review.group, "version": review.version, "resource": review.resource},
                "userInfo": {"username": review.user.name, "groups": review.user.groups},
                "object": review.object, "oldObject": review.old,
            },
        });
        let answer = answer(&self.policies, question.to_string().as_bytes())?.review;
        let response = &answer["response"];
        if response["allowed"] != true {
            return Err(response["status"]["message"].as_str().unwrap_or_default().to_owned());
        }
        let (Some(patch), Some(object)) = (response.get("patch"), review.object) else { return Ok(None) };
        let patch: ByteString = serde_json::from_value(patch.clone()).map_err(|why| why.to_string())?;
        let patch: json_patch::Patch = serde_json::from_slice(&patch.0).map_err(|why| why.to_string())?;
        let mut changed = object.clone();
        json_patch::patch(&mut changed, &patch).map_err(|why| why.to_string())?;
        Ok(Some(changed))
    }
}

impl Admission for Webhook {
    fn admit(&self, review: Review<'_>) -> Result<Option<Value>, Refusal> {
        let changed = match (concerned(&review), self.answers) {
            (None, _) | (Some(Unanswered::Passes), false) => None,
            (Some(Unanswered::Refused(webhook)), false) => {
                let why = "connect: connection refused";
                return Err(refused(&format!("Internal error occurred: failed calling webhook \"{webhook}\": {why}")));
            }
            (Some(_), true) => self.ask(&review).map_err(|why| refused(&why))?,
        };
        self.policies.validate(&Review { object: changed.as_ref().or(review.object), ..review })?;
        Ok(changed)
    }
}

/// What the configuration says of a write; none where nobody is asked.
fn concerned(review: &Review<'_>) -> Option<Unanswered> {
    let carries = |object: Option<&Value>, map: &str, key: &str| {
        object.and_then(|object| object.pointer(map)?.get(key)).is_some()
    };
    let updated = review.operation == Operation::Update && review.subresource.is_none();
    let status = review.subresource == Some("status");
    let written = review.operation == Operation::Create || status;
    let others = review.user.name != CONTROLLER;
    let gated = || others && carries(review.object, "/metadata/labels", GATED);
    // A write of the status leaves a Deployment's labels as they are.
    let kept = || others && status && carries(review.old, "/metadata/labels", GATED);
    let stamps = |object: Option<&Value>| STAMPS.map(|key| object?.pointer("/metadata/annotations")?.get(key).cloned());
    let before = || stamps(review.old.filter(|old| status && carries(Some(old), "/metadata/labels", GATED)));
    let marked = || others && carries(review.old, "/metadata/annotations", WEIGHTS);
    match (review.group, review.resource) {
        ("apps", "deployments") if updated && gated() => Some(Unanswered::Refused("hold.tidegate.io")),
        ("apps", "statefulsets") if updated && gated() => Some(Unanswered::Refused("hold-stateful.tidegate.io")),
        ("apps", "deployments" | "statefulsets")
            if written && (gated() || kept()) && stamps(review.object) != before() =>
        {
            Some(Unanswered::Refused("stamps.tidegate.io"))
        }
        ("gateway.networking.k8s.io", "httproutes") if updated && marked() => Some(Unanswered::Passes),
        ("tidegate.io", "attestations") if review.operation == Operation::Create => Some(Unanswered::Passes),
        _ => None,
    }
}

fn refused(message: &str) -> Refusal {
    Refusal { code: 500, reason: "InternalError", message: message.to_owned(), details: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admission::User;
    use rstest::rstest;

    fn admit(answers: bool, label: bool, image: &str) -> Result<Option<Value>, Refusal> {
        let deployment = |image: &str| {
            let labels = if label { json!({GATED: ""}) } else { json!({}) };
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop", "labels": labels},
                "spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": image}]}}}})
        };
        let (old, new) = (deployment("shop:1"), deployment(image));
        Webhook::shipped(answers).unwrap().admit(Review {
            operation: Operation::Update,
            group: "apps",
            version: "v1",
            resource: "deployments",
            subresource: None,
            user: &User::person("alice"),
            namespace: "shop",
            name: "web",
            object: Some(&new),
            old: Some(&old),
            dry_run: false,
            may: &|_| false,
        })
    }

    #[rstest]
    #[case::a_new_template_is_held(true, true, "shop:2", Ok(Some(true)))]
    #[case::the_same_template_is_not(true, true, "shop:1", Ok(None))]
    #[case::what_is_not_gated_is_not_asked_about(true, false, "shop:2", Ok(None))]
    #[case::nobody_answers(false, true, "shop:2", Err("failed calling webhook \"hold.tidegate.io\""))]
    #[case::nor_for_the_same_template(false, true, "shop:1", Err("failed calling webhook"))]
    #[case::nobody_needs_to(false, false, "shop:2", Ok(None))]
    fn the_webhook_holds_what_is_gated(
        #[case] answers: bool,
        #[case] label: bool,
        #[case] image: &str,
        #[case] expected: Result<Option<bool>, &str>,
    ) {
        match (admit(answers, label, image), expected) {
            (Ok(changed), Ok(paused)) => {
                let says = changed.and_then(|object| object.pointer("/spec/paused").and_then(Value::as_bool));
                assert_eq!(says, paused);
            }
            (Err(refusal), Err(says)) => assert!(refusal.message.contains(says), "{refusal}"),
            (is, expected) => panic!("{is:?}, {expected:?}"),
        }
    }

    /// Nobody waits for a controller who neither brings stamps nor takes them away.
    #[rstest]
    #[case::a_creation(Operation::Create, None, None, None, None)]
    #[case::a_status(Operation::Update, Some("status"), Some("dana"), Some("dana"), None)]
    #[case::a_creation_that_brings_them(Operation::Create, None, None, Some("bob"), Some(None))]
    #[case::a_status_that_changes_them(
        Operation::Update,
        Some("status"),
        Some("dana"),
        Some("bob"),
        Some(Some("dana"))
    )]
    fn stamps_are_asked_about(
        #[case] operation: Operation,
        #[case] subresource: Option<&str>,
        #[case] before: Option<&str>,
        #[case] sent: Option<&str>,
        #[case] asked: Option<Option<&str>>,
    ) {
        let deployment = |by: Option<&str>| {
            let annotations = by.map_or_else(|| json!({}), |by| json!({CHANGED_BY: by}));
            json!({"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "web", "namespace": "shop", "labels": {GATED: ""}, "annotations": annotations},
                "spec": {"template": {"metadata": {}, "spec": {}}}})
        };
        let (old, new) = (before.map(|by| deployment(Some(by))), deployment(sent));
        let admit = |answers: bool| {
            Webhook::shipped(answers).unwrap().admit(Review {
                operation,
                group: "apps",
                version: "v1",
                resource: "deployments",
                subresource,
                user: &User::person("alice"),
                namespace: "shop",
                name: "web",
                object: Some(&new),
                old: old.as_ref(),
                dry_run: false,
                may: &|_| false,
            })
        };
        let by = |object: &Value| object["metadata"]["annotations"].get(CHANGED_BY).cloned();
        let changed = admit(true).unwrap().map(|object| by(&object));
        assert_eq!(changed, asked.map(|by| by.map(Value::from)));
        let unanswered = admit(false).err().is_some_and(|why| why.message.contains("stamps.tidegate.io"));
        assert_eq!(unanswered, asked.is_some());
    }
}
