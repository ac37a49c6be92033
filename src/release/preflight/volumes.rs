//! Volumes that a second set of pods cannot share.

use serde_json::Value;

use super::facts::{Facts, Way, list, text};
use super::{Finding, Reason, Severity};

fn volumes<'a>(facts: &Facts<'a>) -> &'a [Value] {
    list(&facts.workload.template, "/spec/volumes")
}

/// Claims that one node, or one pod, may mount: pods of the canary elsewhere would hang.
pub(super) fn claims(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    // A claim template of a StatefulSet takes the place of a volume of its name.
    let templates = list(&facts.workload.spec, "/volumeClaimTemplates");
    let own = |volume: &&Value| templates.iter().any(|one| text(one, "/metadata/name") == text(volume, "/name"));
    let volumes = volumes(facts).iter().filter(|volume| !own(volume));
    let named = volumes.map(|volume| text(volume, "/persistentVolumeClaim/claimName"));
    for name in named.filter(|name| !name.is_empty()) {
        let Some((_, claim)) = facts.around.claims.iter().find(|(known, _)| known == name) else { continue };
        let place = ("PersistentVolumeClaim", &serde_json::json!({"metadata": {"name": name}}));
        let Some(claim) = claim else {
            let message =
                "The template mounts it and it does not exist: no pod would start. Create it, or correct the name.";
            found.push(facts.finding(Reason::ClaimMissing, Severity::Refuse, place, message));
            continue;
        };
        // The pods of a StatefulSet mount it already, and none comes beside them.
        let Some(who_comes) = facts.way.alongside() else { continue };
        let modes: Vec<_> = list(claim, "/spec/accessModes").iter().filter_map(Value::as_str).collect();
        let by_many = modes.iter().any(|mode| matches!(*mode, "ReadWriteMany" | "ReadOnlyMany"));
        if by_many || modes.is_empty() {
            continue;
        }
        let who = if modes.contains(&"ReadWriteOncePod") { "one pod" } else { "the pods of one node" };
        let message = format!(
            "The template mounts it, and it may be mounted by {who} only ({}): pods of {who_comes} would hang beside the workload's. Use a claim with ReadWriteMany, an emptyDir or an ephemeral volume; a program that needs a volume of its own is a StatefulSet's, which is released pod by pod (docs/by-count.md).",
            modes.join(", ")
        );
        found.push(facts.finding(Reason::VolumeNotShareable, Severity::Refuse, place, message));
    }
}

/// Directories of a node: versions that run beside each other there see each other's files.
pub(super) fn host_paths(facts: &Facts<'_>, found: &mut Vec<Finding>) {
    for volume in volumes(facts).iter().filter(|volume| volume.get("hostPath").is_some()) {
        let who = match facts.way {
            Way::Routes | Way::Beside => "canary and workload",
            Way::Within => "pods of both versions",
        };
        let message = format!(
            "Its volume {} is the directory {} of the node, which {who} would share where they run on one node. Make sure that two versions may use it at once, or mount it read-only.",
            text(volume, "/name"),
            text(volume, "/hostPath/path")
        );
        found.push(facts.of_workload(Reason::HostPathShared, Severity::Warn, message));
    }
}
