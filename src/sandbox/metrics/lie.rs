//! The ways in which a Prometheus misleads.

use super::eval::Store;
use super::reply::{Reply, Value};
use super::tsdb::Tsdb;
use crate::api::{Span, Time};

/// What is wrong with a Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lie {
    /// It does not answer: the connection is refused.
    Down,
    /// It answers with this HTTP status, and nothing more.
    Status(u16),
    /// It finds no series.
    Empty,
    /// Every number is NaN.
    NaN,
    /// Half of its stores are away: every second series is missing, and a warning says so.
    Partial,
    /// It answers what was true so long ago: scrapes hang.
    Stale(Span),
    /// It answers the truth, but after the time-out.
    Slow,
    /// It answers something that is no JSON.
    Garbage,
}

/// What came of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// An answer, in time.
    Reply(Reply),
    /// An answer that whoever carries it must bring too late.
    Late(Reply),
    /// No connection.
    Refused,
}

impl Tsdb {
    /// Answers an instant query as a Prometheus does with which this is wrong; the truth where nothing is.
    pub fn told(&self, lie: Option<Lie>, promql: &str, at: Time) -> Told {
        let truth = || self.query(promql, at);
        Told::Reply(match lie {
            None => truth(),
            Some(Lie::Down) => return Told::Refused,
            Some(Lie::Slow) => return Told::Late(truth()),
            Some(Lie::Status(code)) => Reply { code, body: b"Prometheus is not available\n".to_vec() },
            Some(Lie::Garbage) => Reply { code: 200, body: b"<html><body>Sign in to continue</body></html>".to_vec() },
            Some(Lie::Partial) => self.query_of(promql, at, Store::Half),
            Some(Lie::Stale(age)) => self.query(promql, Time(at.0.checked_sub(age.as_signed()).unwrap_or(at.0))),
            Some(Lie::Empty) => self.changed(promql, at, Store::Whole, |value| match value {
                Value::Scalar(value) => Value::Scalar(value),
                Value::Text(text) => Value::Text(text),
                Value::Vector(_) => Value::Vector(Vec::new()),
                Value::Matrix(_) => Value::Matrix(Vec::new()),
            }),
            Some(Lie::NaN) => self.changed(promql, at, Store::Whole, |mut value| {
                match &mut value {
                    Value::Scalar(value) => *value = f64::NAN,
                    Value::Text(_) => {}
                    Value::Vector(samples) => samples.iter_mut().for_each(|sample| sample.value = f64::NAN),
                    Value::Matrix(series) => {
                        series.iter_mut().flat_map(|(_, points)| points).for_each(|point| point.value = f64::NAN);
                    }
                }
                value
            }),
        })
    }
}
