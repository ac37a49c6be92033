use rstest::rstest;
use serde_json::{Value, json};

use super::sign::{With, envelope, statement};
use super::{COMMIT, DIGEST, OTHER_DIGEST, TAKEN, at, issuers, spec};
use crate::api::attestation::Statement;
use crate::api::{AttestationSpec, Span};
use crate::statement::{Issuers, Refusal, Signed, compact, unsealed, verify};

const IN_TOTO: &str = "application/vnd.in-toto+json";

/// An envelope that counts, and what is done to it.
struct Trial {
    issuers: Issuers,
    spec: AttestationSpec,
    kind: &'static str,
    statement: Value,
    with: With,
    /// The last change to the envelope itself.
    sealed: fn(Value) -> Value,
}

impl Trial {
    fn new() -> Self {
        Self {
            issuers: issuers(),
            spec: spec(json!({})),
            kind: IN_TOTO,
            statement: statement(),
            with: With::P256,
            sealed: |envelope| envelope,
        }
    }

    fn verify(&self) -> Result<Signed, Refusal> {
        let text = (self.sealed)(envelope(self.kind, &self.statement, self.with)).to_string();
        let statement = Statement { token: None, envelope: Some(text) };
        verify(&self.issuers, "shop", &self.spec, &statement, at(TAKEN))
    }
}

#[rstest]
#[case::p256(With::P256)]
#[case::ed25519(With::Ed25519)]
#[case::rsa(With::Rsa)]
fn an_envelope_of_each_kind_of_key_counts(#[case] with: With) {
    let signed = Trial { with, ..Trial::new() }.verify().unwrap();
    let (holder, fingerprint) = signed.by.split_once('/').unwrap();
    assert_eq!((holder, fingerprint.len()), ("release-key", 12));
    assert_eq!(signed.at, at("2026-01-02T09:00:00Z"), "a copy that is applied again is no newer");
}

#[rstest]
#[case::the_former_form(|t: &mut Trial| t.statement["_type"] = "https://in-toto.io/Statement/v0.1".into())]
#[case::several_images(|t: &mut Trial| {
    let other = json!({"digest": {"sha256": OTHER_DIGEST.trim_start_matches("sha256:")}});
    t.statement["subject"].as_array_mut().unwrap().insert(0, other);
})]
#[case::a_commit(|t: &mut Trial| {
    t.statement["subject"][0]["digest"] = json!({"gitCommit": COMMIT});
    t.spec.revision = format!("git:{COMMIT}");
})]
#[case::made_for_the_release(|t: &mut Trial| t.statement["predicate"]["release"] = "shop/checkout".into())]
#[case::in_a_bundle(|t: &mut Trial| t.sealed = |envelope| json!({"mediaType": "m", "dsseEnvelope": envelope}))]
#[case::signed_by_others_too(|t: &mut Trial| t.sealed = |mut envelope| {
    envelope["signatures"].as_array_mut().unwrap().insert(0, json!({"keyid": "other", "sig": "AAAA"}));
    envelope
})]
#[case::a_failed_check(|t: &mut Trial| {
    t.statement["predicate"]["outcome"] = "Failed".into();
    t.spec.outcome = crate::api::attestation::ClaimOutcome::Failed;
})]
#[case::that_lapses(|t: &mut Trial| {
    t.statement["predicate"]["expiresAt"] = "2026-01-03T10:00:00Z".into();
    t.spec.expires_at = Some(at("2026-01-03T10:00:00Z"));
})]
fn so_does(#[case] change: fn(&mut Trial)) {
    let mut trial = Trial::new();
    change(&mut trial);
    trial.verify().unwrap();
}

#[rstest]
#[case::somebody_elses_signature(|t: &mut Trial| t.with = With::Stranger, "its signature is not that of any configured holder of a key")]
#[case::no_signature(|t: &mut Trial| t.sealed = |mut envelope| { envelope["signatures"] = json!([]); envelope }, "its signature is not that of")]
#[case::a_changed_payload(|t: &mut Trial| t.sealed = |mut sealed| {
    let mut other = statement();
    other["predicate"]["facts"] = json!({"findings": "0", "change-author": "sam"});
    sealed["payload"] = envelope(IN_TOTO, &other, With::Stranger)["payload"].clone();
    sealed
}, "it was changed after it was signed")]
#[case::another_payload_type(|t: &mut Trial| t.kind = "application/vnd.cncf.notary", "its payload is \"application/vnd.cncf.notary\"")]
#[case::a_changed_payload_type(|t: &mut Trial| { t.kind = "text/plain"; t.sealed = |mut sealed| { sealed["payloadType"] = IN_TOTO.into(); sealed } },
    "its signature is not that of")]
#[case::another_statement(|t: &mut Trial| t.statement["_type"] = "https://example.com/v1".into(), "its statement is \"https://example.com/v1\"")]
#[case::another_predicate(|t: &mut Trial| t.statement["predicateType"] = "https://slsa.dev/provenance/v1".into(),
    "its predicate is \"https://slsa.dev/provenance/v1\", wanted is https://tidegate.io/evidence/v1")]
