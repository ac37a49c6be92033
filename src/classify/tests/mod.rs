//! What each rule and each reader finds, and what holds for every list of files.

mod comments;
mod dependency;
mod docs;
mod migration;
mod promises;
mod rules;
mod rules_file;
mod schema;
mod trailer;
mod version;

use super::{ChangedFile, Rules, classify};
use crate::policy::Category;

thread_local! {
    /// The default rules, read once for each test.
    static RULES: Rules = Rules::shipped().unwrap();
}

/// The categories of one file, as words.
fn found(path: &str, before: Option<&str>, after: Option<&str>) -> String {
    RULES.with(|rules| words(rules, &[ChangedFile::of_texts(path, before, after)]))
}

fn words(rules: &Rules, files: &[ChangedFile]) -> String {
    let report = classify(rules, files);
    report.by_category().into_keys().map(Category::as_str).collect::<Vec<_>>().join(",")
}
