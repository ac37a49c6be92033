//! A claim about one revision by a proven identity: an approval of a person, or evidence.

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::units::Time;

/// The largest token that a statement may carry, in bytes: several times what issuers give out.
pub const TOKEN_MAX: usize = 8192;
/// The largest envelope that a statement may carry, in bytes: a plan with long texts fits.
pub const ENVELOPE_MAX: usize = 24_576;

/// A claim about a revision: an approval by a person, or evidence from CI. Immutable once made; the latest of an author
/// counts, so that a claim is taken back by another one.
///
/// Admission proves who makes it: `spec.author` and `spec.groups` are what the API server authenticated.
#[derive(Debug, Clone, PartialEq, Eq, CustomResource, KubeSchema, Serialize, Deserialize)]
#[kube(
    group = "tidegate.io",
    version = "v1alpha1",
    kind = "Attestation",
    namespaced,
    shortname = "att",
    category = "tidegate",
    validation = Rule::new("self.spec == oldSelf.spec").message("spec: an attestation cannot be edited; create another one"),
    validation = Rule::new("self.spec.type != 'approval' || has(self.spec.role)").message("spec.role: an approval is given in a role, such as sre"),
    validation = Rule::new("!(self.spec.type in ['approval', 'start']) || !self.spec.revision.startsWith('sha256:')").message("spec.revision: a person approves or starts a revision, not an image, which runs with other configuration too: write it as kubectl get gr -o wide shows it"),
    validation = Rule::new("self.spec.type != 'charge' || (has(self.spec.releaseRef.kind) && self.spec.releaseRef.kind == 'RiskBudget')").message("spec.releaseRef.kind: a charge is made to a RiskBudget: write RiskBudget"),
    validation = Rule::new("!has(self.spec.statement) || (!(self.spec.type in ['approval', 'start', 'charge']) && (!has(self.spec.releaseRef.kind) || self.spec.releaseRef.kind == 'GatedRelease'))").message("spec.statement: approvals, starts, charges and what is said of a RiskBudget need an author whom the API server authenticates; no signature stands for them: leave it out"),
    printcolumn(name = "Release", type_ = "string", json_path = ".spec.releaseRef.name"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Outcome", type_ = "string", json_path = ".spec.outcome"),
    printcolumn(name = "Author", type_ = "string", json_path = ".spec.author"),
    printcolumn(name = "Revision", type_ = "string", json_path = ".spec.revision", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttestationSpec {
    /// What the claim is about, in the same namespace: a GatedRelease; or a RiskBudget: whose loosening is approved, that owes
    /// something of people, or that is charged (type `charge`).
    pub release_ref: SubjectRef,
    /// The revision that the claim is about, as `kubectl get gr -o wide` shows it; or, but for approvals and starts, an image digest
    /// `sha256:…`; with a statement also the commit of the change, `git:` and all its digits. Of type `charge` the reference of the
    /// change, such as `git:4f2c9e1`. Of an approved loosening `status.loosening.revision`; of an obligation that is met its
    /// name, as `status.obligations` has it.
    #[schemars(length(min = 1, max = 128))]
    pub revision: String,
    /// What is claimed: `approval`, `charge`, or the name of a requirement such as `unit-tests`, `sast`, `release-plan`.
    #[serde(rename = "type")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub kind: String,
    /// The role in which an approval is given, such as `sre`. Required for approvals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub role: Option<String>,
    /// Whether the claim speaks for or against the revision.
    #[serde(default)]
    pub outcome: ClaimOutcome,
    /// Who makes the claim: the user name that the API server authenticated. Admission fills it in where it is left out.
    #[schemars(length(min = 1, max = 256))]
    pub author: String,
    /// The groups that the API server authenticated the author in, and `system:machine` where the administrator calls the author a machine
    /// (`admission.machineUsers`). Admission fills them in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 512))]
    pub groups: Vec<String>,
    /// When the claim lapses; never where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Time>,
    /// Where to read more: a build, a report, a ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub link: Option<String>,
    /// Named facts of the claim, such as the fields of a release plan.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    pub facts: std::collections::BTreeMap<String, String>,
    /// What somebody outside the cluster signed. Where it is there, the author proves nothing and the signature does, of an
    /// issuer that the admin configured; it takes no right beside that to create attestations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
}

/// A text that an issuer signed, which says what the attestation says.
#[derive(Debug, Clone, PartialEq, Eq, Default, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("has(self.token) != has(self.envelope)").message("exactly one of token and envelope is what was signed: leave the other out"))]
pub struct Statement {
    /// An OpenID Connect token, as CI gives it out: its audience signs every word of the attestation, or its commit is the
    /// one that the attestation is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = TOKEN_MAX))]
    pub token: Option<String>,
    /// A DSSE envelope in JSON with an in-toto statement about images or commits, as `cosign attest` makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = ENVELOPE_MAX))]
    pub envelope: Option<String>,
}

/// Whether a claim speaks for or against a revision, or takes back what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub enum ClaimOutcome {
    /// The check passed, or the person approves.
    #[default]
    Passed,
    /// The check failed, or the person rejects.
    Failed,
    /// The author takes back what they claimed before.
    Withdrawn,
}

/// What a claim is about, in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectRef {
    /// GatedRelease or RiskBudget. Default: GatedRelease.
    #[serde(default, skip_serializing_if = "SubjectKind::is_release")]
    pub kind: SubjectKind,
    /// The object's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

impl SubjectRef {
    /// The GatedRelease of a name.
    pub fn release(name: &str) -> Self {
        Self { kind: SubjectKind::GatedRelease, name: name.to_owned() }
    }

    /// The RiskBudget of a name.
    pub fn budget(name: &str) -> Self {
        Self { kind: SubjectKind::RiskBudget, name: name.to_owned() }
    }
}

/// The kind of what a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub enum SubjectKind {
    /// A revision of a workload.
    #[default]
    GatedRelease,
    /// The policy of a service, and what it demands of people.
    RiskBudget,
}

impl SubjectKind {
    /// Whether it is the kind that is meant where none is said.
    pub fn is_release(&self) -> bool {
        *self == Self::GatedRelease
    }
}

/// The name of an object in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub struct NameRef {
    /// The object's name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}
