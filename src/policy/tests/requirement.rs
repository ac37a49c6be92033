use std::collections::{BTreeMap, BTreeSet};

use super::classification;
use crate::api::{BudgetStatus, Span, Time};
use crate::policy::band::Band;
use crate::policy::category::Category::{self, *};
use crate::policy::gate::Gate::{self, *};
use crate::policy::requirement::document::{MIGRATION_PLAN, POST_RELEASE_CHECKLIST, RELEASE_PLAN};
use crate::policy::requirement::*;
use crate::policy::{Role, Tier};
use proptest::prelude::*;
use rstest::rstest;

fn at(text: &str) -> Time {
    Time(text.parse().unwrap())
}

fn now() -> Time {
    at("2026-03-31T12:00:00Z")
}

fn claim(kind: &str, author: &str) -> Claim {
    let at = at("2026-03-31T10:00:00Z");
    Claim {
        kind: kind.into(),
        role: None,
        author: author.into(),
        passed: true,
        withdrawn: false,
        at,
        until: None,
        facts: BTreeMap::new(),
        machine: false,
        about: None,
    }
}

fn approval(role: &str, author: &str) -> Claim {
    Claim { role: Some(role.into()), ..claim("approval", author) }
}

fn document(kind: &str, facts: &[(&str, &str)]) -> Claim {
    let facts = facts.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
    Claim { facts, ..claim(kind, "ci") }
}

const PLAN: &[(&str, &str)] = &[
    ("change", "prices in euro"),
    ("customer-impact", "prices look different"),
    ("categories", "ui"),
    ("rollout", "canary"),
    ("abort-criteria", "error rate above 1 %"),
    ("rollback-steps", "revert in Git"),
    ("owners", "ann"),
    ("communication", "support, before the start"),
];

struct Case<'a> {
    gate: Gate,
    categories: &'a [Category],
    tier: Tier,
    status: BudgetStatus,
    band: Band,
    known: Known,
    claims: Vec<Claim>,
    images: Vec<NewImage>,
    author: Option<&'a str>,
}

impl Default for Case<'_> {
    fn default() -> Self {
        Self {
            gate: G1,
            categories: &[Ui],
            tier: Tier::T1,
            status: BudgetStatus::Healthy,
            band: Band::Green,
            known: Known::default(),
            claims: Vec::new(),
            images: Vec::new(),
            author: Some("dev"),
        }
    }
}

impl Case<'_> {
    fn list(&self) -> Vec<Requirement> {
        let change = classification(self.categories);
        let authors: Vec<String> = self.author.iter().map(|author| (*author).to_owned()).collect();
        requirements(&RequirementFacts {
            gate: self.gate,
            change: &change,
            tier: self.tier,
            status: self.status,
            band: self.band,
            known: &self.known,
            claims: Claims::new(&self.claims, &authors, now()).bringing(&self.images),
            release: "checkout",
            namespace: "shop",
            now: now(),
        })
    }

    fn names(&self) -> Vec<&'static str> {
        self.list().iter().map(|one| one.name).collect()
    }

    fn one(&self, name: &str) -> String {
        self.list().iter().find(|one| one.name == name).unwrap().to_string()
    }

    fn met(&self, name: &str) -> bool {
        self.list().iter().find(|one| one.name == name).unwrap().is_met()
    }
}

fn case() -> Case<'static> {
    Case::default()
}

const ALWAYS: &[&str] = &["lint", "build", "rollback-plan", "staged-rollout"];
const FROM_G1: &[&str] =
    &["unit-tests", "static-analysis", "sast", "sca", "peer-review", "staging-deploy", "smoke-tests"];
const FROM_G2: &[&str] = &["integration-tests", "e2e-tests", "code-owner-review", "feature-flag", "release-plan"];
const FROM_G3: &[&str] =
    &["observability", "manual-qa", "release-captain", "health-gates", "rollback-rehearsal", "on-call-presence"];
const FROM_G4: &[&str] = &["risk-review", "extended-canary", "customer-communication"];

/// `000_…` §6.2 and §10, `002_…`, `003_…`: what each gate demands of a change that touches the user interface alone.
#[rstest]
#[case(G0, &[ALWAYS, &["on-call-validation"]])]
#[case(G1, &[ALWAYS, FROM_G1, &["on-call-validation", "post-release-checklist"]])]
#[case(G2, &[ALWAYS, FROM_G1, FROM_G2, &["on-call-validation", "post-release-checklist"]])]
#[case(G3, &[ALWAYS, FROM_G1, FROM_G2, FROM_G3, &["on-call-validation", "post-release-checklist"]])]
#[case(G4, &[ALWAYS, FROM_G1, FROM_G2, FROM_G3, FROM_G4, &["on-call-validation", "post-release-checklist"]])]
fn what_a_gate_demands(#[case] gate: Gate, #[case] expected: &[&[&str]]) {
    assert_eq!(Case { gate, ..case() }.names(), expected.concat());
}

