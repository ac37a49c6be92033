//! What a walk along each chain found, for people and programs.

use serde::Serialize;

use super::source::Found;
use crate::release::chain::{Walk, walk};

/// The chain of one GatedRelease.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    namespace: String,
    release: String,
    #[serde(flatten)]
    walk: Walk,
    /// The head that was asked for, where it is another than the one found.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted_head: Option<String>,
}

impl Line {
    pub(super) const fn holds(&self) -> bool {
        self.walk.broken.is_none() && self.wanted_head.is_none()
    }
}

pub(super) fn report(found: &Found, head: Option<&str>) -> Vec<Line> {
    let line = |((namespace, release), records): (&(String, String), &Vec<_>)| {
        let attempts = found.attempts.get(&(namespace.clone(), release.clone())).copied();
        let walk = walk(release, records, attempts);
        let wanted_head = head.filter(|head| walk.head.as_deref() != Some(head)).map(str::to_owned);
        Line { namespace: namespace.clone(), release: release.clone(), walk, wanted_head }
    };
    found.records.iter().map(line).collect()
}

pub(super) fn page(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "there are no records\n".to_owned();
    }
    lines.iter().map(said).collect()
}

fn said(line: &Line) -> String {
    let Walk { records, oldest, without_digest, head, broken } = &line.walk;
    let name = format!("{}/{}", line.namespace, line.release);
    let mut text = match broken {
        Some(broken) => format!("{name}: BROKEN: {broken}\n"),
        None => format!("{name}: holds, {records} records\n"),
    };
    if *oldest > 1 {
        text.push_str(&format!("  begins with attempt {oldest}: those before it were pruned, or are in an export\n"));
    }
    if *without_digest > 0 {
        text.push_str(&format!("  {without_digest} of the oldest were sealed before records had digests\n"));
    }
    match (&line.wanted_head, head) {
        (Some(wanted), Some(head)) => text.push_str(&format!("  HEAD IS ANOTHER: {head}, published was {wanted}\n")),
        (Some(wanted), None) => text.push_str(&format!("  NO HEAD: nothing is sealed, published was {wanted}\n")),
        // What follows the break is not vouched for: its head is none to compare with.
        (None, Some(head)) if broken.is_some() => text.push_str(&format!("  holds up to {head}\n")),
        (None, Some(head)) => text.push_str(&format!("  head {head}\n")),
        (None, None) => {}
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::chain::digest;
    use serde_json::{Value, json};

    fn record(attempt: u32, previous: Option<&str>) -> Value {
        let name = crate::release::snapshot::record_name("web", attempt);
        let mut spec = json!({"release": "web", "attempt": attempt});
        if let Some(previous) = previous {
            spec["previousDigest"] = json!(previous);
        }
        let mut status = json!({"phase": "Complete", "outcome": "Succeeded"});
        status["digest"] = json!(digest(&name, &spec, &status));
        json!({"kind": "ReleaseRecord", "metadata": {"namespace": "shop", "name": name}, "spec": spec, "status": status})
    }

    fn found(records: Vec<Value>) -> Found {
        let of = ("shop".to_owned(), "web".to_owned());
        Found { attempts: [(of.clone(), 3)].into(), records: [(of, records)].into() }
    }

    fn three() -> Vec<Value> {
        let mut all = vec![record(1, None)];
        for attempt in 2..=3 {
            let previous = all.last().and_then(|last| last["status"]["digest"].as_str()).unwrap().to_owned();
            all.push(record(attempt, Some(&previous)));
        }
        all
    }

    #[test]
    fn a_chain_that_holds_tells_its_head_and_another_head_is_told() {
        let all = three();
        let head = all[2]["status"]["digest"].as_str().unwrap().to_owned();
        let lines = report(&found(all.clone()), Some(&head));
        assert!(lines[0].holds());
        assert_eq!(page(&lines), format!("shop/web: holds, 3 records\n  head {head}\n"));
        let older = all[1]["status"]["digest"].as_str().unwrap();
        let lines = report(&found(all.clone()), Some(older));
        assert!(!lines[0].holds());
        assert_eq!(
            page(&lines),
            format!("shop/web: holds, 3 records\n  HEAD IS ANOTHER: {head}, published was {older}\n")
        );
    }

    #[test]
    fn the_first_broken_link_is_named() {
        let mut all = three();
        let first = all[0]["status"]["digest"].as_str().unwrap().to_owned();
        all.remove(1);
        let lines = report(&found(all), None);
        assert!(!lines[0].holds());
        assert_eq!(page(&lines), format!("shop/web: BROKEN: web-0002 is missing\n  holds up to {first}\n"));
    }
}
