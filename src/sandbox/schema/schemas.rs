//! The schemas of all custom kinds that are served.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::Value;

use super::fields;
use super::node::Node;
use super::path::Path;
use super::rules;
use super::validate::{self, Findings};
use crate::api::custom_resource_definitions;
use crate::sandbox::api::{self, FieldError};

/// How many definitions are remembered at most.
const REMEMBERED: usize = 64;

/// The schemas of the custom kinds of a cluster. A copy shares them.
#[derive(Debug, Clone, Default)]
pub struct Schemas {
    /// By group and kind; the schema of the version that is stored.
    kinds: BTreeMap<(String, String), Arc<Node>>,
}

impl Schemas {
    /// With Tidegate's own kinds. They are read once for all.
    pub fn tidegate() -> Result<Self, String> {
        static OWN: LazyLock<Result<Schemas, String>> = LazyLock::new(|| {
            let mut schemas = Schemas::default();
            for definition in custom_resource_definitions() {
                schemas.add(&definition)?;
            }
            Ok(schemas)
        });
        OWN.clone()
    }

    /// Takes a CustomResourceDefinition, new or changed. Errors where its schema is wrong, naming the place.
    pub fn install(&mut self, crd: &Value) -> Result<(), String> {
        // Worlds begin with the same definitions again and again: what was read once is shared.
        static READ: Mutex<BTreeMap<String, Schemas>> = Mutex::new(BTreeMap::new());
        let spec = crd.get("spec").map(Value::to_string).unwrap_or_default();
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let one = match read.get(&spec) {
            Some(known) => known.clone(),
            None => {
                let mut one = Self::default();
                one.read(crd)?;
                if read.len() >= REMEMBERED {
                    read.clear();
                }
                read.insert(spec, one.clone());
                one
            }
        };
        self.kinds.extend(one.kinds);
        Ok(())
    }

    fn read(&mut self, crd: &Value) -> Result<(), String> {
        let definition: CustomResourceDefinition =
            serde_json::from_value(crd.clone()).map_err(|why| why.to_string())?;
        self.add(&definition)
    }

    fn add(&mut self, definition: &CustomResourceDefinition) -> Result<(), String> {
        let spec = &definition.spec;
        let stored = spec.versions.iter().enumerate().find(|(_, version)| version.storage);
        let (index, version) = stored.ok_or("spec.versions: Invalid value: no version is stored")?;
        let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
        let schema = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
        let node = Node::read(schema.ok_or_else(|| format!("{path}: Required value: schemas are required"))?, &path)?;
        self.kinds.insert((spec.group.clone(), spec.names.kind.clone()), Arc::new(node));
        Ok(())
    }

    fn node(&self, group: &str, kind: &str) -> Option<&Node> {
        // A handful of kinds: looking through them is cheaper than making a key.
        let found = self.kinds.iter().find(|((a_group, a_kind), _)| a_group == group && a_kind == kind);
        found.map(|(_, node)| node.as_ref())
    }

    /// Sets defaults and takes out fields that the schema does not know. Objects of unknown kinds stay as they are.
    pub fn default_and_prune(&self, group: &str, kind: &str, object: &mut Value) {
        if let Some(node) = self.node(group, kind) {
            fields::prune(node, object, true);
            fields::default(node, object);
        }
    }

    /// The paths of fields that the schema does not know: `spec.strategy.steps`.
    pub fn unknown_fields(&self, group: &str, kind: &str, object: &Value) -> Vec<String> {
        let mut found = Vec::new();
        if let Some(node) = self.node(group, kind) {
            fields::unknown(node, object, true, &Path::Root, &mut found);
        }
        found
    }

    /// What is wrong with an object that has its defaults; `old` is what is stored, at an update.
    pub fn validate(&self, group: &str, kind: &str, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let Some(node) = self.node(group, kind) else { return Vec::new() };
        let mut found = Findings::default();
        validate::check(node, object, old, &Path::Root, &mut found);
        if !found.blocking {
            rules::check(node, object, old, &Path::Root, &mut found);
        } else if node.ruled {
            found.errors.push(FieldError {
                field: "<nil>".to_owned(),
                message: "Invalid value: null: some validation rules were not checked because the object was invalid; \
                    correct the existing errors to complete validation"
                    .to_owned(),
            });
        }
        found.errors
    }
}

impl api::Schemas for Schemas {
    fn default_and_prune(&self, group: &str, kind: &str, object: &mut Value) {
        self.default_and_prune(group, kind, object);
    }

    fn unknown_fields(&self, group: &str, kind: &str, object: &Value) -> Vec<String> {
        self.unknown_fields(group, kind, object)
    }

    fn validate(&self, group: &str, kind: &str, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        self.validate(group, kind, object, old)
    }

    fn install(&mut self, crd: &Value) -> Result<(), String> {
        self.install(crd)
    }
}
