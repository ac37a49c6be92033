//! Containers, by name.

use std::collections::BTreeSet;

use serde_json::Value;

use super::list::text;
use super::shown::{fields, shown};
use super::{Difference, Image, Matter, Part, leaves, pairs, something, volume};

/// What must be known of the pod to judge its containers.
pub(super) struct Pod<'a> {
    /// The containers that are the program itself, before and after.
    programs: [&'a str; 2],
    /// Volumes that hold secrets, before or after.
    secrets: BTreeSet<&'a str>,
}

impl<'a> Pod<'a> {
    pub(super) fn of(before: &'a Value, after: &'a Value) -> Self {
        let first = |spec: &'a Value| spec.pointer("/containers/0").map_or("", |container| text(container, "name"));
        let volumes = [before, after].into_iter().flat_map(|spec| spec.get("volumes")?.as_array());
        let secrets = volumes
            .flatten()
            .filter(|volume| volume::matter(volume) == Matter::Secret)
            .map(|volume| text(volume, "name"))
            .collect();
        Self { programs: [first(before), first(after)], secrets }
    }

    fn part(&self, list: &str, container: &Value) -> Part {
        let sidecar = text(container, "restartPolicy") == "Always";
        match list {
            "containers" if self.programs.contains(&text(container, "name")) => Part::Program,
            "initContainers" if !sidecar => Part::Init,
            _ => Part::Side,
        }
    }
}

fn name(item: &Value) -> String {
    text(item, "name").to_owned()
}

pub(super) fn containers(
    path: &str,
    list: &str,
    pod: &Pod<'_>,
    before: &Value,
    after: &Value,
    out: &mut Vec<Difference>,
) {
    let known = out.len();
    for (key, old, new) in pairs(before, after, name) {
        let path = format!("{path}[{key}]");
        let Some(either) = new.or(old) else { continue };
        let part = pod.part(list, either);
        if let (Some(old), Some(new)) = (old, new) {
            container(&path, part, pod, old, new, out);
            continue;
        }
        let image = |container: &Value| text(container, "image").to_owned();
        out.push(Difference {
            path: path.clone(),
            matter: Matter::Container,
            part: Some(part),
            before: old.map(image),
            after: new.map(image),
        });
        // What comes with a new container counts as well: its secrets, its rights.
        if let Some(new) = new {
            let mut own = new.clone();
            if let Some(fields) = own.as_object_mut() {
                fields.retain(|field, _| field != "image" && field != "name");
            }
            let mut within = Vec::new();
            container(&path, part, pod, &Value::Null, &own, &mut within);
            out.append(&mut within);
        }
    }
    something(known, path, Matter::Runtime, None, out);
}

/// The fields of a container that are compared leaf by leaf.
const CONTAINER: &[(Matter, &[&str])] = &[
    (Matter::Resources, &["resources", "resizePolicy"]),
    (Matter::Probe, &["livenessProbe", "readinessProbe", "startupProbe"]),
    (Matter::SecurityContext, &["securityContext"]),
    (Matter::Storage, &["volumeDevices"]),
    (Matter::Container, &["restartPolicy", "restartPolicyRules"]),
    (
        Matter::Runtime,
        &[
            "lifecycle",
            "imagePullPolicy",
            "terminationMessagePath",
            "terminationMessagePolicy",
            "stdin",
            "stdinOnce",
            "tty",
            "workingDir",
        ],
    ),
];

fn container(path: &str, part: Part, pod: &Pod<'_>, before: &Value, after: &Value, out: &mut Vec<Difference>) {
    let known = out.len();
    let script = [before, after].into_iter().any(runs_script);
    for (field, old, new) in fields(before, after) {
        let path = format!("{path}.{field}");
        match field {
            "image" => image(&path, part, old, new, out),
            "command" => flags(&path, Matter::Command, part, old, new, out),
            "args" => flags(&path, if script { Matter::Script } else { Matter::Args }, part, old, new, out),
            "env" => env(&path, part, old, new, out),
            "envFrom" => env_from(&path, part, old, new, out),
            "ports" => ports(&path, part, old, new, out),
            "volumeMounts" => mounts(&path, part, pod, old, new, out),
            _ => {
                let matter = CONTAINER.iter().find(|(_, fields)| fields.contains(&field)).map(|(matter, _)| *matter);
                leaves(&path, matter.unwrap_or(Matter::Unknown), Some(part), old, new, out);
            }
        }
    }
    if before.is_object() {
        something(known, path, Matter::Runtime, Some(part), out);
    }
}

