use std::collections::BTreeSet;

use super::classification;
use crate::api::BudgetStatus::{self, *};
use crate::api::ChangeType::{self, *};
use crate::policy::band::Band::{self, *};
use crate::policy::category::{Category, Classification};
use crate::policy::gate::{Gate::*, GateRule, *};
use crate::policy::{RiskPoints, Tier};
use Tier::*;
use proptest::prelude::*;
use rstest::rstest;

/// `000_…` §6.3, the map.
#[rstest]
#[case(0, G1)]
#[case(1, G1)]
#[case(5, G1)]
#[case(6, G2)]
#[case(12, G2)]
#[case(13, G3)]
#[case(20, G3)]
#[case(21, G4)]
#[case(1_000, G4)]
fn points_have_a_gate(#[case] points: u32, #[case] gate: Gate) {
    assert_eq!(gate_of(RiskPoints::new(points)), gate);
}

#[test]
fn gates_go_up_and_down_one_by_one_and_stop() {
    assert_eq!([G0, G1, G2, G3, G4].map(Gate::stricter), [G1, G2, G3, G4, G4]);
    assert_eq!([G0, G1, G2, G3, G4].map(Gate::lighter), [G0, G0, G1, G2, G3]);
}

/// An ordinary change of an internal service, in a good moment.
#[derive(Debug)]
struct Case {
    points: u32,
    categories: Vec<Category>,
    kind: ChangeType,
    tier: Tier,
    band: Band,
    status: BudgetStatus,
    incident: bool,
    restricted: bool,
    remediation: bool,
    exception: bool,
    tightened: bool,
    relaxed: BTreeSet<Category>,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            points: 4,
            categories: vec![Category::Ui],
            kind: Feature,
            tier: T0,
            band: Green,
            status: Healthy,
            incident: false,
            restricted: false,
            remediation: false,
            exception: false,
            tightened: false,
            relaxed: BTreeSet::new(),
        }
    }
}

impl Case {
    fn decide(&self) -> GateDecision {
        let change: Classification = classification(&self.categories);
        decide(&GateFacts {
            points: RiskPoints::new(self.points),
            change: &change,
            kind: self.kind,
            tier: self.tier,
            band: self.band,
            budget_status: self.status,
            incident: self.incident,
            restricted: self.restricted.then_some("Black Friday until 30 Nov 00:00:00 UTC"),
            remediation: self.remediation,
            exception: self.exception,
            tightened: self.tightened,
            relaxed: &self.relaxed,
        })
    }
}

fn case() -> Case {
    Case::default()
}

/// Every rule of §6.2 and §6.3, in words and with the one that decided.
#[rstest]
#[case::low(case(), "4 RP → G1", GateRule::RiskPoints)]
#[case::map_and_yellow(Case { points: 14, band: Yellow, ..case() }, "14 RP → G3; Yellow: +1 → G4", GateRule::Yellow)]
#[case::category(Case { categories: vec![Category::Authentication], ..case() }, "4 RP → G1; authentication: at least G3 → G3", GateRule::Category)]
#[case::map_above_category(Case { points: 21, categories: vec![Category::Authentication], ..case() }, "21 RP → G4", GateRule::RiskPoints)]
#[case::tier(Case { points: 1, tier: T3, ..case() }, "1 RP → G1; Tier 3: at least G2 → G2", GateRule::TierMinimum)]
#[case::yellow_leaves_g1(Case { band: Yellow, ..case() }, "4 RP → G1", GateRule::RiskPoints)]
#[case::yellow_from_g2(Case { points: 6, band: Yellow, ..case() }, "6 RP → G2; Yellow: +1 → G3", GateRule::Yellow)]
#[case::red_from_g1(Case { band: Red, ..case() }, "4 RP → G1; Red: +1 → G2", GateRule::Red)]
#[case::exhausted(Case { band: Exhausted, ..case() }, "4 RP → G1; Exhausted: +1 → G2", GateRule::Exhausted)]
#[case::g4_stays(Case { points: 30, band: Red, ..case() }, "30 RP → G4", GateRule::RiskPoints)]
#[case::tightened(Case { tightened: true, ..case() }, "4 RP → G1; tightened mapping: +1 → G2", GateRule::Tightening)]
#[case::tightened_and_yellow(Case { tightened: true, band: Yellow, ..case() }, "4 RP → G1; tightened mapping: +1 → G2; Yellow: +1 → G3", GateRule::Yellow)]
#[case::relaxed(Case { relaxed: [Category::Ui].into(), ..case() }, "4 RP → G1; earned relaxation: -1 → G0", GateRule::Relaxation)]
#[case::relaxed_below_its_floor(Case { points: 14, categories: vec![Category::Authentication], relaxed: [Category::Authentication].into(), ..case() },
    "14 RP → G3; earned relaxation: -1 → G2", GateRule::Relaxation)]
