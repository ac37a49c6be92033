use std::collections::BTreeMap;

use crate::api::{AttestationSpec, Time};
use crate::policy::Role;
use crate::policy::requirement::author::{Authors, CHANGE_AUTHOR, COMMIT_AUTHORS, authors, in_commits, nameless};
use crate::policy::requirement::{Claim, Claims};
use rstest::rstest;

fn at(time: &str) -> Time {
    Time(format!("2026-03-31T{time}:00Z").parse().unwrap())
}

/// An attestation of CI that names who made the change.
fn attested(names: &str) -> Claim {
    Claim {
        kind: "sast".to_owned(),
        role: None,
        author: "system:serviceaccount:ci:builder".to_owned(),
        passed: true,
        withdrawn: false,
        at: at("10:00"),
        until: None,
        facts: BTreeMap::from([(CHANGE_AUTHOR.to_owned(), names.to_owned())]),
        machine: false,
        about: None,
    }
}

/// What ann says as SRE.
fn says(time: &str, passed: bool) -> Claim {
    Claim {
        kind: "approval".to_owned(),
        role: Some("sre".to_owned()),
        author: "ann".to_owned(),
        passed,
        at: at(time),
        facts: BTreeMap::new(),
        ..attested("")
    }
}

/// The same, said with evidence of a type by somebody.
fn named_by(author: &str, kind: &str, names: &str) -> Claim {
    Claim { kind: kind.to_owned(), author: author.to_owned(), ..attested(names) }
}

const ARGO: &str = "system:serviceaccount:argocd:controller";

/// Who made the change, and so does not approve it; and whether that is all who did.
#[rstest]
#[case::the_person_who_applied_it(&[], "alice", &["alice"], true)]
#[case::a_machine_applied_it(&[], ARGO, &[], false)]
#[case::nobody_is_known(&[], "", &[], false)]
#[case::cut(&[], "alice-of-a-long-na…", &[], false)]
#[case::cut_and_attested(&[attested("bob")], "alice-of-a-long-na…", &["bob"], false)]
#[case::who_applied_it_stays(&[attested("carol , bob")], "alice", &["alice", "bob", "carol"], true)]
#[case::attested_of_a_machine_s(&[attested("bob")], ARGO, &["bob"], true)]
#[case::no_name(&[attested(" , ")], "alice", &["alice"], true)]
#[case::no_name_of_a_machine_s(&[attested(" , ")], ARGO, &[], false)]
#[case::a_withdrawal(&[Claim { withdrawn: true, ..attested("bob") }], "alice", &["alice"], true)]
#[case::taken_back(&[attested("bob"), Claim { withdrawn: true, at: at("11:00"), ..attested("") }], ARGO, &[], false)]
#[case::taken_back_in_the_same_second(&[attested("bob"), Claim { withdrawn: true, ..attested("") }], ARGO, &[], false)]
#[case::said_again(&[Claim { withdrawn: true, at: at("09:00"), ..attested("") }, attested("bob")], ARGO, &["bob"], true)]
#[case::an_approval_says_nothing_of_it(&[named_by("alice", "approval", "bob")], "alice", &["alice"], true)]
#[case::a_start_says_nothing_of_it(&[named_by("alice", "start", "mallory")], ARGO, &[], false)]
#[case::a_plan_says_nothing_of_it(&[named_by("alice", "release-plan", "mallory")], ARGO, &[], false)]
#[case::an_exception_says_nothing_of_it(&[named_by("alice", "exception", "mallory")], ARGO, &[], false)]
#[case::presence_says_nothing_of_it(&[named_by("alice", "on-call-presence", "mallory")], ARGO, &[], false)]
#[case::nor_what_nobody_asks_for(&[named_by("alice", "hearsay", "mallory")], ARGO, &[], false)]
#[case::who_reviews_it_says_nothing_of_it(&[named_by("alice", "peer-review", "mallory")], ARGO, &["mallory"], false)]
#[case::a_pipeline_that_tells_of_a_review(&[named_by(ARGO, "peer-review", "bob")], ARGO, &["bob"], true)]
#[case::nor_does_who_tested_it(&[named_by("alice", "manual-qa", "mallory")], ARGO, &["mallory"], false)]
#[case::nor_who_looks_at_dashboards(&[named_by("alice", "observability", "mallory")], ARGO, &["mallory"], false)]
#[case::nor_a_pipeline_that_may_be_a_person(&[named_by("jenkins", "sast", "mallory")], ARGO, &["mallory"], false)]
#[case::a_machine_user(&[Claim { machine: true, ..named_by("jenkins", "sast", "bob") }], ARGO, &["bob"], true)]
#[case::a_person_names_more(&[named_by("alice", "manual-qa", "mallory"), attested("bob")], ARGO, &["bob", "mallory"], true)]
#[case::the_cluster_s_own_name(&[], "system:admin", &[], false)]
#[case::who_approves_is_no_pipeline(&[named_by("ann", "sast", "mallory"), says("10:00", true)], ARGO, &["mallory"], false)]
#[case::a_pipeline_beside_it(&[named_by("ann", "sast", "mallory"), says("10:00", true), attested("bob")], ARGO, &["bob", "mallory"], true)]
fn who_made_the_change(
    #[case] claims: &[Claim],
    #[case] changed_by: &str,
    #[case] names: &[&str],
    #[case] known: bool,
) {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(authors(claims, changed_by), Authors { names, known });
}

