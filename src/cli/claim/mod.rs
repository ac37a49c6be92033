//! `tidegate approve`, `reject`, `withdraw`, `attest`, `meet`: claims about a revision, or about what is owed, made in the
//! name of whoever types.
//!
//! Here belongs what a claim says, and what is told early because it would not count. What must never enter: whether a
//! claim counts (`release::assess`) and who may make it (the admission policies).

pub(super) mod budget;
pub(super) mod evidence;
mod facts;
pub(super) mod meet;
mod overridden;
mod said;
pub(super) mod send;
pub(super) mod statement;
pub(super) mod subject;
pub(super) mod voice;
pub(super) mod withdraw;

#[cfg(test)]
mod tests;

pub(super) use send::whoami;

use super::{Failure, client, say, why};

/// What a claim is about: a revision of a release, the loosening of a budget, or what it owes an executive's approval for.
#[derive(Debug, clap::Args)]
pub struct About {
    /// The GatedRelease.
    #[arg(value_name = "NAME", required_unless_present = "budget", conflicts_with = "budget")]
    pub(super) name: Option<String>,
    /// The RiskBudget instead, whose loosening is waiting.
    #[arg(long, value_name = "NAME", conflicts_with = "revision")]
    pub(super) budget: Option<String>,
    /// An obligation of the RiskBudget that an approval meets, override-approval-…, as `tidegate obligations` names it.
    #[arg(long, value_name = "NAME", requires = "budget")]
    pub(super) obligation: Option<String>,
    /// Its namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    pub(super) namespace: Option<String>,
    /// The revision, as `kubectl get gr -o wide` shows it. Default: the one that is being released now.
    #[arg(long, value_name = "REVISION")]
    pub(super) revision: Option<String>,
}

impl About {
    /// The GatedRelease; empty where a budget is meant.
    pub(super) fn release(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }
}

/// Where a command tells what it does, as it does it.
pub(super) type Tell<'a> = &'a mut (dyn FnMut(&str) -> Result<(), Failure> + Send);