#[case::no_moment(|t: &mut Trial| drop(t.statement["predicate"].as_object_mut().unwrap().remove("at")), "its predicate: missing field `at`")]
#[case::a_field_that_is_not_known(|t: &mut Trial| t.statement["predicate"]["role"] = "sre".into(), "its predicate: unknown field `role`")]
#[case::another_image(|t: &mut Trial| t.spec.revision = OTHER_DIGEST.to_owned(), "it is about sha256:0a0a")]
#[case::no_image(|t: &mut Trial| t.statement["subject"] = json!([]), "it is about , and the attestation is about sha256:0a")]
#[case::a_weaker_digest(|t: &mut Trial| t.statement["subject"][0]["digest"] = json!({"sha1": COMMIT}), "it is about , and")]
#[case::another_commit(|t: &mut Trial| {
    t.statement["subject"][0]["digest"] = json!({"gitCommit": "0a".repeat(20)});
    t.spec.revision = format!("git:{COMMIT}");
}, "it is about git:0a0a")]
#[case::another_release(|t: &mut Trial| t.statement["predicate"]["release"] = "shop/cart".into(),
    "spec.releaseRef of the attestation is shop/checkout, signed is shop/cart")]
#[case::another_type(|t: &mut Trial| t.spec.kind = "unit-tests".to_owned(), "spec.type of the attestation is unit-tests, signed is sast")]
#[case::another_outcome(|t: &mut Trial| t.statement["predicate"]["outcome"] = "Failed".into(),
    "spec.outcome of the attestation is Passed, signed is Failed; make it with: tidegate attest --statement FILE")]
#[case::other_facts(|t: &mut Trial| t.spec.facts.clear(), "spec.facts of the attestation is {}, signed is {\"findings\": \"0\"}")]
#[case::a_lapse_taken_away(|t: &mut Trial| t.statement["predicate"]["expiresAt"] = "2026-01-03T10:00:00Z".into(),
    "spec.expiresAt of the attestation is nothing, signed is 2026-01-03T10:00:00Z")]
#[case::signed_in_the_future(|t: &mut Trial| t.statement["predicate"]["at"] = "2026-01-02T10:01:01Z".into(), "it is valid from 2 Jan 10:01:01 UTC")]
#[case::a_release_that_no_rule_names(|t: &mut Trial| t.spec.release_ref.name = "cart".to_owned(), "may not speak of release shop/cart")]
#[case::a_type_that_no_rule_names(|t: &mut Trial| { t.statement["predicate"]["type"] = "sca".into(); t.spec.kind = "sca".to_owned(); },
    "may not attest sca")]
#[case::nobody_is_configured(|t: &mut Trial| t.issuers = Issuers::default(), "no issuer is configured that signs envelopes")]
#[case::large(|t: &mut Trial| t.statement["predicate"]["facts"]["more"] = "a".repeat(24_576).into(), "is too large, at most 24576 are taken")]
#[case::no_envelope(|t: &mut Trial| t.sealed = |_| json!({"payload": "YQ=="}), "wanted is a DSSE envelope in JSON")]
#[case::no_base64(|t: &mut Trial| t.sealed = |mut sealed| { sealed["payload"] = "?".into(); sealed }, "the payload of the envelope is not base64")]
fn an_envelope_does_not_count(#[case] change: fn(&mut Trial), #[case] expected: &str) {
    let mut trial = Trial::new();
    change(&mut trial);
    let why = trial.verify().unwrap_err().to_string();
    assert!(why.contains(expected), "{why}");
}

/// Whoever deploys writes which commit it is, so that this is the admin's to allow, as of tokens.
#[rstest]
#[case::said_so(json!(true), true)]
#[case::not_said(Value::Null, false)]
#[case::denied(json!(false), false)]
fn an_envelope_counts_for_a_commit_where_the_admin_says_so(#[case] commits: Value, #[case] counts: bool) {
    let mut text = super::sign::issuers();
    text["issuers"][1]["commits"] = commits;
    let mut trial = Trial { issuers: Issuers::parse(&text.to_string()).unwrap(), ..Trial::new() };
    trial.verify().unwrap();
    trial.statement["subject"][0]["digest"] = json!({"gitCommit": COMMIT});
    trial.spec.revision = format!("git:{COMMIT}");
    match trial.verify() {
        Ok(_) => assert!(counts),
        Err(why) => {
            let told = "it is about a commit, which no image is bound to, and release-key counts for images alone; sign it for the image, or the admin writes commits: true";
            assert_eq!((counts, why.to_string().as_str()), (false, told));
        }
    }
}

#[test]
fn one_of_a_token_and_an_envelope_is_signed() {
    let both = Statement { token: Some("a.b.c".to_owned()), envelope: Some("{}".to_owned()) };
    for statement in [both, Statement::default()] {
        let why = verify(&issuers(), "shop", &spec(json!({})), &statement, at(TAKEN)).unwrap_err().to_string();
        assert!(why.contains("exactly one of token and envelope"), "{why}");
    }
}

/// A statement that is about the future does not become good by waiting: it is judged by when it was taken.
#[test]
fn it_is_judged_by_when_it_was_taken() {
    let trial = Trial::new();
    let text = envelope(IN_TOTO, &trial.statement, trial.with).to_string();
    let statement = Statement { token: None, envelope: Some(text) };
    for days in [0, 1, 400] {
        let taken = at(TAKEN).plus(Span::days(days));
        let signed = verify(&trial.issuers, "shop", &trial.spec, &statement, taken).unwrap();
        assert_eq!(signed.at, at("2026-01-02T09:00:00Z"));
    }
}

#[test]
fn what_tools_write_around_an_envelope_is_left_out() {
    let bare = envelope(IN_TOTO, &statement(), With::P256);
    let text = json!({"verificationMaterial": {"certificate": "a".repeat(99)}, "dsseEnvelope": bare}).to_string();
    assert_eq!(serde_json::from_str::<Value>(&compact(&text).unwrap()).unwrap(), bare);
    assert_eq!(unsealed(&text).unwrap().about, [DIGEST]);
}
