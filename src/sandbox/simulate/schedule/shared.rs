//! What happens around a RiskBudget that two releases spend, drawn from dice of its own.

use super::{Act, Deed, Item, Mix, Quality, Voice, seconds};
use crate::api::Span;

/// How many points the budget has: for one release at a time, for two, for some.
const POINTS: [u32; 4] = [20, 24, 34, 60];
/// How soon after the end of a world's beginning its window turns at the earliest and at the latest, in seconds.
const TURNS: (u64, u64) = (30, 140);

/// With how many points a world begins.
pub fn points(seed: u64) -> u32 {
    POINTS[seed as usize % POINTS.len()]
}

/// How many seconds after a world's items begin the window of its budget turns.
pub fn turns_after(seed: u64) -> u64 {
    TURNS.0 + seed.wrapping_mul(7) % (TURNS.1 - TURNS.0)
}

/// The deeds of a seed. `first` is when the first version of the first service is deployed.
pub(super) fn of_seed(seed: u64, mix: Mix, first: Span) -> Vec<Item> {
    let mut dice = fastrand::Rng::with_seed(seed ^ 0xb0d6);
    let within = u32::try_from(mix.within.as_millis() / 1000).unwrap_or(u32::MAX);
    let mut items = Vec::new();
    let mut add = |at: Span, deed: Deed| items.push(Item { at, act: Act::Deed(deed) });
    let later = |at: Span, dice: &mut fastrand::Rng, least: u32, most: u32| {
        Span::from_millis(at.as_millis() + seconds(dice, least, most).as_millis())
    };
    // Two that start at once: in half of all worlds in the same moment.
    let at = if dice.bool() { first } else { later(first, &mut dice, 0, 8) };
    add(at, second(&mut dice, 1));
    for number in 2..2 + dice.u32(0..=2) {
        let at = seconds(&mut dice, 10, within);
        add(at, second(&mut dice, number));
    }
    if dice.u32(0..4) == 0 {
        add(seconds(&mut dice, 10, within), Deed::RevertSecond);
    }
    for _ in 0..dice.u32(0..=4) {
        add(seconds(&mut dice, 1, within), charge(&mut dice));
    }
    for _ in 0..dice.u32(0..=3) {
        let at = seconds(&mut dice, 1, within);
        let deed = match dice.u32(0..3) {
            0 => Deed::Objective([950, 985, 990, 995][dice.usize(..4)]),
            _ => Deed::Points([8, 16, 24, 40, 80][dice.usize(..5)]),
        };
        add(at, deed);
        let mut at = at;
        for (who, role, voice) in voices(&mut dice) {
            at = later(at, &mut dice, 1, 8);
            add(at, Deed::Agree { who, role, voice });
        }
    }
    for _ in 0..dice.u32(0..=4) {
        let who = (dice.u32(0..4) > 0).then(|| dice.usize(..super::PEOPLE));
        add(seconds(&mut dice, 20, within + 60), Deed::Meet { who, astray: dice.u32(0..4) == 0 });
    }
    if mix.faults > 0 && dice.bool() {
        let (at, pause) = (seconds(&mut dice, 1, within), seconds(&mut dice, 0, 12));
        add(at, Deed::DieCharging { process: 0, pause });
        add(at, Deed::DieCharging { process: 1, pause });
    }
    // Dice of its own: who deletes records changes nothing of what others do.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x9012e);
    for _ in 0..dice.u32(0..=2) {
        items.push(Item { at: seconds(&mut dice, 10, within + 60), act: Act::Deed(Deed::Purge) });
    }
    items
}

fn second(dice: &mut fastrand::Rng, number: u32) -> Deed {
    let quality = match dice.u32(0..8) {
        0..5 => Quality::Good,
        5 => Quality::Errors,
        6 => Quality::Unready,
        _ => Quality::Slow,
    };
    let change = ["Feature", "Feature", "Config", "Refactor", "BugFix"][dice.usize(..5)];
    Deed::DeploySecond { number: number + 1, quality, change }
}

/// Few numbers, so that a change is often charged more than once.
fn charge(dice: &mut fastrand::Rng) -> Deed {
    Deed::Charge {
        number: dice.u32(1..=3),
        category: ["infrastructure", "feature-flag", "schema-migration-additive"][dice.usize(..3)],
        change: ["Infrastructure", "Feature", "IncidentFix"][dice.usize(..3)],
        back: dice.u32(0..6) == 0,
    }
}

/// Who speaks about a loosening, in which role and how, one after the other.
fn voices(dice: &mut fastrand::Rng) -> Vec<(usize, usize, Voice)> {
    use Voice::{Approve, Reject, Withdraw};
    match dice.u32(0..8) {
        // Both.
        0..3 => vec![(1, 0, Approve), (2, 1, Approve)],
        // One takes back before the other speaks, and some come round.
        3 => vec![(1, 0, Approve), (1, 0, Withdraw), (2, 1, Approve)],
        4 => vec![(1, 0, Approve), (1, 0, Withdraw), (2, 1, Approve), (3, 0, Approve)],
        // One person in both roles.
        5 => vec![(1, 0, Approve), (1, 1, Approve)],
        6 => vec![(2, 1, Approve)],
        _ => vec![(3, 0, Reject), (1, 0, Approve), (2, 1, Approve)],
    }
}
