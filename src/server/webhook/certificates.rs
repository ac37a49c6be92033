//! Certificates, made and read.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde_json::{Value, json};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::rotation::{AUTHORITY_LIFE, CERTIFICATE_LIFE, Due, SET_BACK, Seen, Serving, Signer, Validity};
use crate::api::{Span, Time};

const AUTHORITY: [&str; 2] = ["ca.crt", "ca.key"];
const FORMER: &str = "ca-former.crt";
const SERVING: [&str; 2] = ["tls.crt", "tls.key"];

/// A certificate and its private key, both as PEM, known to belong together.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    certificate: String,
    key: String,
}

impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key is nobody's business.
        f.debug_struct("Pair").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// What the Secret holds. What is missing in it, or cannot be read, is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    authority: Option<Pair>,
    former: Option<String>,
    serving: Option<Pair>,
}

impl Held {
    /// Reads a Secret.
    pub fn read(secret: &Secret) -> Self {
        let text = |key: &str| String::from_utf8(secret.data.as_ref()?.get(key)?.0.clone()).ok();
        let pair = |[certificate, key]: [&str; 2]| Pair::read(text(certificate)?, text(key)?);
        Self {
            authority: pair(AUTHORITY),
            former: text(FORMER).filter(|pem| der(pem).is_some()),
            serving: pair(SERVING),
        }
    }

    /// `data` of the Secret, as a merge patch: what is not there is removed.
    pub fn data(&self) -> Value {
        let bytes = |pem: Option<&String>| pem.map(|pem| ByteString(pem.clone().into_bytes()));
        json!({
            AUTHORITY[0]: bytes(self.authority.as_ref().map(|pair| &pair.certificate)),
            AUTHORITY[1]: bytes(self.authority.as_ref().map(|pair| &pair.key)),
            FORMER: bytes(self.former.as_ref()),
            SERVING[0]: bytes(self.serving.as_ref().map(|pair| &pair.certificate)),
            SERVING[1]: bytes(self.serving.as_ref().map(|pair| &pair.key)),
        })
    }

    /// The authority's certificate, as PEM.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_ref().map(|pair| pair.certificate.as_str())
    }

    /// What the API server is to trust, as PEM: the authority, then the former one.
    pub fn bundle(&self) -> String {
        self.authority().into_iter().chain(self.former.as_deref()).collect()
    }

    /// What is served, in the form that TLS wants it.
    pub fn certified(&self) -> Option<CertifiedKey> {
        let pair = self.serving.as_ref()?;
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).ok()?;
        let key = rustls::crypto::ring::sign::any_supported_type(&key).ok()?;
        Some(CertifiedKey::new(vec![der(&pair.certificate)?], key))
    }

    /// What the decision needs of it. `names` are those by which the API server calls.
    pub fn seen(&self, names: &[String], trusted_for: Option<Span>) -> Seen {
        let authority = self.authority().and_then(der);
        let former = self.former.as_deref().and_then(der);
        let serving = self.serving.as_ref().and_then(|pair| der(&pair.certificate)).and_then(|certificate| {
            let certificate = parse(&certificate)?;
            let signed_by = |issuer: &Option<CertificateDer<'_>>| {
                let issuer = issuer.as_ref().and_then(parse);
                issuer.is_some_and(|issuer| certificate.verify_signature(Some(issuer.public_key())).is_ok())
            };
            let signer = match (signed_by(&authority), signed_by(&former)) {
                (true, _) => Signer::Authority,
                (false, true) => Signer::Former,
                (false, false) => Signer::Stranger,
            };
            Some(Serving { validity: validity(&certificate), signer, names_fit: has_names(&certificate, names) })
        });
        let good = |der: &Option<CertificateDer<'_>>| der.as_ref().and_then(parse).map(|one| validity(&one));
        Seen { authority: good(&authority), former: good(&former), serving, trusted_for }
    }

    /// Does what is due. `names` are those by which the API server calls.
    pub fn renewed(mut self, due: Due, names: &[String], now: Time) -> Result<Self, String> {
        match due {
            Due::Nothing => {}
            Due::Authority => {
                let new = new_authority(now).map_err(|why| format!("a new authority: {why}"))?;
                self.former = self.authority.replace(new).map(|pair| pair.certificate);
            }
            Due::Certificate => {
                let authority = self.authority.as_ref().ok_or("a certificate without an authority")?;
                let new = new_serving(authority, names, now);
                self.serving = Some(new.map_err(|why| format!("a new certificate: {why}"))?);
            }
            Due::Forget => self.former = None,
        }
        Ok(self)
    }
}

impl Pair {
    /// None where one of them cannot be read, or they do not belong together.
    fn read(certificate: String, key: String) -> Option<Self> {
        let public = KeyPair::from_pem(&key).ok()?.subject_public_key_info();
        let der = der(&certificate)?;
        (parse(&der)?.public_key().raw == public).then_some(Self { certificate, key })
    }
}

fn new_authority(now: Time) -> Result<Pair, rcgen::Error> {
    let mut params = CertificateParams::default();
    // Each generation has a name of its own, so that a verifier never takes one for another.
    params.distinguished_name.push(DnType::CommonName, format!("Tidegate webhook authority {now}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    good_for(&mut params, AUTHORITY_LIFE, now);
    let key = KeyPair::generate()?;
    Ok(Pair { certificate: params.self_signed(&key)?.pem(), key: key.serialize_pem() })
}

fn new_serving(authority: &Pair, names: &[String], now: Time) -> Result<Pair, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "Tidegate webhook");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    good_for(&mut params, CERTIFICATE_LIFE, now);
    let issuer = Issuer::from_ca_cert_pem(&authority.certificate, KeyPair::from_pem(&authority.key)?)?;
    let key = KeyPair::generate()?;
    Ok(Pair { certificate: params.signed_by(&key, &issuer)?.pem(), key: key.serialize_pem() })
}

fn good_for(params: &mut CertificateParams, life: Span, now: Time) {
    let at = |moment: jiff::Timestamp| {
        time::OffsetDateTime::from_unix_timestamp(moment.as_second()).unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
    };
    params.not_before = at(now.0.saturating_sub(SET_BACK.as_signed()).unwrap_or(now.0));
    params.not_after = at(now.plus(life).0);
}

fn der(pem: &str) -> Option<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(pem.as_bytes()).ok()
}

fn parse<'a>(der: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate)
}

fn validity(certificate: &X509Certificate<'_>) -> Validity {
    let at = |seconds: i64| Time(jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH));
    let given = certificate.validity();
    Validity { from: at(given.not_before.timestamp()), until: at(given.not_after.timestamp()) }
}

fn has_names(certificate: &X509Certificate<'_>, names: &[String]) -> bool {
    let Ok(Some(given)) = certificate.subject_alternative_name() else { return false };
    let has = |wanted: &String| {
        given.value.general_names.iter().any(|name| matches!(name, GeneralName::DNSName(name) if name == wanted))
    };
    names.iter().all(has)
}
