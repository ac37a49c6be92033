//! How often a limit was breached in a row, where one breach is not enough.

use crate::api::release_record::Trigger;
use crate::api::watched::Streak;
use crate::api::{Span, Time};

use super::verdict::Verdict;

/// The streaks after a look. A check counts once an interval, however often one looks in it: `every` after the last that
/// counted. A breach makes a streak longer, up to `most`; a limit that is kept ends it; what cannot be told does neither.
pub fn counted(before: &[Streak], checks: &[(Trigger, Verdict)], every: Span, most: u32, now: Time) -> Vec<Streak> {
    let count = |(limit, verdict): &(Trigger, Verdict)| {
        let stands = before.iter().find(|streak| streak.limit == *limit).copied();
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
