//! Functions over the samples of a range.

use super::super::points::{Point, Points};
use super::super::reply::Sample;
use super::aggregate::quantile;
use super::kahan::{Sum, sum};
use super::{Ranges, Result, distinct};

/// How a function of the range makes one number of the samples of each series. `None`: it is none for a range.
pub(super) fn of_range(name: &str) -> Option<fn(&Ranges<'_>, &Points<'_>) -> Option<f64>> {
    Some(match name {
        "rate" => |range, points| Some(extrapolated(range, points, true)? / seconds(range.start, range.end)),
        "increase" => |range, points| extrapolated(range, points, true),
        "delta" => |range, points| extrapolated(range, points, false),
        "irate" => |_, points| {
            let (last, before) = last_two(points)?;
            let rise = if last.value < before.value { last.value } else { last.value - before.value };
            Some(rise / seconds(before.at, last.at))
        },
        "idelta" => |_, points| last_two(points).map(|(last, before)| last.value - before.value),
        "resets" => |_, points| Some(pairs(points).filter(|(before, after)| after < before).count() as f64),
        "changes" => |_, points| {
            let differ = |before: &f64, after: &f64| before != after && !(before.is_nan() && after.is_nan());
            Some(pairs(points).filter(|(before, after)| differ(before, after)).count() as f64)
        },
        "deriv" => |_, points| deriv(points),
        "sum_over_time" => |_, points| Some(sum(points.weighted())),
        "count_over_time" => |_, points| Some(points.count()),
        "avg_over_time" => |_, points| Some(mean(points)),
        "min_over_time" => |_, points| extreme(points, |best, value| value < best),
        "max_over_time" => |_, points| extreme(points, |best, value| value > best),
        "last_over_time" => |_, points| points.last_two().0.map(|point| point.value),
        "first_over_time" => |_, points| points.first().map(|point| point.value),
        "present_over_time" => |_, _| Some(1.0),
        "stddev_over_time" => |_, points| Some(variance(points).sqrt()),
        "stdvar_over_time" => |_, points| Some(variance(points)),
        _ => return None,
    })
}

/// Calls a function on each series of a range. Samples as they are keep the name of the metric.
pub(super) fn each(
    name: &str,
    range: &Ranges<'_>,
    function: impl Fn(&Ranges<'_>, &Points<'_>) -> Option<f64>,
) -> Result<Vec<Sample>> {
    let mut out = Vec::with_capacity(range.series.len());
    for (labels, points) in &range.series {
        if let Some(value) = function(range, points) {
            let same = matches!(name, "first_over_time" | "last_over_time");
            let labels = if same { labels.clone() } else { labels.nameless() };
            out.push(Sample { labels, value });
        }
    }
    distinct(out)
}

/// A quantile of the values of a range.
pub(super) fn quantile_over_time(share: f64, points: &Points<'_>) -> f64 {
    quantile(share, points.iter().map(|point| point.value).collect())
}

fn seconds(from: i64, to: i64) -> f64 {
    to.saturating_sub(from) as f64 / 1_000.0
}

fn last_two(points: &Points<'_>) -> Option<(Point, Point)> {
    let (last, before) = points.last_two();
    last.zip(before)
}

fn pairs(points: &Points<'_>) -> impl Iterator<Item = (f64, f64)> {
    points.iter().zip(points.iter().skip(1)).map(|(before, after)| (before.value, after.value))
}

/// The change over the range as `rate` and `increase` see it: from the first sample to the last, resets of a counter added,
/// then stretched to the ends of the range. Where the first or last sample is further from its end than 1.1 steps, the
/// series is taken to begin or end half a step from it; a counter never began below 0.
fn extrapolated(range: &Ranges<'_>, points: &Points<'_>, counter: bool) -> Option<f64> {
    let (first, (last, _)) = (points.first()?, last_two(points)?);
    let mut rise = last.value - first.value;
    if counter {
        rise += pairs(points).filter(|(before, after)| after < before).map(|(before, _)| before).sum::<f64>();
    }
    let sampled = seconds(first.at, last.at);
    let step = sampled / (points.count() - 1.0);
    let threshold = step * 1.1;
    let (mut before, mut after) = (seconds(range.start, first.at), seconds(last.at, range.end));
    if before >= threshold {
        before = step / 2.0;
    }
    if counter {
        let mut to_zero = before;
        if rise > 0.0 && first.value >= 0.0 {
            to_zero = sampled * (first.value / rise);
        }
        if to_zero < before {
            before = to_zero;
        }
    }
    if after >= threshold {
        after = step / 2.0;
    }
    let factor = if sampled == 0.0 { 1.0 } else { (sampled + before + after) / sampled };
    Some(rise * factor)
}

fn mean(points: &Points<'_>) -> f64 {
    let total = sum(points.weighted());
    if total.is_infinite() && points.iter().all(|point| point.value.is_finite()) {
        // The sum overflows, the mean does not.
        return sum(points.weighted().map(|(value, times)| (value / points.count(), times)));
    }
    total / points.count()
}

/// The lowest or the highest; NaN only where all are.
fn extreme(points: &Points<'_>, better: impl Fn(f64, f64) -> bool) -> Option<f64> {
    let values = points.weighted().map(|(value, _)| value);
    values.reduce(|best, value| if better(best, value) || best.is_nan() { value } else { best })
}

/// Welford's, as Prometheus does it.
fn variance(points: &Points<'_>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, Sum::default(), Sum::default());
    for point in points.iter() {
        count += 1.0;
        let delta = point.value - mean.value();
        mean.add(delta / count);
        squares.add(delta * (point.value - mean.value()));
    }
    squares.value() / count
}

/// The slope per second of the line through the samples by least squares.
fn deriv(points: &Points<'_>) -> Option<f64> {
    let (first, _) = (points.first()?, last_two(points)?);
    if points.iter().all(|point| point.value == first.value) {
        return Some(if first.value.is_infinite() { f64::NAN } else { 0.0 });
    }
    let (mut x, mut y, mut xy, mut xx) = (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for point in points.iter() {
        let time = seconds(first.at, point.at);
        x.add(time);
        y.add(point.value);
        xy.add(time * point.value);
        xx.add(time * time);
    }
    let count = points.count();
    let (x, y, xy, xx) = (x.value(), y.value(), xy.value(), xx.value());
    Some((xy - x * y / count) / (xx - x * x / count))
}
