//! `tidegate attest`: evidence about a revision or an image, by pipelines and people.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use kube::Client;

use super::send::{Draft, Who, attestation, make, whoami};
use super::subject::find;
use super::{Failure, Tell, client, facts, say};
use crate::api::attestation::{ClaimOutcome, SubjectRef};
use crate::api::{Span, Time};
use crate::policy::evidence::{Evidence, all};
use crate::policy::requirement::claim::CHANGE_AUTHOR;

const EXAMPLES: &str = "\
Evidence is an Attestation: of a type, about one revision, or about every revision with an image of a digest. The latest of a
type decides. It needs the verb `attest` on `evidence.tidegate.io` named by the type. All types, and which gate asks for
them: tidegate requirements

Examples:
  tidegate attest checkout -n shop --type unit-tests --image sha256:4f2c… --fact passed=412 --link https://ci.example.com/1
  tidegate attest checkout -n shop --type sast --failed --fact findings=3
  tidegate attest checkout -n shop --type build --change-author dana,sam        nobody of them approves it
  tidegate attest --type release-plan --fields > plan.yaml                      a form to fill in
  tidegate attest checkout -n shop --type release-plan --facts-file plan.yaml
  tidegate attest checkout -n shop --type on-call-presence --expires 8h         it lapses unless renewed
  tidegate attest checkout -n shop --type exception --facts-file exception.yaml
  tidegate attest checkout -n shop --type sca --image sha256:4f2c… --output yaml   the manifest, for whoever applies it";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The GatedRelease.
    #[arg(required_unless_present = "fields")]
    name: Option<String>,
    /// Its namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
    /// What is claimed: a type of evidence.
    #[arg(long = "type", value_name = "TYPE", value_parser = types(), hide_possible_values = true)]
    kind: String,
    /// A named fact; may be given more than once, and goes before that of the file.
    #[arg(long = "fact", value_name = "KEY=VALUE", value_parser = facts::one)]
    facts: Vec<(String, String)>,
    /// A YAML file with facts, such as the fields of a release plan.
    #[arg(long, value_name = "FILE")]
    facts_file: Option<PathBuf>,
    /// It speaks against the revision: the check failed.
    #[arg(long)]
    failed: bool,
    /// Every revision with an image of this digest, instead of the one that is being released now.
    #[arg(long, value_name = "DIGEST", value_parser = digest, conflicts_with = "revision")]
    image: Option<String>,
    /// The revision, as `kubectl get gr -o wide` shows it. Default: the one that is being released now.
    #[arg(long, value_name = "REVISION")]
    revision: Option<String>,
    /// After how long it lapses, such as 8h. Default: never.
    #[arg(long, value_name = "SPAN")]
    expires: Option<Span>,
    /// Who made the change, as the API server knows them; they do not approve it.
    #[arg(long, value_name = "USER", value_delimiter = ',')]
    change_author: Vec<String>,
    /// Where to read more: a build, a report. At most 512 characters.
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// Only ask the API server whether it would be taken.
    #[arg(long, conflicts_with = "output")]
    dry_run: bool,
    /// Print the manifest and send nothing: its author is whoever creates it. With --image or --revision no cluster is asked.
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    output: Option<Output>,
    /// Print the facts of the type as a form to fill in.
    #[arg(long)]
    fields: bool,
}

/// How the manifest is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    /// One YAML document.
    Yaml,
}

fn types() -> PossibleValuesParser {
    PossibleValuesParser::new(all().into_values().map(|one| PossibleValue::new(one.name).help(one.says)))
}

fn digest(text: &str) -> Result<String, String> {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    if hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(text.to_owned());
    }
    Err("a digest is sha256: and 64 hexadecimal digits, as `docker buildx imagetools inspect IMAGE` shows it"
        .to_owned())
}

pub(in crate::cli) async fn run(args: &Args) -> Result<(), Failure> {
    let evidence = evidence(&args.kind)?;
    if args.fields {
        return say(&facts::form(&evidence));
    }
    if args.output.is_some()
        && let Some(revision) = args.image.as_ref().or(args.revision.as_ref())
    {
        let draft = draft(args, &evidence, revision.clone(), jiff::Timestamp::now().into())?;
        return say(&manifest(args, args.namespace.as_deref(), draft)?);
    }
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    run_with(&client, &namespace, args, jiff::Timestamp::now().into(), &mut say).await
}

