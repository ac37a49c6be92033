//! Words that several sentences share.

use crate::api::gated_release::WorkloadKind;
use crate::api::names::{BREAK_GLASS, PAUSED_BECAUSE};
use crate::api::release_record::{ReleaseRecordSpec, RollbackLog, Trigger};
use crate::release::template;

/// The text, or as much of it as the record's schema takes: a longer one would be refused, and the release would stand still.
pub(super) fn at_most(characters: usize, text: &str) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    text.chars().take(characters.saturating_sub(1)).chain(['…']).collect()
}

/// The command that lets a held template run, past every stage.
pub fn let_go(kind: WorkloadKind, namespace: &str, name: &str) -> String {
    match kind {
        WorkloadKind::Deployment => format!("kubectl rollout resume deployment/{name} -n {namespace}"),
        WorkloadKind::StatefulSet => format!(
            r#"kubectl patch statefulset {name} -n {namespace} -p '{{"spec":{{"updateStrategy":{{"rollingUpdate":{{"partition":0}}}}}}}}'"#
        ),
    }
}

/// The same where nobody gates the workload any more: what explains the hold goes by hand, because no policy takes it off.
pub fn let_go_for_good(kind: WorkloadKind, namespace: &str, name: &str) -> String {
    format!(
        "{} && kubectl annotate {} {name} -n {namespace} {PAUSED_BECAUSE}-",
        let_go(kind, namespace, name),
        kind.resource()
    )
}

/// What a reason for break-glass that was given before is worth, and how it comes off.
pub(super) fn glass_spent(kind: WorkloadKind, namespace: &str, name: &str) -> String {
    format!(
        "A reason counts once, in the write that brings it: the next template is held all the same, unless it brings another. Take it off, in Git first where it is from there: kubectl annotate {} {name} -n {namespace} {BREAK_GLASS}-",
        kind.resource()
    )
}

/// How a change is called: its reference, or its revision where it has none.
pub(super) fn called(spec: &ReleaseRecordSpec) -> String {
    if spec.change.reference.is_empty() {
        format!("revision {}", template::short_of(&spec.revision))
    } else {
        spec.change.reference.clone()
    }
}

/// Why a change goes back: what was seen and what was allowed.
pub(super) fn why(log: &RollbackLog) -> String {
    let RollbackLog { trigger, value, threshold, .. } = log;
    match trigger {
        Trigger::ErrorRate | Trigger::Latency | Trigger::Complaints | Trigger::BusinessMetric | Trigger::BudgetBurn => {
            format!("{trigger}: {value}, limit {threshold}")
        }
        Trigger::NotReady | Trigger::SyntheticCheck | Trigger::Crashed | Trigger::RouteNotEffective => {
            format!("{trigger}: {value} (wanted: {threshold})")
        }
        Trigger::HoldExpired => format!("{trigger}: {value}; {threshold} passed"),
        Trigger::Superseded | Trigger::Reverted | Trigger::Resumed | Trigger::Ungated | Trigger::Deleted => {
            value.clone()
        }
    }
}
