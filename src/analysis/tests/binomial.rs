use crate::analysis::binomial::chance_of_at_least;
use rstest::rstest;

/// The same tail by adding up the chances of fewer failures: slow, for whole counts only, and simple.
fn by_hand(errors: u32, requests: u32, rate: f64) -> f64 {
    let mut chance = (1.0 - rate).powi(i32::try_from(requests).unwrap());
    let mut fewer = 0.0;
    for k in 0..errors {
        fewer += chance;
        chance *= f64::from(requests - k) / f64::from(k + 1) * rate / (1.0 - rate);
    }
    1.0 - fewer
}

#[test]
fn it_equals_the_sum() {
    for rate in [0.001, 0.01, 0.05, 0.3, 0.5] {
        for requests in [1, 2, 7, 50, 400] {
            for errors in (1..=requests).step_by(1 + requests as usize / 23) {
                let (seen, expected) =
                    (chance_of_at_least(errors.into(), requests.into(), rate), by_hand(errors, requests, rate));
                assert!((seen - expected).abs() < 1e-10, "{errors} of {requests} at {rate}: {seen}, sum {expected}");
            }
        }
    }
}

#[rstest]
#[case::none_is_certain(0.0, 10.0, 0.01, 1.0)]
#[case::a_rate_of_nothing_excuses_nothing(1.0, 10.0, 0.0, 0.0)]
#[case::a_rate_of_all_excuses_all(10.0, 10.0, 1.0, 1.0)]
#[case::one_of_one(1.0, 1.0, 0.01, 0.01)]
fn edges(#[case] errors: f64, #[case] requests: f64, #[case] rate: f64, #[case] expected: f64) {
    assert!((chance_of_at_least(errors, requests, rate) - expected).abs() < 1e-12);
}

/// At a million requests a second for two minutes the tail around the mean is still a half.
#[test]
fn it_stays_right_at_large_counts() {
    let requests = 1.2e8;
    let seen = chance_of_at_least(requests * 0.01, requests, 0.01);
    assert!((seen - 0.5).abs() < 1e-3, "{seen}");
    assert!(chance_of_at_least(requests * 0.0101, requests, 0.01) < 1e-9);
}
