//! What those who own a workload do to what is theirs besides its program: its contract, its routes, its ReplicaSets, its
//! PodDisruptionBudget, its pods, its Service, and what runs beside it.

use std::fmt;

use super::{Act, Item, Mix, Workload, count, seconds};
use crate::api::Span;

/// What a PodDisruptionBudget lets go of the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// No pod.
    Nobody,
    /// One pod at a time.
    One,
    /// What is more than half.
    Half,
    /// A third, and every pod that is not ready.
    Unready,
}

/// One thing that an owner does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Somebody deletes the ReplicaSet that serves, while the workload is held.
    DeleteStable,
    /// One route more leads to the workload, and the GatedRelease names it.
    NameRoute,
    /// The GatedRelease does not name it any more, and it goes once that is let in.
    GiveUpRoute,
    /// The GatedRelease names the label that tells the canary from the workload, or leaves it to Tidegate.
    NameLabel(bool),
    /// `strategy.fallbackPercent`.
    Fallback(u32),
    /// A PodDisruptionBudget of the workload is applied; none deletes it.
    Disruption(Option<Limit>),
    /// `tidegate restart`.
    Restart,
    /// Somebody sets the image of what runs beside the workload.
    EditCopy,
    /// Somebody deletes the previous version, which is the way back.
    DeletePrevious,
    /// The Service of the workload gets one port more, or has what it had.
    Ports(bool),
    /// Git says that a change of the Deployment takes all of its pods away first, or what it said.
    Recreates(bool),
    /// Git says of the StatefulSet that its pods get a new template when somebody deletes them, or what it said.
    OnDelete(bool),
}

impl Owner {
    /// One word, for coverage.
    pub const fn word(self) -> &'static str {
        match self {
            Self::DeleteStable => "delete-stable",
            Self::NameRoute => "name-route",
            Self::GiveUpRoute => "give-up-route",
            Self::NameLabel(true) => "name-label",
            Self::NameLabel(false) => "no-label",
            Self::Fallback(_) => "fallback",
            Self::Disruption(Some(_)) => "disruption-budget",
            Self::Disruption(None) => "no-disruption-budget",
            Self::Restart => "tidegate-restart",
            Self::EditCopy => "edit-copy",
            Self::DeletePrevious => "delete-previous",
            Self::Ports(true) => "more-ports",
            Self::Ports(false) => "fewer-ports",
            Self::Recreates(true) => "strategy-recreate",
            Self::Recreates(false) => "strategy-rolling",
            Self::OnDelete(true) => "update-on-delete",
            Self::OnDelete(false) => "update-rolling",
        }
    }

    /// Every word that there is.
    pub const WORDS: [&'static str; 17] = [
        "delete-stable",
        "name-route",
        "give-up-route",
        "name-label",
        "no-label",
        "fallback",
        "disruption-budget",
        "no-disruption-budget",
        "tidegate-restart",
        "edit-copy",
        "delete-previous",
        "more-ports",
        "fewer-ports",
        "strategy-recreate",
        "strategy-rolling",
        "update-on-delete",
        "update-rolling",
    ];
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fallback(percent) => write!(f, "fallbackPercent: {percent}"),
            Self::Disruption(Some(limit)) => write!(f, "{}: {limit:?} may go", self.word()),
            Self::DeleteStable
            | Self::NameRoute
            | Self::GiveUpRoute
            | Self::NameLabel(_)
            | Self::Disruption(None)
            | Self::Restart
            | Self::EditCopy
            | Self::DeletePrevious
            | Self::Ports(_)
            | Self::Recreates(_)
            | Self::OnDelete(_) => f.write_str(self.word()),
        }
    }
}

/// Whether in the world of a seed who lets a held template run must hold the verb `bypass`: `override.mode: Enforce`.
pub fn enforced(seed: u64) -> bool {
    fastrand::Rng::with_seed(seed ^ 0xe4f0).bool()
}

