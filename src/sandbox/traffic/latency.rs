//! How long answers take.

/// The bounds of the buckets in seconds, without the last, which has none. 0.3 is among them for objectives of 300 ms.
pub const BOUNDS: [f64; 13] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0];
/// All buckets.
pub(super) const BUCKETS: usize = BOUNDS.len() + 1;
/// The 95th percentile of the standard normal distribution.
const Z95: f64 = 1.644_853_626_951_472_2;

/// The distribution of durations.
#[derive(Debug, Clone, PartialEq)]
pub enum Latency {
    /// Log-normal, as most services are: by its median and its 95th percentile, in seconds, the second the larger.
    LogNormal {
        /// Half of the answers take no longer.
        median: f64,
        /// 95 of 100 answers take no longer.
        p95: f64,
    },
    /// By the share of answers in each bucket, in the order of [`BOUNDS`] and the last for what takes longer. Shares are
    /// relative to their sum; missing ones are 0.
    Buckets(Vec<f64>),
}

/// What share of answers falls into a bucket, and how long they take there on average.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bucket {
    pub(super) share: f64,
    pub(super) mean: f64,
}

impl Latency {
    /// The bounds as labels `le`, the last `+Inf`, each with the share of answers, 0 to 1, that take no longer.
    pub fn shares(&self) -> Vec<(String, f64)> {
        let mut below = 0.0;
        let labels = BOUNDS.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
        let one = |(le, bucket): (String, Bucket)| {
            below += bucket.share;
            (le, below)
        };
        labels.zip(self.buckets(1.0)).map(one).collect()
    }

    /// The buckets where everything takes `slower` times as long.
    pub(super) fn buckets(&self, slower: f64) -> [Bucket; BUCKETS] {
        match self {
            Self::LogNormal { median, p95 } => log_normal(median * slower, p95 * slower),
            Self::Buckets(shares) => by_shares(shares, slower),
        }
    }
}

fn log_normal(median: f64, p95: f64) -> [Bucket; BUCKETS] {
    let mu = median.max(1e-6).ln();
    let sigma = ((p95.max(1e-6).ln() - mu) / Z95).max(1e-3);
    let all = (mu + sigma * sigma / 2.0).exp();
    let mut out = [Bucket::default(); BUCKETS];
    // The share below a bound, and what those below it take together.
    let (mut share, mut time) = (0.0, 0.0);
    for (at, bucket) in out.iter_mut().enumerate() {
        let (next_share, next_time) = match BOUNDS.get(at) {
            Some(bound) => {
                let z = (bound.ln() - mu) / sigma;
                (below(z), all * below(z - sigma))
            }
            None => (1.0, all),
        };
        bucket.share = (next_share - share).max(0.0);
        bucket.mean = in_bucket(at, (next_time - time) / bucket.share.max(1e-12));
        (share, time) = (next_share, next_time);
    }
    out
}

fn by_shares(shares: &[f64], slower: f64) -> [Bucket; BUCKETS] {
    // Without any share all are as fast as can be.
    let none = !shares.iter().take(BUCKETS).any(|share| *share > 0.0);
    let known = |at: usize| shares.get(at).copied().filter(|share| *share > 0.0).unwrap_or(0.0);
    let share = |at: usize| if none && at == 0 { 1.0 } else { known(at) };
    let all = (0..BUCKETS).map(share).sum::<f64>();
    let mut out = [Bucket::default(); BUCKETS];
    for at in 0..BUCKETS {
        let middle = (lower(at) + BOUNDS.get(at).copied().unwrap_or(lower(at) * 1.5)) / 2.0 * slower;
        let now = BOUNDS.iter().position(|bound| middle <= *bound).unwrap_or(BUCKETS - 1);
        if let Some(bucket) = out.get_mut(now) {
            let (before, more) = (bucket.share, share(at) / all);
            bucket.share += more;
            if bucket.share > 0.0 {
                bucket.mean = (bucket.mean * before + middle * more) / bucket.share;
            }
        }
    }
    out
}

fn lower(bucket: usize) -> f64 {
    bucket.checked_sub(1).and_then(|at| BOUNDS.get(at)).copied().unwrap_or(0.0)
}

/// A mean that rounding cannot take out of its bucket.
fn in_bucket(at: usize, mean: f64) -> f64 {
    mean.clamp(lower(at), BOUNDS.get(at).copied().unwrap_or(f64::MAX))
}

/// The standard normal distribution, to seven digits: the rational approximation of its error function in "Numerical
/// Recipes", which the standard library lacks.
fn below(z: f64) -> f64 {
    const TERMS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    let sum = TERMS.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let tail = 0.5 * t * (-x * x + sum).exp();
    if z > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0.0, 0.5)]
    #[case(1.0, 0.841_344_746)]
    #[case(-1.0, 0.158_655_254)]
    #[case(Z95, 0.95)]
    #[case(-4.0, 0.000_031_671)]
    fn the_normal_distribution_is_known(#[case] z: f64, #[case] share: f64) {
        assert!((below(z) - share).abs() < 2e-7, "{}", below(z));
    }

    #[rstest]
    #[case(Latency::LogNormal { median: 0.1, p95: 0.3 }, "0.1", 0.5)]
    #[case(Latency::LogNormal { median: 0.1, p95: 0.3 }, "0.3", 0.95)]
    #[case(Latency::LogNormal { median: 0.1, p95: 0.3 }, "+Inf", 1.0)]
    #[case(Latency::Buckets(vec![1.0, 3.0]), "0.005", 0.25)]
    #[case(Latency::Buckets(vec![1.0, 3.0]), "0.01", 1.0)]
    fn shares_are_cumulative(#[case] latency: Latency, #[case] le: &str, #[case] share: f64) {
        let found = latency.shares().into_iter().find(|(bound, _)| bound == le).unwrap().1;
        assert!((found - share).abs() < 1e-6, "{found}");
    }

    #[test]
    fn the_means_of_the_buckets_make_the_mean_of_all() {
        let buckets = Latency::LogNormal { median: 0.1, p95: 0.3 }.buckets(2.0);
        let sigma = 3.0_f64.ln() / Z95;
        let wanted = 0.2 * (sigma * sigma / 2.0).exp();
        let mean: f64 = buckets.iter().map(|bucket| bucket.share * bucket.mean).sum();
        assert!((mean / wanted - 1.0).abs() < 1e-4, "{mean}, not {wanted}");
    }
}
