//! One act, drawn from a world's dice.

use super::{Act, Quality, seconds};

pub(super) fn deploy(dice: &mut fastrand::Rng, numbers: &mut u32) -> Act {
    *numbers += 1;
    let quality = match dice.u32(0..11) {
        0..4 => Quality::Good,
        4..6 => Quality::Errors,
        6 => Quality::Slow,
        7 => Quality::Unready,
        8 => Quality::Crashes,
        9 => Quality::Disliked,
        _ => Quality::Late,
    };
    let change = ["Feature", "BugFix", "Reliability", "SecurityFix", "IncidentFix", "Config"][dice.usize(..6)];
    Act::Deploy { number: *numbers, quality, change, glass: dice.u32(0..20) == 0 }
}

pub(super) fn people(dice: &mut fastrand::Rng, numbers: &mut u32) -> Act {
    match dice.u32(0..30) {
        0..5 => deploy(dice, numbers),
        24 | 25 => Act::Autoscale(dice.u32(3..=6)),
        26 => Act::NoAutoscaler,
        27 => Act::Load(dice.u32(20..=180)),
        5..8 => Act::Revert,
        8..10 => Act::Scale(dice.u32(0..=5)),
        10 => Act::Resume,
        11 => Act::Unpause,
        12 => Act::Restart,
        13 => [Act::RemoveLabel, Act::AddLabel][dice.usize(..2)].clone(),
        14 => [Act::DeleteRelease, Act::Detach][dice.usize(..2)].clone(),
        15 => [Act::CreateRelease, Act::Attach][dice.usize(..2)].clone(),
        16 => Act::ReapplyRoute,
        17 => Act::EditRoute,
        18 => Act::EditRelease,
        19 => Act::Retry,
        20 => Act::Recreate,
        21 | 28 | 29 => Act::Budget([5, 20, 40, 90][dice.usize(..4)]),
        22 => Act::Malformed,
        _ => Act::DeleteCanary,
    }
}

pub(super) fn fault(dice: &mut fastrand::Rng) -> Act {
    match dice.u32(0..14) {
        0..4 => Act::Crash { process: dice.usize(..2), writes: dice.u32(0..8), pause: seconds(dice, 0, 20) },
        4 | 5 => Act::Lossy { one_in: dice.u32(2..12), span: seconds(dice, 3, 40) },
        6 | 7 => Act::Conflicts { one_in: dice.u32(1..6), span: seconds(dice, 3, 40) },
        8 => Act::Partition { process: dice.usize(..2), span: seconds(dice, 5, 40) },
        9 => [Act::DropWatches, Act::Compact][dice.usize(..2)].clone(),
        10 => Act::Flap(seconds(dice, 3, 20)),
        11 => Act::RouterStuck(seconds(dice, 20, 240)),
        12 => Act::Aside(seconds(dice, 10, 90)),
        _ => Act::RouterLag(seconds(dice, 3, 30)),
    }
}
