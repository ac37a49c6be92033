//! `tidegate verify-statement`: whether a signed statement would count, without a cluster.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::claim::statement::text;
use super::{Failure, say};
use crate::api::attestation::Statement;
use crate::api::{Attestation, AttestationSpec, Time};
use crate::issuers::{Https, load, looked};
use crate::statement::{Issuers, verify};

const EXAMPLES: &str = "\
FILE is the manifest of an Attestation, as `tidegate attest … --statement FILE --output yaml` prints it or `kubectl get
attestation NAME -o yaml` shows it; - is standard input. It is judged by the moment at which the API server took it, and
by now where it has not. The keys of issuers that publish them are fetched.

Examples:
  tidegate verify-statement attestation.yaml --issuers issuers.yaml
  kubectl get attestation web-sast-x7k2p -n shop -o yaml | tidegate verify-statement - --issuers issuers.yaml

Exit codes: 0 it counts; 1 it does not, or cannot be read; 2 wrong arguments.";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The manifest of an Attestation.
    file: PathBuf,
    /// The file of issuers, as the controller reads it: the chart's value evidence.issuers under the key `issuers`.
    #[arg(long, value_name = "FILE")]
    issuers: PathBuf,
    /// The namespace, where the manifest names none.
    #[arg(short, long)]
    namespace: Option<String>,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let brought = brought(&args.file, args.namespace.as_deref())?;
    let (issuers, _) = looked(&load(&args.issuers)?, &Https::new()?).await;
    let (answer, counts) = told(&brought, &issuers, jiff::Timestamp::now().into());
    say(&answer)?;
    Ok(if counts { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An attestation with a statement.
#[derive(Debug)]
struct Brought {
    namespace: String,
    spec: AttestationSpec,
    statement: Statement,
    /// When the API server took it, where it has.
    taken: Option<Time>,
}

fn brought(file: &Path, namespace: Option<&str>) -> Result<Brought, Failure> {
    let place = file.display();
    let text = text(file).map_err(|why| format!("{place}: {why}"))?;
    of_manifest(&text, namespace).map_err(|why| format!("{place}: {why}"))
}

fn of_manifest(text: &str, namespace: Option<&str>) -> Result<Brought, Failure> {
    // What cannot be read is not repeated: it may be a token, and this a log.
    let wanted = "wanted is the manifest of an Attestation: tidegate attest … --statement FILE --output yaml";
    let mut value: serde_json::Value = match serde_saphyr::from_str(text) {
        Ok(value @ serde_json::Value::Object(_)) => value,
        Ok(_) | Err(_) => return Err(wanted.to_owned()),
    };
    // Whoever applies it is its author, and is written then.
    if let Some(spec) = value.get_mut("spec").and_then(serde_json::Value::as_object_mut) {
        spec.entry("author").or_insert_with(|| "whoever applies it".into());
    }
    let object: Attestation = serde_json::from_value(value).map_err(|why| format!("{why}; {wanted}"))?;
    let Some(statement) = object.spec.statement.clone() else {
        return Err(
            "spec.statement is missing: nothing in it is signed, its author counts (docs/approvals.md)".to_owned()
        );
    };
    let Some(namespace) = object.metadata.namespace.as_deref().or(namespace) else {
        return Err("metadata.namespace is missing, and who signs says which it is; add --namespace".to_owned());
    };
    let taken = object.metadata.creation_timestamp.map(|at| Time(at.0));
    Ok(Brought { namespace: namespace.to_owned(), spec: object.spec, statement, taken })
}

/// What the controller would say, and whether it counts.
fn told(brought: &Brought, issuers: &Issuers, now: Time) -> (String, bool) {
    let Brought { namespace, spec, statement, taken } = brought;
    let what = format!("{namespace}/{}: {} for {}", spec.release_ref.name, spec.kind, spec.revision);
    let outcome = format!("{:?}", spec.outcome).to_lowercase();
    match verify(issuers, namespace, spec, statement, taken.unwrap_or(now)) {
        Ok(signed) => (format!("{what}: counts as {outcome}, signed by {} ({})\n", signed.by, signed.at.clock()), true),
        Err(why) => (format!("{what}: does not count: {why}\n"), false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::Words;
    use crate::statement::tests::sign::{self, With};
    use rstest::rstest;
    use serde_json::json;

    const MANIFEST: &str = "
apiVersion: tidegate.io/v1alpha1
kind: Attestation
metadata: {name: checkout-sast, namespace: shop}
spec:
  releaseRef: {name: checkout}
  revision: sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
  type: sast
  outcome: Failed
  statement: {token: TOKEN}
";

    fn judged(taken: &str) -> (String, bool) {
        let words = of_manifest(MANIFEST, None).unwrap();
        let audience = Words::of(&words.namespace, &words.spec).audience("tidegate").unwrap();
        let head = json!({"alg": "ES256", "kid": "p256"});
        let token = sign::token(&head, &sign::claims(&audience), With::P256);
        let brought = of_manifest(&MANIFEST.replace("TOKEN", &token), None).unwrap();
        let issuers = Issuers::parse(&sign::issuers().to_string()).unwrap();
        told(&brought, &issuers, Time(taken.parse().unwrap()))
    }

    #[test]
    fn what_counts_is_told_with_who_signed_it() {
        let (said, counts) = judged("2026-01-02T10:00:00Z");
        assert!(counts);
        insta::assert_snapshot!(said, @"shop/checkout: sast for sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a: counts as failed, signed by ci.example.com/acme/checkout/.github/workflows/ci.yaml@refs/heads/main (2 Jan 09:59:00 UTC)");
    }

    #[test]
    fn what_does_not_is_told_with_the_remedy() {
        let (said, counts) = judged("2026-01-02T11:00:00Z");
        assert!(!counts);
        insta::assert_snapshot!(said, @"shop/checkout: sast for sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a: does not count: it expired 2 Jan 10:04:00 UTC, and the API server took it 2 Jan 11:00:00 UTC; a token is brought within its lifetime: ask for another and apply it at once");
    }

    #[test]
    fn what_the_api_server_took_is_judged_by_when_it_did() {
        let made = MANIFEST.replace("namespace: shop", "namespace: shop, creationTimestamp: '2026-01-02T10:00:00Z'");
        let taken = of_manifest(&made, None).unwrap().taken;
        assert_eq!(taken, Some(Time("2026-01-02T10:00:00Z".parse().unwrap())));
    }

    #[rstest]
    #[case::a_token("a.b.c", "wanted is the manifest of an Attestation: tidegate attest")]
    #[case::unsigned(&MANIFEST.replace("  statement: {token: TOKEN}\n", ""), "spec.statement is missing: nothing in it is signed")]
    #[case::no_namespace(&MANIFEST.replace(", namespace: shop", ""), "metadata.namespace is missing, and who signs says which it is; add --namespace")]
    fn another_file_is_refused(#[case] text: &str, #[case] expected: &str) {
        let why = of_manifest(text, None).unwrap_err();
        assert!(why.contains(expected), "{why}");
    }
}
