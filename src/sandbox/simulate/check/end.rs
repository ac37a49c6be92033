//! When all is calm: has everything ended, and is everything where it belongs?

use serde_json::Value;

use super::route::weight;
use super::{NAME, NAMESPACE, TWIN, newest_of, newest_record, number, text};
use crate::cluster::Kind;
use crate::cluster::kind::{DEPLOYMENT, GATED_RELEASE, HPA, SCALED_OBJECT};
use crate::sandbox::objects::Objects;

const NAMESPACES: Kind = Kind::new("", "v1", "Namespace", "namespaces");

/// What still goes on, or is left over, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// A release goes on.
    Going(String),
    /// Nothing goes on, and something is not where it belongs.
    NotHome(String),
}

/// Looks whether everything has ended; none where it has.
pub fn left_over(objects: &dyn Objects) -> Option<Left> {
    let going =
        objects.get(&NAMESPACES, "", NAMESPACE).is_none_or(|it| text(it, "/metadata/deletionTimestamp").is_some());
    if going {
        return Some(Left::Going("the namespace is being deleted".to_owned()));
    }
    let release = objects.get(&GATED_RELEASE, NAMESPACE, NAME);
    if release.is_some_and(|release| text(release, "/metadata/deletionTimestamp").is_some()) {
        return Some(Left::Going("the GatedRelease is being deleted".to_owned()));
    }
    let twin = objects.get(&GATED_RELEASE, NAMESPACE, TWIN);
    if twin.is_some_and(|twin| text(twin, "/metadata/deletionTimestamp").is_some()) {
        return Some(Left::Going("the copy of the GatedRelease is being deleted".to_owned()));
    }
    let finalizer = |release: &Value| !super::items(release, "/metadata/finalizers").is_empty();
    if release.is_some_and(|release| super::detached(release) && finalizer(release)) {
        return Some(Left::Going("the GatedRelease is being detached".to_owned()));
    }
    let record = newest_record(objects);
    let outcome = record.and_then(|record| text(record, "/status/outcome"));
    if release.is_some()
        && let Some(record) = record
        && outcome.is_none()
    {
        let says = format!(
            "{} is in phase {} ({})",
            text(record, "/metadata/name").unwrap_or_default(),
            text(record, "/status/phase").unwrap_or("none"),
            release.and_then(|release| text(release, "/status/message")).unwrap_or_default()
        );
        return Some(Left::Going(says));
    }
    if release.is_some()
        && let Some(record) = record.filter(|record| text(record, "/status/chargeWaits").is_some())
    {
        let name = text(record, "/metadata/name").unwrap_or_default();
        return Some(Left::Going(format!("{name} ran past its gate and is not charged yet")));
    }
    if let Some(left) = super::second::left_over(objects) {
        return Some(left);
    }
    if let Some(says) = super::charged::left_over(objects) {
        return Some(Left::Going(says));
    }
    if let Some(says) = super::jobs::left_over(objects) {
        return Some(Left::Going(says));
    }
    let routes = super::routes(objects);
    if routes.is_empty() {
        return super::count::left_over(objects).map(Left::NotHome);
    }
    let canary = routes.iter().find_map(|route| weight(route, "web-canary"));
    let previous = routes.iter().map(|route| weight(route, "web-previous").unwrap_or(0)).min().unwrap_or(0);
    let workload = objects.get(&DEPLOYMENT, NAMESPACE, NAME);
    // After a late rollback the former version serves until Git reverts or fixes.
    // What its copy left behind is there all the same.
    let left = newest_of(objects, TWIN).and_then(|record| text(record, "/status/outcome"));
    let came_back = |outcome| matches!(outcome, Some("RolledBack" | "Abandoned" | "Expired"));
    let back = came_back(outcome) || came_back(left);
    let late = back && previous == 100;
    // Once Tidegate has left after such a rollback, nobody divides a route that its owner makes anew.
    let to_previous = record.is_some_and(|it| text(it, "/status/rollback/trafficTo") == Some("web-previous"));
    let kept = late || back && to_previous && release.is_none_or(super::detached);
    if let Some(canary) = canary {
        return Some(Left::NotHome(format!("the route still names web-canary, weight {canary}")));
    }
    if !late && routes.iter().any(|route| weight(route, "web-previous").is_some()) {
        return Some(Left::NotHome(format!("the route still names web-previous, weight {previous}")));
    }
    // Nor are its marks anybody's then but of who sends the traffic home.
    if !kept {
        // After a late rollback of the second service, behind the same route, its marks stay.
        let second = |route: &&Value| weight(route, "api-previous") == Some(100);
        let marks = routes
            .iter()
            .filter(|route| !second(route))
            .filter_map(|route| route.pointer("/metadata/annotations")?.as_object());
        if let Some(mark) = marks.flat_map(|all| all.keys()).find(|key| key.starts_with("tidegate.io/")) {
            return Some(Left::NotHome(format!("the route still carries {mark}")));
        }
    }
    for (name, may) in [("web-canary", false), ("web-previous", kept)] {
        if !may && objects.get(&DEPLOYMENT, NAMESPACE, name).is_some() {
            return Some(Left::NotHome(format!("Deployment {name} is still there")));
        }
    }
    if let Some(says) = super::network::left_over(objects, kept) {
        return Some(Left::NotHome(says));
    }
    if let Some(says) = super::disruption::left_over(objects, NAME, kept) {
        return Some(Left::NotHome(says));
    }
    let held = |scaler: &&Value| {
        scaler.pointer("/spec/behavior/scaleDown/selectPolicy").is_some_and(|policy| policy == "Disabled")
    };
    let late_or_gone = late || release.is_none();
    let kept = |scaled: &&Value| {
        let place = "/spec/advanced/horizontalPodAutoscalerConfig/behavior/scaleDown/selectPolicy";
        scaled.pointer(place).is_some()
    };
    let scalers =
        objects.list(&HPA, NAMESPACE).iter().any(held) || objects.list(&SCALED_OBJECT, NAMESPACE).iter().any(kept);
    if scalers && !late_or_gone {
        return Some(Left::Going("an autoscaler is still held".to_owned()));
    }
    let workload = workload?;
    let status = |field: &str| number(workload, &format!("/status/{field}"));
    let settled = status("observedGeneration") >= number(workload, "/metadata/generation");
    (!settled).then(|| Left::NotHome("the workload is not settled".to_owned()))
}
