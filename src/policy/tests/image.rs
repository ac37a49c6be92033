use std::collections::BTreeMap;

use crate::api::Time;
use crate::policy::requirement::author::{Authors, CHANGE_AUTHOR, authors_of};
use crate::policy::requirement::{Claim, Claims, NewImage, Word};
use rstest::rstest;

const CI: &str = "system:serviceaccount:ci:builder";

fn at(time: &str) -> Time {
    Time(format!("2026-03-31T{time}:00Z").parse().unwrap())
}

/// CI says at that time that static analysis passed, of the revision where no image is named.
fn says(time: &str, image: &str) -> Claim {
    Claim {
        kind: "sast".to_owned(),
        role: None,
        author: CI.to_owned(),
        passed: true,
        withdrawn: false,
        at: at(time),
        until: None,
        facts: BTreeMap::new(),
        machine: false,
        about: (!image.is_empty()).then(|| digest(image)),
    }
}

fn fails(time: &str, image: &str) -> Claim {
    Claim { passed: false, ..says(time, image) }
}

fn takes_back(time: &str, image: &str) -> Claim {
    Claim { passed: false, withdrawn: true, ..says(time, image) }
}

/// The same with the name of who made it.
fn names(claim: Claim, names: &str) -> Claim {
    Claim { facts: BTreeMap::from([(CHANGE_AUTHOR.to_owned(), names.to_owned())]), ..claim }
}

fn digest(image: &str) -> String {
    format!("sha256:{image}")
}

/// The images that come new, by their names; one that is called by a tag has no digest.
fn new(images: &[&str]) -> Vec<NewImage> {
    let one = |name: &&str| NewImage { name: (*name).to_owned(), digest: (!name.contains(':')).then(|| digest(name)) };
    images.iter().map(one).collect()
}

const ONE: &[&str] = &["app"];
const TWO: &[&str] = &["app", "proxy"];
const BY_TAG: &[&str] = &["app:2", "proxy"];

/// At noon: who speaks for it, who against it, or why nothing is said.
#[rstest]
#[case::one_image(ONE, &[says("10:00", "app")], "for 10:00")]
#[case::one_image_that_failed_before(ONE, &[fails("09:00", "app"), says("10:00", "app")], "for 10:00")]
#[case::the_revision_covers_all(TWO, &[says("10:00", "")], "for 10:00")]
#[case::the_revision_covers_what_has_no_digest(BY_TAG, &[says("10:00", "")], "for 10:00")]
#[case::each(TWO, &[says("10:00", "app"), says("10:01", "proxy")], "for 10:00, 10:01")]
#[case::one_and_the_revision(TWO, &[says("10:00", ""), says("10:01", "proxy")], "for 10:00, 10:01")]
#[case::a_newer_word_about_another(TWO, &[fails("10:00", "app"), says("10:01", "proxy")], "against 10:00")]
#[case::a_newer_word_about_the_revision(TWO, &[fails("10:00", "app"), says("10:01", "")], "for 10:01")]
#[case::an_older_word_about_the_revision(TWO, &[says("09:00", ""), fails("10:00", "app")], "against 10:00")]
#[case::both_failed(TWO, &[fails("10:00", "app"), fails("10:01", "proxy")], "against 10:01")]
#[case::one_alone(TWO, &[says("10:00", "proxy")], "nobody says it of app, new with this change; said of the revision it is of all")]
#[case::what_has_no_digest(BY_TAG, &[says("10:00", "proxy")], "nobody says it of app:2 (without a sha256 digest), new with this change; said of the revision it is of all")]
#[case::of_many(&["a", "b", "c", "d", "e", "f"], &[says("10:00", "e")], "nobody says it of a, b, c and 2 more, new with this change; said of the revision it is of all")]
#[case::nothing(TWO, &[], "")]
#[case::taken_back_of_one(TWO, &[says("10:00", "app"), says("10:00", "proxy"), takes_back("11:00", "app")], "nobody says it of app, new with this change; said of the revision it is of all")]
#[case::lapsed_of_one(TWO, &[Claim { until: Some(at("11:00")), ..says("10:00", "app") }, says("10:00", "proxy")], "that of system:serviceaccount:ci:builder (31 Mar 10:00:00 UTC) lapsed 31 Mar 11:00:00 UTC (of app)")]
#[case::lapsed_of_all(TWO, &[Claim { until: Some(at("11:00")), ..says("10:00", "") }], "that of system:serviceaccount:ci:builder (31 Mar 10:00:00 UTC) lapsed 31 Mar 11:00:00 UTC")]
#[case::none_comes_new(&[], &[says("10:00", "app")], "for 10:00")]
#[case::another_type_of_another(&[], &[says("10:00", "app"), Claim { kind: "sca".to_owned(), ..says("10:01", "proxy") }], "for 10:00")]
#[case::none_comes_new_and_one_failed(&[], &[fails("10:00", "app"), says("10:01", "proxy")], "against 10:00")]
#[case::none_comes_new_and_one_is_taken_back(&[], &[says("10:00", "app"), says("10:00", "proxy"), takes_back("11:00", "proxy")], "for 10:00")]
fn what_is_said_of_one_image_says_nothing_of_another(
    #[case] images: &[&str],
    #[case] claims: &[Claim],
    #[case] expected: &str,
) {
    let images = new(images);
    let time = |claim: &Claim| claim.at.0.strftime("%H:%M").to_string();
    let word = match Claims::new(claims, &[], at("12:00")).bringing(&images).word("sast", None) {
        Word::For(said) => format!("for {}", said.all().map(time).collect::<Vec<_>>().join(", ")),
        Word::Against(claim) => format!("against {}", time(claim)),
        Word::Silent { because } => because,
    };
    assert_eq!(word, expected);
}

