//! How the traffic of a route is divided between the versions.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::Weight;

/// Which of the objects that carry a version is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Carrier {
    /// The user's own Deployment and Service.
    Workload,
    /// The canary beside it.
    Canary,
    /// The last version, kept warm.
    Previous,
}

impl Carrier {
    /// The name in labels and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Workload => "workload",
            Self::Canary => "canary",
            Self::Previous => "previous",
        }
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// All of them, in the order in which they stand in a rule.
pub const CARRIERS: [Carrier; 3] = [Carrier::Workload, Carrier::Canary, Carrier::Previous];

/// Whose version is the oldest among those with a share: the previous one's, else the workload's.
fn oldest(shares: [Option<u32>; 3]) -> Option<usize> {
    let by_age = [Carrier::Previous, Carrier::Workload, Carrier::Canary];
    by_age.into_iter().map(|carrier| carrier as usize).find(|place| shares[*place].is_some_and(|share| share > 0))
}

/// The weights of one route. They sum to 100 by construction; an absent carrier has no backendRef at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Split {
    workload: Weight,
    canary: Option<Weight>,
    previous: Option<Weight>,
}

impl Split {
    /// All traffic on the workload and nothing else in the route: exactly what Git says.
    pub const HOME: Self = Self { workload: Weight::FULL, canary: None, previous: None };

    /// So much on the canary, the rest on the workload.
    pub const fn canary(weight: Weight) -> Self {
        Self { workload: weight.rest(), canary: Some(weight), previous: None }
    }

    /// So much on the previous version, the rest on the workload.
    pub const fn previous(weight: Weight) -> Self {
        Self { workload: weight.rest(), canary: None, previous: Some(weight) }
    }

    /// A hand-back: so much on the workload, the rest on the canary, previous ready at 0.
    pub const fn hand_back(workload: Weight) -> Self {
        Self { workload, canary: Some(workload.rest()), previous: Some(Weight::ZERO) }
    }

    /// While the workload of a lean release rolls: canary and previous version carry one half each.
    pub const LEAN: Self =
        Self { workload: Weight::ZERO, canary: Some(Weight::whole(50)), previous: Some(Weight::whole(50)) };

    /// All traffic on the previous version while the canary still stands in the route.
    pub const FALL_BACK: Self =
        Self { workload: Weight::ZERO, canary: Some(Weight::ZERO), previous: Some(Weight::FULL) };

    /// From what a route says; `None` where the weights do not sum to 100.
    pub fn from_weights(workload: Weight, canary: Option<Weight>, previous: Option<Weight>) -> Option<Self> {
        let sum = [Some(workload), canary, previous].into_iter().flatten().map(|w| u32::from(w.get())).sum::<u32>();
        (sum == 100).then_some(Self { workload, canary, previous })
    }

    /// So many parts of a rule's traffic, in whole numbers, by carrier. Where hundredths of them do not come out even, the
    /// rest goes to the oldest version that has a share: a younger one never gets more than its weight.
    pub fn shares(self, whole: u32) -> [u32; 3] {
        let mut shares = CARRIERS.map(|carrier| whole.saturating_mul(u32::from(self.weight(carrier).get())) / 100);
        if let Some(oldest) = oldest(self.weights().map(|weight| weight.map(|weight| u32::from(weight.get())))) {
            shares[oldest] += whole.saturating_sub(shares.iter().sum());
        }
        shares
    }

    /// The split that gives such shares, by carrier; a share that is no whole percent counts as the next higher one, at the
    /// expense of the oldest version. `None` where the workload is not among them, or there is nothing to share.
    pub fn of_shares(shares: [Option<u32>; 3]) -> Option<Self> {
        let whole: u32 = shares.iter().flatten().sum();
        let mut percent = shares.map(|share| share.map(|share| share.saturating_mul(100).div_ceil(whole.max(1))));
        let oldest = oldest(shares)?;
        percent[oldest] = None;
        percent[oldest] = Some(100_u32.checked_sub(percent.iter().flatten().sum())?);
        let [workload, canary, previous] = percent.map(|weight| weight.map(|weight| Weight::new(i64::from(weight))));
        Self::from_weights(workload?.ok()?, canary.transpose().ok()?, previous.transpose().ok()?)
    }

    /// What a rule says that has so many parts to give: this, or what comes next to it.
    pub fn within(self, whole: u32) -> Option<Self> {
        let (shares, named) = (self.shares(whole), self.weights());
        Self::of_shares(CARRIERS.map(|carrier| named[carrier as usize].map(|_| shares[carrier as usize])))
    }

    fn weights(self) -> [Option<Weight>; 3] {
        CARRIERS.map(|carrier| self.of(carrier))
    }

    /// The weight of a carrier; `None` where the route does not name it.
    pub const fn of(self, carrier: Carrier) -> Option<Weight> {
        match carrier {
            Carrier::Workload => Some(self.workload),
            Carrier::Canary => self.canary,
            Carrier::Previous => self.previous,
        }
    }

    /// The weight of a carrier; 0 where the route does not name it.
    pub fn weight(self, carrier: Carrier) -> Weight {
        self.of(carrier).unwrap_or(Weight::ZERO)
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "workload {}", self.workload)?;
        for (name, weight) in [("canary", self.canary), ("previous", self.previous)] {
            if let Some(weight) = weight {
                write!(f, ", {name} {weight}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_make_up_the_whole_and_say_the_split_again() {
        let weights = [0, 1, 5, 33, 50, 99, 100].map(Weight::whole);
        let splits = weights
            .into_iter()
            .flat_map(|weight| [Split::canary(weight), Split::previous(weight), Split::hand_back(weight)]);
        for split in splits.chain([Split::HOME, Split::LEAN, Split::FALL_BACK]) {
            for whole in (1..=20).chain([99, 100, 101, 150, 300, 1_000_000]) {
                assert_eq!(split.shares(whole).iter().sum::<u32>(), whole, "{split} of {whole}");
                let near = split.within(whole).unwrap();
                assert_eq!(near.shares(whole), split.shares(whole), "{split} of {whole}");
                assert!(near == split || !whole.is_multiple_of(100), "{split} of {whole}: {near}");
            }
        }
        assert_eq!(Split::of_shares([Some(0), Some(0), None]), None);
        assert_eq!(Split::of_shares([None, Some(1), None]), None);
    }

    #[test]
    fn a_younger_version_never_gets_more_than_its_weight() {
        let quarter = Weight::whole(25);
        assert_eq!(Split::canary(quarter).shares(1), [1, 0, 0]);
        assert_eq!(Split::canary(quarter.rest()).shares(1), [1, 0, 0]);
        assert_eq!(Split::previous(quarter).shares(3), [2, 0, 1]);
        assert_eq!(Split::LEAN.shares(1), [0, 0, 1]);
        assert_eq!(Split::FALL_BACK.shares(7), [0, 0, 7]);
    }
}
