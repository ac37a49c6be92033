//! What a change touches: what is said of it, by whoever may say it, joined with what is seen between the templates.

use serde_json::Value;

use super::super::plan::stable_set;
use super::super::snapshot::{RiskSeen, Snapshot};
use super::super::template::diff;
use super::claims::Heard;
use crate::api::Time;
use crate::api::release_record::{AssessmentRecord, ReleaseRecordSpec};
use crate::api::risk_budget::ExplainedBy;
use crate::policy::Classification;
use crate::policy::category::{Category, Finding, Origin, parse_list};
use crate::policy::evidence::CLASSIFICATION;
use crate::policy::requirement::author::made_by;
use crate::policy::requirement::{Claim, Claims, Word};

/// Whose word says what is in a new image.
fn explained_by(risk: &RiskSeen) -> ExplainedBy {
    risk.requirements.explained_by.unwrap_or(risk.tier.explained_by())
}

/// What is said of what comes new by those whose word is taken for it.
pub(super) struct Explanation {
    /// One attestation of each image of which somebody says it, or one of the revision.
    claims: Vec<Claim>,
    /// Whether that is all that comes new.
    whole: bool,
}

impl Explanation {
    /// The attestations, where they speak of all that comes new.
    pub(super) fn of_all(&self) -> &[Claim] {
        if self.whole { &self.claims } else { &[] }
    }

    /// What they count as. One image of which more is told than its documents explains no other.
    fn origin(&self) -> Origin {
        let alike = self.claims.iter().all(explains_code) || !self.claims.iter().any(explains_code);
        if self.whole && alike { Origin::Claimed } else { Origin::Written }
    }
}

/// The attestations that say what is in what comes new. Nobody says it whose word is not taken for that: who made the change may call it
/// harmless, and so may somebody where it is not known who did.
pub(super) fn explanation(heard: &Heard, risk: &RiskSeen, now: Time) -> Explanation {
    let others = |claim: &&Claim| {
        let of_another = heard.knows_authors && !made_by(&heard.authors, &claim.author);
        claim.kind == CLASSIFICATION && (claim.is_of_machine() || of_another)
    };
    match explained_by(risk) {
        ExplainedBy::Annotation => explained(heard.claims(now)),
        ExplainedBy::Attestation => {
            let vouched: Vec<Claim> = heard.claims.iter().filter(others).cloned().collect();
            explained(heard.of(&vouched, now))
        }
    }
}

fn explained(claims: Claims<'_>) -> Explanation {
    Explanation {
        claims: claims.each(CLASSIFICATION).into_iter().cloned().collect(),
        whole: matches!(claims.word(CLASSIFICATION, None), Word::For(_)),
    }
}

/// What is claimed of the change, by annotation or by attestation, joined with what differs between the templates; with what
/// explains what comes new, where something does.
pub(super) fn classified(
    seen: &Snapshot,
    spec: &ReleaseRecordSpec,
    (heard, explained, risk): (&Heard, &Explanation, &RiskSeen),
    (found, recorded): (&[String], Option<&AssessmentRecord>),
    now: Time,
) -> Classification {
    let written = match explained_by(risk) {
        ExplainedBy::Annotation => Origin::Claimed,
        ExplainedBy::Attestation => Origin::Written,
    };
    let mut findings = findings(&spec.change.categories, written, "the change says so");
    findings.extend(self::findings(found, Origin::Claimed, "seen when it ran past its gate"));
    findings.extend(explained.claims.iter().flat_map(|claim| attested(claim, explained.origin())));
    let of_others = |claim: &&Claim| !explained.claims.contains(claim);
    let added = heard.claims(now).each(CLASSIFICATION).into_iter().filter(of_others);
    findings.extend(added.flat_map(|claim| attested(claim, Origin::Written)));
    // What was found then stands for the templates: the workload may run the new one by now, or have a newer one.
    match recorded {
        Some(recorded) => {
            findings.extend(self::findings(&recorded.categories, Origin::Seen, "found when it began to ship"));
        }
        None if found.is_empty() => {
            if let Some((before, after)) = templates(seen) {
                findings.extend(diff::findings(&diff::diff(before, after)));
            }
        }
        None => {}
    }
    Classification::new(findings)
}

/// Whether a classification says what changed in a program.
fn explains_code(claim: &Claim) -> bool {
    categories(claim).into_iter().any(Category::explains_code)
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

fn attested(claim: &Claim, origin: Origin) -> Vec<Finding> {
    let evidence = format!("attested by {}", claim.author);
    let finding = |category| Finding { category, origin, evidence: evidence.clone() };
    categories(claim).into_iter().map(finding).collect()
}

fn categories(claim: &Claim) -> Vec<Category> {
    parse_list(claim.facts.get("categories").map_or("", String::as_str)).0
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
