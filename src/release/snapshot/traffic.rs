//! What carries the versions, and what divides the users among them.

use core::net::SocketAddr;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::release_record::RollbackLog;
use crate::release::split::{Carrier, Split};

/// Where the ready pods behind a Service listen, by the Service's port; empty for one whose own address leads to them.
pub type Listening = BTreeMap<u16, Vec<SocketAddr>>;

/// A Service.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceSeen {
    /// `spec.selector`.
    pub selector: BTreeMap<String, String>,
    /// Endpoints of its slices that are ready.
    pub ready_endpoints: u32,
    /// Where its pods listen, where its address does not lead to all of them.
    pub listening: Listening,
    /// The whole object as raw JSON, for the canary's copy.
    pub object: Value,
}

/// The Deployment, Service and PodDisruptionBudget that carry the canary or the previous version.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// Which of the two.
    pub carrier: Carrier,
    /// The Deployment; `None` where it does not exist.
    pub deployment: Option<SideDeployment>,
    /// Ready endpoints of the Service; `None` where it does not exist.
    pub endpoints: Option<u32>,
    /// `spec` of the Service, which is a copy of the user's; `None` where it does not exist, or is somebody else's.
    pub service: Option<Value>,
    /// Where its pods listen, where the Service's address does not lead to all of them.
    pub listening: Listening,
    /// Whether the PodDisruptionBudget exists.
    pub pdb: bool,
    /// `spec` of the copy of the workload's autoscaler; `None` where it does not exist, or is somebody else's.
    pub autoscaler: Option<Value>,
    /// An object of that name that Tidegate did not make for this release, as `Service shop/checkout-canary`.
    pub foreign: Option<String>,
}

impl Side {
    /// Whether objects of this release are there that nobody has begun to delete, with or without their Deployment.
    pub fn is_left(&self) -> bool {
        self.foreign.is_none() && !self.deployment.as_ref().is_some_and(|deployment| deployment.deleting)
    }

    /// The least pods that the copy of the autoscaler leaves it, 1 where the field is absent; `None` without a copy.
    pub fn floor(&self) -> Option<u32> {
        let spec = self.autoscaler.as_ref()?;
        Some(
            spec.get("minReplicas").and_then(Value::as_u64).map_or(1, |least| u32::try_from(least).unwrap_or(u32::MAX)),
        )
    }

    /// Whether all that could carry users there is somebody else's: another GatedRelease's, or no version at all.
    pub const fn is_anothers(&self) -> bool {
        self.foreign.is_some() && self.deployment.is_none() && self.endpoints.is_none()
    }
}

/// A Deployment that Tidegate made.
#[derive(Debug, Clone, PartialEq)]
pub struct SideDeployment {
    /// The revision that it was made for.
    pub revision: String,
    /// Its pod template as raw JSON, with the rewritten label.
    pub template: Value,
    /// `spec.replicas`.
    pub replicas: u32,
    /// Available pods of the current template; 0 until its controller has seen the present generation.
    pub available: u32,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Why its pods cannot be made, such as `exceeded quota: …`; as the API server tells its controller.
    pub refused: Option<String>,
    /// Containers that crash, as `checkout-canary-7d9f-x2kq8/app: CrashLoopBackOff, exit code 1, 4 restarts`.
    pub crashes: Vec<String>,
}

/// A route of `spec.traffic.httpRoutes`.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteSeen {
    /// Its name.
    pub name: String,
    /// What it says, or why it cannot carry the release.
    pub state: Result<RouteState, RouteProblem>,
    /// Its resourceVersion, where its rules are Tidegate's by field management: whoever applies it without force is refused.
    pub owned: Option<String>,
}

/// Why a route cannot carry the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteProblem {
    /// There is no such route.
    Missing,
    /// None of its rules points to the Service.
    NoBackend {
        /// Its resourceVersion, where marks of ours are left on it.
        marked: Option<String>,
    },
    /// A rule cannot be split; the text says which, why and the remedy.
    Unsplittable(String),
}

/// What a route says.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteState {
    /// Its resourceVersion, which fences every write to it.
    pub resource_version: String,
    /// The split of each rule that points to the Service; `None` for a rule whose weights make no whole split.
    pub rules: Vec<Option<Split>>,
    /// Of rules that cannot be divided into hundredths, by their place in `rules`: how many parts they have to give.
    pub coarse: BTreeMap<usize, u32>,
    /// What keeps a rule that came in the middle of a release from being divided; says which, why and the remedy.
    pub odd: Option<String>,
    /// Whether our annotations are on it.
    pub marked: bool,
    /// Whether every parent has accepted the present generation with all references resolved.
    pub effective: Result<(), String>,
    /// The rollback that was written together with weight 0: record name and log.
    pub withdrawn: Option<(String, RollbackLog)>,
}

impl RouteState {
    /// Whether every rule says just this, and our marks are there exactly while a release needs them.
    pub fn is(&self, split: Split) -> bool {
        let alike = (0..self.rules.len()).all(|place| self.rule_is(place, split));
        alike && self.marked == (split != Split::HOME)
    }

    /// Whether any rule says just this.
    pub fn has_rule(&self, split: Split) -> bool {
        (0..self.rules.len()).any(|place| self.rule_is(place, split))
    }

    fn rule_is(&self, place: usize, split: Split) -> bool {
        let wanted = match self.coarse.get(&place) {
            Some(whole) => split.within(*whole),
            None => Some(split),
        };
        self.rules.get(place).is_some_and(|rule| rule.is_some() && *rule == wanted)
    }
}
