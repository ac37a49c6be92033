use super::{ordered_statuses, status};
use crate::api::gated_release::{ScheduleName, StageSpec, Strategy as Manifest};
use crate::api::{BudgetStatus, ChangeType, Span, Weight};
use crate::policy::schedule::*;
use proptest::prelude::*;
use rstest::rstest;

/// `5 % 15m, 25 % 15m, 100 % 0s; verify 1h`
fn written(schedule: &Schedule) -> String {
    let stages: Vec<String> = schedule.stages.iter().map(|s| format!("{} {}", s.weight, s.bake)).collect();
    format!("{}; verify {}", stages.join(", "), schedule.verify)
}

fn custom(stages: &[(u8, Span)]) -> Schedule {
    let stages = stages.iter().map(|&(weight, bake)| StageSpec { weight: Weight::whole(weight), bake }).collect();
    from_strategy(&Manifest { stages: Some(stages), ..Manifest::default() })
}

/// `001_…`, Deployment Process by Budget Status; `002_…`, release phase.
#[rstest]
#[case(ScheduleName::Express, "5 % 5m, 50 % 5m, 100 % 0s; verify 1h", false)]
#[case(ScheduleName::Standard, "5 % 15m, 25 % 15m, 50 % 15m, 100 % 0s; verify 1h", false)]
#[case(ScheduleName::Conservative, "1 % 30m, 10 % 2h, 50 % 4h, 100 % 0s; verify 1d", false)]
#[case(ScheduleName::Enhanced, "5 % 30m, 10 % 30m, 25 % 30m, 50 % 30m, 100 % 0s; verify 4h", true)]
#[case(ScheduleName::Emergency, "2 % 1h, 5 % 1h, 10 % 1h, 25 % 1h, 50 % 1d, 100 % 0s; verify 1d", true)]
fn presets_are_the_documents_figures(#[case] name: ScheduleName, #[case] expected: &str, #[case] manual: bool) {
    let schedule = preset(name);
    assert_eq!((written(&schedule).as_str(), schedule.manual_start), (expected, manual));
    assert_eq!(schedule.sign_offs.is_empty(), !manual);
    assert!(is_well_formed(&schedule));
}

fn is_well_formed(schedule: &Schedule) -> bool {
    let rises = schedule.stages.windows(2).all(|pair| pair[0].weight < pair[1].weight);
    let ends = schedule.stages.last().is_some_and(|last| last.weight == Weight::FULL);
    rises && ends && schedule.stages.len() <= STAGES_MAX
}

#[test]
fn the_processes_of_worse_statuses_are_stricter() {
    let order = [ScheduleName::Express, ScheduleName::Standard, ScheduleName::Enhanced].map(preset);
    assert!(order.windows(2).all(|pair| pair[1].at_least_as_strict_as(&pair[0])));
    assert!(!preset(ScheduleName::Standard).at_least_as_strict_as(&preset(ScheduleName::Conservative)));
    let [warning, critical] = [BudgetStatus::Warning, BudgetStatus::Critical].map(|s| floor(s).unwrap());
    let all = |of: &Schedule| Schedule { sign_offs: Vec::new(), ..of.clone() };
    assert!(all(&critical).at_least_as_strict_as(&all(&warning)), "the roles differ, the rest does not loosen");
}

#[rstest]
#[case::no_strategy(Manifest::default(), "5 % 15m, 25 % 15m, 50 % 15m, 100 % 0s; verify 1h", "Standard")]
#[case::own_verify(Manifest { verify: Some(Span::hours(2)), ..Manifest::default() }, "5 % 15m, 25 % 15m, 50 % 15m, 100 % 0s; verify 2h", "Standard")]
#[case::own_stages(Manifest { stages: Some(vec![StageSpec { weight: Weight::FULL, bake: Span::seconds(9) }]), ..Manifest::default() }, "100 % 9s; verify 1h", "Custom")]
fn the_manifest_is_read(#[case] strategy: Manifest, #[case] expected: &str, #[case] name: &str) {
    let schedule = from_strategy(&strategy);
    assert_eq!((written(&schedule).as_str(), schedule.name.to_string().as_str()), (expected, name));
}

const ENHANCED: &str = "5 % 30m, 10 % 30m, 25 % 30m, 50 % 30m, 100 % 0s; verify 1d";
const EMERGENCY: &str = "2 % 1h, 5 % 1h, 10 % 1h, 25 % 1h, 50 % 1d, 100 % 0s; verify 1d";