fn image(path: &str, part: Part, before: &Value, after: &Value, out: &mut Vec<Difference>) {
    let known = out.len();
    let text = |value: &'_ Value| value.as_str().unwrap_or_default().to_owned();
    let (old, new) = (text(before), text(after));
    let (old, new) = (Image::of(&old), Image::of(&new));
    let parts = [
        (Matter::ImageSource, "registry", old.registry, new.registry),
        (Matter::ImageSource, "repository", old.repository, new.repository),
        (Matter::ImageTag, "tag", old.tag, new.tag),
        (Matter::ImageDigest, "digest", old.digest, new.digest),
    ];
    for (matter, what, old, new) in parts.into_iter().filter(|(_, _, old, new)| old != new) {
        let some = |text: &str| (!text.is_empty()).then(|| shown(&Value::from(text)));
        let path = format!("{path} {what}");
        out.push(Difference { path, matter, part: Some(part), before: some(old), after: some(new) });
    }
    // A reference that is written otherwise and has the same parts.
    something(known, path, Matter::ImageTag, Some(part), out);
}

/// Whether a container starts a shell: its arguments are then a program.
fn runs_script(container: &Value) -> bool {
    let words = ["command", "args"].into_iter().flat_map(|field| container.get(field)?.as_array()).flatten();
    words.filter_map(Value::as_str).any(|word| matches!(word, "-c" | "-ec" | "-lc" | "-exc" | "-euc" | "-euxc"))
}

/// Command lines: the flags that differ by name, never what follows them.
fn flags(path: &str, matter: Matter, part: Part, before: &Value, after: &Value, out: &mut Vec<Difference>) {
    let words = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|word| word.as_str().unwrap_or_default().to_owned()).collect()
    };
    let (old, new) = (words(before), words(after));
    let text = |value: &Value, own: &[String], other: &[String]| (!value.is_null()).then(|| summary(own, other));
    out.push(Difference {
        path: path.to_owned(),
        matter,
        part: Some(part),
        before: text(before, &old, &new),
        after: text(after, &new, &old),
    });
}

/// `2 words, of them --log-level`: how many, and the flags that the other side has not.
fn summary(own: &[String], other: &[String]) -> String {
    let changed = own.iter().filter(|word| word.starts_with('-') && !other.contains(word));
    let names: BTreeSet<&str> = changed.map(|word| word.split('=').next().unwrap_or_default()).collect();
    // A flag is short; what is longer, or more than a name, may be a value.
    let is_name =
        |name: &&str| name.len() <= 40 && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let names: Vec<&str> = names.into_iter().filter(is_name).take(5).collect();
    let count = match own.len() {
        1 => "1 word".to_owned(),
        many => format!("{many} words"),
    };
    if names.is_empty() { count } else { format!("{count}, of them {}", names.join(" ")) }
}

fn env(path: &str, part: Part, before: &Value, after: &Value, out: &mut Vec<Difference>) {
    let known = out.len();
    for (key, old, new) in pairs(before, after, name) {
        let secret = is_secret_name(&key) || [old, new].into_iter().flatten().any(refers_to_secret);
        out.push(Difference {
            path: format!("{path}[{key}]"),
            matter: if secret { Matter::Secret } else { Matter::Env },
            part: Some(part),
            before: old.map(source),
            after: new.map(source),
        });
    }
    something(known, path, Matter::Env, Some(part), out);
}

fn refers_to_secret(variable: &Value) -> bool {
    variable.pointer("/valueFrom/secretKeyRef").is_some()
}