/// At noon.
#[rstest]
#[case::approves(&[says("10:00", true)], true)]
#[case::this_moment(&[says("12:00", true)], true)]
#[case::to_come(&[says("12:01", true)], false)]
#[case::lasts(&[Claim { until: Some(at("12:01")), ..says("10:00", true) }], true)]
#[case::lapses_now(&[Claim { until: Some(at("12:00")), ..says("10:00", true) }], false)]
#[case::lapsed(&[Claim { until: Some(at("11:00")), ..says("10:00", true) }], false)]
#[case::rejects_later(&[says("10:00", true), says("11:00", false)], false)]
#[case::approves_later(&[says("10:00", false), says("11:00", true)], true)]
#[case::both_at_once(&[says("10:00", true), says("10:00", false)], false)]
#[case::both_at_once_told_the_other_way(&[says("10:00", false), says("10:00", true)], false)]
#[case::takes_it_back_at_once(&[says("10:00", true), Claim { withdrawn: true, ..says("10:00", true) }], false)]
#[case::in_another_role(&[Claim { role: Some("on-call".to_owned()), ..says("10:00", true) }], false)]
fn a_seat_is_taken_by_who_approves_and_stands_by_it(#[case] claims: &[Claim], #[case] taken: bool) {
    let authors = ["bob".to_owned()];
    assert_eq!(Claims::new(claims, &authors, at("12:00")).seats(&[&[Role::Sre]]).is_ok(), taken);
    for made_it in ["ann", "Ann"] {
        let made_it = [made_it.to_owned()];
        assert!(
            Claims::new(claims, &made_it, at("12:00")).seats(&[&[Role::Sre]]).is_err(),
            "nobody approves their own"
        );
    }
}

/// The API server's times are whole seconds: of a yes and a no in one of them the no stands, in whatever order they are read.
#[test]
fn a_no_of_the_same_second_stands() {
    for both in [[says("10:00", true), says("10:00", false)], [says("10:00", false), says("10:00", true)]] {
        assert!(Claims::new(&both, &[], at("12:00")).rejection(&[Role::Sre]).is_some());
    }
}

/// A group that admission alone gives.
#[rstest]
#[case::a_person("ann", &["system:authenticated"], false)]
#[case::a_service_account("system:serviceaccount:ci:builder", &[], true)]
#[case::a_machine_user("jenkins", &["system:authenticated", "system:machine"], true)]
fn who_is_a_machine(#[case] author: &str, #[case] groups: &[&str], #[case] expected: bool) {
    let spec = serde_json::json!({
        "releaseRef": {"name": "checkout"}, "revision": "r", "type": "sast", "author": author, "groups": groups,
    });
    let spec: AttestationSpec = serde_json::from_value(spec).unwrap();
    assert_eq!(Claim::of(&spec, at("10:00")).is_of_machine(), expected);
}

#[rstest]
#[case::none("  ", "")]
#[case::short(" no dashboard ", ": no dashboard")]
#[case::long(&"ä".repeat(201), &format!(": {}…", "ä".repeat(200)))]
fn a_reason_follows_a_sentence(#[case] note: &str, #[case] expected: &str) {
    let facts = BTreeMap::from([("note".to_owned(), note.to_owned())]);
    assert_eq!(Claim { facts, ..says("10:00", false) }.why(), expected);
}

#[test]
fn an_author_under_another_name_is_not_known() {
    let authors = ["bob@example.org".to_owned()];
    let claims = Claims::new(&[], &authors, at("12:00"));
    assert!(claims.knows_author() && !claims.knowing(false).knows_author());
    let nobody = Claims::new(&[], &[], at("12:00"));
    assert!(!nobody.knows_author() && nobody.knowing(true).knows_author());
}

/// As Git writes them, each by name and address too, so that nobody is heard under either.
#[rstest]
#[case::whole("Ann <ann@example.org>", &["Ann <ann@example.org>", "Ann", "ann@example.org"])]
#[case::a_name_alone("ann", &["ann", "ann"])]
#[case::two("ann,  Bea <b@example.org>", &["ann", "ann", "Bea <b@example.org>", "Bea", "b@example.org"])]
#[case::nobody(" , ", &[])]
fn commits_name_their_authors(#[case] written: &str, #[case] names: &[&str]) {
    let facts = BTreeMap::from([(COMMIT_AUTHORS.to_owned(), written.to_owned())]);
    assert_eq!(in_commits(&facts).collect::<Vec<_>>(), names);
}

#[test]
fn who_made_another_change_is_not_said_of_this_one() {
    let said = |fact: &str, text: &str| (fact.to_owned(), text.to_owned());
    let facts = BTreeMap::from([said(CHANGE_AUTHOR, "bob"), said(COMMIT_AUTHORS, "Bob"), said("tool", "scan")]);
    let bare = nameless(Claim { facts, ..attested("") });
    assert_eq!(bare.facts, BTreeMap::from([said("tool", "scan")]));
}
