//! The chain of a workload's records: each sealed one carries the digest of what it says, and the next one repeats it. Who
//! edits or deletes one of them breaks a link that can be named; who rewrites them all meets the head that was published.

use serde::Serialize;
use serde_json::{Value, json};

use super::action::Action;
use super::snapshot::{Snapshot, record_name};
use crate::api::Time;
use crate::api::gated_release::RecordsKept;
use crate::api::release_record::{ReleaseRecordSpec, ReleaseRecordStatus};
use crate::policy::canonical::sha256;

/// `sha256:` and 64 hexadecimal digits over the record's name, spec and status in canonical JSON (RFC 8785); a digest that
/// the status carries already does not count.
pub fn digest(name: &str, spec: &Value, status: &Value) -> String {
    let mut status = status.clone();
    if let Some(fields) = status.as_object_mut() {
        fields.remove("digest");
    }
    format!("sha256:{}", sha256(&json!({"name": name, "spec": spec, "status": status})))
}

/// Puts the digest into every record that is sealed by these actions.
pub(super) fn seal(actions: &mut [Action], seen: &Snapshot) {
    for action in actions {
        if let Action::OpenRecord { name, spec, status } = action {
            put(name, spec, status);
        } else if let Action::UpdateRecord { name, status, .. } = action
            && let Some(record) = seen.record.as_ref().filter(|record| record.name == *name)
        {
            put(name, &record.spec, status);
        }
    }
}

/// A record that has no outcome yet is not sealed, nor is one whose charge waits.
pub(super) fn put(name: &str, spec: &ReleaseRecordSpec, status: &mut ReleaseRecordStatus) {
    if !status.is_sealed() {
        return;
    }
    if let (Ok(spec), Ok(said)) = (serde_json::to_value(spec), serde_json::to_value(&*status)) {
        status.digest = Some(digest(name, &spec, &said));
    }
}

/// What a walk along the records of one GatedRelease found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Walk {
    /// How many records there are.
    pub records: usize,
    /// The number of the oldest attempt among them; those before it were pruned, or deleted.
    pub oldest: u32,
    /// Whether nothing tells what was before the oldest: no status says that it was pruned, and nobody was there who would.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub beginning_unknown: bool,
    /// How many of the oldest were sealed before records had digests.
    pub without_digest: usize,
    /// The newest digest, to compare with what was published: a log line and the metric `tidegate_record_head`.
    pub head: Option<String>,
    /// The first link that does not hold.
    pub broken: Option<Broken>,
}

/// A link that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "camelCase", tag = "broken")]
pub enum Broken {
    /// A record between two others, or behind the last, is gone.
    #[error("{record} is missing")]
    Missing {
        /// Its name.
        record: String,
    },
    /// A record says something else than when it was sealed.
    #[error("{record} was edited: what it says now does not make the digest that it was sealed with")]
    Edited {
        /// Its name.
        record: String,
    },
    /// A record was sealed without a digest, or lost it, though older ones have one.
    #[error("{record} is sealed and has no digest, though older records have one")]
    Unsealed {
        /// Its name.
        record: String,
    },
    /// A record follows another one than the one before it.
    #[error("{record} follows a record with another digest than {before} has: one of the two was replaced")]
    Replaced {
        /// Its name.
        record: String,
        /// The one before it.
        before: String,
    },
    /// An object is no record of this chain.
    #[error("{record} cannot be read as a record: {why}")]
    Unreadable {
        /// Its name.
        record: String,
        /// Why.
        why: String,
    },
}

/// One record as the walk sees it.
struct Link<'a> {
    name: &'a str,
    attempt: u32,
    raw: &'a Value,
    previous: Option<&'a str>,
    digest: Option<&'a str>,
    sealed: bool,
}

impl<'a> Link<'a> {
    fn of(raw: &'a Value) -> Result<Self, Broken> {
        let text = |place: &str| raw.pointer(place).and_then(Value::as_str);
        let name = text("/metadata/name").unwrap_or("a record without a name");
        let attempt = raw.pointer("/spec/attempt").and_then(Value::as_u64).and_then(|it| u32::try_from(it).ok());
        let why = "spec.attempt is not a number".to_owned();
        Ok(Self {
            name,
            attempt: attempt.ok_or_else(|| Broken::Unreadable { record: name.to_owned(), why })?,
            raw,
            previous: text("/spec/previousDigest"),
            digest: text("/status/digest"),
            sealed: text("/status/outcome").is_some() && text("/status/chargeWaits").is_none(),
        })
    }
}

