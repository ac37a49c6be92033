//! How likely so many failures are by chance: the upper tail of the binomial distribution.

/// The chance of `errors` or more among `requests` when each fails with `rate` (0 to 1): the exact binomial tail,
/// which the regularised incomplete beta function continues to counts that are not whole.
///
/// Saying "below 0.1 %" is the same as "the one-sided 99.9 % Clopper-Pearson lower bound lies above `rate`".
pub(super) fn chance_of_at_least(errors: f64, requests: f64, rate: f64) -> f64 {
    if errors <= 0.0 || rate >= 1.0 {
        return 1.0;
    }
    if rate <= 0.0 || errors > requests + 1.0 {
        return 0.0;
    }
    incomplete_beta(rate, errors, requests - errors + 1.0)
}

/// The regularised incomplete beta function I_x(a, b), for x in (0, 1) and a, b > 0 (DLMF 8.17.22).
fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    let ln_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    // The continued fraction converges fast below the mean only; above it the symmetry holds.
    let value = if x < (a + 1.0) / (a + b + 2.0) {
        ln_front.exp() * beta_fraction(x, a, b) / a
    } else {
        1.0 - ln_front.exp() * beta_fraction(1.0 - x, b, a) / b
    };
    value.clamp(0.0, 1.0)
}

/// The continued fraction of the incomplete beta function by Lentz's method.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const STEPS_MAX: u32 = 100_000;
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..=STEPS_MAX {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            change = c * d;
            fraction *= change;
        }
        if (change - 1.0).abs() < 1e-14 {
            break;
        }
    }
    fraction
}

/// The logarithm of the gamma function for x > 0, by Stirling's series after shifting x to at least 10.
fn ln_gamma(x: f64) -> f64 {
    const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;
    let (mut x, mut shifted) = (x, 0.0);
    while x < 10.0 {
        shifted -= x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = (1.0 / 12.0
        + inverse * (-1.0 / 360.0 + inverse * (1.0 / 1_260.0 + inverse * (-1.0 / 1_680.0 + inverse / 1_188.0))))
        / x;
    shifted + (x - 0.5) * x.ln() - x + HALF_LN_TAU + series
}
