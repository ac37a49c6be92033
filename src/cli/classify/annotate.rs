//! Writes annotations into a manifest line by line, so that comments and layout stay.
//!
//! What comes out is read again and compared with what was wanted: a manifest that is written in a way that is not
//! understood here is refused, never damaged.

use serde_json::{Map, Value};

/// The name of an annotation, and its value; None takes it away.
pub type Annotation = (&'static str, Option<String>);

/// The manifest with the annotations of one Deployment or StatefulSet set, or why it cannot be done.
pub fn annotate(text: &str, name: Option<&str>, annotations: &[Annotation]) -> Result<String, String> {
    let mut documents = split(text);
    let read = |document: &str| serde_saphyr::from_str::<Value>(document).ok();
    let known: Vec<(usize, String, Value)> = documents
        .iter()
        .enumerate()
        .filter_map(|(index, document)| {
            let value = read(document).filter(is_workload)?;
            let own = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
            Some((index, own, value))
        })
        .collect();
    let mut meant = known.iter().filter(|(_, own, _)| name.is_none_or(|name| name == own));
    let (index, _, before) = match (meant.next(), meant.next()) {
        (Some(one), None) => one,
        (None, _) if text.contains("{{") => {
            return Err("a template is no manifest; put the annotations where its values come from, or annotate what it renders to".to_owned());
        }
        (None, _) => {
            let others: Vec<&str> = known.iter().map(|(_, own, _)| own.as_str()).collect();
            let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
            let wanted = name.map(|name| format!(" {name:?}")).unwrap_or_default();
            return Err(format!("there is no Deployment or StatefulSet{wanted} in it; there is: {others}"));
        }
        (Some(_), Some(_)) => {
            let names: Vec<&str> = known.iter().map(|(_, own, _)| own.as_str()).collect();
            return Err(format!("there are several workloads in it: {}. Name one with --deployment", names.join(", ")));
        }
    };
    let edited = edit(&documents[*index], annotations);
    let wanted = with_annotations(before.clone(), annotations);
    if read(&edited).map(|value| with_annotations(value, &[])) != Some(wanted) {
        let lines: Vec<String> =
            annotations.iter().filter_map(|(key, value)| Some(format!("{key}: {}", quoted(value.as_ref()?)))).collect();
        return Err(format!(
            "its metadata is written in a way that cannot be edited line by line (flow style, anchors); write it as a block, or set by hand: {}",
            lines.join("; ")
        ));
    }
    documents[*index] = edited;
    Ok(documents.concat())
}

fn is_workload(value: &Value) -> bool {
    matches!(value.get("kind").and_then(Value::as_str), Some("Deployment" | "StatefulSet"))
}

/// The documents, each with the line that begins it.
fn split(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let marker = line.trim_end();
        if marker == "---" || marker.starts_with("--- ") {
            all.push(String::new());
        }
        if let Some(last) = all.last_mut() {
            last.push_str(line);
        }
    }
    all
}

