//! What a change touches: what is said of it, by whoever may say it, joined with what is seen between the templates.

use serde_json::Value;

use super::super::plan::stable_set;
use super::super::snapshot::{RiskSeen, Snapshot};
use super::super::template::diff;
use super::claims::Heard;
use crate::api::Time;
use crate::api::release_record::ReleaseRecordSpec;
use crate::api::risk_budget::ExplainedBy;
use crate::policy::Classification;
use crate::policy::category::{Category, Finding, Origin, parse_list};
use crate::policy::evidence::CLASSIFICATION;
use crate::policy::requirement::{Claim, Claims, Word};

/// Whose word says what is in a new image.
fn explained_by(risk: &RiskSeen) -> ExplainedBy {
    risk.requirements.explained_by.unwrap_or(risk.tier.explained_by())
}

/// The attestation that says what is in a new image; none where nobody says it whose word is taken for that: who made the change may
/// call it harmless, and so may somebody where it is not known who did.
pub(super) fn explanation(heard: &Heard, risk: &RiskSeen, now: Time) -> Option<Claim> {
    let others = |claim: &&Claim| {
        let of_another = heard.knows_authors && !heard.authors.contains(&claim.author);
        claim.kind == CLASSIFICATION && (claim.is_of_machine() || of_another)
    };
    match explained_by(risk) {
        ExplainedBy::Annotation => said(heard.claims(now)).cloned(),
        ExplainedBy::Attestation => {
            let vouched: Vec<Claim> = heard.claims.iter().filter(others).cloned().collect();
            said(Claims::new(&vouched, &heard.authors, now)).cloned()
        }
    }
}

/// What is claimed of the change, by annotation or by attestation, joined with what differs between the templates; with what
/// explains a new image, where something does.
pub(super) fn classified(
    seen: &Snapshot,
    spec: &ReleaseRecordSpec,
    (heard, explained, risk): (&Heard, Option<&Claim>, &RiskSeen),
    found: &[String],
    now: Time,
) -> Classification {
    let written = match explained_by(risk) {
        ExplainedBy::Annotation => Origin::Claimed,
        ExplainedBy::Attestation => Origin::Written,
    };
    let mut findings = findings(&spec.change.categories, written, "the change says so");
    findings.extend(self::findings(found, Origin::Claimed, "seen when it ran past its gate"));
    if let Some(claim) = explained {
        findings.extend(attested(claim, Origin::Claimed));
    }
    if let Some(claim) = said(heard.claims(now)).filter(|claim| Some(*claim) != explained) {
        findings.extend(attested(claim, Origin::Written));
    }
    // What was found then stands for the templates, which may be others by now.
    if found.is_empty()
        && let Some((before, after)) = templates(seen)
    {
        findings.extend(diff::findings(&diff::diff(before, after)));
    }
    Classification::new(findings)
}

/// What is told where an annotation says what is in a new image and is not taken for that.
pub(super) fn unheard(
    seen: &Snapshot,
    spec: &ReleaseRecordSpec,
    risk: &RiskSeen,
    change: &Classification,
) -> Option<String> {
    let strict = explained_by(risk) == ExplainedBy::Attestation;
    let (says, _) = parse_list(&spec.change.categories.join(","));
    let riddle = change.findings(Category::UnclassifiedCode).iter().any(|finding| finding.origin == Origin::Seen);
    (strict && riddle && says.into_iter().any(Category::explains_code)).then(|| {
        format!(
            "tidegate.io/change-categories as what is in the new image, because whoever edits the workload writes it; let a pipeline say it: kubectl tidegate attest {} -n {} --type {CLASSIFICATION} --fact categories={}",
            seen.release.name,
            seen.release.namespace,
            spec.change.categories.join(",")
        )
    })
}

fn said(claims: Claims<'_>) -> Option<&Claim> {
    match claims.word(CLASSIFICATION, None) {
        Word::For(claim) => Some(claim),
        Word::Against(_) | Word::Silent { .. } => None,
    }
}

fn attested(claim: &Claim, origin: Origin) -> Vec<Finding> {
    let listed = claim.facts.get("categories").map_or("", String::as_str);
    let listed: Vec<String> = listed.split(',').map(|word| word.trim().to_owned()).collect();
    findings(&listed, origin, &format!("attested by {}", claim.author))
}

fn findings(categories: &[String], origin: Origin, evidence: &str) -> Vec<Finding> {
    let (known, _) = parse_list(&categories.join(","));
    let finding = |category| Finding { category, origin, evidence: evidence.to_owned() };
    known.into_iter().map(finding).collect()
}

/// The template that serves and the one that is asked for.
fn templates(seen: &Snapshot) -> Option<(&Value, &Value)> {
    let workload = seen.workload.as_ref()?;
    let stable = stable_set(seen, workload)?;
    Some((&stable.template, &workload.template))
}
