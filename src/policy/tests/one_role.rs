//! Distinct people for distinct roles, whatever the requirement.

use std::collections::BTreeMap;

use rstest::rstest;

use crate::api::Time;
use crate::policy::Role::{self, CodeOwner, OnCall, Sre};
use crate::policy::requirement::{Claim, Claims, in_one_role, speaks_as};

fn at(time: &str) -> Time {
    Time(format!("2026-03-31T{time}:00Z").parse().unwrap())
}

fn said(author: &str, role: &str, time: &str) -> Claim {
    Claim {
        kind: "approval".to_owned(),
        role: Some(role.to_owned()),
        author: author.to_owned(),
        passed: true,
        withdrawn: false,
        at: at(time),
        until: None,
        facts: BTreeMap::new(),
        machine: false,
        about: None,
    }
}

fn ann(role: &str, time: &str) -> Claim {
    said("ann", role, time)
}

fn until(claim: Claim, time: &str) -> Claim {
    Claim { until: Some(at(time)), ..claim }
}

fn no(claim: Claim) -> Claim {
    Claim { passed: false, ..claim }
}

fn back(claim: Claim) -> Claim {
    Claim { withdrawn: true, passed: false, ..claim }
}

/// At noon: the role in which ann agrees, and those in which her approval does not count. In whatever order they are read.
#[rstest]
#[case::nothing(&[], None, &[])]
#[case::one(&[ann("code-owner", "10:00")], Some(CodeOwner), &[])]
#[case::the_first_stands(&[ann("code-owner", "10:00"), ann("on-call", "11:00")], Some(CodeOwner), &[OnCall])]
#[case::whichever_it_is(&[ann("on-call", "10:00"), ann("code-owner", "11:00")], Some(OnCall), &[CodeOwner])]
#[case::three(&[ann("sre", "10:00"), ann("on-call", "11:00"), ann("code-owner", "09:00")], Some(CodeOwner), &[Sre, OnCall])]
#[case::again_for_a_further_stage(&[ann("sre", "09:00"), ann("on-call", "10:00"), ann("sre", "11:00")], Some(Sre), &[OnCall])]
#[case::one_second(&[ann("on-call", "10:00"), ann("sre", "10:00")], Some(Sre), &[OnCall])]
#[case::withdrawn(&[ann("sre", "09:00"), ann("on-call", "10:00"), back(ann("sre", "11:00"))], Some(OnCall), &[])]
#[case::withdrawn_at_once(&[ann("sre", "09:00"), back(ann("sre", "09:00")), ann("on-call", "10:00")], Some(OnCall), &[])]
#[case::said_anew(&[ann("sre", "08:00"), back(ann("sre", "09:00")), ann("on-call", "10:00"), ann("sre", "11:00")], Some(OnCall), &[Sre])]
#[case::turned_against(&[ann("sre", "09:00"), ann("on-call", "10:00"), no(ann("sre", "11:00"))], Some(OnCall), &[])]
#[case::lapsed(&[until(ann("sre", "09:00"), "12:00"), ann("on-call", "10:00")], Some(OnCall), &[])]
#[case::not_lapsed(&[until(ann("sre", "09:00"), "12:01"), ann("on-call", "10:00")], Some(Sre), &[OnCall])]
#[case::renewed_in_time(&[until(ann("sre", "08:00"), "10:30"), ann("on-call", "09:00"), ann("sre", "10:00")], Some(Sre), &[OnCall])]
#[case::renewed_too_late(&[until(ann("sre", "08:00"), "09:30"), ann("on-call", "09:00"), ann("sre", "10:00")], Some(OnCall), &[Sre])]
#[case::renewed_as_it_lapses(&[until(ann("sre", "08:00"), "10:00"), ann("on-call", "09:00"), ann("sre", "10:00")], Some(OnCall), &[Sre])]
#[case::turned_against_at_once(&[ann("sre", "09:00"), no(ann("sre", "09:00")), ann("on-call", "10:00")], Some(OnCall), &[])]
#[case::to_come(&[ann("sre", "13:00"), ann("on-call", "11:00")], Some(OnCall), &[])]
#[case::a_role_that_nothing_asks_for(&[ann("poet", "09:00"), ann("sre", "10:00")], Some(Sre), &[])]
fn a_person_agrees_in_the_role_in_which_they_stood_first(
    #[case] claims: &[Claim],
    #[case] expected: Option<Role>,
    #[case] silent: &[Role],
) {
    for mut claims in [claims.to_vec(), claims.iter().rev().cloned().collect()] {
        // Others are not moved by it.
        claims.push(said("bob", "on-call", "11:30"));
        assert_eq!(speaks_as(&claims, "ann", at("12:00")), expected);
        let told: Vec<Role> = in_one_role(&mut claims, at("12:00")).into_iter().map(|one| one.role).collect();
        assert_eq!(told, silent);
        let authors = ["dev".to_owned()];
        let heard = Claims::new(&claims, &authors, at("12:00"));
        let agrees = |role: Role| heard.seats(&[&[role]]).is_ok_and(|all| all[0].author == "ann");
        let seats = Role::ALL.iter().filter(|role| **role != OnCall && agrees(**role)).copied().collect::<Vec<_>>();
        assert_eq!(seats, expected.into_iter().filter(|role| *role != OnCall).collect::<Vec<_>>());
        let both = heard.seats(&[&[OnCall], &[OnCall]]).is_ok();
        assert_eq!(both, expected == Some(OnCall), "ann beside bob");
    }
}

#[test]
fn a_no_counts_in_every_role_until_it_is_taken_back() {
    let mut claims = vec![ann("sre", "09:00"), no(ann("on-call", "10:00"))];
    assert_eq!(in_one_role(&mut claims, at("12:00")), []);
    assert!(Claims::new(&claims, &[], at("12:00")).rejection(&[OnCall]).is_some());
    // Who approves where they said no says no no more, though the approval does not count.
    claims.push(ann("on-call", "11:00"));
    let told = in_one_role(&mut claims, at("12:00"));
    assert_eq!(told[0].to_string(), "ann as on-call, because ann speaks as sre already");
    let heard = Claims::new(&claims, &[], at("12:00"));
    assert!(heard.rejection(&[OnCall]).is_none() && heard.seats(&[&[OnCall]]).is_err());
}

/// A role says who approves; in any other word it means nothing.
#[test]
fn what_is_no_approval_stands() {
    let mut claims = vec![ann("sre", "09:00"), ann("on-call", "10:00")];
    claims.push(Claim { kind: "on-call-presence".to_owned(), ..ann("on-call", "10:00") });
    in_one_role(&mut claims, at("12:00"));
    assert_eq!(claims.iter().map(|claim| claim.withdrawn).collect::<Vec<_>>(), [false, true, false]);
}
