use rstest::rstest;
use serde_json::json;

use super::*;
use crate::api::release_record::Outcome;
use crate::api::risk_budget::{ChainStatus, LedgerStatus};
use crate::api::{AttestationSpec, BudgetStatus, ChangeType, ReleaseRecordSpec, Span, Time};
use crate::policy::obligation::RecordFacts;
use crate::policy::score::{Incident, Seen as Known, Signal};
use crate::policy::{Attested, Band, Gate, Tier};
use crate::release::chain;
use crate::release::snapshot::{BudgetSeen, RiskSeen, SignalsSeen};

fn now() -> Time {
    Time("2026-01-10T12:00:00Z".parse().unwrap())
}

fn healthy() -> BudgetSeen {
    BudgetSeen::Measured { status: BudgetStatus::Healthy, remaining_percent: 90.0, decided_by: "a".into() }
}

/// Tier 1, 200 points, so many of them spent.
fn risk(consumed: u32) -> RiskSeen {
    RiskSeen {
        resource_version: "7".into(),
        tier: Tier::T1,
        requirements: Default::default(),
        roles: Vec::new(),
        restricted: Vec::new(),
        budget: Some(
            serde_json::from_value(json!({
                "window": "2026-01", "from": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z",
                "allocated": 200, "consumed": consumed, "sequence": 4, "reserved": 0, "remaining": 200 - consumed,
                "remainingPercent": 100, "band": "Green", "releases": 0, "exceptions": 0,
            }))
            .unwrap(),
        ),
        ledger: LedgerStatus { sequence: 4, ..LedgerStatus::default() },
        signals: SignalsSeen { incidents: Signal::NotConfigured, on_call: Signal::NotConfigured },
        objectives: Default::default(),
    }
}

fn claim(name: &str, reference: &str, facts: serde_json::Value) -> Attested {
    let spec = serde_json::from_value(json!({
        "releaseRef": {"name": "web"}, "revision": reference, "type": "charge", "facts": facts,
        "author": "system:serviceaccount:shop:ci",
    }))
    .unwrap();
    Attested { name: name.into(), at: now(), spec }
}

fn infra(name: &str, reference: &str) -> Attested {
    claim(name, reference, json!({"categories": "infrastructure", "change-type": "Infrastructure"}))
}

fn asked(kind: &str, categories: &str) -> Asked {
    Asked::of(&claim("a", "git:1", json!({"categories": categories, "change-type": kind})).spec)
}

fn of(asked: &Asked, risk: &RiskSeen) -> Cost {
    cost(asked, &healthy(), risk, now()).unwrap()
}

/// `000_…` §5.3: base of the tier and diff risk, as of a release. Tier 1: 3.
#[rstest]
#[case("infrastructure", 18, Gate::G3)]
#[case("schema-migration-additive", 13, Gate::G3)]
#[case("feature-flag", 9, Gate::G2)]
#[case("docs", 4, Gate::G1)]
#[case("infrastructure, schema-migration-additive", 28, Gate::G4)]
#[case::a_word_that_is_none("docs, schema-migration", 10, Gate::G2)]
fn a_change_costs_what_a_release_with_its_diff_would(
    #[case] categories: &str,
    #[case] points: u32,
    #[case] gate: Gate,
) {
    let cost = of(&asked("Feature", categories), &risk(0));
    assert_eq!(
        (cost.points.get(), cost.decision.gate, cost.refused.as_slice()),
        (points, gate, &[][..]),
        "{}",
        cost.score
    );
}

#[test]
fn what_nobody_can_read_is_a_feature_of_unclassified_code() {
    let strange = asked("Rollback", "nonsense");
    assert_eq!((strange.change.kind, strange.change.categories.len()), (ChangeType::Feature, 1));
    assert_eq!(of(&strange, &risk(0)).points.get(), 9);
}

