//! Selectors, and subqueries, which make ranges of expressions.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use promql_parser::parser::{AtModifier, MatrixSelector, Offset, SubqueryExpr, VectorSelector};

use super::super::points::{Point, Points};
use super::super::reply::Sample;
use super::{Eval, Got, Ranges, Result, cannot};

/// The step of a subquery that names none: Prometheus's default evaluation interval.
const DEFAULT_STEP: i64 = 60_000;

impl<'a> Eval<'a> {
    pub(super) fn select(&self, selector: &VectorSelector, at: i64) -> Vec<Sample> {
        let at = self.moved(selector.at.as_ref(), selector.offset.as_ref(), at);
        let found = self.tsdb.now(&self.wanted(selector), at).into_iter();
        found.map(|(labels, point)| Sample { labels: labels.clone(), value: point.value }).collect()
    }

    /// The samples that `timestamp` tells the times of.
    pub(super) fn select_times(&self, selector: &VectorSelector, at: i64) -> Vec<Sample> {
        let at = self.moved(selector.at.as_ref(), selector.offset.as_ref(), at);
        let found = self.tsdb.now(&self.wanted(selector), at).into_iter();
        found.map(|(labels, point)| Sample { labels: labels.clone(), value: point.at as f64 / 1_000.0 }).collect()
    }

    pub(super) fn select_range(&self, selector: &MatrixSelector, at: i64) -> Ranges<'a> {
        let end = self.moved(selector.vs.at.as_ref(), selector.vs.offset.as_ref(), at);
        let start = end.saturating_sub(millis(selector.range));
        let found = self.tsdb.range(&self.wanted(&selector.vs), start, end).into_iter();
        Ranges { start, end, series: found.map(|(labels, points)| (labels.clone(), points)).collect() }
    }

    pub(super) fn subquery(&mut self, subquery: &SubqueryExpr, at: i64) -> Result<Ranges<'a>> {
        let end = self.moved(subquery.at.as_ref(), subquery.offset.as_ref(), at);
        let start = end.saturating_sub(millis(subquery.range));
        let step = subquery.step.map_or(DEFAULT_STEP, millis).max(1);
        // Steps are multiples of the step since 1970, whenever the query is asked.
        let mut now = start.div_euclid(step).saturating_mul(step).saturating_add(step);
        let mut series = BTreeMap::<_, Vec<Point>>::new();
        while now <= end {
            let Some(left) = self.steps_left.checked_sub(1) else {
                return cannot("query processing would load too many samples into memory in query execution");
            };
            self.steps_left = left;
            let samples = match self.eval(&subquery.expr, now)? {
                Got::Vector(samples) => samples,
                Got::Scalar(_) | Got::Text(_) | Got::Matrix(_) => return cannot("subquery is only allowed on vector"),
            };
            for sample in samples {
                series.entry(sample.labels).or_default().push(Point { at: now, value: sample.value });
            }
            let Some(next) = now.checked_add(step) else { break };
            now = next;
        }
        let found = series.into_iter();
        let found = found.filter_map(|(labels, points)| Some((labels, Points::new(None, Cow::Owned(points))?)));
        Ok(Ranges { start, end, series: found.collect() })
    }

    /// The time that a selector is about.
    fn moved(&self, fixed: Option<&AtModifier>, offset: Option<&Offset>, at: i64) -> i64 {
        let at = match fixed {
            None => at,
            Some(AtModifier::Start | AtModifier::End) => self.asked,
            Some(AtModifier::At(time)) => match time.duration_since(SystemTime::UNIX_EPOCH) {
                Ok(after) => millis(after),
                Err(before) => -millis(before.duration()),
            },
        };
        match offset {
            None => at,
            Some(Offset::Pos(back)) => at.saturating_sub(millis(*back)),
            Some(Offset::Neg(ahead)) => at.saturating_add(millis(*ahead)),
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
