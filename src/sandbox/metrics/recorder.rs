//! Recording rules.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::eval::{Eval, Store};
use super::labels::NAME;
use super::reply::Value;
use super::tsdb::{SeriesId, Tsdb};
use crate::api::{Span, Time};

const CHART: &str = include_str!("../../../charts/tidegate/templates/recording-rules.yaml");
/// The rules as they stand between these in the chart.
const BEGIN: &str = "groups:\n";
const END: &str = "{{- end -}}";

/// One rule: the metric it writes, and the expression that it writes as that.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Rule {
    /// The name of the metric.
    pub record: String,
    /// PromQL.
    pub expr: String,
}

/// Evaluates a group of recording rules at its interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorder {
    rules: Vec<Rule>,
    interval: i64,
    /// The last evaluation; `None` before the first.
    last: Option<i64>,
    /// The series that it wrote.
    written: BTreeSet<SeriesId>,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

impl Recorder {
    /// Rules that are evaluated at all multiples of `interval` (not 0) since 1970.
    pub fn new(rules: Vec<Rule>, interval: Span) -> Self {
        let interval = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX).max(1);
        Self { rules, interval, last: None, written: BTreeSet::new() }
    }

    /// The rules that Tidegate's chart ships, at its default interval of five minutes.
    pub fn of_the_chart() -> Result<Self, String> {
        let interval = Span::minutes(5);
        let rules = CHART.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(rules, _)| rules);
        let rules = rules.ok_or("the chart's recording rules are not where they were")?;
        let text = format!("{BEGIN}{}", rules.replace("{{ $i }}", &interval.promql()));
        let groups: Groups =
            serde_saphyr::from_str(&text).map_err(|why| format!("the chart's recording rules: {why}"))?;
        Ok(Self::new(groups.groups.into_iter().flat_map(|group| group.rules).collect(), interval))
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Evaluates what is due up to `now`: the samples must be there before. As in Prometheus, a rule that cannot be
    /// evaluated records nothing. Time that passed before the first step is not made up for.
    pub fn step(&mut self, tsdb: &mut Tsdb, now: Time) {
        let now = now.0.as_millisecond();
        let mut due = match self.last {
            Some(last) => last.saturating_add(self.interval),
            None => now.div_euclid(self.interval).saturating_mul(self.interval),
        };
        // One step before the first is only where the rules began.
        if self.last.is_none() && due < now {
            self.last = Some(due);
            return;
        }
        while due <= now {
            self.evaluate(tsdb, due);
            self.last = Some(due);
            due = due.saturating_add(self.interval);
        }
    }

    fn evaluate(&mut self, tsdb: &mut Tsdb, at: i64) {
        let mut written = BTreeSet::new();
        for rule in &self.rules {
            let samples = match Eval::new(tsdb, at, Store::Whole).value(&rule.expr) {
                Ok(Value::Vector(samples)) => samples,
                Ok(Value::Scalar(_) | Value::Text(_) | Value::Matrix(_)) | Err(_) => continue,
            };
            for mut sample in samples {
                sample.labels.set(NAME, &rule.record);
                let id = tsdb.series_of(sample.labels);
                tsdb.push_value(id, at, sample.value);
                written.insert(id);
            }
        }
        for gone in self.written.difference(&written) {
            tsdb.end_at(*gone, at);
        }
        self.written = written;
    }
}
