use rstest::rstest;
use serde_json::{Value, json};

use super::sign::{With, claims, token, url};
use super::{COMMIT, DIGEST, OTHER_DIGEST, TAKEN, WORKFLOW, at, issuers, seconds, spec};
use crate::api::attestation::Statement;
use crate::api::{AttestationSpec, Span, Time};
use crate::statement::{Issuers, Refusal, Signed, Words, verify};

/// A token that counts, and what is done to it.
struct Trial {
    issuers: Issuers,
    namespace: &'static str,
    spec: AttestationSpec,
    head: Value,
    claims: Value,
    with: With,
    taken: Time,
    /// The last change to the text itself.
    text: fn(String) -> String,
}

impl Trial {
    /// A token that signs every word.
    fn new(more: Value) -> Self {
        let spec = spec(more);
        let audience = Words::of("shop", &spec).audience("tidegate").unwrap();
        Self {
            issuers: issuers(),
            namespace: "shop",
            spec,
            head: json!({"typ": "JWT", "alg": "EdDSA", "kid": "ed25519"}),
            claims: claims(&audience),
            with: With::Ed25519,
            taken: at(TAKEN),
            text: |text| text,
        }
    }

    /// A token that signs no words: the audience of every other one of the same run.
    fn bare() -> Self {
        let mut trial = Self::new(json!({"revision": format!("git:{COMMIT}"), "type": "unit-tests", "facts": null}));
        trial.claims["aud"] = "tidegate".into();
        trial
    }

    fn verify(&self) -> Result<Signed, Refusal> {
        let text = (self.text)(token(&self.head, &self.claims, self.with));
        let statement = Statement { token: Some(text), envelope: None };
        verify(&self.issuers, self.namespace, &self.spec, &statement, self.taken)
    }
}

#[rstest]
#[case::rsa("RS256", "rsa", With::Rsa)]
#[case::p256("ES256", "p256", With::P256)]
#[case::ed25519("EdDSA", "ed25519", With::Ed25519)]
fn a_token_of_each_kind_of_key_counts(#[case] alg: &str, #[case] kid: &str, #[case] with: With) {
    let mut trial = Trial::new(json!({}));
    (trial.head, trial.with) = (json!({"typ": "JWT", "alg": alg, "kid": kid}), with);
    let signed = trial.verify().unwrap();
    assert_eq!(signed.by, format!("ci.example.com/{WORKFLOW}"));
    assert_eq!(signed.at, Time(jiff::Timestamp::from_second(seconds(-60)).unwrap()), "as old as its signature");
}

#[rstest]
#[case::several_audiences(|t: &mut Trial| t.claims["aud"] = json!(["other", t.claims["aud"]]))]
#[case::just_expired_by_another_clock(|t: &mut Trial| t.claims["exp"] = seconds(-59).into())]
#[case::issued_by_a_clock_ahead(|t: &mut Trial| { t.claims["iat"] = seconds(60).into(); t.claims["nbf"] = seconds(60).into(); })]
#[case::no_nbf(|t: &mut Trial| drop(t.claims.as_object_mut().unwrap().remove("nbf")))]
#[case::with_fractions(|t: &mut Trial| t.claims["exp"] = json!(1_767_348_240.5))]
#[case::about_an_image_of_another_commit(|t: &mut Trial| t.claims["sha"] = "0a".repeat(20).into())]
fn so_does(#[case] change: fn(&mut Trial)) {
    let mut trial = Trial::new(json!({}));
    change(&mut trial);
    trial.verify().unwrap();
}

#[test]
fn a_failed_check_is_signed_as_such() {
    Trial::new(json!({"outcome": "Failed"})).verify().unwrap();
}

#[rstest]
#[case::expired(|t: &mut Trial| t.claims["exp"] = seconds(-60).into(),
    "it expired 2 Jan 09:59:00 UTC, and the API server took it 2 Jan 10:00:00 UTC")]
#[case::brought_again_later(|t: &mut Trial| t.taken = t.taken.plus(Span::hours(1)), "a token is brought within its lifetime")]
#[case::not_valid_yet(|t: &mut Trial| t.claims["nbf"] = seconds(61).into(), "it is valid from 2 Jan 10:01:01 UTC")]
#[case::issued_later(|t: &mut Trial| t.claims["iat"] = seconds(61).into(), "set the clock of whoever signs")]
#[case::no_expiry(|t: &mut Trial| t.claims["exp"] = Value::Null, "it has no claim \"exp\"")]
#[case::an_expiry_in_words(|t: &mut Trial| t.claims["exp"] = "never".into(), "it has no claim \"exp\"")]
#[case::nbf_in_words(|t: &mut Trial| t.claims["nbf"] = "soon".into(), "it has no claim \"nbf\"")]
#[case::another_audience(|t: &mut Trial| t.claims["aud"] = "sts.amazonaws.com".into(),
    "it is made out to \"sts.amazonaws.com\", wanted is \"tidegate/")]