/// `001_…`, Emergency, Requirements: "Detailed rollback plan", "Real-time monitoring during deployment".
#[rstest]
#[case(BudgetStatus::Healthy, G1, &[])]
#[case(BudgetStatus::Critical, G1, &[])]
#[case(BudgetStatus::Emergency, G0, &["release-plan", "on-call-presence"])]
#[case(BudgetStatus::Emergency, G1, &["release-plan", "on-call-presence"])]
#[case(BudgetStatus::Emergency, G2, &["on-call-presence"])]
#[case(BudgetStatus::Emergency, G3, &[])]
fn what_an_emergency_demands_beyond_its_gate(
    #[case] status: BudgetStatus,
    #[case] gate: Gate,
    #[case] expected: &[&str],
) {
    let healthy = Case { gate, ..case() }.names();
    let more: Vec<&str> =
        Case { status, gate, ..case() }.names().into_iter().filter(|one| !healthy.contains(one)).collect();
    assert_eq!(more, expected);
}

/// What a category demands beyond its gate.
#[rstest]
#[case(HotPath, G2, &["load-test"])]
#[case(ApiCompatible, G2, &["api-contract"])]
#[case(ApiNewEndpoint, G2, &["api-contract", "penetration-test"])]
#[case(ApiBreaking, G3, &["api-contract"])]
#[case(PayloadCompatible, G2, &["api-contract"])]
#[case(PayloadBreaking, G3, &["api-contract"])]
#[case(ClientVersion, G3, &["api-contract"])]
#[case(Authentication, G3, &["penetration-test"])]
#[case(Authorization, G3, &[])]
#[case(Secrets, G3, &["certificate-rotation"])]
#[case(KeyHandling, G3, &["certificate-rotation"])]
#[case(Encryption, G3, &["certificate-rotation"])]
#[case(Category::Infrastructure, G3, &["compliance-check"])]
#[case(Pii, G3, &["compliance-check", "privacy-review"])]
#[case(DataRetention, G3, &["privacy-review", "migration-plan", "migration-plan-review"])]
#[case(Backfill, G3, &["migration-plan", "migration-plan-review"])]
#[case(DataModel, G3, &["migration-plan", "migration-plan-review"])]
#[case(SchemaMigrationAdditive, G3, &["migration-plan", "downgrade-test", "data-validation", "migration-plan-review", "data-integrity"])]
#[case(SchemaMigrationExpandContract, G3, &["migration-plan", "downgrade-test", "data-validation", "migration-plan-review", "data-integrity"])]
#[case(SchemaMigrationBreaking, G4, &["migration-plan", "downgrade-test", "data-validation", "migration-plan-review", "breaking-migration", "data-integrity"])]
fn what_a_category_demands(#[case] category: Category, #[case] gate: Gate, #[case] expected: &[&str]) {
    let plain: BTreeSet<_> = Case { gate, ..case() }.names().into_iter().collect();
    let names = Case { gate, categories: &[category], ..case() }.names();
    let more: Vec<_> = names.into_iter().filter(|name| !plain.contains(name)).collect();
    assert_eq!(more, expected);
}

#[test]
fn an_exhausted_budget_is_signed_for() {
    let names = |band| Case { band, ..case() }.names().contains(&"budget-sign-off");
    assert_eq!([Band::Green, Band::Yellow, Band::Red, Band::Exhausted].map(names), [false, false, false, true]);
}

/// "if customer impact possible": not for internal services, not where a complete release plan says none.
#[rstest]
#[case::internal(Tier::T0, None, false)]
#[case::nobody_said(Tier::T1, None, true)]
#[case::said(Tier::T1, Some("prices look different"), true)]
#[case::none(Tier::T3, Some(" None "), false)]
fn customer_impact_decides(#[case] tier: Tier, #[case] impact: Option<&str>, #[case] needed: bool) {
    let plan = impact.map(|impact| {
        let mut plan = document("release-plan", PLAN);
        plan.facts.insert("customer-impact".into(), impact.into());
        plan
    });
    let names = Case { gate: G4, tier, claims: plan.into_iter().collect(), ..case() }.names();
    assert_eq!((names.contains(&"feature-flag"), names.contains(&"customer-communication")), (needed, needed));
}

#[test]
fn an_incomplete_plan_excuses_nothing() {
    let plan = document("release-plan", &[("customer-impact", "none")]);
    assert!(Case { gate: G2, claims: vec![plan], ..case() }.names().contains(&"feature-flag"));
}

#[test]
fn what_is_missing_says_how_to_supply_it() {
    assert_eq!(
        case().one("unit-tests"),
        "unit-tests: missing before the start (000 §6.2, G1): an attestation of type unit-tests: kubectl tidegate attest checkout -n shop --type unit-tests"
    );
    assert_eq!(
        Case { gate: G3, ..case() }.one("release-captain"),
        "release-captain: missing before the start (000 §6.2, G3): an approval as release-captain or on-call: kubectl tidegate approve checkout -n shop --role release-captain"
    );
    assert_eq!(
        case().one("staged-rollout"),
        "staged-rollout: missing before the start (002, Guardrails; 000 §6.2, G2): give spec.strategy a schedule whose first stage is below 100 %"
    );
    assert!(case().one("peer-review").contains("--type peer-review; or an approval as code-owner or senior-engineer"));
}

