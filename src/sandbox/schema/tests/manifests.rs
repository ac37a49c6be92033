//! The manifests that are tried on a real API server too, with the answers that it gives.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sandbox::schema::Schemas;

fn manifests(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/tidegate/ci").join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// What an API server would answer at a creation with strict field validation.
fn errors(schemas: &Schemas, text: &str) -> Vec<String> {
    let mut object: Value = serde_saphyr::from_str(text).unwrap();
    let kind = object["kind"].as_str().unwrap().to_owned();
    let unknown = schemas.unknown_fields("tidegate.io", &kind, &object);
    if !unknown.is_empty() {
        return unknown.iter().map(|field| format!("unknown field \"{field}\"")).collect();
    }
    schemas.default_and_prune("tidegate.io", &kind, &mut object);
    let errors = schemas.validate("tidegate.io", &kind, &object, None);
    errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect()
}

#[test]
fn valid_manifests_are_valid() {
    let schemas = Schemas::tidegate().unwrap();
    for path in manifests("valid") {
        assert_eq!(errors(&schemas, &fs::read_to_string(&path).unwrap()), [""; 0], "{}", path.display());
    }
}

#[test]
fn invalid_manifests_are_refused_with_one_error_that_names_the_field() {
    let schemas = Schemas::tidegate().unwrap();
    for path in manifests("invalid") {
        // A matter of admission, not of the schema.
        if path.ends_with("attestation-author.yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let errors = errors(&schemas, &text);
        let told = errors.join("\n");
        for expected in text.lines().filter_map(|line| line.strip_prefix("# expect: ")) {
            assert!(told.contains(expected.trim()), "{}: expected {expected:?}, got: {told}", path.display());
        }
        let own = errors.iter().filter(|error| !error.contains("some validation rules were not checked"));
        assert_eq!(own.count(), 1, "{}: {told}", path.display());
    }
}

/// How long it takes: `cargo test --profile e2e sandbox::schema -- --ignored --nocapture`.
#[test]
#[ignore = "prints a figure"]
fn speed() {
    let schemas = Schemas::tidegate().unwrap();
    for name in ["gatedrelease-everything.yaml", "riskbudget-everything.yaml"] {
        let path = manifests("valid").into_iter().find(|path| path.ends_with(name)).unwrap();
        let mut object: Value = serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let kind = object["kind"].as_str().unwrap().to_owned();
        schemas.default_and_prune("tidegate.io", &kind, &mut object);
        for (what, old) in [("created", None), ("updated without a change", Some(&object))] {
            let start = std::time::Instant::now();
            for _ in 0..1000 {
                assert!(schemas.validate("tidegate.io", &kind, &object, old).is_empty());
            }
            println!("{name} {what}: {:.1} µs", start.elapsed().as_secs_f64() * 1000.0);
        }
    }
}
