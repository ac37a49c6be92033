//! What a range of commits changes, in the categories of the policy (`000_…` §6.1): files in, evidence out.
//!
//! Here belongs what tells a category from a path or from a text: rules ([`rules`], [`DEFAULT_RULES`]), readers of
//! formats ([`read`]), comments ([`comments`]), and what commits say of themselves ([`trailer`]). What must never enter:
//! git, files, a clock, and a figure of a category, which is `policy::category`'s. `tests/pure_rooms.rs` holds this.
//!
//! Two promises. **More files never mean fewer categories**: each file is judged by itself, and all that is found is
//! joined. **Doubt counts as the worse**: what a reader cannot tell is breaking, major or `unclassified-code`, and the
//! evidence says that it could not be told.

pub mod change;
pub mod comments;
mod find;
pub mod read;
mod report;
pub mod rules;
mod statements;
#[cfg(test)]
mod tests;
pub mod trailer;
pub mod version;

pub use change::{ChangedFile, Content};
pub use report::{Evidence, FileReport, Report};
pub use rules::{DEFAULT_RULES, Rules, RulesError};

/// What changed files touch, and what shows it. The order of the files makes no difference but to the order of the
/// evidence.
pub fn classify(rules: &Rules, files: &[ChangedFile]) -> Report {
    let (mut reports, mut evidence) = (Vec::new(), Vec::new());
    for file in files {
        let lines = file.lines();
        evidence.extend(find::evidence(rules, file, &lines));
        reports.push(FileReport {
            path: file.path.clone(),
            before_path: file.before_path.clone(),
            lines_added: lines.added.len(),
            lines_removed: lines.removed.len(),
            owners: rules.owners(file),
        });
    }
    Report::new(reports, evidence, rules.switched_off().to_vec())
}
