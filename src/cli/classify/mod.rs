//! `tidegate classify`: what a range of commits changes, for pipelines.
//!
//! [`crate::classify`] judges; here are the arguments, git ([`git`]), what is printed ([`page`], [`markdown`],
//! [`json`]), and what is written for the cluster ([`annotate`], [`attest`]).

mod annotate;
mod attest;
mod git;
mod json;
mod markdown;
mod page;
mod score;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use super::{Failure, say};
use crate::api::{ChangeType, Severity};
use crate::classify::trailer::{self, Said};
use crate::classify::{Report, Rules, classify};
use crate::policy::Tier;
use score::Score;

/// Where a project keeps its rules.
const RULES_FILE: &str = ".tidegate.yaml";

const EXAMPLES: &str = "Examples:
  tidegate classify                                 what HEAD adds to the remote's default branch
  tidegate classify origin/main...HEAD -o markdown  as a comment of a pull request
  tidegate classify v1.4..v1.5 --tier 2             with risk points and gate
  tidegate classify --annotate deploy/app.yaml      writes the change annotations into a manifest
  tidegate classify --attestation checkout --revision 7d9f -n shop --author ci | kubectl create -f -

Rules and figures: docs/classify.md. It reads the repository and nothing else: no cluster, no network, no git program.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// `A...B`: what B adds since it left A, as a pull request; `A..B`: from A to B. By default from the remote's default
    /// branch, three dots, to HEAD.
    range: Option<String>,
    /// The repository, or a folder in it.
    #[arg(long, value_name = "PATH", default_value = ".")]
    repo: PathBuf,
    /// The project's rules; by default .tidegate.yaml as it is before the range, so that no change judges itself by rules
    /// of its own.
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// As what to print.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
    /// The change type, such as BugFix; by default what the commits say.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<ChangeType>,
    /// The severity of what is repaired, P0 to P4; by default what the commits say.
    #[arg(long)]
    severity: Option<Severity>,
    /// Where the change comes from, for the annotation; by default git: and the short id of the range's end.
    #[arg(long, value_name = "REFERENCE")]
    change: Option<String>,
    /// The tier of the service, 0 to 3: also print the risk points that are known by now, and the gate.
    #[arg(long, value_parser = tier)]
    tier: Option<Tier>,
    /// Write the change annotations into this manifest, comments and layout kept.
    #[arg(long, value_name = "FILE")]
    annotate: Option<PathBuf>,
    /// The Deployment or StatefulSet in the manifest, where there are several.
    #[arg(long, value_name = "NAME", requires = "annotate")]
    deployment: Option<String>,
    /// Print an Attestation for this GatedRelease instead.
    #[arg(long, value_name = "RELEASE", requires_all = ["revision", "author"], conflicts_with = "annotate")]
    attestation: Option<String>,
    /// The revision that the attestation is about: an image digest, or as `kubectl get gr -o wide` shows it.
    #[arg(long, requires = "attestation")]
    revision: Option<String>,
    /// Who attests: the pipeline's user name in the cluster, as nobody attests in another's name.
    #[arg(long, requires = "attestation")]
    author: Option<String>,
    /// The attestation's namespace.
    #[arg(short, long, requires = "attestation")]
    namespace: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// For people at a terminal.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For a comment of a pull request.
    Markdown,
}

fn tier(text: &str) -> Result<Tier, String> {
    let number = text.parse().map_err(|_| format!("{text:?} is no number from 0 to 3"))?;
    Tier::new(number).map_err(|why| why.to_string())
}

/// All that is told.
struct Told {
    range: git::Range,
    commits: Vec<git::Commit>,
    report: Report,
    reference: String,
    kind: Option<Said<ChangeType>>,
    severity: Option<Said<Severity>>,
    score: Option<Score>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let told = look(args)?;
    if let Some(release) = &args.attestation {
        let (Some(revision), Some(author)) = (&args.revision, &args.author) else {
            return Err("--attestation needs --revision and --author".to_owned());
        };
        let about = attest::About { release, revision, author, namespace: args.namespace.as_deref() };
        return say(&attest::manifest(&told, &about)?);
    }
    if let Some(path) = &args.annotate {
        annotate_file(path, args.deployment.as_deref(), &told)?;
    }
    say(&match args.output {
        Output::Table => page::page(&told),
        Output::Json => json::json(&told)?,
        Output::Markdown => markdown::markdown(&told),
    })
}

fn look(args: &Args) -> Result<Told, Failure> {
    let repository = git::open(&args.repo)?;
    let range = git::range(&repository, args.range.as_deref())?;
    let commits = git::commits(&repository, &range)?;
    let rules = rules(args, &repository, &range)?;
    let report = classify(&rules, &git::changed_files(&repository, &range)?);
    let messages: Vec<trailer::Message> = commits.iter().map(git::Commit::message).collect();
    let by_flag = || "the flag".to_owned();
    let kind = match args.kind {
        Some(value) => Some(Said { value, by: by_flag() }),
        None => trailer::change_type(&messages)?,
    };
    let severity = match args.severity {
        Some(value) => Some(Said { value, by: by_flag() }),
        None => trailer::severity(&messages)?,
    };
    let reference = args.change.clone().unwrap_or_else(|| format!("git:{}", range.head_short()));
    let score = args.tier.and_then(|tier| Score::of(tier, &report, kind.as_ref().map(|said| said.value)));
    Ok(Told { range, commits, report, reference, kind, severity, score })
}

fn rules(args: &Args, repository: &git::Repository, range: &git::Range) -> Result<Rules, Failure> {
    let read = match &args.rules {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|why| format!("--rules {}: {why}", path.display()))?;
            Some((path.display().to_string(), text))
        }
        None => git::text_before(repository, range, RULES_FILE)?.map(|text| (RULES_FILE.to_owned(), text)),
    };
    let rules = match read {
        Some((place, text)) => Rules::with_project(&place, &text),
        None => Rules::shipped(),
    };
    rules.map_err(|why| why.to_string())
}

/// Writes the annotations, and takes away those of an earlier change that this one says nothing of.
fn annotate_file(path: &std::path::Path, name: Option<&str>, told: &Told) -> Result<(), Failure> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|why| format!("--annotate {place}: {why}"))?;
    let annotations = attest::annotations(told);
    let edited = annotate::annotate(&text, name, &annotations).map_err(|why| format!("--annotate {place}: {why}"))?;
    if edited != text {
        std::fs::write(path, edited).map_err(|why| format!("--annotate {place}: {why}"))?;
    }
    Ok(())
}
