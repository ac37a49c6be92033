//! What the curves are drawn from.

use std::collections::VecDeque;

/// The figures of one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sample {
    /// Percent of stable's requests that fail; none where it has none.
    pub stable: Option<f64>,
    /// Percent of the canary's requests that fail; none where it has none.
    pub canary: Option<f64>,
    /// The weight of the new version, 0 to 100.
    pub weight: u8,
}

/// The last samples, at equal distances in time.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    samples: VecDeque<Sample>,
}

impl Default for History {
    fn default() -> Self {
        Self { samples: VecDeque::with_capacity(Self::MOST) }
    }
}

impl History {
    /// So many samples are kept.
    pub const MOST: usize = 400;

    /// Adds the newest sample; the oldest goes where there are too many.
    pub fn push(&mut self, sample: Sample) {
        if self.samples.len() == Self::MOST {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// The newest samples, at most so many, the oldest of them first.
    pub fn last(&self, most: usize) -> impl ExactSizeIterator<Item = &Sample> {
        self.samples.range(self.samples.len().saturating_sub(most)..)
    }
}
