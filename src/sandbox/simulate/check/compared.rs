//! The comparison: an interval counts once, in the order of time, and with no more requests than came.

use serde_json::Value;

use super::{Checkers, Rule, Seen, items, number, text, time};

/// More requests a second than any world has, `increase` guessing a third more of an interval of four scrapes.
const PER_SECOND_MAX: f64 = 900.0;

/// A write of a record.
pub(super) fn check(checkers: &mut Checkers, seen: &Seen<'_>) {
    let (Some(before), Some(after)) = (seen.before, seen.after) else { return };
    let errors = "/status/comparison/errors/tally";
    if let (Some(old), Some(new)) = (before.pointer(errors), after.pointer(errors)) {
        once(checkers, seen, (old, new), "errors");
    }
    for old in items(before, "/status/comparison/slow") {
        let Some(bound) = text(old, "/slowerThan") else { continue };
        let same = |slow: &&Value| text(slow, "/slowerThan") == Some(bound);
        let new = items(after, "/status/comparison/slow").iter().find(same);
        if let (Some(old), Some(new)) = (old.get("tally"), new.and_then(|new| new.get("tally"))) {
            once(checkers, seen, (old, new), bound);
        }
    }
}

fn once(checkers: &mut Checkers, seen: &Seen<'_>, (old, new): (&Value, &Value), signal: &str) {
    let (was, is) = (time(old, "/until"), time(new, "/until"));
    let more = number(new, "/intervals").checked_sub(number(old, "/intervals"));
    let figure = |tally: &Value, place: &str| tally.pointer(place).and_then(Value::as_f64).unwrap_or(0.0);
    let grown = ["/all/requests", "/all/baseRequests"].map(|place| figure(new, place) - figure(old, place));
    let wrong = match (more, was, is) {
        (Some(0), ..) => (old != new).then(|| "its figures move, and no interval was counted".to_owned()),
        (Some(1), was, Some(is)) => {
            let length = was.map(|was| (was, is.since(was).as_secs_f64()));
            match length {
                Some((was, _)) if was >= is => {
                    Some(format!("counted up to {}, then up to {}", was.clock(), is.clock()))
                }
                Some((_, length)) if grown.iter().sum::<f64>() > PER_SECOND_MAX * length => {
                    Some(format!("{grown:?} requests more in {length} s"))
                }
                Some(_) | None => None,
            }
        }
        _ => Some(format!("{} intervals, then {}", number(old, "/intervals"), number(new, "/intervals"))),
    };
    if let Some(says) = wrong {
        checkers.violated(Rule::CountedTwice, seen.now, format!("{}, {signal}: {says}", seen.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Time;
    use crate::cluster::kind::RELEASE_RECORD;
    use crate::sandbox::simulate::check::NAMESPACE;
    use crate::sandbox::simulate::check::tests::Kept;
    use rstest::rstest;
    use serde_json::json;

    fn record(intervals: u32, until: &str, requests: f64) -> Value {
        let tally = json!({"intervals": intervals, "until": format!("2026-01-01T10:00:{until}Z"),
            "all": {"requests": requests, "baseRequests": 9.0 * requests}});
        json!({"metadata": {"name": "web-0002"}, "status": {"comparison": {"errors": {"tally": tally}}}})
    }

    #[rstest]
    #[case::the_same(record(3, "12", 90.0), false)]
    #[case::the_next(record(4, "16", 210.0), false)]
    #[case::a_longer_one(record(4, "20", 330.0), false)]
    #[case::the_same_again(record(4, "12", 210.0), true)]
    #[case::one_from_before(record(4, "10", 210.0), true)]
    #[case::two_at_once(record(5, "20", 330.0), true)]
    #[case::figures_alone(record(3, "12", 95.0), true)]
    #[case::what_was_counted_before(record(4, "16", 490.0), true)]
    #[case::fewer(record(2, "8", 60.0), true)]
    fn an_interval_counts_once(#[case] after: Value, #[case] wrong: bool, #[values(false, true)] slow: bool) {
        let of = |record: Value| {
            let mut signal = record["status"]["comparison"]["errors"].clone();
            let comparison = if slow {
                signal["slowerThan"] = json!("300ms");
                json!({"slow": [{"slowerThan": "1s", "tally": {"intervals": 1}}, signal]})
            } else {
                json!({"errors": signal})
            };
            json!({"metadata": {"name": "web-0002"}, "status": {"comparison": comparison}})
        };
        let (before, after, objects) = (of(record(3, "12", 90.0)), of(after), Kept(Vec::new()));
        let mut checkers = Checkers::default();
        let now = Time("2026-01-01T10:00:30Z".parse().unwrap());
        check(
            &mut checkers,
            &Seen {
                kind: &RELEASE_RECORD,
                namespace: NAMESPACE,
                name: "web-0002",
                before: Some(&before),
                after: Some(&after),
                process: Some(0),
                objects: &objects,
                now,
            },
        );
        let rules: Vec<_> = checkers.violations.iter().map(|one| one.rule).collect();
        assert_eq!(rules, if wrong { vec![Rule::CountedTwice] } else { Vec::new() });
    }
}