#[case::relaxed_for_others(Case { categories: vec![Category::Ui, Category::Queue], relaxed: [Category::Ui].into(), ..case() }, "4 RP → G1; queue: at least G3 → G3", GateRule::Category)]
#[case::relaxed_in_green_alone(Case { band: Yellow, relaxed: [Category::Ui].into(), ..case() }, "4 RP → G1", GateRule::RiskPoints)]
#[case::relaxed_never_when_tightened(Case { tightened: true, relaxed: [Category::Ui].into(), ..case() }, "4 RP → G1; tightened mapping: +1 → G2", GateRule::Tightening)]
#[case::breaking_is_never_relaxed(Case { categories: vec![Category::SchemaMigrationBreaking], relaxed: [Category::SchemaMigrationBreaking].into(), ..case() },
    "4 RP → G1; schema-migration-breaking: at least G4 → G4", GateRule::Category)]
#[case::platform(Case { categories: vec![Category::PlatformWide], ..case() }, "4 RP → G1; platform-wide: at least G4 → G4", GateRule::Category)]
#[case::tier_3_in_yellow(Case { tier: T3, points: 7, band: Yellow, ..case() }, "7 RP → G2; Yellow: +1 → G3; Tier 3 with low budget (Yellow): at least G4 → G4", GateRule::LowBudget)]
#[case::tier_2_in_red(Case { tier: T2, points: 7, band: Red, ..case() }, "7 RP → G2; Red: +1 → G3", GateRule::Red)]
#[case::exception_in_a_window(Case { exception: true, restricted: true, ..case() }, "4 RP → G1; exception in a freeze: at least G4 → G4", GateRule::FreezeException)]
#[case::exception_in_a_frozen_budget(Case { exception: true, status: Critical, ..case() }, "4 RP → G1; exception in a freeze: at least G4 → G4", GateRule::FreezeException)]
#[case::exception_elsewhere(Case { exception: true, status: Warning, ..case() }, "4 RP → G1", GateRule::RiskPoints)]
#[case::remediation(Case { remediation: true, kind: IncidentFix, ..case() }, "4 RP → G1; remediation after a major incident: at least G4 → G4", GateRule::Remediation)]
#[case::rollback(Case { kind: Rollback, points: 40, band: Exhausted, status: Emergency, incident: true, restricted: true, tier: T3, ..case() }, "a rollback is never held → G0", GateRule::Rollback)]
fn a_gate_is_told_with_its_rules(#[case] case: Case, #[case] words: &str, #[case] rule: GateRule) {
    let decision = case.decide();
    assert_eq!((decision.to_string().as_str(), decision.decided_by()), (words, Some(rule)));
    assert!(words.ends_with(decision.gate.as_str()), "{decision}");
}

/// Every tier with the points of docs alone (base + 1), in every band.
#[rstest]
#[case(T0, 2, [G1, G1, G2, G2])]
#[case(T1, 4, [G1, G1, G2, G2])]
#[case(T2, 7, [G2, G3, G3, G3])]
#[case(T3, 11, [G2, G4, G4, G4])]
fn docs_by_tier_and_band(#[case] tier: Tier, #[case] points: u32, #[case] gates: [Gate; 4]) {
    let categories = vec![Category::Docs];
    let seen = [Green, Yellow, Red, Exhausted]
        .map(|band| Case { tier, points, band, categories: categories.clone(), ..case() }.decide().gate);
    assert_eq!(seen, gates);
}