#[test]
fn band_and_points_are_told_before_and_after() {
    let cost = of(&asked("Feature", "infrastructure"), &risk(70));
    assert_eq!(
        (cost.before, cost.after),
        (Left { band: Band::Green, remaining: 130 }, Left { band: Band::Yellow, remaining: 112 })
    );
}

/// `000_…` §5.4 and §6.3, `001_…` Freeze Policy; what is against it makes it an exception, at half as much again (§7).
#[rstest]
#[case::green("Feature", "ui", healthy(), 0, None)]
#[case::red_blocks_high_risk("Feature", "infrastructure", healthy(), 150, Some(27))]
#[case::exhausted_blocks("Feature", "ui", healthy(), 200, Some(9))]
#[case::exhausted_lets_incident_fixes("IncidentFix", "ui", healthy(), 200, None)]
#[case::frozen("Feature", "ui", BudgetSeen::Measured { status: BudgetStatus::Critical, remaining_percent: 20.0, decided_by: "a".into() }, 0, Some(14))]
fn what_the_budget_does_not_allow_costs_half_as_much_again(
    #[case] kind: &str,
    #[case] categories: &str,
    #[case] budget: BudgetSeen,
    #[case] spent: u32,
    #[case] costs: Option<u32>,
) {
    let cost = cost(&asked(kind, categories), &budget, &risk(spent), now()).unwrap();
    assert_eq!(cost.exception(), costs.is_some(), "{:?}", cost.refused);
    assert_eq!(cost.points.get(), costs.unwrap_or(cost.score.total.get()), "{}", cost.score);
}

#[test]
fn points_that_are_not_there_speak_against_it() {
    let cost = of(&asked("SecurityFix", "ui"), &risk(199));
    assert_eq!(cost.refused, Vec::<String>::new(), "fixes may overdraw");
    let cost = of(&asked("Reliability", "ui"), &risk(199));
    assert!(cost.refused.iter().any(|why| why.contains("1 RP are neither spent nor promised")), "{:?}", cost.refused);
}

#[test]
fn in_an_incident_it_costs_five_more_and_only_fixes_are_allowed() {
    let mut risk = risk(0);
    let incident = Incident { name: "INC-7".into(), severity: Some(1), ended: None };
    risk.signals.incidents = Signal::Known(Known { value: vec![incident], at: now() });
    let feature = of(&asked("Feature", "ui"), &risk);
    assert_eq!((feature.score.total.get(), feature.points.get(), feature.exception()), (11, 17, true));
    assert!(!of(&asked("IncidentFix", "ui"), &risk).exception());
}

#[rstest]
#[case::never_measured(BudgetSeen::Unmeasured("Prometheus is down".into()), risk(0), "Prometheus is down")]
#[case::never_counted(healthy(), RiskSeen { budget: None, ..risk(0) }, "counted")]
#[case::gone(BudgetSeen::Missing, risk(0), "no such RiskBudget")]
fn nothing_is_charged_by_guess(#[case] budget: BudgetSeen, #[case] risk: RiskSeen, #[case] says: &str) {
    let claims = [infra("a", "git:1")];
    let seen = Seen { name: "web", budget: &budget, risk: &risk, claims: &claims, records: &[] };
    let Some(Move::Wait(why)) = next(&seen, now()) else { panic!("it does not wait") };
    assert!(why.contains(says), "{why}");
}

/// A budget, what was attested, and the records that were made; each move is carried out.
struct World {
    risk: RiskSeen,
    claims: Vec<Attested>,
    records: Vec<Charged>,
    statuses: Vec<crate::api::ReleaseRecordStatus>,
    now: Time,
}

impl World {
    fn new(claims: &[Attested]) -> Self {
        Self { risk: risk(0), claims: claims.to_vec(), records: vec![], statuses: vec![], now: now() }
    }

    fn next(&self) -> Option<Move> {
        let seen =
            Seen { name: "web", budget: &healthy(), risk: &self.risk, claims: &self.claims, records: &self.records };
        next(&seen, self.now)
    }

