//! Every category of a diff (`000_…` §6.1) with its figures.

use std::fmt;
use std::str::FromStr;

use super::item::DiffItem;
use crate::api::RiskClass;
use crate::policy::gate::Gate;
use Gate::{G0, G1, G2, G3, G4};
use RiskClass::{High, Low, Medium};

/// The five scopes of `000_…` §6.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Code scope.
    Code,
    /// Data scope.
    Data,
    /// Security scope.
    Security,
    /// Infra scope.
    Infra,
    /// Interface scope.
    Interface,
}

impl Scope {
    /// The scope's name, such as `code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Data => "data",
            Self::Security => "security",
            Self::Infra => "infra",
            Self::Interface => "interface",
        }
    }
}

/// One line of the table.
struct Row {
    word: &'static str,
    scope: Scope,
    item: DiffItem,
    floor: Gate,
    floor_says: &'static str,
    class: Option<RiskClass>,
    tells: Tells,
}

macro_rules! categories {
    ($($(#[$meta:meta])* $name:ident $word:literal, $scope:ident, $item:ident, $floor:ident $says:literal, $class:expr, $tells:ident;)+) => {
        /// What a change touches. The word is what stands in the annotation `tidegate.io/change-categories`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Category { $($(#[$meta])* $name),+ }

        impl Category {
            /// Every category, by scope.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            const fn row(self) -> Row {
                match self {
                    $(Self::$name => Row {
                        word: $word,
                        scope: Scope::$scope,
                        item: DiffItem::$item,
                        floor: $floor,
                        floor_says: $says,
                        class: $class,
                        tells: Tells::$tells,
                    }),+
                }
            }
        }
    };
}

/// What a category tells about a new image.
enum Tells {
    /// What changed in the program.
    Program,
    /// Nothing: it lies beside the program, and a new image is still unexplained.
    Beside,
}

// name and word, scope (§6.1), item (§5.3), floor (§6.2) in the document's words, class where `001_…` Deployment Risk
// Assessment names it, whether it says what changed in a program.
categories! {
    /// Documentation and comments alone.
    Docs "docs", Code, Docs, G0 "docs-only, comments-only", Some(Low), Beside;
    /// Metadata without a function.
    Metadata "metadata", Code, Docs, G0 "non-functional metadata", None, Beside;
    /// Code that is shipped and not run (dark launch).
    NonExecutedCode "non-executed-code", Code, NotExecuted, G1 "small, localized code changes with strong unit coverage", None, Program;
    /// Metrics, logs or traces that are added.
    Telemetry "telemetry", Code, Telemetry, G1 "telemetry additions (no removal)", Some(Low), Program;
    /// Metrics, logs or traces that are taken away: nobody sees any more what they showed.
    TelemetryRemoval "telemetry-removal", Code, NonCoreLogic, G2 "G1 takes \"telemetry additions (no removal)\" alone", None, Program;
    /// The user interface outside core modules.
    Ui "ui", Code, Ui, G1 "non-core UI changes", None, Program;
    /// Logic outside core modules.
    NonCoreLogic "non-core-logic", Code, NonCoreLogic, G1 "small, localized code changes with strong unit coverage", None, Program;
    /// A refactoring with high test coverage.
    TestedRefactor "tested-refactor", Code, TestedRefactor, G1 "small, localized code changes with strong unit coverage", None, Program;
    /// Executable code of which nobody said what it is.
    UnclassifiedCode "unclassified-code", Code, CoreLogic, G2 "moderate logic changes in customer-facing paths", Some(Medium), Beside;
    /// Moderate logic in paths that customers use.
    CustomerFacingLogic "customer-facing-logic", Code, CoreLogic, G2 "moderate logic changes in customer-facing paths", Some(Medium), Program;
    /// Logic in core modules.
    CoreLogic "core-logic", Code, CoreLogic, G3 "core business logic in critical flows", None, Program;
    /// A path where latency counts.
    HotPath "hot-path", Code, CoreLogic, G2 "moderate logic changes in customer-facing paths", Some(Medium), Program;
    /// A path where a wrong answer does harm.
    CorrectnessSensitive "correctness-sensitive", Code, CoreLogic, G3 "core business logic in critical flows", None, Program;
    /// Concurrency that is more than trivial.
    Concurrency "concurrency", Code, Queue, G3 "non-trivial concurrency/queue semantics changes", None, Program;
    /// Payment flows.
    Payments "payments", Code, Payments, G3 "core business logic in critical flows", None, Program;
    /// A major refactoring, or a change of the architecture.
    MajorRefactor "major-refactor", Code, CoreLogic, G3 "core business logic in critical flows", Some(High), Program;
    /// A dependency in a new minor or patch version.
    DependencyMinor "dependency-minor", Code, Dependency, G2 "dependency upgrades", Some(Medium), Program;
    /// A dependency in a new major version, a new one, or one from another place.
    DependencyMajor "dependency-major", Code, Dependency, G2 "dependency upgrades", Some(High), Program;

    /// A migration that only adds to a schema.
    SchemaMigrationAdditive "schema-migration-additive", Data, SchemaMigration, G3 "schema migrations", Some(Medium), Program;
    /// A migration by expanding first and contracting later.
    SchemaMigrationExpandContract "schema-migration-expand-contract", Data, SchemaMigration, G3 "schema migrations", Some(Medium), Program;
    /// A migration after which the former version cannot read the data.
    SchemaMigrationBreaking "schema-migration-breaking", Data, SchemaMigration, G4 "breaking is disallowed without explicit G4 approval", Some(High), Program;
    /// A backfill or batch job.
    Backfill "backfill", Data, SchemaMigration, G3 "as schema migrations, beside which §5.3 and §10.2 put it", None, Program;
    /// A data model that others read.
    DataModel "data-model", Data, SchemaMigration, G3 "as schema migrations, beside which §5.3 and §10.2 put it", None, Program;
    /// How long data is kept.
    DataRetention "data-retention", Data, DataHandling, G3 "as schema migrations, beside which §5.3 and §10.2 put it", None, Program;
    /// Personal or regulated data.
    Pii "pii", Data, DataHandling, G3 "as schema migrations, beside which §5.3 and §10.2 put it", None, Program;

    /// Who somebody is: authentication.
    Authentication "authentication", Security, Auth, G3 "auth/permission changes", None, Program;
    /// Who may do what: authorization.
    Authorization "authorization", Security, Auth, G3 "auth/permission changes", None, Program;
    /// Permission checks, and what the program itself may do on its node and in its cluster.
    Permissions "permissions", Security, Auth, G3 "auth/permission changes", None, Program;
    /// Secrets: which, or how they come to the program.
    Secrets "secrets", Security, Encryption, G3 "as auth/permission changes, which cost less", None, Program;
    /// How keys are handled.
    KeyHandling "key-handling", Security, Encryption, G3 "as auth/permission changes, which cost less", None, Program;
    /// Encryption.
    Encryption "encryption", Security, Encryption, G3 "as auth/permission changes, which cost less", None, Program;
    /// A dependency with known vulnerabilities.
    VulnerableDependency "vulnerable-dependency", Security, Dependency, G3 "Security scan + dependency audit (must pass)", None, Program;

    /// Infrastructure as code, and where the pods run.
    Infrastructure "infrastructure", Infra, Infrastructure, G3 "infra changes affecting availability", Some(High), Beside;
    /// Networking: ports, routes, policies.
    Networking "networking", Infra, Infrastructure, G3 "infra changes affecting availability", Some(High), Beside;
    /// Load balancers.
    LoadBalancer "load-balancer", Infra, Infrastructure, G3 "infra changes affecting availability", Some(High), Beside;
    /// Names and how they resolve.
    Dns "dns", Infra, Infrastructure, G3 "infra changes affecting availability", Some(High), Beside;
    /// Autoscaling.
    Autoscaling "autoscaling", Infra, Infrastructure, G3 "infra changes affecting availability", Some(High), Beside;
    /// Configuration that the program reads when it runs: limits, thresholds.
    RuntimeConfig "runtime-config", Infra, Config, G2 "config changes affecting behavior", Some(Low), Beside;
    /// Feature flags.
    FeatureFlag "feature-flag", Infra, Config, G2 "config changes affecting behavior", Some(Low), Beside;
    /// Queues and topics, and how long they keep messages.
    Queue "queue", Infra, Queue, G3 "non-trivial concurrency/queue semantics changes", None, Program;
    /// A change that reaches the whole platform.
    PlatformWide "platform-wide", Infra, Infrastructure, G4 "broad blast radius changes (platform-wide)", Some(High), Beside;

    /// A public API, and its clients keep working.
    ApiCompatible "api-compatible", Interface, ApiContract, G2 "API changes that are backward compatible", None, Program;
    /// A public API with a new endpoint that others can reach.
    ApiNewEndpoint "api-new-endpoint", Interface, ApiContract, G2 "API changes that are backward compatible", None, Program;
    /// A public API, and clients break.
    ApiBreaking "api-breaking", Interface, ApiContract, G3 "G2 takes \"API changes that are backward compatible\" alone", None, Program;
    /// Payloads or events that former readers still understand.
    PayloadCompatible "payload-compatible", Interface, ApiContract, G2 "API changes that are backward compatible", None, Program;
    /// Payloads or events that former readers do not understand.
    PayloadBreaking "payload-breaking", Interface, ApiContract, G3 "G2 takes \"API changes that are backward compatible\" alone", None, Program;
    /// It needs a version of its clients.
    ClientVersion "client-version", Interface, ApiContract, G3 "G2 takes \"API changes that are backward compatible\" alone", None, Program;
}

impl Category {
    /// The word that stands for it, such as `schema-migration-breaking`.
    pub const fn as_str(self) -> &'static str {
        self.row().word
    }

    /// The scope that it belongs to.
    pub const fn scope(self) -> Scope {
        self.row().scope
    }

    /// What it costs: the item of the price list.
    pub const fn item(self) -> DiffItem {
        self.row().item
    }

    /// The gate that a change of this category goes through at least (`000_…` §6.2, "Use for").
    pub const fn floor(self) -> Gate {
        self.row().floor
    }

    /// Why that gate, in the document's words or the nearest to them.
    pub const fn floor_says(self) -> &'static str {
        self.row().floor_says
    }

    /// How much error budget must be left for it (`001_…`, Deployment Risk Assessment). What the assessment does not
    /// name has the class that `000_…` §6.2 calls its gate by: G0 and G1 low, G2 moderate, G3 and G4 high.
    pub const fn risk_class(self) -> RiskClass {
        match (self.row().class, self.floor()) {
            (Some(class), _) => class,
            (None, G0 | G1) => Low,
            (None, G2) => Medium,
            (None, G3 | G4) => High,
        }
    }

    /// Whether it needs a migration plan (`000_…` §10.2, "schema/data changes").
    pub fn is_data(self) -> bool {
        self.scope() == Scope::Data
    }

    /// Whether a claim of it says what changed in a program, so that a new image is no riddle any more.
    pub const fn explains_code(self) -> bool {
        matches!(self.row().tells, Tells::Program)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that stands for no category. Its text lists the words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is no category of a change; the words are {}", all_words())]
pub struct CategoryError {
    /// The word as it was read.
    pub value: String,
}

fn all_words() -> String {
    let words: Vec<&str> = Category::ALL.iter().map(|category| category.as_str()).collect();
    words.join(", ")
}

impl FromStr for Category {
    type Err = CategoryError;
    fn from_str(text: &str) -> Result<Self, CategoryError> {
        Self::ALL
            .iter()
            .copied()
            .find(|category| category.as_str() == text)
            .ok_or_else(|| CategoryError { value: text.to_owned() })
    }
}

/// The categories of an annotation: words separated by commas, spaces around them ignored. What could be read, and an
/// error for each word that could not: one wrong word hides no other.
pub fn parse_list(text: &str) -> (Vec<Category>, Vec<CategoryError>) {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word.parse() {
            Ok(category) => known.push(category),
            Err(error) => unknown.push(error),
        }
    }
    (known, unknown)
}
