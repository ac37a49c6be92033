//! Every requirement of the documents, one line each.

use std::fmt;

use crate::api::{BudgetStatus, Span};
use crate::policy::band::Band;
use crate::policy::category::Category::{self, *};
use crate::policy::gate::Gate::{self, *};
use crate::policy::score::MITIGATION_FRESH;
use crate::policy::sign_off::Role;

use super::document::{self, Document};
use super::list::{Known, RequirementFacts};

/// By when a requirement must be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Due {
    /// Before the canary comes up.
    Start,
    /// From the first traffic on, as long as the release is watched: it lapses unless renewed.
    Throughout,
    /// While the promoted version is verified: it lapses unless renewed.
    Verify,
    /// Before the release counts as complete, and not before it is verified: it speaks of what was released.
    Complete,
}

impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Start => "before the start",
            Self::Throughout => "as long as the release is watched",
            Self::Verify => "during verification",
            Self::Complete => "before completion",
        })
    }
}

/// One way to meet a requirement.
#[derive(Debug, Clone, Copy)]
pub enum Means {
    /// The controller knows it; the words say what it looks at and how to change it.
    Controller {
        /// What it saw, in words that complete "met by …"; None where it does not hold.
        holds: fn(&Known, &RequirementFacts<'_>) -> Option<String>,
        /// What to do where it does not hold.
        remedy: &'static str,
    },
    /// An attestation of this type.
    Attestation(&'static str),
    /// An attestation of this type, of somebody who did not make the change: the documents ask for a second person.
    ByAnother(&'static str),
    /// An attestation of this type that is no older than this.
    Fresh(&'static str, Span),
    /// An attestation with named fields.
    Document(&'static Document),
    /// An approval in each of these; within one, any of the roles.
    Approvals(&'static [&'static [Role]]),
}

/// When a requirement applies.
#[derive(Debug, Clone, Copy)]
pub enum Need {
    /// From this gate on.
    From(Gate),
    /// From this gate on, and at any gate under this budget status or a worse one.
    FromOrUnder(Gate, BudgetStatus),
    /// From this gate on, for changes that touch any of these.
    Touching(Gate, &'static [Category]),
    /// From this gate on, where customers may notice the change.
    CustomerImpact(Gate),
    /// Where the risk budget is at least this low.
    Band(Band),
}

impl Need {
    /// Whether a change has this need.
    pub fn applies(&self, facts: &RequirementFacts<'_>) -> bool {
        match self {
            Self::From(gate) => facts.gate >= *gate,
            Self::FromOrUnder(gate, status) => facts.gate >= *gate || facts.status >= *status,
            Self::Touching(gate, categories) => facts.gate >= *gate && facts.change.has_any(categories),
            Self::CustomerImpact(gate) => facts.gate >= *gate && facts.customers_may_notice(),
            Self::Band(band) => facts.band >= *band,
        }
    }
}

/// A line of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The stable name; also the type of the attestation that meets it, where one does and no other is said.
    pub name: &'static str,
    /// When it applies.
    pub need: Need,
    /// By when it must be met.
    pub due: Due,
    /// How it can be met: any one of these is enough.
    pub means: &'static [Means],
    /// The documents' words.
    pub says: &'static str,
    /// Document and section.
    pub source: &'static str,
}

impl Entry {
    /// The roles in which it is approved; none where it is met in another way.
    pub fn approvers(&self) -> Vec<Role> {
        let approves = |means: &Means| -> Vec<Role> {
            match means {
                Means::Approvals(seats) => seats.iter().flat_map(|seat| seat.iter()).copied().collect(),
                Means::Controller { .. }
                | Means::Attestation(_)
                | Means::ByAnother(_)
                | Means::Fresh(_, _)
                | Means::Document(_) => Vec::new(),
            }
        };
        self.means.iter().flat_map(approves).collect()
    }
}

const fn at_start(
    name: &'static str,
    need: Need,
    says: &'static str,
    source: &'static str,
    means: &'static [Means],
) -> Entry {
    Entry { name, need, due: Due::Start, means, says, source }
}

const DATA: &[Category] = &[
    SchemaMigrationAdditive,
    SchemaMigrationExpandContract,
    SchemaMigrationBreaking,
    Backfill,
    DataModel,
    DataRetention,
];
const SCHEMA: &[Category] = &[SchemaMigrationAdditive, SchemaMigrationExpandContract, SchemaMigrationBreaking];
const INTERFACES: &[Category] =
    &[ApiCompatible, ApiNewEndpoint, ApiBreaking, PayloadCompatible, PayloadBreaking, ClientVersion];
const USER_DATA: &[Category] = &[Pii, DataRetention];
const KEYS: &[Category] = &[Secrets, KeyHandling, Encryption];

/// "Extended canary period": the first stage bakes at least as long as in the enhanced process of `001_…`, twice the
/// standard one.
pub const EXTENDED_CANARY: Span = Span::minutes(30);

/// The type by which somebody on call says that they watch a release.
pub const ON_CALL_PRESENCE: &str = "on-call-presence";

/// The requirement that an exhausted risk budget is signed for.
pub const BUDGET_SIGN_OFF: &str = "budget-sign-off";

/// So long somebody's presence counts: a shift, from when the API server took it, or from when it was signed. The documents give no
/// figure. Who goes earlier says so with `expiresAt`, which never makes it longer.
pub const SHIFT: Span = Span::hours(8);

/// All requirements, in the order in which a release meets them.
#[rustfmt::skip]
pub const CATALOGUE: &[Entry] = &[
    // G0 and above.
    at_start("lint", Need::From(G0), "Lint/format checks", "000 §6.2, G0", &[Means::Attestation("lint")]),
    at_start("build", Need::From(G0), "Basic CI pass (build)", "000 §6.2, G0", &[Means::Attestation("build")]),
    Entry { name: "rollback-plan", need: Need::From(G0), due: Due::Start,
        means: &[Means::Controller { holds: rollback_contract, remedy: "say limits with thresholds in spec.rollback of the GatedRelease" }],
        says: "Rollback contract required before staging. Must include specific thresholds", source: "002, Guardrails; 001, Pre-Deployment Checklist; 000 §6.2, G2" },
    Entry { name: "staged-rollout", need: Need::From(G0), due: Due::Start,
        means: &[Means::Controller { holds: staged, remedy: "give spec.strategy a schedule whose first stage is below 100 %" }],
        says: "Even one-line changes go through staged rollout", source: "002, Guardrails; 000 §6.2, G2" },
    // G1 and above.
    at_start("unit-tests", Need::From(G1), "All automated unit tests", "000 §6.2, G1", &[Means::Attestation("unit-tests")]),
    at_start("static-analysis", Need::From(G1), "Static analysis/linting", "000 §6.2, G1", &[Means::Attestation("static-analysis")]),
    at_start("sast", Need::From(G1), "Enforce static application security testing (SAST)", "003, Module 4; 000 §6.2, G3", &[Means::Attestation("sast")]),
    at_start("sca", Need::From(G1), "software composition analysis (SCA) scans as mandatory pre-deployment checks", "003, Module 4; 000 §6.2, G3", &[Means::Attestation("sca")]),
    at_start("peer-review", Need::From(G1), "1 peer review", "000 §6.2, G1",
        &[Means::ByAnother("peer-review"), Means::Approvals(&[&[Role::CodeOwner, Role::SeniorEngineer]])]),
    at_start("staging-deploy", Need::From(G1), "Automated deploy to staging", "000 §6.2, G1; 002, Stage", &[Means::Attestation("staging-deploy")]),
    at_start("smoke-tests", Need::From(G1), "Post-deploy smoke checks", "000 §6.2, G1", &[Means::Attestation("smoke-tests")]),
    // By category, whatever the gate.
    at_start("load-test", Need::Touching(G1, &[HotPath]), "Load testing if performance-sensitive", "002, Stage; 000 §6.2, G3", &[Means::Attestation("load-test")]),
    at_start("api-contract", Need::Touching(G1, INTERFACES), "Enforce API contract validation in CI/CD pipelines", "003, Module 8", &[Means::Attestation("api-contract")]),
    at_start("penetration-test", Need::Touching(G1, &[ApiNewEndpoint, Authentication]), "Require penetration test sign-off for releases involving new external endpoints or authentication changes", "003, Module 4",
        &[Means::ByAnother("penetration-test")]),
    at_start("certificate-rotation", Need::Touching(G1, KEYS), "Automate certificate and secret rotation validation prior to deployment", "003, Module 4", &[Means::Attestation("certificate-rotation")]),
    at_start("compliance-check", Need::Touching(G1, &[Infrastructure, Pii]), "Embed compliance policy checks (e.g., GDPR, HIPAA) into infrastructure-as-code pipelines", "003, Module 4", &[Means::Attestation("compliance-check")]),
    at_start("privacy-review", Need::Touching(G1, USER_DATA), "Coordinate with legal and privacy teams to assess data impact", "003, Module 4",
        &[Means::Approvals(&[&[Role::Privacy]]), Means::ByAnother("privacy-review")]),
    at_start("migration-plan", Need::Touching(G0, DATA), "Migration Plan (required for schema/data changes)", "000 §10.2", &[Means::Document(&document::MIGRATION_PLAN)]),
    at_start("downgrade-test", Need::Touching(G0, SCHEMA), "validate database downgrade paths in non-production environments", "003, Module 6", &[Means::Attestation("downgrade-test")]),
    at_start("data-validation", Need::Touching(G0, SCHEMA), "pre- and post-deployment integrity checks: before", "003, Module 1", &[Means::Attestation("data-validation")]),
    // G2 and above.
    at_start("integration-tests", Need::From(G2), "Integration tests relevant to impacted modules", "000 §6.2, G2; 002, Stage", &[Means::Attestation("integration-tests")]),
    at_start("e2e-tests", Need::From(G2), "Run automated tests (unit, integration, E2E)", "002, Stage", &[Means::Attestation("e2e-tests")]),
    at_start("code-owner-review", Need::From(G2), "Code owner review for touched modules", "000 §6.2, G2",
        &[Means::ByAnother("code-owner-review"), Means::Approvals(&[&[Role::CodeOwner]])]),
    at_start("feature-flag", Need::CustomerImpact(G2), "Feature flag required if customer impact possible", "000 §6.2, G2", &[Means::Attestation("feature-flag")]),
    at_start("release-plan", Need::FromOrUnder(G2, BudgetStatus::Emergency), "Release Plan (required for G2+); Detailed rollback plan", "000 §10.1; 001, Emergency, Requirements", &[Means::Document(&document::RELEASE_PLAN)]),
    // G3 and above.
    at_start("migration-plan-review", Need::Touching(G3, DATA), "Migration plan (forward + rollback) reviewed", "000 §6.2, G3",
        &[Means::ByAnother("migration-plan-review"), Means::Approvals(&[&[Role::SeniorEngineer, Role::CodeOwner]])]),
    at_start("observability", Need::From(G3), "Observability: new/updated dashboards/alerts for the change", "000 §6.2, G3", &[Means::Attestation("observability")]),
    at_start("manual-qa", Need::From(G3), "Manual QA for high-risk changes", "002, Stage", &[Means::Attestation("manual-qa")]),
    Entry { name: "release-captain", need: Need::From(G3), due: Due::Start,
        means: &[Means::Approvals(&[&[Role::ReleaseCaptain, Role::OnCall]])],
        says: "Release captain / on-call sign-off (someone accountable live)", source: "000 §6.2, G3" },
    Entry { name: "health-gates", need: Need::From(G3), due: Due::Start,
        means: &[Means::Controller { holds: health_gates, remedy: "say errorRatePercent and latencyFactor (or latencyAdded) in spec.rollback of the GatedRelease" }],
        says: "Progressive delivery with automatic health gates (error rate/latency)", source: "000 §6.2, G3" },
    Entry { name: "rollback-rehearsal", need: Need::From(G3), due: Due::Start,
        means: &[
            Means::Controller { holds: rollback_proven, remedy: "rehearse the rollback" },
            Means::Fresh("rollback-rehearsal", MITIGATION_FRESH),
        ],
        says: "Explicit rollback rehearsal or prior proven rollback path", source: "000 §6.2, G4; 003, Module 2" },
    Entry { name: ON_CALL_PRESENCE, need: Need::FromOrUnder(G3, BudgetStatus::Emergency), due: Due::Throughout,
        means: &[Means::Fresh(ON_CALL_PRESENCE, SHIFT)],
        says: "Assign on-call engineers to monitor the release in real time; Real-time monitoring during deployment", source: "003, Module 5; 000 §6.2, G3; 001, Emergency, Requirements" },
    // G4.
    Entry { name: "risk-review", need: Need::From(G4), due: Due::Start,
        means: &[Means::Approvals(&[&[Role::ProductManager], &[Role::DevelopmentManager], &[Role::Security, Role::Sre]])],
        says: "Formal risk review (PM+DM+Security/SRE) in writing", source: "000 §6.2, G4" },
    Entry { name: "extended-canary", need: Need::From(G4), due: Due::Start,
        means: &[Means::Controller { holds: extended_canary, remedy: "let the first stage of spec.strategy bake 30m or longer (Enhanced, Conservative and Emergency do)" }],
        says: "Extended canary period with success criteria and abort criteria", source: "000 §6.2, G4" },
    at_start("customer-communication", Need::CustomerImpact(G4), "Customer comms plan if impact is plausible", "000 §6.2, G4", &[Means::Attestation("customer-communication")]),
    at_start("breaking-migration", Need::Touching(G0, &[SchemaMigrationBreaking]), "breaking is disallowed without explicit G4 approval", "000 §10.2",
        &[Means::Approvals(&[&[Role::DevelopmentManager]])]),
    Entry { name: BUDGET_SIGN_OFF, need: Need::Band(Band::Exhausted), due: Due::Start,
        means: &[Means::Approvals(&[&[Role::ProductManager], &[Role::DevelopmentManager]])],
        says: "Exhausted (≤0%): with tightened gates and explicit sign-off", source: "000 §5.4" },
    // After the release.
    Entry { name: "on-call-validation", need: Need::From(G0), due: Due::Verify,
        means: &[Means::Fresh(ON_CALL_PRESENCE, SHIFT)],
        says: "Oncall required during validation", source: "002, Guardrails" },
    Entry { name: "data-integrity", need: Need::Touching(G0, SCHEMA), due: Due::Complete,
        means: &[Means::Attestation("data-integrity")],
        says: "pre- and post-deployment integrity checks: after", source: "003, Module 1" },
    Entry { name: "post-release-checklist", need: Need::From(G1), due: Due::Complete,
        means: &[Means::Document(&document::POST_RELEASE_CHECKLIST)],
        says: "Post-release Verification Checklist (G1+)", source: "000 §10.3" },
];

fn rollback_contract(known: &Known, _: &RequirementFacts<'_>) -> Option<String> {
    known.rollback_limits.then(|| "the limits of spec.rollback".to_owned())
}

fn staged(known: &Known, _: &RequirementFacts<'_>) -> Option<String> {
    known.staged.then(|| "the schedule, whose first stage is below 100 %".to_owned())
}

fn health_gates(known: &Known, _: &RequirementFacts<'_>) -> Option<String> {
    (known.judges_errors && known.judges_latency).then(|| "error rate and latency, judged at each stage".to_owned())
}

fn extended_canary(known: &Known, _: &RequirementFacts<'_>) -> Option<String> {
    (known.first_bake >= EXTENDED_CANARY).then(|| format!("a first stage of {}", known.first_bake))
}

fn rollback_proven(known: &Known, facts: &RequirementFacts<'_>) -> Option<String> {
    let at = known.rollback_proven?;
    let fresh = at <= facts.now && facts.now.since(at) <= MITIGATION_FRESH;
    fresh.then(|| format!("a rollback of this workload that succeeded {}", at.clock()))
}