/// Every type under every reason to block: y ships, n does not; Ui is a low-risk diff. Columns: calm, incident,
/// error budget Critical, restricted window, Yellow, Red, Exhausted.
#[rstest]
#[case(Feature, "ynnnyyn")]
#[case(BugFix, "yyynyyn")]
#[case(Reliability, "ynnnyyn")]
#[case(IncidentFix, "yyynyyy")]
#[case(SecurityFix, "yyynyyy")]
#[case(Rollback, "yyyyyyy")]
#[case(Experiment, "ynnnyyn")]
#[case(Refactor, "ynnnyyn")]
#[case(Infrastructure, "ynnnyyn")]
#[case(Config, "ynnnyyn")]
#[case(Docs, "ynnnyyn")]
fn what_blocks_a_low_risk_diff(#[case] kind: ChangeType, #[case] expected: &str) {
    let seen: String = moments().map(|moment| letter(Case { kind, ..moment })).into_iter().collect();
    assert_eq!(seen, expected);
    let excused: String =
        moments().map(|moment| letter(Case { kind, exception: true, ..moment })).into_iter().collect();
    assert_eq!(excused, "yyyyyyy", "an approved exception is blocked by nothing");
}

/// The same for the bands Red and Exhausted with a moderate diff (hot-path), then with a high-risk one (payments).
#[rstest]
#[case(Feature, "nnnn")]
#[case(BugFix, "nnnn")]
#[case(Reliability, "ynnn")]
#[case(IncidentFix, "yynn")]
#[case(SecurityFix, "yynn")]
#[case(Rollback, "yyyy")]
#[case(Config, "nnnn")]
fn what_blocks_a_riskier_diff(#[case] kind: ChangeType, #[case] expected: &str) {
    let diffs = [Category::HotPath, Category::Payments];
    let both = diffs.iter().flat_map(|category| [Red, Exhausted].map(|band| (*category, band)));
    let seen: String =
        both.map(|(category, band)| letter(Case { kind, band, categories: vec![category], ..case() })).collect();
    assert_eq!(seen, expected);
}

fn moments() -> [Case; 7] {
    [
        case(),
        Case { incident: true, ..case() },
        Case { status: Critical, ..case() },
        Case { restricted: true, ..case() },
        Case { band: Yellow, ..case() },
        Case { band: Red, ..case() },
        Case { band: Exhausted, ..case() },
    ]
}

fn letter(case: Case) -> char {
    if case.decide().blocks.is_empty() { 'y' } else { 'n' }
}

#[test]
fn a_block_names_both_lines_and_what_ends_it() {
    let blocked = Case { kind: SecurityFix, band: Red, categories: vec![Category::Encryption], ..case() }.decide();
    let [block] = blocked.blocks.as_slice() else { panic!("{:?}", blocked.blocks) };
    assert_eq!(
        block.to_string(),
        "blocked by \"block high-risk categories unless exception\" (000 §6.3, Red); \"allow only low-risk changes or reliability/security work\" (000 §5.4, Control thresholds) would let it pass, the stricter holds. Ships once 30 % of the risk budget or more is left, or as an exception (break-glass, charged 150 %)"
    );
    let everything = Case {
        band: Exhausted,
        incident: true,
        status: Emergency,
        restricted: true,
        categories: vec![Category::Payments],
        ..case()
    };
    assert_eq!(everything.decide().blocks.len(), 6, "every reason is told");
}

fn any_case() -> impl Strategy<Value = Case> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (
        1_u32..40,
        proptest::collection::vec(proptest::sample::select(Category::ALL), 1..5),
        proptest::sample::select(ChangeType::ALL),
        proptest::sample::select(Tier::ALL),
        proptest::sample::select(Band::ALL),
        proptest::sample::select(BudgetStatus::ALL),
        flags,
        proptest::collection::btree_set(proptest::sample::select(Category::ALL), 0..3),
    )
        .prop_map(|(points, categories, kind, tier, band, status, flags, relaxed)| {
            let (incident, restricted, remediation, exception, tightened) = flags;
            Case {
                points,
                categories,
                kind,
                tier,
                band,
                status,
                incident,
                restricted,
                remediation,
                exception,
                tightened,
                relaxed,
            }
        })
}