#[case::no_audience(|t: &mut Trial| t.claims["aud"] = Value::Null, "it is made out to \"\"")]
#[case::another_issuer(|t: &mut Trial| t.claims["iss"] = "https://evil.example.com".into(),
    "it is from issuer \"https://evil.example.com\", which is not configured")]
#[case::an_issuer_with_a_slash(|t: &mut Trial| t.claims["iss"] = "https://ci.example.com/".into(), "which is not configured")]
#[case::nobody_is_configured(|t: &mut Trial| t.issuers = Issuers::default(), "which is not configured")]
#[case::an_unknown_key(|t: &mut Trial| t.head["kid"] = "gone".into(), "it is signed by key \"gone\", which ci.example.com does not have")]
#[case::no_key_where_there_are_several(|t: &mut Trial| t.head["kid"] = Value::Null, "it is signed by key \"\"")]
#[case::a_key_for_sealing(|t: &mut Trial| t.head["kid"] = "sealing".into(), "it is signed by key \"sealing\"")]
#[case::none(|t: &mut Trial| t.head["alg"] = "none".into(), "it is signed with \"none\"; allowed are RS256, ES256 and EdDSA")]
#[case::a_secret(|t: &mut Trial| t.head["alg"] = "HS256".into(), "it is signed with \"HS256\"")]
#[case::a_secret_that_is_a_public_key(|t: &mut Trial| { t.head["alg"] = "HS256".into(); t.head["kid"] = "secret".into(); },
    "it is signed with \"HS256\"")]
#[case::another_algorithm_than_the_keys(|t: &mut Trial| t.head["alg"] = "RS256".into(), "its signature is not that of ci.example.com")]
#[case::an_extension_that_is_not_known(|t: &mut Trial| t.head["crit"] = json!(["exp"]), "its head has `crit`")]
#[case::somebody_elses_signature(|t: &mut Trial| t.with = With::Stranger, "its signature is not that of ci.example.com")]
#[case::no_signature(|t: &mut Trial| t.text = |text| text.rsplit_once('.').unwrap().0.to_owned() + ".", "its signature is not that of")]
#[case::a_changed_body(|t: &mut Trial| t.text = |text| {
        let mut parts: Vec<String> = text.split('.').map(str::to_owned).collect();
        parts[1] = url(claims("tidegate").to_string().as_bytes());
        parts.join(".")
    }, "its signature is not that of")]
#[case::another_subject(|t: &mut Trial| t.claims["job_workflow_ref"] = "evil/checkout/.github/workflows/ci.yaml@refs/heads/main".into(),
    "ci.example.com signed it for \"evil/checkout/.github/workflows/ci.yaml@refs/heads/main\", whom no rule of ci.example.com trusts")]
#[case::no_subject(|t: &mut Trial| t.claims["job_workflow_ref"] = Value::Null, "it has no claim \"job_workflow_ref\"")]
#[case::a_subject_with_spaces(|t: &mut Trial| t.claims["job_workflow_ref"] = "acme/checkout/.github/workflows/ci (dana)".into(),
    "it has no claim \"job_workflow_ref\" that can be read")]
#[case::another_claim(|t: &mut Trial| t.claims["repository_id"] = 124.into(), "its claim repository_id is \"124\", wanted is \"123\"")]
#[case::another_namespace(|t: &mut Trial| t.namespace = "pay", "it is made out to")]
#[case::another_image(|t: &mut Trial| t.spec.revision = OTHER_DIGEST.to_owned(), "it is made out to")]
#[case::other_facts(|t: &mut Trial| t.spec.facts.clear(), "it is made out to")]
#[case::large(|t: &mut Trial| t.claims["more"] = "a".repeat(8192).into(), "is too large, at most 8192 are taken")]
#[case::two_parts(|t: &mut Trial| t.text = |_| "a.b".to_owned(), "a token has three parts")]
#[case::no_base64(|t: &mut Trial| t.text = |text| format!("={text}"), "the head of the token is not base64url")]
#[case::no_json(|t: &mut Trial| t.text = |_| "YQ.YQ.YQ".to_owned(), "the head of the token: expected value")]
#[case::empty(|t: &mut Trial| t.text = |_| String::new(), "a token has three parts")]
fn a_token_does_not_count(#[case] change: fn(&mut Trial), #[case] expected: &str) {
    let mut trial = Trial::new(json!({}));
    change(&mut trial);
    let why = trial.verify().unwrap_err().to_string();
    assert!(why.contains(expected), "{why}");
}

