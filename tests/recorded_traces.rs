//! What `e2e/run record-traces` writes is read whole, and what cannot be is refused.

#[path = "../benches/canary/recorded.rs"]
mod recorded;
#[path = "../benches/canary/traces.rs"]
#[allow(dead_code, reason = "the reader needs its sample alone")]
mod traces;

use recorded::{Recorded, all};
use rstest::rstest;

const BY_HAND: &str = include_str!("recorded/by-hand.json");

#[test]
fn a_trace_is_read() {
    let trace = Recorded::parse(BY_HAND).unwrap();
    let (history, release) = (trace.history().unwrap(), trace.samples().unwrap());
    assert_eq!((history.len(), release.len(), trace.onset()), (4, 4, Some(0)));
    let (canary, stable) = (release[1].canary, release[1].stable);
    assert_eq!([canary.requests(), canary.bad(), stable.requests(), stable.bad()], [149.0, 7.0, 1352.0, 14.0]);
    assert!((trace.base() - 0.01).abs() < 1e-4, "{}", trace.base());
}

#[rstest]
#[case::more_bad_than_all("[149, 7,", "[149, 700,", "release, row 1")]
#[case::fewer_than_none("[1492, 13]", "[1492, -13]", "before, row 1")]
#[case::no_rows("[[1500, 15], [1492, 13], [1507, 17], [1500, 15]]", "[]", "a row each")]
#[case::no_time("\"stepSeconds\": 15", "\"stepSeconds\": 0", "stepSeconds is at least 1")]
#[case::another_field("\"what\"", "\"why\"", "why")]
#[case::half_a_row("[149, 7, 1352, 14]", "[149, 7]", "invalid length 2")]
fn what_is_no_trace_is_refused(#[case] good: &str, #[case] bad: &str, #[case] says: &str) {
    assert!(BY_HAND.contains(good));
    let refused = Recorded::parse(&BY_HAND.replace(good, bad)).unwrap_err();
    assert!(refused.contains(says), "{refused}");
}

#[test]
fn all_of_a_folder_are_read_and_a_folder_that_is_not_there_has_none() {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded");
    let names: Vec<_> = all(here.as_ref()).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["by-hand"]);
    assert_eq!(all("/nowhere".as_ref()).unwrap(), []);
    // What is committed can be read by the benchmark.
    all(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/canary/recorded").as_ref()).unwrap();
}
