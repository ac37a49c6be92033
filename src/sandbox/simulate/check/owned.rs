//! Whose the rules of a route are: whoever applies it without force is not refused because Tidegate wrote weights.

use serde_json::Value;

use super::{Checkers, NAMESPACE, Rule, Seen, items, text, time};
use crate::api::Span;
use crate::cluster::kind::HTTP_ROUTE;

/// How long rules may be Tidegate's where nothing fails: its processes may just have begun.
const GIVEN_BACK_WITHIN: Span = Span::seconds(60);

pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let Some(calm) = checkers.circumstances.calm_since else { return };
    for route in seen.objects.list(&HTTP_ROUTE, NAMESPACE) {
        let entries = items(route, "/metadata/managedFields").iter();
        let ours = entries.filter(|entry| entry["manager"] == "tidegate" && entry["fieldsV1"]["f:spec"] != Value::Null);
        let Some(since) = ours.filter_map(|entry| time(entry, "/time")).max() else { continue };
        if seen.now.since(since.max(calm)) > GIVEN_BACK_WITHIN {
            let name = text(route, "/metadata/name").unwrap_or_default();
            let says = format!("the rules of {name} are Tidegate's since {}", since.clock());
            checkers.violated(Rule::OwnerRefused, seen.now, says);
        }
    }
}
