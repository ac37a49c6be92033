//! Exceptions: what lets a change ship past its gate, who must agree, and what it owes (`000_…` §7; `001_…`, Exception
//! Process; `002_…`, Guardrails). Where the documents name other people for the same thing, all of them are asked.

use crate::api::{BudgetStatus, Time};

use super::requirement::document::{Check, Document, Field};
use super::requirement::{Claim, Claims, Word};
use super::sign_off::Role;

/// The one of three reasons for which an exception is permitted.
pub const REASON: &str = "reason";

/// `000_…` §7 (reasons, rationale) and `001_…`, Exception Request Template.
pub const EXCEPTION: Document = Document {
    kind: "exception",
    fields: &[
        Field {
            key: REASON,
            says: "incident mitigation or customer harm prevention / urgent security fix / legal or compliance deadline",
            check: Check::OneOf(&["incident-mitigation", "urgent-security-fix", "legal-deadline"]),
        },
        text("justification", "Business justification"),
        text("change-complexity", "Risk assessment: change complexity"),
        text("blast-radius", "Risk assessment: blast radius"),
        text("rollback-time", "Risk assessment: rollback time"),
        text("mitigation-plan", "Mitigation plan: canary, monitoring, rollback trigger, who watches"),
        text("ticket", "Recorded rationale in the PR/release ticket"),
    ],
};

const fn text(key: &'static str, says: &'static str) -> Field {
    Field { key, says, check: Check::Text }
}

/// Who must agree to an exception: the union of what the documents name for the level.
pub fn approvers(status: BudgetStatus, customers_may_notice: bool) -> Vec<Role> {
    // 000 §7: "DM + on-call owner; PM for customer-impacting risk".
    let mut roles = vec![Role::DevelopmentManager, Role::OnCall];
    if customers_may_notice {
        roles.push(Role::ProductManager);
    }
    match status {
        BudgetStatus::Healthy | BudgetStatus::Warning => {}
        // 001, Exception Process: "10-30% budget: SRE + Engineering Manager"; the template has the service owner as well, and
        // below 10 % those sign on the same form.
        BudgetStatus::Critical | BudgetStatus::Emergency => {
            roles.extend([Role::ServiceOwner, Role::Sre, Role::EngineeringManager]);
        }
    }
    // 002, Guardrails: "Gate failures require executive approval to override", whatever the budget is; 001, Exception Process:
    // "<10% budget: VP Engineering".
    roles.push(Role::VpEngineering);
    roles
}

/// How far a request for an exception is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
    /// Nobody asked.
    None,
    /// Somebody asked and left out what the request must say: one sentence for each field.
    Incomplete {
        /// Who asked.
        by: &'a Claim,
        /// What is wrong.
        problems: Vec<String>,
    },
    /// It is complete, and people have still to agree.
    Waiting {
        /// Who asked.
        by: &'a Claim,
        /// The roles that have not agreed.
        missing: Vec<Role>,
        /// Who rejects it.
        rejected: Option<&'a Claim>,
        /// From when on who agrees counts, where somebody had agreed before: to other words, or to another attempt.
        since: Option<Time>,
    },
    /// It ships as an exception.
    Approved {
        /// Who asked.
        by: &'a Claim,
        /// Who agreed, one for each role.
        approvals: Vec<&'a Claim>,
    },
}

impl Request<'_> {
    /// The reason and who asked, for the record.
    pub fn recorded(&self) -> Option<String> {
        match self {
            Self::Approved { by, .. } => {
                let fact = |key: &str| by.facts.get(key).map_or("", |text| text.trim());
                Some(format!("{}, asked by {}: {} ({})", fact(REASON), by.by(), fact("justification"), fact("ticket")))
            }
            Self::None | Self::Incomplete { .. } | Self::Waiting { .. } => None,
        }
    }
}

/// How far the request for an exception is among the claims about a revision. Who agrees agrees to its words, and to the attempt that
/// was `opened` then: an approval that is older than either counts for nothing here.
pub fn request<'a>(
    claims: Claims<'a>,
    status: BudgetStatus,
    customers_may_notice: bool,
    opened: Option<Time>,
) -> Request<'a> {
    let asked = match claims.word(EXCEPTION.kind, None) {
        Word::For(asked) => asked,
        Word::Against(_) | Word::Silent { .. } => return Request::None,
    };
    let incomplete = asked.all().find(|claim| !EXCEPTION.problems(&claim.facts).is_empty());
    let by = incomplete.unwrap_or_else(|| asked.oldest());
    let problems = EXCEPTION.problems(&by.facts);
    if !problems.is_empty() {
        return Request::Incomplete { by, problems };
    }
    let roles = approvers(status, customers_may_notice);
    let seats: Vec<[Role; 1]> = roles.iter().map(|role| [*role]).collect();
    let seats: Vec<&[Role]> = seats.iter().map(<[Role; 1]>::as_slice).collect();
    let rejected = claims.rejection(&roles);
    let counts = asked.all().map(|claim| claims.worded(claim)).chain(opened).max();
    let missing = match claims.approved_since(counts).seats(&seats) {
        Ok(approvals) if rejected.is_none() => return Request::Approved { by, approvals },
        Ok(_) => Vec::new(),
        Err(empty) => empty.iter().filter_map(|seat| roles.get(*seat).copied()).collect::<Vec<Role>>(),
    };
    // Told only where it makes a difference.
    let late = claims.seats(&seats).map_or_else(|empty| empty.len(), |_| 0) < missing.len();
    Request::Waiting { by, missing, rejected, since: counts.filter(|_| late) }
}
