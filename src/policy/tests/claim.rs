use std::collections::BTreeMap;

use crate::api::Time;
use crate::policy::Role;
use crate::policy::requirement::claim::{CHANGE_AUTHOR, authors};
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
        author: "ci".to_owned(),
        passed: true,
        withdrawn: false,
        at: at("10:00"),
        until: None,
        facts: BTreeMap::from([(CHANGE_AUTHOR.to_owned(), names.to_owned())]),
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

/// Who made the change, and so does not approve it.
#[rstest]
#[case::the_person_who_applied_it(&[], "alice", &["alice"])]
#[case::a_machine_applied_it(&[], "system:serviceaccount:argocd:controller", &[])]
#[case::nobody_is_known(&[], "", &[])]
#[case::attested(&[attested("carol , bob")], "alice", &["bob", "carol"])]
#[case::attested_of_a_machine_s(&[attested("bob")], "system:serviceaccount:argocd:controller", &["bob"])]
#[case::no_name(&[attested(" , ")], "alice", &["alice"])]
#[case::taken_back(&[Claim { withdrawn: true, ..attested("bob") }], "alice", &["alice"])]
#[case::an_approval_says_nothing_of_it(&[Claim { kind: "approval".to_owned(), ..attested("bob") }], "alice", &["alice"])]
fn who_made_the_change(#[case] claims: &[Claim], #[case] changed_by: &str, #[case] expected: &[&str]) {
    assert_eq!(authors(claims, changed_by), expected);
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
    let made_it = ["ann".to_owned()];
    assert!(Claims::new(claims, &made_it, at("12:00")).seats(&[&[Role::Sre]]).is_err(), "nobody approves their own");
}

#[test]
fn an_author_under_another_name_is_not_known() {
    let authors = ["bob@example.org".to_owned()];
    let claims = Claims::new(&[], &authors, at("12:00"));
    assert!(claims.knows_author() && !claims.knowing(false).knows_author());
    let nobody = Claims::new(&[], &[], at("12:00"));
    assert!(!nobody.knows_author() && nobody.knowing(true).knows_author());
}
