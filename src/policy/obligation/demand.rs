//! Every demand of the documents that has a time, one line each.

use crate::api::{BudgetStatus, Span};
use crate::policy::evidence::Evidence;
use crate::policy::requirement::document::Document;
use crate::policy::sign_off::Role::{self, *};

use super::document as form;
use super::due::Due;

/// "Immediate" (`001_…`), as a time that a person can keep. The document gives no figure.
pub const IMMEDIATE: Due = Due::Within(Span::minutes(15));
/// `000_…` §7, "within 5 business days"; also where a document demands a post-mortem or a review and names no time.
pub const FOLLOW_UP: Due = Due::BusinessDays(5);
/// A rationale belongs to the override itself (`000_…` §7); whoever mitigates an incident at night has the next day.
pub const RATIONALE: Due = Due::BusinessDays(1);
/// `001_…`, Daily Review and Weekly Review: 10am.
pub const REVIEW_HOUR: i8 = 10;
/// `001_…`, Critical, example message: "Daily standup: 9am, 3pm". One a day is demanded; the later is the last chance.
pub const STANDUP_HOUR: i8 = 15;

/// What a demand arises from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// The error budget is at this level or worse.
    Level(BudgetStatus),
    /// A change shipped as an exception, or ran past the gate.
    Exception,
    /// A change ran past the gate, and nobody had asked for an exception.
    Bypass,
    /// A change shipped past what the policy allows, and no executive had agreed: whoever agrees to an exception is asked before
    /// (`policy::exception`), who breaks the glass is not.
    Unapproved,
    /// A change came back that users had met, or hurt them without a way back.
    Rollback,
    /// Gates or budget are stricter because of what windows showed.
    Tightened,
    /// Nothing: it belongs to every week or month, where the service asks for it (`spec.obligations.regularReviews`).
    Calendar,
}

/// A line of the list.
#[derive(Debug, Clone, Copy)]
pub struct Demand {
    /// What it arises from.
    pub on: Trigger,
    /// By when it is owed.
    pub due: Due,
    /// The roles that owe it.
    pub owed_by: &'static [Role],
    /// What an attestation says that meets it; its kind is the type of the attestation and the stable name.
    pub form: &'static Document,
    /// Whether it stays owed when what it arose from is over: a review does, an announcement does not.
    pub outlives: bool,
    /// The documents' words.
    pub says: &'static str,
    /// Document and section.
    pub source: &'static str,
}

impl Demand {
    /// The stable name, which is the type of the attestation that meets it.
    pub const fn kind(&self) -> &'static str {
        self.form.kind
    }

    /// Whether it is met by an approval in a role that owes it (`tidegate approve --obligation`), and not by an attestation of its
    /// type: an agreement that a document demands is proved as every other.
    pub const fn is_approval(&self) -> bool {
        matches!(self.on, Trigger::Unapproved)
    }

    /// The line of a name; the first, where several events demand the same.
    pub fn named(kind: &str) -> Option<&'static Self> {
        DEMANDS.iter().find(|demand| demand.kind() == kind)
    }

    /// The line that an obligation came from, told by its source where several events demand the same.
    pub fn told(kind: &str, source: &str) -> Option<&'static Self> {
        let of_source = DEMANDS.iter().find(|demand| demand.kind() == kind && demand.source == source);
        of_source.or_else(|| Self::named(kind))
    }

    /// The line of an obligation, whose name begins with it; none where no obligation can be called so.
    pub fn of_obligation(name: &str) -> Option<&'static Self> {
        let begins = |kind: &str| name.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        DEMANDS.iter().find(|demand| begins(demand.kind()))
    }

    /// As the type of an attestation.
    pub const fn evidence(&self) -> Evidence {
        Evidence { name: self.kind(), says: self.says, source: self.source, document: Some(self.form) }
    }
}

const fn line(
    on: Trigger,
    due: Due,
    form: &'static Document,
    owed_by: &'static [Role],
    says: &'static str,
    source: &'static str,
) -> Demand {
    // What ends with its cause: what renews, and what a freeze demands at once.
    let outlives = !matches!(due, Due::Every(_) | Due::Daily(_) | Due::Mondays(_) | Due::Monthly);
    Demand { on, due, owed_by, form, outlives, says, source }
}

const fn while_it_lasts(demand: Demand) -> Demand {
    Demand { outlives: false, ..demand }
}

const WARNING: Trigger = Trigger::Level(BudgetStatus::Warning);
const CRITICAL: Trigger = Trigger::Level(BudgetStatus::Critical);
const EMERGENCY: Trigger = Trigger::Level(BudgetStatus::Emergency);

