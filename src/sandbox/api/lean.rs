//! Objects as they are written into answers, with or without what is known of who owns which field.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// An object to be written. Lean, it goes without `metadata.managedFields`: half of its bytes, which Tidegate
/// reads of routes, of autoscalers, of what KEDA makes them from, and of ConfigMaps only.
pub(super) struct Shown<'a> {
    pub(super) object: &'a Value,
    pub(super) lean: bool,
}

/// Metadata without the managed fields.
struct Metadata<'a>(&'a Map<String, Value>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let read = ["HTTPRoute", "HorizontalPodAutoscaler", "ScaledObject", "ConfigMap", "PartialObjectMetadata"];
        let lean = self.lean && !read.iter().any(|kind| self.object["kind"] == *kind);
        let (Value::Object(fields), true) = (self.object, lean) else { return self.object.serialize(to) };
        let mut map = to.serialize_map(Some(fields.len()))?;
        for (key, value) in fields {
            match value.as_object().filter(|_| key == "metadata") {
                Some(metadata) => map.serialize_entry(key, &Metadata(metadata))?,
                None => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().filter(|(key, _)| *key != "managedFields"))
    }
}
