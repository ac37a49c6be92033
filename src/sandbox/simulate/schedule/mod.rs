//! What happens in a world: who does what when, and what breaks. Made from the seed alone, before anything runs, so that
//! parts of it can be left out to find the smallest world that still fails.
//!
//! [`Act`] is what there is, [`Mix`] how much of it; `draw` throws the dice. What must never enter: the world itself, or
//! anything that is known only once it runs.

mod act;
mod around;
mod deed;
mod draw;
mod handed;
mod left;
mod mix;
mod owner;
mod preflight;
mod quality;
pub mod shared;
mod sized;
mod trial;
mod word;

pub use act::{Act, PrometheusFault, Voice};
pub use around::Around;
pub use deed::Deed;
pub use mix::{Mix, Workload};
pub use owner::{Limit, Owner, enforced};
pub use quality::Quality;
pub use trial::{Trial, Tried};

use crate::api::Span;
use crate::sandbox::cluster::NODES;
use draw::{deploy, fault, people};

/// When something happens, after the world has settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// How long after.
    pub at: Span,
    /// What.
    pub act: Act,
}

/// What happens in the world of a seed, in the order of time.
pub fn of_seed(seed: u64, mix: Mix) -> Vec<Item> {
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x5eed);
    let mut numbers = 1;
    let mut items = vec![Item { at: seconds(&mut dice, 2, 15), act: deploy(&mut dice, &mut numbers) }];
    let within = u32::try_from(mix.within.as_millis() / 1000).unwrap_or(u32::MAX);
    for _ in 0..count(&mut dice, mix.people) {
        items.push(Item { at: seconds(&mut dice, 5, within), act: people(&mut dice, &mut numbers) });
    }
    for _ in 0..count(&mut dice, mix.faults) {
        items.push(Item { at: seconds(&mut dice, 1, within), act: fault(&mut dice) });
    }
    for _ in 0..count(&mut dice, mix.prometheus) {
        let fault = PrometheusFault::ALL[dice.usize(..PrometheusFault::ALL.len())];
        let act = Act::Prometheus { fault, span: seconds(&mut dice, 5, 150) };
        items.push(Item { at: seconds(&mut dice, 1, within), act });
    }
    // Dice of its own: the rest of a world is what it was before there was a choice.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x57a7);
    let (queue, lean) = (dice.u32(0..4) == 0, dice.u32(0..4) == 0);
    if queue || lean {
        items.push(Item { at: Span::seconds(1), act: Act::Strategy { queue, lean } });
    }
    // And these: what the release is judged by besides its limits.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0xc03b);
    let (compared, sustained, passes) = (dice.u32(0..4) == 0, dice.u32(0..6) == 0, dice.bool());
    if compared || sustained {
        items.push(Item { at: Span::seconds(1), act: Act::Judged { compared, passes, sustained } });
    }
    // And these: Tidegate asks something of the new version itself, which may get to nobody for a while.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0xc4ec);
    if mix.workload == Workload::Routed && dice.u32(0..4) == 0 {
        items.push(Item { at: Span::seconds(1), act: Act::Checked });
        if mix.faults > 0 && dice.bool() {
            let (at, span) = (seconds(&mut dice, 5, 40), seconds(&mut dice, 5, 150));
            items.push(Item { at, act: Act::NotSent(span) });
        }
    }
    // And these: a critical signal of the administrator's.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0xb4ea);
    if mix.people > 0 && dice.u32(0..5) == 0 {
        let at = seconds(&mut dice, 1, within);
        items.push(Item { at, act: Act::Breaker(seconds(&mut dice, 5, 90)) });
    }
    // And these: nodes go away in worlds in which anything fails.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x40de);
    if mix.faults > 0 && dice.u32(0..3) == 0 {
        let (at, span) = (seconds(&mut dice, 5, within), seconds(&mut dice, 10, 180));
        items.push(Item { at, act: Act::NodeGone { node: dice.u32(0..NODES), span } });
    }
    // And these: the owner of the routes edits their rules, mostly while something is released.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x2e17);
    if mix.people > 0 && mix.workload == Workload::Routed && dice.u32(0..3) == 0 {
        for _ in 0..dice.u32(1..4) {
            items.push(Item { at: seconds(&mut dice, 15, within), act: Act::EditRules });
        }
    }
    // And these: he makes them anew, or leads them elsewhere for a while; in half of these worlds after a version that gets bad
    // in its verification, when the routes are all that leads past it.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x4e3f);
    if mix.people > 0 && mix.workload == Workload::Routed && dice.u32(0..3) == 0 {
        if dice.bool() {
            let act = Act::Deploy { number: LATE, quality: Quality::Late, change: "Feature", glass: false };
            items.push(Item { at: seconds(&mut dice, 15, 25), act });
        }
        for _ in 0..dice.u32(1..4) {
            let at = seconds(&mut dice, 15, within);
            if dice.bool() {
                items.push(Item { at, act: Act::RecreateRoute });
                continue;
            }
            let back = Span::from_millis(at.as_millis() + seconds(&mut dice, 1, 30).as_millis());
            items.extend([Item { at, act: Act::MoveRouteAway }, Item { at: back, act: Act::MoveRouteBack }]);
        }
    }
    // And these: somebody applies a copy of the GatedRelease under another name, and mostly takes it away again.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x7219);
    if mix.people > 0 && dice.u32(0..4) == 0 {
        let at = seconds(&mut dice, 1, within);
        items.push(Item { at, act: Act::CreateTwin });
        if dice.u32(0..4) > 0 {
            let back = Span::from_millis(at.as_millis() + seconds(&mut dice, 5, 90).as_millis());
            items.push(Item { at: back, act: Act::DeleteTwin });
        }
    }
    if mix.enforced {
        items.extend(papers(seed, &items));
    }
    items.extend(agreement(seed, &items));
    items.extend(around::of_seed(seed, mix));
    if mix.owners > 0 {
        let own = owner::of_seed(seed, mix, &mut items);
        items.extend(own);
    }
    let first = items.first().map_or(Span::ZERO, |item| item.at);
    if mix.preflight {
        items.extend(preflight::of_seed(seed, first));
    }
    if mix.sized > 0 {
        items.extend(sized::of_seed(seed, mix, first));
    }
    if mix.jobs {
        let trials = trial::of_seed(seed, mix, &mut items);
        items.extend(trials);
    }
    if mix.handed {
        handed::spare_late(&mut items);
        items.extend(handed::of_seed(seed, mix));
    }
    if mix.left {
        items.extend(left::of_seed(seed, mix));
    }
    if mix.shared {
        items.extend(shared::of_seed(seed, mix, first));
    }
    items.sort_by_key(|item| item.at);
    items
}

