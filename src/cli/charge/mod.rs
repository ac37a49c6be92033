//! `tidegate charge`: a pipeline says what it changes that is no workload of the cluster, and the budget is charged for it.
//!
//! Here belongs what is asked and what is shown. What must never enter: what a change costs (`release::charge`), and a
//! record: only the controller makes one, of an attestation whose author the API server proved.

mod draft;
mod page;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use kube::{Api, Client};

use super::claim::send::{attestation, make, whoami};
use super::output::Output;
use super::{Failure, client, say, why};
use crate::api::attestation::SubjectRef;
use crate::api::change::ChangeType;
use crate::api::{ReleaseRecord, RiskBudget, Severity, Span, Time};
use crate::cluster::observe::budget::of_object;
use crate::release::charge::{Asked, Cost, cost, former_record_of, record_of};

use page::Told;

const AFTER_HELP: &str = "\
The change costs what a release with the same diff would: tier, categories, and what goes on around the service. Nobody is \
held up: what the budget does not allow is not sent, and where it is sent all the same (--past-the-budget) it costs half as \
much again. A change is charged once, by its reference, however often it is said. It needs the verb `attest` on \
`evidence.tidegate.io` named `charge`: the ClusterRole tidegate-ci has it.

Exit codes:
  0  charged, or sent to be charged without --wait
  1  failed, the reason is on standard error
  2  wrong arguments
  3  the budget does not allow it; nothing was sent
  4  sent, and not charged within --timeout

Examples:
  tidegate charge --budget checkout -n shop --change git:4f2c9e1 --category infrastructure --wait
  tidegate classify -o json | tidegate charge --budget checkout -n shop --from-classify -
  tidegate charge --budget checkout -n shop --change flag:prices --category feature-flag --dry-run

What was charged: tidegate audit verify -n shop --release charges_checkout";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// The RiskBudget.
    #[arg(long, value_name = "NAME")]
    budget: String,
    /// Its namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
    /// The change, such as git:4f2c9e1 or flag:new-prices; by it the change is known. Default: that of --from-classify.
    #[arg(long, value_name = "REF", value_parser = draft::reference, required_unless_present = "from_classify")]
    change: Option<String>,
    /// What it touches, such as infrastructure or schema-migration-additive; may be given more than once, and joins --from-classify.
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',', value_parser = draft::category, required_unless_present = "from_classify")]
    category: Vec<crate::policy::Category>,
    /// What `tidegate classify -o json` printed; - for standard input.
    #[arg(long, value_name = "FILE")]
    from_classify: Option<PathBuf>,
    /// The change type. Default: that of --from-classify, or Feature.
    #[arg(long = "type", value_name = "TYPE", value_parser = draft::kind)]
    kind: Option<ChangeType>,
    /// How bad the thing is that it repairs: P0 to P4.
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<Severity>,
    /// Who made the change, as the API server knows them; may be given more than once. They do not approve that it went past the budget.
    #[arg(long, value_name = "USER")]
    change_author: Vec<String>,
    /// Where to read more: a build, a plan. At most 512 characters.
    #[arg(long, value_name = "URL")]
    link: Option<String>,
    /// Send it although the budget does not allow it: it costs half as much again (000 §7).
    #[arg(long)]
    past_the_budget: bool,
    /// Only say what it would cost.
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Wait until it is charged.
    #[arg(long)]
    wait: bool,
    /// For how long at most.
    #[arg(long, default_value = "2m", value_name = "SPAN")]
    timeout: Span,
    /// As what to print.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// How often the record is looked for.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    // What is wrong with the arguments is told before anything is asked.
    let draft = draft::of(args)?;
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    let (page, code) = run_with(&client, &namespace, args, draft, jiff::Timestamp::now().into()).await?;
    say(&page)?;
    Ok(ExitCode::from(code))
}

