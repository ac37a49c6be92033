use super::classification;
use crate::api::{RiskClass, Time};
use crate::policy::budget::Remaining;
use crate::policy::category::Category::{self, *};
use crate::policy::score::{
    Mitigation::{Canary, CompatibleMigration, IntegrationCoverage, Isolation, NoDataMigration},
    *,
};
use crate::policy::{RiskPoints, Tier};
use proptest::prelude::*;
use rstest::rstest;

fn at(text: &str) -> Time {
    Time(text.parse().unwrap())
}

fn now() -> Time {
    at("2026-03-31T12:00:00Z")
}

fn known<T>(value: T) -> Signal<T> {
    Signal::Known(Seen { value, at: now() })
}

/// Nothing is wrong and nothing is unknown.
fn calm() -> Context {
    Context {
        incidents: known(vec![]),
        error_budget: known(Remaining::from_percent(72.0).unwrap()),
        on_call: known(OnCallLoad { pages: 1.0, normal: 2.0 }),
        restricted: None,
    }
}

fn verified(mitigation: Mitigation) -> Verified {
    Verified { mitigation, at: at("2026-03-20T08:00:00Z"), until: None, evidence: "a rehearsal".into() }
}

fn score(tier: Tier, categories: &[Category], context: &Context, mitigations: &[Verified]) -> Score {
    let change = classification(categories);
    Score::of(&ScoreFacts { tier, change: &change, context, mitigations }, now())
}

fn total(categories: &[Category], context: &Context, mitigations: &[Verified]) -> u32 {
    score(Tier::T1, categories, context, mitigations).total.get()
}

/// `000_…` §5.1 to §5.3: base, budget; the minimum gate is that of the base.
#[rstest]
#[case(0, 1, 300, "G1")]
#[case(1, 3, 200, "G1")]
#[case(2, 6, 120, "G2")]
#[case(3, 10, 80, "G2")]
fn a_tier_has_its_figures(#[case] number: u8, #[case] base: u32, #[case] budget: u32, #[case] gate: &str) {
    let tier = Tier::new(number).unwrap();
    let seen = (tier.number(), tier.base().get(), tier.allocation().get(), tier.minimum_gate().as_str());
    assert_eq!(seen, (number, base, budget, gate));
    let alone = score(tier, &[Docs], &calm(), &[]);
    assert_eq!(alone.total, RiskPoints::new(base + 1));
}

#[test]
fn there_is_no_tier_4() {
    assert!(Tier::new(4).unwrap_err().to_string().contains("\"4\" is not a tier: 0 (internal)"));
}

/// `000_…` §5.3, Diff Risk: every figure once, and that they add up.
#[rstest]
#[case::one(&[Telemetry], 1)]
#[case::three(&[Ui], 3)]
#[case::six(&[DependencyMinor], 6)]
#[case::ten(&[Authentication], 10)]
#[case::fifteen(&[Payments], 15)]
#[case::one_item_once(&[Authentication, Permissions, Authorization], 10)]
#[case::additive(&[Ui, ApiCompatible, SchemaMigrationAdditive], 19)]
#[case::nobody_said(&[], 6)]
fn diff_risk_adds_up_by_item(#[case] categories: &[Category], #[case] points: i32) {
    let score = score(Tier::T2, categories, &calm(), &[]);
    assert_eq!(score.part(TermKind::Diff), points);
    assert_eq!(i64::from(score.total.get()), i64::from(6 + points));
}

fn incident(severity: Option<u8>, ended: Option<&str>) -> Context {
    let incident = Incident { name: "INC-7".into(), severity, ended: ended.map(at) };
    Context { incidents: known(vec![incident]), ..calm() }
}

