//! The hard limits of the rollback contract: error rate, latency, complaints (`002_…`, plan phase; `003_…`, module 1).
//!
//! Each limit looks at the evidence by itself; [`judge`] makes one verdict of them. That both versions fail alike is
//! told in the sentence and does not excuse the new one: the limit protects users.

use crate::api::Percent;
use crate::api::gated_release::RollbackContract;
use crate::api::release_record::Trigger;
use crate::api::watched::Streak;

use super::business::{BusinessTally, business};
use super::chance::{Looked, beyond_chance, speaks_against};
use super::compare::Overdispersion;
use super::course::Course;
use super::evidence::{ArmSample, Evidence, Observation};
use super::figures::{count, percent};
use super::latency::{LastSeen, latency};
use super::needed::{Flowed, times_beyond_chance};
use super::share::Share;
use super::streak;
use super::verdict::{Breach, NotYet, Verdict, all_of};

/// Errors may exceed requests by this factor, because `increase()` extrapolates the two apart; beyond, the queries differ.
pub(super) const EXTRAPOLATION_MAX: f64 = 1.05;

/// What the versions are held to.
#[derive(Debug, Clone, Copy)]
pub struct Limits<'a> {
    /// The thresholds at which the change comes back.
    pub contract: &'a RollbackContract,
    /// Requests that a version must have answered before it can pass, or its latency be judged. From 1.
    pub min_requests: u32,
    /// Stable's latency as it was last seen with at least `min_requests` requests; judges where stable has fewer, or too few to
    /// tell chance apart. None where it was never seen.
    pub last_seen: Option<LastSeen>,
    /// How much stable's own failures scatter, as it was measured when the release began; what is assumed where it was not.
    pub scatter: Overdispersion,
    /// For how long it has been looked at where it is now.
    pub looked: Looked,
    /// Its requests of all intervals; None where they are not counted.
    pub course: Option<Course<'a>>,
    /// What the new version's share ought to be; None where both do not have traffic, or nothing divides it exactly.
    pub share: Option<Share>,
    /// What the business metric came to in all stages together; None where it is not counted yet, or nothing is judged.
    pub business: Option<&'a BusinessTally>,
    /// How many breaches of a limit in a row bring the change back, from 1.
    pub in_a_row: u32,
    /// How often each limit was breached in a row, this look included; not asked where one is enough.
    pub streaks: &'a [Streak],
}

impl Limits<'_> {
    /// Whether a limit only reports.
    fn on_trial(&self, limit: Option<Trigger>) -> bool {
        self.contract.dry_run.iter().any(|trial| Some(trial.trigger()) == limit)
    }

    /// A breach that did not last for so many checks yet is none.
    fn patient(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Fail(breach) => match streak::of(self.streaks, breach.trigger) {
                count if self.in_a_row > 1 && count < self.in_a_row => {
                    Verdict::NotYet(NotYet::Breached { figures: breach.sentence, count, of: self.in_a_row })
                }
                _ => Verdict::Fail(breach),
            },
            other @ (Verdict::Pass(_) | Verdict::NotYet(_)) => other,
        }
    }
}

