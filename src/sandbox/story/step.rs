//! Steps: when somebody does what, and the sentence that is shown.

use std::fmt;

use crate::api::Span;
use crate::api::release_record::{Outcome, Phase};
use crate::sandbox::user::User;

use super::action::Action;

/// One step. Steps are done in the order of the file: none is due before the one above it was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When it is due.
    pub when: When,
    /// Who acts.
    pub by: User,
    /// What is done; a step without only shows its sentence.
    pub action: Option<Action>,
    /// The sentence that is shown from now on.
    pub say: Option<String>,
}

/// When a step is due.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// As soon as the step above it was done.
    Next,
    /// At this simulated time since the beginning.
    At(Span),
    /// When something was seen.
    Seen {
        /// What.
        moment: Moment,
        /// In the newest attempt at this version.
        of: String,
        /// Whether the file names the version. Where it does not, only attempts count that began after the last step
        /// that begins one, so that a second `RolledBack` is not mistaken for the first.
        named: bool,
        /// How long it is waited for, counted from the step above; then the scenario has failed.
        within: Span,
    },
}

/// Something to be seen in an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// It is in this phase or beyond it.
    Phase(Phase),
    /// This stage, from 1, began.
    Stage(u32),
    /// It is held for this reason.
    Held(String),
    /// It ended so.
    Outcome(Outcome),
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phase(phase) => write!(f, "phase {phase}"),
            Self::Stage(stage) => write!(f, "stage {stage}"),
            Self::Held(reason) => write!(f, "Held/{reason}"),
            Self::Outcome(outcome) => write!(f, "outcome {outcome}"),
        }
    }
}

/// Who is meant by a name in a file: `flux`, `argocd` and `ci` are service accounts, so is `namespace/name`; anybody else is
/// a person.
pub(super) fn user(name: &str) -> User {
    match (name, name.split_once('/')) {
        ("flux", _) => User::service_account("flux-system", "kustomize-controller"),
        ("argocd", _) => User::service_account("argocd", "argocd-application-controller"),
        ("ci", _) => User::service_account("ci", "ci"),
        (_, Some((namespace, account))) => User::service_account(namespace, account),
        (_, None) => User::person(name),
    }
}