/// `000_…` §5.3, Operational Context.
#[rstest]
#[case::calm(calm(), 0)]
#[case::goes_on(incident(Some(4), None), 5)]
#[case::sev2_yesterday(incident(Some(2), Some("2026-03-30T12:00:00Z")), 5)]
#[case::sev1_seven_days_ago_to_the_second(incident(Some(1), Some("2026-03-24T12:00:00Z")), 5)]
#[case::sev1_longer_ago(incident(Some(1), Some("2026-03-24T11:59:59Z")), 0)]
#[case::sev3_yesterday(incident(Some(3), Some("2026-03-30T12:00:00Z")), 0)]
#[case::severity_not_known(incident(None, Some("2026-03-30T12:00:00Z")), 5)]
#[case::budget_49_9(Context { error_budget: known(Remaining::from_percent(49.9).unwrap()), ..calm() }, 3)]
#[case::budget_50(Context { error_budget: known(Remaining::from_percent(50.0).unwrap()), ..calm() }, 0)]
#[case::load_normal(Context { on_call: known(OnCallLoad { pages: 2.0, normal: 2.0 }), ..calm() }, 0)]
#[case::load_above(Context { on_call: known(OnCallLoad { pages: 2.5, normal: 2.0 }), ..calm() }, 2)]
#[case::restricted(Context { restricted: Some("Black Friday".into()), ..calm() }, 5)]
#[case::unanswered_counts_as_bad(Context { incidents: Signal::Unknown("Prometheus does not answer".into()), ..calm() }, 5)]
#[case::old_counts_as_bad(Context { on_call: Signal::Known(Seen { value: OnCallLoad { pages: 0.0, normal: 1.0 }, at: at("2026-03-31T11:44:59Z") }), ..calm() }, 2)]
#[case::nobody_asks(Context { incidents: Signal::NotConfigured, error_budget: Signal::NotConfigured, on_call: Signal::NotConfigured, restricted: None }, 0)]
fn the_moment_counts(#[case] context: Context, #[case] points: i32) {
    let score = score(Tier::T1, &[Ui], &context, &[]);
    assert_eq!(score.part(TermKind::Context), points, "{:?}", score.lines());
}

/// What is shown is rounded, and does not read as if nothing were wrong.
#[rstest]
#[case::well_below(49.94, "49.9 % left")]
#[case::rounded_to_the_limit(49.96, "just less than 50 % left")]
fn a_low_error_budget_is_told(#[case] percent: f64, #[case] told: &str) {
    let context = Context { error_budget: known(Remaining::from_percent(percent).unwrap()), ..calm() };
    let score = score(Tier::T1, &[Ui], &context, &[]);
    let evidence = score.terms.iter().find(|term| term.kind == TermKind::Context).map(|term| term.evidence.as_str());
    assert_eq!(evidence, Some(told));
}

#[test]
fn an_incident_holds_while_it_goes_on_or_nobody_knows() {
    assert!(incident(Some(5), None).in_incident(now()));
    assert!(!incident(Some(1), Some("2026-03-31T11:00:00Z")).in_incident(now()));
    assert!(Context { incidents: Signal::Unknown("?".into()), ..calm() }.in_incident(now()));
    assert!(!Context { incidents: Signal::NotConfigured, ..calm() }.in_incident(now()));
}

/// `000_…` §5.3, Mitigations.
#[rstest]
#[case::feature_flag(&[Mitigation::FeatureFlag], &[Ui], 3)]
#[case::canary(&[Canary], &[Ui], 3)]
#[case::integration(&[IntegrationCoverage], &[Ui], 2)]
#[case::no_migration(&[NoDataMigration], &[Ui], 2)]
#[case::no_migration_with_one(&[NoDataMigration], &[Backfill], 0)]
#[case::personal_data_is_no_migration(&[NoDataMigration], &[Pii], 2)]
#[case::compatible(&[CompatibleMigration], &[SchemaMigrationExpandContract], 2)]
#[case::compatible_with_nothing(&[CompatibleMigration], &[Ui], 0)]
#[case::compatible_with_breaking(&[CompatibleMigration], &[SchemaMigrationBreaking], 0)]
#[case::isolation(&[Isolation], &[Ui], 2)]
#[case::each_once(&[Canary, Canary], &[Ui], 3)]
#[case::all(&[Mitigation::FeatureFlag, Canary, IntegrationCoverage, NoDataMigration, Isolation], &[Payments], 12)]
fn what_is_verified_takes_off(#[case] mitigations: &[Mitigation], #[case] categories: &[Category], #[case] off: i32) {
    let mitigations: Vec<_> = mitigations.iter().map(|one| verified(*one)).collect();
    let score = score(Tier::T3, categories, &calm(), &mitigations);
    assert_eq!(-score.part(TermKind::Mitigation), off, "{:?}", score.lines());
    assert_eq!(score.declined.is_empty(), off > 0, "what does not count is said");
}

