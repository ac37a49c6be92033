//! Limits in the course of a release: breaches in a row are counted where one is not enough, and what is on trial is put on
//! record where it would have decided.

use super::compare;
use crate::analysis::{Breach, Limits, Verdict, checks, streak};
use crate::api::Time;
use crate::api::release_record::ReleaseRecordStatus;
use crate::api::watched::WouldHave;
use crate::release::snapshot::Snapshot;
use crate::release::wording;

/// As much of a figure as the record keeps.
const FIGURE_MAX: usize = 128;

/// The record's status with this look counted in: once a window, however often one looks.
pub(super) fn counted(seen: &Snapshot, status: ReleaseRecordStatus, now: Time) -> ReleaseRecordStatus {
    let Some(answers) = seen.answers.as_ref().filter(|_| compare::is_judged(&status)) else { return status };
    let (contract, analysis) = (&seen.release.spec.rollback, &seen.release.spec.analysis);
    let limits = Limits {
        contract,
        min_requests: analysis.min_requests,
        last_seen: status.last_seen(),
        scatter: compare::scatter(&status),
        looked: compare::looked(seen, now),
        course: compare::course(&status),
        share: None,
        business: status.business.as_deref(),
        in_a_row: contract.consecutive,
        streaks: &[],
    };
    let windows = std::iter::once(&answers.recent).chain(&answers.whole);
    let windows: Vec<_> = windows.map(|one| compare::beside_who_serves(seen, &status, one)).collect();
    let checks = checks(limits, &windows.iter().collect::<Vec<_>>());
    let most = contract.consecutive;
    let streaks = match most > 1 {
        true => {
            let every = streak::spacing(analysis.interval, analysis.window);
            streak::counted(&status.streaks, &checks, every, most, now)
        }
        false => Vec::new(),
    };
    let exceeded = |verdict: &Verdict| match verdict {
        Verdict::Fail(breach) if most <= 1 || streak::of(&streaks, breach.trigger) >= most => Some(breach.clone()),
        Verdict::Fail(_) | Verdict::Pass(_) | Verdict::NotYet(_) => None,
    };
    let trials = contract.dry_run.iter().map(|limit| limit.trigger());
    let of_limits = trials.filter_map(|trial| exceeded(&checks.iter().find(|(limit, _)| *limit == trial)?.1));
    let found: Vec<Breach> = of_limits.chain(compare::on_trial(seen, &status)).collect();
    let mut would_have = status.would_have.clone();
    for breach in found {
        // The first of each is news; a record stays small.
        if would_have.iter().all(|told| told.trigger != breach.trigger) {
            let figure = |text: &str| wording::at_most(FIGURE_MAX, text);
            let (value, threshold) = (figure(&breach.value), figure(&breach.threshold));
            would_have.push(WouldHave { trigger: breach.trigger, value, threshold, at: now });
        }
    }
    ReleaseRecordStatus { streaks, would_have, ..status }
}
