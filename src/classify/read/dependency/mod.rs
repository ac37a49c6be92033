//! Manifests and lock files: which dependencies come, go or change their version.
//!
//! One file a family of tools, each of which makes [`Packages`] of a text; they are compared here. A manifest in which
//! more changed than its dependencies is also `unclassified-code`.

mod go;
mod java;
mod npm;
mod php;
mod python;
mod ruby;
mod rust;

pub(super) use go::{go_mod, go_sum};
pub(super) use java::{gradle_catalog, gradle_lock, maven};
pub(super) use npm::{package_json, package_lock, pnpm_lock, yarn_lock};
pub(super) use php::{composer_json, composer_lock};
pub(super) use python::{pyproject, requirements};
pub(super) use ruby::gemfile_lock;
pub(super) use rust::{cargo_toml, toml_lock};

use std::collections::{BTreeMap, BTreeSet};

use super::Seen;
use crate::classify::change::ChangedFile;
use crate::classify::version::{Step, Version, named, requirement_step, step};
use crate::policy::Category::{DependencyMajor, DependencyMinor, Metadata, UnclassifiedCode};

/// A table of TOML, or an object of JSON.
type Table = serde_json::Map<String, serde_json::Value>;

/// A version of a package, and where it comes from; empty for the usual place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    version: String,
    source: String,
}

/// The packages of a file by name; a lock file may have several versions of one.
type Packages = BTreeMap<String, BTreeSet<Package>>;

/// What a file says: its packages, and everything else in a form that can be compared.
#[derive(Debug, Default, PartialEq)]
struct Manifest {
    packages: Packages,
    /// What the content of a package must be, by name and version.
    sums: BTreeMap<(String, String), String>,
    rest: String,
}

impl Manifest {
    fn add(&mut self, name: impl Into<String>, version: impl Into<String>, source: impl Into<String>) {
        let package = Package { version: version.into(), source: source.into() };
        self.packages.entry(name.into()).or_default().insert(package);
    }

    /// Notes a sum; of a package without one, nothing.
    fn sum(&mut self, name: impl Into<String>, version: impl Into<String>, sum: &str) {
        if !sum.is_empty() {
            self.sums.insert((name.into(), version.into()), sum.to_owned());
        }
    }
}

/// How versions of a file are compared.
#[derive(Clone, Copy)]
enum Written {
    /// Versions that were chosen: a lock file.
    Exact,
    /// What is asked for: a manifest.
    Required,
}

/// No more dependencies are named than this; the rest is counted.
const SHOWN: usize = 5;

/// What changed between the two texts of a file. `read` answers with None where it cannot read one.
fn compare(file: &ChangedFile, written: Written, read: impl Fn(&str) -> Option<Manifest>) -> Vec<Seen> {
    let side = |text: &str| if text.trim().is_empty() { Some(Manifest::default()) } else { read(text) };
    let texts = file.texts().map(|(before, after)| (side(before), side(after)));
    let Some((Some(before), Some(after))) = texts else {
        return vec![Seen::whole(DependencyMajor, "cannot be read, which counts as a new major version")];
    };
    let (mut major, mut minor) = (Vec::new(), Vec::new());
    let names: BTreeSet<&String> = before.packages.keys().chain(after.packages.keys()).collect();
    let none = BTreeSet::new();
    for name in names {
        let old = before.packages.get(name).unwrap_or(&none);
        let new = after.packages.get(name).unwrap_or(&none);
        for package in new.difference(old) {
            let (step, says) = judge(name, old, package, written);
            if step == Step::Major { major.push(says) } else { minor.push(says) }
        }
        if new.is_empty() {
            minor.push(format!("{name} removed"));
        } else if new.is_subset(old) && new.len() < old.len() {
            minor.push(format!("{name}: one version less"));
        }
    }
    for ((name, version), sum) in &after.sums {
        if before.sums.get(&(name.clone(), version.clone())).is_some_and(|was| was != sum) {
            major.push(format!("{name} {} has another content than before", self::version(version)));
        }
    }
    let mut seen = Vec::new();
    let groups = [(DependencyMajor, major), (DependencyMinor, minor)];
    seen.extend(
        groups.into_iter().filter(|(_, all)| !all.is_empty()).map(|(category, all)| Seen::whole(category, shown(&all))),
    );
    // A file that comes or goes as a whole has no rest that could differ.
    if file.was_there() && file.is_there() && before.rest != after.rest {
        seen.push(Seen::whole(
            UnclassifiedCode,
            "more than its dependencies changed: how the program is built or started",
        ));
    }
    if seen.is_empty() {
        seen.push(match written {
            Written::Exact => Seen::whole(DependencyMinor, "the same dependencies, written differently"),
            Written::Required => {
                Seen::whole(Metadata, "the same dependencies; only what describes the package differs")
            }
        });
    }
    seen
}

fn judge(name: &str, old: &BTreeSet<Package>, package: &Package, written: Written) -> (Step, String) {
    let between = |before: &Package| match written {
        Written::Exact => step(&before.version, &package.version),
        Written::Required => requirement_step(&before.version, &package.version),
    };
    let nearest =
        old.iter().filter(|before| before.source == package.source).map(|before| (between(before), before)).min();
    match nearest {
        None if old.is_empty() => (Step::Major, format!("{name} is new")),
        None => (Step::Major, format!("{name} from another place")),
        Some((step, before)) => (step, format!("{name} {} → {}", version(&before.version), version(&package.version))),
    }
}

/// A version as it is shown; an address, which may hold a password, is not.
fn version(text: &str) -> &str {
    let plain = Version::of(text).is_some() || named(text).is_some() || matches!(text, "*" | "latest" | "");
    if plain && !text.contains("://") { text } else { "another requirement" }
}

fn shown(all: &[String]) -> String {
    let first: Vec<&str> = all.iter().take(SHOWN).map(String::as_str).collect();
    match all.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