/// The latest of each image, once where it is said of the revision, whatever is missing of the others.
#[rstest]
#[case::of_each(TWO, &[says("10:00", "app"), says("10:01", "proxy")], &["10:00", "10:01"])]
#[case::of_one(TWO, &[says("10:00", "proxy")], &["10:00"])]
#[case::of_the_revision(TWO, &[says("10:00", "")], &["10:00"])]
#[case::failed(TWO, &[fails("10:00", "app"), says("10:01", "proxy")], &["10:01"])]
fn what_is_said_of_any_image(#[case] images: &[&str], #[case] claims: &[Claim], #[case] times: &[&str]) {
    let images = new(images);
    let all = Claims::new(claims, &[], at("12:00")).bringing(&images).each("sast");
    let said: Vec<String> = all.iter().map(|claim| claim.at.0.strftime("%H:%M").to_string()).collect();
    assert_eq!(said, times);
}

#[rstest]
#[case::one(ONE, &[names(says("10:00", "app"), "bob")], &["bob"], true)]
#[case::of_each(TWO, &[names(says("10:00", "app"), "bob"), names(says("10:00", "proxy"), "eve")], &["bob", "eve"], true)]
#[case::of_one_alone(TWO, &[names(says("10:00", "app"), "bob"), says("10:00", "proxy")], &["bob"], false)]
#[case::of_the_revision(TWO, &[names(says("10:00", ""), "bob"), says("10:00", "proxy")], &["bob"], true)]
#[case::of_what_has_no_digest(BY_TAG, &[names(says("10:00", "proxy"), "eve")], &["eve"], false)]
#[case::taken_back_of_the_other(TWO, &[names(says("10:00", "app"), "bob"), takes_back("11:00", "proxy")], &["bob"], false)]
#[case::taken_back(ONE, &[names(says("10:00", "app"), "bob"), takes_back("11:00", "app")], &[], false)]
#[case::none_comes_new(&[], &[names(says("10:00", ""), "bob")], &["bob"], true)]
fn who_made_one_image_made_no_other(
    #[case] images: &[&str],
    #[case] claims: &[Claim],
    #[case] names: &[&str],
    #[case] known: bool,
) {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(authors_of(claims, &new(images), "system:serviceaccount:argocd:controller"), Authors { names, known });
}
