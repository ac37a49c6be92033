//! Keys, and what is signed with them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

use super::{WORKFLOW, seconds};
use crate::statement::PREDICATE;

pub const ISSUER: &str = "https://ci.example.com";

/// Which key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum With {
    Rsa,
    P256,
    Ed25519,
    /// One that nobody configured, under the name of the configured one.
    Stranger,
}

fn ed25519(with: With) -> Ed25519KeyPair {
    let seed = if with == With::Stranger { [8; 32] } else { [7; 32] };
    Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()
}

/// ring makes no RSA keys: this one was made for these tests alone.
fn rsa() -> RsaKeyPair {
    let (_, pem) = x509_parser::pem::parse_x509_pem(include_bytes!("rsa.pem")).unwrap();
    RsaKeyPair::from_pkcs8(&pem.contents).unwrap()
}

thread_local! {
    /// Made once a test.
    static P256: Vec<u8> =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap().as_ref().to_vec();
}

fn p256(how: &'static ring::signature::EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    P256.with(|key| EcdsaKeyPair::from_pkcs8(how, key, &SystemRandom::new()).unwrap())
}

pub fn url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn pem(head: &[u8], key: &[u8]) -> String {
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode([head, key].concat()))
}

/// The public keys in PEM, as the holder's configuration has them: P-256, Ed25519, RSA.
pub fn pems() -> [String; 3] {
    const P256: &[u8] =
        b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
    const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
    [
        pem(P256, p256(&ECDSA_P256_SHA256_FIXED_SIGNING).public_key().as_ref()),
        pem(ED25519, ed25519(With::Ed25519).public_key().as_ref()),
        include_str!("rsa.pub.pem").to_owned(),
    ]
}

/// The key set of the issuer, with keys that it cannot use for this.
pub fn jwks() -> Value {
    let RsaPublicKeyComponents::<Vec<u8>> { n, e } = rsa().public().into();
    let point = p256(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let (x, y) = point.public_key().as_ref()[1..].split_at(32);
    json!({"keys": [
        {"kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256", "n": url(&n), "e": url(&e)},
        {"kty": "EC", "kid": "p256", "crv": "P-256", "x": url(x), "y": url(y)},
        {"kty": "OKP", "kid": "ed25519", "crv": "Ed25519", "x": url(ed25519(With::Ed25519).public_key().as_ref())},
        {"kty": "oct", "kid": "secret", "k": url(b"a secret that both sides know")},
        {"kty": "RSA", "kid": "sealing", "use": "enc", "n": url(&n), "e": url(&e)},
        {"kty": "EC", "kid": "p384", "crv": "P-384", "x": url(&[1; 48]), "y": url(&[2; 48])},
    ]})
}

/// The configuration.
pub fn issuers() -> Value {
    json!({"issuers": [
        {
            "name": "ci.example.com",
            "oidc": {"issuer": ISSUER, "audience": "tidegate", "subject": "job_workflow_ref", "commit": "sha", "jwks": jwks()},
            "trust": [
                {"subjects": ["acme/checkout/.github/workflows/*"], "claims": {"repository_id": "123"},
                    "releases": ["shop/checkout"], "types": ["sast", "unit-tests"]},
                {"subjects": ["acme/platform/*"], "releases": ["shop/*"], "types": ["sca"]},
            ],
        },
        {"name": "release-key", "publicKeys": pems(), "commits": true, "trust": [{"releases": ["shop/checkout"], "types": ["sast", "unit-tests"]}]},
    ]})
}

/// What the token of a run says, made out to somebody.
pub fn claims(audience: &str) -> Value {
    json!({
        "iss": ISSUER, "aud": audience, "sub": "repo:acme/checkout:ref:refs/heads/main", "job_workflow_ref": WORKFLOW,
        "sha": super::COMMIT, "repository_id": 123, "iat": seconds(-60), "nbf": seconds(-60), "exp": seconds(240),
    })
}

/// A token.
pub fn token(head: &Value, claims: &Value, with: With) -> String {
    let message = format!("{}.{}", url(head.to_string().as_bytes()), url(claims.to_string().as_bytes()));
    let signature = match with {
        With::Rsa => rsa_signed(message.as_bytes()),
        With::P256 => {
            let key = p256(&ECDSA_P256_SHA256_FIXED_SIGNING);
            key.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec()
        }
        With::Ed25519 | With::Stranger => ed25519(with).sign(message.as_bytes()).as_ref().to_vec(),
    };
    format!("{message}.{}", url(&signature))
}

fn rsa_signed(message: &[u8]) -> Vec<u8> {
    let key = rsa();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    signature
}

/// A statement about an image.
pub fn statement() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "registry.example.com/checkout", "digest": {"sha256": super::DIGEST.trim_start_matches("sha256:")}}],
        "predicateType": PREDICATE,
        "predicate": {"type": "sast", "at": "2026-01-02T09:00:00Z", "facts": {"findings": "0"}},
    })
}

/// An envelope around a payload of a type.
pub fn envelope(kind: &str, statement: &Value, with: With) -> Value {
    let payload = statement.to_string();
    let message = crate::statement::envelope::message(kind, payload.as_bytes());
    let signature = match with {
        With::Rsa => rsa_signed(&message),
        With::P256 => {
            let key = p256(&ECDSA_P256_SHA256_ASN1_SIGNING);
            key.sign(&SystemRandom::new(), &message).unwrap().as_ref().to_vec()
        }
        With::Ed25519 | With::Stranger => ed25519(with).sign(&message).as_ref().to_vec(),
    };
    json!({
        "payloadType": kind, "payload": STANDARD.encode(payload),
        "signatures": [{"keyid": "", "sig": STANDARD.encode(signature)}],
    })
}