/// What is printed, and the exit code.
async fn run_with(
    client: &Client,
    namespace: &str,
    args: &Args,
    draft: draft::Draft,
    now: Time,
) -> Result<(String, u8), Failure> {
    let name = &args.budget;
    let reference = &draft.asked.change.reference;
    let known = find(client, namespace, name, reference).await?;
    if let Some(charged) = known.as_ref().filter(|record| charge_of(record).is_some()) {
        // Said once more, as pipelines do that are started again.
        let told =
            Told { namespace, budget: name, asked: &draft.asked, cost: None, attestation: None, record: Some(charged) };
        return Ok((page::print(&told, args.output)?, 0));
    }
    let cost = ask(client, namespace, name, &draft.asked, now).await?;
    let mut told =
        Told { namespace, budget: name, asked: &draft.asked, cost: Some(&cost), attestation: None, record: None };
    if cost.exception() && !args.past_the_budget {
        return Ok((page::print(&told, args.output)?, 3));
    }
    if args.dry_run {
        return Ok((page::print(&told, args.output)?, 0));
    }
    let who = whoami(client).await?;
    let made =
        make(client, namespace, &attestation(SubjectRef::budget(name), &who, draft.claim(args.link.as_deref())), false)
            .await?;
    told.attestation = Some(&made);
    if !args.wait {
        return Ok((page::print(&told, args.output)?, 0));
    }
    let waited = tokio::time::timeout(args.timeout.as_std(), async {
        loop {
            let found = find(client, namespace, name, reference).await?;
            if let Some(charged) = found.filter(|record| charge_of(record).is_some()) {
                return Ok::<_, Failure>(charged);
            }
            tokio::time::sleep(AGAIN).await;
        }
    });
    match waited.await {
        Ok(charged) => {
            let charged = charged?;
            told.record = Some(&charged);
            Ok((page::print(&told, args.output)?, 0))
        }
        Err(_) => {
            let late = format!(
                "not charged within {}; it will be as soon as the controller looks. Does it run? tidegate doctor -n {namespace}\n",
                args.timeout
            );
            Ok((
                match args.output {
                    Output::Text => page::print(&told, args.output)? + &late,
                    Output::Json => page::print(&told, args.output)?,
                },
                4,
            ))
        }
    }
}

/// The record of a change, by its name or, where it was made before names grew, by its former one.
async fn find(
    client: &Client,
    namespace: &str,
    budget: &str,
    reference: &str,
) -> Result<Option<ReleaseRecord>, Failure> {
    let records = Api::<ReleaseRecord>::namespaced(client.clone(), namespace);
    for name in [record_of(budget, reference), former_record_of(budget, reference)] {
        let found = records.get_opt(&name).await;
        let found = found.map_err(|error| format!("ReleaseRecord {namespace}/{name}: {}", why(&error)))?;
        if let Some(record) = found.filter(|record| record.spec.change.reference == reference) {
            return Ok(Some(record));
        }
    }
    Ok(None)
}

fn charge_of(record: &ReleaseRecord) -> Option<&crate::api::release_record::ChargeRecord> {
    record.status.as_ref()?.charge.as_ref()
}

/// What it would cost now, by the RiskBudget's status.
async fn ask(client: &Client, namespace: &str, name: &str, asked: &Asked, now: Time) -> Result<Cost, Failure> {
    let id = format!("RiskBudget {namespace}/{name}");
    let found = Api::<RiskBudget>::namespaced(client.clone(), namespace).get(name).await;
    let found = found.map_err(|error| format!("{id}: {}", why(&error)))?;
    let object = serde_json::to_value(&found).map_err(|why| format!("{id}: {why}"))?;
    let (budget, risk) = of_object(name, object, true, now);
    let risk = risk.ok_or_else(|| format!("{id}: it cannot be read; is this command of the controller's version?"))?;
    cost(asked, &budget, &risk, now).map_err(|why| {
        format!("{id}: what it costs is not known: {why}. Nothing was sent. Does the controller run? tidegate doctor -n {namespace}")
    })
}

#[cfg(test)]
mod tests;