/// What the document must say afterwards. No annotations and empty ones are the same.
fn with_annotations(mut value: Value, annotations: &[Annotation]) -> Value {
    let metadata = value.get_mut("metadata").and_then(Value::as_object_mut);
    let Some(metadata) = metadata else { return value };
    let mut all = match metadata.remove("annotations") {
        Some(Value::Object(all)) => all,
        Some(_) | None => Map::new(),
    };
    for (key, value) in annotations {
        match value {
            Some(value) => drop(all.insert((*key).to_owned(), Value::String(value.clone()))),
            None => drop(all.remove(*key)),
        }
    }
    if !all.is_empty() {
        metadata.insert("annotations".to_owned(), Value::Object(all));
    }
    value
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether a line holds something other than a comment.
fn speaks(line: &str) -> bool {
    let text = line.trim();
    !text.is_empty() && !text.starts_with('#')
}

/// Whether a line begins the field, with nothing or a comment behind it.
fn opens(line: &str, field: &str) -> bool {
    line.trim_start().strip_prefix(field).and_then(|rest| rest.strip_prefix(':')).is_some_and(|rest| !speaks(rest))
}

/// The first line at or behind `from` that lies no deeper than `depth`, with blank lines and comments before it left to it.
fn block_end(lines: &[String], from: usize, depth: usize) -> usize {
    let end = (from..lines.len()).find(|at| speaks(&lines[*at]) && indent(&lines[*at]) <= depth).unwrap_or(lines.len());
    (from..end).rev().find(|at| speaks(&lines[*at])).map_or(from, |last| last + 1)
}

fn edit(document: &str, annotations: &[Annotation]) -> String {
    let newline = if document.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<String> = document.split_inclusive('\n').map(str::to_owned).collect();
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
        last.push_str(newline);
    }
    // Where a part is not found the document stays, which the caller sees.
    let Some(metadata) = lines.iter().position(|line| indent(line) == 0 && opens(line, "metadata")) else {
        return lines.concat();
    };
    let end = block_end(&lines, metadata + 1, 0);
    let Some(depth) = lines[metadata + 1..end].iter().find(|line| speaks(line)).map(|line| indent(line)) else {
        return lines.concat();
    };
    let found = (metadata + 1..end)
        .find(|at| indent(&lines[*at]) == depth && lines[*at].trim_start().starts_with("annotations:"));
    let start = match found {
        Some(at) if opens(&lines[at], "annotations") => at,
        Some(at) if lines[at].trim().trim_start_matches("annotations:").trim() == "{}" => {
            lines[at] = format!("{}annotations:{newline}", " ".repeat(depth));
            at
        }
        Some(_) => return lines.concat(),
        None if annotations.iter().all(|(_, value)| value.is_none()) => return lines.concat(),
        None => {
            lines.insert(end, format!("{}annotations:{newline}", " ".repeat(depth)));
            end
        }
    };
    for (key, value) in annotations {
        let end = block_end(&lines, start + 1, depth);
        let inner = lines[start + 1..end].iter().find(|line| speaks(line)).map_or(depth + 2, |line| indent(line));
        let at = (start + 1..end).find(|at| indent(&lines[*at]) == inner && key_of(&lines[*at]) == Some(*key));
        let line = value.as_ref().map(|value| format!("{}{key}: {}", " ".repeat(inner), quoted(value)));
        match (at, line) {
            (Some(at), line) => {
                let behind = block_end(&lines, at + 1, inner);
                let comment = comment_of(&lines[at]).map(|comment| format!(" {comment}")).unwrap_or_default();
                let new = line.map(|line| format!("{line}{comment}{newline}"));
                lines.splice(at..behind.max(at + 1), new);
            }
            (None, Some(line)) => lines.insert(end, format!("{line}{newline}")),
            (None, None) => {}
        }
    }
    // A field without anything in it means nothing: it goes with its last annotation.
    if block_end(&lines, start + 1, depth) == start + 1 {
        lines.remove(start);
    }
    lines.concat()
}

/// The key that a line begins with, quoted or not.
fn key_of(line: &str) -> Option<&str> {
    let text = line.trim_start();
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            return rest.split_once(quote).filter(|(_, rest)| rest.starts_with(':')).map(|(key, _)| key);
        }
    }
    text.split_once(": ").map(|(key, _)| key).or_else(|| text.trim_end().strip_suffix(':'))
}

/// A comment behind a value that is not quoted.
fn comment_of(line: &str) -> Option<&str> {
    let (_, value) = line.split_once(": ")?;
    if value.trim_start().starts_with(['"', '\'', '|', '>']) {
        return None;
    }
    value.find(" #").map(|at| value[at..].trim())
}

/// A value as YAML has it: plain where that is certain.
fn quoted(value: &str) -> String {
    let plain = value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:,@".contains(c))
        && !value.ends_with(':')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&value.to_ascii_lowercase().as_str());
    if plain { value.to_owned() } else { Value::String(value.to_owned()).to_string() }
}
