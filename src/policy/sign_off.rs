//! Who must agree to a change, and before what (`001_…`, Freeze Policy and Deployment Process by Budget Status).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::Weight;

/// A role that signs off. The word is the name of the role in RBAC and in an attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Owns the service; approves within the policy above 30 % (`001_…`, Roles and Responsibilities).
    ServiceOwner,
    /// Reviews changes when the budget is in Warning or worse.
    SeniorEngineer,
    /// Site reliability engineering: approves deployments during a freeze.
    Sre,
    /// VP Engineering: final authority during a freeze.
    VpEngineering,
    /// Reviews the modules that it owns (`000_…` §6.2, G2).
    CodeOwner,
    /// Leads a risky release live (`000_…` §6.2, G3).
    ReleaseCaptain,
    /// On call while the change ships (`000_…` §6.2, G3; §7).
    OnCall,
    /// Accountable for risk appetite (`000_…` §4).
    ProductManager,
    /// Accountable for enforcement (`000_…` §4).
    DevelopmentManager,
    /// Leads the engineers of the service; approves exceptions of a freeze (`001_…`, Exception Process).
    EngineeringManager,
    /// Security: part of the formal risk review (`000_…` §6.2, G4).
    Security,
    /// Legal and privacy: what user data is done with (`003_…`, Module 4).
    Privacy,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Self] = &[
        Self::ServiceOwner,
        Self::SeniorEngineer,
        Self::Sre,
        Self::VpEngineering,
        Self::CodeOwner,
        Self::ReleaseCaptain,
        Self::OnCall,
        Self::ProductManager,
        Self::DevelopmentManager,
        Self::EngineeringManager,
        Self::Security,
        Self::Privacy,
    ];

    /// The role of a name; none where no rule asks for such a role.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == name)
    }

    /// The role's name, such as `sre`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceOwner => "service-owner",
            Self::SeniorEngineer => "senior-engineer",
            Self::Sre => "sre",
            Self::VpEngineering => "vp-engineering",
            Self::CodeOwner => "code-owner",
            Self::ReleaseCaptain => "release-captain",
            Self::OnCall => "on-call",
            Self::ProductManager => "product-manager",
            Self::DevelopmentManager => "development-manager",
            Self::EngineeringManager => "engineering-manager",
            Self::Security => "security",
            Self::Privacy => "privacy",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The moment before which a sign-off must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignOffPoint {
    /// Before the canary comes up.
    BeforeStart,
    /// Before a stage that gives this weight or more.
    BeforeStage {
        /// The weight that may not be reached without it.
        weight: Weight,
    },
    /// Before each stage after the first, a new one each time; the first is covered by the sign-offs before the start.
    EachStage,
}

impl fmt::Display for SignOffPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeStart => f.write_str("before the start"),
            Self::BeforeStage { weight } => write!(f, "before {weight}"),
            Self::EachStage => f.write_str("before each further stage"),
        }
    }
}

/// An agreement that the policy demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignOff {
    /// Who agrees.
    pub role: Role,
    /// How many different people of that role, from 1.
    pub people: u8,
    /// Before what.
    pub when: SignOffPoint,
    /// Why, in words that complete "because …".
    pub why: &'static str,
    /// Document and section.
    pub source: &'static str,
}

impl SignOff {
    /// Whether it must be there before stage `index` (from 0), which gives `weight`.
    pub fn needed_before(&self, index: usize, weight: Weight) -> bool {
        match self.when {
            SignOffPoint::BeforeStart => index == 0,
            SignOffPoint::BeforeStage { weight: from } => weight >= from,
            SignOffPoint::EachStage => index > 0,
        }
    }
}

impl fmt::Display for SignOff {
    /// `sre before 100 %`, `2 senior-engineer before the start`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.people > 1 {
            write!(f, "{} ", self.people)?;
        }
        write!(f, "{} {}", self.role, self.when)
    }
}

/// What either list demands; where both name a role for the same moment, the larger number of people.
pub fn join(one: &[SignOff], other: &[SignOff]) -> Vec<SignOff> {
    let mut all: Vec<SignOff> = Vec::with_capacity(one.len() + other.len());
    for new in one.iter().chain(other) {
        match all.iter_mut().find(|s| s.role == new.role && s.when == new.when) {
            Some(known) if known.people >= new.people => {}
            Some(known) => *known = *new,
            None => all.push(*new),
        }
    }
    all
}

/// The sign-offs of the enhanced process.
pub const ENHANCED_PROCESS: &[SignOff] = &[
    SignOff {
        role: Role::SeniorEngineer,
        people: 1,
        when: SignOffPoint::BeforeStart,
        why: "the enhanced process merges with a senior engineer's approval",
        source: "001, Enhanced Process, step 1; Warning, Requirements",
    },
    SignOff {
        role: Role::Sre,
        people: 1,
        when: SignOffPoint::BeforeStage { weight: Weight::FULL },
        why: "the enhanced process requires SRE sign-off before 100 %",
        source: "001, Enhanced Process, step 7",
    },
];

/// Who agrees when a service spends another risk budget than before.
pub const OTHER_BUDGET: &[SignOff] = &[
    SignOff {
        role: Role::ProductManager,
        people: 1,
        when: SignOffPoint::BeforeStart,
        why: "the service spent another RiskBudget before, and this one may allow more",
        source: "000 §4, PM responsibilities, Shared responsibilities",
    },
    SignOff {
        role: Role::DevelopmentManager,
        people: 1,
        when: SignOffPoint::BeforeStart,
        why: "the service spent another RiskBudget before, and this one may allow more",
        source: "000 §4, DM responsibilities, Shared responsibilities",
    },
];

/// The sign-offs of the emergency process. Who gives the "multiple approvals at each stage" is not said: the two roles
/// that approve the start.
pub const EMERGENCY_PROCESS: &[SignOff] = &[
    SignOff {
        role: Role::Sre,
        people: 1,
        when: SignOffPoint::BeforeStart,
        why: "SRE approves all deployments during a freeze",
        source: "001, Critical, Requirements; Emergency Process, step 1",
    },
    SignOff {
        role: Role::VpEngineering,
        people: 1,
        when: SignOffPoint::BeforeStart,
        why: "the emergency process merges with the VP Engineering's approval",
        source: "001, Emergency Process, step 1; Emergency, Requirements",
    },
    SignOff {
        role: Role::Sre,
        people: 1,
        when: SignOffPoint::EachStage,
        why: "the emergency process requires multiple approvals at each stage",
        source: "001, Emergency Process, step 8",
    },
    SignOff {
        role: Role::VpEngineering,
        people: 1,
        when: SignOffPoint::EachStage,
        why: "the emergency process requires multiple approvals at each stage",
        source: "001, Emergency Process, step 8",
    },
];
