//! Patterns and formats of text, as schemas write them.

use std::sync::Arc;

use jsonschema::PatternOptions;
use serde_json::{Value, json};

use crate::cel::Fault;

/// A pattern or a format, compiled.
#[derive(Debug, Clone)]
pub(super) struct Check(Arc<jsonschema::Validator>);

impl Check {
    /// A regular expression that is looked for anywhere in the text, in time linear in its length.
    pub(super) fn pattern(pattern: &str) -> Result<Self, Fault> {
        Self::compile(&json!({"pattern": pattern})).map_err(|_| Fault(format!("'{pattern}' is no regular expression")))
    }

    /// A format such as `date-time` or `uri`.
    pub(super) fn format(format: &str) -> Result<Self, Fault> {
        Self::compile(&json!({"format": format})).map_err(|why| Fault(format!("format {format}: {why}")))
    }

    fn compile(schema: &Value) -> Result<Self, String> {
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex()).should_validate_formats(true);
        options.build(schema).map(|validator| Self(Arc::new(validator))).map_err(|why| why.to_string())
    }

    /// Whether it fits; what is no text does.
    pub(super) fn fits(&self, value: &Value) -> bool {
        self.0.is_valid(value)
    }
}