/// The same case, worse in one thing.
fn worse(of: &Case, what: usize) -> Case {
    let mut case = Case { categories: of.categories.clone(), relaxed: of.relaxed.clone(), ..*of };
    match what {
        0 => case.points += 9,
        1 => case.band = *Band::ALL.iter().find(|band| **band > of.band).unwrap_or(&of.band),
        2 => case.tier = *Tier::ALL.iter().find(|tier| **tier > of.tier).unwrap_or(&of.tier),
        3 => case.status = *BudgetStatus::ALL.iter().find(|status| **status > of.status).unwrap_or(&of.status),
        4 => case.incident = true,
        5 => case.restricted = true,
        6 => case.remediation = true,
        7 => case.tightened = true,
        _ => case.relaxed.clear(),
    }
    case
}

/// `000_…` §6.2: how risky what goes by a gate is.
#[rstest]
#[case(Gate::G0, "no risk")]
#[case(Gate::G1, "low risk")]
#[case(Gate::G2, "moderate risk")]
#[case(Gate::G3, "high risk")]
#[case(Gate::G4, "very high risk")]
fn what_a_gate_means(#[case] gate: Gate, #[case] meaning: &str) {
    assert_eq!(gate.meaning(), meaning);
}

proptest! {
    #[test]
    fn more_risk_never_lowers_a_gate_and_never_lifts_a_block(case in any_case(), what in 0_usize..9) {
        let (before, now) = (case.decide(), worse(&case, what).decide());
        prop_assert!(now.gate >= before.gate, "{before} then {now}");
        prop_assert!(before.blocks.is_empty() || !now.blocks.is_empty());
    }

    #[test]
    fn the_floors_hold_but_for_what_is_earned(case in any_case()) {
        prop_assume!(case.kind != Rollback);
        let decision = case.decide();
        let floor = classification(&case.categories).floor().max(case.tier.minimum_gate()).max(gate_of(RiskPoints::new(case.points)));
        let earned = decision.steps.iter().any(|step| step.rule == GateRule::Relaxation);
        let least = if earned { floor.lighter() } else { floor };
        prop_assert!(decision.gate >= least);
        prop_assert!(!earned || case.band == Green && !case.tightened);
    }

    #[test]
    fn the_last_step_is_the_gate(case in any_case()) {
        let decision = case.decide();
        prop_assert_eq!(decision.steps.last().map(|step| step.to), Some(decision.gate));
        prop_assert!(decision.steps.windows(2).all(|pair| pair[0].to != pair[1].to));
        prop_assert!(decision.steps.iter().all(|step| step.source.starts_with("000 §")));
    }

    #[test]
    fn a_rollback_and_an_exception_are_blocked_by_nothing(case in any_case()) {
        let excused = Case { exception: true, categories: case.categories.clone(), relaxed: BTreeSet::new(), ..case };
        prop_assert!(excused.decide().blocks.is_empty());
        let back = Case { kind: Rollback, exception: false, ..excused };
        prop_assert_eq!((back.decide().gate, back.decide().blocks), (G0, vec![]));
    }
}

/// `000_…` §6.3: what holds a change that was let start before. Before any user met it, and after.
#[rstest]
#[case::incident(BlockCause::Incident, true, true, true)]
#[case::restricted_window(BlockCause::RestrictedWindow, false, true, false)]
#[case::error_budget(BlockCause::ErrorBudget, false, false, false)]
#[case::risk_budget(BlockCause::RiskBudget, false, false, false)]
fn some_causes_hold_what_is_under_way(
    #[case] cause: BlockCause,
    #[case] is_incident: bool,
    #[case] unmet: bool,
    #[case] met: bool,
) {
    assert_eq!(
        (cause.is_incident(), cause.holds_underway(true), cause.holds_underway(false)),
        (is_incident, unmet, met)
    );
}
