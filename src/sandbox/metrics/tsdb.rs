//! The series of a Prometheus and their samples.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use promql_parser::label::{MatchOp, Matcher, Matchers};

use super::labels::{Labels, NAME};
use super::points::{Point, Points, Run};
use crate::api::{Span, Time};

/// How old a sample may be to count as the present value of its series: Prometheus's look-back delta.
const LOOK_BACK: i64 = 5 * 60 * 1_000;

/// Names one series of one [`Tsdb`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesId(usize);

#[derive(Debug, Clone)]
struct Series {
    labels: Labels,
    run: Option<Run>,
    points: Vec<Point>,
}

/// A time series database. It is a value: cloned, it is another world.
#[derive(Debug, Clone)]
pub struct Tsdb {
    series: Vec<Series>,
    /// The series of each metric, in the order of their labels.
    by_metric: BTreeMap<Arc<str>, Vec<SeriesId>>,
    retention: i64,
}

impl Tsdb {
    /// An empty database that forgets samples some time after they are `retention` old.
    pub fn new(retention: Span) -> Self {
        let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
        Self { series: Vec::new(), by_metric: BTreeMap::new(), retention }
    }

    /// The series of a metric with these labels, made where it is not there yet. Until it has a sample nobody sees it.
    pub fn series(&mut self, metric: &str, labels: &[(&str, &str)]) -> SeriesId {
        self.series_of(Labels::of_metric(metric, labels))
    }

    /// The series with these labels, among them the name of its metric.
    pub(super) fn series_of(&mut self, labels: Labels) -> SeriesId {
        let all = self.by_metric.entry(labels.get(NAME).into()).or_default();
        match all.binary_search_by(|id| self.series.get(id.0).map(|series| &series.labels).cmp(&Some(&labels))) {
            Ok(at) => all.get(at).copied().unwrap_or(SeriesId(usize::MAX)),
            Err(at) => {
                let id = SeriesId(self.series.len());
                all.insert(at, id);
                self.series.push(Series { labels, run: None, points: Vec::new() });
                id
            }
        }
    }

    /// Adds a sample. As in Prometheus, one that is not later than the last of its series is dropped; then this is false.
    pub fn push(&mut self, id: SeriesId, at: Time, value: f64) -> bool {
        self.push_point(id, Point { at: at.0.as_millisecond(), value })
    }

    /// Adds a sample to the series of a metric with these labels. See [`Tsdb::push`], which is faster.
    pub fn append(&mut self, metric: &str, labels: &[(&str, &str)], at: Time, value: f64) -> bool {
        let id = self.series(metric, labels);
        self.push(id, at, value)
    }

    /// Marks a series as ended, as a scrape does that does not find it any more: it has no present value from now on.
    pub fn end(&mut self, id: SeriesId, at: Time) -> bool {
        self.end_at(id, at.0.as_millisecond())
    }

    pub(super) fn end_at(&mut self, id: SeriesId, at: i64) -> bool {
        self.push_point(id, Point::stale(at))
    }

    pub(super) fn push_value(&mut self, id: SeriesId, at: i64, value: f64) -> bool {
        self.push_point(id, Point { at, value })
    }

    /// Gives a series a past. An earlier one is replaced; the samples that the series has by itself stay, and the past ends
    /// before them. A past without samples or with a step that is not above 0 is none.
    pub fn set_past(&mut self, id: SeriesId, run: Run) {
        let Some(series) = self.series.get_mut(id.0) else { return };
        let run = (run.count > 0 && run.step > 0).then_some(run);
        let first = series.points.first().map_or(i64::MAX, |point| point.at);
        series.run = run.and_then(|run| run.clipped(i64::MIN, first.saturating_sub(1)));
    }

    fn push_point(&mut self, id: SeriesId, point: Point) -> bool {
        let Some(series) = self.series.get_mut(id.0) else { return false };
        let last = match (series.points.last(), series.run) {
            (Some(last), _) => last.at,
            (None, Some(run)) => run.last(),
            (None, None) => i64::MIN,
        };
        if point.at <= last {
            return false;
        }
        // Old samples go in one piece, so that each is moved once at most on average.
        if series.points.len() == series.points.capacity() {
            let oldest = point.at.saturating_sub(self.retention);
            let gone = series.points.partition_point(|point| point.at <= oldest);
            if gone > series.points.len() / 2 {
                drop(series.points.drain(..gone));
            }
        }
        series.points.push(point);
        true
    }

    /// The present value of each series that matches.
    pub(super) fn now(&self, of: &Wanted<'_>, at: i64) -> Vec<(&Labels, Point)> {
        let mut found = Vec::new();
        self.each(of, |series| {
            let known = series.points.partition_point(|point| point.at <= at);
            let last = match known.checked_sub(1).and_then(|last| series.points.get(last)) {
                Some(point) => Some(*point),
                None => series
                    .run
                    .and_then(|run| run.clipped(i64::MIN, at))
                    .map(|run| Point { at: run.last(), value: run.value }),
            };
            if let Some(last) = last.filter(|last| last.at > at.saturating_sub(LOOK_BACK) && !last.is_stale()) {
                found.push((&series.labels, last));
            }
        });
        found
    }

    /// The samples after `start` and not after `end` of each series that matches.
    pub(super) fn range(&self, of: &Wanted<'_>, start: i64, end: i64) -> Vec<(&Labels, Points<'_>)> {
        let mut found = Vec::new();
        self.each(of, |series| {
            let from = series.points.partition_point(|point| point.at <= start);
            let to = series.points.partition_point(|point| point.at <= end);
            let points = series.points.get(from..to).unwrap_or_default();
            let points = match points.iter().any(Point::is_stale) {
                true => Cow::Owned(points.iter().filter(|point| !point.is_stale()).copied().collect()),
                false => Cow::Borrowed(points),
            };
            let run = series.run.and_then(|run| run.clipped(start, end));
            if let Some(points) = Points::new(run, points) {
                found.push((&series.labels, points));
            }
        });
        found
    }

    fn each<'a>(&'a self, of: &Wanted<'_>, mut see: impl FnMut(&'a Series)) {
        let mut see_all = |ids: &[SeriesId]| {
            for id in ids {
                let hidden = of.half && id.0 % 2 == 1;
                if let Some(series) = self.series.get(id.0).filter(|series| !hidden && of.matches(&series.labels)) {
                    see(series);
                }
            }
        };
        match of.metric() {
            Some(metric) => see_all(self.by_metric.get(metric).map(Vec::as_slice).unwrap_or_default()),
            None => self.by_metric.values().for_each(|ids| see_all(ids)),
        }
    }
}

/// Which series are wanted.
pub(super) struct Wanted<'a> {
    /// The name of the metric, where the selector begins with it.
    pub(super) name: Option<&'a str>,
    /// What the labels must be.
    pub(super) matchers: &'a Matchers,
    /// Every second series is in a store that does not answer.
    pub(super) half: bool,
}

impl Wanted<'_> {
    fn metric(&self) -> Option<&str> {
        let by_label = |matcher: &&Matcher| matcher.name == NAME && matches!(matcher.op, MatchOp::Equal);
        let named = || self.matchers.matchers.iter().find(by_label).map(|matcher| matcher.value.as_str());
        self.name.or_else(named)
    }

    fn matches(&self, labels: &Labels) -> bool {
        let all = |matchers: &[Matcher]| matchers.iter().all(|matcher| matcher.is_match(labels.get(&matcher.name)));
        let either = &self.matchers.or_matchers;
        all(&self.matchers.matchers) && (either.is_empty() || either.iter().any(|matchers| all(matchers)))
    }
}
