//! Statements that are signed here, with keys that are made here: what counts, and each way in which one does not.

mod envelope;
mod issuers;
pub(crate) mod sign;
mod token;

use rstest::rstest;
use serde_json::{Value, json};

use super::{Issuers, Pattern, Words, is_commit};
use crate::api::{AttestationSpec, Time};

const DIGEST: &str = "sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
const OTHER_DIGEST: &str = "sha256:0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";
const COMMIT: &str = "4f2c9e1a4f2c9e1a4f2c9e1a4f2c9e1a4f2c9e1a";
const WORKFLOW: &str = "acme/checkout/.github/workflows/ci.yaml@refs/heads/main";
/// When the API server takes what is tried here.
const TAKEN: &str = "2026-01-02T10:00:00Z";

fn at(text: &str) -> Time {
    Time(text.parse().unwrap())
}

/// Seconds since 1970, so many from when the API server takes it.
fn seconds(from_taken: i64) -> i64 {
    at(TAKEN).0.as_second() + from_taken
}

fn spec(more: Value) -> AttestationSpec {
    let mut spec = json!({
        "releaseRef": {"name": "checkout"}, "revision": DIGEST, "type": "sast", "author": "relay",
        "facts": {"findings": "0"},
    });
    json_patch::merge(&mut spec, &more);
    serde_json::from_value(spec).unwrap()
}

#[rstest]
#[case("acme/checkout", "acme/checkout", true)]
#[case("acme/checkout", "acme/checkout2", false)]
#[case("acme/*", "acme/checkout/ci.yaml", true)]
#[case("acme/*", "acme/", true)]
#[case("acme/*", "acme2/checkout", false)]
#[case("acme/*/ci.yaml@refs/heads/main", "acme/a/ci.yaml@refs/heads/main", true)]
#[case("acme/*/ci.yaml@refs/heads/main", "acme/a/ci.yaml@refs/heads/main2", false)]
#[case("a*b*c", "abbc", true)]
#[case("a*b*c", "acb", false)]
#[case("a*aa", "aaa", true)]
#[case("a*aa", "aa", false)]
fn a_pattern_fits_a_name_as_a_whole(#[case] pattern: &str, #[case] name: &str, #[case] fits: bool) {
    assert_eq!(Pattern::parse(pattern).unwrap().fits(name), fits);
}

#[rstest]
#[case("*", "would fit names that are anybody's; begin it with whose they are, such as acme/*")]
#[case("*/ci.yaml", "begins with `*`")]
#[case("", "is empty")]
fn a_pattern_says_whose_names_they_are(#[case] pattern: &str, #[case] expected: &str) {
    let why = Pattern::parse(pattern).unwrap_err();
    assert!(why.contains(expected), "{why}");
}

#[rstest]
#[case(&format!("git:{COMMIT}"), true)]
#[case("git:4f2c9e1", false)]
#[case(COMMIT, false)]
#[case(&format!("git:{}", COMMIT.to_uppercase()), false)]
#[case(&format!("git:{}", "0a".repeat(32)), true)]
fn a_commit_is_whole(#[case] text: &str, #[case] whole: bool) {
    assert_eq!(is_commit(text), whole);
}

/// Whoever asks for a token must come to the same audience: the form is fixed.
#[test]
fn the_audience_is_the_hash_of_canonical_json() {
    let words = Words::of("shop", &spec(json!({"expiresAt": "2026-01-03T10:00:00Z", "link": "https://ci/1"})));
    insta::assert_snapshot!(
        String::from_utf8(serde_json_canonicalizer::to_vec(&words).unwrap()).unwrap(),
        @r#"{"expiresAt":"2026-01-03T10:00:00Z","facts":{"findings":"0"},"link":"https://ci/1","outcome":"Passed","release":"shop/checkout","revision":"sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","type":"sast"}"#
    );
    let audience = words.audience("tidegate").unwrap();
    let hex = audience.strip_prefix("tidegate/").unwrap();
    assert!(hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()), "{audience}");
}

/// Every word that counts is signed: with any of them changed the audience is another.
#[rstest]
#[case::release(json!({"releaseRef": {"name": "cart"}}))]
#[case::revision(json!({"revision": OTHER_DIGEST}))]
#[case::kind(json!({"type": "sca"}))]
#[case::outcome(json!({"outcome": "Failed"}))]
#[case::facts(json!({"facts": {"findings": "1"}}))]
#[case::more_facts(json!({"facts": {"change-author": "sam"}}))]
#[case::lapse(json!({"expiresAt": "2026-01-03T10:00:00Z"}))]
#[case::link(json!({"link": "https://ci/1"}))]
fn every_word_is_signed(#[case] more: Value) {
    let audience = |namespace: &str, more| Words::of(namespace, &spec(more)).audience("tidegate");
    assert_ne!(audience("shop", more), audience("shop", json!({})));
    assert_ne!(audience("shop", json!({})), audience("cart", json!({})));
}

/// The issuers of the tests: one of tokens with three kinds of keys, and a holder of keys.
fn issuers() -> Issuers {
    Issuers::parse(&sign::issuers().to_string()).unwrap()
}
