//! What Tidegate said, as the events in the API server have it.

use crate::api::Time;
use crate::cluster::kind::EVENT;
use crate::sandbox::screen::EventView;
use crate::sandbox::simulate::world::Shared;

/// The events after a version of the log, the oldest first, each with the version that it made as its number; and the
/// newest version.
pub(super) fn events(shared: &Shared, after: u64, began: Time) -> (u64, Vec<EventView>) {
    shared.with(|world| {
        let api = &world.cluster.api;
        let changes = api.changes(after).filter(|change| change.kind == EVENT);
        let events = changes.filter_map(|change| {
            let event = change.after.as_deref()?;
            let at = Time(event["eventTime"].as_str()?.parse().ok()?);
            Some(EventView {
                number: change.version,
                at: at.since(began),
                warning: event["type"] == "Warning",
                reason: harmless(event["reason"].as_str()?),
                note: harmless(event["note"].as_str()?),
            })
        });
        (api.version(), events.collect())
    })
}

/// Anybody who is served may write an event: a terminal must not obey what it says.
fn harmless(text: &str) -> String {
    text.replace(char::is_control, " ")
}
