//! `tidegate attest`: evidence about a revision or an image, by pipelines and people.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use kube::Client;

use super::send::{Draft, Who, attestation, make, whoami};
use super::statement::{self, Signed};
use super::subject::find;
use super::{Failure, Tell, client, facts, say};
use crate::api::attestation::{ClaimOutcome, Statement, SubjectRef};
use crate::api::{Span, Time};
use crate::policy::canonical::short;
use crate::policy::evidence::{Evidence, all};
use crate::policy::requirement::author::CHANGE_AUTHOR;
use crate::statement::{Unsealed, Words};

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
  tidegate attest checkout -n shop --type on-call-presence --expires 4h         who goes before 8 hours are over
  tidegate attest checkout -n shop --type exception --facts-file exception.yaml
  tidegate attest checkout -n shop --type sca --image sha256:4f2c… --output yaml   the manifest, for whoever applies it

A pipeline that holds no role in the cluster signs instead (docs/evidence.md):
  tidegate attest checkout -n shop --type sast --image sha256:4f2c… --print-audience tidegate   what the token is made out to
  tidegate attest checkout -n shop --type sast --image sha256:4f2c… --statement token.jwt --output yaml
  tidegate attest checkout -n shop --statement envelope.json --output yaml      all it says stands in the envelope";

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
    #[arg(long = "type", value_name = "TYPE", value_parser = types(), hide_possible_values = true,
        required_unless_present = "statement")]
    kind: Option<String>,
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
    /// When it lapses, such as 2026-01-02T18:00:00Z. A token signs the moment, so that it is written out for one.
    #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "expires")]
    expires_at: Option<Time>,
    /// What somebody signed, from a file or standard input (-): an OpenID Connect token, whose words are the other
    /// arguments, or a DSSE envelope, which has its own. Then the signature counts, not who makes the attestation.
    #[arg(long, value_name = "FILE", conflicts_with = "fields")]
    statement: Option<PathBuf>,
    /// Print the audience that a token must be made out to so that it signs all this, and send nothing. AUDIENCE is
    /// that of the issuer's configuration.
    #[arg(long, value_name = "AUDIENCE", conflicts_with_all = ["statement", "fields", "output", "expires"], requires = "namespace")]
    print_audience: Option<String>,
    /// Who made the change, as the API server knows them; they do not approve it.
    #[arg(long, value_name = "USER", value_delimiter = ',')]
    change_author: Vec<String>,
    /// Where to read more: a build, a report. At most 512 characters.
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// Only ask the API server whether it would be taken.
    #[arg(long)]
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

fn moment(text: &str) -> Result<Time, String> {
    let read = text.parse::<jiff::Timestamp>().map(Time::from);
    read.map_err(|why| format!("{why}; wanted is a moment such as 2026-01-02T18:00:00Z"))
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
    if args.fields {
        return say(&facts::form(&evidence(args.kind.as_deref().unwrap_or_default())?));
    }
    let now = jiff::Timestamp::now().into();
    if args.output.is_some() || args.print_audience.is_some() {
        let Said { draft, statement } = said(args, now)?;
        if let Some(audience) = &args.print_audience {
            return say(&made_out_to(args, audience, draft)?);
        }
        if !draft.revision.is_empty() {
            return say(&manifest(args, args.namespace.as_deref(), draft, statement)?);
        }
    }
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    run_with(&client, &namespace, args, now, &mut say).await
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
    let name = args.name.as_deref().unwrap_or_default();
    // What is wrong with the facts is told before anything is asked.
    let Said { draft, statement } = said(args, now)?;
    // What was signed says which revision it is about; it is not looked for, as the signature would not fit another.
    let revision = match args.image.is_some() || (statement.is_some() && !draft.revision.is_empty()) {
        true => draft.revision.clone(),
        false => find(client, namespace, name).await?.revision(args.revision.as_deref())?,
    };
    let draft = Draft { revision, ..draft };
    if args.output.is_some() {
        return tell(&manifest(args, Some(namespace), draft, statement)?);
    }
    let who = whoami(client).await?;
    let Draft { revision, kind, outcome, expires_at, .. } = draft.clone();
    let mut object = attestation(SubjectRef::release(name), &who, draft);
    let signed = if statement.is_some() { "as signed, brought" } else { "" };
    object.spec.statement = statement;
    let made = make(client, namespace, &object, args.dry_run).await?;
    let word = if outcome == ClaimOutcome::Passed { "passed" } else { "failed" };
    let until = expires_at.map(|until| format!(" until {}", until.clock())).unwrap_or_default();
    let by = format!("{signed} by {}", who.name);
    let said = format!("{namespace}/{name}: {kind} {word} for {revision}{until}, {}", by.trim_start());
    tell(&match args.dry_run {
        true => format!("{said}: would be taken; nothing was made (--dry-run)\n"),
        false => format!("{said}: attestation {made}\n"),
    })
}

/// What the arguments and what was signed say.
struct Said {
    draft: Draft,
    statement: Option<Statement>,
}

