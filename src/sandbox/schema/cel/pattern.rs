//! Patterns and formats of text.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use jsonschema::PatternOptions;
use serde_json::{Value, json};

use super::value::Fault;

/// A pattern or a format, compiled.
#[derive(Debug, Clone)]
pub struct Check(Arc<jsonschema::Validator>);

thread_local! {
    /// Patterns that expressions give as text. A memory only: what it holds decides nothing.
    static PATTERNS: RefCell<BTreeMap<String, Check>> = const { RefCell::new(BTreeMap::new()) };
}

impl Check {
    /// A regular expression that is looked for anywhere in the text, in time linear in its length.
    pub fn pattern(pattern: &str) -> Result<Self, Fault> {
        Self::compile(&json!({"pattern": pattern})).map_err(|_| Fault(format!("'{pattern}' is no regular expression")))
    }

    /// A format such as `date-time` or `uri`.
    pub fn format(format: &str) -> Result<Self, Fault> {
        Self::compile(&json!({"format": format})).map_err(|why| Fault(format!("format {format}: {why}")))
    }

    fn compile(schema: &Value) -> Result<Self, String> {
        let options = jsonschema::options().with_pattern_options(PatternOptions::regex()).should_validate_formats(true);
        options.build(schema).map(|validator| Self(Arc::new(validator))).map_err(|why| why.to_string())
    }

    /// Whether it fits; what is no text does.
    pub fn fits(&self, value: &Value) -> bool {
        self.0.is_valid(value)
    }
}

/// Whether a pattern is found in a text.
pub(super) fn matches(text: &str, pattern: &str) -> Result<bool, Fault> {
    PATTERNS.with_borrow_mut(|known| {
        if !known.contains_key(pattern) {
            known.insert(pattern.to_owned(), Check::pattern(pattern)?);
        }
        Ok(known.get(pattern).is_some_and(|check| check.fits(&Value::String(text.to_owned()))))
    })
}