#[rstest]
#[case::thirty_days("2026-03-01T12:00:00Z", None, true, "")]
#[case::a_second_more(
    "2026-03-01T11:59:59Z",
    None,
    false,
    "canary does not count: verified 1 Mar 11:59:59 UTC, more than 30d ago"
)]
#[case::to_come(
    "2026-03-31T12:00:01Z",
    None,
    false,
    "canary does not count: verified 31 Mar 12:00:01 UTC, which is still to come"
)]
#[case::lapsed(
    "2026-03-30T12:00:00Z",
    Some("2026-03-31T12:00:00Z"),
    false,
    "canary does not count: lapsed 31 Mar 12:00:00 UTC"
)]
#[case::not_yet_lapsed("2026-03-30T12:00:00Z", Some("2026-03-31T12:00:01Z"), true, "")]
fn a_verification_expires(#[case] when: &str, #[case] until: Option<&str>, #[case] counts: bool, #[case] why: &str) {
    let one = Verified { mitigation: Canary, at: at(when), until: until.map(at), evidence: "a rehearsal".into() };
    let score = score(Tier::T1, &[Ui], &calm(), &[one]);
    assert_eq!(score.part(TermKind::Mitigation), if counts { -3 } else { 0 });
    assert_eq!(score.declined.iter().map(ToString::to_string).collect::<String>(), why);
}

#[test]
fn of_several_verifications_one_that_holds_is_enough() {
    let old = Verified { at: at("2025-01-01T00:00:00Z"), ..verified(Canary) };
    for both in [[old.clone(), verified(Canary)], [verified(Canary), old]] {
        let score = score(Tier::T1, &[Ui], &calm(), &both);
        assert_eq!((score.part(TermKind::Mitigation), score.declined.len()), (-3, 0));
    }
}

#[test]
fn the_sum_is_told_with_every_term() {
    let context = incident(Some(2), Some("2026-03-30T12:00:00Z"));
    let score = score(Tier::T2, &[Authentication], &context, &[verified(Canary), verified(CompatibleMigration)]);
    assert_eq!(
        score.lines(),
        [
            "18 RP = 6 base + 10 diff + 5 context - 3 mitigations",
            "+6 Base (criticality) (000 §5.3, Base): Tier 2",
            "+10 auth/permission logic (000 §5.3, Diff Risk): authentication (the change says authentication)",
            "+5 service currently in incident or had Sev1/Sev2 in last 7 days (000 §5.3, Operational Context): INC-7 ended 30 Mar 12:00:00 UTC",
            "-3 canary + automated health gates + rollback tested in last 30 days (000 §5.3, Mitigations): a rehearsal, verified 20 Mar 08:00:00 UTC",
            "compatible-migration does not count: the change has no migration",
        ]
    );
    assert_eq!(score.class, RiskClass::High);
}

#[test]
fn never_below_one_point() {
    let all: Vec<_> =
        [Mitigation::FeatureFlag, Canary, IntegrationCoverage, NoDataMigration, Isolation].map(verified).into();
    let score = score(Tier::T0, &[Docs], &calm(), &all);
    assert_eq!(score.total, RiskPoints::LEAST);
    assert_eq!(score.to_string(), "1 RP = 1 base + 1 diff + 0 context - 12 mitigations, never below 1 RP (000 §5.3)");
}

#[test]
fn evidence_stays_short() {
    let many = [Infrastructure, Networking, LoadBalancer, Autoscaling, PlatformWide];
    let score = score(Tier::T0, &many, &calm(), &[]);
    assert!(score.terms[1].evidence.ends_with(" and 2 more"), "{}", score.terms[1].evidence);
}

