//! `tidegate requirements`: what a release must show and has shown, or the whole catalogue.

use kube::Api;

use super::{Failure, client, say, why};
use crate::api::GatedRelease;
use crate::api::gated_release::RiskView;
use crate::policy::evidence;
use crate::policy::requirement::{CATALOGUE, Means, Need};

const EXAMPLES: &str = "\
Without a release: the catalogue, and what else can be attested. A service does without some of it with
spec.requirements.waived of its RiskBudget.

Examples:
  tidegate requirements
  tidegate requirements checkout -n shop
  tidegate requirements --output markdown          docs/gates.md";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The GatedRelease; the whole catalogue where none is given.
    name: Option<String>,
    /// Its namespace; by default that of the kubeconfig.
    #[arg(short, long, requires = "name")]
    namespace: Option<String>,
    /// How the catalogue is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Text, value_name = "FORMAT", conflicts_with = "name")]
    output: Output,
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// Columns, for people.
    Text,
    /// A Markdown page.
    Markdown,
}

pub(super) async fn run(args: &Args) -> Result<(), Failure> {
    let Some(name) = &args.name else {
        return say(&match args.output {
            Output::Text => table(),
            Output::Markdown => markdown(),
        });
    };
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    let release = Api::<GatedRelease>::namespaced(client, &namespace).get(name).await;
    let release = release.map_err(|error| format!("GatedRelease {namespace}/{name}: {}", why(&error)))?;
    let status = release.status.unwrap_or_default();
    let revision = status.revision.as_deref().unwrap_or("-");
    match &status.risk {
        Some(risk) => say(&page(&format!("{namespace}/{name}"), revision, risk)),
        None => Err(format!("{namespace}/{name}: no change is assessed now: {}", status.message)),
    }
}

/// What one change must show and has shown.
fn page(id: &str, revision: &str, risk: &RiskView) -> String {
    let mut out = format!("{id}, revision {revision}: gate {} ({})\n  {}\n", risk.gate, risk.why, risk.score);
    let lines = risk.missing.iter().map(|line| ("missing", line)).chain(risk.met.iter().map(|line| ("met", line)));
    for (word, line) in lines {
        out.push_str(&format!("{word:<8} {line}\n"));
    }
    if risk.missing.is_empty() {
        out.push_str("Nothing is missing.\n");
    }
    out
}

/// A line of the catalogue, in words.
struct Row {
    name: String,
    gate: String,
    due: String,
    how: String,
    says: &'static str,
    source: &'static str,
}

fn rows() -> Vec<Row> {
    let row = |entry: &crate::policy::requirement::Entry| Row {
        name: entry.name.to_owned(),
        gate: gate(&entry.need),
        due: entry.due.to_string(),
        how: entry.means.iter().map(means).collect::<Vec<_>>().join("; or "),
        says: entry.says,
        source: entry.source,
    };
    CATALOGUE.iter().map(row).collect()
}

fn gate(need: &Need) -> String {
    match need {
        Need::From(gate) => format!("from {gate}"),
        Need::FromOrUnder(gate, status) => format!("from {gate}; at any gate in {status}"),
        Need::Touching(gate, categories) => {
            let names: Vec<&str> = categories.iter().map(|category| category.as_str()).collect();
            format!("from {gate}, touching {}", names.join(", "))
        }
        Need::CustomerImpact(gate) => format!("from {gate}, where customers may notice"),
        Need::Band(band) => format!("risk budget {band}"),
    }
}

fn means(means: &Means) -> String {
    match means {
        Means::Controller { remedy, .. } => format!("Tidegate looks itself: {remedy}"),
        Means::Attestation(kind) => format!("attestation {kind}"),
        Means::ByAnother(kind) => format!("attestation {kind}, by somebody who did not make the change"),
        Means::Fresh(kind, span) => format!("attestation {kind}, no older than {span}"),
        Means::Document(document) => format!("attestation {} with {}", document.kind, document.keys()),
        Means::Approvals(seats) => {
            let seat = |roles: &&[crate::policy::Role]| {
                roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" or ")
            };
            format!("approval as {}", seats.iter().map(seat).collect::<Vec<_>>().join(", and as "))
        }
    }
}

