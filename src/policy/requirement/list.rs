//! What one change must show, and how far it is.

use crate::api::{BudgetStatus, Span, Time};
use crate::policy::band::Band;
use crate::policy::category::{Category, Classification};
use crate::policy::gate::Gate;
use crate::policy::sign_off::Role;
use crate::policy::tier::Tier;

use super::catalogue::{CATALOGUE, Due, Entry, Means};
use super::claim::{Claim, Claims};
use super::document::{self, BREAKING, CUSTOMER_IMPACT, Document, MIGRATION_TYPE};
use super::second;
use super::word::{Spoken, Word};

/// What the controller knows by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// Whether the first stage gives less than 100 %.
    pub staged: bool,
    /// Whether the GatedRelease says limits at which it comes back.
    pub rollback_limits: bool,
    /// Whether a limit of the error rate is judged at each stage.
    pub judges_errors: bool,
    /// Whether a limit of the latency is judged at each stage.
    pub judges_latency: bool,
    /// How long the first stage bakes.
    pub first_bake: Span,
    /// When a rollback of this workload last brought all traffic home.
    pub rollback_proven: Option<Time>,
    /// Since when the promoted version is verified, in this attempt; absent before.
    pub verified_since: Option<Time>,
}

/// Everything that the requirements depend on.
#[derive(Debug, Clone, Copy)]
pub struct RequirementFacts<'a> {
    /// The gate of the change.
    pub gate: Gate,
    /// What it touches.
    pub change: &'a Classification,
    /// How critical the service is.
    pub tier: Tier,
    /// What is left of the error budget.
    pub status: BudgetStatus,
    /// What is left of the risk budget.
    pub band: Band,
    /// What the controller knows.
    pub known: &'a Known,
    /// What was attested about this revision.
    pub claims: Claims<'a>,
    /// The GatedRelease, for commands.
    pub release: &'a str,
    /// Its namespace, for commands.
    pub namespace: &'a str,
    /// Now.
    pub now: Time,
}

impl RequirementFacts<'_> {
    /// Whether customers may notice the change.
    pub fn customers_may_notice(&self) -> bool {
        customers_may_notice(self.tier, self.claims)
    }
}

/// Whether customers may notice a change: not in Tier 0, which has none, and not where a complete release plan says
/// `none`, of each image that comes new.
pub fn customers_may_notice(tier: Tier, claims: Claims<'_>) -> bool {
    let says_none = |plan: &Claim| {
        document::RELEASE_PLAN.problems(&plan.facts).is_empty()
            && plan.facts.get(CUSTOMER_IMPACT).is_some_and(|impact| impact.trim().eq_ignore_ascii_case("none"))
    };
    let none = match claims.word(document::RELEASE_PLAN.kind, None) {
        Word::For(plans) => plans.all().all(says_none),
        Word::Against(_) | Word::Silent { .. } => false,
    };
    tier != Tier::T0 && !none
}

/// How many characters the sentence of a requirement has at most, where names have no more than the 63 of a label.
pub const SENTENCE: usize = 1_200;

/// How far a requirement is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is met: by what.
    Met {
        /// By what, in words.
        by: String,
        /// The approvals that it rests on; none where it is met in another way.
        approvals: Vec<Claim>,
    },
    /// It is not met.
    Missing {
        /// Why, where there is more to say than that nothing came; empty otherwise.
        because: String,
        /// How to supply it, with the command.
        how: String,
    },
}

/// One thing that a change must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Its stable name.
    pub name: &'static str,
    /// The documents' words.
    pub says: &'static str,
    /// Document and section.
    pub source: &'static str,
    /// By when it must be met.
    pub due: Due,
    /// How far it is.
    pub state: State,
}

impl Requirement {
    /// Whether it is met.
    pub const fn is_met(&self) -> bool {
        matches!(self.state, State::Met { .. })
    }

    /// The roles in which it is approved; none where it is met in another way.
    pub fn approvers(&self) -> Vec<Role> {
        CATALOGUE.iter().find(|entry| entry.name == self.name).map(Entry::approvers).unwrap_or_default()
    }
}

impl std::fmt::Display for Requirement {
    /// `unit-tests: met by ci (2 Jan 10:00:00 UTC)`, `sast: missing (000 §6.2, G3): …`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.state {
            State::Met { by, .. } => write!(f, "{}: met by {by}", self.name),
            State::Missing { because, how } if because.is_empty() => {
                write!(f, "{}: missing {} ({}): {how}", self.name, self.due, self.source)
            }
            State::Missing { because, how } => {
                write!(f, "{}: missing {} ({}), {because}: {how}", self.name, self.due, self.source)
            }
        }
    }
}

