//! How a split becomes backends and weights of a route, and back: one file a provider.
//!
//! Here belongs what a provider's object looks like. Functions take and give raw JSON, so that fields this version does
//! not know stay as they are. What must never enter: I/O (the executor writes), and which split is right (`release`).

pub mod http_route;

use serde_json::Value;

use crate::api::release_record::RollbackLog;
use crate::cluster::Kind;
use crate::release::Split;
use crate::release::snapshot::{RouteProblem, RouteState};

/// What carries the traffic. Closed until a second provider exists; then each function gets an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// `gateway.networking.k8s.io/v1` HTTPRoute.
    HttpRoute,
}

impl Provider {
    /// The kind of its objects.
    pub const fn kind(self) -> &'static Kind {
        match self {
            Self::HttpRoute => &crate::cluster::kind::HTTP_ROUTE,
        }
    }

    /// What the route says about the Service and its canary and previous Services.
    pub fn observe(self, route: &Value, service: &str) -> Result<RouteState, RouteProblem> {
        match self {
            Self::HttpRoute => http_route::observe(route, service),
        }
    }

    /// The resourceVersion of a route whose rules are Tidegate's own by field management; none where they are not.
    pub fn owned(self, route: &Value) -> Option<String> {
        match self {
            Self::HttpRoute => http_route::owned(route),
        }
    }

    /// The JSON patch that gives the rules back to whoever applies them; fenced by the resourceVersion that `route` has.
    pub fn disown(self, route: &Value) -> Value {
        match self {
            Self::HttpRoute => http_route::disown(route),
        }
    }

    /// The JSON patch that gives the route this split; fenced by the resourceVersion that `route` has.
    pub fn write(self, route: &Value, service: &str, split: Split, withdrawn: Option<&(String, RollbackLog)>) -> Value {
        match self {
            Self::HttpRoute => http_route::write(route, service, split, withdrawn),
        }
    }
}