/// What the status of a GatedRelease says about its records; nothing where only files are there to read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// How many attempts there were.
    pub attempts: Option<u32>,
    /// With which attempt the chain begins, once old records were pruned.
    pub kept: Option<&'a RecordsKept>,
    /// Whether it was there before the first of these records was, and so would say if any was pruned: see [`is_older`].
    pub from_the_first: bool,
}

/// Whether an object is at least as old as all records of its chain. One that was created anew does not know what became of
/// records in the time of the one before.
pub fn is_older(object: &Value, records: &[Value]) -> bool {
    let made = |object: &Value| {
        object.pointer("/metadata/creationTimestamp").and_then(Value::as_str).and_then(|at| at.parse().ok().map(Time))
    };
    let oldest: Option<Time> = records.iter().filter_map(made).min();
    made(object).zip(oldest).is_some_and(|(object, oldest)| object <= oldest)
}

/// Walks along all records of one GatedRelease, in any order.
pub fn walk(release: &str, records: &[Value], known: Known<'_>) -> Walk {
    let mut walk = Walk {
        records: records.len(),
        oldest: 0,
        beginning_unknown: false,
        without_digest: 0,
        head: None,
        broken: None,
    };
    let links: Result<Vec<Link<'_>>, Broken> = records.iter().map(Link::of).collect();
    let mut links = match links {
        Ok(links) => links,
        Err(broken) => return Walk { broken: Some(broken), ..walk },
    };
    links.sort_by_key(|link| link.attempt);
    if let Some(broken) = known.kept.and_then(|kept| start(release, kept, &links)) {
        return Walk { broken: Some(broken), ..walk };
    }
    let mut before: Option<&Link<'_>> = None;
    walk.oldest = links.first().map_or(0, |link| link.attempt);
    if walk.oldest > 1 && known.kept.is_none() {
        if known.from_the_first {
            return Walk { broken: Some(Broken::Missing { record: record_name(release, 1) }), ..walk };
        }
        walk.beginning_unknown = true;
    }
    for link in &links {
        let broken =
            before.and_then(|before| between(release, before, link)).or_else(|| within(link, walk.head.is_some()));
        if broken.is_some() {
            return Walk { broken, ..walk };
        }
        match link.digest {
            Some(digest) => walk.head = Some(digest.to_owned()),
            None if link.sealed => walk.without_digest += 1,
            None => {}
        }
        before = Some(link);
    }
    let newest = before.map_or(0, |link| link.attempt);
    if known.attempts.is_some_and(|attempts| attempts > newest) {
        walk.broken = Some(Broken::Missing { record: record_name(release, newest.saturating_add(1)) });
    }
    walk
}