    fn seal(&mut self, name: String, spec: ReleaseRecordSpec, status: crate::api::ReleaseRecordStatus) {
        // As the ledger counts: what stands in a record is on its way no more.
        self.risk.ledger.pending.retain(|pending| pending.record != name);
        self.records.retain(|record| record.name != name);
        let (digest, at) = (status.digest.clone(), status.charge.as_ref().map(|charge| charge.at));
        self.statuses.push(status);
        self.records.push(Charged { name, resource_version: "1".into(), spec, digest, at });
    }

    /// Carries one move out; says whether there was one. With `dies` the record is made and its status is not written.
    fn step(&mut self, dies: bool) -> bool {
        match self.next() {
            None => false,
            Some(Move::Number { resource_version, ledger }) => {
                assert_eq!(resource_version, self.risk.resource_version);
                self.risk.ledger = *ledger;
                true
            }
            Some(Move::Open { name, spec, .. }) if dies => {
                self.records.push(Charged { name, resource_version: "1".into(), spec: *spec, digest: None, at: None });
                true
            }
            Some(Move::Open { name, spec, status }) => {
                assert!(self.records.iter().all(|record| record.name != name), "made twice: {name}");
                self.seal(name, *spec, *status);
                true
            }
            Some(Move::Finish { name, status, .. }) => {
                let spec = self.records.iter().find(|record| record.name == name).unwrap().spec.clone();
                self.seal(name, spec, *status);
                true
            }
            Some(Move::Wait(why)) => panic!("{why}"),
        }
    }

    fn settle(&mut self) {
        (0..20).find(|_| !self.step(false)).expect("it comes to an end");
    }

    /// Number and points of each charge.
    fn charged(&self) -> Vec<(u64, u32)> {
        let charges = self.statuses.iter().filter_map(|status| status.charge.as_ref());
        charges.map(|charge| (charge.sequence, charge.points)).collect()
    }
}

#[test]
fn each_change_is_charged_once_in_its_order_and_the_records_are_a_chain() {
    let mut later = infra("b", "git:2");
    later.at = now().plus(Span::seconds(1));
    let mut world = World::new(&[later, infra("a", "git:1"), infra("again", "git:1")]);
    world.settle();
    assert_eq!(world.charged(), [(5, 18), (6, 18)]);
    assert_eq!(world.records[0].spec.change.reference, "git:1");
    let raw: Vec<serde_json::Value> = world
        .records
        .iter()
        .zip(&world.statuses)
        .map(|(record, status)| json!({"metadata": {"name": record.name}, "spec": record.spec, "status": status}))
        .collect();
    let walk = chain::walk(&book("web"), &raw, chain::Known::default());
    assert_eq!((walk.broken, walk.records), (None, 2));
    assert!(walk.head.is_some());
    let status = &world.statuses[0];
    assert_eq!(status.outcome, Some(Outcome::Charged));
    assert!(status.summary.contains("as system:serviceaccount:shop:ci attested (a)"), "{}", status.summary);
    assert!(serde_json::to_string(&raw[0]).unwrap().len() < 4_096);
}

#[test]
fn a_death_between_any_two_writes_charges_nothing_twice() {
    let mut world = World::new(&[infra("a", "git:1"), infra("b", "git:2")]);
    // The number is given; then a claim comes that is older by its name: what has its number goes first.
    assert!(world.step(false));
    world.claims.insert(0, infra("0", "git:0"));
    assert!(world.step(true), "the record is made, its status not written");
    world.settle();
    assert_eq!(world.charged(), [(5, 18), (6, 18), (7, 18)]);
    let first = &world.records.iter().find(|record| record.spec.attempt == 1).unwrap().spec;
    assert_eq!(first.change.reference, "git:1");
}

