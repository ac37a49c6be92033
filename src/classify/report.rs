//! The answer: what was found, and where.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use crate::policy::category::{Category, Classification, Finding, Origin};

/// One reason for one category. Never holds a value of the text: any of them may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// What it shows.
    pub category: Category,
    /// The file.
    pub path: String,
    /// The line from 1, after the change, or before it where the line is gone; None for the file as a whole.
    pub line: Option<u32>,
    /// The rule that found it.
    pub rule: String,
    /// Why, in words.
    pub says: String,
}

impl fmt::Display for Evidence {
    /// `db/7.sql:3: DROP TABLE (rule sql-migrations)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {} (rule {})", self.says, self.rule)
    }
}

/// A changed file and its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileReport {
    /// Its path after the change, or before where it is gone.
    pub path: String,
    /// Its path before, where it was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_path: Option<String>,
    /// Lines that came; 0 where it is no text.
    pub lines_added: usize,
    /// Lines that went; 0 where it is no text.
    pub lines_removed: usize,
    /// Who owns it, as the rules say; sorted.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub owners: BTreeSet<String>,
}

/// What a range of commits touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The files.
    pub files: Vec<FileReport>,
    /// Everything that was found, by category and path.
    pub evidence: Vec<Evidence>,
    /// The default rules that the project switched off.
    pub switched_off: Vec<String>,
}

impl Report {
    pub(super) fn new(files: Vec<FileReport>, mut evidence: Vec<Evidence>, switched_off: Vec<String>) -> Self {
        evidence.sort();
        evidence.dedup();
        Self { files, evidence, switched_off }
    }

    /// The categories as the policy counts them; None where no file changed.
    pub fn classification(&self) -> Option<Classification> {
        let finding = |evidence: &Evidence| Finding {
            category: evidence.category,
            origin: Origin::Seen,
            evidence: evidence.to_string(),
        };
        (!self.files.is_empty()).then(|| Classification::new(self.evidence.iter().map(finding)))
    }

    /// The evidence of each category, by scope.
    pub fn by_category(&self) -> BTreeMap<Category, Vec<&Evidence>> {
        let mut all: BTreeMap<Category, Vec<&Evidence>> = BTreeMap::new();
        for evidence in &self.evidence {
            all.entry(evidence.category).or_default().push(evidence);
        }
        all
    }

    /// The categories as they stand in the annotation: words with commas between.
    pub fn words(&self) -> String {
        let words: Vec<&str> = self.by_category().into_keys().map(Category::as_str).collect();
        words.join(",")
    }

    /// Lines that came and went, in all files.
    pub fn lines(&self) -> (usize, usize) {
        let sum = |of: fn(&FileReport) -> usize| self.files.iter().map(of).sum();
        (sum(|file| file.lines_added), sum(|file| file.lines_removed))
    }

    /// Everybody who owns any of the files.
    pub fn owners(&self) -> BTreeSet<&str> {
        self.files.iter().flat_map(|file| file.owners.iter().map(String::as_str)).collect()
    }
}