/// What is wrong with the beginning: records before it were pruned, it was not, and it follows the last that was. Older ones
/// that are still there, or come from an export, are walked along as all others.
fn start(release: &str, kept: &RecordsKept, links: &[Link<'_>]) -> Option<Broken> {
    let first = links.iter().find(|link| link.attempt >= kept.begins).filter(|link| link.attempt == kept.begins);
    let Some(first) = first else {
        return Some(Broken::Missing { record: record_name(release, kept.begins) });
    };
    (first.previous != kept.previous_digest.as_deref()).then(|| Broken::Replaced {
        record: first.name.to_owned(),
        before: record_name(release, kept.begins.saturating_sub(1)),
    })
}

/// What is wrong from one record to the next.
fn between(release: &str, before: &Link<'_>, link: &Link<'_>) -> Option<Broken> {
    if link.attempt != before.attempt.saturating_add(1) {
        return Some(Broken::Missing { record: record_name(release, before.attempt.saturating_add(1)) });
    }
    // A record that is opened while the one before it carries no digest has none to repeat.
    (link.previous != before.digest)
        .then(|| Broken::Replaced { record: link.name.to_owned(), before: before.name.to_owned() })
}

/// What is wrong in one record.
fn within(link: &Link<'_>, chained: bool) -> Option<Broken> {
    let record = || link.name.to_owned();
    match link.digest {
        Some(said) => {
            let made = digest(link.name, &link.raw["spec"], &link.raw["status"]);
            (made != said).then(|| Broken::Edited { record: record() })
        }
        None if link.sealed && (chained || link.previous.is_some()) => Some(Broken::Unsealed { record: record() }),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Records 1 to `last`; the newest is still going on.
    fn chain(last: u32) -> Vec<Value> {
        let mut previous: Option<String> = None;
        let mut records = Vec::new();
        for attempt in 1..=last {
            let name = record_name("web", attempt);
            let mut spec = json!({"release": "web", "attempt": attempt, "revision": format!("r{attempt}")});
            if let Some(previous) = &previous {
                spec["previousDigest"] = json!(previous);
            }
            let mut status = json!({"phase": "Complete", "baselineLatency": 0.25});
            if attempt < last {
                status["outcome"] = json!("Succeeded");
                let made = digest(&name, &spec, &status);
                status["digest"] = json!(made);
                previous = Some(made);
            }
            records.push(json!({"metadata": {"name": name}, "spec": spec, "status": status}));
        }
        records
    }

    fn broken(records: &[Value], attempts: Option<u32>) -> String {
        walk("web", records, Known { attempts, kept: None, from_the_first: false })
            .broken
            .map_or_else(String::new, |broken| broken.to_string())
    }

    #[test]
    fn a_chain_that_nobody_touched_holds_in_any_order_and_after_pruning() {
        let mut records = chain(5);
        records.reverse();
        let found = walk("web", &records, Known { attempts: Some(5), kept: None, from_the_first: false });
        assert_eq!((found.broken, found.records, found.oldest), (None, 5, 1));
        assert_eq!(found.head.as_deref(), records[1]["status"]["digest"].as_str(), "of the newest that is sealed");
        records.truncate(3);
        assert_eq!(
            walk("web", &records, Known { attempts: Some(5), kept: None, from_the_first: false }).broken,
            None,
            "the oldest were pruned"
        );
        assert_eq!(walk("web", &[], Known { attempts: Some(0), kept: None, from_the_first: false }).broken, None);
    }

    #[rstest]
    #[case::a_stage("/status/phase", json!("Rollback"), "web-0002 was edited")]
    #[case::a_figure("/status/baselineLatency", json!(0.26), "web-0002 was edited")]
    #[case::the_spec("/spec/revision", json!("r9"), "web-0002 was edited")]
    #[case::the_link("/spec/previousDigest", json!("sha256:00"), "web-0002 follows a record with another digest than web-0001")]
    #[case::the_number("/spec/attempt", json!("two"), "web-0002 cannot be read")]
    fn an_edit_is_found_in_the_record_that_it_was_made_in(
        #[case] place: &str,
        #[case] value: Value,
        #[case] wanted: &str,
    ) {
        let mut records = chain(4);
        *records[1].pointer_mut(place).unwrap() = value;
        assert!(broken(&records, Some(4)).contains(wanted), "{}", broken(&records, Some(4)));
    }

    #[test]
    fn an_edit_with_a_digest_made_anew_is_found_in_the_next_record() {
        let mut records = chain(4);
        records[1]["status"]["phase"] = json!("Rollback");
        let made = digest("web-0002", &records[1]["spec"], &records[1]["status"]);
        records[1]["status"]["digest"] = json!(made);
        assert!(broken(&records, Some(4)).starts_with("web-0003 follows"), "{}", broken(&records, Some(4)));
    }

    #[test]
    fn a_record_that_was_deleted_is_named_in_the_middle_and_at_the_end() {
        let mut records = chain(4);
        records.remove(1);
        assert_eq!(broken(&records, Some(4)), "web-0002 is missing");
        let mut records = chain(4);
        records.pop();
        assert_eq!(broken(&records, Some(4)), "web-0004 is missing");
        assert_eq!(broken(&records, None), "", "without the GatedRelease nobody knows how many there were");
    }

    #[test]
    fn a_digest_that_was_taken_away_is_missed_and_records_of_older_versions_are_counted() {
        let mut records = chain(4);
        records[2]["status"].as_object_mut().unwrap().remove("digest");
        assert!(broken(&records, Some(4)).starts_with("web-0003 is sealed and has no digest"));
        let mut records = chain(3);
        for record in &mut records {
            record["status"].as_object_mut().unwrap().remove("digest");
            record["spec"].as_object_mut().unwrap().remove("previousDigest");
        }
        let found = walk("web", &records, Known { attempts: Some(3), kept: None, from_the_first: false });
        assert_eq!((found.broken, found.without_digest, found.head), (None, 2, None));
    }

    /// Records 1 to 6 of which the first three were pruned.
    fn pruned() -> (Vec<Value>, RecordsKept) {
        let mut records = chain(6);
        let digest = records[2]["status"]["digest"].as_str().map(str::to_owned);
        records.drain(..3);
        (records, RecordsKept { begins: 4, previous_digest: digest, pruned: 3 })
    }

    #[test]
    fn a_beginning_that_nothing_explains_is_a_finding_where_it_would_be_known_and_a_note_elsewhere() {
        let (records, kept) = pruned();
        let of = |kept, from_the_first| walk("web", &records, Known { attempts: Some(6), kept, from_the_first });
        let deleted = of(None, true);
        assert_eq!(deleted.broken.map(|broken| broken.to_string()).as_deref(), Some("web-0001 is missing"));
        let made_anew = of(None, false);
        assert_eq!((made_anew.broken, made_anew.beginning_unknown), (None, true));
        for from_the_first in [true, false] {
            let pruned = of(Some(&kept), from_the_first);
            assert_eq!((pruned.broken, pruned.beginning_unknown), (None, false));
        }
        let whole = walk("web", &chain(6), Known { attempts: Some(6), kept: None, from_the_first: true });
        assert_eq!((whole.broken, whole.beginning_unknown), (None, false));
    }

    #[rstest]
    #[case::before_all("2026-01-01T00:00:00Z", true)]
    #[case::in_the_same_second("2026-01-02T00:00:00Z", true)]
    #[case::made_anew("2026-01-02T00:00:01Z", false)]
    fn an_object_is_older_than_its_records(#[case] made: &str, #[case] older: bool) {
        let at = |at: &str| json!({"metadata": {"creationTimestamp": at}});
        let records = [at("2026-01-03T00:00:00Z"), at("2026-01-02T00:00:00Z")];
        assert_eq!(is_older(&at(made), &records), older);
        assert!(!is_older(&at(made), &[]) && !is_older(&json!({}), &records));
    }

    fn broken_from(records: &[Value], kept: &RecordsKept) -> String {
        let walk = walk("web", records, Known { attempts: Some(6), kept: Some(kept), from_the_first: true });
        walk.broken.map_or_else(String::new, |broken| broken.to_string())
    }

    #[test]
    fn a_chain_whose_past_was_pruned_holds_with_and_without_it() {
        let (records, kept) = pruned();
        assert_eq!(broken_from(&records, &kept), "");
        assert_eq!(broken_from(&chain(6), &kept), "", "together with an export, or before the first was deleted");
    }

    #[test]
    fn what_somebody_deleted_is_told_from_what_was_pruned() {
        let (mut records, kept) = pruned();
        records.remove(0);
        assert_eq!(broken_from(&records, &kept), "web-0004 is missing");
        assert_eq!(broken_from(&[], &kept), "web-0004 is missing");
        let mut records = chain(6);
        records.drain(1..3);
        assert_eq!(broken_from(&records, &kept), "web-0002 is missing", "an export with a gap");
    }

    #[test]
    fn a_beginning_that_was_rewritten_is_found() {
        let (mut records, kept) = pruned();
        records[0]["spec"]["previousDigest"] = json!("sha256:00");
        let made = digest("web-0004", &records[0]["spec"], &records[0]["status"]);
        records[0]["status"]["digest"] = json!(made);
        assert_eq!(
            broken_from(&records, &kept),
            "web-0004 follows a record with another digest than web-0003 has: one of the two was replaced"
        );
    }

    #[test]
    fn how_an_api_server_writes_a_number_is_no_edit() {
        let (spec, one) = (json!({"attempt": 1}), json!({"value": 12.0, "digest": "sha256:00"}));
        let other: Value = serde_json::from_str(r#"{"value": 12}"#).unwrap();
        assert_eq!(digest("web-0001", &spec, &one), digest("web-0001", &spec, &other));
        assert_ne!(digest("web-0001", &spec, &one), digest("web-0002", &spec, &one));
    }
}