/// The number of a record that is gone is not given again, and who puts the record back mends the chain.
#[test]
fn a_record_that_is_deleted_leaves_a_gap_in_the_chain() {
    let mut world = World::new(&[infra("a", "git:1")]);
    world.settle();
    let head = world.records[0].digest.clone().unwrap();
    world.risk.ledger.chain = Some(ChainStatus { attempts: 1, head: head.clone() });
    let mut later = infra("b", "git:2");
    later.at = now().plus(Span::seconds(1));
    world.claims = vec![later];
    world.records.clear();
    world.settle();
    let next = &world.records[0].spec;
    assert_eq!((next.attempt, next.previous_digest.as_deref()), (2, Some(head.as_str())));
}

#[rstest]
#[case::failed(json!({"outcome": "Failed"}), false)]
#[case::lapsed_before_it_came(json!({"expiresAt": "2026-01-10T12:00:00Z"}), false)]
#[case::another_type(json!({"type": "classification"}), false)]
#[case::still_good(json!({"expiresAt": "2026-01-10T12:00:01Z"}), true)]
fn what_does_not_stand_asks_for_nothing(#[case] fields: serde_json::Value, #[case] asks: bool) {
    let mut claim = infra("a", "git:1");
    let mut spec = serde_json::to_value(&claim.spec).unwrap();
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    claim.spec = serde_json::from_value::<AttestationSpec>(spec).unwrap();
    assert_eq!(World::new(&[claim]).next().is_some(), asks);
}

/// Records of windows before may have been pruned: what was attested before the oldest that is left was charged is not charged anew.
#[rstest]
#[case::before_the_book_begins(7, "2025-12-20T12:00:00Z", false)]
#[case::since_then(7, "2025-12-20T12:00:01Z", true)]
#[case::nothing_was_pruned(1, "2025-11-01T00:00:00Z", true)]
fn what_may_have_been_charged_in_a_pruned_record_is_not_charged_anew(
    #[case] oldest: u32,
    #[case] at: &str,
    #[case] asks: bool,
) {
    let mut world = World::new(&[infra("a", "git:1")]);
    world.settle();
    world.records[0].spec.attempt = oldest;
    world.records[0].at = Some(Time("2025-12-20T12:00:00Z".parse().unwrap()));
    world.claims = vec![Attested { at: Time(at.parse().unwrap()), ..infra("b", "git:2") }];
    assert_eq!(world.next().is_some(), asks);
}

/// A controller that was away for days when the window turned drops nothing: it is charged to the window that is counted.
#[test]
fn what_was_attested_days_before_the_window_is_charged_to_it() {
    let mut world =
        World::new(&[Attested { at: Time("2025-12-29T09:00:00Z".parse().unwrap()), ..infra("a", "git:1") }]);
    world.settle();
    assert_eq!(world.charged(), [(5, 18)]);
    world.risk.ledger.chain = Some(ChainStatus { attempts: 1, head: "d".into() });
    world.records.clear();
    assert_eq!(world.next(), None, "all of its records are gone: who knows what they charged");
}

/// What is not known for a day counts as if nothing were left of it, as of a release that ran past its gate.
#[rstest]
#[case::never_measured(BudgetSeen::Unmeasured("Prometheus is down".into()), risk(0), 32)]
#[case::never_counted(healthy(), RiskSeen { budget: None, ..risk(0) }, 27)]
fn after_a_day_it_is_charged_with_the_worst_figures(
    #[case] budget: BudgetSeen,
    #[case] risk: RiskSeen,
    #[case] points: u32,
) {
    let claims = [infra("a", "git:1")];
    let seen = Seen { name: "web", budget: &budget, risk: &risk, claims: &claims, records: &[] };
    let late = now().plus(Span::days(1));
    let before = Time(late.0 - jiff::SignedDuration::from_secs(1));
    assert!(matches!(next(&seen, before), Some(Move::Wait(_))), "not a second sooner");
    let Some(Move::Number { ledger, .. }) = next(&seen, late) else { panic!("it waits on") };
    assert_eq!((ledger.pending[0].charge.points, ledger.pending[0].charge.exception), (points, true));
    let risk = RiskSeen { ledger: *ledger, ..risk.clone() };
    let seen = Seen { risk: &risk, ..seen };
    let Some(Move::Open { status, .. }) = next(&seen, late) else { panic!("its record is not made") };
    assert!(status.summary.contains("as if nothing were left of what is not known: "), "{}", status.summary);
    let gone = Seen { budget: &BudgetSeen::Missing, ..seen };
    assert!(matches!(next(&gone, late), Some(Move::Wait(_))), "there is nothing to charge");
}

