//! How much of what may happen, and what is released.

use std::fmt;

use crate::api::Span;

/// How much of what may happen in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// Things that people and their tools do, at most, besides the first deployment.
    pub people: u32,
    /// Faults of the API server, its links and processes, at most.
    pub faults: u32,
    /// Faults of Prometheus, at most.
    pub prometheus: u32,
    /// How long all of that goes on.
    pub within: Span,
    /// What the workload is, and how its traffic is divided.
    pub workload: Workload,
    /// Whether a change waits for what it must show, with few risk points to spend.
    pub enforced: bool,
    /// Things that happen around the workload, at most: to what its pods read and need, to its namespace.
    pub around: u32,
    /// Whether several routes, rules and parents lead to the workload, and not one of each.
    pub several: bool,
    /// Whether a webhook answers for admission, and not policies, and is down at times.
    pub webhook: bool,
    /// Whether a second release spends from the same RiskBudget, with few points and a window that turns, and people look
    /// after that budget.
    pub shared: bool,
    /// Whether a Job tries each stage, with more versions that only a Job tells from good ones, and people who get in its way.
    pub jobs: bool,
    /// Whether the workload is handed over to a copy of the GatedRelease, and back.
    pub handed: bool,
    /// Whether the two that spend one budget are behind one route, each behind a rule of its own.
    pub joined: bool,
    /// Things that those who own the workload do to what is theirs besides its program, at most: its contract, its routes, its
    /// PodDisruptionBudget, its ReplicaSets. In half of these worlds who lets a held template run must hold the verb `bypass`.
    pub owners: u32,
    /// Things that become of the workload's size, at most: what its pods have to do, which its autoscaler goes by, and hands that
    /// scale it.
    pub sized: u32,
    /// Whether something stands around the workload before its first release that preflight refuses, until somebody mends it, or warns
    /// of.
    pub preflight: bool,
    /// Whether the workload is left while no controller runs.
    pub left: bool,
}

/// What is released in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Workload {
    /// A Deployment behind a route.
    #[default]
    Routed,
    /// A Deployment without a route.
    ByCount,
    /// A StatefulSet.
    Stateful,
}

impl Mix {
    /// Nothing but one deployment.
    pub const CALM: Self = Self {
        people: 0,
        faults: 0,
        prometheus: 0,
        within: Span::seconds(60),
        workload: Workload::Routed,
        enforced: false,
        around: 0,
        several: false,
        webhook: false,
        shared: false,
        jobs: false,
        handed: false,
        joined: false,
        owners: 0,
        sized: 0,
        preflight: false,
        left: false,
    };
    /// People, and no faults.
    pub const PEOPLE: Self = Self { people: 5, within: Span::seconds(150), ..Self::CALM };
    /// One deployment and faults.
    pub const FAULTS: Self = Self { faults: 5, prometheus: 2, within: Span::seconds(90), ..Self::CALM };
    /// The ready-made ones.
    pub const NAMED: [(&'static str, Self); 37] = [
        ("calm", Self::CALM),
        ("people", Self::PEOPLE),
        ("faults", Self::FAULTS),
        ("wild", Self::WILD),
        ("around", Self::AROUND),
        ("calm-several", Self { several: true, ..Self::CALM }),
        ("wild-several", Self { several: true, ..Self::WILD }),
        ("calm-webhook", Self { webhook: true, ..Self::CALM }),
        ("wild-webhook", Self { webhook: true, ..Self::WILD }),
        ("calm-by-count", Self { workload: Workload::ByCount, ..Self::CALM }),
        ("wild-by-count", Self { workload: Workload::ByCount, ..Self::WILD }),
        ("calm-stateful", Self { workload: Workload::Stateful, ..Self::CALM }),
        ("wild-stateful", Self { workload: Workload::Stateful, ..Self::WILD }),
        ("approved", Self::APPROVED),
        ("wild-approved", Self::WILD_APPROVED),
        ("wild-approved-stateful", Self { workload: Workload::Stateful, ..Self::WILD_APPROVED }),
        ("shared", Self::SHARED),
        ("wild-shared", Self::WILD_SHARED),
        ("calm-jobs", Self { jobs: true, ..Self::CALM }),
        ("wild-jobs", Self { jobs: true, ..Self::WILD }),
        ("handed", Self::HANDED),
        ("wild-handed", Self { handed: true, ..Self::WILD }),
        ("joined", Self { joined: true, ..Self::SHARED }),
        ("wild-joined", Self { joined: true, ..Self::WILD_SHARED }),
        ("owners", Self::OWNERS),
        ("owners-by-count", Self { workload: Workload::ByCount, ..Self::OWNERS }),
        ("owners-stateful", Self { workload: Workload::Stateful, ..Self::OWNERS }),
        ("wild-owners", Self { owners: 4, ..Self::WILD }),
        ("sized", Self::SIZED),
        ("sized-by-count", Self { workload: Workload::ByCount, ..Self::SIZED }),
        ("sized-stateful", Self { workload: Workload::Stateful, ..Self::SIZED }),
        ("preflight", Self::PREFLIGHT),
        ("preflight-by-count", Self { workload: Workload::ByCount, ..Self::PREFLIGHT }),
        ("wild-preflight", Self { preflight: true, ..Self::WILD }),
        ("left", Self::LEFT),
        ("left-by-count", Self { workload: Workload::ByCount, ..Self::LEFT }),
        ("wild-left", Self { left: true, ..Self::WILD }),
    ];
    /// People who ship, show and agree, and no faults.
    pub const APPROVED: Self = Self { enforced: true, ..Self::PEOPLE };
    /// The same with everything else.
    pub const WILD_APPROVED: Self = Self { enforced: true, ..Self::WILD };
    /// A release or two, and what happens around them.
    pub const AROUND: Self = Self { people: 2, faults: 2, prometheus: 0, around: 4, ..Self::WILD };
    /// Two releases that spend one budget, people, and no faults.
    pub const SHARED: Self = Self { shared: true, people: 3, ..Self::PEOPLE };
    /// The same with everything else.
    pub const WILD_SHARED: Self = Self { shared: true, ..Self::WILD };
    /// Two releases that have one workload in turn, people, and no faults.
    pub const HANDED: Self = Self { handed: true, ..Self::PEOPLE };
    /// A release or two, what those who own the workload do meanwhile, and no faults.
    pub const OWNERS: Self = Self { owners: 5, people: 3, ..Self::PEOPLE };
    /// A release or two of a workload that an autoscaler and people scale meanwhile, and no faults.
    pub const SIZED: Self = Self { sized: 5, people: 1, ..Self::PEOPLE };
    /// Nothing but one deployment, and what has to be mended before it may begin.
    pub const PREFLIGHT: Self = Self { preflight: true, ..Self::CALM };
    /// A release or two, and leaving while no controller runs.
    pub const LEFT: Self = Self { left: true, people: 2, ..Self::PEOPLE };
    /// Everything that people do and that fails.
    pub const WILD: Self = Self { people: 4, faults: 4, prometheus: 1, within: Span::seconds(150), ..Self::CALM };
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMED.iter().find(|(_, mix)| mix == self).map_or("custom", |(name, _)| name);
        f.write_str(name)
    }
}

impl std::str::FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::NAMED.iter().find(|(name, _)| *name == text).map(|(_, mix)| *mix);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::NAMED.iter().map(|(name, _)| *name).collect();
            format!("{text:?} is no mix; there are {}", names.join(", "))
        })
    }
}