fn evidence(kind: &str) -> Result<Evidence, Failure> {
    Evidence::named(kind).ok_or_else(|| format!("--type {kind}: nothing asks for it. The types: tidegate requirements"))
}

pub(super) async fn run_with(
    client: &Client,
    namespace: &str,
    args: &Args,
    now: Time,
    tell: Tell<'_>,
) -> Result<(), Failure> {
    let evidence = evidence(&args.kind)?;
    let name = args.name.as_deref().unwrap_or_default();
    // What is wrong with the facts is told before anything is asked.
    let empty = draft(args, &evidence, String::new(), now)?;
    let revision = match &args.image {
        Some(image) => image.clone(),
        None => find(client, namespace, name).await?.revision(args.revision.as_deref())?,
    };
    let draft = Draft { revision, ..empty };
    if args.output.is_some() {
        return tell(&manifest(args, Some(namespace), draft)?);
    }
    let who = whoami(client).await?;
    let Draft { revision, outcome, expires_at, .. } = draft.clone();
    let made = make(client, namespace, &attestation(SubjectRef::release(name), &who, draft), args.dry_run).await?;
    let word = if outcome == ClaimOutcome::Passed { "passed" } else { "failed" };
    let until = expires_at.map(|until| format!(" until {}", until.clock())).unwrap_or_default();
    let said = format!("{namespace}/{name}: {} {word} for {revision}{until}, by {}", args.kind, who.name);
    tell(&match args.dry_run {
        true => format!("{said}: would be taken; nothing was made (--dry-run)\n"),
        false => format!("{said}: attestation {made}\n"),
    })
}

fn draft(args: &Args, evidence: &Evidence, revision: String, now: Time) -> Result<Draft, Failure> {
    let mut facts: BTreeMap<String, String> = match &args.facts_file {
        Some(path) => facts::of_file(path)?,
        None => BTreeMap::new(),
    };
    facts.extend(args.facts.iter().cloned());
    if !args.change_author.is_empty() {
        facts.insert(CHANGE_AUTHOR.to_owned(), args.change_author.join(","));
    }
    facts::check(evidence, &facts, !args.failed)?;
    let outcome = if args.failed { ClaimOutcome::Failed } else { ClaimOutcome::Passed };
    Ok(Draft {
        revision,
        kind: args.kind.clone(),
        role: None,
        outcome,
        expires_at: args.expires.map(|span| now.plus(span)),
        link: args.link.clone(),
        facts,
    })
}

/// The manifest, without author and groups: they are those of whoever creates it.
fn manifest(args: &Args, namespace: Option<&str>, draft: Draft) -> Result<String, Failure> {
    let nobody = Who { name: String::new(), groups: Vec::new() };
    let mut made = attestation(SubjectRef::release(args.name.as_deref().unwrap_or_default()), &nobody, draft);
    made.metadata.namespace = namespace.map(str::to_owned);
    let mut value = serde_json::to_value(&made).map_err(|why| why.to_string())?;
    if let Some(spec) = value.get_mut("spec").and_then(serde_json::Value::as_object_mut) {
        spec.remove("author");
    }
    serde_saphyr::to_string(&value).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&format!("sha256:{}", "0a".repeat(32)), true)]
    #[case(&"0a".repeat(32), false)]
    #[case("sha256:0a", false)]
    #[case(&format!("sha256:{}", "0A".repeat(32)), false)]
    fn a_digest(#[case] text: &str, #[case] taken: bool) {
        assert_eq!(digest(text).is_ok(), taken);
    }

    #[test]
    fn each_type_is_an_argument_and_has_a_meaning() {
        let all = all();
        assert!(all.contains_key("unit-tests") && all.contains_key("exception") && all.contains_key("release-plan"));
        assert!(!all.contains_key("approval") && !all.contains_key("start"));
        assert!(all.values().all(|one| !one.says.is_empty() && !one.source.is_empty()));
    }
}