/// Who charges an hour's work lets the attestation lapse after it. An outage that is longer does not make the change one that never was.
#[test]
fn what_lapses_in_an_outage_is_owed_all_the_same() {
    let mut claim = infra("a", "git:1");
    claim.spec.expires_at = Some(now().plus(Span::hours(1)));
    let (budget, risk, claims) = (BudgetSeen::Unmeasured("Prometheus is down".into()), risk(0), [claim]);
    let seen = Seen { name: "web", budget: &budget, risk: &risk, claims: &claims, records: &[] };
    let after = now().plus(Span::hours(2));
    assert!(waiting(&seen, after).is_some(), "it is told of as long as it waits");
    let known = healthy();
    let Some(Move::Number { ledger, .. }) = next(&Seen { budget: &known, ..seen }, after) else {
        panic!("Prometheus is back, and it is not charged")
    };
    assert_eq!(ledger.pending[0].charge.points, 18);
    let late = next(&seen, now().plus(Span::days(1)));
    assert!(matches!(late, Some(Move::Number { .. })), "after a day it is charged with the worst figures: {late:?}");
}

#[test]
fn a_charge_that_waits_for_ten_minutes_is_told_of() {
    let (budget, risk, claims) = (BudgetSeen::Unmeasured("Prometheus is down".into()), risk(0), [infra("a", "git:1")]);
    let seen = Seen { name: "web", budget: &budget, risk: &risk, claims: &claims, records: &[] };
    let after = |minutes| waiting(&seen, now().plus(Span::minutes(minutes)));
    assert_eq!(after(9), None);
    let says = after(10).unwrap();
    assert!(
        says.contains("git:1") && says.contains("is charged once it is known what it costs: Prometheus is down."),
        "{says}"
    );
    assert!(says.contains("on 11 Jan 12:00:00 UTC at the latest it is charged as if nothing were left"), "{says}");
    let known = healthy();
    assert_eq!(waiting(&Seen { budget: &known, ..seen }, now().plus(Span::minutes(10))), None);
}

#[test]
fn it_can_be_taken_back_by_its_author_until_it_has_its_number() {
    let withdrawal = |author: &str| {
        let mut taken = infra("w", "git:1");
        taken.spec.outcome = crate::api::attestation::ClaimOutcome::Withdrawn;
        taken.spec.author = author.into();
        taken
    };
    let own = withdrawal("system:serviceaccount:shop:ci");
    assert_eq!(World::new(&[infra("a", "git:1"), own.clone()]).next(), None);
    assert!(World::new(&[infra("a", "git:1"), withdrawal("eve")]).next().is_some());
    let mut world = World::new(&[infra("a", "git:1")]);
    assert!(world.step(false));
    world.claims.push(own);
    world.settle();
    assert_eq!(world.charged(), [(5, 18)]);
}

#[test]
fn a_record_is_named_by_the_change_and_its_name_is_no_release_s() {
    assert_eq!(record_of("web", "git:1"), record_of("web", "git:1"));
    assert_ne!(record_of("web", "git:1"), record_of("web", "git:2"));
    assert!(record_of(&"x".repeat(253), "git:1").len() <= 253);
    assert_eq!(book("web"), "charges_web");
}

