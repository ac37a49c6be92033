//! `tidegate preflight`: what would break a release, or miss its canary, with the rights of whoever asks.
//!
//! It needs no controller, and with `--file` not even the GatedRelease in the cluster.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::output::Output;
use super::{Failure, client, say};
use crate::cluster::elsewhere::Shared;
use crate::cluster::observe::{self, Found, Measured};
use crate::cluster::preflight::surroundings;
use crate::cluster::{Cluster, Leadership, SystemClock};
use crate::release::Snapshot;
use crate::release::objects::relabel;
use crate::release::preflight::{Capacity, Finding, Severity, capacity, preflight};
use crate::release::problem::problems;
use crate::release::snapshot::{MetricsSeen, Release};
use crate::release::split::Carrier;
use crate::statement::Issuers;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The GatedRelease.
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    name: Option<String>,
    /// A file with a GatedRelease that is not applied yet; what it refers to is looked for in the cluster.
    #[arg(short, long)]
    file: Option<PathBuf>,
    /// Its namespace; by default that of the file, then that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
    /// For people or for programs.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// All that is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// `shop/checkout`.
    release: String,
    /// Whether the new version is exposed by the number of its pods.
    by_count: bool,
    /// The label that tells the pods apart; none where there is no such label, which is among the findings, and where
    /// none is needed, as exposure is by the number of pods.
    canary_label: Option<Label>,
    capacity: Option<Capacity>,
    findings: Vec<Finding>,
    /// What could not be looked at.
    unseen: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Label {
    key: String,
    stable: String,
    canary: String,
    previous: String,
}

/// Budgets are not judged here.
struct Taken;

impl Measured for Taken {
    fn since_start(&self, _: &str, _: &str, _: i64) -> bool {
        true
    }
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let manifest = args.file.as_deref().map(read_manifest).transpose()?;
    let of_file = manifest.as_ref().and_then(|object| object.pointer("/metadata/namespace")?.as_str());
    let (client, namespace) = client(args.namespace.as_deref().or(of_file)).await?;
    let cluster = Cluster::new(client, Arc::new(SystemClock), Leadership::always(), "");
    let found = match (manifest, &args.name) {
        (Some(object), _) => proposed(&cluster, &namespace, object).await?,
        (None, Some(name)) => find(&cluster, &namespace, name).await?,
        (None, None) => return Err("name a GatedRelease, or a file with --file".to_owned()),
    };
    let report = report(&cluster, &found, args.file.is_some()).await?;
    say(&match args.output {
        Output::Text => page(&report),
        Output::Json => format!("{}\n", serde_json::to_string_pretty(&report).map_err(|why| why.to_string())?),
    })?;
    let refused = report.findings.iter().any(|finding| finding.severity == Severity::Refuse);
    Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A GatedRelease as a manifest has it. One of that name that stands already keeps its place among those of the same workload.
async fn proposed(cluster: &Cluster, namespace: &str, object: Value) -> Result<Found, Failure> {
    let mut found = observe::of_manifest(namespace, object).map_err(|error| error.to_string())?;
    // One that cannot be read is about to be replaced.
    if let Ok(Some(stands)) = observe::find(cluster, namespace, &found.release.name).await {
        let Release { uid, created, finalizer, .. } = stands.release;
        found.release = Release { uid, created, finalizer, ..found.release };
    }
    Ok(found)
}

async fn find(cluster: &Cluster, namespace: &str, name: &str) -> Result<Found, Failure> {
    let found = observe::find(cluster, namespace, name).await.map_err(|error| error.to_string())?;
    found.ok_or_else(|| {
        format!("there is no GatedRelease {name:?} in namespace {namespace}; for one that is not applied yet: tidegate preflight --file FILE")
    })
}

/// The one GatedRelease in a file that may hold more.
fn read_manifest(path: &Path) -> Result<Value, Failure> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|why| format!("--file {place}: {why}"))?;
    let all: Vec<Value> = serde_saphyr::from_multiple(&text).map_err(|why| format!("--file {place}: {why}"))?;
    let mut releases = all.into_iter().filter(|object| object["kind"] == "GatedRelease");
    match (releases.next(), releases.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(format!("--file {place}: there is no GatedRelease in it")),
        (Some(_), Some(_)) => {
            Err(format!("--file {place}: there is more than one GatedRelease in it; give each a file of its own"))
        }
    }
}

async fn report(cluster: &Cluster, found: &Found, proposed: bool) -> Result<Report, Failure> {
    // Which templates the controller has is its configuration's secret; it tells by itself where they are missing.
    let metrics = MetricsSeen::Found { complaints: true, pods: found.release.spec.traffic.by_count() };
    let issuers = Issuers::default();
    let (seen, others) = tokio::try_join!(
        observe::observe(cluster, found, metrics, &Taken, &issuers),
        observe::others::listed(cluster, &found.release),
    )
    .map_err(|error| error.to_string())?;
    let seen = Snapshot { others, ..seen };
    let around = surroundings(cluster, &seen, &Shared::default()).await.map_err(|error| error.to_string())?;
    let preflight = preflight(&seen, &around);
    let mut findings = basics(&seen, proposed);
    findings.extend(preflight.findings);
    findings.sort_by_key(|finding| finding.severity);
    Ok(Report {
        release: format!("{}/{}", seen.release.namespace, seen.release.name),
        by_count: seen.by_count(),
        canary_label: label(&seen),
        capacity: capacity(&seen, &around),
        findings,
        unseen: preflight.unseen,
    })
}

