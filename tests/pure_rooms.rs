//! The pure rooms do no I/O: what must never be named in them, and what to use instead.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Rooms that decide. They see values and answer with values.
const ROOMS: &[&str] = &["src/policy", "src/analysis", "src/classify", "src/release", "src/statement"];

/// Rooms that take values and give values, in the terms of Kubernetes: they may know its types and keep what they compiled.
const VALUE_ROOMS: &[&str] = &["src/admission", "src/cel"];

/// What such a room may name all the same.
const VALUE_ROOMS_MAY: &[&str] = &["k8s_openapi", "std::sync", "HashMap"];

/// What is compiled for tests alone and tries out what the room decides: it may count, remember, print and measure.
const TRIALS: &[&str] = &["src/release/model.rs", "src/release/model", "src/admission/tests", "src/statement/tests"];

/// A banned path, and what to use instead.
const BANNED: &[(&str, &str)] = &[
    ("kube::", "a plain value in the room's own type; `cluster` reads and writes"),
    ("k8s_openapi", "a plain value in the room's own type; `cluster` converts"),
    ("tokio", "a value: what to wait for is an answer, waiting is done by `controller`"),
    ("futures", "a value: what to wait for is an answer, waiting is done by `controller`"),
    ("reqwest", "`analysis::Evidence`; `prometheus` asks"),
    ("axum", "a value; `server` answers requests"),
    ("tracing", "a sentence in the answer; the caller logs it"),
    ("prometheus_client", "a figure in the answer; `server` exports it"),
    ("std::fs", "an argument; `cli` reads files"),
    ("std::io", "an argument or an answer; `cli` reads and prints"),
    ("std::net", "an argument, and `core::net` for an address; `prometheus`, `synthetic` and `cluster` talk to others"),
    ("std::process", "an argument; `cli` starts programs"),
    ("std::env", "an argument; `main` reads the environment"),
    ("std::thread", "a value: what to wait for is an answer"),
    ("std::sync", "an argument and an answer: a pure room keeps no state"),
    ("SystemTime", "the parameter `now`"),
    ("Instant", "the parameter `now`"),
    ("Timestamp::now", "the parameter `now`"),
    ("Zoned::now", "the parameter `now`"),
    ("rand", "nothing: the same facts give the same answer"),
    ("RandomState", "`BTreeMap`: the same facts give the same order"),
    ("HashMap", "`BTreeMap`: the same facts give the same order"),
    ("HashSet", "`BTreeSet`: the same facts give the same order"),
    ("println!", "a sentence in the answer; `cli` prints it"),
];

/// Every banned path that a source names, as `file:line: …, use …`. Comments are not looked at.
fn offences(file: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (banned, instead) in BANNED {
            if names(code, banned) {
                found.push(format!("{file}:{}: `{banned}` in a pure room; use {instead}", index + 1));
            }
        }
    }
    found
}

/// Whether code names a path, and not merely a longer word that contains it, such as `operand`.
fn names(code: &str, banned: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(banned).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + banned.len()..].chars().next();
        let open_end = !banned.ends_with(word);
        !before.is_some_and(word) && (open_end || !after.is_some_and(word))
    })
}

fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(sources(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}

#[test]
fn pure_rooms_name_no_io_no_clock_and_no_chance() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for room in ROOMS.iter().chain(VALUE_ROOMS) {
        let files = sources(&root.join(room))?;
        assert!(!files.is_empty(), "{room} holds no source: correct ROOMS in this test");
        for path in files {
            let source = fs::read_to_string(&path)?;
            let name = path.strip_prefix(root).unwrap_or(&path);
            if TRIALS.iter().any(|trial| name.starts_with(trial)) {
                continue;
            }
            let name = name.display().to_string();
            let may: &[&str] = if VALUE_ROOMS.contains(room) { VALUE_ROOMS_MAY } else { &[] };
            let allowed = |offence: &String| may.iter().any(|name| offence.contains(&format!(": `{name}` in")));
            found.extend(offences(&name, &source).into_iter().filter(|offence| !allowed(offence)));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    Ok(())
}

#[test]
fn each_banned_path_is_caught_with_place_and_remedy() {
    for (banned, instead) in BANNED {
        let caught = offences("src/policy/sample.rs", &format!("fn fine() {{}}\n    let x = {banned}(now);\n"));
        let expected = format!("src/policy/sample.rs:2: `{banned}` in a pure room; use {instead}");
        assert!(caught.contains(&expected), "{banned}: {caught:?}");
    }
}

#[test]
fn imports_in_the_usual_ways_are_caught() {
    for line in ["use kube::Client;", "use std::time::{Duration, SystemTime};", "let t = std::time::Instant::now();"] {
        assert_eq!(offences("x.rs", line).len(), 1, "{line}");
    }
    assert_eq!(offences("x.rs", "let now = jiff::Timestamp::now(); let dice = rand::random();").len(), 2);
}

#[test]
fn what_is_no_offence() {
    for line in
        ["// kube::Client is named in a comment", "let operand = brand(1);", "/// see [`tokio`]", "let kubelet = 1;"]
    {
        assert_eq!(offences("x.rs", line), Vec::<String>::new(), "{line}");
    }
}
