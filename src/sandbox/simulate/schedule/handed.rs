//! A workload that is handed over from one GatedRelease to another that names it, and back, drawn from dice of its own.

use super::{Act, Item, Mix, Quality, seconds};
use crate::api::Span;

/// The copy comes, the first goes at any moment of a release; the first comes back, and the copy goes.
pub(super) fn of_seed(seed: u64, mix: Mix) -> Vec<Item> {
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x4a2d);
    let within = u32::try_from(mix.within.as_millis() / 1000).unwrap_or(u32::MAX);
    let mut at = Span::ZERO;
    let mut items = Vec::new();
    let steps = [
        (Act::CreateTwin, 1, 20),
        (Act::DeleteFirst, 5, within / 2),
        // Leaving takes a while where a release goes on.
        (Act::CreateRelease, 40, 90),
        (Act::DeleteTwin, 2, within / 2),
    ];
    for (act, least, most) in steps {
        at = Span::from_millis(at.as_millis() + seconds(&mut dice, least, most).as_millis());
        items.push(Item { at, act });
    }
    items
}

/// After a late rollback the previous version that serves is the first one's, and brought home by a person before anybody takes over:
/// in these worlds no version gets bad late.
pub(super) fn spare_late(items: &mut [Item]) {
    for item in items {
        if let Act::Deploy { quality, .. } = &mut item.act
            && *quality == Quality::Late
        {
            *quality = Quality::Errors;
        }
    }
}
