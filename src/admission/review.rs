//! A write that is asked about, and why it may be refused.

use serde_json::Value;

use super::user::User;
use crate::cel::AccessCheck;

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

/// Why a request was refused: the `Status` object of an API server.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct Refusal {
    /// The HTTP status: 404, 409, 422 and so on.
    pub code: u16,
    /// The machine-readable reason: `NotFound`, `Conflict`, `AlreadyExists`, `Invalid`, `Forbidden` and so on.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// `details` of the Status object, where there are any.
    pub details: Option<Value>,
}
