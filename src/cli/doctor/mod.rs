//! `tidegate doctor`: whether Tidegate is installed and whole, who may pass it, and how its GatedReleases stand.
//!
//! One line a finding, each with its remedy. Here belongs the judgement; `cluster::doctor` reads.

mod breakers;
mod installed;
mod releases;
mod rights;

use std::process::ExitCode;
use std::sync::Arc;

use super::{Failure, client, say};
use crate::api::Time;
use crate::cluster::doctor::{Installation, Looked, installation};
use crate::cluster::{Cluster, Leadership, SystemClock};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The namespace whose GatedReleases, Deployments and StatefulSets are looked at; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
    /// Look at all namespaces.
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    all_namespaces: bool,
}

/// How bad a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Ok,
    /// It could not be looked at.
    Skip,
    Warn,
    Fail,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    level: Level,
    what: &'static str,
    says: String,
}

fn line(level: Level, what: &'static str, says: impl Into<String>) -> Line {
    Line { level, what, says: says.into() }
}

/// What is said of a kind that could not be looked at.
fn unseen(what: &'static str, looked: &Looked) -> Option<Line> {
    match looked {
        Looked::At(_) => None,
        Looked::NotServed => Some(line(Level::Skip, what, "the API server does not serve this kind")),
        Looked::Unreadable(why) => Some(line(Level::Skip, what, why.clone())),
    }
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    let cluster = Cluster::new(client, Arc::new(SystemClock), Leadership::always(), "");
    let namespace = if args.all_namespaces { String::new() } else { namespace };
    let seen = installation(&cluster, &namespace).await;
    if let Looked::Unreadable(why) = &seen.version {
        return Err(format!("no way to a cluster: {why}"));
    }
    let lines = judge(&seen, cluster.now());
    say(&page(&lines))?;
    let fails = lines.iter().any(|line| line.level == Level::Fail);
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn judge(seen: &Installation, now: Time) -> Vec<Line> {
    let mut lines = installed::judge(seen, now);
    lines.extend(rights::judge(seen));
    lines.extend(releases::judge(seen));
    lines.extend(breakers::judge(seen));
    lines
}

fn page(lines: &[Line]) -> String {
    let mut out = String::new();
    for Line { level, what, says } in lines {
        let word = match level {
            Level::Ok => "ok",
            Level::Skip => "skip",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        out.push_str(&format!("{word:<5} {what}: {says}\n"));
    }
    out
}

#[cfg(test)]
mod tests;
