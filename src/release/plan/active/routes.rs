//! The routes, as they divide the traffic now, and the writes that divide it otherwise.

use super::Active;
use crate::api::Weight;
use crate::release::action::Action;
use crate::release::problem::Problem;
use crate::release::snapshot::{RouteState, Snapshot};
use crate::release::split::{Carrier, Split};

impl<'a> Active<'a> {
    /// Routes that can be steered.
    pub(in crate::release::plan) fn routes(&self) -> impl Iterator<Item = (&'a str, &'a RouteState)> {
        routes(self.seen)
    }

    /// The writes that give every route these weights, none where they say so already.
    pub(in crate::release::plan) fn steer(&self, split: Split) -> Vec<Action> {
        steer(self.seen, split)
    }

    /// Whether the router has taken the present routes over; otherwise why not.
    pub(in crate::release::plan) fn effective(&self) -> Result<(), String> {
        self.routes()
            .try_for_each(|(name, route)| route.effective.clone().map_err(|why| format!("HTTPRoute {name}: {why}")))
    }

    /// The largest share of a carrier in any rule.
    pub(in crate::release::plan) fn weight(&self, carrier: Carrier) -> Weight {
        weight(self.seen, carrier)
    }

    /// Problems that keep traffic from being steered.
    pub(in crate::release::plan) fn steering_problem(&self) -> Option<&'a Problem> {
        self.problems.iter().find(|problem| problem.steering)
    }
}

/// Routes that can be steered.
pub(in crate::release) fn routes(seen: &Snapshot) -> impl Iterator<Item = (&str, &RouteState)> {
    seen.routes.iter().filter_map(|route| Some((route.name.as_str(), route.state.as_ref().ok()?)))
}

/// The writes that give every route these weights, none where they say so already.
pub(in crate::release) fn steer(seen: &Snapshot, split: Split) -> Vec<Action> {
    routes(seen).filter(|(_, route)| !route.is(split)).map(|(name, route)| steer_route(name, route, split)).collect()
}

/// The write that gives one route these weights.
pub(in crate::release::plan) fn steer_route(name: &str, route: &RouteState, split: Split) -> Action {
    Action::SetSplit {
        route: name.to_owned(),
        resource_version: route.resource_version.clone(),
        split,
        withdrawn: None,
    }
}

/// The largest share of a carrier in any rule.
pub(in crate::release) fn weight(seen: &Snapshot, carrier: Carrier) -> Weight {
    let shares = routes(seen).flat_map(|(_, route)| route.rules.iter().flatten()).map(|split| split.weight(carrier));
    shares.max().unwrap_or(Weight::ZERO)
}

/// Whether any rule names a carrier, with weight or without.
pub(in crate::release) fn named(seen: &Snapshot, carrier: Carrier) -> bool {
    routes(seen)
        .flat_map(|(_, route)| route.rules.iter())
        .any(|rule| rule.is_none_or(|split| split.of(carrier).is_some()))
}