/// What the controller says in the condition Ready; before the first apply a missing label of the gate is no error yet.
fn basics(seen: &Snapshot, proposed: bool) -> Vec<Finding> {
    let object = format!("GatedRelease {}/{}", seen.release.namespace, seen.release.name);
    let all = problems(seen).into_iter().map(|problem| {
        let later = proposed && problem.reason == "NotGated";
        let severity = if later { Severity::Warn } else { Severity::Refuse };
        Finding { reason: problem.reason, severity, object: object.clone(), message: problem.message }
    });
    all.collect()
}

fn label(seen: &Snapshot) -> Option<Label> {
    let workload = seen.workload.as_ref().filter(|_| !seen.by_count())?;
    let canary = relabel(seen, workload, Carrier::Canary).ok()?;
    let previous = relabel(seen, workload, Carrier::Previous).ok()?;
    Some(Label { key: canary.key, stable: canary.from, canary: canary.to, previous: previous.to })
}

fn page(report: &Report) -> String {
    let mut lines = vec![report.release.clone()];
    if let Some(Label { key, stable, canary, previous }) = &report.canary_label {
        lines.push(format!("label   {key}: {stable}; canary {canary}; previous version {previous}"));
    }
    if let Some(capacity) = &report.capacity {
        let peak = capacity.peak;
        lines.push(format!("peak    {} pods: {}", peak.pods(), peak.parts()));
        for row in &capacity.quotas {
            let of = |quantity: crate::release::capacity::Quantity| quantity.of(&row.resource);
            lines.push(format!(
                "quota   {} {}: {} of {} in use, the release needs {} more, which leaves {}",
                row.quota,
                row.resource,
                of(row.used),
                of(row.hard),
                of(row.needed),
                of(row.left())
            ));
        }
    }
    for finding in &report.findings {
        let word = match finding.severity {
            Severity::Refuse => "refuse",
            Severity::Warn => "warn",
        };
        lines.push(format!("{word:<7} {}: {}\n        {}", finding.reason, finding.object, finding.message));
    }
    lines.extend(report.unseen.iter().map(|unseen| format!("unseen  {unseen}")));
    lines.push(match report.findings.iter().filter(|finding| finding.severity == Severity::Refuse).count() {
        0 if report.by_count => "Nothing refuses a release. Without routes whoever calls the Service gets the new version's share, as coarsely as the number of pods allows.".to_owned(),
        0 => "Nothing refuses a release. Programs that call the Service by its name, past every route, stay on the workload's own pods.".to_owned(),
        1 => "One finding refuses a release.".to_owned(),
        more => format!("{more} findings refuse a release."),
    });
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::capacity::{Peak, Row};

    #[test]
    fn the_page_tells_label_peak_quotas_and_findings() {
        let row = Row {
            quota: "team".into(),
            resource: "limits.memory".into(),
            hard: "16Gi".parse().unwrap(),
            used: "4Gi".parse().unwrap(),
            needed: "9Gi".parse().unwrap(),
        };
        let report = Report {
            release: "shop/checkout".into(),
            by_count: false,
            canary_label: Some(Label {
                key: "app".into(),
                stable: "checkout".into(),
                canary: "checkout-canary".into(),
                previous: "checkout-previous".into(),
            }),
            capacity: Some(Capacity {
                peak: Peak { workload: 4, surge: 1, canary: 4, previous: 4 },
                quotas: vec![row],
                unsaid: Vec::new(),
            }),
            findings: vec![Finding {
                reason: "VolumeNotShareable",
                severity: Severity::Refuse,
                object: "PersistentVolumeClaim shop/data".into(),
                message: "Mend it.".into(),
            }],
            unseen: vec!["Ingress could not be looked at: forbidden".into()],
        };
        insta::assert_snapshot!(page(&report), @"
        shop/checkout
        label   app: checkout; canary checkout-canary; previous version checkout-previous
        peak    13 pods: 4 of the workload, 1 of its rolling update, 4 of the canary, 4 of the previous version
        quota   team limits.memory: 4Gi of 16Gi in use, the release needs 9Gi more, which leaves 3Gi
        refuse  VolumeNotShareable: PersistentVolumeClaim shop/data
                Mend it.
        unseen  Ingress could not be looked at: forbidden
        One finding refuses a release.
        ");
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["capacity"]["quotas"][0]["needed"], "9663676416");
        assert_eq!((&json["findings"][0]["severity"], &json["canaryLabel"]["key"]), (&"Refuse".into(), &"app".into()));
    }

    #[test]
    fn a_file_holds_one_release_among_others() {
        let folder = std::env::temp_dir().join(format!("tidegate-preflight-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let read = |text: &str| {
            let path = folder.join("one.yaml");
            std::fs::write(&path, text).unwrap();
            read_manifest(&path)
        };
        let release = "kind: GatedRelease\nmetadata: {name: web}\n";
        assert_eq!(read(&format!("kind: RiskBudget\n---\n{release}")).unwrap()["metadata"]["name"], "web");
        assert!(read("kind: RiskBudget\n").unwrap_err().contains("there is no GatedRelease"));
        assert!(read(&format!("{release}---\n{release}")).unwrap_err().contains("more than one"));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
