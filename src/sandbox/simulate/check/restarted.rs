//! Pods that somebody restarts one after another: no good version is brought back for that.

use super::{Checkers, NAME, NAMESPACE, Rule, Seen, image, text, time};
use crate::api::Span;
use crate::cluster::kind::DEPLOYMENT;

/// How long after a restart pods may lack.
const AFTER: Span = Span::seconds(20);

/// A record says that its version goes back.
pub(super) fn record(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(_), Some(before), Some(after)) = (seen.process, seen.before, seen.after) else { return };
    let begun = time(after, "/status/rollback/at").filter(|_| time(before, "/status/rollback/at").is_none());
    let (Some(begun), Some(restart)) = (begun, checkers.circumstances.restarts) else { return };
    let calm = checkers.circumstances.calm_since.is_some_and(|calm| calm.0 < restart.0);
    let trigger = text(after, "/status/rollback/trigger").unwrap_or_default();
    let workload = seen.objects.get(&DEPLOYMENT, NAMESPACE, NAME);
    let good = workload.is_some_and(|it| image(&it["spec"]["template"]).ends_with("-good"));
    if calm && good && begun.since(restart) <= AFTER && matches!(trigger, "Crashed" | "NotReady") {
        let says = format!("{} is brought back ({trigger}) while its pods are restarted one by one", seen.name);
        checkers.violated(Rule::RestartBlamed, seen.now, says);
    }
}
