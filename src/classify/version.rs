//! Versions of dependencies: which of them promise to be compatible.

use std::fmt;

/// The numbers of a version, and whether it is a prerelease.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    numbers: Vec<u64>,
    prerelease: bool,
}

/// What lies between two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Nothing.
    Same,
    /// They promise to be compatible, up or down.
    Minor,
    /// They do not, or nobody can tell.
    Major,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Same => "the same",
            Self::Minor => "compatible",
            Self::Major => "major",
        })
    }
}

impl Version {
    /// Reads `1.4.2`, `v1.4`, `1.4.2-rc.1`, `2.0.0.Final`, `1.4b2`; None where it does not begin with a number.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        // What stands behind a + is the build.
        let text = text.split('+').next()?;
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (plain, rest) = text.split_at(end);
        let numbers: Option<Vec<u64>> = plain.trim_end_matches('.').split('.').map(|part| part.parse().ok()).collect();
        // Words by which Java marks what is finished.
        let word = rest.trim_start_matches(['.', '-']).to_ascii_lowercase();
        let finished = word.is_empty()
            || ["final", "ga", "release", "jre", "android", "post"].iter().any(|sign| word.starts_with(sign));
        Some(Self { numbers: numbers?, prerelease: !finished })
    }

    fn number(&self, at: usize) -> u64 {
        self.numbers.get(at).copied().unwrap_or(0)
    }

    /// The part that stays the same among compatible versions (<https://semver.org>, and below 1.0 what Cargo and npm
    /// read into it): the first number that is not 0.
    fn line(&self) -> (u64, u64, u64) {
        match (self.number(0), self.number(1)) {
            (0, 0) => (0, 0, self.number(2)),
            (0, minor) => (0, minor, 0),
            (major, _) => (major, 0, 0),
        }
    }
}

/// What lies between two versions. A prerelease promises nothing.
pub fn step(before: &str, after: &str) -> Step {
    if before == after {
        return Step::Same;
    }
    match (Version::of(before), Version::of(after)) {
        (Some(before), Some(after)) if before.prerelease || after.prerelease => Step::Major,
        (Some(before), Some(after)) if before.line() == after.line() => Step::Minor,
        (Some(_), Some(_)) | (None, _) | (_, None) => Step::Major,
    }
}

/// The one version that a requirement names, such as `1.4` of `^1.4`, `~> 1.4`, `>=1.4` or `==1.4`; None for a range, a
/// wildcard or a word, of which nobody can tell what it will be.
pub fn named(requirement: &str) -> Option<&str> {
    let text = requirement.trim();
    let text = text.trim_start_matches(['^', '~', '=', '>']).trim();
    let one = !text.contains([',', '|', '*', '<', '>', ' ', '(', '[', '!']) && !text.ends_with(".x");
    (one && Version::of(text).is_some()).then_some(text)
}

/// What lies between two requirements.
pub fn requirement_step(before: &str, after: &str) -> Step {
    if before == after {
        return Step::Same;
    }
    // An open end (>=) admits every later version.
    let open = |text: &str| text.trim_start().starts_with('>');
    match (named(before), named(after)) {
        (Some(old), Some(new)) if open(before) == open(after) => match step(old, new) {
            // Another operator, the same version.
            Step::Same => Step::Minor,
            step @ (Step::Minor | Step::Major) => step,
        },
        (Some(_), Some(_)) | (None, _) | (_, None) => Step::Major,
    }
}