/// The words are signed, and the rules do not let the subject say them.
#[rstest]
#[case::type_of_another_rule(json!({"type": "sca"}), "may not attest sca; the admin adds it to trust.types")]
#[case::another_release(json!({"releaseRef": {"name": "cart"}}), "may not speak of release shop/cart; the admin adds it to trust.releases")]
#[case::an_approval(json!({"type": "approval", "role": "sre"}), "approval is said by people, whom the API server authenticates")]
#[case::a_start(json!({"type": "start"}), "start is said by people")]
fn a_rule_says_who_may_say_what(#[case] more: Value, #[case] expected: &str) {
    let why = Trial::new(more).verify().unwrap_err().to_string();
    assert!(why.contains(expected), "{why}");
}

#[test]
fn keys_that_are_not_known_yet_are_told() {
    let mut trial = Trial::new(json!({}));
    trial.issuers = trial.issuers.with_keys("ci.example.com", Err("answered 503".to_owned()));
    let why = trial.verify().unwrap_err().to_string();
    assert_eq!(why, "the keys of ci.example.com are not known: answered 503; Tidegate looks again");
}

#[test]
fn a_token_without_words_counts_for_its_commit() {
    assert_eq!(Trial::bare().verify().unwrap().by, format!("ci.example.com/{WORKFLOW}"));
}

#[rstest]
#[case::another_commit(|t: &mut Trial| t.claims["sha"] = "0a".repeat(20).into(),
    "it is for commit git:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a, and the attestation is about git:4f2c9e1a")]
#[case::an_abbreviated_one(|t: &mut Trial| { t.claims["sha"] = "4f2c9e1".into(); t.spec.revision = "git:4f2c9e1".to_owned(); },
    "it is for commit git:4f2c9e1, and the attestation is about git:4f2c9e1")]
#[case::an_image(|t: &mut Trial| t.spec.revision = DIGEST.to_owned(), "and the attestation is about sha256:")]
#[case::no_commit(|t: &mut Trial| t.claims["sha"] = Value::Null, "it has no claim \"sha\" that can be read; the admin names the claim")]
#[case::facts(|t: &mut Trial| drop(t.spec.facts.insert("change-author".to_owned(), "sam".to_owned())),
    "spec.facts of the attestation is there, signed is nothing, as the audience is \"tidegate\"")]
#[case::a_link(|t: &mut Trial| t.spec.link = Some("https://ci/1".to_owned()), "spec.link of the attestation is there")]
#[case::a_lapse(|t: &mut Trial| t.spec.expires_at = Some(t.taken), "spec.expiresAt of the attestation is there")]
fn it_counts_for_nothing_else(#[case] change: fn(&mut Trial), #[case] expected: &str) {
    let mut trial = Trial::bare();
    change(&mut trial);
    let why = trial.verify().unwrap_err().to_string();
    assert!(why.contains(expected), "{why}");
}

#[test]
fn it_does_not_count_where_the_admin_names_no_claim_of_the_commit() {
    let mut trial = Trial::bare();
    let mut text = super::sign::issuers();
    text["issuers"][0]["oidc"].as_object_mut().unwrap().remove("commit");
    trial.issuers = Issuers::parse(&text.to_string()).unwrap();
    let why = trial.verify().unwrap_err().to_string();
    assert!(
        why.starts_with("it is made out to \"tidegate\", wanted is \"tidegate/") && !why.contains(", or "),
        "{why}"
    );
}

#[test]
fn nor_does_one_that_signs_its_words() {
    let mut trial = Trial::new(json!({"revision": format!("git:{COMMIT}")}));
    let mut text = super::sign::issuers();
    text["issuers"][0]["oidc"].as_object_mut().unwrap().remove("commit");
    trial.issuers = Issuers::parse(&text.to_string()).unwrap();
    let why = trial.verify().unwrap_err().to_string();
    assert!(
        why.contains("ci.example.com counts for images alone") && why.ends_with("the admin writes oidc.commit"),
        "{why}"
    );
}

#[test]
fn signed_words_about_a_commit_are_of_the_commit_of_the_run() {
    let mut trial = Trial::new(json!({"revision": format!("git:{COMMIT}")}));
    trial.verify().unwrap();
    trial.claims["sha"] = "0a".repeat(20).into();
    assert!(matches!(trial.verify(), Err(Refusal::Commit { .. })));
}
