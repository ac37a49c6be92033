//! Counts of things that happen by chance, in a few draws however many they are.

/// Up to this mean a count is drawn exactly; above it the normal distribution is as good.
const EXACT_MAX: f64 = 25.0;

/// A draw from the standard normal distribution.
pub(super) fn normal(dice: &mut fastrand::Rng) -> f64 {
    // Box and Muller; 1 - f64() is above 0.
    let radius = (-2.0 * (1.0 - dice.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * dice.f64()).cos()
}

/// How many of independent events of this mean happen.
pub(super) fn poisson(mean: f64, dice: &mut fastrand::Rng) -> u64 {
    if mean.is_nan() || mean <= 0.0 {
        return 0;
    }
    if mean > EXACT_MAX {
        return rounded(mean + mean.sqrt() * normal(dice));
    }
    // By inversion: the first count that the draw does not reach.
    let (mut left, mut chance, mut count) = (dice.f64(), (-mean).exp(), 0_u64);
    while left > chance && count < 200 {
        left -= chance;
        count += 1;
        chance *= mean / count as f64;
    }
    count
}

/// In how many of `trials` something happens that has this chance.
pub(super) fn binomial(trials: u64, chance: f64, dice: &mut fastrand::Rng) -> u64 {
    if trials == 0 || chance.is_nan() || chance <= 0.0 {
        return 0;
    }
    if chance >= 1.0 {
        return trials;
    }
    if chance > 0.5 {
        return trials - binomial(trials, 1.0 - chance, dice);
    }
    let all = trials as f64;
    let mean = all * chance;
    if mean > EXACT_MAX {
        let deviation = (mean * (1.0 - chance)).sqrt();
        return rounded(mean + deviation * normal(dice)).min(trials);
    }
    let odds = chance / (1.0 - chance);
    let (mut left, mut here, mut count) = (dice.f64(), (all * (1.0 - chance).ln()).exp(), 0_u64);
    while left > here && count < trials {
        left -= here;
        here *= odds * (trials - count) as f64 / (count + 1) as f64;
        count += 1;
        if here < f64::MIN_POSITIVE {
            break;
        }
    }
    count
}

/// A whole number whose mean is `value`.
pub(super) fn whole(value: f64, dice: &mut fastrand::Rng) -> u64 {
    rounded((value + dice.f64()).floor())
}

fn rounded(value: f64) -> u64 {
    // Saturates, and is 0 below 0.
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn moments(draw: impl Fn(&mut fastrand::Rng) -> u64) -> (f64, f64) {
        let mut dice = fastrand::Rng::with_seed(7);
        let draws: Vec<_> = (0..20_000).map(|_| draw(&mut dice) as f64).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        (mean, draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / draws.len() as f64)
    }

    #[rstest]
    #[case(0.02)]
    #[case(3.0)]
    #[case(24.0)]
    #[case(400.0)]
    fn a_poisson_count_has_its_mean_as_variance(#[case] wanted: f64) {
        let (mean, variance) = moments(|dice| poisson(wanted, dice));
        assert!((mean / wanted - 1.0).abs() < 0.2 && (variance / wanted - 1.0).abs() < 0.2, "{mean} {variance}");
    }

    #[rstest]
    #[case(10, 0.3)]
    #[case(10, 0.9)]
    #[case(1_000, 0.001)]
    #[case(1_000, 0.4)]
    #[case(1_000_000, 0.999)]
    fn a_binomial_count_has_its_moments(#[case] trials: u64, #[case] chance: f64) {
        let (mean, variance) = moments(|dice| binomial(trials, chance, dice));
        let (wanted, spread) = (trials as f64 * chance, trials as f64 * chance * (1.0 - chance));
        assert!((mean - wanted).abs() < 0.05 * spread.max(1.0).sqrt().max(0.5), "{mean}, not {wanted}");
        assert!((variance / spread - 1.0).abs() < 0.1, "{variance}, not {spread}");
    }

    #[rstest]
    #[case(0, 0.5, 0)]
    #[case(9, 0.0, 0)]
    #[case(9, 1.0, 9)]
    #[case(9, f64::NAN, 0)]
    fn the_certain_needs_no_luck(#[case] trials: u64, #[case] chance: f64, #[case] wanted: u64) {
        assert_eq!(binomial(trials, chance, &mut fastrand::Rng::with_seed(1)), wanted);
    }
}
