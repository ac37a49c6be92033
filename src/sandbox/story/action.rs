//! What people and tools do in a scenario.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::api::{BudgetStatus, Change, ChangeType, Severity, Span};

/// One thing that somebody does. In a file it is a word, such as `revert`, or a word with its particulars, such as
/// `{scale: 5}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Applies the Deployment with the image of a version and the annotations of a change.
    Deploy {
        /// The version.
        version: String,
        /// Annotation `tidegate.io/change-type`. Default: Feature.
        #[serde(default = "feature")]
        change_type: ChangeType,
        /// Annotation `tidegate.io/change-severity`. Default: none.
        #[serde(default)]
        severity: Option<Severity>,
        /// Annotation `tidegate.io/change`, by which an attempt is known. Default: `git:` and the version's name.
        #[serde(default)]
        reference: Option<String>,
    },
    /// Applies the Deployment as it was before the last `deploy`.
    Revert,
    /// Sets the Deployment's replicas, as `kubectl scale` does.
    Scale(u32),
    /// Resumes the held Deployment by hand, as `kubectl rollout resume` does.
    Resume,
    /// Applies the Deployment under break-glass: the new template rolls natively, ungated.
    BreakGlass {
        /// Annotation `tidegate.io/break-glass`: why.
        reason: String,
        /// The version. Default: the one that was deployed last.
        #[serde(default)]
        version: Option<String>,
    },
    /// The past changes, so that so many percent of the error budget are left; below 0 it is overspent.
    ErrorBudget(f64),
    /// SRE declares a freeze: `spec.freeze` of the RiskBudget.
    Freeze {
        /// The budget status that is in force at least.
        status: BudgetStatus,
        /// Why.
        reason: String,
    },
    /// The declared freeze is taken back.
    Unfreeze,
    /// Prometheus goes down or comes back.
    Prometheus(Direction),
    /// Asks for another attempt, as `tidegate retry` does.
    Retry,
    /// Deletes the GatedRelease.
    DeleteGatedRelease,
    /// Applies the HTTPRoute as Git has it, all weight on stable.
    ReapplyRoute,
    /// Edits the specs of the GatedRelease and the RiskBudget by merge patches; at least one is there.
    EditConfig {
        /// Merge patch of the GatedRelease's spec.
        #[serde(default)]
        gated_release: Value,
        /// Merge patch of the RiskBudget's spec.
        #[serde(default)]
        risk_budget: Value,
    },
    /// Nothing is done for so long; the next step waits.
    Wait(Span),
}

fn feature() -> ChangeType {
    ChangeType::Feature
}

/// Which way a server goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// It does not answer.
    Down,
    /// It answers.
    Up,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deploy { version, change_type, .. } => write!(f, "deploys {version} as {change_type}"),
            Self::Revert => f.write_str("reverts Git"),
            Self::Scale(replicas) => write!(f, "scales to {replicas}"),
            Self::Resume => f.write_str("runs kubectl rollout resume"),
            Self::BreakGlass { reason, version: Some(version) } => {
                write!(f, "breaks the glass for {version}: {reason}")
            }
            Self::BreakGlass { reason, version: None } => write!(f, "breaks the glass: {reason}"),
            Self::ErrorBudget(left) => write!(f, "the error budget has {left} % left"),
            Self::Freeze { status, reason } => write!(f, "declares {status}: {reason}"),
            Self::Unfreeze => f.write_str("takes the freeze back"),
            Self::Prometheus(Direction::Down) => f.write_str("Prometheus goes down"),
            Self::Prometheus(Direction::Up) => f.write_str("Prometheus comes back"),
            Self::Retry => f.write_str("runs tidegate retry"),
            Self::DeleteGatedRelease => f.write_str("deletes the GatedRelease"),
            Self::ReapplyRoute => f.write_str("applies the HTTPRoute again as Git has it"),
            Self::EditConfig { .. } => f.write_str("edits the GatedRelease or the RiskBudget"),
            Self::Wait(span) => write!(f, "waits {span}"),
        }
    }
}

impl Action {
    /// The change that is applied with another version; one under break-glass is an IncidentFix of severity P0.
    pub fn change(&self) -> Option<Change> {
        match self {
            Self::Deploy { version, change_type, severity, reference } => Some(Change {
                reference: reference.clone().unwrap_or_else(|| by_default(version)),
                kind: *change_type,
                severity: *severity,
                categories: Vec::new(),
            }),
            Self::BreakGlass { version: Some(version), .. } => Some(Change {
                reference: by_default(version),
                kind: ChangeType::IncidentFix,
                severity: Some(Severity::P0),
                categories: Vec::new(),
            }),
            Self::Revert
            | Self::Scale(_)
            | Self::Resume
            | Self::BreakGlass { version: None, .. }
            | Self::ErrorBudget(_)
            | Self::Freeze { .. }
            | Self::Unfreeze
            | Self::Prometheus(_)
            | Self::Retry
            | Self::DeleteGatedRelease
            | Self::ReapplyRoute
            | Self::EditConfig { .. }
            | Self::Wait(_) => None,
        }
    }

    /// The version that is applied.
    pub fn applies(&self) -> Option<&str> {
        match self {
            Self::Deploy { version, .. } => Some(version),
            Self::BreakGlass { version, .. } => version.as_deref(),
            Self::Revert
            | Self::Scale(_)
            | Self::Resume
            | Self::ErrorBudget(_)
            | Self::Freeze { .. }
            | Self::Unfreeze
            | Self::Prometheus(_)
            | Self::Retry
            | Self::DeleteGatedRelease
            | Self::ReapplyRoute
            | Self::EditConfig { .. }
            | Self::Wait(_) => None,
        }
    }

    /// Who does it where the file does not say: what is applied from Git `flux`, anything else `alice`.
    pub(super) const fn usual_actor(&self) -> &'static str {
        match self {
            Self::Deploy { .. } | Self::Revert | Self::ReapplyRoute => "flux",
            Self::Scale(_)
            | Self::Resume
            | Self::BreakGlass { .. }
            | Self::ErrorBudget(_)
            | Self::Freeze { .. }
            | Self::Unfreeze
            | Self::Prometheus(_)
            | Self::Retry
            | Self::DeleteGatedRelease
            | Self::EditConfig { .. }
            | Self::Wait(_) => "alice",
        }
    }
}

/// The reference of a change that names none.
pub(super) fn by_default(version: &str) -> String {
    format!("git:{version}")
}