/// All demands that have a time. What recurs at a level recurs at every worse one; what a level demands once is owed by who
/// comes to it, not by who falls past it at once.
#[rustfmt::skip]
pub const DEMANDS: &[Demand] = &[
    // Error budget.
    line(WARNING, Due::Daily(REVIEW_HOUR), &form::DAILY_REVIEW, &[ServiceOwner, Sre, EngineeringManager],
        "Daily error budget review: every day 10am", "001, Daily Review; Warning, Action Items"),
    while_it_lasts(line(CRITICAL, IMMEDIATE, &form::FREEZE_ANNOUNCEMENT, &[Sre],
        "Immediate: Post freeze announcement in #engineering", "001, Critical, Mandatory Actions; Requirements")),
    line(CRITICAL, Due::Within(Span::hours(2)), &form::INCIDENT_REVIEW, &[ServiceOwner, Sre],
        "Within 2 hours: Incident review meeting", "001, Critical, Mandatory Actions"),
    line(CRITICAL, Due::Within(Span::hours(24)), &form::RELIABILITY_PLAN, &[ServiceOwner, EngineeringManager],
        "Within 24 hours: Reliability action plan created", "001, Critical, Mandatory Actions"),
    line(CRITICAL, Due::Daily(STANDUP_HOUR), &form::DAILY_STANDUP, &[Sre, ServiceOwner],
        "Daily: Error budget standup", "001, Critical, Mandatory Actions"),
    while_it_lasts(line(EMERGENCY, IMMEDIATE, &form::EMERGENCY_ANNOUNCEMENT, &[Sre],
        "Immediate: All-hands freeze announcement, planned deployments cancelled, engineering manager and VP Engineering notified", "001, Emergency, Mandatory Actions")),
    line(EMERGENCY, Due::Within(Span::hours(1)), &form::EMERGENCY_REVIEW, &[ServiceOwner, Sre, EngineeringManager],
        "Within 1 hour: Emergency incident review, top 3 reliability issues, action items to teams", "001, Emergency, Mandatory Actions"),
    line(EMERGENCY, Due::Within(Span::hours(4)), &form::RECOVERY_PLAN, &[ServiceOwner, EngineeringManager],
        "Within 4 hours: Detailed recovery plan created", "001, Emergency, Mandatory Actions"),
    line(EMERGENCY, Due::Within(Span::hours(4)), &form::STAKEHOLDER_COMMUNICATION, &[EngineeringManager, VpEngineering],
        "Within 4 hours: Communication to stakeholders", "001, Emergency, Mandatory Actions"),
    line(EMERGENCY, Due::Every(Span::hours(6)), &form::EXECUTIVE_UPDATE, &[EngineeringManager, Sre],
        "Every 6 hours: Executive status update", "001, Emergency, Mandatory Actions; Emergency Review"),
    // Exceptions, overrides and rollbacks.
    line(Trigger::Bypass, RATIONALE, &form::OVERRIDE_RATIONALE, &[DevelopmentManager, OnCall],
        "Recorded rationale, named approvers; gate failures require executive approval to override", "000 §7; 002, Guardrails"),
    line(Trigger::Unapproved, RATIONALE, &form::OVERRIDE_APPROVAL, &[VpEngineering],
        "Gate failures require executive approval to override; override freeze policy (with documentation)", "002, Guardrails; 001, VP Engineering / CTO"),
    line(Trigger::Exception, FOLLOW_UP, &form::EXCEPTION_FOLLOW_UP, &[DevelopmentManager],
        "Mandatory follow-up within 5 business days: review, remediation tasks", "000 §7"),
    line(Trigger::Exception, FOLLOW_UP, &form::POST_MORTEM, &[DevelopmentManager, ServiceOwner],
        "Every override creates a post-mortem", "002, Guardrails; 000 §4"),
    line(Trigger::Rollback, FOLLOW_UP, &form::POST_MORTEM, &[DevelopmentManager, ServiceOwner],
        "Conduct blameless post-mortems for rollbacks", "003, Module 6; 002, Rollback log"),
    // What windows showed.
    while_it_lasts(line(Trigger::Tightened, FOLLOW_UP, &form::TIGHTENING_REVIEW, &[ProductManager, DevelopmentManager],
        "Gate profile changes (tighten/loosen) based on evidence, until stability returns", "000 §8, §7, §4")),
    // The calendar.
    line(Trigger::Calendar, Due::Mondays(REVIEW_HOUR), &form::WEEKLY_REVIEW, &[ProductManager, DevelopmentManager, ServiceOwner, Sre],
        "Weekly: review budgets and trends; every Monday 10am", "000 §9, §8; 001, Weekly Review"),
    line(Trigger::Calendar, Due::Monthly, &form::MONTHLY_REVIEW, &[VpEngineering, ProductManager, DevelopmentManager],
        "Monthly (leadership): tiers, budget numbers, systemic causes", "000 §9"),
];
