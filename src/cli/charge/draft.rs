//! What the arguments, and what `tidegate classify` found, ask to be charged.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::Args;
use crate::api::attestation::ClaimOutcome;
use crate::api::change::{Change, ChangeType};
use crate::cli::Failure;
use crate::cli::claim::send;
use crate::policy::Category;
use crate::policy::evidence::CHARGE;
use crate::policy::requirement::author::{CHANGE_AUTHOR, COMMIT_AUTHORS};
use crate::release::charge::Asked;

/// What is asked to be charged.
pub(super) struct Draft {
    pub(super) asked: Asked,
    lines: Option<(u32, u32)>,
    /// Who made it, as the API server knows them.
    authors: Vec<String>,
    /// Who wrote its commits, as Git knows them.
    in_commits: Vec<String>,
}

/// The part of classify's object that is charged.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Classified {
    change: String,
    #[serde(rename = "type")]
    kind: Option<Said>,
    severity: Option<Said>,
    categories: Vec<Found>,
    lines_added: u32,
    lines_removed: u32,
    #[serde(default)]
    authors: Vec<String>,
}

#[derive(Deserialize)]
struct Said {
    value: String,
}

#[derive(Deserialize)]
struct Found {
    category: String,
}

pub(super) fn reference(text: &str) -> Result<String, String> {
    let text = text.trim();
    match (text.is_empty(), text.chars().count() > 128) {
        (false, false) => Ok(text.to_owned()),
        (true, _) | (false, true) => Err("a reference has 1 to 128 characters, such as git:4f2c9e1".to_owned()),
    }
}

pub(super) fn category(text: &str) -> Result<Category, String> {
    text.trim().parse().map_err(|why: crate::policy::category::CategoryError| why.to_string())
}

pub(super) fn kind(text: &str) -> Result<ChangeType, String> {
    let kind: ChangeType = text.parse().map_err(|why: crate::api::units::UnitError| why.to_string())?;
    match kind == ChangeType::Rollback {
        true => {
            Err("nobody can see here whether something came back: charge it as what it is, such as IncidentFix"
                .to_owned())
        }
        false => Ok(kind),
    }
}

pub(super) fn of(args: &Args) -> Result<Draft, Failure> {
    let found = args.from_classify.as_deref().map(classified).transpose()?;
    let field = |what: &str, why: String| format!("--from-classify: {what}: {why}");
    let mut categories: BTreeSet<Category> = args.category.iter().copied().collect();
    let (mut kind_said, mut severity, mut lines, mut reference_said) =
        (args.kind, args.severity, None, args.change.clone());
    let mut in_commits = Vec::new();
    if let Some(found) = found {
        for one in &found.categories {
            categories.insert(category(&one.category).map_err(|why| field("categories", why))?);
        }
        if let (None, Some(said)) = (kind_said, &found.kind) {
            kind_said = Some(kind(&said.value).map_err(|why| field("type", why))?);
        }
        if let (None, Some(said)) = (severity, &found.severity) {
            severity = Some(
                said.value.parse().map_err(|why: crate::api::units::UnitError| field("severity", why.to_string()))?,
            );
        }
        if reference_said.is_none() {
            reference_said = Some(reference(&found.change).map_err(|why| field("change", why))?);
        }
        lines = Some((found.lines_added, found.lines_removed));
        in_commits = found.authors;
    }
    if categories.is_empty() {
        return Err(
            "--from-classify: nothing differs, so there is nothing to charge; name what is touched with --category"
                .to_owned(),
        );
    }
    Ok(Draft {
        asked: Asked {
            change: Change {
                reference: reference_said.unwrap_or_default(),
                kind: kind_said.unwrap_or(ChangeType::Feature),
                severity,
                categories: categories.iter().map(|one| one.as_str().to_owned()).collect(),
            },
            diff_lines: lines.map(|(added, removed)| added.saturating_add(removed)),
        },
        lines,
        authors: args.change_author.clone(),
        in_commits,
    })
}

fn classified(path: &Path) -> Result<Classified, Failure> {
    let place = path.display();
    let text = match path == Path::new("-") {
        true => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        false => std::fs::read_to_string(path),
    };
    let text = text.map_err(|why| format!("--from-classify {place}: {why}"))?;
    serde_json::from_str(&text)
        .map_err(|why| format!("--from-classify {place}: {why}; wanted is what `tidegate classify -o json` prints"))
}

impl Draft {
    /// The claim that is sent.
    pub(super) fn claim(&self, link: Option<&str>) -> send::Draft {
        let change = &self.asked.change;
        let mut facts: BTreeMap<String, String> =
            [("categories", change.categories.join(", ")), ("change-type", change.kind.to_string())]
                .map(|(key, value)| (key.to_owned(), value))
                .into();
        let severity = change.severity.map(|severity| ("change-severity", severity.to_string()));
        let lines = self.lines.map(|(added, removed)| [("lines-added", added), ("lines-removed", removed)]);
        facts.extend(severity.map(|(key, value)| (key.to_owned(), value)));
        facts.extend(lines.into_iter().flatten().map(|(key, value)| (key.to_owned(), value.to_string())));
        let made = [(CHANGE_AUTHOR, self.authors.join(",")), (COMMIT_AUTHORS, self.in_commits.join(", "))];
        facts.extend(
            made.into_iter().filter(|(_, names)| !names.is_empty()).map(|(key, names)| (key.to_owned(), names)),
        );
        send::Draft {
            revision: change.reference.clone(),
            kind: CHARGE.to_owned(),
            role: None,
            outcome: ClaimOutcome::Passed,
            expires_at: None,
            link: link.map(str::to_owned),
            facts,
        }
    }
}