/// What the owners of a world do; more of its versions come under break-glass, and more people let them go.
pub(super) fn of_seed(seed: u64, mix: Mix, items: &mut [Item]) -> Vec<Item> {
    // Dice of its own.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x0372);
    let within = u32::try_from(mix.within.as_millis() / 1000).unwrap_or(u32::MAX);
    // What the first version is released by is not known yet; a later one may come past the gate.
    for item in items.iter_mut().skip(1) {
        if let Act::Deploy { glass, .. } = &mut item.act {
            *glass |= dice.u32(0..4) == 0;
        }
    }
    let deployed = items.iter().filter(|item| matches!(item.act, Act::Deploy { .. })).map(|item| item.at);
    let deployed: Vec<Span> = deployed.collect();
    let mut all = Vec::new();
    for _ in 0..=count(&mut dice, mix.owners) {
        let (any, span) = (seconds(&mut dice, 3, within), seconds(&mut dice, 3, 60));
        let (began, soon) = (deployed[dice.usize(..deployed.len())], seconds(&mut dice, 1, 30));
        let kind = dice.u32(0..18);
        // What has a meaning while something is held comes soon after it.
        let at =
            if matches!(kind, 0..3 | 15..) { Span::from_millis(began.as_millis() + soon.as_millis()) } else { any };
        let mut push = |here: Act, after: Option<Act>| {
            all.push(Item { at, act: here });
            all.extend(after.map(|act| Item { at: Span::from_millis(at.as_millis() + span.as_millis()), act }));
        };
        let own = Act::Owner;
        match kind {
            0..3 => push(own(Owner::DeleteStable), None),
            3..6 => push(own(Owner::NameRoute), Some(own(Owner::GiveUpRoute))),
            6 => push(own(Owner::NameLabel(true)), Some(own(Owner::NameLabel(false)))),
            7..10 => push(own(Owner::Fallback([1, 34, 50, 67, 100][dice.usize(..5)])), None),
            10..13 => {
                let limit = [Limit::Nobody, Limit::One, Limit::Half, Limit::Unready][dice.usize(..4)];
                let gone = dice.bool().then_some(own(Owner::Disruption(None)));
                push(own(Owner::Disruption(Some(limit))), gone);
            }
            13..15 => push(own(Owner::Restart), None),
            _ => push([Act::Resume, Act::Unpause, Act::Resume][dice.usize(..3)].clone(), None),
        }
    }
    all.extend(beside(seed, mix, within));
    all.extend(recreates(seed, within));
    if mix.workload == Workload::Stateful {
        all.extend(on_delete(seed, within));
    }
    all
}

/// In some worlds the strategy of the Deployment is another for a while.
fn recreates(seed: u64, within: u32) -> Vec<Item> {
    // Dice of its own.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x4ec4);
    if dice.u32(0..3) > 0 {
        return Vec::new();
    }
    let (at, span) = (seconds(&mut dice, 3, within), seconds(&mut dice, 3, 120));
    let until = Span::from_millis(at.as_millis() + span.as_millis());
    [(at, true), (until, false)].map(|(at, all)| Item { at, act: Act::Owner(Owner::Recreates(all)) }).into()
}

/// Mostly a StatefulSet is given another way to update its pods for a while, twice in some worlds.
fn on_delete(seed: u64, within: u32) -> Vec<Item> {
    // Dice of its own.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x0de1);
    let mut all = Vec::new();
    for _ in 0..dice.u32(0..3) {
        let (at, span) = (seconds(&mut dice, 1, within), seconds(&mut dice, 2, 90));
        let until = Span::from_millis(at.as_millis() + span.as_millis());
        all.extend([(at, true), (until, false)].map(|(at, is)| Item { at, act: Act::Owner(Owner::OnDelete(is)) }));
    }
    all
}

/// What is done to the workload's Service and to what runs beside it, at any time: there is not always something beside it.
fn beside(seed: u64, mix: Mix, within: u32) -> Vec<Item> {
    // Dice of its own.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x0c09);
    let mut all = Vec::new();
    for _ in 0..=count(&mut dice, mix.owners) {
        let act = [Owner::EditCopy, Owner::DeletePrevious, Owner::Ports(true)][dice.usize(..3)];
        for act in [act, if act == Owner::Ports(true) { Owner::Ports(false) } else { act }, act] {
            all.push(Item { at: seconds(&mut dice, 3, within), act: Act::Owner(act) });
        }
    }
    all
}
