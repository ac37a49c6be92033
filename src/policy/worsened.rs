//! Whom a budget asks that is found worse than when a release began (`001_…`, Freeze Policy, Exception Process; `000_…` §5.4, §7):
//! those who would be asked before a start by now, and were not. What gets better takes nothing back.

use crate::api::gated_release::Strategy;
use crate::api::risk_budget::OwnerApproval;
use crate::api::{BudgetStatus, ChangeType};

use super::band::{self, Band, BandFacts};
use super::exception::approvers;
use super::freeze::{ChangeFacts, Permission, by_owner, permission};
use super::gate::Gate;
use super::schedule::schedule_for;
use super::sign_off::{Role, SignOff, SignOffPoint, join};

/// How the two budgets of a service stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// The error budget's status.
    pub status: BudgetStatus,
    /// The risk budget's band.
    pub band: Band,
}

impl Levels {
    /// The worse of either budget.
    pub fn or_worse(self, other: Self) -> Self {
        Self { status: self.status.max(other.status), band: self.band.max(other.band) }
    }
}

/// What of a release decides who is asked.
#[derive(Debug, Clone, Copy)]
pub struct Underway<'a> {
    /// What is known about the change.
    pub change: ChangeFacts,
    /// The floor of its categories.
    pub diff: Gate,
    /// How the manifest ships it.
    pub strategy: &'a Strategy,
    /// Whether customers may notice it.
    pub customers_may_notice: bool,
    /// How the service owner approves it.
    pub owner: OwnerApproval,
}

/// Who agrees, once, before a release goes on that began at `began` and meets what is `now`; each before the next stage. Nobody
/// where nobody more is asked, and for a rollback, which waits for nobody.
pub fn asked_anew(underway: &Underway<'_>, began: Levels, now: Levels) -> Vec<SignOff> {
    let known = before_start(underway, began);
    let is_known = |one: &SignOff| known.iter().any(|known| known.role == one.role && known.people >= one.people);
    before_start(underway, now).into_iter().filter(|one| !is_known(one)).collect()
}

/// Who agrees to a start at these levels. What they block starts as an exception, by those who agree to one.
fn before_start(underway: &Underway<'_>, levels: Levels) -> Vec<SignOff> {
    let Underway { change, diff, strategy, customers_may_notice, owner } = *underway;
    if change.kind == ChangeType::Rollback {
        return Vec::new();
    }
    let blocked = match permission(&change, levels.status) {
        Permission::Allowed { sign_offs } => sign_offs,
        Permission::Blocked(blocked) => {
            join(&exception(approvers(levels.status, customers_may_notice)), &blocked.sign_offs)
        }
    };
    let facts = BandFacts { kind: change.kind, diff, exception: false };
    let by_band = match band::blocks(levels.band, &facts).is_empty() {
        true => Vec::new(),
        false => exception(approvers(BudgetStatus::Healthy, customers_may_notice)),
    };
    let exhausted = if levels.band == Band::Exhausted { EXHAUSTED } else { &[] };
    let process = schedule_for(strategy, change.kind, levels.status).sign_offs;
    let by_owner = by_owner(owner, change.kind, levels.status);
    let all = join(&join(&join(&join(&process, &blocked), &by_band), exhausted), by_owner);
    all.into_iter().filter(|one| one.when == SignOffPoint::BeforeStart).collect()
}

const fn once(role: Role, why: &'static str, source: &'static str) -> SignOff {
    SignOff { role, people: 1, when: SignOffPoint::BeforeStart, why, source }
}

fn exception(roles: Vec<Role>) -> Vec<SignOff> {
    let why = "its budget would block the change by now, unless as an exception";
    roles.into_iter().map(|role| once(role, why, "000 §7; 001, Exception Process")).collect()
}

/// Who signs for an exhausted risk budget: as the requirement `budget-sign-off`.
pub const EXHAUSTED: &[SignOff] = &[
    once(Role::ProductManager, "the risk budget is exhausted", "000 §5.4"),
    once(Role::DevelopmentManager, "the risk budget is exhausted", "000 §5.4"),
];
