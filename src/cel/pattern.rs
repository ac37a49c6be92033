//! Regular expressions that expressions give as text.

use std::cell::RefCell;
use std::collections::BTreeMap;

use regex::Regex;

use super::value::Fault;

thread_local! {
    /// A memory only: what it holds decides nothing.
    static PATTERNS: RefCell<BTreeMap<String, Regex>> = const { RefCell::new(BTreeMap::new()) };
}

/// Whether a pattern is found in a text, in time linear in its length.
pub(super) fn matches(text: &str, pattern: &str) -> Result<bool, Fault> {
    PATTERNS.with_borrow_mut(|known| {
        if let Some(known) = known.get(pattern) {
            return Ok(known.is_match(text));
        }
        let compiled = Regex::new(pattern).map_err(|_| Fault(format!("'{pattern}' is no regular expression")))?;
        let found = compiled.is_match(text);
        known.insert(pattern.to_owned(), compiled);
        Ok(found)
    })
}
