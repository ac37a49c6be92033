//! AdmissionReview `admission.k8s.io/v1`: bytes in, bytes out.

use k8s_openapi::ByteString;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::admission::{Operation, Policies, Refusal, Review, User};

const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The write goes through as it is.
    Unchanged,
    /// The write goes through, changed.
    Changed,
    /// A policy that must not be passed over could not be evaluated: the write is refused.
    Denied,
}

impl Outcome {
    /// One word for metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Denied => "denied",
        }
    }
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The AdmissionReview that is sent back.
    pub review: Value,
    /// What it says.
    pub outcome: Outcome,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    api_version: String,
    kind: String,
    request: Option<Question>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    uid: String,
    resource: Resource,
    sub_resource: Option<String>,
    operation: String,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
    user_info: Asker,
    object: Option<Value>,
    old_object: Option<Value>,
    dry_run: Option<bool>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    group: String,
    version: String,
    resource: String,
}

#[derive(Deserialize)]
struct Asker {
    #[serde(default)]
    username: String,
    #[serde(default)]
    groups: Vec<String>,
}

/// Lets the policies that change objects answer. The error says what is wrong with the question.
pub fn answer(policies: &Policies, body: &[u8]) -> Result<Answer, String> {
    let question = read(body)?;
    let user = User { name: question.user_info.username, groups: question.user_info.groups };
    let review = Review {
        operation: operation(&question.operation)?,
        group: &question.resource.group,
        version: &question.resource.version,
        resource: &question.resource.resource,
        subresource: question.sub_resource.as_deref().filter(|sub| !sub.is_empty()),
        user: &user,
        namespace: &question.namespace,
        name: &question.name,
        object: question.object.as_ref(),
        old: question.old_object.as_ref(),
        dry_run: question.dry_run.unwrap_or_default(),
        // A policy that asks the authorizer is refused when the policies are read.
        may: &|_| false,
    };
    let (outcome, more) = match policies.mutate(&review) {
        Ok(None) => (Outcome::Unchanged, json!({"allowed": true})),
        Ok(Some(changed)) => {
            let before = review.object.unwrap_or(&Value::Null);
            let patch = json_patch::diff(before, &changed);
            if patch.0.is_empty() {
                (Outcome::Unchanged, json!({"allowed": true}))
            } else {
                let patch = serde_json::to_vec(&patch).map_err(|why| format!("the patch: {why}"))?;
                let more = json!({"allowed": true, "patchType": "JSONPatch", "patch": ByteString(patch)});
                (Outcome::Changed, more)
            }
        }
        Err(refusal) => (Outcome::Denied, json!({"allowed": false, "status": status(&refusal, &review)})),
    };
    let mut response = more;
    response["uid"] = question.uid.into();
    Ok(Answer { review: json!({"apiVersion": API_VERSION, "kind": KIND, "response": response}), outcome })
}

fn read(body: &[u8]) -> Result<Question, String> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|why| format!("body: no {KIND}: {why}"))?;
    if (envelope.api_version.as_str(), envelope.kind.as_str()) != (API_VERSION, KIND) {
        return Err(format!(
            "apiVersion {:?}, kind {:?}: only {KIND} of {API_VERSION} is answered; set admissionReviewVersions: [v1] in the \
             webhook configuration",
            envelope.api_version, envelope.kind
        ));
    }
    envelope.request.ok_or_else(|| "request: missing".to_owned())
}

fn operation(text: &str) -> Result<Operation, String> {
    [Operation::Create, Operation::Update, Operation::Delete].into_iter().find(|known| known.as_str() == text).ok_or_else(
        || format!("request.operation {text:?}: CREATE, UPDATE and DELETE are answered; correct the rules of the webhook configuration"),
    )
}

/// The refusal as the API server passes it on, behind `admission webhook "…" denied the request: `.
fn status(refusal: &Refusal, review: &Review<'_>) -> Value {
    let why = refusal.details.as_ref().and_then(|details| details.pointer("/causes/0/message")).and_then(Value::as_str);
    let message = format!(
        "{} {}/{} was not changed: {}. Tidegate's webhook could not work out what the policy asks for, and the policy lets \
         nothing pass then. Report this with the manifest; to write it ungated, remove the label tidegate.io/gated",
        review.resource,
        review.namespace,
        review.name,
        why.unwrap_or(&refusal.message)
    );
    json!({"code": refusal.code, "reason": refusal.reason, "message": message})
}
