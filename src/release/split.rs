//! How the traffic of a route is divided between the versions.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::Weight;

/// Which of the objects that carry a version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Carrier {
    /// The user's own Deployment and Service.
    Workload,
    /// The canary beside it.
    Canary,
    /// The last version, kept warm.
    Previous,
}

impl Carrier {
    /// The name in labels and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workload => "workload",
            Self::Canary => "canary",
            Self::Previous => "previous",
        }
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The weights of one route. They sum to 100 by construction; an absent carrier has no backendRef at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Split {
    workload: Weight,
    canary: Option<Weight>,
    previous: Option<Weight>,
}

impl Split {
    /// All traffic on the workload and nothing else in the route: exactly what Git says.
    pub const HOME: Self = Self { workload: Weight::FULL, canary: None, previous: None };

    /// So much on the canary, the rest on the workload.
    pub const fn canary(weight: Weight) -> Self {
        Self { workload: weight.rest(), canary: Some(weight), previous: None }
    }

    /// So much on the previous version, the rest on the workload.
    pub const fn previous(weight: Weight) -> Self {
        Self { workload: weight.rest(), canary: None, previous: Some(weight) }
    }

    /// A hand-back: so much on the workload, the rest on the canary, previous ready at 0.
    pub const fn hand_back(workload: Weight) -> Self {
        Self { workload, canary: Some(workload.rest()), previous: Some(Weight::ZERO) }
    }

    /// While the workload of a lean release rolls: canary and previous version carry one half each.
    pub const LEAN: Self =
        Self { workload: Weight::ZERO, canary: Some(Weight::whole(50)), previous: Some(Weight::whole(50)) };

    /// All traffic on the previous version while the canary still stands in the route.
    pub const FALL_BACK: Self =
        Self { workload: Weight::ZERO, canary: Some(Weight::ZERO), previous: Some(Weight::FULL) };

    /// From what a route says; `None` where the weights do not sum to 100.
    pub fn from_weights(workload: Weight, canary: Option<Weight>, previous: Option<Weight>) -> Option<Self> {
        let sum = [Some(workload), canary, previous].into_iter().flatten().map(|w| u32::from(w.get())).sum::<u32>();
        (sum == 100).then_some(Self { workload, canary, previous })
    }

    /// The weight of a carrier; `None` where the route does not name it.
    pub const fn of(self, carrier: Carrier) -> Option<Weight> {
        match carrier {
            Carrier::Workload => Some(self.workload),
            Carrier::Canary => self.canary,
            Carrier::Previous => self.previous,
        }
    }

    /// The weight of a carrier; 0 where the route does not name it.
    pub fn weight(self, carrier: Carrier) -> Weight {
        self.of(carrier).unwrap_or(Weight::ZERO)
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "workload {}", self.workload)?;
        for (name, weight) in [("canary", self.canary), ("previous", self.previous)] {
            if let Some(weight) = weight {
                write!(f, ", {name} {weight}")?;
            }
        }
        Ok(())
    }
}
