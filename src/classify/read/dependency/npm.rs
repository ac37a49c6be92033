//! npm, pnpm and Yarn.

use serde_json::{Map, Value};

use super::{Manifest, Written, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;

const SECTIONS: &[&str] = &["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"];
/// Another place or version for the dependencies of dependencies.
const OVERRIDES: &[&str] = &["overrides", "resolutions"];
/// What is not run.
const SAYS_NOTHING: &[&str] =
    &["version", "description", "keywords", "author", "contributors", "license", "homepage", "bugs", "repository"];

fn word(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub fn package_json(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Required, |text| {
        let mut fields: Map<String, Value> = serde_json::from_str(text).ok()?;
        let mut manifest = Manifest::default();
        for section in SECTIONS {
            let all = fields.remove(*section).unwrap_or_default();
            for (name, version) in all.as_object().into_iter().flatten() {
                let name = if *section == "dependencies" { name.clone() } else { format!("{name} ({section})") };
                manifest.add(name, word(Some(version)), "");
            }
        }
        for name in OVERRIDES {
            if let Some(all) = fields.remove(*name) {
                manifest.add(*name, "0", all.to_string());
            }
        }
        SAYS_NOTHING.iter().for_each(|key| drop(fields.remove(*key)));
        manifest.rest = Value::Object(fields).to_string();
        Some(manifest)
    })
}

/// Where a package comes from: the server's name, as every version has an address of its own.
fn server(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split(['/', '#']).next().unwrap_or_default().rsplit('@').next().unwrap_or_default().to_owned()
}

pub fn package_lock(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Exact, |text| {
        let value: Value = serde_json::from_str(text).ok()?;
        let mut manifest = Manifest::default();
        let packages = value.get("packages").and_then(Value::as_object);
        for (path, package) in packages.into_iter().flatten() {
            let Some((_, name)) = path.rsplit_once("node_modules/") else { continue };
            manifest.sum(name, word(package.get("version")), &word(package.get("integrity")));
            manifest.add(name, word(package.get("version")), server(&word(package.get("resolved"))));
        }
        if packages.is_none() {
            first_form(value.get("dependencies")?, &mut manifest);
        }
        Some(manifest)
    })
}

/// The form of npm 6 and earlier.
fn first_form(dependencies: &Value, manifest: &mut Manifest) {
    for (name, package) in dependencies.as_object().into_iter().flatten() {
        manifest.add(name, word(package.get("version")), server(&word(package.get("resolved"))));
        if let Some(below) = package.get("dependencies") {
            first_form(below, manifest);
        }
    }
}

pub fn pnpm_lock(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Exact, |text| {
        let value: Value = serde_saphyr::from_str(text).ok()?;
        let mut manifest = Manifest::default();
        for (key, package) in value.get("packages").and_then(Value::as_object).into_iter().flatten() {
            // `@scope/name@1.2.3(peer@4)`, in older files with / before it.
            let key = key.trim_start_matches('/').split('(').next().unwrap_or_default();
            let at = key.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at)?;
            let (name, version) = (&key[..at], &key[at + 1..]);
            // An address stands where a version should.
            let elsewhere = version.contains(['/', ':']);
            manifest.sum(
                name,
                version,
                &word(package.get("resolution").and_then(|resolution| resolution.get("integrity"))),
            );
            manifest.add(name, version, if elsewhere { server(version) } else { String::new() });
        }
        Some(manifest)
    })
}

pub fn yarn_lock(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Exact, |text| {
        let mut manifest = Manifest::default();
        let mut name: Option<String> = None;
        let mut version = String::new();
        for line in text.lines().chain([""]) {
            let field = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '));
            let key = |key: &str| {
                let rest = field?.strip_prefix(key)?;
                Some(rest.trim_start_matches(':').trim().trim_matches('"').to_owned())
            };
            if let Some(found) = key("version") {
                version = found;
            } else if let (Some(sum), Some(name)) = (key("integrity").or_else(|| key("checksum")), &name) {
                manifest.sum(name.clone(), version.clone(), &sum);
            } else if let (Some(address), Some(name)) = (key("resolved").or_else(|| key("resolution")), &name) {
                // The second form names `package@npm:1.2.3` instead of an address.
                let place = if address.contains("://") { server(&address) } else { String::new() };
                manifest.add(name.clone(), version.clone(), place);
            } else if !line.is_empty() && !line.starts_with([' ', '#']) {
                let first = line.split(',').next().unwrap_or_default().trim_end_matches(':').trim_matches('"');
                let at = first.char_indices().skip(1).find(|(_, c)| *c == '@').map_or(first.len(), |(at, _)| at);
                name = (first != "__metadata").then(|| first[..at].to_owned());
            }
        }
        (!manifest.packages.is_empty()).then_some(manifest)
    })
}
