//! OpenAPI 3 and Swagger 2.

use serde_json::{Map, Value};

use super::json::{describes, plain, schema};
use super::{Adding, Contract, Side, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;
use crate::policy::Category::Authorization;

const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// What OpenAPI describes that is no promise to callers.
const TOP_DESCRIBES: &[&str] = &["info", "tags", "externalDocs"];

/// Where a file that is no text counts as an API.
const FOLDERS: &[&str] = &["api", "apis", "specs"];

pub fn openapi(file: &ChangedFile) -> Vec<Seen> {
    let named = |part: &str| FIELDS.iter().any(|field| part.contains(field)) || FOLDERS.contains(&part);
    if file.texts().is_none() && !file.paths().any(|path| path.to_lowercase().split('/').any(named)) {
        return Vec::new();
    }
    let mut seen = compare(file, Side::Api, |text| {
        if !FIELDS.iter().any(|field| text.contains(field)) {
            return None;
        }
        match serde_saphyr::from_str::<Value>(text) {
            Ok(value) => is_openapi(&value).then(|| Ok(contract(&value))),
            // A file that says what it is and cannot be read is one all the same.
            Err(_) => FIELDS.iter().any(|field| says_so(text, field)).then(|| Err("it cannot be read".to_owned())),
        }
    });
    if seen.iter().any(|one| one.says.starts_with(SECURITY)) {
        seen.push(Seen::whole(Authorization, "who may call the API changed"));
    }
    seen
}

/// The fields by which a document says that it is one.
const FIELDS: &[&str] = &["openapi", "swagger"];

/// Whether one stands at the top, with a version: a chart's values may have such a field too.
fn is_openapi(value: &Value) -> bool {
    let version = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let known =
        |field: &&str| value.get(field).is_some_and(|value| version(value).starts_with(|c: char| c.is_ascii_digit()));
    FIELDS.iter().any(known)
}

/// Whether a text that cannot be read says so all the same: in YAML at the beginning of a line, in JSON with a version.
fn says_so(text: &str, field: &str) -> bool {
    let yaml = |line: &str| line.strip_prefix(field).is_some_and(|rest| rest.trim_start().starts_with(':'));
    let version = |rest: &str| {
        let value = rest.trim_start().strip_prefix(':').map(str::trim_start);
        value.is_some_and(|value| value.trim_start_matches('"').starts_with(|c: char| c.is_ascii_digit()))
    };
    text.lines().any(yaml) || text.split(&format!("\"{field}\"")).skip(1).any(version)
}

const SECURITY: &str = "security";

fn contract(value: &Value) -> Contract {
    let mut contract = Contract::default();
    for (field, value) in value.as_object().into_iter().flatten().filter(|(field, _)| !describes(field)) {
        match (field.as_str(), value) {
            (field, _) if TOP_DESCRIBES.contains(&field) => {}
            ("paths" | "webhooks", Value::Object(paths)) => {
                paths.iter().for_each(|(path, item)| path_item(&mut contract, path, item))
            }
            ("components", Value::Object(groups)) => {
                groups.iter().for_each(|(group, all)| component(&mut contract, group, all))
            }
            ("definitions", all) => component(&mut contract, "schemas", all),
            (SECURITY, value) => contract.add(
                SECURITY,
                None,
                Side::Api,
                value.to_string(),
                Adding::Breaks("callers must prove who they are"),
            ),
            // Another patch of the specification says the same.
            ("openapi" | "swagger", value) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let line: Vec<&str> = text.split('.').take(2).collect();
                contract.add("the version of OpenAPI", None, Side::Api, line.join("."), Adding::Compatible);
            }
            (other, value) => contract.add(
                other,
                None,
                Side::Api,
                plain(value).to_string(),
                Adding::Breaks("cannot tell what it does"),
            ),
        }
    }
    contract
}

fn component(contract: &mut Contract, group: &str, all: &Value) {
    for (name, value) in all.as_object().into_iter().flatten() {
        let name = format!("{group}/{name}");
        match group {
            "schemas" => schema(contract, &name, None, Side::Api, value, Adding::Compatible),
            "parameters" => parameter(contract, &name, None, value, Adding::Compatible),
            "responses" => response(contract, &name, None, value),
            "requestBodies" => body(contract, &name, None, value, Adding::Compatible),
            "examples" => {}
            // Security schemes, headers, links, callbacks: as a whole.
            _ => {
                let name = if group == "securitySchemes" { format!("{SECURITY} scheme {name}") } else { name };
                contract.add(name, None, Side::Api, plain(value).to_string(), Adding::Compatible);
            }
        }
    }
}

