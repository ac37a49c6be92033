use rstest::rstest;
use serde_json::{Value, json};

use super::sign;
use crate::statement::{Issuers, Key, Keys, KeysFrom, Party};

#[test]
fn the_usable_keys_of_a_set_are_taken_and_the_others_left() {
    let keys = Keys::of_jwks(&sign::jwks().to_string()).unwrap();
    let names: Vec<_> = keys.all().iter().filter_map(Key::id).collect();
    assert_eq!(names, ["rsa", "p256", "ed25519"]);
}

/// The same key is the same, in whatever form it is written.
#[test]
fn keys_in_pem_are_those_of_the_set() {
    let set = Keys::of_jwks(&sign::jwks().to_string()).unwrap();
    let mut of_set: Vec<_> = set.all().iter().map(Key::fingerprint).collect();
    let mut of_pem: Vec<_> = sign::pems().iter().map(|pem| Key::of_pem(pem).unwrap().fingerprint()).collect();
    of_set.sort();
    of_pem.sort();
    assert_eq!(of_set, of_pem);
}

#[rstest]
#[case::short(include_str!("short.pub.pem"))]
#[case::private(include_str!("rsa.pem"))]
#[case::no_pem("ssh-ed25519 AAAA")]
fn other_keys_are_refused(#[case] pem: &str) {
    let why = Key::of_pem(pem).unwrap_err();
    assert!(why.contains("wanted is a public key of RSA, P-256 or Ed25519 in PEM"), "{why}");
}

#[test]
fn keys_are_where_the_configuration_says() {
    let from = |change: Value| {
        let mut text = sign::issuers();
        json_patch::merge(&mut text["issuers"][0]["oidc"], &change);
        match &Issuers::parse(&text.to_string()).unwrap().all()[0].party {
            Party::Oidc { from, keys, .. } => (from.clone(), keys.as_ref().map(|keys| keys.all().len()).ok()),
            Party::Holder { .. } => panic!("tokens"),
        }
    };
    assert_eq!(from(json!({})), (KeysFrom::Inline, Some(3)));
    assert_eq!(from(json!({"jwks": sign::jwks().to_string()})), (KeysFrom::Inline, Some(3)));
    assert_eq!(from(json!({"jwks": null})), (KeysFrom::Discovery, None));
    assert_eq!(from(json!({"jwks": null, "jwksFile": "/keys.json"})), (KeysFrom::File("/keys.json".to_owned()), None));
}

#[rstest]
#[case::unknown_field(json!({"trusts": []}), "unknown field")]
#[case::name(json!({"name": "git hub"}), "issuers[0].name: \"git hub\" is not up to 63 letters")]
#[case::no_rule(json!({"trust": []}), "issuers[0].trust: is empty, so that nothing of ci.example.com would count")]
#[case::both(json!({"publicKeys": ["a"]}), "issuers[0]: exactly one of oidc and publicKeys")]
#[case::neither(json!({"oidc": null}), "issuers[0]: exactly one of oidc and publicKeys")]
#[case::no_https(json!({"oidc": {"issuer": "http://ci.example.com"}}), "issuers[0].oidc.issuer: \"http://ci.example.com\" is not the https address")]
#[case::an_address_with_more(json!({"oidc": {"issuer": "https://ci.example.com?x=1"}}), "is not the https address")]
#[case::audience(json!({"oidc": {"audience": ""}}), "issuers[0].oidc.audience: \"\" is not up to 128 characters")]
#[case::keys_twice(json!({"oidc": {"jwksFile": "/a"}}), "issuers[0].oidc: jwks and jwksFile both say")]
#[case::no_keys(json!({"oidc": {"jwks": {"keys": []}}}), "issuers[0].oidc.jwks: no key in it is of RSA")]
#[case::commit(json!({"oidc": {"commit": ""}}), "issuers[0].oidc.commit: is empty")]
#[case::commits_of_tokens(json!({"commits": true}), "issuers[0].commits: is of publicKeys; for tokens write the claim that names the commit")]
#[case::anybody(json!({"trust": [{"subjects": ["*"], "releases": ["a/b"], "types": ["sast"]}]}),
    "issuers[0].trust[0].subjects[0]: \"*\" begins with `*` and would fit names that are anybody's")]
#[case::nobody(json!({"trust": [{"releases": ["a/b"], "types": ["sast"]}]}), "issuers[0].trust[0].subjects: is empty; an issuer of tokens signs for many")]
#[case::release(json!({"trust": [{"subjects": ["a"], "releases": ["checkout"], "types": ["sast"]}]}),
    "issuers[0].trust[0].releases[0]: \"checkout\" is not namespace/name, such as shop/checkout or shop/*")]
#[case::no_release(json!({"trust": [{"subjects": ["a"], "releases": [], "types": ["sast"]}]}), "issuers[0].trust[0].releases: is empty")]
#[case::no_type(json!({"trust": [{"subjects": ["a"], "releases": ["a/b"], "types": []}]}), "issuers[0].trust[0].types: is empty")]
#[case::approvals(json!({"trust": [{"subjects": ["a"], "releases": ["a/b"], "types": ["approval"]}]}),
    "issuers[0].trust[0].types[0]: \"approval\" is no type of evidence")]
#[case::starts(json!({"trust": [{"subjects": ["a"], "releases": ["a/b"], "types": ["sast", "start"]}]}),
    "issuers[0].trust[0].types[1]: \"start\" is no type of evidence")]
#[case::claim(json!({"trust": [{"subjects": ["a"], "claims": {"ref": ""}, "releases": ["a/b"], "types": ["sast"]}]}),
    "issuers[0].trust[0].claims.ref: is empty")]
fn a_wrong_configuration_is_told_with_field_value_and_remedy(#[case] change: Value, #[case] expected: &str) {
    let mut text = sign::issuers();
    json_patch::merge(&mut text["issuers"][0], &change);
    let why = Issuers::parse(&text.to_string()).unwrap_err();
    assert!(why.contains(expected), "{why}");
}

#[rstest]
#[case::key(json!({"publicKeys": ["-----BEGIN PUBLIC KEY-----"]}), "issuers[1].publicKeys[0]: ")]
#[case::subjects(json!({"trust": [{"subjects": ["a"], "releases": ["a/b"], "types": ["sast"]}]}),
    "issuers[1].trust[0]: subjects and claims are of tokens")]
#[case::name_twice(json!({"name": "ci.example.com"}), "issuers[1].name: \"ci.example.com\" stands twice")]
fn so_is_one_of_a_holder(#[case] change: Value, #[case] expected: &str) {
    let mut text = sign::issuers();
    json_patch::merge(&mut text["issuers"][1], &change);
    let why = Issuers::parse(&text.to_string()).unwrap_err();
    assert!(why.contains(expected), "{why}");
}

#[test]
fn an_issuer_stands_once() {
    let mut text = sign::issuers();
    let mut again = text["issuers"][0].clone();
    again["name"] = "again".into();
    text["issuers"].as_array_mut().unwrap().push(again);
    let why = Issuers::parse(&text.to_string()).unwrap_err();
    assert_eq!(why, "issuers[2].oidc.issuer: https://ci.example.com stands twice; write all its rules under one");
}

#[test]
fn nobody_is_trusted_where_nothing_is_configured() {
    assert_eq!(Issuers::parse("issuers: []").unwrap(), Issuers::default());
    assert_eq!(Issuers::parse("{}").unwrap(), Issuers::default());
}
