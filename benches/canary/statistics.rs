//! Intervals of confidence, and the test of Mann and Whitney.

use fastrand::Rng;

/// 95 % to both sides.
const NORMAL_975: f64 = 1.959_964;

/// The 95 % interval of a share of which `hits` of `runs` were seen (Wilson).
pub fn wilson(hits: usize, runs: usize) -> (f64, f64) {
    if runs == 0 {
        return (0.0, 1.0);
    }
    let (n, z2) = (runs as f64, NORMAL_975 * NORMAL_975);
    let p = hits as f64 / n;
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = NORMAL_975 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // Where all or none were seen, the end is exact.
    let least = if hits == 0 { 0.0 } else { (middle - half).max(0.0) };
    let most = if hits == runs { 1.0 } else { (middle + half).min(1.0) };
    (least, most)
}

/// A figure with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub least: f64,
    pub most: f64,
}

/// A figure of the values with its 95 % interval by 200 bootstrap samples; None without values.
pub fn bootstrap(values: &[f64], figure: fn(&mut [f64]) -> f64, random: &mut Rng) -> Option<Estimate> {
    if values.is_empty() {
        return None;
    }
    let value = figure(&mut values.to_vec());
    let mut again: Vec<f64> = (0..200)
        .map(|_| {
            let mut drawn: Vec<f64> = values.iter().map(|_| values[random.usize(..values.len())]).collect();
            figure(&mut drawn)
        })
        .collect();
    again.sort_by(f64::total_cmp);
    Some(Estimate { value, least: again[4], most: again[195] })
}

/// The middle of the values, the upper of two; not a number without any.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The mean; not a number without values.
pub fn mean(values: &mut [f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// How many standard deviations the first values lie above the second in rank, ties corrected; 0 where all are equal.
pub fn mann_whitney(ones: &[f64], others: &[f64]) -> f64 {
    let (n, m) = (ones.len() as f64, others.len() as f64);
    if ones.is_empty() || others.is_empty() {
        return 0.0;
    }
    let mut all: Vec<(f64, bool)> =
        ones.iter().map(|one| (*one, true)).chain(others.iter().map(|other| (*other, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0);
    while at < all.len() {
        let equal = all[at..].iter().take_while(|(value, _)| *value == all[at].0).count();
        let rank = at as f64 + (equal as f64 + 1.0) / 2.0;
        ranks += rank * all[at..at + equal].iter().filter(|(_, first)| *first).count() as f64;
        ties += (equal as f64).powi(3) - equal as f64;
        at += equal;
    }
    let above = ranks - n * (n + 1.0) / 2.0 - n * m / 2.0;
    let variance = n * m / 12.0 * (n + m + 1.0 - ties / ((n + m) * (n + m - 1.0)));
    if variance <= 0.0 { 0.0 } else { (above - 0.5 * above.signum()) / variance.sqrt() }
}
