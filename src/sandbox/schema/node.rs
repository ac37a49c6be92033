//! A schema as it is worked with: read once, with patterns and rules compiled.

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool, ValidationRule,
};
use serde_json::Value;

use super::pattern::Check;
use crate::cel::{Fault, Program};

/// One node of a schema.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    /// Unknown fields stay.
    pub(super) preserves: bool,
    /// A whole object with its own metadata.
    pub(super) embedded: bool,
    pub(super) default: Option<Value>,
    pub(super) one_of_values: Option<Vec<Value>>,
    pub(super) properties: BTreeMap<String, Node>,
    pub(super) required: Vec<String>,
    /// Of every value of a map.
    pub(super) additional: Option<Box<Node>>,
    pub(super) items: Option<Box<Node>>,
    pub(super) list: ListType,
    pub(super) limits: Limits,
    pub(super) pattern: Option<(String, Check)>,
    pub(super) format: Option<(String, Check)>,
    pub(super) all_of: Vec<Node>,
    pub(super) any_of: Vec<Node>,
    pub(super) one_of: Vec<Node>,
    pub(super) not: Option<Box<Node>>,
    pub(super) rules: Vec<Rule>,
    /// Whether there are rules here or below.
    pub(super) ruled: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    IntOrString,
}

/// How the items of a list are told apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum ListType {
    #[default]
    Atomic,
    Set,
    Map(Vec<String>),
}

#[derive(Debug, Default)]
pub(super) struct Limits {
    pub(super) minimum: Option<f64>,
    pub(super) above: bool,
    pub(super) maximum: Option<f64>,
    pub(super) below: bool,
    pub(super) multiple_of: Option<f64>,
    pub(super) min_length: Option<usize>,
    pub(super) max_length: Option<usize>,
    pub(super) min_items: Option<usize>,
    pub(super) max_items: Option<usize>,
    pub(super) min_properties: Option<usize>,
    pub(super) max_properties: Option<usize>,
}

/// A rule of `x-kubernetes-validations`.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) program: Program,
    pub(super) message: Option<String>,
    pub(super) message_expression: Option<Program>,
    pub(super) reason: Option<String>,
    pub(super) field_path: Option<String>,
    /// Compares with what was stored, so it counts at updates only.
    pub(super) transition: bool,
    pub(super) optional_old: bool,
}

