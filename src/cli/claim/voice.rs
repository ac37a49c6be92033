//! `tidegate approve` and `tidegate reject`: what a person says in a role, and the start by hand.

use std::collections::BTreeMap;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use kube::Client;

use super::send::{Draft, Who, attestation, make, whoami};
use super::subject::{Subject, find};
use super::{About, Failure, Tell, budget, client, overridden, said, say, second};
use crate::api::attestation::{ClaimOutcome, SubjectRef};
use crate::api::{Span, Time};
use crate::policy::Role;
use crate::policy::evidence::START;
use crate::policy::requirement::Claim;
use crate::policy::requirement::author::{authors, made_by};
use crate::policy::requirement::claim::APPROVAL;

const APPROVE: &str = "\
An approval is an Attestation in your name, bound to one revision: the next template needs its own. It counts where you \
hold the verb `approve` on `releaseroles.tidegate.io` named by the role, are in the role where the RiskBudget lists who is \
(spec.roles), and did not make the change. About one revision each person speaks in one role. The start by hand needs the verb \
`start` on `gatedreleases.tidegate.io`.

Examples:
  tidegate approve checkout -n shop --role sre
  tidegate approve checkout -n shop --role sre --start --note 'watching until 17:00'
  tidegate approve checkout -n shop --start                  only the start by hand
  tidegate approve checkout -n shop --role sre --expires 2h  it lapses
  tidegate approve checkout -n shop --role sre --dry-run     ask whether it would be taken
  tidegate approve --budget checkout -n shop --role product-manager
                                                             what its spec would allow more
  tidegate approve --budget checkout --obligation override-approval-checkout-0007 -n shop --role vp-engineering \\
    --note 'it stops the leak; the fix is INC-7'             what ran past its gate

Taken back with: tidegate withdraw checkout -n shop --role sre
Who else may:    tidegate who-can checkout -n shop, tidegate who-can --budget checkout -n shop";

const REJECT: &str = "\
A rejection holds until the same person takes it back (tidegate withdraw), or another revision comes. It needs the same \
verb as an approval; whoever made the change may reject it.

Examples:
  tidegate reject checkout -n shop --role sre --note 'no dashboard for the new queue'
  tidegate reject checkout -n shop --role sre --link https://tickets.example.com/7
  tidegate reject --budget checkout -n shop --role development-manager --note 'not before the audit'
  tidegate reject --budget checkout --obligation override-approval-checkout-0007 -n shop --role vp-engineering \\
    --note 'it loses orders: revert it'";

/// Arguments of `approve`.
#[derive(Debug, clap::Args)]
#[command(after_help = APPROVE, group(clap::ArgGroup::new("what").required(true).multiple(true).args(["role", "start"])))]
pub struct Approve {
    #[command(flatten)]
    about: About,
    /// The role in which you approve: one of the policy, or one that the RiskBudget names.
    #[arg(long, value_name = "ROLE", value_parser = RoleName)]
    role: Option<String>,
    /// Start by hand what no machine may start.
    #[arg(long, conflicts_with = "budget")]
    start: bool,
    /// After how long it lapses, such as 2h. Default: never.
    #[arg(long, value_name = "SPAN")]
    expires: Option<Span>,
    #[command(flatten)]
    more: More,
}

/// Arguments of `reject`.
#[derive(Debug, clap::Args)]
#[command(after_help = REJECT)]
pub struct Reject {
    #[command(flatten)]
    about: About,
    /// The role in which you reject: one of the policy, or one that the RiskBudget names.
    #[arg(long, value_name = "ROLE", value_parser = RoleName)]
    role: String,
    #[command(flatten)]
    more: More,
}

/// What may be said beside yes or no.
#[derive(Debug, Clone, clap::Args)]
pub struct More {
    /// Where to read more: a ticket, a dashboard. At most 512 characters.
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// Why, in your words; stands in the attestation as the fact `note`.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Only ask the API server whether it would be taken.
    #[arg(long)]
    dry_run: bool,
}

/// Offers the roles of the policy and takes any: a RiskBudget may name roles of its own.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct RoleName;

impl TypedValueParser for RoleName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(Role::ALL.iter().map(|role| PossibleValue::new(role.as_str()))))
    }
}

pub(in crate::cli) async fn approve(args: &Approve) -> Result<(), Failure> {
    let (client, namespace) = client(args.about.namespace.as_deref()).await?;
    approve_with(&client, &namespace, args, jiff::Timestamp::now().into(), &mut say).await
}

pub(super) async fn approve_with(
    client: &Client,
    namespace: &str,
    args: &Approve,
    now: Time,
    tell: Tell<'_>,
) -> Result<(), Failure> {
    let expires_at = args.expires.map(|span| now.plus(span));
    if let Some(name) = &args.about.budget {
        let draft =
            Draft { role: args.role.clone(), expires_at, ..draft("", APPROVAL, ClaimOutcome::Passed, &args.more) };
        if let Some(obligation) = &args.about.obligation {
            let about = (namespace, name.as_str(), obligation.as_str());
            return overridden::say(client, about, draft, args.more.dry_run, now, tell).await;
        }
        return budget::say(client, (namespace, name), draft, args.more.dry_run, now, tell).await;
    }
    let subject = find(client, namespace, args.about.release()).await?;
    let revision = of_no_image(subject.revision(args.about.revision.as_deref())?)?;
    let who = whoami(client).await?;
    if let Some(role) = &args.role {
        check_voice(&subject, role, &who)?;
        check_person(client, &subject, &revision, (role, &who), now).await?;
    }
    tell(&subject.page(&revision))?;
    let draft = |kind: &str, role: Option<&String>| Draft {
        role: role.cloned(),
        expires_at,
        ..draft(&revision, kind, ClaimOutcome::Passed, &args.more)
    };
    let mut drafts: Vec<Draft> = args.role.iter().map(|role| draft(APPROVAL, Some(role))).collect();
    drafts.extend(args.start.then(|| draft(START, None)));
    for draft in drafts {
        let what = match &draft.role {
            Some(role) => format!("approved as {role}"),
            None => "started by hand".to_owned(),
        };
        send(client, &subject, &who, draft, &what, args.more.dry_run, &mut *tell).await?;
    }
    Ok(())
}

