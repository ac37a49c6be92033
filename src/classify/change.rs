//! A changed file, and the lines that differ.

use imara_diff::{Algorithm, Diff, InternedInput};

/// What a file holds on one side of the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// It is not there.
    Absent,
    /// Its text.
    Text(String),
    /// It is no text, or too long to be read: nothing can be told of it.
    Opaque,
    /// A commit of another repository (a submodule).
    Submodule,
}

impl Content {
    /// The text; None where there is none to read. What is not there reads as an empty text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Absent => Some(""),
            Self::Text(text) => Some(text),
            Self::Opaque | Self::Submodule => None,
        }
    }
}

/// A file that differs between two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its path after the change, or before where it is gone; `/` between folders.
    pub path: String,
    /// Its path before, where it was moved.
    pub before_path: Option<String>,
    /// What it held.
    pub before: Content,
    /// What it holds.
    pub after: Content,
}

/// The lines that differ, each with its number from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines<'a> {
    /// Lines that came, numbered as after the change.
    pub added: Vec<(u32, &'a str)>,
    /// Lines that went, numbered as before the change.
    pub removed: Vec<(u32, &'a str)>,
}

impl ChangedFile {
    /// A file whose text changed, for tests and callers that have both texts; None for a side where it is not there.
    pub fn of_texts(path: &str, before: Option<&str>, after: Option<&str>) -> Self {
        let content = |text: Option<&str>| text.map_or(Content::Absent, |text| Content::Text(text.to_owned()));
        Self { path: path.to_owned(), before_path: None, before: content(before), after: content(after) }
    }

    /// Every path that it had or has.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        [Some(self.path.as_str()), self.before_path.as_deref()].into_iter().flatten()
    }

    /// Both texts; None where either side is none.
    pub fn texts(&self) -> Option<(&str, &str)> {
        self.before.text().zip(self.after.text())
    }

    /// Whether it was there before the change.
    pub fn was_there(&self) -> bool {
        self.before != Content::Absent
    }

    /// Whether it is there after the change.
    pub fn is_there(&self) -> bool {
        self.after != Content::Absent
    }

    /// The lines that differ; none where either side is no text.
    pub fn lines(&self) -> Lines<'_> {
        let Some((before, after)) = self.texts() else { return Lines::default() };
        let input = InternedInput::new(before, after);
        let diff = Diff::compute(Algorithm::Histogram, &input);
        Lines {
            added: numbered(after, |line| diff.is_added(line)),
            removed: numbered(before, |line| diff.is_removed(line)),
        }
    }
}

fn numbered(text: &str, differs: impl Fn(u32) -> bool) -> Vec<(u32, &str)> {
    (0u32..).zip(text.split_inclusive('\n')).filter(|(at, _)| differs(*at)).map(|(at, line)| (at + 1, line)).collect()
}
