//! The seam between the simulated API server and those who live in the same process: simulated controllers, users,
//! checkers. `ApiServer` implements it; tests of a controller may use a map.

use serde_json::Value;

use super::user::User;
pub use crate::admission::Refusal;
use crate::cluster::Kind;

/// The objects of a cluster, read and written as a client would, without HTTP. Every write goes through admission,
/// validation and the log of changes, and raises `metadata.resourceVersion`; one that changes nothing raises nothing.
pub trait Objects {
    /// One object.
    fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Option<&Value>;

    /// All of a kind in a namespace, or in all where it is empty, ordered by namespace and name.
    fn list(&self, kind: &Kind, namespace: &str) -> Vec<&Value>;

    /// Creates; `metadata.generateName` is honoured.
    fn create(&mut self, by: &User, kind: &Kind, object: Value) -> Result<Value, Refusal>;

    /// Replaces all but the status. A `metadata.resourceVersion` that is there is a precondition.
    fn update(&mut self, by: &User, kind: &Kind, object: Value) -> Result<Value, Refusal>;

    /// Replaces the status only.
    fn update_status(&mut self, by: &User, kind: &Kind, object: Value) -> Result<Value, Refusal>;

    /// Deletes in the background: gone at once, or when its finalizers are.
    fn delete(&mut self, by: &User, kind: &Kind, namespace: &str, name: &str) -> Result<(), Refusal>;
}
