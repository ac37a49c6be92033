use crate::api::Span;
use crate::api::risk_budget::Tightening;
use crate::policy::adjustment::*;
use crate::policy::{Category, RiskPoints, Tier};
use rstest::rstest;

/// Failed and all releases, MTTR in minutes, of three windows.
type Windows = [(u32, u32, u64); 3];

fn window((failed, releases, mttr): (u32, u32, u64)) -> WindowFigures {
    WindowFigures { releases, failed, mttr: Span::minutes(mttr) }
}

fn history(windows: Windows) -> History {
    let [base, middle, last] = windows.map(window);
    History { base, middle, last }
}

fn facts(windows: Windows) -> AdjustmentFacts {
    AdjustmentFacts { history: Some(history(windows)), was_worse: false, exceptions: 0, reward: None }
}

/// `000_…` §5.6 and §8.
#[rstest]
#[case::both_better_twice([(4, 20, 60), (3, 20, 40), (2, 20, 30)], true, false)]
#[case::better_once([(4, 20, 60), (4, 20, 40), (2, 20, 30)], false, false)]
#[case::mttr_stays([(4, 20, 60), (3, 20, 60), (2, 20, 30)], false, false)]
#[case::flawless_all_along([(0, 9, 0), (0, 9, 0), (0, 9, 0)], true, false)]
#[case::became_flawless([(2, 20, 30), (1, 20, 20), (0, 20, 0)], true, false)]
#[case::too_few_releases([(2, 4, 60), (1, 4, 40), (0, 4, 0)], false, false)]
#[case::rate_not_count([(4, 40, 60), (3, 20, 40), (1, 20, 30)], false, false)]
#[case::rate_a_fifth_worse([(5, 50, 30), (5, 50, 30), (6, 50, 30)], false, true)]
#[case::rate_a_little_worse([(50, 500, 30), (50, 500, 30), (59, 500, 30)], false, false)]
#[case::rate_worse_but_on_the_mend([(2, 20, 30), (6, 20, 30), (4, 20, 30)], false, false)]
#[case::one_failure_is_no_rate([(0, 20, 0), (0, 20, 0), (1, 20, 90)], false, false)]
#[case::two_failures_after_none([(0, 20, 0), (0, 20, 0), (2, 20, 90)], false, true)]
#[case::mttr_a_fifth_worse([(2, 20, 50), (2, 20, 55), (2, 20, 60)], false, true)]
#[case::mttr_a_little_worse([(2, 20, 50), (2, 20, 55), (2, 20, 59)], false, false)]
#[case::mttr_on_the_mend([(2, 20, 50), (2, 20, 90), (2, 20, 60)], false, false)]
#[case::recovered_at_once_all_along([(2, 20, 0), (2, 20, 0), (2, 20, 0)], false, false)]
#[case::no_releases_at_all([(0, 0, 0), (0, 0, 0), (0, 0, 0)], false, false)]
#[case::one_window_without_releases([(0, 20, 0), (0, 20, 0), (0, 0, 0)], false, false)]
#[case::a_pause_is_no_flawless_window([(2, 20, 30), (0, 0, 0), (0, 20, 0)], false, false)]
#[case::nothing_to_improve_on([(0, 0, 0), (0, 20, 0), (0, 20, 0)], false, false)]
#[case::few_and_flawless([(0, 4, 0), (0, 4, 0), (0, 4, 0)], false, false)]
fn windows_earn_or_tighten(#[case] windows: Windows, #[case] earned: bool, #[case] worse: bool) {
    let adjustment = adjust(&facts(windows));
    assert_eq!((adjustment.earned.is_some(), adjustment.worse.is_some()), (earned, worse));
    assert_eq!(!adjustment.tightened_by().is_empty(), worse);
    assert_eq!(adjustment.lines().len(), usize::from(earned) + usize::from(worse));
}

const BETTER: Windows = [(4, 20, 60), (3, 20, 40), (2, 20, 30)];
const WORSE: Windows = [(2, 20, 30), (3, 20, 40), (4, 20, 60)];
const SAME: Windows = [(3, 20, 30), (3, 20, 30), (3, 20, 30)];
const SLOWER: Windows = [(3, 20, 30), (3, 20, 30), (3, 20, 31)];

#[rstest]
#[case::as_the_tier_says(None, None, 120)]
#[case::its_own_figure(None, Some(200), 200)]
#[case::least_of_the_range(Some((BETTER, None)), None, 132)]
#[case::chosen(Some((BETTER, Some(Reward::Budget(EarnedPercent::new(20).unwrap())))), None, 144)]
#[case::relaxation_gives_no_points(Some((BETTER, Some(Reward::Relaxation([Category::Ui].into())))), None, 120)]
#[case::tightened(Some((WORSE, None)), None, 96)]
#[case::rounded_down(Some((BETTER, None)), Some(55), 60)]
fn a_window_gets_its_points(
    #[case] shown: Option<(Windows, Option<Reward>)>,
    #[case] own: Option<u32>,
    #[case] points: u32,
) {
    let adjustment = match shown {
        Some((windows, reward)) => adjust(&AdjustmentFacts { reward, ..facts(windows) }),
        None => Adjustment::default(),
    };
    assert_eq!(adjustment.allocation(Tier::T2, own.map(RiskPoints::new)), RiskPoints::new(points));
}

/// `000_…` §5.6: +10–20 %.
#[rstest]
#[case(9, false)]
#[case(10, true)]
#[case(20, true)]
#[case(21, false)]
fn what_can_be_earned(#[case] percent: u32, #[case] accepted: bool) {
    assert_eq!(EarnedPercent::new(percent).is_ok(), accepted);
}

