//! Labels, annotations and names that Tidegate reads or writes on objects that are not its own.

/// Label on a Deployment or StatefulSet that puts it under the gate; any value.
pub const GATED: &str = "tidegate.io/gated";
/// Annotation on a Deployment: where the change comes from, such as `git:4f2c9e1`.
pub const CHANGE: &str = "tidegate.io/change";
/// Annotation on a Deployment: the change type.
pub const CHANGE_TYPE: &str = "tidegate.io/change-type";
/// Annotation on a Deployment: the severity of what the change repairs.
pub const CHANGE_SEVERITY: &str = "tidegate.io/change-severity";
/// Annotation on a Deployment: categories, separated by commas.
pub const CHANGE_CATEGORIES: &str = "tidegate.io/change-categories";
/// Annotation on a Deployment: lets the template run ungated that the write brings which brings the annotation, or that was held
/// then; the value is the reason.
pub const BREAK_GLASS: &str = "tidegate.io/break-glass";
/// Annotation on a Deployment, written by admission: the reasons for break-glass that let nothing go any more, one a line, newest
/// first, ten at most. Each as [`crate::release::glass::kept`] writes it.
pub const BREAK_GLASS_SPENT: &str = "tidegate.io/break-glass-spent";
/// Annotation on a Deployment, written by admission: who changed the template last.
pub const CHANGED_BY: &str = "tidegate.io/changed-by";
/// Annotation on a Deployment, written by admission: who resumed it by hand while it was held.
pub const RESUMED_BY: &str = "tidegate.io/resumed-by";
/// Annotation on a held Deployment: why it is paused, for `kubectl describe`.
pub const PAUSED_BECAUSE: &str = "tidegate.io/paused-because";
/// Annotation on a GatedRelease: a new value starts a closed revision again.
pub const RETRY: &str = "tidegate.io/retry";
/// Annotation on a GatedRelease, written by `tidegate audit export --mark`: the last attempt that was exported and its digest.
pub const EXPORTED: &str = "tidegate.io/exported";
/// Annotation on a GatedRelease, any value: Tidegate leaves the workload as on deletion, and the object stays.
pub const DETACH: &str = "tidegate.io/detach";
/// Annotation on an HTTPRoute during releases: the stable Services whose weights Tidegate keeps, by name, with commas between.
pub const WEIGHTS: &str = "tidegate.io/weights";
/// Annotation on an HTTPRoute during releases: the weights to put back, by Service and rule.
pub const WEIGHTS_BEFORE: &str = "tidegate.io/weights-before";
/// Label on objects that Tidegate made: the GatedRelease they serve.
pub const RELEASE: &str = "tidegate.io/release";
/// Label on ReleaseRecords: the RiskBudget that they are charged to, as [`label_value`] writes its name.
pub const BUDGET: &str = "tidegate.io/budget";
/// Label on objects that Tidegate made: `canary`, `previous`, or [`CHECK_ROLE`].
pub const ROLE: &str = "tidegate.io/role";
/// Value of [`ROLE`] on the Jobs of synthetic checks.
pub const CHECK_ROLE: &str = "check";
/// Label on a CronJob, `true`: its owner allows that checks of this namespace start Jobs from it. Annotation on such a Job: the
/// check's name.
pub const CHECK: &str = "tidegate.io/check";
/// Annotation on a Job: when it was made, by the clock of the process that made it.
pub const CHECK_STARTED_AT: &str = "tidegate.io/check-started-at";
/// Annotation on a canary or previous Deployment: the revision it runs.
pub const REVISION: &str = "tidegate.io/revision";
/// Finalizer on a GatedRelease: traffic goes home before it leaves.
pub const FINALIZER: &str = "tidegate.io/traffic-home";
/// Field manager of every write.
pub const MANAGER: &str = "tidegate";
/// Field manager of the one leaf that keeps an autoscaler from taking pods away during a release.
pub const SCALE_DOWN_MANAGER: &str = "tidegate-scale-down";
/// Annotation on a pod template: when somebody asked for new pods of it.
pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
/// Template annotations that are no change of the program: a restart rolls natively.
pub const IGNORED_TEMPLATE_ANNOTATIONS: &[&str] = &[RESTARTED_AT];
/// Ending of the canary's Deployment, Service and PodDisruptionBudget.
pub const CANARY_SUFFIX: &str = "-canary";
/// Ending of the objects that keep the last stable warm.
pub const PREVIOUS_SUFFIX: &str = "-previous";
/// Annotation on an HTTPRoute, written together with the weight 0 of a rollback: why, by Service, so that a crash right after it
/// forgets nothing.
pub const WITHDRAWN: &str = "tidegate.io/withdrawn";
/// Label that the StatefulSet controller puts on its pods: the name of the ControllerRevision that they run.
pub const CONTROLLER_REVISION_HASH: &str = "controller-revision-hash";
/// The partition of a StatefulSet whose template is held: above every ordinal.
pub const HELD_PARTITION: u32 = 2_147_483_647;
/// Label that the Deployment controller puts on the pods of a ReplicaSet.
pub const POD_TEMPLATE_HASH: &str = "pod-template-hash";

/// A name as the value of a label, which has at most 63 characters: a longer one is cut, and a checksum of the whole keeps
/// it apart from others.
pub fn label_value(name: &str) -> String {
    const CHARACTERS_MAX: usize = 63;
    if name.len() <= CHARACTERS_MAX {
        return name.to_owned();
    }
    // FNV-1a: told apart, not protected.
    let sum = name.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let cut: String = name.chars().take(CHARACTERS_MAX - 9).collect();
    format!("{}-{sum:08x}", cut.trim_end_matches(['.', '-', '_']))
}