/// Where a variable gets its value from; never the value.
fn source(variable: &Value) -> String {
    let key_of = |what: &str, from: &Value| format!("{what} {}, key {}", text(from, "name"), text(from, "key"));
    let from = variable.get("valueFrom").and_then(Value::as_object).and_then(|from| from.iter().next());
    match from {
        Some((kind, from)) if kind == "secretKeyRef" => key_of("secret", from),
        Some((kind, from)) if kind == "configMapKeyRef" => key_of("configmap", from),
        Some((kind, _)) => kind.clone(),
        None => "a value".to_owned(),
    }
}

/// Whether a variable is named like a secret: its value may be one.
fn is_secret_name(name: &str) -> bool {
    const WORDS: &[&str] = &[
        "PASSWORD",
        "PASSWD",
        "PWD",
        "PASS",
        "SECRET",
        "SECRETS",
        "TOKEN",
        "CREDENTIAL",
        "CREDENTIALS",
        "APIKEY",
        "CERT",
        "CERTIFICATE",
        "PRIVATE",
        "DSN",
    ];
    let upper = name.to_ascii_uppercase();
    let words: Vec<&str> = upper.split(['_', '-', '.']).collect();
    words.iter().any(|word| WORDS.contains(word)) || words.last() == Some(&"KEY")
}

fn env_from(path: &str, part: Part, before: &Value, after: &Value, out: &mut Vec<Difference>) {
    let known = out.len();
    let described: fn(&Value) -> String = |item| {
        let name_of = |field: &str| item.get(field).map(|from| text(from, "name").to_owned());
        match (name_of("secretRef"), name_of("configMapRef")) {
            (Some(name), _) => format!("secret {name}"),
            (None, Some(name)) => format!("configmap {name}"),
            (None, None) => "another source".to_owned(),
        }
    };
    for (key, old, new) in pairs(before, after, described) {
        out.push(Difference {
            path: format!("{path}[{key}]"),
            matter: if key.starts_with("configmap ") { Matter::Env } else { Matter::Secret },
            part: Some(part),
            before: old.map(|_| "all its keys".to_owned()),
            after: new.map(|_| "all its keys".to_owned()),
        });
    }
    let secrets = [before, after].into_iter().flat_map(|list| list.as_array()).flatten();
    let any_secret = secrets.into_iter().any(|item| item.get("configMapRef").is_none());
    something(known, path, if any_secret { Matter::Secret } else { Matter::Env }, Some(part), out);
}

fn ports(path: &str, part: Part, before: &Value, after: &Value, out: &mut Vec<Difference>) {
    let known = out.len();
    let number: fn(&Value) -> String = |port| {
        let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
        format!("{}/{protocol}", port.get("containerPort").unwrap_or(&Value::Null))
    };
    for (key, old, new) in pairs(before, after, number) {
        let on_node = |port: Option<&Value>| port.is_some_and(|port| port.get("hostPort").is_some());
        let described = |port: &Value| {
            let own = if text(port, "name").is_empty() {
                "a port".to_owned()
            } else {
                format!("port {}", text(port, "name"))
            };
            match port.get("hostPort") {
                Some(host) => format!("{own} on the node's {host}"),
                None => own,
            }
        };
        out.push(Difference {
            path: format!("{path}[{key}]"),
            matter: if on_node(old) || on_node(new) { Matter::HostNetwork } else { Matter::Port },
            part: Some(part),
            before: old.map(described),
            after: new.map(described),
        });
    }
    something(known, path, Matter::Port, Some(part), out);
}

fn mounts(path: &str, part: Part, pod: &Pod<'_>, before: &Value, after: &Value, out: &mut Vec<Difference>) {
    let known = out.len();
    for (key, old, new) in pairs(before, after, |mount| text(mount, "mountPath").to_owned()) {
        let secret = [old, new].into_iter().flatten().any(|mount| pod.secrets.contains(text(mount, "name")));
        let described = |mount: &Value| format!("volume {}", text(mount, "name"));
        out.push(Difference {
            path: format!("{path}[{key}]"),
            matter: if secret { Matter::Secret } else { Matter::Volume },
            part: Some(part),
            before: old.map(described),
            after: new.map(described),
        });
    }
    something(known, path, Matter::Volume, Some(part), out);
}
