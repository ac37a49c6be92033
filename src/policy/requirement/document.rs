//! Plans and checklists with required fields (`000_…` §10). An attestation carries them as its `facts`.

use std::collections::BTreeMap;

/// A field of a document.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its key in `facts`.
    pub key: &'static str,
    /// What belongs into it, in the document's words.
    pub says: &'static str,
    /// What it must be; where it is not, what is accepted.
    pub check: Check,
}

/// What a field must be.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// Any text that is not blank.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A text with at least one figure (`002_…`: "specific thresholds (not \"if it breaks\")").
    Figures,
}

impl Check {
    /// The words among which it chooses; none where it does not.
    pub const fn words(&self) -> Option<&'static [&'static str]> {
        match self {
            Self::OneOf(words) => Some(words),
            Self::Text | Self::Figures => None,
        }
    }

    fn refuses(&self, text: &str) -> Option<String> {
        match self {
            Self::Text => None,
            Self::OneOf(words) if words.contains(&text) => None,
            Self::OneOf(words) => Some(format!("is {text:?}, wanted is one of {}", words.join(", "))),
            Self::Figures if text.contains(|c: char| c.is_ascii_digit()) => None,
            Self::Figures => {
                Some(format!("is {text:?}, wanted are exact metrics and thresholds, such as \"error rate above 1 %\""))
            }
        }
    }
}

/// A document that is attested.
#[derive(Debug, Clone, Copy)]
pub struct Document {
    /// The type of the attestation.
    pub kind: &'static str,
    /// The fields that it must have.
    pub fields: &'static [Field],
}

impl Document {
    /// What is wrong with the facts of an attestation, one sentence for each field; empty where nothing is.
    pub fn problems(&self, facts: &BTreeMap<String, String>) -> Vec<String> {
        let problem = |field: &Field| {
            let text = facts.get(field.key).map_or("", |text| text.trim());
            if text.is_empty() {
                return Some(format!("facts.{} is missing ({})", field.key, field.says));
            }
            field.check.refuses(text).map(|why| format!("facts.{} {why}", field.key))
        };
        self.fields.iter().filter_map(problem).collect()
    }

    /// The field of a key; none where it has no such field.
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// The keys of its fields, for messages.
    pub fn keys(&self) -> String {
        let keys: Vec<&str> = self.fields.iter().map(|field| field.key).collect();
        keys.join(", ")
    }
}

const fn text(key: &'static str, says: &'static str) -> Field {
    Field { key, says, check: Check::Text }
}

/// `000_…` §10.1, Release Plan; who is told is from `002_…`, Plan, "Communication plan".
pub const RELEASE_PLAN: Document = Document {
    kind: "release-plan",
    fields: &[
        text("change", "What is changing (1-3 bullets)"),
        text(CUSTOMER_IMPACT, "Expected customer impact (or \"none\")"),
        text("categories", "Diff category flags (DB/auth/infra/API/etc.)"),
        text("rollout", "Rollout strategy (canary/cohort/blue-green)"),
        Field { key: "abort-criteria", says: "Abort criteria (exact metrics/thresholds)", check: Check::Figures },
        text("rollback-steps", "Rollback steps (exact commands/process)"),
        text("owners", "Owners during rollout (names)"),
        text("communication", "Who needs to know? When?"),
    ],
};

/// The field of a release plan that says what customers notice; `none` for nothing.
pub const CUSTOMER_IMPACT: &str = "customer-impact";

/// `000_…` §10.2, Migration Plan.
pub const MIGRATION_PLAN: Document = Document {
    kind: "migration-plan",
    fields: &[
        Field {
            key: MIGRATION_TYPE,
            says: "Migration type: additive / expand-contract / breaking",
            check: Check::OneOf(&["additive", "expand-contract", BREAKING]),
        },
        text("backfill", "Backfill approach and rate limits"),
        text("validation", "Validation checks (row counts, invariants)"),
        text("rollback", "Rollback strategy (including data implications)"),
    ],
};

/// The field of a migration plan that says its type.
pub const MIGRATION_TYPE: &str = "migration-type";
/// The type of a migration that needs G4.
pub const BREAKING: &str = "breaking";

/// `000_…` §10.3, Post-release Verification Checklist.
pub const POST_RELEASE_CHECKLIST: Document = Document {
    kind: "post-release-checklist",
    fields: &[
        text("smoke-tests", "Smoke test results"),
        text("dashboards", "Key dashboards checked (latency, error rate, saturation)"),
        text("alerts", "Alerts status"),
        text("workflows", "User-facing workflows validated (as applicable)"),
        text("ticket", "Ticket updated with outcome"),
    ],
};
