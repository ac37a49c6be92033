//! How often a limit was breached in a row, where one breach is not enough.

use crate::api::release_record::Trigger;
use crate::api::watched::Streak;
use crate::api::{Span, Time};

use super::verdict::Verdict;

/// After so many spacings without a check that counted, what a streak speaks of is over: two checks in a row could not be told.
const STALE: u64 = 3;

/// How far apart checks count: a window looked at again before it is over is the same requests again, and no second breach.
pub fn spacing(interval: Span, window: Span) -> Span {
    interval.max(window)
}

/// The streaks after a look. A check counts `every` after the last that counted, however often one looks in between. A breach makes a
/// streak longer, up to `most`; a limit that is kept ends it; what cannot be told does neither, but for a time: a streak that is not full and
/// whose last breach is `STALE` times `every` ago is no streak any more, and the next breach is a first one. One that is full has been acted
/// on, or would have been: it stays until the limit is kept.
pub fn counted(before: &[Streak], checks: &[(Trigger, Verdict)], every: Span, most: u32, now: Time) -> Vec<Streak> {
    let stale = Span::from_millis(every.as_millis().saturating_mul(STALE));
    let count = |(limit, verdict): &(Trigger, Verdict)| {
        let goes_on = |streak: &&Streak| streak.count >= most || now < streak.at.plus(stale);
        let stands = before.iter().find(|streak| streak.limit == *limit).filter(goes_on).copied();
        match (stands, verdict) {
            (Some(stands), _) if now < stands.at.plus(every) => Some(stands),
            (Some(stands), Verdict::NotYet(_)) => Some(stands),
            // As long as it can get: what is not moved is not written.
            (Some(stands), Verdict::Fail(_)) if stands.count >= most => Some(stands),
            (Some(stands), Verdict::Fail(_)) => Some(Streak { count: stands.count + 1, at: now, ..stands }),
            (None, Verdict::Fail(_)) => Some(Streak { limit: *limit, count: 1, at: now }),
            (Some(_), Verdict::Pass(_)) | (None, Verdict::Pass(_) | Verdict::NotYet(_)) => None,
        }
    };
    checks.iter().filter_map(count).collect()
}

/// How often a limit was breached in a row up to now.
pub fn of(streaks: &[Streak], limit: Trigger) -> u32 {
    streaks.iter().find(|streak| streak.limit == limit).map_or(0, |streak| streak.count)
}
