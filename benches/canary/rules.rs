//! Who decides: Tidegate's comparison, and plain re-statements of the usual rules.

use tidegate::analysis::compare::{Base, Baseline, Counted, Finding, Interval, Setup, Signal, Tally};
use tidegate::analysis::course::{Course, CourseTally};
use tidegate::analysis::{ArmSample, Evidence, Limits, Looked, Observation, Verdict, judge};
use tidegate::api::gated_release::RollbackContract;
use tidegate::api::{Percent, Span, Time};

use super::statistics::mann_whitney;
use super::traces::{MINUTES, Sample, World};

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The sequential comparison.
    Tidegate,
    /// The sequential comparison, and beside it the limit of the error rate.
    WithLimits,
    /// So many failed checks in all.
    InAll(u32),
    /// So many failed checks in a row.
    InARow(u32),
    /// Every ten samples, the canary's error rates against stable's at 98 %.
    MannWhitney,
}

impl Rule {
    pub const ALL: [Self; 7] = [
        Self::Tidegate,
        Self::WithLimits,
        Self::InAll(5),
        Self::InAll(4),
        Self::InARow(5),
        Self::InARow(4),
        Self::MannWhitney,
    ];
    /// How many of these are Tidegate's.
    pub const OURS: usize = 2;

    pub fn name(self) -> String {
        match self {
            Self::Tidegate => "Tidegate".to_owned(),
            Self::WithLimits => "Tidegate with its limits".to_owned(),
            Self::InAll(checks) => format!("{checks} failed checks"),
            Self::InARow(checks) => format!("{checks} of {checks} failed"),
            Self::MannWhitney => "Mann–Whitney".to_owned(),
        }
    }

    /// The sample, from 0, at which the rule rolls the release back.
    pub fn rolls_back_at(self, world: &World, setup: &Setup, release: &[Sample]) -> Option<usize> {
        match self {
            Self::Tidegate => tidegate(world, setup, release),
            Self::WithLimits => {
                let both = [tidegate(world, setup, release), limited(world, setup, release)];
                both.into_iter().flatten().min()
            }
            Self::InAll(most) => {
                let mut failed = 0;
                release.iter().position(|sample| {
                    failed += u32::from(check_fails(world, sample));
                    failed >= most
                })
            }
            Self::InARow(most) => {
                let mut failed = 0;
                release.iter().position(|sample| {
                    failed = if check_fails(world, sample) { failed + 1 } else { 0 };
                    failed >= most
                })
            }
            Self::MannWhitney => {
                let rate = |bad: f64, requests: f64| (requests > 0.0).then(|| bad / requests);
                (10..=release.len()).step_by(10).map(|looked| looked - 1).find(|last| {
                    let seen = &release[..=*last];
                    let canary = seen.iter().filter_map(|one| rate(one.canary.bad(), one.canary.requests()));
                    let stable = seen.iter().filter_map(|one| rate(one.stable.bad(), one.stable.requests()));
                    mann_whitney(&canary.collect::<Vec<_>>(), &stable.collect::<Vec<_>>()) > NORMAL_99
                })
            }
        }
    }
}

/// Two-sided 98 % is one-sided 99 %.
const NORMAL_99: f64 = 2.326_347_9;

/// A check fails where more than 1 % of the requests are bad, or more than twice what stable usually has, or where there is
/// no request at all.
fn check_fails(world: &World, sample: &Sample) -> bool {
    let limit = (2.0 * world.base).max(0.01);
    sample.canary.requests() <= 0.0 || sample.canary.bad() > sample.canary.requests() * limit
}

/// The rules of a release: 99.5 % promised, 1 % allowed, an hour planned.
pub fn setup(world: &World, baseline: &Baseline) -> Setup {
    let objective = Percent::new(99.5).unwrap_or(Percent::HUNDRED);
    Setup::new(Some(baseline), objective, Percent::whole(1), Span::minutes(MINUTES as u64), length(world))
}

/// How long an interval is.
pub fn length(world: &World) -> Span {
    Span::seconds(world.step as u64)
}

/// Tells at which sample Tidegate's comparison comes to what is asked for.
pub fn finds(world: &World, setup: &Setup, release: &[Sample], asked: impl Fn(&Finding) -> bool) -> Option<usize> {
    let mut tally = Tally::default();
    let mut end = Time(Default::default());
    release.iter().position(|sample| {
        end = end.plus(length(world));
        let base = Base::Measured(sample.stable);
        let _ = tally.count(setup, &Interval { end, length: length(world), candidate: sample.canary, base });
        asked(&tally.finding(setup, &Signal::Errors))
    })
}

fn tidegate(world: &World, setup: &Setup, release: &[Sample]) -> Option<usize> {
    finds(world, setup, release, |finding| matches!(finding, Finding::Worse(_)))
}

/// The limit of the error rate in a contract for such a service, in percent: well above what stable has.
pub fn limit(world: &World) -> Percent {
    Percent::whole(match world.base {
        base if base <= 0.005 => 1,
        base if base <= 0.02 => 5,
        _ => 20,
    })
}

/// The sample at which the limit of the error rate brings the release back: looked at with each sample, over the last two minutes.
fn limited(world: &World, setup: &Setup, release: &[Sample]) -> Option<usize> {
    let contract = RollbackContract {
        error_rate_percent: limit(world),
        latency_factor: Some(2.0),
        latency_added: None,
        latency_quantile: Percent::whole(95),
        complaints: None,
        complaints_query: None,
        business: None,
        consecutive: 1,
        dry_run: Vec::new(),
        time_budget: Span::minutes(5),
    };
    let limits = Limits {
        contract: &contract,
        min_requests: 50,
        last_seen: None,
        scatter: setup.overdispersion,
        looked: Looked::FIRST,
        course: None,
        share: None,
        business: None,
        in_a_row: 1,
        streaks: &[],
    };
    let window = world.samples(2.0).max(1);
    let length = Span::from_millis(60_000 / world.samples(1.0).max(1) as u64);
    let mut tally = CourseTally::new(contract.error_rate_percent);
    (0..release.len()).find(|last| {
        let elapsed = Span::from_millis(length.as_millis() * (*last as u64 + 1));
        let interval = (Time(jiff::Timestamp::UNIX_EPOCH).plus(elapsed), length);
        let counted = tally.count(setup, contract.error_rate_percent, interval, release[*last].canary);
        debug_assert_eq!(counted, Counted::New);
        let looked = Looked::for_so_long(elapsed, Span::minutes(2));
        let limits = Limits { looked, course: Some(Course { tally: &tally, setup }), ..limits };
        let seen = &release[(last + 1).saturating_sub(window)..=*last];
        let arm = |of: fn(&Sample) -> tidegate::analysis::compare::Counts| ArmSample {
            requests: Evidence::Value(seen.iter().map(|one| of(one).requests()).sum()),
            errors: Evidence::Value(seen.iter().map(|one| of(one).bad()).sum()),
            // The same for both: it is not what is measured here.
            latency: Evidence::Value(0.2),
        };
        let seen = Observation {
            candidate: arm(|one| one.canary),
            base: arm(|one| one.stable),
            latency_at_least: None,
            base_at_most: None,
            complaints: None,
            business: None,
            window: Span::minutes(2),
        };
        matches!(judge(limits, &seen), Verdict::Fail(_))
    })
}
