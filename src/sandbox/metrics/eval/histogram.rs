//! `histogram_quantile` over classic buckets.

use std::collections::BTreeMap;

use super::super::labels::{LE, Labels, NAME};
use super::super::reply::Sample;
use super::Eval;

/// Counts that differ by less than this share are the same: rounding.
const TOLERANCE: f64 = 1e-12;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    upper: f64,
    count: f64,
}

impl Eval<'_> {
    pub(super) fn histogram_quantile(&mut self, share: f64, samples: Vec<Sample>) -> Vec<Sample> {
        self.check_quantile(share);
        let mut histograms = BTreeMap::<Labels, Vec<Bucket>>::new();
        for sample in samples {
            let bound = sample.labels.get(LE);
            match upper(bound) {
                Some(upper) => {
                    let of = sample.labels.only(|name| name != LE);
                    histograms.entry(of).or_default().push(Bucket { upper, count: sample.value });
                }
                None => {
                    self.warn(format!("bucket label \"le\" is missing or has a malformed value of {bound:?}"));
                }
            }
        }
        let one = |(labels, buckets): (Labels, Vec<Bucket>)| Sample {
            labels: labels.only(|name| name != NAME),
            value: quantile(share, buckets),
        };
        histograms.into_iter().map(one).collect()
    }
}

/// A bound as Go reads floats: `0.3`, `1e0`, `+Inf`.
fn upper(bound: &str) -> Option<f64> {
    bound.parse().ok()
}

fn quantile(share: f64, mut buckets: Vec<Bucket>) -> f64 {
    if share.is_nan() {
        return f64::NAN;
    }
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    // Several ways to write one bound are one bucket.
    buckets.dedup_by(|next, kept| {
        let same = next.upper == kept.upper;
        if same {
            kept.count += next.count;
        }
        same
    });
    never_falling(&mut buckets);
    let [inner @ .., last] = buckets.as_slice() else { return f64::NAN };
    let Some(highest) = inner.last() else { return f64::NAN };
    if last.upper != f64::INFINITY || last.count == 0.0 {
        return f64::NAN;
    }
    let rank = share * last.count;
    // In the last bucket, which has no end, the best guess is where it begins.
    let Some(at) = inner.iter().position(|bucket| bucket.count >= rank) else { return highest.upper };
    let below = at.checked_sub(1).and_then(|at| inner.get(at)).copied();
    let Some(bucket) = inner.get(at) else { return f64::NAN };
    if below.is_none() && bucket.upper <= 0.0 {
        return bucket.upper;
    }
    let below = below.unwrap_or(Bucket { upper: 0.0, count: 0.0 });
    below.upper + (bucket.upper - below.upper) * ((rank - below.count) / (bucket.count - below.count))
}

/// Counts must not fall from bucket to bucket; scrapes that are not atomic make them.
fn never_falling(buckets: &mut [Bucket]) {
    let Some(mut before) = buckets.first().map(|bucket| bucket.count) else { return };
    for bucket in buckets {
        let size = bucket.count.abs() + before.abs();
        let same = bucket.count != 0.0 && before != 0.0 && (bucket.count - before).abs() / size < TOLERANCE;
        if bucket.count < before || same {
            bucket.count = before;
        }
        before = bucket.count;
    }
}