/// Nobody knows who made it, and of every document somebody attested nothing: the longest that can be said.
#[test]
fn no_sentence_is_cut() {
    let change = classification(Category::ALL);
    let empty = [RELEASE_PLAN, MIGRATION_PLAN, POST_RELEASE_CHECKLIST].map(|one| document(one.kind, &[]));
    let name = "n".repeat(63);
    let long = |digest: &str| NewImage { name: "i".repeat(80), digest: Some(digest.to_owned()) };
    let images: Vec<NewImage> = ["a", "b", "c", "d", "e"].map(long).into();
    let of_one: Vec<Claim> =
        CATALOGUE.iter().map(|entry| Claim { about: Some("a".into()), ..claim(entry.name, "ci") }).collect();
    for (claims, images) in [(&[][..], &[][..]), (&empty, &[]), (&of_one, &images)] {
        let all = requirements(&RequirementFacts {
            gate: G4,
            change: &change,
            tier: Tier::T3,
            status: BudgetStatus::Emergency,
            band: Band::Exhausted,
            known: &Known::default(),
            claims: Claims::new(claims, &[], now()).bringing(images),
            release: &name,
            namespace: &name,
            now: now(),
        });
        assert_eq!(all.len(), CATALOGUE.len());
        for one in all {
            let told = one.to_string();
            assert!(told.chars().count() <= SENTENCE, "{} characters: {told}", told.chars().count());
            assert!(told.matches("kubectl tidegate approve").count() <= 1, "{told}");
        }
    }
}

#[test]
fn a_command_is_said_once() {
    let unknown = |claims| Case { gate: G3, author: None, claims, ..case() }.one("release-captain");
    let because = "release-captain: missing before the start (000 §6.2, G3), who made the change is not known, so two people approve: ";
    let command = "as release-captain or on-call: kubectl tidegate approve checkout -n shop --role release-captain";
    assert_eq!(unknown(vec![]), format!("{because}two approvals {command}"));
    assert_eq!(unknown(vec![approval("on-call", "ann")]), format!("{because}an approval {command}"));
}

#[rstest]
#[case::passed(vec![claim("sast", "ci")], "sast: met by ci (31 Mar 10:00:00 UTC)")]
#[case::another_type(vec![claim("sca", "ci")], "sast: missing before the start (003, Module 4; 000 §6.2, G3): an ")]
#[case::failed(vec![Claim { passed: false, ..claim("sast", "ci") }], "sast: missing before the start (003, Module 4; 000 §6.2, G3), ci (31 Mar 10:00:00 UTC) says that it failed: an ")]
#[case::failed_then_passed(vec![Claim { passed: false, at: at("2026-03-31T09:00:00Z"), ..claim("sast", "ci") }, claim("sast", "ci")], "sast: met by ci")]
#[case::passed_then_failed(vec![claim("sast", "ci"), Claim { passed: false, at: at("2026-03-31T11:00:00Z"), ..claim("sast", "other") }], "sast: missing before the start (003, Module 4; 000 §6.2, G3), other (31 Mar 11:00:00 UTC) says that it failed")]
#[case::at_once(vec![claim("sast", "a"), Claim { passed: false, ..claim("sast", "b") }, claim("sast", "c")], "sast: missing before the start (003, Module 4; 000 §6.2, G3), b ")]
#[case::lapsed(vec![Claim { until: Some(now()), ..claim("sast", "ci") }], "sast: missing before the start (003, Module 4; 000 §6.2, G3), that of ci (31 Mar 10:00:00 UTC) lapsed 31 Mar 12:00:00 UTC: an ")]
#[case::to_come(vec![Claim { at: at("2026-03-31T12:00:01Z"), ..claim("sast", "ci") }], "sast: missing before the start (003, Module 4; 000 §6.2, G3): an ")]
fn the_latest_claim_decides(#[case] claims: Vec<Claim>, #[case] starts: &str) {
    let seen = Case { claims, ..case() }.one("sast");
    assert!(seen.starts_with(starts), "{seen}");
}

fn about(image: &str, claim: Claim) -> Claim {
    Claim { about: Some(image.to_owned()), ..claim }
}

fn plan(impact: &str) -> Claim {
    let facts = PLAN.iter().map(|(key, text)| if *key == "customer-impact" { (*key, impact) } else { (*key, *text) });
    document("release-plan", &facts.collect::<Vec<_>>())
}

