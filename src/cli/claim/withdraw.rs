//! `tidegate withdraw`: takes back what one said oneself.

use std::collections::BTreeMap;

use kube::Client;

use super::said::about;
use super::send::{Draft, attestation, make, whoami};
use super::subject::find;
use super::voice::RoleName;
use super::{About, Failure, Tell, budget, client, overridden, say};
use crate::api::Time;
use crate::api::attestation::{ClaimOutcome, SubjectRef};
use crate::policy::requirement::claim::APPROVAL;
use crate::release::snapshot::AttestationSeen as Said;

const EXAMPLES: &str = "\
What was said stays on record; from now on it says nothing. It is found among what you said about the revision that is being \
released, and about its image: by role, by type, or because there is nothing else. That something owed was done is taken \
back with: tidegate meet BUDGET NAME --failed

Examples:
  tidegate withdraw checkout -n shop                   the one thing that you said
  tidegate withdraw checkout -n shop --role sre        your approval or rejection as sre
  tidegate withdraw checkout -n shop --type load-test  your evidence
  tidegate withdraw checkout -n shop --type start      your start by hand
  tidegate withdraw checkout -n shop --all
  tidegate withdraw --budget checkout -n shop          your word on what it would allow more
  tidegate withdraw --budget checkout -n shop --obligation override-approval-checkout-0007
                                                       your word on what ran past its gate";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    about: About,
    /// What you said in this role.
    #[arg(long, value_name = "ROLE", value_parser = RoleName)]
    role: Option<String>,
    /// What you said in this type: start, or a type of evidence.
    #[arg(long = "type", value_name = "TYPE", conflicts_with_all = ["role", "budget"])]
    kind: Option<String>,
    /// Everything that you said.
    #[arg(long, conflicts_with_all = ["role", "kind", "budget"])]
    all: bool,
    /// Only ask the API server whether it would be taken.
    #[arg(long)]
    dry_run: bool,
}

pub(in crate::cli) async fn run(args: &Args) -> Result<(), Failure> {
    let (client, namespace) = client(args.about.namespace.as_deref()).await?;
    run_with(&client, &namespace, args, jiff::Timestamp::now().into(), &mut say).await
}

pub(super) async fn run_with(
    client: &Client,
    namespace: &str,
    args: &Args,
    now: Time,
    tell: Tell<'_>,
) -> Result<(), Failure> {
    if let (Some(name), Some(obligation)) = (&args.about.budget, &args.about.obligation) {
        let draft = Draft {
            revision: obligation.clone(),
            kind: APPROVAL.to_owned(),
            role: args.role.clone(),
            outcome: ClaimOutcome::Withdrawn,
            expires_at: None,
            link: None,
            facts: BTreeMap::new(),
        };
        return overridden::say(client, (namespace, name, obligation), draft, args.dry_run, now, tell).await;
    }
    if let Some(name) = &args.about.budget {
        let role = budget::spoken(client, (namespace, name), args.role.as_deref(), now).await?;
        let draft = Draft {
            revision: String::new(),
            kind: APPROVAL.to_owned(),
            role: Some(role),
            outcome: ClaimOutcome::Withdrawn,
            expires_at: None,
            link: None,
            facts: BTreeMap::new(),
        };
        return budget::say(client, (namespace, name), draft, args.dry_run, now, tell).await;
    }
    let name = args.about.release();
    let subject = find(client, namespace, name).await?;
    let revision = subject.revision(args.about.revision.as_deref())?;
    let who = whoami(client).await?;
    let said = about(client, namespace, &SubjectRef::release(name)).await?;
    let stands = standing(&said, &who.name, &revision);
    let wanted = Wanted { role: args.role.as_deref(), kind: args.kind.as_deref(), all: args.all };
    let chosen = chosen(&stands, &wanted)
        .map_err(|why| format!("{namespace}/{name}, revision {revision}: {} {why}", who.name))?;
    for one in chosen {
        let draft = Draft {
            revision: one.spec.revision.clone(),
            kind: one.spec.kind.clone(),
            role: one.spec.role.clone(),
            outcome: ClaimOutcome::Withdrawn,
            expires_at: None,
            link: None,
            facts: BTreeMap::new(),
        };
        let made = attestation(SubjectRef::release(name), &who, draft);
        let object = make(client, namespace, &made, args.dry_run).await?;
        tell(&match args.dry_run {
            true => format!("{}: would be withdrawn; nothing was made (--dry-run)\n", words(one)),
            false => format!("{}: withdrawn, attestation {object}\n", words(one)),
        })?;
    }
    Ok(())
}

/// `approved as sre 2 Jan 10:00:00 UTC`.
fn words(said: &Said) -> String {
    let at = said.at.clock();
    let passed = said.spec.outcome == ClaimOutcome::Passed;
    match &said.spec.role {
        Some(role) => format!("{} as {role} {at}", if passed { "approved" } else { "rejected" }),
        None => format!("{} {} {at}", said.spec.kind, if passed { "passed" } else { "failed" }),
    }
}