fn table() -> String {
    let rows = rows();
    let wide = |of: fn(&Row) -> &str| rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
    // Lists of categories are long; what is wider than this stands out of its column.
    let (name, gate, due) = (wide(|row| &row.name), wide(|row| &row.gate).min(32), wide(|row| &row.due).min(20));
    let mut out = format!("{:<name$}  {:<gate$}  {:<due$}  HOW IT IS MET (SOURCE)\n", "NAME", "GATE", "WHEN");
    for row in &rows {
        let Row { name: named, gate: gated, due: when, how, says: _, source } = row;
        out.push_str(&format!("{named:<name$}  {gated:<gate$}  {when:<due$}  {how} ({source})\n"));
    }
    out.push_str("\nAlso read where it is attested:\n");
    for one in others() {
        out.push_str(&format!("{:<name$}  {} ({})\n", one.name, one.says, one.source));
    }
    out
}

/// Evidence that no line of the catalogue asks for.
fn others() -> Vec<evidence::Evidence> {
    let asked = |name: &str| {
        CATALOGUE.iter().flat_map(|entry| entry.means).any(|means| match means {
            Means::Attestation(kind) | Means::ByAnother(kind) | Means::Fresh(kind, _) => *kind == name,
            Means::Document(document) => document.kind == name,
            Means::Controller { .. } | Means::Approvals(_) => false,
        })
    };
    evidence::all().into_values().filter(|one| !asked(one.name)).collect()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn markdown() -> String {
    let mut out = String::from(
        "# What each gate asks for\n\n\
         <!-- Written by `tidegate requirements --output markdown`; a test compares. -->\n\n\
         A gate asks for what stands at it and at every gate below. [policy.md](policy.md) says how a change comes to its gate,\n\
         [approvals.md](approvals.md) how people approve and pipelines attest.\n\n\
         | name | gate | when | how it is met | the documents' words | source |\n|---|---|---|---|---|---|\n",
    );
    for row in rows() {
        let Row { name, gate, due, how, says, source } = row;
        let [gate, due, how, says, source] = [&*gate, &*due, &*how, says, source].map(cell);
        out.push_str(&format!("| `{name}` | {gate} | {due} | {how} | {says} | {source} |\n"));
    }
    out.push_str("\n## Also read where it is attested\n\n| type | the documents' words | source |\n|---|---|---|\n");
    for one in others() {
        out.push_str(&format!("| `{}` | {} | {} |\n", one.name, cell(one.says), cell(one.source)));
    }
    out.push_str("\n## The fields of documents\n\nAn attestation of these types counts with all of its facts. A form to fill in: `tidegate attest --type TYPE --fields`.\n");
    for one in evidence::all().into_values() {
        let Some(document) = one.document else { continue };
        out.push_str(&format!("\n**{}** ({})\n\n| fact | what belongs into it |\n|---|---|\n", one.name, one.source));
        for field in document.fields {
            let words = field.check.words().map(|words| format!("; one of {}", words.join(", "))).unwrap_or_default();
            out.push_str(&format!("| `{}` | {}{words} |\n", field.key, cell(field.says)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Gate;

    /// Written anew with `cargo run -- requirements --output markdown > docs/gates.md`.
    #[test]
    fn the_page_in_docs_is_the_catalogue() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gates.md");
        let stands = std::fs::read_to_string(path).unwrap_or_default();
        let page = markdown();
        let command = "cargo run -- requirements --output markdown > docs/gates.md";
        assert!(stands == page, "docs/gates.md is not what the catalogue says. Write it anew: {command}\n{page}");
    }

    #[test]
    fn the_table_names_every_requirement_once_with_a_way_to_meet_it() {
        let table = table();
        for entry in CATALOGUE {
            let lines: Vec<&str> = table.lines().filter(|line| line.split(' ').next() == Some(entry.name)).collect();
            assert_eq!(lines.len(), 1, "{}", entry.name);
            assert!(
                lines[0].contains("attestation") || lines[0].contains("approval") || lines[0].contains("looks itself")
            );
        }
    }

    #[test]
    fn a_release_is_told_what_is_missing_first() {
        let risk = RiskView {
            score: "14 RP = 6 base + 8 diff".into(),
            terms: Vec::new(),
            gate: Gate::G3,
            why: "14 RP → G3".into(),
            asks: Vec::new(),
            missing: vec!["sast: missing before the start (003, Module 4): an attestation".into()],
            met: vec!["build: met by ci (2 Jan 10:00:00 UTC)".into()],
        };
        insta::assert_snapshot!(page("shop/web", "abc", &risk), @"
        shop/web, revision abc: gate G3 (14 RP → G3)
          14 RP = 6 base + 8 diff
        missing  sast: missing before the start (003, Module 4): an attestation
        met      build: met by ci (2 Jan 10:00:00 UTC)
        ");
    }
}
