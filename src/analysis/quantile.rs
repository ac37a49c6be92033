//! At which quantiles two versions' latency is asked for, so that chance does not make one look slower than the other.

use super::chance::Looked;
use super::compare::Overdispersion;
use crate::api::Percent;

/// The quantiles, in percent of the requests, at which the new version is blamed: where its latency at a lower one is beyond what is
/// allowed above stable's at an upper one.
///
/// The share of requests above a true quantile scatters by `s = sqrt(q·(1 - q)·phi/n)`, by the normal approximation of the binomial
/// distribution. Slow requests come in clumps as failed ones do; how large (`phi`) is not measured, so that what steady services
/// showed stands for it. Each look may spend as much chance as it may for errors ([`Looked`]).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantiles {
    /// The new version's; from 1.
    pub candidate: Percent,
    /// Stable's; None where its requests are too few to have one slower than it.
    pub base: Option<Percent>,
}

impl Quantiles {
    /// Of two versions that are looked at beside each other, with so many requests each: the distance between both is as if their
    /// difference were asked, and each has its part by how much it scatters. What has nineteen times the requests of the other has
    /// a twentieth of it.
    pub fn beside(quantile: Percent, candidate: f64, base: f64, looked: Looked) -> Self {
        let (new, old) = (scatter(quantile, candidate), scatter(quantile, base));
        let (deviations, both) = (looked.deviations(), new.hypot(old).max(f64::MIN_POSITIVE));
        match upper(quantile, base, deviations * old * old / both) {
            Some(upper) => Self { candidate: lower(quantile, deviations * new * new / both), base: Some(upper) },
            // Then it is compared with something else: all of the chance is its own.
            None => Self::apart(quantile, candidate, base, looked),
        }
    }

    /// Of each by itself: what is known of stable then holds beside whatever it is held against later.
    pub fn apart(quantile: Percent, candidate: f64, base: f64, looked: Looked) -> Self {
        let margin = |requests| looked.deviations() * scatter(quantile, requests);
        Self { candidate: lower(quantile, margin(candidate)), base: upper(quantile, base, margin(base)) }
    }
}

/// With so many requests stable has a request above its upper quantile, by itself.
pub(super) fn requests_with_upper(quantile: Percent, looked: Looked) -> f64 {
    // (1 - q)·n - margin·sqrt(n) = 1, solved for n.
    let (above, margin) = (1.0 - quantile.ratio(), looked.deviations() * scatter(quantile, 1.0));
    ((margin + (margin * margin + 4.0 * above).sqrt()) / (2.0 * above)).powi(2)
}

/// By how much the share of `requests` above the quantile scatters, as a ratio.
fn scatter(quantile: Percent, requests: f64) -> f64 {
    let q = quantile.ratio();
    (q * (1.0 - q) * Overdispersion::ASSUMED.get() / requests.max(1.0)).sqrt()
}

fn lower(quantile: Percent, margin: f64) -> Percent {
    Percent::new((quantile.ratio() - margin).max(0.01) * 100.0).unwrap_or(quantile)
}

/// None where fewer than one request lies above it: the slowest one of few is no bound of anything.
fn upper(quantile: Percent, requests: f64, margin: f64) -> Option<Percent> {
    let upper = quantile.ratio() + margin;
    ((1.0 - upper) * requests >= 1.0).then(|| Percent::new(upper * 100.0).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    fn so_many_requests_have_an_upper_quantile_and_fewer_have_none(#[values(50, 95, 99)] quantile: u8) {
        let quantile = Percent::whole(quantile);
        let enough = requests_with_upper(quantile, Looked::FIRST);
        let base = |requests| Quantiles::apart(quantile, 1_000.0, requests, Looked::FIRST).base;
        assert!(base(enough * 1.001).is_some() && base(enough * 0.999).is_none(), "{enough}");
    }
}