fn said(args: &Args, now: Time) -> Result<Said, Failure> {
    let Some(path) = &args.statement else { return Ok(Said { draft: draft(args, now)?, statement: None }) };
    let signed = statement::read(path)?;
    let draft = match &signed {
        Signed::Token(_) if args.expires.is_some() => {
            return Err(
                "--expires: a token signs the moment at which it lapses; write that with --expires-at".to_owned()
            );
        }
        Signed::Token(_) => draft(args, now)?,
        Signed::Envelope(_, says) => draft_of(args, says)?,
    };
    Ok(Said { draft, statement: Some(signed.statement()) })
}

/// What an envelope says. Nothing is added to it: the signature would not cover that.
fn draft_of(args: &Args, says: &Unsealed) -> Result<Draft, Failure> {
    let added = [
        ("--type", args.kind.as_ref().is_some_and(|kind| *kind != says.kind)),
        ("--fact", !args.facts.is_empty()),
        ("--facts-file", args.facts_file.is_some()),
        ("--failed", args.failed && says.outcome != ClaimOutcome::Failed),
        ("--expires", args.expires.is_some() || args.expires_at.is_some()),
        ("--change-author", !args.change_author.is_empty()),
        ("--link", args.link.is_some()),
    ];
    if let Some((flag, _)) = added.into_iter().find(|(_, there)| *there) {
        return Err(format!("{flag}: what an envelope says is signed, and nothing is added to it; leave {flag} out"));
    }
    let revision = match (args.image.as_ref().or(args.revision.as_ref()), says.about.as_slice()) {
        (Some(named), all) if all.contains(named) => named.clone(),
        (None, [only]) => only.clone(),
        (Some(named), all) => return Err(format!("{named}: the envelope is about {}", all.join(", "))),
        (None, all) => {
            return Err(format!(
                "the envelope is about {} things; name one with --image: {}",
                all.len(),
                all.join(", ")
            ));
        }
    };
    let Unsealed { about: _, kind, outcome, at: _, release: _, facts, expires_at, link } = says.clone();
    facts::check(&evidence(&kind)?, &facts, outcome == ClaimOutcome::Passed)?;
    Ok(Draft { revision, kind, role: None, outcome, expires_at, link, facts })
}

/// The audience of a token that signs what the arguments say.
fn made_out_to(args: &Args, audience: &str, draft: Draft) -> Result<String, Failure> {
    if draft.revision.is_empty() {
        return Err(
            "--print-audience: what it is about is signed too; name it with --image sha256:… or --revision git:…"
                .to_owned(),
        );
    }
    let subject = SubjectRef::release(args.name.as_deref().unwrap_or_default());
    let object = attestation(subject, &nobody(), draft);
    let words = Words::of(args.namespace.as_deref().unwrap_or_default(), &object.spec);
    let audience = words.audience(audience).ok_or("--print-audience: what is said cannot be written as JSON")?;
    Ok(format!("{audience}\n"))
}

fn nobody() -> Who {
    Who { name: String::new(), groups: Vec::new() }
}

fn draft(args: &Args, now: Time) -> Result<Draft, Failure> {
    let Some(kind) = &args.kind else {
        return Err("--type is missing: a token signs who says it, the arguments are what it says".to_owned());
    };
    let evidence = evidence(kind)?;
    let revision = args.image.as_ref().or(args.revision.as_ref()).cloned().unwrap_or_default();
    let mut facts: BTreeMap<String, String> = match &args.facts_file {
        Some(path) => facts::of_file(path)?,
        None => BTreeMap::new(),
    };
    facts.extend(args.facts.iter().cloned());
    if !args.change_author.is_empty() {
        facts.insert(CHANGE_AUTHOR.to_owned(), args.change_author.join(","));
    }
    facts::check(&evidence, &facts, !args.failed)?;
    if facts.contains_key(CHANGE_AUTHOR) && !evidence.is_of_pipelines() {
        return Err(format!(
            "--change-author: {kind} is what people know, and says nothing of who made the change. Say that with what a pipeline ran, such as --type build"
        ));
    }
    let outcome = if args.failed { ClaimOutcome::Failed } else { ClaimOutcome::Passed };
    Ok(Draft {
        revision,
        kind: kind.clone(),
        role: None,
        outcome,
        expires_at: args.expires_at.or(args.expires.map(|span| now.plus(span))),
        link: args.link.clone(),
        facts,
    })
}

/// The manifest, without author and groups: they are those of whoever creates it.
fn manifest(
    args: &Args,
    namespace: Option<&str>,
    draft: Draft,
    statement: Option<Statement>,
) -> Result<String, Failure> {
    let mut made = attestation(SubjectRef::release(args.name.as_deref().unwrap_or_default()), &nobody(), draft);
    // A manifest in Git has a name; this one is the same for the same statement.
    if let Some(carried) = &statement {
        let text = carried.token.as_ref().or(carried.envelope.as_ref()).map_or("", String::as_str);
        let hash = short(text, 5);
        made.metadata.name = made.metadata.generate_name.take().map(|stem| format!("{stem}{hash}"));
    }
    made.spec.statement = statement;
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