/// Formats that an API server knows and that are checked here; it knows `duration` and `byte` too, in ways of its own.
const FORMATS: [&str; 8] = ["date-time", "date", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"];

impl Node {
    /// Reads a schema; the error names the place in it.
    pub(super) fn read(props: &JSONSchemaProps, path: &str) -> Result<Self, String> {
        let kind = match props.type_.as_deref() {
            _ if props.x_kubernetes_int_or_string == Some(true) => Kind::IntOrString,
            None => Kind::Any,
            Some("object") => Kind::Object,
            Some("array") => Kind::Array,
            Some("string") => Kind::String,
            Some("integer") => Kind::Integer,
            Some("number") => Kind::Number,
            Some("boolean") => Kind::Boolean,
            Some(other) => return Err(format!("{path}.type: Unsupported value: \"{other}\"")),
        };
        let each = |nodes: &Option<Vec<JSONSchemaProps>>, name: &str| {
            let nodes = nodes.iter().flatten().enumerate();
            nodes
                .map(|(index, node)| Self::read(node, &format!("{path}.{name}[{index}]")))
                .collect::<Result<Vec<_>, _>>()
        };
        let mut properties = BTreeMap::new();
        for (name, node) in props.properties.iter().flatten() {
            properties.insert(name.clone(), Self::read(node, &format!("{path}.properties[{name}]"))?);
        }
        let items = match &props.items {
            None => None,
            Some(JSONSchemaPropsOrArray::Schema(items)) => Some(Box::new(Self::read(items, &format!("{path}.items"))?)),
            Some(JSONSchemaPropsOrArray::Schemas(_)) => {
                return Err(format!("{path}.items: Forbidden: items must be a schema object and not an array"));
            }
        };
        let additional = match &props.additional_properties {
            None | Some(JSONSchemaPropsOrBool::Bool(false)) => None,
            Some(JSONSchemaPropsOrBool::Bool(true)) => {
                Some(Box::new(Self { preserves: true, nullable: true, ..Self::default() }))
            }
            Some(JSONSchemaPropsOrBool::Schema(node)) => {
                Some(Box::new(Self::read(node, &format!("{path}.additionalProperties"))?))
            }
        };
        let list = match props.x_kubernetes_list_type.as_deref() {
            None | Some("atomic") => ListType::Atomic,
            Some("set") => ListType::Set,
            Some("map") => ListType::Map(props.x_kubernetes_list_map_keys.clone().unwrap_or_default()),
            Some(other) => return Err(format!("{path}.x-kubernetes-list-type: Unsupported value: \"{other}\"")),
        };
        let told = |why: &dyn std::fmt::Display| format!("{path}: Invalid value: {why}");
        let pattern = match &props.pattern {
            None => None,
            Some(pattern) => Some((pattern.clone(), Check::pattern(pattern).map_err(|why| told(&why))?)),
        };
        let format = match props.format.as_deref().filter(|format| FORMATS.contains(format)) {
            None => None,
            Some(format) => Some((format.to_owned(), Check::format(format).map_err(|why| told(&why))?)),
        };
        let rules = props.x_kubernetes_validations.iter().flatten();
        let rules = rules.map(|rule| Rule::read(rule).map_err(|why| told(&why))).collect::<Result<Vec<_>, _>>()?;
        let ruled = !rules.is_empty()
            || properties.values().any(|node| node.ruled)
            || [&items, &additional].into_iter().flatten().any(|node| node.ruled);
        Ok(Self {
            kind,
            nullable: props.nullable == Some(true),
            preserves: props.x_kubernetes_preserve_unknown_fields == Some(true),
            embedded: props.x_kubernetes_embedded_resource == Some(true),
            default: props.default.as_ref().map(|default| default.0.clone()),
            one_of_values: props.enum_.as_ref().map(|values| values.iter().map(|value| value.0.clone()).collect()),
            properties,
            required: props.required.clone().unwrap_or_default(),
            additional,
            items,
            list,
            limits: Limits::read(props),
            pattern,
            format,
            all_of: each(&props.all_of, "allOf")?,
            any_of: each(&props.any_of, "anyOf")?,
            one_of: each(&props.one_of, "oneOf")?,
            not: props.not.as_ref().map(|not| Self::read(not, &format!("{path}.not")).map(Box::new)).transpose()?,
            rules,
            ruled,
        })
    }

    /// The schema of a field, or of a value in a map.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.properties.get(name).or(self.additional.as_deref())
    }
}

impl Limits {
    fn read(props: &JSONSchemaProps) -> Self {
        let size = |limit: Option<i64>| limit.and_then(|limit| usize::try_from(limit).ok());
        Self {
            minimum: props.minimum,
            above: props.exclusive_minimum == Some(true),
            maximum: props.maximum,
            below: props.exclusive_maximum == Some(true),
            multiple_of: props.multiple_of,
            min_length: size(props.min_length),
            max_length: size(props.max_length),
            min_items: size(props.min_items),
            max_items: size(props.max_items),
            min_properties: size(props.min_properties),
            max_properties: size(props.max_properties),
        }
    }
}

impl Rule {
    fn read(rule: &ValidationRule) -> Result<Self, Fault> {
        let program = Program::parse(&rule.rule)?;
        let optional_old = rule.optional_old_self == Some(true);
        Ok(Self {
            transition: program.uses("oldSelf") && !optional_old,
            message: rule
                .message
                .as_ref()
                .map(|message| message.trim().to_owned())
                .filter(|message| !message.is_empty()),
            message_expression: rule.message_expression.as_deref().map(Program::parse).transpose()?,
            reason: rule.reason.clone(),
            field_path: rule.field_path.clone(),
            optional_old,
            program,
        })
    }
}
