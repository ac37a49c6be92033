//! What others bring to the API server: admission, schemas of custom resources, and what only people need.

use serde_json::Value;

use super::call::{Answer, Call};
use super::resource::Resource;
use super::server::ApiServer;
use crate::admission::Policies;
pub use crate::admission::{Operation, Review};
use crate::api::Time;
use crate::sandbox::objects::Refusal;

/// Admission policies.
pub trait Admission: Send + Sync {
    /// The object as it was changed, none where it stays; or why it is refused.
    fn admit(&self, review: Review<'_>) -> Result<Option<Value>, Refusal>;
}

impl Admission for Policies {
    fn admit(&self, review: Review<'_>) -> Result<Option<Value>, Refusal> {
        self.admit(&review)
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Path, such as `spec.rollback.errorRatePercent`.
    pub field: String,
    /// The message without the path, such as `Invalid value: 101: should be less than or equal to 100`.
    pub message: String,
}

/// The schemas of custom resources.
pub trait Schemas: Send + Sync {
    /// Sets defaults and drops fields that no schema knows.
    fn default_and_prune(&self, group: &str, kind: &str, object: &mut Value);

    /// Paths of fields that no schema knows.
    fn unknown_fields(&self, group: &str, kind: &str, object: &Value) -> Vec<String>;

    /// What is wrong with an object; `old` is what is stored, at an update.
    fn validate(&self, group: &str, kind: &str, object: &Value, old: Option<&Value>) -> Vec<FieldError>;

    /// Takes a CustomResourceDefinition, new or changed; the error says what is wrong with it.
    fn install(&mut self, crd: &Value) -> Result<(), String>;
}

/// What only people and kubectl need.
pub trait Present: Send + Sync {
    /// The answer to a path that is no resource: discovery, OpenAPI, version, health. None where it knows none.
    fn page(&self, api: &ApiServer, call: &Call) -> Option<Answer>;

    /// A `Table` of objects, without its list metadata; none where a plain list is to be sent. `query` is the raw query of the
    /// call (`includeObject`).
    fn table(&self, resource: &Resource, items: &[&Value], query: &str, now: Time) -> Option<Value>;
}
