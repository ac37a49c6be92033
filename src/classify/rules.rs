//! Rules: which paths and lines mean which categories. The default set is a file for people; a project adds its own.

mod file;
mod patterns;

use std::collections::BTreeSet;

use super::change::ChangedFile;
use super::read::Reader;
use crate::policy::Category;

pub use file::RulesError;
use patterns::Globs;
pub use patterns::LinePatterns;

/// The rules that hold for everybody, as they are shipped.
pub const DEFAULT_RULES: &str = include_str!("default-rules.yaml");

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The default set.
    Default,
    /// `rules` of the project's file.
    Project,
    /// `core`, `nonCore` and `hotPaths` of the project's file: they speak of code, not of what lies beside it.
    Modules,
}

/// What a rule finds in a file that it matches.
#[derive(Debug, Clone)]
pub enum Decides {
    /// These categories: the path alone tells.
    Path(Vec<Category>),
    /// These categories, where a changed line matches.
    Lines(LinePatterns, Vec<Category>),
    /// What the reader of a format says.
    Reader(Reader),
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, by which it is switched off.
    pub name: String,
    /// What it sees, for the evidence.
    pub says: String,
    /// What it finds.
    pub decides: Decides,
    /// Whether its files are beyond the other default rules: documents and tests.
    pub settles: bool,
    /// Where it comes from.
    pub group: Group,
    paths: Globs,
    except: Globs,
}

impl Rule {
    /// Whether the rule speaks of this file, by the path that it has or had.
    pub fn matches(&self, file: &ChangedFile) -> bool {
        let here = |path: &str| self.paths.has(path) && !self.except.has(path);
        // What settles a file takes it away from other rules, which no path may do that the file only had.
        if self.settles { file.paths().all(here) } else { file.paths().any(here) }
    }

    /// The globs of its paths, as they were written.
    pub fn paths(&self) -> &[String] {
        self.paths.written()
    }
}

#[derive(Debug, Clone)]
struct Owned {
    paths: Globs,
    owners: BTreeSet<String>,
}

/// The rules that hold in a repository.
#[derive(Debug, Clone)]
pub struct Rules {
    rules: Vec<Rule>,
    owned: Vec<Owned>,
    switched_off: Vec<String>,
}

impl Rules {
    /// The default rules alone.
    pub fn shipped() -> Result<Self, RulesError> {
        file::shipped()
    }

    /// The default rules and those of a project. `place` names the file in errors.
    pub fn with_project(place: &str, text: &str) -> Result<Self, RulesError> {
        file::with_project(place, text)
    }

    /// Every rule that is not switched off, the default ones first.
    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// The default rules that the project switched off.
    pub fn switched_off(&self) -> &[String] {
        &self.switched_off
    }

    /// Who owns a file: everybody whom an entry names that matches any of its paths.
    pub fn owners(&self, file: &ChangedFile) -> BTreeSet<String> {
        let mine = self.owned.iter().filter(|owned| file.paths().any(|path| owned.paths.has(path)));
        mine.flat_map(|owned| owned.owners.iter().cloned()).collect()
    }
}
