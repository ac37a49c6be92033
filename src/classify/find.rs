//! One file against all rules.

use super::change::{ChangedFile, Lines};
use super::comments;
use super::read;
use super::report::Evidence;
use super::rules::{Decides, Group, Rule, Rules};
use super::statements;
use crate::policy::Category;

/// The name under which comments are found; no rule may have it.
pub(super) const COMMENTS: &str = "comments-only";
/// The name under which a file is reported that no rule explains; no rule may have it.
pub(super) const UNKNOWN: &str = "no-rule";

/// What one file shows, at least one piece of evidence. Depends on nothing but the file and the rules, which is why
/// more files never mean fewer categories.
pub(super) fn evidence(rules: &Rules, file: &ChangedFile, lines: &Lines<'_>) -> Vec<Evidence> {
    if comments::only(file) {
        let says = "only comments and blank lines differ".to_owned();
        return vec![Evidence {
            category: Category::Docs,
            path: file.path.clone(),
            line: None,
            rule: COMMENTS.to_owned(),
            says,
        }];
    }
    let settled = rules.all().any(|rule| rule.settles && rule.matches(file));
    let mut found = Found { all: Vec::new(), explained: false };
    for rule in rules.all().filter(|rule| applies(rule, settled) && rule.matches(file)) {
        found.by(rule, file, lines);
    }
    if !found.explained {
        let says = "executable code or a file of which no rule says what it is".to_owned();
        found.add(UNKNOWN, file, Category::UnclassifiedCode, None, says);
    }
    found.all
}

/// A file that a rule settled, such as a test, is judged by rules that settle and by what the project wrote itself.
fn applies(rule: &Rule, settled: bool) -> bool {
    !settled || rule.settles || rule.group == Group::Project
}

struct Found {
    all: Vec<Evidence>,
    /// Whether some rule says what the file as a whole is.
    explained: bool,
}

impl Found {
    fn add(&mut self, rule: &str, file: &ChangedFile, category: Category, line: Option<u32>, says: String) {
        self.all.push(Evidence { category, path: file.path.clone(), line, rule: rule.to_owned(), says });
    }

    fn by(&mut self, rule: &Rule, file: &ChangedFile, lines: &Lines<'_>) {
        match &rule.decides {
            Decides::Path(categories) => {
                for category in categories {
                    self.add(&rule.name, file, *category, None, rule.says.clone());
                }
                self.explained = true;
            }
            Decides::Lines(patterns, categories) => {
                let Some(line) = patterns.first(lines) else { return };
                if patterns.statements && !statements::came(file, lines) {
                    return;
                }
                for category in categories {
                    self.add(&rule.name, file, *category, Some(line), rule.says.clone());
                }
                // A line tells of itself; only where every line was looked at is the file explained.
                self.explained |= patterns.every;
            }
            Decides::Reader(reader) => {
                for seen in read::read(*reader, file) {
                    self.explained |= seen.category != Category::UnclassifiedCode;
                    self.add(&rule.name, file, seen.category, seen.line, seen.says);
                }
            }
        }
    }
}