/// `000_…` §7, "Repeated exceptions are a governance failure and trigger gate tightening".
#[rstest]
#[case(0, false)]
#[case(1, false)]
#[case(2, true)]
fn repeated_exceptions_tighten(#[case] exceptions: u32, #[case] tightens: bool) {
    let relaxed = Some(Reward::Relaxation([Category::Ui].into()));
    let adjustment = adjust(&AdjustmentFacts { exceptions, reward: relaxed, ..facts(BETTER) });
    assert_eq!(adjustment.tightened_by(), [Tightening::RepeatedExceptions][..usize::from(tightens)]);
    assert_eq!(
        (adjustment.earned.is_none(), adjustment.relaxed().is_empty()),
        (tightens, tightens),
        "what is earned gives way"
    );
    assert_eq!(adjustment.allocation(Tier::T2, None), RiskPoints::new(120), "exceptions were charged already");
}

/// `000_…` §8, "until stability returns".
#[rstest]
#[case::still_worse([(2, 20, 30), (6, 20, 30), (7, 20, 30)], true)]
#[case::slower_to_recover([(6, 20, 30), (6, 20, 30), (5, 20, 31)], true)]
#[case::no_worse([(2, 20, 30), (6, 20, 30), (6, 20, 30)], false)]
#[case::better([(2, 20, 30), (6, 20, 30), (1, 20, 30)], false)]
#[case::nothing_was_released([(2, 20, 30), (6, 20, 30), (0, 0, 0)], true)]
#[case::nothing_was_released_for_long([(6, 20, 30), (0, 0, 0), (0, 0, 0)], true)]
#[case::better_than_before_the_pause([(6, 20, 30), (0, 0, 0), (1, 20, 30)], false)]
#[case::worse_than_before_the_pause([(2, 20, 30), (0, 0, 0), (6, 20, 30)], true)]
#[case::good_after_nothing([(0, 0, 0), (0, 0, 0), (0, 3, 0)], false)]
#[case::bad_after_nothing([(0, 0, 0), (0, 0, 0), (1, 20, 30)], true)]
fn tightening_lasts_until_stability_returns(#[case] windows: Windows, #[case] stays: bool) {
    let stable = adjust(&AdjustmentFacts { was_worse: true, ..facts(windows) }).worse.is_none();
    let newly = history(windows).worsened();
    assert_eq!(!stable, stays || newly);
}

#[test]
fn without_windows_nothing_is_earned_and_tightening_stays() {
    let none = AdjustmentFacts { history: None, was_worse: false, exceptions: 0, reward: None };
    assert_eq!(adjust(&none), Adjustment::default());
    assert!(adjust(&AdjustmentFacts { was_worse: true, ..none }).worse.is_some());
}

#[test]
fn every_adjustment_tells_its_evidence() {
    let lines = adjust(&facts(BETTER)).lines();
    assert_eq!(
        lines,
        [
            "Earned +10 % risk points (000 §5.6): 4 of 20 releases failed, MTTR 1h; then 3 of 20 releases failed, MTTR 40m; then 2 of 20 releases failed, MTTR 30m."
        ]
    );
    let lines = adjust(&AdjustmentFacts { exceptions: 3, ..facts(WORSE) }).lines();
    assert!(
        lines[0].starts_with(
            "Tightened: -20 % risk points, one gate level more, until stability returns (000 §8): 2 of 20"
        )
    );
    assert_eq!(
        lines[1],
        "Tightened: one gate level more, as long as exceptions are repeated (000 §7): 3 exceptions in this window and the one before."
    );
}

/// `000_…` §7 and §8: a stricter mapping is lightened for no category, whatever was earned.
#[test]
fn a_tightened_mapping_is_relaxed_for_nothing() {
    let earned = Some((Reward::Relaxation([Category::Ui].into()), "4 of 20 releases failed".to_owned()));
    let relaxed = Adjustment { earned, ..Adjustment::default() };
    assert_eq!(relaxed.relaxed(), [Category::Ui].into());
    let exceptions = Some("2 exceptions".to_owned());
    assert!(Adjustment { exceptions, ..relaxed.clone() }.relaxed().is_empty());
    assert!(Adjustment { worse: Some("2 of 20 releases failed".to_owned()), ..relaxed }.relaxed().is_empty());
}

/// `000_…` §7 and §8: each cause is told by itself, and has its own effect and end.
#[rstest]
#[case::figures_alone(WORSE, 0, false, &[Tightening::WorseFigures], 96)]
#[case::exceptions_alone(SAME, 2, false, &[Tightening::RepeatedExceptions], 120)]
#[case::both(WORSE, 2, false, &[Tightening::RepeatedExceptions, Tightening::WorseFigures], 96)]
#[case::exceptions_while_stability_has_not_returned(SLOWER, 2, true, &[Tightening::RepeatedExceptions, Tightening::WorseFigures], 96)]
#[case::exceptions_after_stability_returned(SAME, 2, true, &[Tightening::RepeatedExceptions], 120)]
#[case::stability_has_not_returned(SLOWER, 1, true, &[Tightening::WorseFigures], 96)]
#[case::a_little_slower_tightens_nothing_anew(SLOWER, 1, false, &[], 120)]
fn each_cause_of_tightening_stands_alone(
    #[case] windows: Windows,
    #[case] exceptions: u32,
    #[case] was_worse: bool,
    #[case] causes: &[Tightening],
    #[case] points: u32,
) {
    let adjustment = adjust(&AdjustmentFacts { exceptions, was_worse, ..facts(windows) });
    assert_eq!(adjustment.tightened_by(), causes);
    assert_eq!(adjustment.lines().len(), causes.len(), "each with its evidence: {:?}", adjustment.lines());
    assert_eq!(adjustment.allocation(Tier::T2, None), RiskPoints::new(points));
}
