//! Globs for paths, regular expressions for lines.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use regex::Regex;

use crate::classify::change::Lines;

/// Globs as in `.gitignore`, from the root of the repository: `*` stays in a folder, `**` does not. Upper and lower case
/// are the same.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    written: Vec<String>,
    set: GlobSet,
}

impl Globs {
    /// The globs, or the index of the first that cannot be read, and why.
    pub(super) fn of(written: &[String]) -> Result<Self, (usize, String)> {
        let mut builder = GlobSetBuilder::new();
        for (index, text) in written.iter().enumerate() {
            let glob =
                GlobBuilder::new(text).literal_separator(true).case_insensitive(true).empty_alternates(true).build();
            builder.add(glob.map_err(|why| (index, why.kind().to_string()))?);
        }
        let set = builder.build().map_err(|why| (0, why.to_string()))?;
        Ok(Self { written: written.to_vec(), set })
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.set.is_match(path)
    }

    pub(super) fn written(&self) -> &[String] {
        &self.written
    }
}

/// What a changed line must look like.
#[derive(Debug, Clone, Default)]
pub struct LinePatterns {
    /// Patterns for lines that came.
    pub added: Vec<Regex>,
    /// Patterns for lines that went.
    pub removed: Vec<Regex>,
    /// Whether every line that came or went must match one, but for blank ones; otherwise one line is enough.
    pub every: bool,
    /// Whether every line that came must be a statement of its own, beside the code that was there.
    pub statements: bool,
}

impl LinePatterns {
    /// The number of the first line that matches; None where the rule does not apply.
    pub fn first(&self, lines: &Lines<'_>) -> Option<u32> {
        let any = |patterns: &[Regex], line: &str| patterns.iter().any(|pattern| pattern.is_match(line.trim_end()));
        let added = lines.added.iter().filter(|(_, line)| !line.trim().is_empty());
        let removed = lines.removed.iter().filter(|(_, line)| !line.trim().is_empty());
        if self.every {
            let all = added.clone().all(|(_, line)| any(&self.added, line))
                && removed.clone().all(|(_, line)| any(&self.removed, line));
            let first = added.chain(removed).map(|(at, _)| *at).next();
            return first.filter(|_| all);
        }
        let first = added
            .filter(|(_, line)| any(&self.added, line))
            .chain(removed.filter(|(_, line)| any(&self.removed, line)));
        first.map(|(at, _)| *at).next()
    }
}