/// The change brings `app` and `proxy`.
#[rstest]
#[case::failed("sast", &[about("app", Claim { passed: false, ..claim("sast", "ci") }), about("proxy", claim("sast", "ci"))], "missing before the start (003, Module 4; 000 §6.2, G3), ci (31 Mar 10:00:00 UTC) says that it failed for app: an attestation of type sast: kubectl")]
#[case::the_revision_failed("sast", &[Claim { passed: false, ..claim("sast", "ci") }], "missing before the start (003, Module 4; 000 §6.2, G3), ci (31 Mar 10:00:00 UTC) says that it failed: an ")]
#[case::of_one("sast", &[about("proxy", claim("sast", "ci"))], "missing before the start (003, Module 4; 000 §6.2, G3), nobody says it of app, new with this change; said of the revision it is of all: an attestation of type sast: kubectl tidegate attest checkout -n shop --type sast")]
#[case::of_both("sast", &[about("proxy", claim("sast", "ci")), about("app", claim("sast", "ci2"))], "met by ci2 (31 Mar 10:00:00 UTC), ci (31 Mar 10:00:00 UTC)")]
#[case::a_review_of_one("peer-review", &[about("proxy", claim("peer-review", "ann"))], "missing before the start (000 §6.2, G1), nobody says it of app, ")]
#[case::a_review_of_both("peer-review", &[about("proxy", claim("peer-review", "ann")), about("app", claim("peer-review", "bea"))], "met by bea (31 Mar 10:00:00 UTC), ann (31 Mar 10:00:00 UTC)")]
#[case::a_plan_of_one("release-plan", &[about("app", plan("none"))], "missing before the start (000 §10.1; 001, Emergency, Requirements), nobody says it of proxy, ")]
#[case::an_incomplete_plan_of_one("release-plan", &[about("app", plan("none")), about("proxy", plan(""))], "missing before the start (000 §10.1; 001, Emergency, Requirements), that of ci (31 Mar 10:00:00 UTC) is incomplete: facts.customer-impact is missing")]
#[case::a_plan_of_both("release-plan", &[about("app", plan("none")), about("proxy", plan("none"))], "met by ci (31 Mar 10:00:00 UTC), ci")]
fn each_image_that_comes_new_is_shown(#[case] name: &str, #[case] claims: &[Claim], #[case] starts: &str) {
    let seen = Case { gate: G2, claims: claims.to_vec(), images: images(), ..case() }.one(name);
    assert!(seen.starts_with(&format!("{name}: {starts}")), "{seen}");
}

/// Where one image comes new there is no doubt of which it is said.
#[test]
fn the_only_image_is_not_named() {
    let claims = vec![about("app", Claim { passed: false, ..claim("sast", "ci") })];
    let seen = Case { gate: G2, claims, images: images()[..1].to_vec(), ..case() }.one("sast");
    assert!(seen.contains("ci (31 Mar 10:00:00 UTC) says that it failed: an attestation"), "{seen}");
}

fn images() -> Vec<NewImage> {
    ["app", "proxy"].map(|name| NewImage { name: name.to_owned(), digest: Some(name.to_owned()) }).into()
}

/// The plan of one image says nothing of what customers notice of another.
#[rstest]
#[case::of_both("none", false)]
#[case::of_one("prices look different", true)]
fn customers_notice_nothing_where_each_plan_says_so(#[case] of_proxy: &str, #[case] asked: bool) {
    let claims = vec![about("app", plan("none")), about("proxy", plan(of_proxy))];
    let names = Case { gate: G2, claims, images: images(), ..case() }.names();
    assert_eq!(names.contains(&"feature-flag"), asked, "{names:?}");
}

fn ago(hour: &str, claim: Claim) -> Claim {
    Claim { at: at(&format!("2026-03-31T{hour}:00Z")), ..claim }
}

fn review(author: &str) -> Claim {
    claim("peer-review", author)
}

const CI: &str = "system:serviceaccount:ci:ci";

/// `000_…` §6.2, G1, "1 peer review": by somebody who did not make it, as approvals are; `dev` made it.
#[rstest]
#[case::of_another(&[review("ann")], "met by ann (31 Mar 10:00:00 UTC)")]
#[case::of_ones_own(&[review("dev")], "missing before the start (000 §6.2, G1), that of dev (31 Mar 10:00:00 UTC) does not count: dev made the change: an attestation of type peer-review, of somebody who did not make the change: kubectl tidegate attest checkout -n shop --type peer-review; or ")]
#[case::of_both(&[review("ann"), ago("11:00", review("dev"))], "met by ann (31 Mar 10:00:00 UTC)")]
#[case::ones_own_rejection(&[review("ann"), ago("11:00", Claim { passed: false, ..review("dev") })], "missing before the start (000 §6.2, G1), dev (31 Mar 11:00:00 UTC) says that it failed")]
#[case::ones_own_rejection_taken_back(&[review("ann"), Claim { passed: false, ..review("dev") }, ago("11:00", review("dev"))], "met by ann")]
#[case::not_overruled_by_ones_own(&[Claim { passed: false, ..review("ann") }, ago("11:00", review("dev"))], "missing before the start (000 §6.2, G1), ann (31 Mar 10:00:00 UTC) says that it failed")]
#[case::another_mind_at_once(&[Claim { passed: false, ..review("ann") }, review("ann")], "missing before the start (000 §6.2, G1), ann (31 Mar 10:00:00 UTC) says that it failed")]
#[case::and_the_other_way_round(&[review("ann"), Claim { passed: false, ..review("ann") }], "missing before the start (000 §6.2, G1), ann (31 Mar 10:00:00 UTC) says that it failed")]
#[case::at_once(&[review("ann"), Claim { passed: false, ..review("bea") }], "missing before the start (000 §6.2, G1), bea (31 Mar 10:00:00 UTC) says")]
#[case::taken_back(&[review("ann"), ago("11:00", Claim { passed: false, withdrawn: true, ..review("ann") })], "missing before the start (000 §6.2, G1): an")]
#[case::lapsed(&[Claim { until: Some(now()), ..review("ann") }], "missing before the start (000 §6.2, G1), that of ann (31 Mar 10:00:00 UTC) lapsed 31 Mar 12:00:00 UTC: an")]
#[case::of_a_machine(&[review(CI)], "met by system:serviceaccount:ci:ci")]
fn nobody_reviews_their_own(#[case] claims: &[Claim], #[case] starts: &str) {
    let seen = Case { claims: claims.to_vec(), ..case() }.one("peer-review");
    assert!(seen.starts_with(&format!("peer-review: {starts}")), "{seen}");
}

