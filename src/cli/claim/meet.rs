//! `tidegate meet`: says that something owed was done.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kube::{Api, Client};

use super::send::{Draft, attestation, make, whoami};
use super::{Failure, Tell, client, facts, say, why};
use crate::api::RiskBudget;
use crate::api::attestation::{ClaimOutcome, SubjectRef};
use crate::api::obligation::{ObligationState, ObligationStatus};
use crate::policy::evidence::Evidence;
use crate::policy::obligation::{Demand, known};

const EXAMPLES: &str = "\
What is owed, and its names: tidegate obligations checkout -n shop. To meet it is an Attestation in your name, of the type of \
the obligation, with the facts that the documents ask for. It needs the verb `attest` on `evidence.tidegate.io` named by the \
type (ClusterRole tidegate-obligations has all of them). No machine meets an obligation. An override-approval is an approval: \
tidegate approve --budget checkout --obligation NAME --role vp-engineering.

Examples:
  tidegate meet checkout post-mortem-checkout-0007 --fields > post-mortem.yaml
                                                     a form to fill in; it needs no cluster
  tidegate meet checkout post-mortem-checkout-0007 -n shop --facts-file post-mortem.yaml
  tidegate meet checkout freeze-announcement-20261120-1100 -n shop --fact channel='#engineering' …
  tidegate meet checkout post-mortem-checkout-0007 -n shop --failed
                                                     it was not done, whoever said so";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The RiskBudget.
    budget: String,
    /// The obligation, as `tidegate obligations` names it.
    obligation: String,
    /// Its namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
    /// A named fact; may be given more than once, and goes before that of the file.
    #[arg(long = "fact", value_name = "KEY=VALUE", value_parser = facts::one)]
    facts: Vec<(String, String)>,
    /// A YAML file with facts.
    #[arg(long, value_name = "FILE")]
    facts_file: Option<PathBuf>,
    /// It is not met, whoever said so before.
    #[arg(long)]
    failed: bool,
    /// Where to read more: minutes, a ticket. At most 512 characters.
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// Only ask the API server whether it would be taken.
    #[arg(long)]
    dry_run: bool,
    /// Print the facts as a form to fill in.
    #[arg(long)]
    fields: bool,
}

pub(in crate::cli) async fn run(args: &Args) -> Result<(), Failure> {
    let evidence = evidence(&args.obligation)?;
    if args.fields {
        return say(&facts::form(&evidence));
    }
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    run_with(&client, &namespace, args, &mut say).await
}

fn evidence(obligation: &str) -> Result<Evidence, Failure> {
    let demand = Demand::of_obligation(obligation).ok_or_else(|| {
        format!("{obligation}: no obligation is called so. What is owed: tidegate obligations; all kinds: tidegate obligations --catalogue")
    })?;
    if demand.is_approval() {
        let role = demand.owed_by.first().map_or("", |role| role.as_str());
        return Err(format!(
            "{obligation}: nobody attests it; it is approved in the role that owes it: tidegate approve --budget BUDGET --obligation {obligation} --role {role} --note WHY"
        ));
    }
    Ok(demand.evidence())
}

pub(super) async fn run_with(client: &Client, namespace: &str, args: &Args, tell: Tell<'_>) -> Result<(), Failure> {
    let evidence = evidence(&args.obligation)?;
    let mut said: BTreeMap<String, String> = match &args.facts_file {
        Some(path) => facts::of_file(path)?,
        None => BTreeMap::new(),
    };
    said.extend(args.facts.iter().cloned());
    // What is wrong with the facts is told before anything is asked.
    facts::check(&evidence, &said, !args.failed).map_err(|why| {
        let form = format!("tidegate meet {} {} --fields", args.budget, args.obligation);
        why.replace(&format!("tidegate attest --type {} --fields", evidence.name), &form)
    })?;
    let id = format!("RiskBudget {namespace}/{}", args.budget);
    let budget = Api::<RiskBudget>::namespaced(client.clone(), namespace).get(&args.budget).await;
    let budget = budget.map_err(|error| format!("{id}: {}", why(&error)))?;
    let owed = budget.status.as_ref().map(known).unwrap_or_default();
    check_owed(&id, &owed, args)?;
    let who = whoami(client).await?;
    let outcome = if args.failed { ClaimOutcome::Failed } else { ClaimOutcome::Passed };
    let draft = Draft {
        revision: args.obligation.clone(),
        kind: evidence.name.to_owned(),
        role: None,
        outcome,
        expires_at: None,
        link: args.link.clone(),
        facts: said,
    };
    let attestation = attestation(SubjectRef::budget(&args.budget), &who, draft);
    let made = make(client, namespace, &attestation, args.dry_run).await?;
    let word = if args.failed { "is not met" } else { "is met" };
    let said = format!("{id}: {} {word}, by {}", args.obligation, who.name);
    tell(&match args.dry_run {
        true => format!("{said}: would be taken; nothing was made (--dry-run)\n"),
        false => format!("{said}: attestation {made}\n"),
    })
}

/// Refuses what nobody owes, and what somebody has met once and for all.
fn check_owed(id: &str, all: &[ObligationStatus], args: &Args) -> Result<(), Failure> {
    let Some(one) = all.iter().find(|one| one.name == args.obligation) else {
        let open = all.iter().filter(|one| one.state != ObligationState::Met).map(|one| one.name.as_str());
        let open: Vec<&str> = open.collect();
        let open = if open.is_empty() { "nothing is owed".to_owned() } else { format!("owed: {}", open.join(", ")) };
        return Err(format!("{id}: does not owe {}; {open}", args.obligation));
    };
    match (&one.met, one.state) {
        (Some(met), ObligationState::Met) if !args.failed => Err(format!(
            "{id}: {} was met by {} {} (attestation {}); to take that back: --failed",
            one.name,
            met.by,
            met.at.clock(),
            met.attestation
        )),
        (Some(_) | None, ObligationState::Met | ObligationState::Due | ObligationState::Overdue) => Ok(()),
    }
}
