//! Aggregations over the series of a vector.

use std::collections::BTreeMap;

use promql_parser::parser::token::{
    T_AVG, T_BOTTOMK, T_COUNT, T_COUNT_VALUES, T_GROUP, T_MAX, T_MIN, T_QUANTILE, T_STDDEV, T_STDVAR, T_SUM, T_TOPK,
};
use promql_parser::parser::{AggregateExpr, Expr, LabelModifier};

use super::super::labels::Labels;
use super::super::reply::{Problem, Sample, number};
use super::{Eval, Got, Result, cannot, distinct, kahan};

impl Eval<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &AggregateExpr, at: i64) -> Result<Vec<Sample>> {
        let samples = self.vector(&aggregate.expr, at)?;
        let by = |labels: &Labels| match &aggregate.modifier {
            None => Labels::default(),
            Some(LabelModifier::Include(names)) => labels.only(|name| names.labels.iter().any(|known| known == name)),
            Some(LabelModifier::Exclude(names)) => {
                labels.without(|name| names.labels.iter().any(|known| known == name))
            }
        };
        let mut groups = BTreeMap::<Labels, Vec<Sample>>::new();
        for sample in samples {
            groups.entry(by(&sample.labels)).or_default().push(sample);
        }
        let values = |of: fn(&[f64]) -> f64| {
            let one = move |(labels, samples): (Labels, Vec<Sample>)| {
                let values: Vec<_> = samples.iter().map(|sample| sample.value).collect();
                Sample { labels, value: of(&values) }
            };
            move |groups: BTreeMap<Labels, Vec<Sample>>| Ok(groups.into_iter().map(one).collect())
        };
        match aggregate.op.id() {
            T_SUM => values(sum)(groups),
            T_AVG => values(mean)(groups),
            T_COUNT => values(|values| values.len() as f64)(groups),
            T_GROUP => values(|_| 1.0)(groups),
            T_MIN => values(|values| extreme(values, |best, value| value < best))(groups),
            T_MAX => values(|values| extreme(values, |best, value| value > best))(groups),
            T_STDVAR => values(variance)(groups),
            T_STDDEV => values(|values| variance(values).sqrt())(groups),
            T_QUANTILE => {
                let share = self.param(aggregate, at)?;
                self.check_quantile(share);
                let one = |(labels, samples): (Labels, Vec<Sample>)| {
                    let values = samples.into_iter().map(|sample| sample.value).collect();
                    Sample { labels, value: quantile(share, values) }
                };
                Ok(groups.into_iter().map(one).collect())
            }
            T_TOPK => Ok(first_of(self.size(aggregate, at)?, groups, |a, b| descending(*a, *b))),
            T_BOTTOMK => Ok(first_of(self.size(aggregate, at)?, groups, |a, b| ascending(*a, *b))),
            T_COUNT_VALUES => count_values(&self.label(aggregate, at)?, groups),
            _ => Err(Problem::BadData(format!(
                "parse error: {}() is experimental and must be enabled with \
                 --enable-feature=promql-experimental-functions",
                aggregate.op
            ))),
        }
    }

    fn param(&mut self, aggregate: &AggregateExpr, at: i64) -> Result<f64> {
        match &aggregate.param {
            Some(param) => self.scalar(param, at),
            None => cannot("the aggregation lacks its parameter"),
        }
    }

    /// How many series `topk` and `bottomk` leave.
    fn size(&mut self, aggregate: &AggregateExpr, at: i64) -> Result<usize> {
        let size = self.param(aggregate, at)?;
        if size.is_nan() {
            cannot("Parameter value is NaN")
        } else if size >= i64::MAX as f64 {
            cannot(format!("Scalar value {} overflows int64", number(size)))
        } else if size <= i64::MIN as f64 {
            cannot(format!("Scalar value {} underflows int64", number(size)))
        } else {
            // Below 1 it is none.
            Ok(size as usize)
        }
    }

    fn label(&mut self, aggregate: &AggregateExpr, at: i64) -> Result<String> {
        let param: Option<&Expr> = aggregate.param.as_deref();
        match param.map(|param| self.eval(param, at)).transpose()? {
            Some(Got::Text(label)) if !label.is_empty() => Ok(label),
            Some(Got::Text(label)) => cannot(format!("invalid label name {label:?}")),
            Some(Got::Scalar(_) | Got::Vector(_) | Got::Matrix(_)) | None => cannot("expected type string"),
        }
    }

    /// Prometheus answers for shares that cannot be, and warns.
    pub(super) fn check_quantile(&mut self, share: f64) {
        if !(0.0..=1.0).contains(&share) {
            self.warn(format!("quantile value should be between 0 and 1, got {}", number(share)));
        }
    }
}

