use crate::policy::evidence::{Evidence, all, is_of_source};
use rstest::rstest;

/// The facts of a type; `!` before those without which it does not count.
#[rstest]
#[case::plain("sast", &["change-author"])]
#[case::flag("feature-flag", &["kill-switch", "change-author"])]
#[case::classification("classification", &["categories", "change-author"])]
#[case::document("exception", &["!reason", "!justification", "!change-complexity", "!blast-radius", "!rollback-time", "!mitigation-plan", "!ticket"])]
#[case::presence("on-call-presence", &[])]
fn a_type_of_evidence_has_its_facts(#[case] name: &str, #[case] expected: &[&str]) {
    let facts = Evidence::named(name).unwrap().facts();
    let seen: Vec<String> =
        facts.iter().map(|one| format!("{}{}", if one.required { "!" } else { "" }, one.key)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn only_what_something_asks_for_can_be_attested() {
    assert!(Evidence::named("lunch").is_none());
    assert!(all().contains_key("isolation"), "a mitigation is attested");
    assert!(!all().contains_key("canary"), "the canary is Tidegate's own");
}

/// What stays true of an image however it is configured.
#[rstest]
#[case("sast", true)]
#[case("unit-tests", true)]
#[case("e2e-tests", false)]
#[case("peer-review", false)]
fn what_is_run_on_the_source_holds_for_every_configuration(#[case] name: &str, #[case] expected: bool) {
    assert_eq!(is_of_source(name), expected);
}
