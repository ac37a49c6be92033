//! What a change must show and what people owe: whether it waits for it, and what the service does without.

use super::Loosened;
use crate::api::Time;
use crate::api::obligation::ObligationRules;
use crate::api::risk_budget::{ExplainedBy, OwnerApproval, RequirementMode, Requirements, Waiver};
use crate::policy::Tier;

/// No requirement is waived, or waived for longer, or asked for without being waited for; and what is in a new image is not said by
/// more people, or approved by fewer. Each comes with its tier, which says who does where the spec does not.
pub(super) fn merge(
    (tier_before, former): (u8, &Requirements),
    (tier, wanted): (u8, &Requirements),
    now: Time,
    held: &mut Vec<Loosened>,
) -> Requirements {
    let Requirements { mode, waived, explained_by, owner_approval } = wanted;
    let explained_by = match (explains(tier_before, former), explains(tier, wanted)) {
        (ExplainedBy::Attestation, ExplainedBy::Annotation) => {
            held.push(Loosened::new("spec.requirements.explainedBy", "Attestation", "Annotation"));
            Some(ExplainedBy::Attestation)
        }
        (ExplainedBy::Attestation | ExplainedBy::Annotation, _) => *explained_by,
    };
    let mode = match (former.mode, mode) {
        (RequirementMode::Enforce, RequirementMode::Audit) => {
            held.push(Loosened::new("spec.requirements.mode", "Enforce", "Audit"));
            RequirementMode::Enforce
        }
        (RequirementMode::Enforce | RequirementMode::Audit, _) => *mode,
    };
    let owner_approval = match (former.owner_approval, owner_approval) {
        (OwnerApproval::Asked, OwnerApproval::Manifest) => {
            held.push(Loosened::new("spec.requirements.ownerApproval", "Asked", "Manifest"));
            OwnerApproval::Asked
        }
        (OwnerApproval::Asked | OwnerApproval::Manifest, _) => *owner_approval,
    };
    let waived = waivers("spec.requirements.waived", &former.waived, waived, now, held);
    Requirements { mode, waived, explained_by, owner_approval }
}

/// A tier that the schema keeps out says the stricter.
fn explains(tier: u8, requirements: &Requirements) -> ExplainedBy {
    let by_tier = Tier::new(tier).map_or(ExplainedBy::Attestation, Tier::explained_by);
    requirements.explained_by.unwrap_or(by_tier)
}

/// Nothing that people owe is waived, or waived for longer, and quiet times keep their reviews.
pub(super) fn obligations(
    former: &ObligationRules,
    wanted: &ObligationRules,
    now: Time,
    held: &mut Vec<Loosened>,
) -> ObligationRules {
    let ObligationRules { regular_reviews, waived } = wanted;
    if former.regular_reviews && !regular_reviews {
        held.push(Loosened::new("spec.obligations.regularReviews", true, false));
    }
    ObligationRules {
        regular_reviews: former.regular_reviews || *regular_reviews,
        waived: waivers("spec.obligations.waived", &former.waived, waived, now, held),
    }
}

fn waivers(field: &str, former: &[Waiver], wanted: &[Waiver], now: Time, held: &mut Vec<Loosened>) -> Vec<Waiver> {
    let mut merged: Vec<Waiver> = Vec::new();
    for waiver in wanted {
        let before = former.iter().filter(|other| other.name == waiver.name);
        let longest = before.max_by_key(|other| lasts(other));
        let past = waiver.until.is_some_and(|until| until <= now);
        if past || longest.is_some_and(|longest| lasts(waiver) <= lasts(longest)) {
            merged.push(waiver.clone());
            continue;
        }
        let from = longest.map_or_else(|| "asked for".to_owned(), said);
        held.push(Loosened::new(format!("{field}[{}]", waiver.name), from, said(waiver)));
        merged.extend(longest.cloned());
    }
    merged
}

/// Without an end it lasts longest.
fn lasts(waiver: &Waiver) -> (bool, Option<Time>) {
    (waiver.until.is_none(), waiver.until)
}

fn said(waiver: &Waiver) -> String {
    waiver.until.map_or_else(|| "waived".to_owned(), |until| format!("waived until {}", until.clock()))
}