/// What a change must show, in the order in which a release meets it. A rollback goes through G0 and is not asked at
/// all: do not call this for one.
pub fn requirements(facts: &RequirementFacts<'_>) -> Vec<Requirement> {
    let needed = CATALOGUE.iter().filter(|entry| entry.need.applies(facts));
    needed.map(|entry| Requirement { state: state(entry, facts), ..named(entry) }).collect()
}

fn named(entry: &Entry) -> Requirement {
    let Entry { name, need: _, due, means: _, says, source } = *entry;
    Requirement { name, says, source, due, state: State::Met { by: String::new(), approvals: Vec::new() } }
}

/// Met where any means holds, and nobody rejects it in a role that approves it. Otherwise every way to meet it is told, and why those
/// that were tried do not count.
fn state(entry: &Entry, facts: &RequirementFacts<'_>) -> State {
    if let Some(claim) = facts.claims.rejection(&entry.approvers()) {
        let because = format!("{} rejects it{}", claim.by(), claim.why());
        return State::Missing {
            because,
            how: format!("{} withdraws the rejection, or another revision", claim.author),
        };
    }
    let (mut reasons, mut ways) = (Vec::new(), Vec::new());
    for means in entry.means {
        match tried(means, entry.due, facts) {
            Ok((by, approvals)) => return State::Met { by, approvals },
            Err(Gap { because, how }) => {
                reasons.extend((!because.is_empty()).then_some(because));
                ways.push(how);
            }
        }
    }
    State::Missing { because: reasons.join("; "), how: ways.join("; or ") }
}

/// Why one way does not hold, and how it would.
struct Gap {
    because: String,
    how: String,
}

/// What meets it, in words, and the approvals among that.
fn tried(means: &Means, due: Due, facts: &RequirementFacts<'_>) -> Result<(String, Vec<Claim>), Gap> {
    let by = match means {
        Means::Controller { holds, remedy } => {
            holds(facts.known, facts).ok_or_else(|| Gap { because: String::new(), how: (*remedy).to_owned() })
        }
        Means::Attestation(kind) => attestation(kind, None, due, facts),
        Means::ByAnother(kind) => by_another(kind, facts),
        Means::Fresh(kind, span) => attestation(kind, Some(*span), due, facts),
        Means::Document(document) => attested_document(document, due, facts),
        Means::Approvals(seats) => return approvals(seats, facts),
    };
    by.map(|by| (by, Vec::new()))
}

/// What is said about a requirement. What must be shown after the release is said of what was released: whatever came before its
/// verification, of an earlier attempt too, speaks of something else.
fn word<'a>(kind: &str, fresh: Option<Span>, due: Due, facts: &RequirementFacts<'a>) -> Word<'a> {
    let all = facts.claims.word(kind, fresh);
    let (said, early) = match (due, facts.known.verified_since) {
        (Due::Start | Due::Throughout | Due::Verify, _) => return all,
        (Due::Complete, Some(since)) => {
            let early = format!("is from before its verification, which began {}", since.clock());
            (facts.claims.since(since).word(kind, fresh), early)
        }
        (Due::Complete, None) => {
            let early = "is from before the release, and its verification has not begun".to_owned();
            (Word::Silent { because: String::new() }, early)
        }
    };
    let before = match &all {
        Word::For(claims) => Some(claims.oldest()),
        Word::Against(claim) => Some(*claim),
        Word::Silent { .. } => None,
    };
    match (said, before) {
        (Word::Silent { because }, Some(claim)) if because.is_empty() => {
            Word::Silent { because: format!("that of {} {early}", claim.by()) }
        }
        (said, _) => said,
    }
}

fn attestation(kind: &str, fresh: Option<Span>, due: Due, facts: &RequirementFacts<'_>) -> Result<String, Gap> {
    let how = || {
        let within = fresh.map(|span| format!(", no older than {span}")).unwrap_or_default();
        format!("an attestation of type {kind}{within}: {}", attest(kind, facts))
    };
    match word(kind, fresh, due, facts) {
        Word::For(claims) => Ok(claims.by()),
        Word::Against(claim) => Err(Gap { because: failed(claim, facts), how: how() }),
        Word::Silent { because } => Err(Gap { because, how: how() }),
    }
}

fn failed(claim: &Claim, facts: &RequirementFacts<'_>) -> String {
    format!("{} says that it failed{}", claim.by(), facts.claims.which(claim))
}

