//! Records as JSON lines.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::source::{Found, Which, find};
use crate::api::names::EXPORTED;
use crate::api::{GatedRelease, RiskBudget};
use crate::cli::{Failure, client, say, why};
use crate::release::chain::walk;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Where to write; by default standard output. An existing file is not overwritten.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Say on each GatedRelease, and on each RiskBudget with charges, what was exported (annotation tidegate.io/exported), so
    /// that the controller may prune it where it prunes only what was exported.
    #[arg(long, requires = "output", conflicts_with = "files")]
    mark: bool,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let found = find(&args.which).await?;
    let marks = if args.mark { marks(&found)? } else { Vec::new() };
    let lines = lines(found.records.into_values().flatten().collect());
    match &args.output {
        None => say(&lines)?,
        Some(path) => {
            let place = path.display();
            let failed = |why: std::io::Error| format!("--output {place}: {why}");
            let mut file = std::fs::File::create_new(path).map_err(failed)?;
            file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            say(&format!("{} records written to {place}\n", lines.lines().count()))?;
            mark(&marks).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is said of one GatedRelease, or of a RiskBudget's charges.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    namespace: String,
    release: String,
    /// The RiskBudget, where it is a chain of charges.
    budget: Option<String>,
    /// The newest attempt that is sealed, and its digest.
    value: String,
}

/// The marks of all chains that hold: what does not is no copy to rely on.
fn marks(found: &Found) -> Result<Vec<Mark>, Failure> {
    let mut marks = Vec::new();
    for ((namespace, release), records) in &found.records {
        // Records of a GatedRelease that is gone stay, and nobody asks for a mark.
        let Some(told) = found.told.get(&(namespace.clone(), release.clone())) else { continue };
        let walk = walk(release, records, told.known());
        if let Some(broken) = walk.broken {
            return Err(format!(
                "--mark: {namespace}/{release}: {broken}. Nothing was written: look first (tidegate audit verify -n {namespace} --release {release}), or export without --mark"
            ));
        }
        let newest = records
            .iter()
            .find(|record| record.pointer("/status/digest").and_then(Value::as_str) == walk.head.as_deref());
        let attempt = newest.and_then(|newest| newest.pointer("/spec/attempt")).and_then(Value::as_u64);
        if let (Some(attempt), Some(head)) = (attempt, walk.head) {
            marks.push(Mark {
                namespace: namespace.clone(),
                release: release.clone(),
                budget: told.budget.clone(),
                value: format!("{attempt} {head}"),
            });
        }
    }
    Ok(marks)
}

async fn mark(marks: &[Mark]) -> Result<(), Failure> {
    let Some(first) = marks.first() else { return Ok(()) };
    let (client, _) = client(Some(&first.namespace)).await?;
    for Mark { namespace, release, budget, value } in marks {
        let patch = Patch::Merge(json!({"metadata": {"annotations": {EXPORTED: value}}}));
        let (kind, name, marked) = match budget {
            None => {
                let api = Api::<GatedRelease>::namespaced(client.clone(), namespace);
                ("GatedRelease", release, api.patch_metadata(release, &PatchParams::default(), &patch).await.map(drop))
            }
            Some(budget) => {
                let api = Api::<RiskBudget>::namespaced(client.clone(), namespace);
                ("RiskBudget", budget, api.patch_metadata(budget, &PatchParams::default(), &patch).await.map(drop))
            }
        };
        marked.map_err(|error| format!("--mark: {kind} {namespace}/{name}: {}", why(&error)))?;
        say(&format!("{namespace}/{release}: exported up to attempt {value}\n"))?;
    }
    Ok(())
}

fn lines(mut records: Vec<Value>) -> String {
    let key = |record: &Value| {
        let text = |place: &str| record.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("/metadata/namespace"), text("/spec/release"), record.pointer("/spec/attempt").and_then(Value::as_u64))
    };
    records.sort_by_key(key);
    records.iter().map(|record| format!("{record}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::audit::source::Told;
    use crate::release::chain::digest;

    fn sealed(attempt: u32, previous: Option<&str>) -> Value {
        let name = format!("web-{attempt:04}");
        let mut spec = json!({"release": "web", "attempt": attempt});
        if let Some(previous) = previous {
            spec["previousDigest"] = json!(previous);
        }
        let mut status = json!({"outcome": "Succeeded"});
        status["digest"] = json!(digest(&name, &spec, &status));
        json!({"metadata": {"name": name, "namespace": "shop"}, "spec": spec, "status": status})
    }

    #[test]
    fn the_newest_sealed_record_of_a_chain_that_holds_is_marked() {
        let of = ("shop".to_owned(), "web".to_owned());
        let first = sealed(1, None);
        let second = sealed(2, first["status"]["digest"].as_str());
        let head = second["status"]["digest"].as_str().unwrap().to_owned();
        let mut found = Found { records: [(of.clone(), vec![second, first])].into(), ..Found::default() };
        assert_eq!(marks(&found), Ok(vec![]), "of a GatedRelease that is gone nothing is said");
        found.told.insert(of.clone(), Told { attempts: Some(2), ..Told::default() });
        let mark = Mark { namespace: "shop".into(), release: "web".into(), budget: None, value: format!("2 {head}") };
        assert_eq!(marks(&found), Ok(vec![mark]));
        found.told.insert(of, Told { attempts: Some(3), ..Told::default() });
        let why = marks(&found).unwrap_err();
        assert!(why.starts_with("--mark: shop/web: web-0003 is missing. Nothing was written"), "{why}");
    }

    #[test]
    fn the_oldest_come_first_and_each_has_a_line() {
        let record = |attempt: u32| json!({"kind": "ReleaseRecord", "metadata": {"namespace": "shop"}, "spec": {"release": "web", "attempt": attempt}});
        let all = lines(vec![record(10), record(9), record(1)]);
        let attempts: Vec<_> = all
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["spec"]["attempt"].as_u64().unwrap())
            .collect();
        assert_eq!(attempts, [1, 9, 10]);
    }
}
