//! What a diff costs (`000_…` §5.3, Diff Risk).

use crate::policy::points::RiskPoints;

/// One thing that the list of diff risks names. A change pays for each item once, however many categories of §6.1 fall
/// under it: authentication and permission checks are both "auth/permission logic".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiffItem {
    /// "docs, comments"; also "non-functional metadata", which §6.2 puts beside them.
    Docs,
    /// "non-executed code paths".
    NotExecuted,
    /// "telemetry-only additions".
    Telemetry,
    /// "UI changes".
    Ui,
    /// "non-core logic changes".
    NonCoreLogic,
    /// "refactors with high test coverage".
    TestedRefactor,
    /// "API contract changes".
    ApiContract,
    /// "dependency upgrades".
    Dependency,
    /// "medium-complexity logic in a core path".
    CoreLogic,
    /// "Runtime config changes" of §6.1. §5.3 has no figure: that of the changes beside which §6.2 puts them in G2.
    Config,
    /// "database schema migrations".
    SchemaMigration,
    /// "auth/permission logic".
    Auth,
    /// "data retention/PII handling".
    DataHandling,
    /// "infra/networking changes".
    Infrastructure,
    /// "encryption/key handling".
    Encryption,
    /// "payment flows".
    Payments,
    /// "queue semantics changes".
    Queue,
}

impl DiffItem {
    /// Its figure.
    pub const fn points(self) -> RiskPoints {
        RiskPoints::new(match self {
            Self::Docs | Self::NotExecuted | Self::Telemetry => 1,
            Self::Ui | Self::NonCoreLogic | Self::TestedRefactor => 3,
            Self::ApiContract | Self::Dependency | Self::CoreLogic | Self::Config => 6,
            Self::SchemaMigration | Self::Auth | Self::DataHandling => 10,
            Self::Infrastructure | Self::Encryption | Self::Payments | Self::Queue => 15,
        })
    }

    /// The item in the document's words.
    pub const fn says(self) -> &'static str {
        match self {
            Self::Docs => "docs, comments",
            Self::NotExecuted => "non-executed code paths",
            Self::Telemetry => "telemetry-only additions",
            Self::Ui => "UI changes",
            Self::NonCoreLogic => "non-core logic changes",
            Self::TestedRefactor => "refactors with high test coverage",
            Self::ApiContract => "API contract changes",
            Self::Dependency => "dependency upgrades",
            Self::CoreLogic => "medium-complexity logic in a core path",
            Self::Config => "runtime config changes",
            Self::SchemaMigration => "database schema migrations",
            Self::Auth => "auth/permission logic",
            Self::DataHandling => "data retention/PII handling",
            Self::Infrastructure => "infra/networking changes",
            Self::Encryption => "encryption/key handling",
            Self::Payments => "payment flows",
            Self::Queue => "queue semantics changes",
        }
    }
}