fn path_item(contract: &mut Contract, path: &str, item: &Value) {
    let mut rest = Map::new();
    contract.add(path, None, Side::Api, "", Adding::Endpoint);
    for (field, value) in item.as_object().into_iter().flatten().filter(|(field, _)| !describes(field)) {
        if METHODS.contains(&field.as_str()) {
            operation(contract, &format!("{} {path}", field.to_uppercase()), path, value);
        } else if field == "parameters" {
            parameters(contract, path, value);
        } else {
            rest.insert(field.clone(), plain(value));
        }
    }
    if !rest.is_empty() {
        contract.add(
            format!("{path} (fields of the path)"),
            Some(path),
            Side::Api,
            Value::Object(rest).to_string(),
            Adding::Breaks("cannot tell what they do"),
        );
    }
}

fn operation(contract: &mut Contract, name: &str, path: &str, value: &Value) {
    let mut rest = Map::new();
    // Where a path comes with its methods, each is an endpoint of the path.
    contract.add(name, Some(path), Side::Api, "", Adding::Endpoint);
    for (field, value) in value.as_object().into_iter().flatten().filter(|(field, _)| !describes(field)) {
        match field.as_str() {
            "parameters" => parameters(contract, name, value),
            "requestBody" => {
                let required = value.get("required") == Some(&Value::Bool(true));
                let adding = if required { Adding::Breaks("callers must send it") } else { Adding::Compatible };
                body(contract, &format!("{name} requestBody"), Some(name), value, adding);
            }
            "responses" => {
                for (code, value) in value.as_object().into_iter().flatten() {
                    response(contract, &format!("{name} → {code}"), Some(name), value);
                }
            }
            SECURITY => {
                let what = format!("{SECURITY} of {name}");
                contract.add(
                    what,
                    Some(name),
                    Side::Api,
                    value.to_string(),
                    Adding::Breaks("callers must prove who they are"),
                );
            }
            _ => {
                rest.insert(field.clone(), plain(value));
            }
        }
    }
    // operationId (a name in generated clients), servers, callbacks.
    let what = format!("{name} (its other fields)");
    contract.add(what, Some(name), Side::Api, Value::Object(rest).to_string(), Adding::Compatible);
}

fn parameters(contract: &mut Contract, owner: &str, all: &Value) {
    for value in all.as_array().into_iter().flatten() {
        let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        let name = match word("$ref") {
            "" => format!("{owner} parameter {} ({})", word("name"), word("in")),
            reference => format!("{owner} parameter {reference}"),
        };
        // Behind a reference it may be required.
        let required = value.get("required") == Some(&Value::Bool(true)) || !word("$ref").is_empty();
        let adding = if required { Adding::Breaks("callers must send it, or may have to") } else { Adding::Compatible };
        parameter(contract, &name, Some(owner), value, adding);
    }
}

fn parameter(contract: &mut Contract, name: &str, parent: Option<&str>, value: &Value, adding: Adding) {
    whole_and_schema(contract, name, parent, value, adding);
}

fn response(contract: &mut Contract, name: &str, parent: Option<&str>, value: &Value) {
    whole_and_schema(contract, name, parent, value, Adding::Compatible);
}

fn body(contract: &mut Contract, name: &str, parent: Option<&str>, value: &Value, adding: Adding) {
    whole_and_schema(contract, name, parent, value, adding);
}

/// An object with a schema of its own, or with one for each media type; the rest of it must stay as it is.
fn whole_and_schema(contract: &mut Contract, name: &str, parent: Option<&str>, value: &Value, adding: Adding) {
    let mut rest = value.as_object().cloned().unwrap_or_default();
    rest.retain(|field, _| !describes(field));
    let (own, content) = (rest.remove("schema"), rest.remove("content"));
    let shape: Map<String, Value> = rest.iter().map(|(field, value)| (field.clone(), plain(value))).collect();
    contract.add(name, parent, Side::Api, Value::Object(shape).to_string(), adding);
    if let Some(own) = own {
        schema(
            contract,
            &format!("{name} schema"),
            Some(name),
            Side::Api,
            &own,
            Adding::Breaks("what it may be was open"),
        );
    }
    for (media, value) in content.iter().filter_map(Value::as_object).flatten() {
        let media = format!("{name} as {media}");
        let mut rest = value.as_object().cloned().unwrap_or_default();
        rest.retain(|field, _| !describes(field));
        let own = rest.remove("schema");
        contract.add(&media, Some(name), Side::Api, plain(&Value::Object(rest)).to_string(), Adding::Compatible);
        if let Some(own) = own {
            schema(
                contract,
                &format!("{media} schema"),
                Some(&media),
                Side::Api,
                &own,
                Adding::Breaks("what it may be was open"),
            );
        }
    }
}