/// What takes a second person is asked for before the start: none of these speaks of what was released.
fn by_another(kind: &str, facts: &RequirementFacts<'_>) -> Result<String, Gap> {
    let how =
        || format!("an attestation of type {kind}, of somebody who did not make the change: {}", attest(kind, facts));
    match second::word(facts.claims, kind) {
        Word::For(claims) => Ok(claims.by()),
        Word::Against(claim) => Err(Gap { because: failed(claim, facts), how: how() }),
        Word::Silent { because } => Err(Gap { because, how: how() }),
    }
}

fn attested_document(document: &Document, due: Due, facts: &RequirementFacts<'_>) -> Result<String, Gap> {
    let how = || {
        format!(
            "an attestation of type {} with facts {}: {}",
            document.kind,
            document.keys(),
            attest(document.kind, facts)
        )
    };
    match word(document.kind, None, due, facts) {
        Word::For(claims) => {
            let problems_of = |claim: &Claim| (claim.by(), document.problems(&claim.facts));
            let incomplete = claims.all().map(problems_of).find(|(_, problems)| !problems.is_empty());
            let (by, mut problems) = incomplete.unwrap_or_else(|| (claims.by(), Vec::new()));
            problems.extend(understated(document, &claims, facts));
            if problems.is_empty() {
                return Ok(by);
            }
            Err(Gap { because: format!("that of {by} is incomplete: {}", problems.join(", ")), how: how() })
        }
        Word::Against(claim) => Err(Gap { because: failed(claim, facts), how: how() }),
        Word::Silent { because } => Err(Gap { because, how: how() }),
    }
}

/// A migration plan and the categories must tell the same: a breaking migration goes through G4.
fn understated(document: &Document, plans: &Spoken<'_>, facts: &RequirementFacts<'_>) -> Option<String> {
    let of_plans = plans.all().filter(|_| document.kind == document::MIGRATION_PLAN.kind);
    let mut types = of_plans.filter_map(|plan| plan.facts.get(MIGRATION_TYPE)).peekable();
    types.peek()?;
    let planned = types.any(|kind| kind.trim() == BREAKING);
    let classified = facts.change.has(Category::SchemaMigrationBreaking);
    match (planned, classified) {
        (true, false) => Some(format!(
            "facts.{MIGRATION_TYPE} is {BREAKING}, the categories do not say {}",
            Category::SchemaMigrationBreaking
        )),
        (false, true) => Some(format!(
            "facts.{MIGRATION_TYPE} is not {BREAKING}, the categories say {}",
            Category::SchemaMigrationBreaking
        )),
        (true, true) | (false, false) => None,
    }
}

fn approvals(seats: &[&[Role]], facts: &RequirementFacts<'_>) -> Result<(String, Vec<Claim>), Gap> {
    // Nobody approves their own change: where the author is not known, one of two people is somebody else.
    let twice = [seats.first().copied().unwrap_or_default(); 2];
    let seats = if seats.len() == 1 && !facts.claims.knows_author() { twice.as_slice() } else { seats };
    match facts.claims.seats(seats) {
        Ok(claims) => {
            let who =
                claims.iter().map(|claim| format!("{} as {}", claim.by(), claim.role.as_deref().unwrap_or_default()));
            Ok((who.collect::<Vec<_>>().join(", "), claims.iter().copied().cloned().collect()))
        }
        Err(empty) => {
            let missing: Vec<&[Role]> = empty.iter().filter_map(|seat| seats.get(*seat).copied()).collect();
            let two = !facts.claims.knows_author() && seats.len() == 2 && seats[0] == seats[1];
            let because = if two { "who made the change is not known, so two people approve" } else { "" };
            Err(Gap { because: because.to_owned(), how: approve(&missing, facts) })
        }
    }
}

/// `an approval as release-captain or on-call: kubectl tidegate approve …`: with one command, that of the first role.
fn approve(missing: &[&[Role]], facts: &RequirementFacts<'_>) -> String {
    let named = |seat: &[Role]| seat.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" or ");
    let first = missing.first().and_then(|seat| seat.first()).map_or("", |role| role.as_str());
    let what = match missing {
        [one, other] if one == other => format!("two approvals as {}", named(one)),
        all => format!("an approval as {}", all.iter().map(|seat| named(seat)).collect::<Vec<_>>().join(", and as ")),
    };
    let RequirementFacts { release, namespace, .. } = facts;
    format!("{what}: kubectl tidegate approve {release} -n {namespace} --role {first}")
}

fn attest(kind: &str, facts: &RequirementFacts<'_>) -> String {
    let RequirementFacts { release, namespace, .. } = facts;
    format!("kubectl tidegate attest {release} -n {namespace} --type {kind}")
}
