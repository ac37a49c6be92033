//! Volumes, by name.

use serde_json::Value;

use super::list::text;
use super::{Difference, Matter, pairs, something};

pub(super) fn volumes(before: &Value, after: &Value, out: &mut Vec<Difference>) {
    let known = out.len();
    for (key, old, new) in pairs(before, after, |volume| text(volume, "name").to_owned()) {
        // Where the kind changes both matter: a scratch volume that becomes a secret, a path of the node that goes.
        let mut matters: Vec<Matter> = [old, new].into_iter().flatten().map(matter).collect();
        matters.dedup();
        for matter in matters {
            out.push(Difference {
                path: format!("spec.volumes[{key}]"),
                matter,
                part: None,
                before: old.map(described),
                after: new.map(described),
            });
        }
    }
    something(known, "spec.volumes", Matter::Volume, None, out);
}

/// The kind of a volume and its source.
fn source(volume: &Value) -> Option<(&str, &Value)> {
    let fields = volume.as_object()?;
    fields.iter().find(|(field, _)| *field != "name").map(|(kind, source)| (kind.as_str(), source))
}

/// What a volume is about.
pub(super) fn matter(volume: &Value) -> Matter {
    match source(volume) {
        Some(("secret", _)) => Matter::Secret,
        Some(("projected", source)) => {
            let sources = source.get("sources").and_then(Value::as_array).into_iter().flatten();
            let open = |one: &Value| one.get("configMap").is_some() || one.get("downwardAPI").is_some();
            if sources.into_iter().all(open) { Matter::Volume } else { Matter::Secret }
        }
        Some(("csi", source)) if text(source, "driver").contains("secret") => Matter::Secret,
        Some(("hostPath", _)) => Matter::HostAccess,
        Some(("configMap" | "downwardAPI" | "emptyDir", _)) | None => Matter::Volume,
        Some(_) => Matter::Storage,
    }
}

/// `secret db`, `hostPath /var/log`, `emptyDir`; never what else stands in it.
fn described(volume: &Value) -> String {
    let Some((kind, source)) = source(volume) else { return "emptyDir".to_owned() };
    let named = ["secretName", "name", "claimName", "path", "driver"].into_iter().map(|field| text(source, field));
    match named.into_iter().find(|name| !name.is_empty()) {
        Some(name) => format!("{kind} {name}"),
        None => kind.to_owned(),
    }
}