#[rstest]
#[case(
    preset(ScheduleName::Standard),
    BudgetStatus::Healthy,
    "5 % 15m, 25 % 15m, 50 % 15m, 100 % 0s; verify 1h",
    "Standard"
)]
#[case(preset(ScheduleName::Express), BudgetStatus::Warning, ENHANCED, "Express tightened to Enhanced")]
#[case(preset(ScheduleName::Standard), BudgetStatus::Warning, ENHANCED, "Standard tightened to Enhanced")]
#[case(preset(ScheduleName::Enhanced), BudgetStatus::Warning, ENHANCED, "Enhanced")]
#[case(preset(ScheduleName::Standard), BudgetStatus::Critical, EMERGENCY, "Standard tightened to Emergency")]
#[case(preset(ScheduleName::Standard), BudgetStatus::Emergency, EMERGENCY, "Standard tightened to Emergency")]
#[case(preset(ScheduleName::Emergency), BudgetStatus::Emergency, EMERGENCY, "Emergency")]
#[case::strict_stages_stay(
    preset(ScheduleName::Conservative),
    BudgetStatus::Warning,
    "1 % 30m, 10 % 2h, 50 % 4h, 100 % 0s; verify 1d",
    "Conservative tightened to Enhanced"
)]
#[case::the_lower_weight_at_every_moment(custom(&[(1, Span::minutes(10)), (100, Span::ZERO)]), BudgetStatus::Warning, "1 % 10m, 5 % 20m, 10 % 30m, 25 % 30m, 50 % 30m, 100 % 0s; verify 1d", "Custom tightened to Enhanced")]
#[case::watched_at_100_stays(custom(&[(100, Span::minutes(10))]), BudgetStatus::Warning, "5 % 30m, 10 % 30m, 25 % 30m, 50 % 30m, 100 % 10m; verify 1d", "Custom tightened to Enhanced")]
fn a_budget_tightens(
    #[case] manifest: Schedule,
    #[case] status: BudgetStatus,
    #[case] expected: &str,
    #[case] name: &str,
) {
    let tight = tighten(manifest, status);
    assert_eq!((written(&tight).as_str(), tight.name.to_string().as_str()), (expected, name));
    assert_eq!(tight.manual_start, status != BudgetStatus::Healthy);
}

#[test]
fn a_rollback_goes_the_shortest_way_in_every_status() {
    for status in BudgetStatus::ALL {
        let schedule = schedule_for(&Manifest::default(), ChangeType::Rollback, *status);
        assert_eq!(schedule, preset(ScheduleName::Express));
        let own = Manifest { stages: Some(custom(&[(100, Span::ZERO)]).stages), ..Manifest::default() };
        assert_eq!(written(&schedule_for(&own, ChangeType::Rollback, *status)), "100 % 0s; verify 1h");
        let manual = Manifest { schedule: Some(ScheduleName::Emergency), ..Manifest::default() };
        let schedule = schedule_for(&manual, ChangeType::Rollback, *status);
        assert!(!schedule.manual_start && schedule.sign_offs.is_empty());
    }
    let feature = schedule_for(&Manifest::default(), ChangeType::Feature, BudgetStatus::Critical);
    assert_eq!(feature, tighten(preset(ScheduleName::Standard), BudgetStatus::Critical));
}

#[test]
fn the_weight_follows_the_clock() {
    let standard = preset(ScheduleName::Standard);
    let at = |minutes| standard.weight_after(Span::minutes(minutes)).get();
    assert_eq!([at(0), at(14), at(15), at(44), at(45), at(9_999)], [5, 5, 25, 50, 100, 100]);
    assert_eq!(standard.time_to_full(), Span::minutes(45));
}

fn manifest() -> impl Strategy<Value = Schedule> {
    let weights = proptest::collection::btree_set(1_u8..100, 0..STAGES_MAX);
    let bakes = proptest::collection::vec(0_u64..40_000, STAGES_MAX);
    let own = (weights, bakes, 0_u64..200_000).prop_map(|(weights, bakes, verify)| {
        let stages = weights.into_iter().chain([100]).zip(bakes);
        let stages: Vec<_> = stages.map(|(weight, bake)| (weight, Span::seconds(bake))).collect();
        Schedule { verify: Span::seconds(verify), ..custom(&stages) }
    });
    prop_oneof![3 => own, 1 => proptest::sample::select(ScheduleName::ALL).prop_map(preset)]
}

/// A second way to compare: minute by minute, and at every second where something starts.
fn looked_at_by_hand(strict: &Schedule, loose: &Schedule) -> bool {
    let mut moments: Vec<u64> = (0..4_000).map(|minute| minute * 60).collect();
    for schedule in [strict, loose] {
        let mut at = 0;
        for stage in &schedule.stages {
            moments.push(at);
            at += stage.bake.as_millis() / 1_000;
        }
    }
    moments.into_iter().map(Span::seconds).all(|at| strict.weight_after(at) <= loose.weight_after(at))
}