fn sum(values: &[f64]) -> f64 {
    kahan::sum(values.iter().map(|value| (*value, 1.0)))
}

fn mean(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let total = sum(values);
    if total.is_infinite() && values.iter().all(|value| value.is_finite()) {
        // The sum overflows, the mean does not.
        return kahan::sum(values.iter().map(|value| (*value / count, 1.0)));
    }
    total / count
}

/// The lowest or the highest; NaN only where all are.
fn extreme(values: &[f64], better: impl Fn(f64, f64) -> bool) -> f64 {
    let best = |best: f64, value: f64| if better(best, value) || best.is_nan() { value } else { best };
    values.iter().copied().reduce(best).unwrap_or(f64::NAN)
}

fn variance(values: &[f64]) -> f64 {
    if values.iter().any(|value| !value.is_finite()) {
        return f64::NAN;
    }
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        count += 1.0;
        let delta = value - mean;
        mean += delta / count;
        squares += delta * (value - mean);
    }
    squares / count
}

/// The quantile of values, between the two next to it in proportion; NaN counts as the lowest.
pub(super) fn quantile(share: f64, mut values: Vec<f64>) -> f64 {
    if values.is_empty() || share.is_nan() {
        return f64::NAN;
    }
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| (!a.is_nan()).cmp(&!b.is_nan()).then(a.total_cmp(b)));
    let rank = share * (values.len() - 1) as f64;
    let lower = rank.floor() as usize;
    let value = |at: usize| values.get(at.min(values.len() - 1)).copied().unwrap_or(f64::NAN);
    let weight = rank - rank.floor();
    value(lower) * (1.0 - weight) + value(lower + 1) * weight
}

/// From low to high, NaN last.
pub(super) fn ascending(a: f64, b: f64) -> std::cmp::Ordering {
    a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(&b))
}

/// From high to low, NaN last.
pub(super) fn descending(a: f64, b: f64) -> std::cmp::Ordering {
    a.is_nan().cmp(&b.is_nan()).then(b.total_cmp(&a))
}

fn first_of(
    size: usize,
    groups: BTreeMap<Labels, Vec<Sample>>,
    order: impl Fn(&f64, &f64) -> std::cmp::Ordering,
) -> Vec<Sample> {
    let mut out = Vec::new();
    for mut samples in groups.into_values() {
        samples.sort_by(|a, b| order(&a.value, &b.value));
        samples.truncate(size);
        out.append(&mut samples);
    }
    out
}

fn count_values(label: &str, groups: BTreeMap<Labels, Vec<Sample>>) -> Result<Vec<Sample>> {
    let mut counts = BTreeMap::<Labels, f64>::new();
    for (labels, samples) in groups {
        for sample in samples {
            let mut labels = labels.clone();
            // Go's format 'f', which knows no exponents: Rust's own.
            let text = if sample.value.is_finite() { sample.value.to_string() } else { number(sample.value) };
            labels.set(label, &text);
            *counts.entry(labels).or_default() += 1.0;
        }
    }
    distinct(counts.into_iter().map(|(labels, value)| Sample { labels, value }).collect())
}
