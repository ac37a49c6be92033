//! What a walk along each chain found, for people and programs.

use serde::Serialize;

use super::source::{Found, Told};
use crate::release::chain::{Known, Walk, walk};

/// The chain of one GatedRelease.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    namespace: String,
    release: String,
    #[serde(flatten)]
    walk: Walk,
    /// How many records Tidegate has pruned, where its status says so.
    #[serde(skip_serializing_if = "is_zero")]
    pruned: u32,
    /// Whether the cluster was asked, and not files alone.
    #[serde(skip)]
    asked: bool,
    /// A record of which two copies say different things.
    #[serde(skip_serializing_if = "Option::is_none")]
    differs: Option<String>,
    /// The head that was asked for, where it is another than the one found.
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted_head: Option<String>,
}

impl Line {
    pub(super) const fn holds(&self) -> bool {
        self.walk.broken.is_none() && self.differs.is_none() && self.wanted_head.is_none()
    }
}

/// Whether nothing is to be said of it.
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

pub(super) fn report(found: &Found, head: Option<&str>) -> Vec<Line> {
    let line = |((namespace, release), records): (&(String, String), &Vec<_>)| {
        let told = found.told.get(&(namespace.clone(), release.clone()));
        let kept = told.and_then(|told| told.kept.as_ref());
        let walk = walk(release, records, told.map_or_else(Known::default, Told::known));
        let pruned = kept.map_or(0, |kept| kept.pruned);
        let wanted_head = head.filter(|head| walk.head.as_deref() != Some(head)).map(str::to_owned);
        let differs = found.differ.get(&(namespace.clone(), release.clone())).cloned();
        let (namespace, release, asked) = (namespace.clone(), release.clone(), found.asked);
        Line { namespace, release, walk, pruned, asked, differs, wanted_head }
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
    let Walk { records, oldest, beginning_unknown, without_digest, head, broken } = &line.walk;
    let name = format!("{}/{}", line.namespace, line.release);
    let mut text = match (&line.differs, broken) {
        (Some(record), _) => {
            format!(
                "{name}: BROKEN: {record} says one thing in one place and another elsewhere: one of the two was edited\n"
            )
        }
        (None, Some(broken)) => format!("{name}: BROKEN: {broken}\n"),
        (None, None) => format!("{name}: holds, {records} records\n"),
    };
    match (*oldest > 1, line.pruned) {
        (true, 0) if *beginning_unknown && line.asked => text.push_str(&format!(
            "  BEGINNING UNKNOWN: begins with number {oldest}, and nothing tells what became of those before: what it is about is younger than its records, or gone. Compare with an export, or with the log's lines `record sealed`\n"
        )),
        (true, 0) => {
            text.push_str(&format!(
                "  begins with attempt {oldest}: those before it were pruned, or are in an export\n"
            ));
        }
        (true, pruned) => text.push_str(&format!("  begins with attempt {oldest}, {pruned} earlier were pruned\n")),
        (false, _) => {}
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
    use crate::api::gated_release::RecordsKept;
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
        let told = Told { attempts: Some(3), from_the_first: true, ..Told::default() };
        Found { told: [(of.clone(), told)].into(), records: [(of, records)].into(), asked: true, ..Found::default() }
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

    #[test]
    fn a_beginning_that_nothing_explains_is_told() {
        let mut all = three();
        all.remove(0);
        let mut found = found(all);
        let told = page(&report(&found, None));
        assert!(told.starts_with("shop/web: BROKEN: web-0001 is missing\n"), "{told}");
        found.told.clear();
        let told = page(&report(&found, None));
        assert!(told.starts_with("shop/web: holds, 2 records\n  BEGINNING UNKNOWN: begins with number 2"), "{told}");
        found.asked = false;
        let told = page(&report(&found, None));
        assert!(told.contains("  begins with attempt 2: those before it were pruned, or are in an export\n"), "{told}");
    }

    #[test]
    fn what_was_pruned_is_counted_and_what_is_missing_beside_it_is_named() {
        let mut all = three();
        let digest = all[0]["status"]["digest"].as_str().map(str::to_owned);
        all.remove(0);
        let of = ("shop".to_owned(), "web".to_owned());
        let kept = |begins| Told {
            attempts: Some(3),
            kept: Some(RecordsKept { begins, previous_digest: digest.clone(), pruned: 1 }),
            ..Told::default()
        };
        let mut found = found(all);
        found.told.insert(of.clone(), kept(2));
        let told = page(&report(&found, None));
        assert!(
            told.starts_with("shop/web: holds, 2 records\n  begins with attempt 2, 1 earlier were pruned\n"),
            "{told}"
        );
        found.records.get_mut(&of).unwrap().remove(0);
        let told = page(&report(&found, None));
        assert!(told.starts_with("shop/web: BROKEN: web-0002 is missing\n"), "{told}");
    }

    #[test]
    fn two_copies_that_differ_are_told() {
        let mut found = found(three());
        found.differ.insert(("shop".to_owned(), "web".to_owned()), "web-0002".to_owned());
        let lines = report(&found, None);
        assert!(!lines[0].holds());
        assert!(page(&lines).starts_with("shop/web: BROKEN: web-0002 says one thing in one place"), "{}", page(&lines));
    }
}