/// What somebody said about a revision, or an image, and has not taken back: the latest of each type, role and revision.
fn standing<'a>(said: &'a [Said], author: &str, revision: &str) -> Vec<&'a Said> {
    let mut latest: BTreeMap<(&str, Option<&str>, &str), &Said> = BTreeMap::new();
    for one in said.iter().filter(|one| one.spec.author == author) {
        let about_image = one.spec.kind != APPROVAL && one.spec.revision.starts_with("sha256:");
        if one.spec.revision != revision && !about_image {
            continue;
        }
        let key = (one.spec.kind.as_str(), one.spec.role.as_deref(), one.spec.revision.as_str());
        let known = latest.entry(key).or_insert(one);
        // Of one second, a withdrawal is the later: nobody takes back what they have yet to say.
        let order = |said: &Said| (said.at, said.spec.outcome == ClaimOutcome::Withdrawn);
        if order(one) >= order(known) {
            *known = one;
        }
    }
    latest.into_values().filter(|one| one.spec.outcome != ClaimOutcome::Withdrawn).collect()
}

/// What is to be withdrawn.
struct Wanted<'a> {
    role: Option<&'a str>,
    kind: Option<&'a str>,
    all: bool,
}

/// What is meant among what stands; the error completes a sentence that begins with who said it.
fn chosen<'a>(stands: &[&'a Said], wanted: &Wanted<'_>) -> Result<Vec<&'a Said>, String> {
    if stands.is_empty() {
        return Err("said nothing about it that stands".to_owned());
    }
    let list = || stands.iter().map(|one| words(one)).collect::<Vec<_>>().join("; ");
    let fits = |one: &&&Said| match (wanted.role, wanted.kind) {
        (Some(role), _) => one.spec.role.as_deref() == Some(role),
        (None, Some(kind)) => one.spec.kind == kind,
        (None, None) => true,
    };
    let fitting: Vec<&Said> = stands.iter().filter(fits).copied().collect();
    let named = wanted.role.is_some() || wanted.kind.is_some() || wanted.all;
    match fitting.len() {
        0 => Err(format!("said nothing of the kind; what stands: {}", list())),
        1 => Ok(fitting),
        _ if named => Ok(fitting),
        _ => Err(format!("said more than one thing; name it with --role or --type, or take --all: {}", list())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{AttestationSpec, Time};
    use crate::release::snapshot::Proof;
    use rstest::rstest;
    use serde_json::json;

    /// `minute author type role outcome`.
    fn said(line: &str) -> Said {
        let words: Vec<&str> = line.split(' ').collect();
        let [minute, author, kind, role, outcome, revision] = words.as_slice() else { panic!("{line}") };
        let mut spec = json!({"releaseRef": {"name": "web"}, "revision": revision, "type": kind, "author": author, "outcome": outcome});
        if *role != "-" {
            spec["role"] = (*role).into();
        }
        let spec: AttestationSpec = serde_json::from_value(spec).unwrap();
        Said { at: Time(format!("2026-01-01T10:{minute}:00Z").parse().unwrap()), spec, proof: Proof::Author }
    }

    #[rstest]
    #[case::an_approval(&["00 dana approval sre Passed r1"], None, None, Ok(vec!["approved as sre 1 Jan 10:00:00 UTC"]))]
    #[case::a_rejection_that_followed(&["00 dana approval sre Passed r1", "01 dana approval sre Failed r1"], Some("sre"), None,
        Ok(vec!["rejected as sre 1 Jan 10:01:00 UTC"]))]
    #[case::taken_back_already(&["00 dana approval sre Passed r1", "01 dana approval sre Withdrawn r1"], None, None,
        Err("said nothing about it that stands"))]
    #[case::taken_back_at_once(&["00 dana approval sre Withdrawn r1", "00 dana approval sre Passed r1"], None, None,
        Err("said nothing about it that stands"))]
    #[case::of_somebody_else(&["00 sam approval sre Passed r1"], None, None, Err("said nothing about it that stands"))]
    #[case::of_another_revision(&["00 dana approval sre Passed r0"], None, None, Err("said nothing about it that stands"))]
    #[case::an_image(&["00 dana sast - Passed sha256:1"], None, Some("sast"), Ok(vec!["sast passed 1 Jan 10:00:00 UTC"]))]
    #[case::an_approval_of_an_image(&["00 dana approval sre Passed sha256:1"], None, None, Err("said nothing about it that stands"))]
    #[case::two(&["00 dana approval sre Passed r1", "01 dana start - Passed r1"], None, None,
        Err("said more than one thing; name it with --role or --type, or take --all: approved as sre 1 Jan 10:00:00 UTC; start passed 1 Jan 10:01:00 UTC"))]
    #[case::one_of_two(&["00 dana approval sre Passed r1", "01 dana start - Passed r1"], None, Some("start"),
        Ok(vec!["start passed 1 Jan 10:01:00 UTC"]))]
    #[case::another_role(&["00 dana approval sre Passed r1"], Some("on-call"), None,
        Err("said nothing of the kind; what stands: approved as sre 1 Jan 10:00:00 UTC"))]
    fn what_is_withdrawn(
        #[case] lines: &[&str],
        #[case] role: Option<&str>,
        #[case] kind: Option<&str>,
        #[case] expected: Result<Vec<&str>, &str>,
    ) {
        let all: Vec<Said> = lines.iter().map(|line| said(line)).collect();
        let stands = standing(&all, "dana", "r1");
        let chosen = chosen(&stands, &Wanted { role, kind, all: false });
        let told: Result<Vec<String>, String> = chosen.map(|all| all.into_iter().map(words).collect());
        let expected: Result<Vec<String>, String> =
            expected.map(|all| all.into_iter().map(str::to_owned).collect()).map_err(str::to_owned);
        assert_eq!(told, expected);
    }
}
