//! What the policy and the administrator say of a service: budgets, statements, circuit breakers.

use crate::api::risk_budget::{LedgerStatus, Requirements, RiskStatus, Role, Slo};
use crate::api::{AttestationSpec, BudgetStatus, Percent, Time};
use crate::policy::Tier;
use crate::policy::restricted::Restriction;
use crate::policy::score::{Incident, OnCallLoad, Signal};
use crate::statement::Signed;

/// The error budget.
#[derive(Debug, Clone, PartialEq)]
pub enum BudgetSeen {
    /// There is no such RiskBudget.
    Missing,
    /// It has not been measured, or not for too long; says why.
    Unmeasured(String),
    /// It is measured.
    Measured {
        /// Its status, a declared freeze included.
        status: BudgetStatus,
        /// Percent left by the worst objective.
        remaining_percent: f64,
        /// The objective that decides, or the freeze.
        decided_by: String,
    },
}

/// The risk budget of a service and what its RiskBudget demands of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskSeen {
    /// The RiskBudget's resourceVersion, which fences what is reserved and charged.
    pub resource_version: String,
    /// How critical the service is.
    pub tier: Tier,
    /// What a change must show.
    pub requirements: Requirements,
    /// Who may approve in which role.
    pub roles: Vec<Role>,
    /// Times in which only exceptions ship.
    pub restricted: Vec<Restriction>,
    /// What is left in the present window; `None` until it was counted.
    pub budget: Option<RiskStatus>,
    /// What is reserved, and which charges are on their way into their records.
    pub ledger: LedgerStatus,
    /// What is known around the service.
    pub signals: SignalsSeen,
    /// What the service promises.
    pub objectives: Objectives,
}

/// What a service promises, and who knows how it keeps it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Objectives {
    /// The metrics source that is asked.
    pub source: String,
    /// Its objectives.
    pub slos: Vec<Slo>,
}

impl Objectives {
    /// The strictest objective; None where there is none.
    pub fn strictest(&self) -> Option<Percent> {
        self.slos.iter().map(|slo| slo.objective).max_by(|one, other| one.get().total_cmp(&other.get()))
    }
}

/// What is known around a service from sources that the admin configured.
#[derive(Debug, Clone, PartialEq)]
pub struct SignalsSeen {
    /// Incidents that go on or ended lately.
    pub incidents: Signal<Vec<Incident>>,
    /// How often people on call are paged.
    pub on_call: Signal<OnCallLoad>,
}

/// An attestation.
#[derive(Debug, Clone, PartialEq)]
pub struct AttestationSeen {
    /// What it says.
    pub spec: AttestationSpec,
    /// When the API server took it.
    pub at: Time,
    /// Whose word it is.
    pub proof: Proof,
}

/// Whose word an attestation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Its author's, whom the API server authenticated and admission let say it.
    Author,
    /// An issuer's of the configuration, who signed what it says.
    Signed(Signed),
    /// Nobody's: the statement that it carries does not count, because of this.
    Refused(String),
}

/// A circuit breaker of the administrator's, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct CircuitSeen {
    /// Its name in the controller's configuration.
    pub name: String,
    /// It is open while its query answers more than this.
    pub above: f64,
    /// Whether fixes wait for it too.
    pub halts_fixes: bool,
    /// What the administrator says to whoever is stopped, such as where the runbook is; may be empty.
    pub note: String,
    /// What its query answers, or why that is not known.
    pub reading: Result<f64, String>,
}

impl CircuitSeen {
    /// Whether a reading opens it.
    pub fn opens(&self, reading: f64) -> bool {
        reading > self.above
    }

    /// `7 above 5`.
    pub fn value(&self, seen: f64) -> String {
        use crate::api::units::round2;
        format!("{} above {}", round2(seen), round2(self.above))
    }
}

/// What the controller's configuration offers to this release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsSeen {
    /// No query templates of that name.
    Missing,
    /// The templates exist.
    Found {
        /// Whether they can count complaints.
        complaints: bool,
        /// Whether they tell pods of one Service apart, and not Services.
        pods: bool,
    },
}
