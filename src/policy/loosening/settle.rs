//! From a spec, what is in force and what was said about it, to what takes effect and what is told.

use super::decide::{BOTH, DECLARES_FREEZE, Decision, decide, revision, sre_suffices};
use super::{Loosened, Merged, remember};
use crate::api::condition::Truth;
use crate::api::loosening::{InForce, LoosenedField, LoosenedStatus, LooseningStatus};
use crate::api::{RiskBudgetSpec, RiskBudgetStatus, Time};
use crate::policy::requirement::claim::APPROVAL;
use crate::policy::requirement::{Claim, Claims, heard, in_one_role};
use crate::policy::{Attested, Role};

/// Fields that stand in status; the rest is counted.
const FIELDS_MAX: usize = 32;
/// Fields of an approved change that stand in its entry.
const CHANGES_MAX: usize = 16;

/// Which RiskBudget.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its UID.
    pub uid: &'a str,
    /// The generation of the spec.
    pub generation: i64,
}

/// What takes effect, and what is told about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The spec by which everything is decided.
    pub spec: RiskBudgetSpec,
    /// What is remembered of it.
    pub in_force: InForce,
    /// What waits for approval; none where the spec is in force as it stands.
    pub loosening: Option<LooseningStatus>,
    /// What was approved just now.
    pub entry: Option<LoosenedStatus>,
    /// Truth, reason and message of the condition Loosening.
    pub told: (Truth, &'static str, String),
}

/// What takes effect of `wanted`, of which `merged` is in force while nobody agrees. `said` is all that was attested about the
/// budget, of whatever revision. The error says why a spec cannot be remembered.
pub fn settle(
    about: About<'_>,
    wanted: &RiskBudgetSpec,
    merged: Merged,
    before: &RiskBudgetStatus,
    said: &[Attested],
    now: Time,
) -> Result<Settled, String> {
    let Merged { spec, loosened } = merged;
    if loosened.is_empty() {
        let told = (Truth::False, "InForce", "The spec is in force as it stands.".to_owned());
        let in_force = InForce { generation: about.generation, spec: remember(wanted)? };
        return Ok(Settled { spec: wanted.clone(), in_force, loosening: None, entry: None, told });
    }
    let revision = revision(about.uid, about.generation, wanted);
    let of_it = said.iter().filter(|one| one.spec.kind == APPROVAL && one.spec.revision == revision);
    let (mut claims, mut ignored): (Vec<Claim>, Vec<String>) = (Vec::new(), Vec::new());
    for one in of_it {
        // By the roles in force: nobody makes themselves a product manager and approves that.
        match heard(&spec.roles, &one.spec, one.at) {
            Ok(claim) => claims.push(claim),
            Err(why) => ignored.push(why),
        }
    }
    ignored.extend(in_one_role(&mut claims, now).iter().map(ToString::to_string));
    let decision = decide(&loosened, Claims::new(&claims, &[], now));
    if let Decision::Agreed(agreed) = &decision {
        let entry = LoosenedStatus {
            revision,
            generation: about.generation,
            at: now,
            by: agreed.iter().map(|claim| spoken(claim)).collect(),
            changes: lines(&loosened, CHANGES_MAX, |one| at_most(250, &one.to_string())),
        };
        let message = format!(
            "The spec is in force as it stands. Generation {} was approved by {}: {}.",
            about.generation,
            entry.by.join(", "),
            entry.changes.join("; ")
        );
        let in_force = InForce { generation: about.generation, spec: remember(wanted)? };
        let told = (Truth::False, "Approved", message);
        return Ok(Settled { spec: wanted.clone(), in_force, loosening: None, entry: Some(entry), told });
    }
    let since = before.loosening.as_ref().filter(|known| known.revision == revision).map_or(now, |known| known.since);
    let status = LooseningStatus {
        revision,
        since,
        roles: BOTH.iter().map(ToString::to_string).collect(),
        or_role: sre_suffices(&loosened).then(|| DECLARES_FREEZE.to_string()),
        fields: loosened.iter().take(FIELDS_MAX).map(field).collect(),
    };
    let told = (Truth::True, reason(&decision), waits(about, &loosened, &decision, &ignored));
    let in_force = InForce { generation: about.generation, spec: remember(&spec)? };
    Ok(Settled { spec, in_force, loosening: Some(status), entry: None, told })
}

/// `product-manager: ann (2 Jan 10:00:00 UTC)`.
fn spoken(claim: &Claim) -> String {
    at_most(390, &format!("{}: {}", claim.role.as_deref().unwrap_or("?"), claim.by()))
}

fn field(one: &Loosened) -> LoosenedField {
    LoosenedField { field: at_most(150, &one.field), from: at_most(250, &one.from), to: at_most(250, &one.to) }
}

fn lines(all: &[Loosened], max: usize, line: impl Fn(&Loosened) -> String) -> Vec<String> {
    let shown = if all.len() > max { max - 1 } else { all.len() };
    let rest = (all.len() > max).then(|| format!("and {} fields more", all.len() - shown));
    all.iter().take(shown).map(line).chain(rest).collect()
}

const fn reason(decision: &Decision<'_>) -> &'static str {
    match decision {
        Decision::Rejected(_) => "Rejected",
        Decision::Missing(_) | Decision::Agreed(_) => "ApprovalMissing",
    }
}

/// What would be loosened, who must approve, what holds until then and what to type.
fn waits(about: About<'_>, loosened: &[Loosened], decision: &Decision<'_>, ignored: &[String]) -> String {
    let About { namespace, name, generation, .. } = about;
    let fields = lines(loosened, 12, |one| at_most(200, &one.to_string())).join("; ");
    let command = |role: &Role| format!("kubectl tidegate approve --budget {name} -n {namespace} --role {role}");
    let ends = match decision {
        Decision::Rejected(claim) => format!(
            "{} rejects it, which holds until they take it back: kubectl tidegate withdraw --budget {name} -n {namespace} --role {}",
            spoken(claim),
            claim.role.as_deref().unwrap_or("ROLE")
        ),
        Decision::Missing(roles) => {
            let missing: Vec<String> = roles.iter().map(|role| format!("{role} ({})", command(role))).collect();
            let alone =
                sre_suffices(loosened).then(|| format!(", or {DECLARES_FREEZE} alone ({})", command(&DECLARES_FREEZE)));
            format!(
                "It takes the agreement of {} and {}, each another person (000, section 4); missing: {}{}",
                BOTH[0],
                BOTH[1],
                missing.join(", "),
                alone.unwrap_or_default()
            )
        }
        Decision::Agreed(_) => String::new(),
    };
    let deaf = match ignored.is_empty() {
        true => String::new(),
        false => format!(" Not counted: {}.", lines_of(ignored)),
    };
    format!(
        "RiskBudget {name}: generation {generation} would allow more: {fields}. The former values of these fields hold, everything else is in force. {ends}.{deaf} Or put the former values back."
    )
}

fn lines_of(all: &[String]) -> String {
    all.iter().take(4).map(|one| at_most(160, one)).collect::<Vec<_>>().join("; ")
}

/// A text of at most so many characters.
fn at_most(max: usize, text: &str) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
