//! What others bring to the API server: admission, schemas of custom resources, and what only people need.

use serde_json::Value;

use super::access::AccessCheck;
use super::call::{Answer, Call};
use super::resource::Resource;
use super::server::ApiServer;
use crate::api::Time;
use crate::sandbox::objects::Refusal;
use crate::sandbox::user::User;

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A new object.
    Create,
    /// A changed one.
    Update,
    /// A deletion.
    Delete,
}

impl Operation {
    /// As policies write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

/// A write that admission is asked about.
#[derive(Clone, Copy)]
pub struct Review<'a> {
    /// What it does.
    pub operation: Operation,
    /// API group; empty for the core.
    pub group: &'a str,
    /// Version.
    pub version: &'a str,
    /// Plural name of the resource.
    pub resource: &'a str,
    /// Subresource.
    pub subresource: Option<&'a str>,
    /// Who asks.
    pub user: &'a User,
    /// Empty for what has none.
    pub namespace: &'a str,
    /// Name.
    pub name: &'a str,
    /// The object as it would be stored; none at a deletion.
    pub object: Option<&'a Value>,
    /// The object as it is stored; none at a creation.
    pub old: Option<&'a Value>,
    /// Whether nothing will be written.
    pub dry_run: bool,
    /// Whether the user may do something.
    pub may: &'a dyn Fn(&AccessCheck<'_>) -> bool,
}

/// Admission policies.
pub trait Admission: Send + Sync {
    /// The object as it was changed, none where it stays; or why it is refused.
    fn admit(&self, review: Review<'_>) -> Result<Option<Value>, Refusal>;
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
