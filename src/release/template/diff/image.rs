//! An image reference in its parts.

use std::fmt;

/// `registry/repository:tag@digest`. What is not written is empty: defaults are the runtime's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Image<'a> {
    /// `registry.example:5000`; empty for the runtime's default.
    pub registry: &'a str,
    /// `shop/checkout`.
    pub repository: &'a str,
    /// `1.4`; empty where none is written.
    pub tag: &'a str,
    /// `sha256:…`; empty where none is written.
    pub digest: &'a str,
}

impl<'a> Image<'a> {
    /// The parts of a reference. Never fails: what cannot be told apart stands in `repository`.
    pub fn of(reference: &'a str) -> Self {
        let (name, digest) = reference.split_once('@').unwrap_or((reference, ""));
        // A colon before the last slash belongs to a port of the registry.
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            Some(_) | None => (name, ""),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
            Some(_) | None => ("", name),
        };
        Self { registry, repository, tag, digest }
    }
}

impl fmt::Display for Image<'_> {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.registry.is_empty() {
            write!(f, "{}/", self.registry)?;
        }
        f.write_str(self.repository)?;
        if !self.tag.is_empty() {
            write!(f, ":{}", self.tag)?;
        }
        if !self.digest.is_empty() {
            write!(f, "@{}", self.digest)?;
        }
        Ok(())
    }
}

/// The major number of a version such as `1.4.2`, `v1.4-alpine`; None where the tag is no version. `0.x` counts by its
/// second number, as a version before 1.0 may break with it.
pub(super) fn major(tag: &str) -> Option<(u64, u64)> {
    let version = tag.strip_prefix('v').unwrap_or(tag);
    let mut numbers = version.split(['.', '-', '+', '_']).map(str::parse::<u64>);
    let first = numbers.next()?.ok()?;
    let second = numbers.next()?.ok()?;
    Some(if first == 0 { (0, second) } else { (first, 0) })
}