/// So many stages that some of them must be dropped, and other ones under a worse budget.
#[test]
fn a_worse_budget_does_not_loosen_a_schedule_of_too_many_stages() {
    let weights = [11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 23, 24, 25, 26, 27, 31, 32, 33, 100];
    let bake = |index: usize| match index {
        0 => 4_177,
        1..12 => 577,
        18 => 0,
        _ => 277,
    };
    let stages: Vec<_> = weights.iter().enumerate().map(|(at, weight)| (*weight, Span::seconds(bake(at)))).collect();
    let manifest = custom(&stages);
    let anonymous = |status| Schedule { sign_offs: Vec::new(), ..tighten(manifest.clone(), status) };
    for pair in BudgetStatus::ALL.windows(2) {
        let (good, bad) = (anonymous(pair[0]), anonymous(pair[1]));
        assert!(bad.at_least_as_strict_as(&good), "{} {}", written(&good), written(&bad));
    }
}

#[test]
fn a_rollback_that_takes_as_long_either_way_goes_by_express() {
    let own = custom(&[(50, Span::minutes(10)), (100, Span::ZERO)]);
    let manifest = Manifest { stages: Some(own.stages), ..Manifest::default() };
    let schedule = schedule_for(&manifest, ChangeType::Rollback, BudgetStatus::Healthy);
    assert_eq!(schedule, preset(ScheduleName::Express));
}

/// A release that may not give its canary more than half: what would have been watched above it is watched at half.
#[rstest]
#[case::standard(preset(ScheduleName::Standard), "5 % 15m, 25 % 15m, 50 % 15m")]
#[case::above_half(custom(&[(10, Span::minutes(5)), (60, Span::minutes(10)), (100, Span::minutes(20))]), "10 % 5m, 50 % 30m")]
#[case::half_and_more(custom(&[(50, Span::minutes(5)), (51, Span::minutes(10)), (100, Span::ZERO)]), "50 % 15m")]
#[case::at_once(custom(&[(100, Span::ZERO)]), "50 % 0s")]
fn a_lean_release_ends_at_half(#[case] schedule: Schedule, #[case] expected: &str) {
    let stages: Vec<String> = lean(&schedule.stages).iter().map(|s| format!("{} {}", s.weight, s.bake)).collect();
    assert_eq!(stages.join(", "), expected);
}

/// Stages of an hour each, from a weight on, then 100 % without one.
fn hours(weights: impl Iterator<Item = u8>) -> Schedule {
    custom(&weights.map(|weight| (weight, Span::hours(1))).chain([(100, Span::ZERO)]).collect::<Vec<_>>())
}

#[test]
fn as_many_stages_as_may_be_are_all_kept() {
    let manifest = hours(1..=19);
    assert_eq!(manifest.stages.len(), STAGES_MAX);
    assert_eq!(tighten(manifest.clone(), BudgetStatus::Warning).stages, manifest.stages);
}

/// The enhanced process parts the first hour in two: of 21 stages the shorter one between first and last goes.
#[test]
fn of_too_many_stages_the_shortest_goes_and_the_one_before_lasts_longer() {
    let tight = tighten(hours(6..=24), BudgetStatus::Warning);
    assert_eq!(tight.stages, hours(std::iter::once(5).chain(7..=24)).stages);
}

proptest! {
    #[test]
    fn tighten_never_loosens(manifest in manifest(), status in status()) {
        let tight = tighten(manifest.clone(), status);
        prop_assert!(is_well_formed(&tight), "{}", written(&tight));
        prop_assert!(tight.at_least_as_strict_as(&manifest), "{} {}", written(&manifest), written(&tight));
        prop_assert!(looked_at_by_hand(&tight, &manifest));
        if let Some(floor) = floor(status) {
            prop_assert!(tight.at_least_as_strict_as(&floor), "{} {}", written(&manifest), written(&tight));
            prop_assert!(looked_at_by_hand(&tight, &floor));
        }
    }

    #[test]
    fn a_worse_budget_never_loosens(manifest in manifest(), (good, bad) in ordered_statuses()) {
        // Which roles agree differs by process; how many, freeze's own test holds.
        let anonymous = |status| Schedule { sign_offs: Vec::new(), ..tighten(manifest.clone(), status) };
        prop_assert!(anonymous(bad).at_least_as_strict_as(&anonymous(good)));
    }

    #[test]
    fn tightening_twice_changes_nothing(manifest in manifest(), status in status()) {
        let once = tighten(manifest, status);
        let twice = tighten(once.clone(), status);
        prop_assert_eq!(once, twice);
    }
}