/// What is shown and said of each version that is deployed.
fn papers(seed: u64, items: &[Item]) -> Vec<Item> {
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x9a9e);
    let mut papers = Vec::new();
    let deployed = items.iter().filter(|item| matches!(item.act, Act::Deploy { .. } | Act::Retry | Act::Restart));
    for item in deployed {
        let later = |dice: &mut fastrand::Rng, most: u32| {
            Span::from_millis(item.at.as_millis() + seconds(dice, 3, most).as_millis())
        };
        let people = dice.bool();
        let but = if dice.u32(0..4) == 0 { dice.usize(..SHOWN) } else { SHOWN };
        let act = Act::Show { but, people, author: dice.bool() };
        papers.push(Item { at: later(&mut dice, 15), act });
        for _ in 0..dice.u32(2..9) {
            let voice = [Voice::Approve, Voice::Reject, Voice::Withdraw][[0, 0, 0, 0, 0, 1, 2, 2][dice.usize(..8)]];
            let act = Act::Speak { who: dice.usize(..PEOPLE), role: dice.usize(..ROLES), voice };
            papers.push(Item { at: later(&mut dice, 40), act });
        }
    }
    papers
}

/// Whoever is asked when the error budget gets worse agrees, in one of two worlds. A machine applies what is in Git, so that two
/// people are asked where one would be if it were known who made it.
fn agreement(seed: u64, items: &[Item]) -> Vec<Item> {
    let mut dice = fastrand::Rng::with_seed(seed ^ 0xa9ee);
    if dice.bool() {
        return Vec::new();
    }
    let worse = items.iter().filter(|item| matches!(item.act, Act::Budget(percent) if percent < HEALTHY));
    let mut all = Vec::new();
    for item in worse {
        for (who, role) in [(4, SENIOR), (5, SENIOR), (6, SRE), (7, SRE)] {
            let later = seconds(&mut dice, 10, 40);
            let at = Span::from_millis(item.at.as_millis() + later.as_millis());
            all.push(Item { at, act: Act::Speak { who, role, voice: Voice::Approve } });
        }
    }
    all
}

/// Percent of the error budget above which nobody more is asked (`001_…`, error budget thresholds).
const HEALTHY: u32 = 50;
/// The places of two roles among [`SPOKEN`].
const SENIOR: usize = 1;
const SRE: usize = 3;
/// The number of a version that is deployed beside those that are drawn.
const LATE: u32 = 90;

/// How many people there are who may speak about what is to start; the first is who makes the changes.
pub const PEOPLE: usize = 4;
/// How many people there are who may speak at all.
pub const SPEAKING: usize = 8;
/// How many roles they speak in about what is to start.
const ROLES: usize = 3;
/// How many roles they speak in at all.
pub const SPOKEN: usize = 4;
/// How much a pipeline attests.
pub const SHOWN: usize = 16;

fn count(dice: &mut fastrand::Rng, most: u32) -> u32 {
    dice.u32(0..=most)
}

fn seconds(dice: &mut fastrand::Rng, least: u32, most: u32) -> Span {
    Span::from_millis(u64::from(dice.u32(least * 1000..=most.max(least) * 1000)))
}
