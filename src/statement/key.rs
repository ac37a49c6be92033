//! Public keys, and whether a signature is theirs. The allowed algorithms are the members of [`Algorithm`]: what is not
//! there cannot be asked for, neither `none` nor a secret that both sides know.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// How many keys one issuer may have.
const KEYS_MAX: usize = 64;
/// The OIDs of the keys that are read, as PEM files name them.
const RSA: &str = "1.2.840.113549.1.1.1";
const EC: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
const ED25519: &str = "1.3.101.112";

/// How tokens may be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The algorithm of a name in the head of a token; none where it is not allowed.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// The numbers of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Numbers {
    /// Modulus and exponent, 2048 to 8192 bits.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// A point of P-256, uncompressed.
    P256(Vec<u8>),
    /// A point of Ed25519.
    Ed25519(Vec<u8>),
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    id: Option<String>,
    numbers: Numbers,
}

impl Key {
    /// The name by which tokens ask for it.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The first 12 hexadecimal digits of the SHA-256 of the key's numbers, to tell keys apart in messages.
    pub fn fingerprint(&self) -> String {
        let hash = match &self.numbers {
            Numbers::Rsa { n, e } => Sha256::new_with_prefix(n).chain_update(e).finalize(),
            Numbers::P256(point) | Numbers::Ed25519(point) => Sha256::digest(point),
        };
        hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether a signature of a token is this key's, made the way that the token says.
    pub(super) fn signed_token(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match (&self.numbers, algorithm) {
            (Numbers::Rsa { n, e }, Algorithm::Rs256) => rsa(n, e, message, signature),
            (Numbers::P256(point), Algorithm::Es256) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            (Numbers::Ed25519(point), Algorithm::EdDsa) => ed25519(point, message, signature),
            // A token does not choose how a key is used.
            (Numbers::Rsa { .. }, Algorithm::Es256 | Algorithm::EdDsa)
            | (Numbers::P256(_), Algorithm::Rs256 | Algorithm::EdDsa)
            | (Numbers::Ed25519(_), Algorithm::Rs256 | Algorithm::Es256) => false,
        }
    }

    /// Whether a signature of an envelope is this key's: the kind of key says how it was made, as cosign makes it.
    pub(super) fn signed_envelope(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.numbers {
            Numbers::Rsa { n, e } => rsa(n, e, message, signature),
            Numbers::P256(point) => {
                UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, point).verify(message, signature).is_ok()
            }
            Numbers::Ed25519(point) => ed25519(point, message, signature),
        }
    }

    /// The key of a PEM text `-----BEGIN PUBLIC KEY-----`: RSA from 2048 bits, P-256, or Ed25519.
    pub fn of_pem(text: &str) -> Result<Self, String> {
        let wanted = "wanted is a public key of RSA, P-256 or Ed25519 in PEM, as `cosign public-key` prints it";
        let (_, pem) =
            x509_parser::pem::parse_x509_pem(text.trim().as_bytes()).map_err(|why| format!("{why}; {wanted}"))?;
        if pem.label != "PUBLIC KEY" {
            return Err(format!("it is a {:?}; {wanted}", pem.label));
        }
        let (_, info) = SubjectPublicKeyInfo::from_der(&pem.contents).map_err(|why| format!("{why}; {wanted}"))?;
        let bits = info.subject_public_key.data.to_vec();
        let curve = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
        let numbers = match (info.algorithm.algorithm.to_id_string().as_str(), curve.as_deref()) {
            (EC, Some(P256)) => point(bits).map(Numbers::P256),
            (ED25519, _) => edwards(bits).map(Numbers::Ed25519),
            (RSA, _) => {
                if let Ok(PublicKey::RSA(key)) = info.parsed() {
                    modulus(key.modulus, key.exponent)
                } else {
                    None
                }
            }
            _ => None,
        };
        numbers.map(|numbers| Self { id: None, numbers }).ok_or_else(|| wanted.to_owned())
    }

    /// The key of a JWK; none where it is not for signatures of the allowed algorithms. Key sets hold others too.
    fn of_jwk(jwk: &Jwk) -> Option<Self> {
        let usable = jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
        let read = |part: &Option<String>| URL_SAFE_NO_PAD.decode(part.as_deref()?).ok();
        let (numbers, named) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => (modulus(&read(&jwk.n)?, &read(&jwk.e)?)?, Algorithm::Rs256),
            ("EC", Some("P-256")) => {
                let all = [vec![4], read(&jwk.x)?, read(&jwk.y)?].concat();
                (Numbers::P256(point(all)?), Algorithm::Es256)
            }
            ("OKP", Some("Ed25519")) => (Numbers::Ed25519(edwards(read(&jwk.x)?)?), Algorithm::EdDsa),
            _ => return None,
        };
        let fits = jwk.alg.as_deref().is_none_or(|alg| Algorithm::named(alg) == Some(named));
        (usable && fits).then(|| Self { id: jwk.kid.clone(), numbers })
    }
}

fn rsa(n: &[u8], e: &[u8], message: &[u8], signature: &[u8]) -> bool {
    RsaPublicKeyComponents { n, e }.verify(&signature::RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
}

fn ed25519(point: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&signature::ED25519, point).verify(message, signature).is_ok()
}

/// The numbers of an RSA key without leading zeros; none below 2048 bits.
fn modulus(n: &[u8], e: &[u8]) -> Option<Numbers> {
    let bare = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
    let (n, e) = (bare(n), bare(e));
    ((256..=1024).contains(&n.len()) && !e.is_empty()).then_some(Numbers::Rsa { n, e })
}

fn point(bits: Vec<u8>) -> Option<Vec<u8>> {
    (bits.len() == 65 && bits.first() == Some(&4)).then_some(bits)
}

fn edwards(bits: Vec<u8>) -> Option<Vec<u8>> {
    (bits.len() == 32).then_some(bits)
}

/// A key as RFC 7517 writes it.
#[derive(Debug, Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Debug, Deserialize)]
struct JwkSet {
    keys: Vec<serde_json::Value>,
}

/// The keys of one issuer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// Some keys.
    pub const fn new(keys: Vec<Key>) -> Self {
        Self(keys)
    }

    /// The usable keys of a JSON Web Key Set (RFC 7517); the error says why there is none.
    pub fn of_jwks(text: &str) -> Result<Self, String> {
        let wanted = "wanted is a JSON Web Key Set, such as {\"keys\": [{\"kty\": \"RSA\", …}]}";
        let set: JwkSet = serde_json::from_str(text).map_err(|why| format!("{why}; {wanted}"))?;
        if set.keys.len() > KEYS_MAX {
            return Err(format!("{} keys, at most {KEYS_MAX} are taken", set.keys.len()));
        }
        let jwks = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let keys: Vec<Key> = jwks.filter_map(|jwk| Key::of_jwk(&jwk)).collect();
        match keys.is_empty() {
            true => {
                Err(format!("no key in it is of RSA from 2048 bits, P-256 or Ed25519 and for signatures; {wanted}"))
            }
            false => Ok(Self(keys)),
        }
    }

    /// All of them.
    pub fn all(&self) -> &[Key] {
        &self.0
    }

    /// The key that a token asks for: by its name, or the only one where it names none.
    pub(super) fn asked(&self, id: Option<&str>) -> Option<&Key> {
        match (id, self.0.as_slice()) {
            (Some(id), all) => all.iter().find(|key| key.id() == Some(id)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}