/// Where nobody knows who made it, one of two people is somebody else; a pipeline made nothing.
#[rstest]
#[case::one(&[review("ann")], "missing before the start (000 §6.2, G1), who made the change is not known, so two people say it: ann (31 Mar 10:00:00 UTC) does, somebody else is missing; who made the change is not known, so two people approve: an attestation")]
#[case::one_twice(&[review("ann"), ago("11:00", review("ann"))], "missing")]
#[case::two(&[review("ann"), ago("11:00", review("bea"))], "met by ann (31 Mar 10:00:00 UTC), bea (31 Mar 11:00:00 UTC)")]
#[case::one_and_one_that_lapsed(&[review("ann"), Claim { until: Some(now()), ..ago("09:00", review("bea")) }], "missing before the start (000 §6.2, G1), who made the change is not known")]
#[case::a_machine(&[review(CI)], "met by system:serviceaccount:ci:ci")]
#[case::signed(&[Claim { machine: true, ..review("github.com/acme") }], "met by github.com/acme")]
#[case::a_machine_and_a_person(&[review(CI), ago("11:00", review("ann"))], "met by system:serviceaccount:ci:ci")]
#[case::a_name_of_the_cluster_s_own(&[review("system:admin")], "missing")]
#[case::nobody(&[], "missing before the start (000 §6.2, G1), who made the change is not known, so two people approve: an attestation")]
fn a_review_of_a_change_that_nobody_signed_takes_two(#[case] claims: &[Claim], #[case] starts: &str) {
    let seen = Case { claims: claims.to_vec(), author: None, ..case() }.one("peer-review");
    assert!(seen.starts_with(&format!("peer-review: {starts}")), "{seen}");
}

/// What the documents ask of a second person: a review, a sign-off, another team.
#[test]
fn what_takes_a_second_person() {
    let all = CATALOGUE.iter().flat_map(|entry| entry.means).filter_map(|means| match means {
        Means::ByAnother(kind) => Some(*kind),
        Means::Attestation(_) | Means::Fresh(..) | Means::Document(_) => None,
        Means::Controller { .. } | Means::Approvals(_) => None,
    });
    let wanted = ["peer-review", "penetration-test", "privacy-review", "code-owner-review", "migration-plan-review"];
    assert_eq!(all.collect::<Vec<_>>(), wanted);
}

/// It is noon. A shift of 8 hours counts from when the attestation was taken; `expiresAt` shortens it and never makes it longer.
#[rstest]
#[case::of_this_shift(&[("04:00:00", None)], true)]
#[case::of_the_shift_before(&[("03:59:59", None)], false)]
#[case::goes_earlier(&[("10:00:00", Some("11:59:59"))], false)]
#[case::goes_now(&[("10:00:00", Some("12:00:00"))], false)]
#[case::goes_later(&[("10:00:00", Some("12:00:01"))], true)]
#[case::promises_more_than_a_shift(&[("03:59:59", Some("23:00:00"))], false)]
#[case::renewed(&[("03:00:00", None), ("11:00:00", None)], true)]
#[case::renewed_for_a_moment(&[("05:00:00", None), ("11:00:00", Some("11:30:00"))], false)]
fn presence_lapses_unless_renewed(#[case] said: &[(&str, Option<&str>)], #[case] met: bool) {
    let moment = |time: &str| at(&format!("2026-03-31T{time}Z"));
    let claims = said.iter().map(|(made, until)| Claim {
        at: moment(made),
        until: until.map(moment),
        ..claim("on-call-presence", "ann")
    });
    let case = Case { gate: G3, claims: claims.collect(), ..case() };
    for name in ["on-call-presence", "on-call-validation"] {
        assert_eq!(case.met(name), met, "{}", case.one(name));
    }
}

/// `003_…`, Module 1, "post-deployment integrity checks": what was said before the verification speaks of something else. To the second,
/// as the API server's moments are.
#[rstest]
#[case::in_verification(Some("2026-03-31T10:00:00.9Z"), &[("10:00:00", true)], "data-integrity: met by ci (31 Mar 10:00:00 UTC)")]
#[case::before_it(Some("2026-03-31T10:00:01Z"), &[("10:00:00", true)], "data-integrity: missing before completion (003, Module 1), that of ci (31 Mar 10:00:00 UTC) is from before its verification, which began 31 Mar 10:00:01 UTC: an ")]
#[case::before_the_release(None, &[("10:00:00", true)], "data-integrity: missing before completion (003, Module 1), that of ci (31 Mar 10:00:00 UTC) is from before the release, and its verification has not begun: an ")]
#[case::again(Some("2026-03-31T10:30:00Z"), &[("10:00:00", true), ("11:00:00", true)], "data-integrity: met by ci (31 Mar 11:00:00 UTC)")]
#[case::failed_before(Some("2026-03-31T10:30:00Z"), &[("10:00:00", false), ("11:00:00", true)], "data-integrity: met by ci (31 Mar 11:00:00 UTC)")]
#[case::failed_then(Some("2026-03-31T10:30:00Z"), &[("10:00:00", true), ("11:00:00", false)], "data-integrity: missing before completion (003, Module 1), ci (31 Mar 11:00:00 UTC) says that it failed: an ")]
#[case::never(Some("2026-03-31T10:30:00Z"), &[], "data-integrity: missing before completion (003, Module 1): an ")]
fn what_is_checked_after_the_release_is_said_after_it(
    #[case] since: Option<&str>,
    #[case] said: &[(&str, bool)],
    #[case] starts: &str,
) {
    let one = |(time, passed): &(&str, bool)| Claim {
        at: at(&format!("2026-03-31T{time}Z")),
        passed: *passed,
        ..claim("data-integrity", "ci")
    };
    let known = Known { verified_since: since.map(at), ..Known::default() };
    let claims = said.iter().map(one).collect();
    let seen = Case { categories: &[SchemaMigrationAdditive], known, claims, ..case() }.one("data-integrity");
    assert!(seen.starts_with(starts), "{seen}");
}

