//! What somebody signed, read from a file for `tidegate attest --statement`.

use std::io::Read;
use std::path::Path;

use super::Failure;
use crate::api::attestation::{Statement, TOKEN_MAX};
use crate::statement::{Unsealed, compact, unsealed};

/// The largest file that is read, in bytes: an envelope with what tools write around it.
const FILE_MAX: u64 = 1024 * 1024;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signed {
    /// A token: what is said stands in the arguments.
    Token(String),
    /// An envelope, and what it says.
    Envelope(String, Box<Unsealed>),
}

impl Signed {
    /// As an attestation carries it.
    pub(super) fn statement(&self) -> Statement {
        match self {
            Self::Token(token) => Statement { token: Some(token.clone()), envelope: None },
            Self::Envelope(envelope, _) => Statement { token: None, envelope: Some(envelope.clone()) },
        }
    }
}

/// The statement in a file; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Signed, Failure> {
    let text = text(path).map_err(|why| format!("--statement {}: {why}", path.display()))?;
    of_text(&text).map_err(|why| format!("--statement {}: {why}", path.display()))
}

/// A file, or standard input, as far as such files are large.
pub(in crate::cli) fn text(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = match path.to_str() {
        Some("-") => std::io::stdin().lock().take(FILE_MAX).read_to_string(&mut text),
        Some(_) | None => std::fs::File::open(path).and_then(|file| file.take(FILE_MAX).read_to_string(&mut text)),
    };
    read.map(|_| text).map_err(|why| why.to_string())
}

fn of_text(text: &str) -> Result<Signed, Failure> {
    let text = text.trim();
    if text.starts_with('{') {
        let says = unsealed(text).map_err(|why| why.to_string())?;
        return Ok(Signed::Envelope(compact(text).map_err(|why| why.to_string())?, Box::new(says)));
    }
    if text.len() > TOKEN_MAX {
        return Err(format!("{} bytes are no token, at most {TOKEN_MAX} are taken", text.len()));
    }
    match text.split('.').count() == 3 && !text.contains(char::is_whitespace) {
        true => Ok(Signed::Token(text.to_owned())),
        false => Err(
            "wanted is a token of three parts with dots between them, or a DSSE envelope in JSON as `cosign attest` makes it"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::token("  aa.bb.cc\n", Ok(()))]
    #[case::two_parts("aa.bb", Err("wanted is a token of three parts"))]
    #[case::two_tokens("aa.bb.cc dd", Err("wanted is a token of three parts"))]
    #[case::large(&format!("a.b.{}", "c".repeat(TOKEN_MAX)), Err("are no token, at most 8192 are taken"))]
    #[case::other_json("{}", Err("wanted is a DSSE envelope in JSON"))]
    fn a_file_holds_a_token_or_an_envelope(#[case] text: &str, #[case] expected: Result<(), &str>) {
        match (of_text(text), expected) {
            (Ok(Signed::Token(token)), Ok(())) => assert_eq!(token, "aa.bb.cc"),
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{why}"),
            (answer, _) => panic!("{answer:?}"),
        }
    }

    #[test]
    fn a_bundle_is_carried_as_its_envelope() {
        use base64::Engine;
        let payload = serde_json::json!({
            "_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "web", "digest": {"sha256": "0a"}}],
            "predicateType": crate::statement::PREDICATE,
            "predicate": {"type": "sast", "at": "2026-01-02T10:00:00Z", "facts": {"findings": "0"}},
        });
        let payload = base64::engine::general_purpose::STANDARD.encode(payload.to_string());
        let envelope = serde_json::json!({
            "payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "aa"}],
        });
        let bundle = serde_json::json!({"mediaType": "m", "verificationMaterial": {}, "dsseEnvelope": envelope});
        let Ok(Signed::Envelope(text, says)) = of_text(&bundle.to_string()) else { panic!("no envelope") };
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), envelope);
        assert_eq!((says.kind.as_str(), says.about.as_slice()), ("sast", ["sha256:0a".to_owned()].as_slice()));
    }
}
