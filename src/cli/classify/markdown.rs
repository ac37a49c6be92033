//! The page for a comment of a pull request: short, details folded.

use super::Told;
use super::page::{head, off, said};
use super::score::LATER;

/// A comment has little room: GitHub takes 65,536 characters.
const EVIDENCE_SHOWN: usize = 200;
const FILES_SHOWN: usize = 200;

pub fn markdown(told: &Told) -> String {
    let mut out = Vec::new();
    let Some(change) = told.report.classification() else {
        return format!("### Tidegate: no file differs\n\n{}\n", text(&head(told)));
    };
    let gate = told.score.as_ref().map_or_else(|| change.floor(), |score| score.gate.gate);
    let points = told.score.as_ref().map(|score| format!(", {}", score.score.total)).unwrap_or_default();
    let at_least = if told.score.is_some() { "" } else { "at least " };
    out.push(format!("### Tidegate: {at_least}gate {gate} ({}){points}\n", gate.meaning()));
    out.push(format!("{}  \n{}\n", text(&head(told)), text(&said(told))));
    out.push("| category | gate | points | found in |".to_owned());
    out.push("|---|---|---:|---|".to_owned());
    for (category, evidence) in told.report.by_category() {
        let first = evidence.first().map(|one| text(&one.to_string())).unwrap_or_default();
        let more = if evidence.len() > 1 { format!(" and {} more", evidence.len() - 1) } else { String::new() };
        out.push(format!(
            "| `{category}` | {} | {} | {first}{more} |",
            category.floor(),
            category.item().points().get()
        ));
    }
    out.push(String::new());
    let owners = told.report.owners();
    if !owners.is_empty() {
        out.push(format!("Owners: {}\n", text(&owners.into_iter().collect::<Vec<_>>().join(", "))));
    }
    out.extend(off(told).map(|line| format!("{}\n", text(&line))));
    if let Some(score) = &told.score {
        let mut lines: Vec<String> = score.score.lines().iter().map(|line| format!("- {}", text(line))).collect();
        lines.push(format!("- gate: {}", text(&score.gate.to_string())));
        lines.push(format!("\n{LATER}"));
        out.push(folded(&format!("Score of {}", score.tier), &lines));
    }
    let evidence = &told.report.evidence;
    let lines =
        evidence.iter().take(EVIDENCE_SHOWN).map(|one| format!("- `{}` {}", one.category, text(&one.to_string())));
    out.push(folded(
        &format!("Everything that was found ({})", evidence.len()),
        &limited(lines.collect(), evidence.len()),
    ));
    let files = &told.report.files;
    let lines = files.iter().take(FILES_SHOWN).map(|file| {
        let owners: Vec<&str> = file.owners.iter().map(String::as_str).collect();
        let owners = if owners.is_empty() { String::new() } else { format!(" ({})", owners.join(", ")) };
        format!("- {} +{} -{}{}", text(&file.path), file.lines_added, file.lines_removed, text(&owners))
    });
    out.push(folded(&format!("Files ({})", files.len()), &limited(lines.collect(), files.len())));
    out.join("\n")
}

fn limited(mut lines: Vec<String>, all: usize) -> Vec<String> {
    if all > lines.len() {
        lines.push(format!("- and {} more", all - lines.len()));
    }
    lines
}

fn folded(title: &str, lines: &[String]) -> String {
    format!("<details><summary>{title}</summary>\n\n{}\n\n</details>\n", lines.join("\n"))
}

/// Text as it is: paths and names of commits are others' words, which must not format, link or mention anybody.
fn text(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Broken by a character without width, so that nobody is notified.
            '@' => out.push_str("@\u{200b}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