/// Of one of two images it was said again since the verification began: what is missing is named, not what is old.
#[test]
fn what_is_missing_after_the_release_is_told_by_image() {
    let of = |image: &str, hour: &str| about(image, ago(hour, claim("data-integrity", "ci")));
    let known = Known { verified_since: Some(at("2026-03-31T10:30:00Z")), ..Known::default() };
    let claims = vec![of("app", "10:00"), of("proxy", "10:00"), of("app", "11:00")];
    let seen = Case { categories: &[SchemaMigrationAdditive], known, claims, images: images(), ..case() }
        .one("data-integrity");
    let starts = "data-integrity: missing before completion (003, Module 1), nobody says it of proxy, ";
    assert!(seen.starts_with(starts), "{seen}");
}

/// What the controller knows by itself, one fact at a time.
#[rstest]
#[case("rollback-plan", Known { rollback_limits: true, ..Known::default() }, true)]
#[case("staged-rollout", Known { staged: true, ..Known::default() }, true)]
#[case("health-gates", Known { judges_errors: true, ..Known::default() }, false)]
#[case("health-gates", Known { judges_latency: true, ..Known::default() }, false)]
#[case("health-gates", Known { judges_errors: true, judges_latency: true, ..Known::default() }, true)]
#[case("extended-canary", Known { first_bake: Span::minutes(30), ..Known::default() }, true)]
#[case("extended-canary", Known { first_bake: Span::minutes(29), ..Known::default() }, false)]
#[case("rollback-rehearsal", Known { rollback_proven: Some(at("2026-03-01T12:00:00Z")), ..Known::default() }, true)]
#[case("rollback-rehearsal", Known { rollback_proven: Some(at("2026-03-01T11:59:59Z")), ..Known::default() }, false)]
fn the_controller_knows(#[case] name: &str, #[case] known: Known, #[case] met: bool) {
    assert!(!Case { gate: G4, ..case() }.met(name), "not without it");
    assert_eq!(Case { gate: G4, known, ..case() }.met(name), met);
}

#[rstest]
#[case("2026-03-01T12:00:00Z", true)]
#[case("2026-03-01T11:59:59Z", false)]
fn a_rehearsal_is_no_older_than_30_days(#[case] when: &str, #[case] met: bool) {
    let rehearsal = Claim { at: at(when), ..claim("rollback-rehearsal", "ann") };
    let case = Case { gate: G4, claims: vec![rehearsal], ..case() };
    assert_eq!(case.met("rollback-rehearsal"), met, "{}", case.one("rollback-rehearsal"));
}

/// Who sits in the three seats of the formal risk review (`000_…` §6.2, G4): distinct people.
#[rstest]
#[case::three(&[("product-manager", "p"), ("development-manager", "d"), ("security", "s")], true)]
#[case::sre_for_security(&[("product-manager", "p"), ("development-manager", "d"), ("sre", "s")], true)]
#[case::two(&[("product-manager", "p"), ("development-manager", "d")], false)]
#[case::one_person_twice(&[("product-manager", "p"), ("development-manager", "p"), ("sre", "s")], false)]
#[case::moved_so_that_all_sit(&[("product-manager", "p"), ("product-manager", "q"), ("development-manager", "p"), ("sre", "q"), ("sre", "s")], true)]
#[case::the_author_does_not_count(&[("product-manager", "p"), ("development-manager", "dev"), ("sre", "s")], false)]
fn seats_are_taken_by_distinct_people(#[case] approvals: &[(&str, &str)], #[case] met: bool) {
    let claims: Vec<_> = approvals.iter().map(|(role, author)| approval(role, author)).collect();
    for claims in [claims.clone(), claims.into_iter().rev().collect()] {
        let case = Case { gate: G4, claims, ..case() };
        assert_eq!(case.met("risk-review"), met, "{}", case.one("risk-review"));
    }
}

#[test]
fn the_empty_seats_are_named() {
    let seen = Case { gate: G4, claims: vec![approval("development-manager", "d")], ..case() }.one("risk-review");
    assert!(
        seen.contains("an approval as product-manager, and as security or sre: kubectl tidegate approve checkout"),
        "{seen}"
    );
    assert!(!seen.contains("--role development-manager"), "{seen}");
}

