//! What a revision carries: type, severity, categories, reference.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::UnitError;

/// Declares a closed enumeration whose members are written as they are named.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $wanted:literal { $($(#[$m:meta])* $member:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$m])* $member),+ }

        impl $name {
            /// Every member, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$member),+];

            /// The word that stands for it in manifests and messages.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$member => stringify!($member)),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnitError;
            fn from_str(text: &str) -> Result<Self, UnitError> {
                Self::ALL.iter().copied().find(|m| m.as_str() == text)
                    .ok_or_else(|| UnitError { value: text.to_owned(), wanted: $wanted })
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What kind of change this is; decides under which budget status it may ship (`001_…`, freeze policy).
    ChangeType, "a change type: Feature, BugFix, Reliability, IncidentFix, SecurityFix, Rollback, Experiment, Refactor, Infrastructure, Config or Docs" {
        /// New or changed behaviour for users. Assumed where nothing is claimed.
        Feature,
        /// Repairs a defect.
        BugFix,
        /// Improves reliability; the work that a low budget asks for.
        Reliability,
        /// Ends or mitigates an incident that is going on.
        IncidentFix,
        /// Closes a security hole.
        SecurityFix,
        /// Returns to a revision that ran before.
        Rollback,
        /// Tries something on users.
        Experiment,
        /// Changes structure, not behaviour.
        Refactor,
        /// Changes infrastructure.
        Infrastructure,
        /// Changes configuration only.
        Config,
        /// Changes documentation only.
        Docs,
    }
}

words! {
    /// How bad the thing is that the change repairs; P0 is a production outage, P4 cosmetic.
    Severity, "a severity: P0, P1, P2, P3 or P4" {
        /// Production outage.
        P0,
        /// Critical defect.
        P1,
        /// Major defect.
        P2,
        /// Minor defect.
        P3,
        /// Cosmetic.
        P4,
    }
}

words! {
    /// How much error budget must be left for a change of this class (`001_…`, deployment risk assessment).
    RiskClass, "a risk class: Low, Medium or High" {
        /// Allowed above 10 %.
        Low,
        /// Allowed above 30 %.
        Medium,
        /// Allowed above 50 %.
        High,
    }
}

/// What is known about a revision beyond its template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Where the change comes from, such as `git:4f2c9e1`; empty where nothing was claimed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(length(max = 128))]
    pub reference: String,
    /// The change type; Feature where nothing was claimed.
    #[serde(rename = "type", default = "Change::default_type")]
    pub kind: ChangeType,
    /// The severity of what it repairs; absent where it repairs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Scopes that the change touches, as claimed; what the controller sees is joined in a later version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub categories: Vec<String>,
}

impl Change {
    fn default_type() -> ChangeType {
        ChangeType::Feature
    }
}

impl Default for Change {
    fn default() -> Self {
        Self { reference: String::new(), kind: ChangeType::Feature, severity: None, categories: Vec::new() }
    }
}

impl fmt::Display for Change {
    /// `Feature git:4f2c9e1`, `IncidentFix P0 git:…`; for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if let Some(severity) = self.severity {
            write!(f, " {severity}")?;
        }
        if !self.reference.is_empty() {
            write!(f, " {}", self.reference)?;
        }
        Ok(())
    }
}
