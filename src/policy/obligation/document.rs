//! What the attestations say that meet obligations: the documents' words as required fields.

use crate::policy::exception::REASON;
use crate::policy::requirement::document::{Check, Document, Field};

const fn text(key: &'static str, says: &'static str) -> Field {
    Field { key, says, check: Check::Text }
}

/// `001_…`, Critical: Mandatory Actions (announcement) and Requirements (commander, war room, teams).
pub const FREEZE_ANNOUNCEMENT: Document = Document {
    kind: "freeze-announcement",
    fields: &[
        text("channel", "Where the freeze was announced (#engineering)"),
        text("incident-commander", "Incident Commander assigned"),
        text("war-room", "War room open"),
        text("teams", "All teams notified"),
    ],
};

/// `001_…`, Critical, Mandatory Actions.
pub const INCIDENT_REVIEW: Document = Document {
    kind: "incident-review",
    fields: &[text("findings", "What cost the error budget"), text("actions", "Action items, each with who does it")],
};

/// `001_…`, Critical, Mandatory Actions; Short-term strategies.
pub const RELIABILITY_PLAN: Document = Document {
    kind: "reliability-plan",
    fields: &[
        text("actions", "What is done for reliability, in order of priority"),
        text("owners", "Who does each"),
        text("document", "Where the plan stands"),
    ],
};

/// `001_…`, Daily Review, Agenda.
pub const DAILY_REVIEW: Document = Document {
    kind: "daily-review",
    fields: &[
        text("status", "Error budget status (current and trend)"),
        text("incidents", "Incident review (last 24 hours)"),
        text("actions", "Reliability action items progress"),
        text("forecast", "Days to budget recovery or depletion"),
    ],
};

/// `001_…`, Critical, Mandatory Actions.
pub const DAILY_STANDUP: Document =
    Document { kind: "daily-standup", fields: &[text("notes", "What was said, or where it stands")] };

/// `001_…`, Emergency, Mandatory Actions, Immediate.
pub const EMERGENCY_ANNOUNCEMENT: Document = Document {
    kind: "emergency-announcement",
    fields: &[
        text("channel", "All-hands freeze announcement: where"),
        text("cancelled", "Planned deployments that were cancelled (or \"none\")"),
        text("engineering-manager", "Engineering manager notified: who, when"),
        text("vp-engineering", "VP Engineering notified: who, when"),
    ],
};

/// `001_…`, Emergency, Mandatory Actions, Within 1 hour.
pub const EMERGENCY_REVIEW: Document = Document {
    kind: "emergency-review",
    fields: &[
        text("issues", "The top 3 reliability issues"),
        text("actions", "Action items, each with the team it is assigned to"),
    ],
};

/// `001_…`, Emergency, Mandatory Actions, Within 4 hours.
pub const RECOVERY_PLAN: Document = Document {
    kind: "recovery-plan",
    fields: &[
        text("steps", "What brings the service back, in order"),
        text("owners", "Who does each"),
        text("document", "Where the plan stands"),
    ],
};

/// `001_…`, Emergency, Mandatory Actions, Within 4 hours.
pub const STAKEHOLDER_COMMUNICATION: Document = Document {
    kind: "stakeholder-communication",
    fields: &[text("to", "Who was told"), text("message", "What they were told, or where it stands")],
};

/// `001_…`, Emergency, Every 6 hours; Emergency Review, Agenda and Output.
pub const EXECUTIVE_UPDATE: Document = Document {
    kind: "executive-update",
    fields: &[
        text("status", "Critical error budget status"),
        text("plan", "Reliability action plan review"),
        text("resources", "Resource allocation decisions"),
        text("sent-to", "Who has the executive summary"),
    ],
};

/// `000_…` §7, Mandatory follow-up.
pub const EXCEPTION_FOLLOW_UP: Document = Document {
    kind: "exception-follow-up",
    fields: &[
        text("review", "Post-incident or post-release review: what it found"),
        text("tasks", "Remediation tasks created and prioritized: where"),
    ],
};

/// `000_…` §7, Requirements for any exception, after the fact; `002_…`, Guardrails ("executive approval to override").
pub const OVERRIDE_RATIONALE: Document = Document {
    kind: "override-rationale",
    fields: &[
        Field {
            key: REASON,
            says: "incident mitigation or customer harm prevention / urgent security fix / legal or compliance deadline / none of these",
            check: Check::OneOf(&["incident-mitigation", "urgent-security-fix", "legal-deadline", "none"]),
        },
        text("justification", "Why it went past the gate"),
        text("approved-by", "Who agreed: DM and on-call owner; PM where customers noticed; the executive"),
        text("ticket", "Recorded rationale in the PR/release ticket"),
    ],
};

/// `002_…`, Guardrails ("executive approval to override"); `001_…`, VP Engineering / CTO ("with documentation"). What ships
/// already cannot wait for it: the executive approves or rejects afterwards, and says why.
pub const OVERRIDE_APPROVAL: Document = Document {
    kind: "override-approval",
    fields: &[text("note", "Why it is approved; where it is not, what is done about what runs (--note)")],
};

/// `002_…`, What you receive (rollback log, retrospective); `003_…`, Module 6.
pub const POST_MORTEM: Document = Document {
    kind: "post-mortem",
    fields: &[
        text("timeline", "Full timeline"),
        text("root-cause", "Root cause"),
        text("lessons", "Lessons learned"),
        text("actions", "Process improvements, each with who does it"),
        text("stakeholders", "Who was notified"),
    ],
};

/// `000_…` §4 (gate profile changes, based on evidence), §8.
pub const TIGHTENING_REVIEW: Document = Document {
    kind: "tightening-review",
    fields: &[
        text("causes", "Why figures worsened, or exceptions were repeated"),
        text("actions", "What brings stability back, each with who does it"),
    ],
};

/// `000_…` §8 and §9, Weekly; `001_…`, Weekly Review.
pub const WEEKLY_REVIEW: Document = Document {
    kind: "weekly-review",
    fields: &[
        text("budgets", "Budgets and trends"),
        text("releases", "Upcoming high-risk releases and their staged rollouts"),
        text("staffing", "Staffing for release windows (release captain / on-call coverage)"),
        text("decisions", "What is deferred, decomposed or hardened"),
    ],
};

/// `000_…` §9, Monthly.
pub const MONTHLY_REVIEW: Document = Document {
    kind: "monthly-review",
    fields: &[
        text("tier", "Whether the tier still fits the product's criticality"),
        text("budget", "Budget numbers, recalibrated by measured outcomes"),
        text("causes", "Systemic causes: test, observability and tooling gaps"),
    ],
};
