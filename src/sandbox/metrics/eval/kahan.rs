//! Sums that do not lose the small ones among the large: Kahan's, as Neumaier improved it, which Prometheus uses.

/// A sum and what it lost by rounding.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        if sum.is_infinite() {
            self.lost = 0.0;
        } else if self.sum.abs() >= value.abs() {
            self.lost += (self.sum - sum) + value;
        } else {
            self.lost += (value - sum) + self.sum;
        }
        self.sum = sum;
    }

    pub(super) fn value(self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.sum + self.lost }
    }
}

/// The sum of values, each with how often it comes.
pub(super) fn sum(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let mut sum = Sum::default();
    values.for_each(|(value, times)| sum.add(value * times));
    sum.value()
}
