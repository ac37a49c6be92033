//! What a charge costs, for people and for programs.

use serde::Serialize;

use super::{Output, charge_of};
use crate::api::ReleaseRecord;
use crate::cli::Failure;
use crate::release::charge::{Asked, Cost, Left};

/// What is known of a charge.
pub(super) struct Told<'a> {
    pub(super) namespace: &'a str,
    pub(super) budget: &'a str,
    pub(super) asked: &'a Asked,
    /// What it costs; none where it was charged before.
    pub(super) cost: Option<&'a Cost>,
    /// The attestation that was sent.
    pub(super) attestation: Option<&'a str>,
    /// The record of the charge.
    pub(super) record: Option<&'a ReleaseRecord>,
}

pub(super) fn print(told: &Told<'_>, output: Output) -> Result<String, Failure> {
    match output {
        Output::Text => Ok(text(told)),
        Output::Json => {
            serde_json::to_string_pretty(&json(told)).map(|text| text + "\n").map_err(|why| why.to_string())
        }
    }
}

fn text(told: &Told<'_>) -> String {
    let change = &told.asked.change;
    let mut lines = vec![format!("{}/{}: {change}", told.namespace, told.budget)];
    if let Some(cost) = told.cost {
        lines.push(format!("  score    {}", cost.score));
        lines.extend(cost.score.terms.iter().map(|term| format!("           {term}")));
        lines.push(format!("  gate     {} ({})", cost.decision.gate, cost.decision));
        let left = |left: Left| format!("{}, {} of {} RP", left.band, left.remaining, cost.allocated);
        lines.push(format!("  budget   {} → {}", left(cost.before), left(cost.after)));
        lines.extend(cost.refused.iter().map(|why| format!("  against  {why}")));
    }
    lines.push(outcome(told));
    lines.join("\n") + "\n"
}

/// How it ended, with what can be done.
fn outcome(told: &Told<'_>) -> String {
    if let Some((record, charge)) = told.record.and_then(|record| Some((record, charge_of(record)?))) {
        let name = record.metadata.name.as_deref().unwrap_or_default();
        let before = if told.cost.is_none() { "was charged before: " } else { "charged: " };
        return format!("{before}{} RP, number {}, record {name}", charge.points, charge.sequence);
    }
    let points = told.cost.map(|cost| cost.points.to_string()).unwrap_or_default();
    match (told.attestation, told.cost.is_some_and(Cost::exception)) {
        (Some(attestation), _) => format!("sent: attestation {attestation}; it costs {points} as things are now"),
        (None, true) => format!(
            "not allowed by the budget; nothing was sent. Wait, make the change smaller, or send it all the same for {points}: --past-the-budget"
        ),
        (None, false) => format!("would cost {points}; nothing was sent (--dry-run)"),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    namespace: &'a str,
    budget: &'a str,
    change: &'a crate::api::Change,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<Costs<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<&'a crate::api::release_record::ChargeRecord>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Costs<'a> {
    allowed: bool,
    points: u32,
    score: u32,
    terms: Vec<String>,
    gate: &'static str,
    why: String,
    band_before: &'static str,
    remaining_before: i64,
    band_after: &'static str,
    remaining_after: i64,
    allocated: u32,
    against: &'a [String],
}

fn json<'a>(told: &Told<'a>) -> Page<'a> {
    Page {
        namespace: told.namespace,
        budget: told.budget,
        change: &told.asked.change,
        cost: told.cost.map(|cost| Costs {
            allowed: !cost.exception(),
            points: cost.points.get(),
            score: cost.score.total.get(),
            terms: cost.score.terms.iter().map(ToString::to_string).collect(),
            gate: cost.decision.gate.as_str(),
            why: cost.decision.to_string(),
            band_before: cost.before.band.as_str(),
            remaining_before: cost.before.remaining,
            band_after: cost.after.band.as_str(),
            remaining_after: cost.after.remaining,
            allocated: cost.allocated,
            against: &cost.refused,
        }),
        attestation: told.attestation,
        record: told.record.and_then(|record| record.metadata.name.as_deref()),
        charge: told.record.and_then(charge_of),
    }
}