fn mitigations() -> impl Strategy<Value = Vec<Verified>> {
    let one = (proptest::sample::select(Mitigation::ALL), 0_u64..80).prop_map(|(mitigation, days)| Verified {
        at: Time(now().0.saturating_sub(jiff::SignedDuration::from_hours(24 * days as i64)).unwrap()),
        ..verified(mitigation)
    });
    proptest::collection::vec(one, 0..8)
}

fn categories() -> impl Strategy<Value = Vec<Category>> {
    proptest::collection::vec(proptest::sample::select(Category::ALL), 0..8)
}

/// `000_…` §5.3: "Minimum RRS floor: never below 1 RP", told where it holds.
#[rstest]
#[case::it_holds(&[Docs], calm(), Isolation, "1 RP = 1 base + 1 diff + 0 context - 2 mitigations, never below 1 RP (000 §5.3)")]
#[case::just_above(&[Docs, Telemetry], calm(), Isolation, "1 RP = 1 base + 2 diff + 0 context - 2 mitigations")]
#[case::far_above(&[Docs, Telemetry], incident(None, None), Isolation, "6 RP = 1 base + 2 diff + 5 context - 2 mitigations")]
#[case::canary(&[Docs], calm(), Canary, "1 RP = 1 base + 1 diff + 0 context - 3 mitigations, never below 1 RP (000 §5.3)")]
fn the_sum_says_where_the_least_holds(
    #[case] categories: &[Category],
    #[case] context: Context,
    #[case] mitigation: Mitigation,
    #[case] expected: &str,
) {
    assert_eq!(score(Tier::T0, categories, &context, &[verified(mitigation)]).to_string(), expected);
}

#[test]
fn what_was_verified_this_moment_counts_and_what_will_be_does_not() {
    let off =
        |at| score(Tier::T2, &[Ui], &calm(), &[Verified { at, ..verified(Isolation) }]).part(TermKind::Mitigation);
    assert_eq!((off(now()), off(at("2026-03-31T12:00:01Z"))), (-2, 0));
}

#[test]
fn what_is_not_known_says_why_it_counts() {
    let context = Context { incidents: Signal::Unknown("Prometheus does not answer".into()), ..calm() };
    let lines = score(Tier::T1, &[Ui], &context, &[]).lines().join("\n");
    let why = "incidents are not known, which counts as bad: Prometheus does not answer";
    assert!(lines.contains(why), "{lines}");
}

proptest! {
    #[test]
    fn a_score_is_its_terms_and_at_least_one(tier in proptest::sample::select(Tier::ALL), some in categories(), off in mitigations()) {
        let score = score(tier, &some, &calm(), &off);
        let sum: i32 = score.terms.iter().map(|term| term.points).sum();
        prop_assert_eq!(i64::from(score.total.get()), i64::from(sum.max(1)));
        prop_assert!(score.terms.iter().all(|term| (term.points < 0) == (term.kind == TermKind::Mitigation)));
        prop_assert!(score.part(TermKind::Mitigation) >= -12, "no mitigation counts twice");
        prop_assert!(score.terms.iter().all(|term| !term.evidence.is_empty()));
    }

    #[test]
    fn a_worse_moment_or_tier_never_costs_less(some in categories(), off in mitigations()) {
        let worse = Context { restricted: Some("freeze".into()), ..incident(Some(1), None) };
        prop_assert!(total(&some, &worse, &off) >= total(&some, &calm(), &off));
        for pair in Tier::ALL.windows(2) {
            prop_assert!(score(pair[1], &some, &calm(), &off).total >= score(pair[0], &some, &calm(), &off).total);
        }
    }

    /// Categories but the riddle of an image, which a claim solves: more of them never cost less.
    #[test]
    fn another_category_never_costs_less(some in categories(), one in proptest::sample::select(Category::ALL), off in mitigations()) {
        let more = [some.as_slice(), &[one]].concat();
        prop_assume!(!classification(&some).has(UnclassifiedCode) || classification(&more).has(UnclassifiedCode));
        // Only what migrates data can earn the mitigation of a migration that is compatible, and may cost less by it.
        let off: Vec<_> = off.into_iter().filter(|one| one.mitigation != CompatibleMigration).collect();
        prop_assert!(total(&more, &calm(), &off) >= total(&some, &calm(), &off));
    }
}
