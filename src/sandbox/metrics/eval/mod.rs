//! Evaluates PromQL at one time, as Prometheus 3 does.
//!
//! Here belong the rules of `promql/engine.go` and `promql/functions.go` for floats; native histograms do not exist here.
//! What must never enter: the text of queries and replies.

mod aggregate;
mod binary;
mod call;
mod histogram;
mod kahan;
mod labels;
mod range;
mod select;

use std::collections::BTreeSet;

use promql_parser::parser::{Expr, VectorSelector};

use super::labels::Labels;
use super::points::Points;
use super::reply::{Problem, Sample, Value};
use super::tsdb::{Tsdb, Wanted};

/// The most evaluations of the inner expressions of subqueries in one query.
const STEPS_MAX: u32 = 20_000;

/// What a query is answered from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    /// Everything.
    Whole,
    /// Every second series: the other store does not answer.
    Half,
}

/// The evaluation of one query.
pub(super) struct Eval<'a> {
    tsdb: &'a Tsdb,
    /// When the query is asked, for `@ start()` and `@ end()`.
    asked: i64,
    store: Store,
    steps_left: u32,
    warnings: BTreeSet<String>,
}

/// What an expression is at one time. Samples of the database are borrowed from it.
enum Got<'a> {
    Scalar(f64),
    Text(String),
    Vector(Vec<Sample>),
    Matrix(Ranges<'a>),
}

/// The samples of a range of time, by series.
struct Ranges<'a> {
    /// The range begins after this.
    start: i64,
    /// And ends with this.
    end: i64,
    series: Vec<(Labels, Points<'a>)>,
}

type Result<T> = std::result::Result<T, Problem>;

fn cannot<T>(why: impl Into<String>) -> Result<T> {
    Err(Problem::Execution(why.into()))
}

impl<'a> Eval<'a> {
    /// An evaluation at a time, in milliseconds since 1970.
    pub(super) fn new(tsdb: &'a Tsdb, asked: i64, store: Store) -> Self {
        Self { tsdb, asked, store, steps_left: STEPS_MAX, warnings: BTreeSet::new() }
    }

    /// What the answers are to be taken with care for.
    pub(super) fn warnings(&self) -> impl Iterator<Item = &str> {
        let partial = (self.store == Store::Half).then_some("not all stores answered: the result may be partial");
        self.warnings.iter().map(String::as_str).chain(partial)
    }

    fn warn(&mut self, what: String) {
        self.warnings.insert(format!("PromQL warning: {what}"));
    }

    /// The value of a whole query.
    pub(super) fn result(&mut self, expr: &Expr) -> Result<Value> {
        Ok(match self.eval(expr, self.asked)? {
            Got::Scalar(value) => Value::Scalar(value),
            Got::Text(text) => Value::Text(text),
            Got::Vector(samples) => Value::Vector(samples),
            Got::Matrix(ranges) => {
                let owned = |(labels, points): (Labels, Points<'_>)| (labels, points.iter().collect());
                Value::Matrix(ranges.series.into_iter().map(owned).collect())
            }
        })
    }

    fn eval(&mut self, expr: &Expr, at: i64) -> Result<Got<'a>> {
        match expr {
            Expr::NumberLiteral(number) => Ok(Got::Scalar(number.val)),
            Expr::StringLiteral(text) => Ok(Got::Text(text.val.clone())),
            Expr::Paren(inner) => self.eval(&inner.expr, at),
            Expr::VectorSelector(selector) => Ok(Got::Vector(self.select(selector, at))),
            Expr::MatrixSelector(selector) => Ok(Got::Matrix(self.select_range(selector, at))),
            Expr::Subquery(subquery) => self.subquery(subquery, at).map(Got::Matrix),
            Expr::Unary(unary) => match self.eval(&unary.expr, at)? {
                Got::Scalar(value) => Ok(Got::Scalar(-value)),
                Got::Vector(samples) => distinct(mapped(samples, |value| -value)).map(Got::Vector),
                Got::Text(_) | Got::Matrix(_) => cannot("unary expression only allowed on scalars and vectors"),
            },
            Expr::Binary(binary) => self.binary(binary, at),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate, at).map(Got::Vector),
            Expr::Call(call) => self.call(call, at),
            Expr::Extension(_) => cannot("extensions of PromQL are not evaluated"),
        }
    }

    fn vector(&mut self, expr: &Expr, at: i64) -> Result<Vec<Sample>> {
        match self.eval(expr, at)? {
            Got::Vector(samples) => Ok(samples),
            Got::Scalar(_) | Got::Text(_) | Got::Matrix(_) => cannot("expected type instant vector"),
        }
    }

    fn scalar(&mut self, expr: &Expr, at: i64) -> Result<f64> {
        match self.eval(expr, at)? {
            Got::Scalar(value) => Ok(value),
            Got::Vector(_) | Got::Text(_) | Got::Matrix(_) => cannot("expected type scalar"),
        }
    }

    fn wanted<'s>(&self, selector: &'s VectorSelector) -> Wanted<'s> {
        Wanted { name: selector.name.as_deref(), matchers: &selector.matchers, half: self.store == Store::Half }
    }
}

/// A calculation on each value, after which it is another metric.
fn mapped(samples: Vec<Sample>, calculate: impl Fn(f64) -> f64) -> Vec<Sample> {
    let one = |sample: Sample| Sample { labels: sample.labels.nameless(), value: calculate(sample.value) };
    samples.into_iter().map(one).collect()
}

/// Refuses a vector in which two series have the same labels.
fn distinct(samples: Vec<Sample>) -> Result<Vec<Sample>> {
    let mut seen = BTreeSet::new();
    match samples.iter().all(|sample| seen.insert(&sample.labels)) {
        true => Ok(samples),
        false => cannot("vector cannot contain metrics with the same labelset"),
    }
}
