//! Circuit breakers, by the names that the administrator gave them: 16 at most, however many releases there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::{Metrics, Object, Whole, lock, object};
use crate::release::snapshot::CircuitSeen;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Breaker {
    breaker: String,
}

#[derive(Default)]
pub(super) struct Circuits {
    open: Family<Breaker, Whole>,
    unanswered: Family<Breaker, Whole>,
    /// What each release that goes on was told last: whether a breaker is open, none where that is not known.
    told: Mutex<HashMap<Object, BTreeMap<String, Option<bool>>>>,
}

impl Circuits {
    pub(super) fn register(&self, r: &mut Registry) {
        r.register(
            "circuit_open",
            "1 while a circuit breaker is open for a release that goes on, 0 while it is closed for all of them",
            self.open.clone(),
        );
        r.register(
            "circuit_unanswered",
            "1 while nothing answers the query of a circuit breaker for a release that goes on",
            self.unanswered.clone(),
        );
    }

    /// Shows what a release was told; nothing where it does not go on.
    fn show(&self, key: Object, now: BTreeMap<String, Option<bool>>) {
        let mut told = lock(&self.told);
        let before = match now.is_empty() {
            true => told.remove(&key),
            false => told.insert(key, now.clone()),
        };
        let names: BTreeSet<String> = before.unwrap_or_default().into_keys().chain(now.into_keys()).collect();
        for breaker in names {
            let of = || told.values().filter_map(|told| told.get(&breaker));
            let labels = Breaker { breaker: breaker.clone() };
            let is = |found: bool| i64::from(found);
            self.open.get_or_create(&labels).set(is(of().any(|open| *open == Some(true))));
            self.unanswered.get_or_create(&labels).set(is(of().any(Option::is_none)));
        }
    }
}

impl Metrics {
    /// Shows what the circuit breakers said to a release; none where it does not go on.
    pub fn circuits(&self, namespace: &str, name: &str, all: &[CircuitSeen]) {
        let told =
            |seen: &CircuitSeen| (seen.name.clone(), seen.reading.as_ref().ok().map(|value| *value > seen.above));
        self.circuits.show(object(namespace, name), all.iter().map(told).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(name: &str, reading: Result<f64, String>) -> CircuitSeen {
        CircuitSeen { name: name.to_owned(), above: 5.0, halts_fixes: false, note: String::new(), reading }
    }

    fn lines(metrics: &Metrics) -> Vec<String> {
        let text = metrics.encode().unwrap();
        text.lines().filter(|line| line.starts_with("tidegate_circuit_")).map(str::to_owned).collect()
    }

    #[test]
    fn a_breaker_is_open_while_it_is_for_any_release_that_goes_on() {
        let metrics = Metrics::default();
        let open = |value: u8| format!("tidegate_circuit_open{{breaker=\"payments\"}} {value}");
        let unanswered = |value: u8| format!("tidegate_circuit_unanswered{{breaker=\"payments\"}} {value}");
        assert_eq!(lines(&metrics), Vec::<String>::new());
        metrics.circuits("shop", "web", &[seen("payments", Ok(5.0))]);
        assert_eq!(lines(&metrics), [open(0), unanswered(0)]);
        metrics.circuits("shop", "web", &[seen("payments", Ok(7.0))]);
        metrics.circuits("shop", "api", &[seen("payments", Err("connection refused".to_owned()))]);
        assert_eq!(lines(&metrics), [open(1), unanswered(1)]);
        // The one release ends, the other is answered.
        metrics.circuits("shop", "web", &[]);
        metrics.circuits("shop", "api", &[seen("payments", Ok(0.0))]);
        assert_eq!(lines(&metrics), [open(0), unanswered(0)]);
    }
}
