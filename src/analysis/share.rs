//! Whether the router sends the new version what the route says: a weight that stands in an object is not yet one that
//! users get. Proxies may lag, sessions may stick, and callers inside of the cluster may go past the route.

use crate::api::Percent;

use super::binomial::chance_of_at_least;
use super::evidence::Observation;
use super::figures::{count, percent};
use super::limits::{figure, too_little};
use super::verdict::{NotYet, Verdict};

/// A share is called wrong only where chance would explain it less often than this. It is looked at as often as the
/// limits are, and a false alarm holds only, until the next look.
const CHANCE_MAX: f64 = 0.001;

/// What the new version's share of the two versions' requests ought to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// What the route says, above 0 and below 1.
    pub expected: f64,
    /// How far the observed share may be off, as a part of what is expected; at 100 % only twice as much is too much.
    pub tolerance: Percent,
}

impl Share {
    /// Pass where the requests that both versions answered are divided as expected, or chance would explain it.
    pub(super) fn judge(self, seen: &Observation, min_requests: u32) -> Verdict {
        let new = match figure(&seen.candidate.requests, "requests of the new version") {
            Ok(new) => new,
            Err(why) => return Verdict::NotYet(why),
        };
        // What stable does not tell is nothing against the new version, which its own limits judge.
        let Ok(base) = figure(&seen.base.requests, "requests of stable") else { return Verdict::Pass(String::new()) };
        let all = new + base;
        if all < f64::from(min_requests) {
            return too_little(all, min_requests);
        }
        let least = self.expected * (1.0 - self.tolerance.ratio());
        let most = (self.expected * (1.0 + self.tolerance.ratio())).min(1.0);
        let too_many = new > all * most && chance_of_at_least(new, all, most) < CHANCE_MAX;
        let too_few = new < all * least && chance_of_at_least(base, all, 1.0 - least) < CHANCE_MAX;
        if !too_many && !too_few {
            return Verdict::Pass(String::new());
        }
        Verdict::NotYet(NotYet::OtherShare(format!(
            "the new version answered {} of {} requests and the route gives it {}",
            percent(new / all),
            count(all),
            percent(self.expected)
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::super::evidence::{ArmSample, Evidence};
    use super::*;
    use crate::api::Span;
    use rstest::rstest;

    fn arm(requests: Evidence<f64>) -> ArmSample {
        ArmSample { requests, errors: Evidence::Value(0.0), latency: Evidence::Value(0.2) }
    }

    fn judged(expected: f64, tolerance: u8, new: Evidence<f64>, base: Evidence<f64>) -> &'static str {
        let seen = Observation {
            candidate: arm(new),
            base: arm(base),
            latency_at_least: None,
            base_at_most: None,
            complaints: None,
            business: None,
            window: Span::minutes(2),
        };
        match (Share { expected, tolerance: Percent::whole(tolerance) }).judge(&seen, 50) {
            Verdict::Pass(_) => "Pass",
            Verdict::NotYet(why) => why.reason(),
            Verdict::Fail(breach) => panic!("a share never brings a version back: {breach}"),
        }
    }

    #[rstest]
    #[case::exact(0.1, 50, 100.0, 900.0, "Pass")]
    #[case::at_the_upper_edge(0.1, 50, 150.0, 850.0, "Pass")]
    #[case::above_it(0.1, 50, 250.0, 750.0, "OtherShare")]
    #[case::at_the_lower_edge(0.1, 50, 50.0, 950.0, "Pass")]
    #[case::below_it(0.1, 50, 15.0, 985.0, "OtherShare")]
    #[case::few_requests_explain_much(0.1, 50, 10.0, 40.0, "Pass")]
    #[case::too_few_to_tell(0.1, 50, 40.0, 9.0, "TooLittleTraffic")]
    #[case::most_goes_past_the_route(0.1, 100, 5.0, 9_995.0, "Pass")]
    #[case::twice_as_much_is_too_much_for_anybody(0.1, 100, 300.0, 700.0, "OtherShare")]
    #[case::nothing_may_be_off(0.5, 0, 600.0, 400.0, "OtherShare")]
    #[case::but_by_chance(0.5, 0, 520.0, 480.0, "Pass")]
    #[case::all_of_it(0.5, 50, 1_000.0, 0.0, "OtherShare")]
    #[case::more_than_all_cannot_be_asked(0.9, 50, 1_000.0, 0.0, "Pass")]
    fn share(#[case] expected: f64, #[case] tolerance: u8, #[case] new: f64, #[case] base: f64, #[case] wanted: &str) {
        assert_eq!(judged(expected, tolerance, Evidence::Value(new), Evidence::Value(base)), wanted);
    }

    #[test]
    fn what_is_not_known_is_not_right() {
        let known = || Evidence::Value(100.0);
        assert_eq!(judged(0.1, 50, Evidence::NoData("no series".to_owned()), known()), "NoEvidence");
        assert_eq!(judged(0.1, 50, known(), Evidence::NoData("a scrape gap".to_owned())), "Pass");
        assert_eq!(judged(0.1, 50, Evidence::Value(f64::NAN), known()), "InvalidEvidence");
    }
}