#[test]
fn a_rejection_holds_until_the_same_person_takes_it_back() {
    let no = Claim { passed: false, ..approval("release-captain", "ann") };
    let yes = approval("release-captain", "bob");
    let mut held = Case { gate: G3, claims: vec![yes, no], ..case() };
    let seen = held.one("release-captain");
    assert!(seen.contains("ann (31 Mar 10:00:00 UTC) rejects it: ann withdraws the rejection"), "{seen}");
    held.claims.push(Claim { at: at("2026-03-31T11:00:00Z"), ..approval("release-captain", "ann") });
    assert!(held.met("release-captain"));
}

/// The API server's clock is ahead of ours: a no is heard at once, a yes when our clock is there.
#[test]
fn who_says_no_is_heard_though_our_clock_is_behind() {
    let later = at("2026-03-31T23:00:00Z");
    let mut held = Case { gate: G3, claims: vec![Claim { at: later, ..approval("release-captain", "bob") }], ..case() };
    assert!(!held.met("release-captain"));
    held.claims = vec![approval("release-captain", "bob")];
    assert!(held.met("release-captain"));
    held.claims.push(Claim { passed: false, at: later, ..approval("release-captain", "ann") });
    assert!(held.one("release-captain").contains("rejects it"));
    held.claims = vec![approval("release-captain", "bob")];
    held.claims.push(Claim { withdrawn: true, at: later, ..approval("release-captain", "bob") });
    assert!(!held.met("release-captain"));
}

/// What an attestation would meet too is not met while somebody rejects it in a role that could approve it.
#[test]
fn a_rejection_holds_whatever_else_would_meet_it() {
    let two_ways: Vec<&Entry> =
        CATALOGUE.iter().filter(|entry| entry.means.len() > 1 && !entry.approvers().is_empty()).collect();
    let names: Vec<&str> = two_ways.iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["peer-review", "privacy-review", "code-owner-review", "migration-plan-review"]);
    for entry in two_ways {
        let of = |claims| Case { gate: G4, categories: &[SchemaMigrationAdditive, Pii], claims, ..case() };
        let attested = claim(entry.name, CI);
        assert!(of(vec![attested.clone()]).met(entry.name), "{}", entry.name);
        for role in entry.approvers() {
            let facts = BTreeMap::from([("note".to_owned(), "no dashboard".to_owned())]);
            let no = Claim { passed: false, facts, ..approval(role.as_str(), "ann") };
            let mut held = of(vec![no, approval(role.as_str(), "bob"), attested.clone()]);
            let seen = held.one(entry.name);
            let told =
                "ann (31 Mar 10:00:00 UTC) rejects it: no dashboard: ann withdraws the rejection, or another revision";
            assert!(seen.ends_with(told), "{seen}");
            held.claims.push(Claim {
                withdrawn: true,
                at: at("2026-03-31T11:00:00Z"),
                ..approval(role.as_str(), "ann")
            });
            assert!(held.met(entry.name), "{} as {role}", entry.name);
        }
    }
}

#[test]
fn where_the_author_is_not_known_two_people_approve() {
    let one = Case { gate: G3, author: None, claims: vec![approval("release-captain", "ann")], ..case() };
    let seen = one.one("release-captain");
    assert!(seen.contains("who made the change is not known, so two people approve"), "{seen}");
    let review = Case { gate: G4, author: None, ..case() }.one("risk-review");
    assert!(!review.contains("two people"), "three seats are two people anyway: {review}");
    let claims = vec![approval("release-captain", "ann"), approval("on-call", "bob")];
    let two = Case { claims, ..one };
    assert_eq!(
        two.one("release-captain"),
        "release-captain: met by bob (31 Mar 10:00:00 UTC) as on-call, ann (31 Mar 10:00:00 UTC) as release-captain"
    );
}

/// `000_…` §10.1 to §10.3, and who is told (`002_…`): every field is needed.
#[test]
fn every_field_of_a_document_is_required() {
    let migration = [
        ("migration-type", "additive"),
        ("backfill", "none"),
        ("validation", "row counts"),
        ("rollback", "drop the column"),
    ];
    let checklist = [
        ("smoke-tests", "passed"),
        ("dashboards", "quiet"),
        ("alerts", "none"),
        ("workflows", "bought a book"),
        ("ticket", "SHOP-7"),
    ];
    for (wanted, full) in [(RELEASE_PLAN, PLAN), (MIGRATION_PLAN, &migration), (POST_RELEASE_CHECKLIST, &checklist)] {
        let complete = document(wanted.kind, full).facts;
        assert_eq!(wanted.problems(&complete), Vec::<String>::new());
        assert_eq!(wanted.fields.len(), full.len());
        for field in wanted.fields {
            let mut lacking = complete.clone();
            lacking.insert(field.key.into(), "  ".into());
            let problems = wanted.problems(&lacking);
            assert_eq!(problems, [format!("facts.{} is missing ({})", field.key, field.says)]);
        }
    }
}

#[rstest]
#[case(
    "abort-criteria",
    "if it breaks",
    "facts.abort-criteria is \"if it breaks\", wanted are exact metrics and thresholds"
)]
#[case("owners", "", "facts.owners is missing (Owners during rollout (names))")]
fn a_plan_says_something(#[case] key: &str, #[case] text: &str, #[case] problem: &str) {
    let mut plan = document("release-plan", PLAN);
    plan.facts.insert(key.into(), text.into());
    let seen = Case { gate: G2, claims: vec![plan], ..case() }.one("release-plan");
    assert!(seen.contains(problem), "{seen}");
    assert!(Case { gate: G2, claims: vec![document("release-plan", PLAN)], ..case() }.met("release-plan"));
}

