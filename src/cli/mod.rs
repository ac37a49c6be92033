//! The commands. One file a command; also installed as `kubectl-tidegate`.
//!
//! Here belongs what people type and read. What must never enter: a decision about a release.

mod audit;
mod charge;
mod claim;
#[cfg(feature = "classify")]
mod classify;
mod controller;
mod crds;
mod detach;
mod doctor;
mod obligations;
mod output;
mod pages;
mod preflight;
mod requirements;
mod restart;
mod retry;
mod rights;
#[cfg(feature = "sandbox")]
mod sandbox;
mod status;
mod verify_statement;
mod wait;
mod webhook;
mod who_can;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::api::gated_release::WorkloadKind;

/// Why a command failed, in one line.
pub type Failure = String;

/// Decides whether a change may ship, how slowly, and when it must come back.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, about, after_help = EXIT_CODES, max_term_width = 120)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 failed, the reason is on standard error (preflight: something refuses, doctor: \
    something fails); 2 wrong arguments. wait, restart, detach and charge have more: see their --help.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the controller.
    Controller(Box<controller::Args>),
    /// Print or write the custom resource definitions.
    Crds(crds::Args),
    /// Show where a GatedRelease stands and how its release went.
    Status(status::Args),
    /// Find what would break a release of a workload, or miss its canary, before it starts.
    Preflight(preflight::Args),
    /// Say whether Tidegate is installed and whole, who may pass it, and how its GatedReleases stand.
    Doctor(doctor::Args),
    /// Approve the revision that is being released, in a role, or start it by hand.
    Approve(claim::voice::Approve),
    /// Reject the revision that is being released, in a role.
    Reject(claim::voice::Reject),
    /// Take back what you said about a revision.
    Withdraw(claim::withdraw::Args),
    /// Attest evidence about a revision or an image: tests, scans, plans, on-call presence, exceptions.
    Attest(Box<claim::evidence::Args>),
    /// Say whether a signed statement would count, as the controller would say it.
    VerifyStatement(verify_statement::Args),
    /// Have a change charged that is no workload's: infrastructure, a flag, a migration; for pipelines.
    Charge(Box<charge::Args>),
    /// Say that something owed was done: a review, a plan, a post-mortem.
    Meet(claim::meet::Args),
    /// Show what people owe by the policy, and by when.
    Obligations(obligations::Args),
    /// Say who may approve a release, and whether you may.
    WhoCan(who_can::Args),
    /// List what a release must show and has shown, or the whole catalogue.
    Requirements(requirements::Args),
    /// Try a revision again whose release was closed.
    Retry(retry::Args),
    /// Wait until a change is released, or another thing happens to it; for scripts and pipelines.
    Wait(wait::Args),
    /// Restart the pods of a gated workload, also in the middle of a release.
    Restart(restart::Args),
    /// Leave a workload: traffic home, Tidegate's objects gone, the workload as it runs.
    Detach(detach::Args),
    /// Walk along the records of releases, or copy them out.
    Audit(audit::Args),
    /// Say what a range of commits changes: categories, their gate, and what shows them; for pipelines.
    #[cfg(feature = "classify")]
    Classify(Box<classify::Args>),
    /// Try Tidegate on a simulated cluster.
    #[cfg(feature = "sandbox")]
    Sandbox(sandbox::Args),
    /// Print a completion script.
    #[command(
        after_help = "Examples:\n  source <(tidegate completion bash)\n  tidegate completion zsh > ~/.zfunc/_tidegate\n  tidegate completion fish > ~/.config/fish/completions/tidegate.fish"
    )]
    Completion {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Runs a command.
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    // The first wins; a second in one process is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    match cli.command {
        Command::Controller(args) => return controller::run(*args).await,
        Command::Crds(args) => crds::run(&args)?,
        Command::Status(args) => status::run(&args).await?,
        Command::Preflight(args) => return preflight::run(&args).await,
        Command::Doctor(args) => return doctor::run(&args).await,
        Command::Approve(args) => claim::voice::approve(&args).await?,
        Command::Reject(args) => claim::voice::reject(&args).await?,
        Command::Withdraw(args) => claim::withdraw::run(&args).await?,
        Command::Attest(args) => claim::evidence::run(&args).await?,
        Command::VerifyStatement(args) => return verify_statement::run(&args).await,
        Command::Charge(args) => return charge::run(&args).await,
        Command::Meet(args) => claim::meet::run(&args).await?,
        Command::Obligations(args) => obligations::run(&args).await?,
        Command::WhoCan(args) => who_can::run(&args).await?,
        Command::Requirements(args) => requirements::run(&args).await?,
        Command::Retry(args) => retry::run(&args).await?,
        Command::Wait(args) => return wait::run(&args).await,
        Command::Restart(args) => return restart::run(&args).await,
        Command::Detach(args) => return detach::run(&args).await,
        Command::Audit(args) => return audit::run(&args).await,
        #[cfg(feature = "classify")]
        Command::Classify(args) => classify::run(&args)?,
        #[cfg(feature = "sandbox")]
        Command::Sandbox(args) => {
            // A sandbox has runtimes of its own, which cannot be started from within this one.
            let run = tokio::task::spawn_blocking(move || sandbox::run(&args));
            return run.await.map_err(|why| format!("the sandbox stopped: {why}"))?;
        }
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "tidegate", &mut script);
            say(&String::from_utf8_lossy(&script))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes to standard output; a closed pipe, as of `head`, is no failure.
fn say(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("standard output: {error}")),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A client as kubectl would make one, and the namespace that is meant.
async fn client(namespace: Option<&str>) -> Result<(kube::Client, String), Failure> {
    let client = kube::Client::try_default().await.map_err(|error| no_way(&error.to_string()))?;
    let namespace = namespace.unwrap_or(client.default_namespace()).to_owned();
    Ok((client, namespace))
}

/// Why there is no client, and what to do.
fn no_way(error: &str) -> Failure {
    format!("no way to a cluster: {error}. Name a kubeconfig by KUBECONFIG, and see that kubectl cluster-info answers")
}

/// The kind of workload that a GatedRelease names.
fn workload_kind(release: &serde_json::Value) -> WorkloadKind {
    match release.pointer("/spec/workloadRef/kind").and_then(serde_json::Value::as_str) {
        Some("StatefulSet") => WorkloadKind::StatefulSet,
        // The default; the API server takes no other.
        Some(_) | None => WorkloadKind::Deployment,
    }
}

/// Why a request failed: of a refusal just the API server's words.
fn why(error: &kube::Error) -> String {
    if let kube::Error::Api(status) = error { status.message.clone() } else { error.to_string() }
}

/// The same as another user, where one is named, as `kubectl --as` does.
async fn client_as(namespace: Option<&str>, user: Option<&str>) -> Result<(kube::Client, String), Failure> {
    let Some(user) = user else { return client(namespace).await };
    let mut config = kube::Config::infer().await.map_err(|error| no_way(&error.to_string()))?;
    config.auth_info.impersonate = Some(user.to_owned());
    let client = kube::Client::try_from(config).map_err(|error| no_way(&error.to_string()))?;
    let namespace = namespace.unwrap_or(client.default_namespace()).to_owned();
    Ok((client, namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_release_that_names_no_kind_means_a_deployment() {
        let of = |reference: serde_json::Value| workload_kind(&serde_json::json!({"spec": {"workloadRef": reference}}));
        assert_eq!(of(serde_json::json!({"name": "db", "kind": "StatefulSet"})), WorkloadKind::StatefulSet);
        assert_eq!(of(serde_json::json!({"name": "web"})), WorkloadKind::Deployment);
    }
}