type Limit = fn(&Limits<'_>, &Observation) -> Verdict;

/// Every limit with what a breach of it sets off, in the order in which a breach is told; the share holds only.
const LIMITS: &[(Option<Trigger>, Limit)] = &[
    (Some(Trigger::ErrorRate), error_rate),
    (Some(Trigger::Latency), latency),
    (Some(Trigger::Complaints), complaints),
    (Some(Trigger::BusinessMetric), business),
    (None, share),
];

/// What an observation comes to under the contract.
///
/// Any breach fails. Otherwise whatever could not be looked at holds: unreachable before invalid, partial, missing, too
/// little, undecided. Only when every limit was looked at and kept it passes. A limit on trial (`dryRun`) says nothing here.
pub fn judge(limits: Limits<'_>, seen: &Observation) -> Verdict {
    let deciding = LIMITS.iter().filter(|(trigger, _)| !limits.on_trial(*trigger));
    all_of(deciding.map(|(_, limit)| limits.patient(limit(&limits, seen))).collect())
}

/// The same where too few requests are let be, and what chance would explain: what there were decides, and passes where it does not
/// speak against the version.
pub fn judge_few(limits: Limits<'_>, seen: &Observation) -> Verdict {
    let deciding = LIMITS.iter().filter(|(trigger, _)| !limits.on_trial(*trigger));
    let few = |trigger, verdict| match (trigger, verdict) {
        (Some(Trigger::ErrorRate), Verdict::NotYet(NotYet::TooLittle { .. })) => few_errors(&limits, seen),
        (Some(Trigger::ErrorRate), Verdict::NotYet(NotYet::Undecided { figures, .. })) => {
            match few_errors(&limits, seen) {
                Verdict::Pass(_) => Verdict::Pass(figures),
                against @ (Verdict::Fail(_) | Verdict::NotYet(_)) => against,
            }
        }
        (_, Verdict::NotYet(NotYet::TooLittle { .. })) => Verdict::Pass(String::new()),
        (_, Verdict::NotYet(NotYet::Undecided { figures, .. })) => Verdict::Pass(figures),
        (_, other @ (Verdict::Pass(_) | Verdict::Fail(_) | Verdict::NotYet(_))) => other,
    };
    all_of(deciding.map(|(trigger, limit)| few(*trigger, limits.patient(limit(&limits, seen)))).collect())
}

/// What so few requests say of the error rate.
fn few_errors(limits: &Limits<'_>, seen: &Observation) -> Verdict {
    let counts = match counts(&seen.candidate, "the new version") {
        Ok(counts) if counts.requests <= 0.0 => return too_little(0.0, limits.min_requests),
        Ok(counts) => counts,
        Err(why) => return Verdict::NotYet(why),
    };
    let limit = limits.contract.error_rate_percent;
    let figures = error_figures(&counts, limit, &seen.base);
    if speaks_against(counts.errors, counts.requests, limit.ratio()) {
        let figures = format!("{figures}: too few to be sure, and too many failed to let it pass");
        return Verdict::NotYet(NotYet::Undecided { figures, needed: until_failures_tell(limits, &counts, seen) });
    }
    Verdict::Pass(figures)
}

/// What each limit comes to by itself in one look over one window or two, those on trial included: breached where either
/// shows it, kept where no window leaves it open.
pub fn checks(limits: Limits<'_>, windows: &[&Observation]) -> Vec<(Trigger, Verdict)> {
    let of = |limit: &Limit| all_of(windows.iter().map(|seen| limit(&limits, seen)).collect());
    LIMITS.iter().filter_map(|(trigger, limit)| Some(((*trigger)?, of(limit)))).collect()
}

/// More of the new version's requests fail than the contract allows.
fn error_rate(limits: &Limits<'_>, seen: &Observation) -> Verdict {
    let limit = limits.contract.error_rate_percent;
    if let Some(breach) = limits.course.and_then(|course| course.breach(limit)) {
        return Verdict::Fail(breach);
    }
    let counts = match counts(&seen.candidate, "the new version") {
        Ok(counts) => counts,
        Err(why) => return Verdict::NotYet(why),
    };
    let Counts { requests, errors } = counts;
    if requests <= 0.0 {
        return too_little(requests, limits.min_requests);
    }
    let rate = errors / requests;
    let figures = error_figures(&counts, limit, &seen.base);
    if beyond_chance(errors, requests, limit.ratio(), limits.scatter, limits.looked) {
        return Verdict::Fail(Breach {
            trigger: Trigger::ErrorRate,
            value: format!("{} of {} requests", percent(rate), count(requests)),
            threshold: limit.to_string(),
            sentence: figures,
        });
    }
    if requests < f64::from(limits.min_requests) {
        return too_little(requests, limits.min_requests);
    }
    if rate > limit.ratio() {
        let figures = format!("{figures}: above the limit, but chance would explain it");
        return Verdict::NotYet(NotYet::Undecided { figures, needed: until_failures_tell(limits, &counts, seen) });
    }
    Verdict::Pass(figures)
}

/// How long it takes until so many failures are no chance any more. One that fails less from now on keeps the limit sooner.
fn until_failures_tell(limits: &Limits<'_>, of: &Counts, seen: &Observation) -> String {
    let limit = limits.contract.error_rate_percent.ratio();
    let times = times_beyond_chance((of.errors, of.requests), limit, limits.scatter, limits.looked);
    Flowed::to_the_new_version(of.requests, seen.window).until_times(times)
}

/// More complaints came than the contract allows. Asked only where it names how many.
fn complaints(limits: &Limits<'_>, seen: &Observation) -> Verdict {
    let Some(limit) = limits.contract.complaints else {
        return Verdict::Pass(String::new());
    };
    let Some(evidence) = &seen.complaints else {
        return Verdict::NotYet(NotYet::NoData(format!(
            "complaints: the contract allows {limit}, and no query asks for them"
        )));
    };
    // Complaints are whole: what `increase()` extrapolates beyond them is nobody's.
    match figure(evidence, "complaints").map(f64::round) {
        Err(why) => Verdict::NotYet(why),
        Ok(number) if number > f64::from(limit) => Verdict::Fail(Breach {
            trigger: Trigger::Complaints,
            value: format!("{} complaints", count(number)),
            threshold: limit.to_string(),
            sentence: format!("{} complaints during the release, limit {limit}", count(number)),
        }),
        Ok(number) => Verdict::Pass(format!("{} complaints, limit {limit}", count(number))),
    }
}

/// Requests and errors of one version, in range.
pub(super) struct Counts {
    pub(super) requests: f64,
    pub(super) errors: f64,
}

/// The counts of one version; errors are not asked for where there were no requests.
pub(super) fn counts(arm: &ArmSample, who: &str) -> Result<Counts, NotYet> {
    let requests = figure(&arm.requests, &format!("requests of {who}"))?;
    if requests <= 0.0 {
        return Ok(Counts { requests, errors: 0.0 });
    }
    let errors = figure(&arm.errors, &format!("errors of {who}"))?;
    if errors > requests * EXTRAPOLATION_MAX {
        return Err(NotYet::Invalid(format!("{} errors among {} requests of {who}", count(errors), count(requests))));
    }
    Ok(Counts { requests, errors: errors.min(requests) })
}

/// A whole figure that is finite and not negative, or why there is none.
pub fn figure(evidence: &Evidence<f64>, what: &str) -> Result<f64, NotYet> {
    match evidence {
        Evidence::Value(value) if value.is_finite() && *value >= 0.0 => Ok(*value),
        Evidence::Value(value) => Err(NotYet::Invalid(format!("{what}: {value}"))),
        Evidence::NoData(why) => Err(NotYet::NoData(format!("{what}: {why}"))),
        Evidence::Partial { why, .. } => Err(NotYet::Partial(format!("{what}: {why}"))),
        Evidence::Invalid(why) => Err(NotYet::Invalid(format!("{what}: {why}"))),
        Evidence::Unreachable(why) => Err(NotYet::Unreachable(format!("{what}: {why}"))),
    }
}

/// `0.5 % of 1,200 requests failed, limit 1 % (stable 0.1 % of 3,600)`. There are requests.
fn error_figures(of: &Counts, limit: Percent, base: &ArmSample) -> String {
    let (rate, of) = (percent(of.errors / of.requests), count(of.requests));
    format!("{rate} of {of} requests failed, limit {limit} ({})", base_error_rate(base))
}

/// The other version's error rate, for the sentence only: it decides nothing here.
fn base_error_rate(base: &ArmSample) -> String {
    match counts(base, "stable") {
        Ok(Counts { requests, errors }) if requests > 0.0 => {
            format!("stable {} of {}", percent(errors / requests), count(requests))
        }
        Ok(_) | Err(NotYet::NoData(_)) => "stable without traffic".to_owned(),
        Err(_) => "stable not known".to_owned(),
    }
}

fn share(limits: &Limits<'_>, seen: &Observation) -> Verdict {
    limits.share.map_or_else(|| Verdict::Pass(String::new()), |share| share.judge(seen, limits.min_requests))
}

pub(super) fn too_little(have: f64, need: u32) -> Verdict {
    Verdict::NotYet(NotYet::TooLittle { have, need })
}