/// `000_…` §10.2: a breaking migration is one in the categories too, and so goes through G4.
#[rstest]
#[case(SchemaMigrationAdditive, "additive", true)]
#[case(SchemaMigrationAdditive, "expand-contract", true)]
#[case(SchemaMigrationAdditive, "breaking", false)]
#[case(SchemaMigrationBreaking, "breaking", true)]
#[case(SchemaMigrationBreaking, "additive", false)]
#[case(SchemaMigrationAdditive, "quick", false)]
fn plan_and_categories_tell_the_same(#[case] category: Category, #[case] kind: &str, #[case] met: bool) {
    let plan = document(
        "migration-plan",
        &[("migration-type", kind), ("backfill", "none"), ("validation", "rows"), ("rollback", "restore")],
    );
    let case = Case { gate: G4, categories: &[category], claims: vec![plan], ..case() };
    assert_eq!(case.met("migration-plan"), met, "{}", case.one("migration-plan"));
}

#[test]
fn names_are_stable_words_that_stand_once() {
    let mut seen = BTreeSet::new();
    for entry in CATALOGUE {
        assert!(seen.insert(entry.name), "{} stands twice", entry.name);
        assert!(entry.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{}", entry.name);
        assert!(!entry.means.is_empty() && !entry.says.is_empty() && !entry.source.is_empty());
    }
}

/// Everything that the catalogue asks for, as if all of it had been supplied.
fn everything() -> (Known, Vec<Claim>) {
    let known = Known {
        staged: true,
        rollback_limits: true,
        judges_errors: true,
        judges_latency: true,
        first_bake: Span::hours(1),
        rollback_proven: Some(now()),
        verified_since: Some(at("2026-03-31T09:00:00Z")),
    };
    let kinds = CATALOGUE.iter().flat_map(|entry| entry.means).filter_map(|means| match means {
        Means::Attestation(kind) | Means::ByAnother(kind) | Means::Fresh(kind, _) => Some(claim(kind, "ci")),
        Means::Controller { .. } | Means::Document(_) | Means::Approvals(_) => None,
    });
    let roles = [
        Role::CodeOwner,
        Role::ReleaseCaptain,
        Role::ProductManager,
        Role::DevelopmentManager,
        Role::Sre,
        Role::Privacy,
    ];
    let approvals = roles.map(|role| approval(role.as_str(), &format!("somebody-{role}")));
    let documents = [
        document("release-plan", PLAN),
        document(
            "migration-plan",
            &[("migration-type", "additive"), ("backfill", "none"), ("validation", "rows"), ("rollback", "restore")],
        ),
        document(
            "post-release-checklist",
            &[
                ("smoke-tests", "passed"),
                ("dashboards", "quiet"),
                ("alerts", "none"),
                ("workflows", "fine"),
                ("ticket", "SHOP-7"),
            ],
        ),
    ];
    (known, kinds.chain(approvals).chain(documents).collect())
}

#[test]
fn everything_can_be_met() {
    let (known, claims) = everything();
    let categories: Vec<Category> =
        Category::ALL.iter().copied().filter(|one| *one != SchemaMigrationBreaking).collect();
    let case = Case { gate: G4, band: Band::Exhausted, categories: &categories, known, claims, ..case() };
    for one in case.list() {
        assert!(one.is_met(), "{one}");
    }
}

proptest! {
    #[test]
    fn a_stricter_gate_and_more_categories_demand_no_less(
        low in proptest::sample::select(Gate::ALL),
        high in proptest::sample::select(Gate::ALL),
        some in proptest::collection::vec(proptest::sample::select(Category::ALL), 1..4),
        one in proptest::sample::select(Category::ALL),
    ) {
        let (low, high) = (low.min(high), low.max(high));
        let more = [some.as_slice(), &[one]].concat();
        let fewer: BTreeSet<_> = Case { gate: low, categories: &some, ..case() }.names().into_iter().collect();
        let all: BTreeSet<_> = Case { gate: high, categories: &more, ..case() }.names().into_iter().collect();
        prop_assert!(fewer.is_subset(&all), "{fewer:?} {all:?}");
    }
}

/// Who made it is not known: two people say it, and each of their words lapses.
#[rstest]
#[case::both_last(Some("2026-03-31T13:00:00Z"), true)]
#[case::without_end(None, true)]
#[case::one_lapsed(Some("2026-03-31T12:00:00Z"), false)]
fn two_who_say_it_stand_by_it(#[case] until: Option<&str>, #[case] met: bool) {
    let first = Claim { until: until.map(at), ..claim("peer-review", "ann") };
    let second = Claim { until: Some(at("2026-03-31T14:00:00Z")), ..claim("peer-review", "eve") };
    assert_eq!(Case { author: None, claims: vec![first, second], ..case() }.met("peer-review"), met);
}

#[test]
fn a_requirement_knows_who_may_approve_it() {
    let all = Case { gate: G3, ..case() }.list();
    let of = |name: &str| all.iter().find(|one| one.name == name).unwrap().approvers();
    assert_eq!(of("release-captain"), [Role::ReleaseCaptain, Role::OnCall]);
    assert_eq!(of("sast"), []);
}
