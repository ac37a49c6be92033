//! When the clocks of a zone show a time, also where they are put forward or back.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::api::Time;

/// The first moment at which the clocks show a time or a later one; where they skip it, the moment of the skip.
pub(super) fn first(zone: &TimeZone, shown: DateTime) -> Time {
    moment(zone, shown, false)
}

/// The same for an end: of a time that the clocks show twice, the second.
pub(super) fn last(zone: &TimeZone, shown: DateTime) -> Time {
    moment(zone, shown, true)
}

fn moment(zone: &TimeZone, shown: DateTime, second: bool) -> Time {
    let at = zone.to_ambiguous_timestamp(shown);
    let found = match at.offset() {
        AmbiguousOffset::Unambiguous { .. } => at.compatible(),
        AmbiguousOffset::Fold { .. } if second => at.later(),
        AmbiguousOffset::Fold { .. } => at.earlier(),
        // As if the clocks had not been put forward yet: the skip lies before, or just there.
        AmbiguousOffset::Gap { .. } => at.later().map(|later| skip_before(zone, later)),
    };
    // Only years that no calendar reaches have no such moment.
    Time(found.unwrap_or(Timestamp::MAX))
}

fn skip_before(zone: &TimeZone, at: Timestamp) -> Timestamp {
    let just_after = at.checked_add(jiff::SignedDuration::from_nanos(1)).unwrap_or(at);
    zone.preceding(just_after).next().map_or(at, |skip| skip.timestamp())
}
