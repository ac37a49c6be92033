//! The object for programs.

use serde::Serialize;

use super::Told;
use super::page::authors;
use super::score::LATER;
use crate::classify::FileReport;
use crate::cli::Failure;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    range: Range<'a>,
    change: &'a str,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Said<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<Said<'a>>,
    commits: Vec<Commit<'a>>,
    authors: Vec<&'a str>,
    owners: Vec<&'a str>,
    lines_added: usize,
    lines_removed: usize,
    files: &'a [FileReport],
    categories: Vec<Category<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    risk_class: Option<&'static str>,
    switched_off: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Score>,
}

#[derive(Serialize)]
struct Range<'a> {
    shown: &'a str,
    base: String,
    head: String,
}

#[derive(Serialize)]
struct Said<'a> {
    value: &'static str,
    by: &'a str,
}

#[derive(Serialize)]
struct Commit<'a> {
    id: &'a str,
    author: &'a str,
    subject: &'a str,
}

#[derive(Serialize)]
struct Category<'a> {
    category: &'static str,
    scope: &'static str,
    gate: &'static str,
    points: u32,
    evidence: Vec<Evidence<'a>>,
}

#[derive(Serialize)]
struct Evidence<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    rule: &'a str,
    says: &'a str,
}

#[derive(Serialize)]
struct Score {
    tier: u8,
    points: u32,
    lines: Vec<String>,
    gate: &'static str,
    steps: String,
    later: &'static str,
}

pub fn json(told: &Told) -> Result<String, Failure> {
    let (lines_added, lines_removed) = told.report.lines();
    let change = told.report.classification();
    let categories = told.report.by_category().into_iter().map(|(category, evidence)| Category {
        category: category.as_str(),
        scope: category.scope().as_str(),
        gate: category.floor().as_str(),
        points: category.item().points().get(),
        evidence: evidence
            .into_iter()
            .map(|one| Evidence { path: &one.path, line: one.line, rule: &one.rule, says: &one.says })
            .collect(),
    });
    let page = Page {
        range: Range { shown: &told.range.shown, base: told.range.base.to_string(), head: told.range.head.to_string() },
        change: &told.reference,
        kind: told.kind.as_ref().map(|said| Said { value: said.value.as_str(), by: &said.by }),
        severity: told.severity.as_ref().map(|said| Said { value: said.value.as_str(), by: &said.by }),
        commits: told
            .commits
            .iter()
            .map(|commit| Commit {
                id: &commit.id,
                author: &commit.author,
                subject: commit.text.lines().next().unwrap_or_default(),
            })
            .collect(),
        authors: authors(told).into_iter().collect(),
        owners: told.report.owners().into_iter().collect(),
        lines_added,
        lines_removed,
        files: &told.report.files,
        categories: categories.collect(),
        floor: change.as_ref().map(|change| change.floor().as_str()),
        risk_class: change.as_ref().map(|change| change.risk_class().as_str()),
        switched_off: &told.report.switched_off,
        score: told.score.as_ref().map(|score| Score {
            tier: score.tier.number(),
            points: score.score.total.get(),
            lines: score.score.lines(),
            gate: score.gate.gate.as_str(),
            steps: score.gate.to_string(),
            later: LATER,
        }),
    };
    Ok(format!("{}\n", serde_json::to_string_pretty(&page).map_err(|why| why.to_string())?))
}
