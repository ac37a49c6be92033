//! The facts of evidence: read from arguments and files, checked before they are sent.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::Failure;
use crate::policy::evidence::Evidence;

/// How many facts an attestation may have.
const FACTS_MAX: usize = 32;

/// `k=v`, where the value may hold further equals signs.
pub(super) fn one(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        Some(_) | None => Err("a fact is written KEY=VALUE, such as passed=412".to_owned()),
    }
}

/// The facts of a file: one YAML mapping of names to texts, numbers or booleans; a list is joined line by line.
pub(super) fn of_file(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|why| format!("--facts-file {place}: {why}"))?;
    read(&text).map_err(|why| format!("--facts-file {place}: {why}"))
}

fn read(text: &str) -> Result<BTreeMap<String, String>, String> {
    let value: Value = serde_saphyr::from_str(text).map_err(|why| why.to_string())?;
    let Value::Object(map) = value else {
        return Err("wanted is a mapping of names to texts, such as `rollout: canary`".to_owned());
    };
    map.into_iter()
        .map(|(key, value)| Ok((key.clone(), flat(&value).map_err(|why| format!("{key}: {why}"))?)))
        .collect()
}

fn flat(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Null => Ok(String::new()),
        Value::Array(all) => Ok(all.iter().map(flat).collect::<Result<Vec<_>, _>>()?.join("\n")),
        Value::Object(_) => Err("is a mapping, wanted is a text: a fact has no fields of its own".to_owned()),
    }
}

/// Refuses facts with which a document would count as incomplete. One that failed needs none.
pub(super) fn check(evidence: &Evidence, facts: &BTreeMap<String, String>, passed: bool) -> Result<(), Failure> {
    if facts.len() > FACTS_MAX {
        return Err(format!(
            "{} facts: an attestation has at most {FACTS_MAX}; put the rest behind --link",
            facts.len()
        ));
    }
    let problems = match evidence.document {
        Some(document) if passed => document.problems(facts),
        Some(_) | None => Vec::new(),
    };
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "--type {}: {}. A form to fill in: tidegate attest --type {} --fields > facts.yaml, then --facts-file facts.yaml",
        evidence.name,
        problems.join("; "),
        evidence.name
    ))
}

/// A form to fill in: each fact, with what belongs into it, as YAML.
pub(super) fn form(evidence: &Evidence) -> String {
    let mut out = format!("# {}: {} ({})\n", evidence.name, evidence.says, evidence.source);
    for fact in evidence.facts() {
        out.push_str(&format!("# {}\n", fact.says));
        let choice =
            evidence.document.and_then(|document| document.field(fact.key)).and_then(|field| field.check.words());
        if let Some(words) = choice {
            out.push_str(&format!("# one of {}\n", words.join(", ")));
        }
        let comment = if fact.required { "" } else { "# " };
        out.push_str(&format!("{comment}{}: \"\"\n", fact.key));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("passed=412", Ok(("passed", "412")))]
    #[case("query=a=b", Ok(("query", "a=b")))]
    #[case("note=", Ok(("note", "")))]
    #[case("passed", Err("KEY=VALUE"))]
    #[case("=1", Err("KEY=VALUE"))]
    fn a_fact_is_a_key_and_a_value(#[case] text: &str, #[case] expected: Result<(&str, &str), &str>) {
        match (one(text), expected) {
            (Ok((key, value)), Ok(expected)) => assert_eq!((key.as_str(), value.as_str()), expected),
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{why}"),
            (answer, _) => panic!("{answer:?}"),
        }
    }

    #[rstest]
    #[case::texts("rollout: canary\nchange: [a, b]\npassed: 412\nok: true\n", Ok(vec![("change", "a\nb"), ("ok", "true"), ("passed", "412"), ("rollout", "canary")]))]
    #[case::no_mapping("- a\n", Err("wanted is a mapping"))]
    #[case::deeper("owners: {lead: dana}\n", Err("owners: is a mapping"))]
    fn a_file_is_a_flat_mapping(#[case] text: &str, #[case] expected: Result<Vec<(&str, &str)>, &str>) {
        match (read(text), expected) {
            (Ok(facts), Ok(expected)) => {
                let facts: Vec<_> = facts.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                assert_eq!(facts, expected);
            }
            (Err(why), Err(expected)) => assert!(why.contains(expected), "{why}"),
            (answer, _) => panic!("{answer:?}"),
        }
    }

    #[test]
    fn a_document_names_every_field_that_is_wrong() {
        let plan = Evidence::named("migration-plan").unwrap();
        let facts =
            [("migration-type", "risky"), ("backfill", "none")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        let why = check(&plan, &facts, true).unwrap_err();
        insta::assert_snapshot!(why, @r#"--type migration-plan: facts.migration-type is "risky", wanted is one of additive, expand-contract, breaking; facts.validation is missing (Validation checks (row counts, invariants)); facts.rollback is missing (Rollback strategy (including data implications)). A form to fill in: tidegate attest --type migration-plan --fields > facts.yaml, then --facts-file facts.yaml"#);
        check(&plan, &facts, false).unwrap();
    }

    #[test]
    fn too_many_facts_are_refused() {
        let facts = (0..33).map(|i| (i.to_string(), String::new())).collect();
        assert!(check(&Evidence::named("sast").unwrap(), &facts, true).unwrap_err().starts_with("33 facts"));
    }

    #[test]
    fn a_form_that_is_filled_in_is_complete() {
        for evidence in crate::policy::evidence::all().into_values() {
            let form = form(&evidence);
            let mut facts = read(&form).unwrap_or_default();
            for (key, value) in &mut facts {
                let field = evidence.document.and_then(|document| document.field(key)).unwrap();
                *value = field.check.words().map_or_else(|| "1 of them".to_owned(), |words| words[0].to_owned());
            }
            check(&evidence, &facts, true).unwrap();
        }
    }
}
