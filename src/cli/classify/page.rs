//! The page for people at a terminal.

use std::collections::BTreeSet;

use super::Told;
use super::score::LATER;

/// No more pieces of evidence are shown for a category than this.
const SHOWN: usize = 3;

pub fn page(told: &Told) -> String {
    let mut lines = vec![head(told), said(told)];
    lines.push(String::new());
    let Some(change) = told.report.classification() else {
        return format!("{}\nno file differs\n", head(told));
    };
    lines.push(format!("{:<34} {:<5} {:>3}  {}", "CATEGORY", "GATE", "RP", "FOUND"));
    for (category, evidence) in told.report.by_category() {
        for (index, one) in evidence.iter().take(SHOWN).enumerate() {
            lines.push(match index {
                0 => format!("{category:<34} {:<5} {:>3}  {one}", category.floor(), category.item().points().get()),
                _ => format!("{:<45} {one}", ""),
            });
        }
        if evidence.len() > SHOWN {
            lines.push(format!("{:<45} and {} more", "", evidence.len() - SHOWN));
        }
    }
    lines.push(String::new());
    if let Some(strictest) = change.strictest() {
        lines.push(format!(
            "gate of the categories: at least {} ({strictest}: {})",
            strictest.floor(),
            strictest.floor_says()
        ));
    }
    lines.push(format!("risk class: {}", change.risk_class()));
    let owners = told.report.owners();
    if !owners.is_empty() {
        lines.push(format!("owners: {}", owners.into_iter().collect::<Vec<_>>().join(", ")));
    }
    lines.extend(off(told));
    if let Some(score) = &told.score {
        lines.push(String::new());
        lines.extend(score.score.lines());
        lines.push(format!("gate: {}", score.gate));
        lines.push(LATER.to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

/// `origin/main...HEAD (3f2a1c0..9b1d2e4): 3 commits by 2 people, 7 files, +120 -14 lines`.
pub fn head(told: &Told) -> String {
    let (added, removed) = told.report.lines();
    format!(
        "{} ({}..{}): {} by {}, {}, +{added} -{removed} lines",
        told.range.shown,
        told.range.base_short(),
        told.range.head_short(),
        counted(told.commits.len(), "commit", "commits"),
        counted(authors(told).len(), "person", "people"),
        counted(told.report.files.len(), "file", "files"),
    )
}

/// Everybody who wrote a commit.
pub fn authors(told: &Told) -> BTreeSet<&str> {
    told.commits.iter().map(|commit| commit.author.as_str()).collect()
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The type and the severity, and who says so.
pub fn said(told: &Told) -> String {
    let kind = told.kind.as_ref().map(|said| format!("type {} ({})", said.value, said.by));
    let severity = told.severity.as_ref().map(|said| format!("severity {} ({})", said.value, said.by));
    let kind = kind
        .unwrap_or_else(|| "type not said, which counts as Feature (--type, or the trailer Tidegate-Type)".to_owned());
    [Some(kind), severity].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The default rules that do not hold here.
pub fn off(told: &Told) -> Option<String> {
    let off = &told.report.switched_off;
    (!off.is_empty()).then(|| format!("default rules that the project switched off: {}", off.join(", ")))
}