pub(in crate::cli) async fn reject(args: &Reject) -> Result<(), Failure> {
    let (client, namespace) = client(args.about.namespace.as_deref()).await?;
    reject_with(&client, &namespace, args, jiff::Timestamp::now().into(), &mut say).await
}

pub(super) async fn reject_with(
    client: &Client,
    namespace: &str,
    args: &Reject,
    now: Time,
    tell: Tell<'_>,
) -> Result<(), Failure> {
    if let Some(name) = &args.about.budget {
        let draft = Draft { role: Some(args.role.clone()), ..draft("", APPROVAL, ClaimOutcome::Failed, &args.more) };
        if let Some(obligation) = &args.about.obligation {
            let about = (namespace, name.as_str(), obligation.as_str());
            return overridden::say(client, about, draft, args.more.dry_run, now, tell).await;
        }
        return budget::say(client, (namespace, name), draft, args.more.dry_run, now, tell).await;
    }
    let subject = find(client, namespace, args.about.release()).await?;
    let revision = of_no_image(subject.revision(args.about.revision.as_deref())?)?;
    let who = whoami(client).await?;
    check_voice(&subject, &args.role, &who)?;
    tell(&subject.page(&revision))?;
    let draft = Draft { role: Some(args.role.clone()), ..draft(&revision, APPROVAL, ClaimOutcome::Failed, &args.more) };
    send(client, &subject, &who, draft, &format!("rejected as {}", args.role), args.more.dry_run, tell).await
}

/// Refuses an image, which runs with other configuration too: nobody knows by its digest what they would approve or start.
fn of_no_image(revision: String) -> Result<String, Failure> {
    match revision.starts_with("sha256:") {
        false => Ok(revision),
        true => Err(format!(
            "--revision {revision}: a person approves or starts a revision, not an image, which runs with other configuration too. Leave it out for the one that is being released, or name one: kubectl get releaserecords -o wide"
        )),
    }
}

fn draft(revision: &str, kind: &str, outcome: ClaimOutcome, more: &More) -> Draft {
    let facts: BTreeMap<String, String> = more.note.iter().map(|note| ("note".to_owned(), note.clone())).collect();
    let (revision, kind, link) = (revision.to_owned(), kind.to_owned(), more.link.clone());
    Draft { revision, kind, role: None, outcome, expires_at: None, link, facts }
}

async fn send(
    client: &Client,
    subject: &Subject,
    who: &Who,
    draft: Draft,
    what: &str,
    dry_run: bool,
    tell: Tell<'_>,
) -> Result<(), Failure> {
    let until = draft.expires_at.map(|until| format!(" until {}", until.clock())).unwrap_or_default();
    let name =
        make(client, &subject.namespace, &attestation(SubjectRef::release(&subject.name), who, draft), dry_run).await?;
    tell(&match dry_run {
        true => format!("{what} by {}{until}: would be taken; nothing was made (--dry-run)\n", who.name),
        false => format!("{what} by {}{until}: attestation {name}\n", who.name),
    })
}

/// A voice that would not be heard is not raised.
fn check_voice(subject: &Subject, role: &str, who: &Who) -> Result<(), Failure> {
    subject.check_role(role)?;
    let Some(listed) = subject.left_out(role, &who.name, &who.groups) else { return Ok(()) };
    let named = |what: &str, all: &[String]| {
        if all.is_empty() { String::new() } else { format!(" {what} {}", all.join(", ")) }
    };
    Err(format!(
        "--role {role}: {} is not in it and would not be heard. RiskBudget {}/{} lists (spec.roles){}{}",
        who.name,
        subject.namespace,
        subject.release.spec.risk_budget_ref.name,
        named("users", &listed.users),
        named("groups", &listed.groups)
    ))
}

/// Nobody approves their own change, nor in two roles. Where attestations cannot be listed, the controller says so later.
async fn check_person(
    client: &Client,
    subject: &Subject,
    revision: &str,
    (role, who): (&str, &Who),
    now: Time,
) -> Result<(), Failure> {
    let about = SubjectRef::release(&subject.name);
    let Ok(said) = said::about(client, &subject.namespace, &about).await else {
        return Ok(());
    };
    let record = subject.record.as_ref().filter(|record| record.spec.revision == revision);
    let changed_by = record.map_or("", |record| record.spec.changed_by.as_str());
    let about_it: Vec<_> = said.iter().filter(|one| one.spec.revision == revision).collect();
    let claims: Vec<_> = about_it.iter().map(|one| Claim::of(&one.spec, one.at)).collect();
    if made_by(&authors(&claims, changed_by).names, &who.name) {
        return Err(format!(
            "{} made this change, and nobody approves their own. Ask somebody else: tidegate who-can {}",
            who.name,
            subject.place()
        ));
    }
    let listed = subject.roles.as_deref().unwrap_or_default();
    second::refuse(listed, &about_it, (role, &who.name), &subject.place(), now)
}