/// A record that was made before names grew is the same charge, and a number that was given under the former name is kept.
#[rstest]
#[case::sealed(0)]
#[case::its_status_was_never_written(1)]
#[case::its_number_was_given(2)]
fn a_charge_from_before_names_grew_is_not_made_again(#[case] left: usize) {
    let former = former_record_of("web", "git:1");
    let mut world = World::new(&[infra("a", "git:1")]);
    assert!(world.step(false));
    world.risk.ledger.pending[0].record.clone_from(&former);
    match left {
        0 => world.settle(),
        1 => assert!(world.step(true)),
        _ => {}
    }
    world.claims.push(infra("again", "git:1"));
    world.settle();
    let names: Vec<&str> = world.records.iter().map(|record| record.name.as_str()).collect();
    assert_eq!((names, world.charged()), (vec![former.as_str()], vec![(5, 18)]));
    assert_eq!(world.risk.ledger.pending, []);
}

/// Another change was found that has the same short name: it is charged, under a name of its own.
#[test]
fn a_change_that_shares_a_former_name_is_charged_too() {
    let mut world = World::new(&[infra("a", "git:1")]);
    world.settle();
    let mut other = infra("b", "git:2");
    other.at = now().plus(Span::seconds(1));
    world.records[0].name = former_record_of("web", "git:2");
    world.claims = vec![other];
    world.settle();
    assert_eq!(world.charged(), [(5, 18), (6, 18)]);
    assert_eq!(world.records[1].name, record_of("web", "git:2"));
}

/// `000_…` §4: whoever made a change that went past its budget does not approve that, whoever sent the charge.
#[rstest]
#[case::a_pipeline_names_nobody("system:serviceaccount:shop:ci", json!({}), &["system:serviceaccount:shop:ci"], false)]
#[case::a_pipeline_names_them("system:serviceaccount:shop:ci", json!({"change-author": "bob, eve"}), &["bob", "eve", "system:serviceaccount:shop:ci"], true)]
#[case::as_git_knows_them("system:serviceaccount:shop:ci", json!({"change-authors": "Bob <bob@example.org>"}), &["Bob", "Bob <bob@example.org>", "bob@example.org", "system:serviceaccount:shop:ci"], false)]
#[case::a_person_sends_it("ann", json!({"change-author": "bob"}), &["ann", "bob"], true)]
fn who_made_what_is_charged_is_on_record(
    #[case] by: &str,
    #[case] facts: serde_json::Value,
    #[case] people: &[&str],
    #[case] known: bool,
) {
    let mut world = World::new(&[claim("a", "git:1", facts)]);
    world.risk = risk(200);
    world.claims[0].spec.author = by.into();
    world.settle();
    let facts = RecordFacts::of("web-charge", &world.records[0].spec, &world.statuses[0]).unwrap();
    assert!(facts.unapproved.is_some(), "nobody was asked before");
    assert_eq!(
        (facts.people.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), facts.knows_author),
        (people, known)
    );
}

/// Somebody who sends the same charge themselves does not hide that they did.
#[test]
fn who_charges_it_beside_a_pipeline_is_one_of_them() {
    let mut own = infra("b", "git:1");
    own.spec.author = "vera".into();
    let mut world = World::new(&[infra("a", "git:1"), own]);
    world.settle();
    let authors = world.statuses[0].assessment.as_ref().unwrap().authors.clone().unwrap();
    assert_eq!((authors.names, authors.known), (vec!["vera".to_owned()], false));
}

/// A process whose clock is behind the one that turned the window charges the window that is counted.
#[test]
fn a_charge_is_never_older_than_its_window() {
    let mut risk = risk(0);
    let from = Time("2026-01-10T12:00:20Z".parse().unwrap());
    if let Some(window) = &mut risk.budget {
        window.from = from;
    }
    let claims = [infra("a", "git:1")];
    let seen = Seen { name: "web", budget: &healthy(), risk: &risk, claims: &claims, records: &[] };
    let Some(Move::Number { ledger, .. }) = next(&seen, now()) else { panic!("it has its number first") };
    assert_eq!(ledger.pending[0].charge.at, from);
}
