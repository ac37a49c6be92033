//! Runs scripts in the format of Prometheus's `promqltest`: `load`, `eval instant`, `eval_fail`, `clear`, for floats.

use std::collections::BTreeMap;

use super::super::eval::{Eval, Store};
use super::super::labels::Labels;
use super::super::points::Point;
use super::super::query::parsed;
use super::super::reply::Value;
use super::super::tsdb::Tsdb;
use crate::api::{Span, Time};
use promql_parser::label::MatchOp;
use promql_parser::parser::Expr;

#[derive(Default)]
pub(super) struct Report {
    pub(super) passed: usize,
    pub(super) failed: Vec<String>,
}

fn millis(duration: &str) -> i64 {
    match duration.parse::<f64>() {
        Ok(seconds) => (seconds * 1_000.0) as i64,
        Err(_) => duration.parse::<Span>().unwrap().as_millis() as i64,
    }
}

/// The labels that a selector such as `a{b="c"}` stands for.
fn labels(text: &str) -> Labels {
    if text == "{}" {
        return Labels::default();
    }
    let expr = parsed(text).unwrap_or_else(|why| panic!("{text}: {why:?}"));
    let Expr::VectorSelector(selector) = expr.as_ref() else { panic!("{text}") };
    let mut out = Labels::of_metric(selector.name.as_deref().unwrap_or_default(), &[]);
    for matcher in &selector.matchers.matchers {
        assert_eq!(matcher.op, MatchOp::Equal);
        out.set(&matcher.name, &matcher.value);
    }
    out
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

/// `_` nothing, `stale`, `1`, `0+10x3`, `5x2`.
fn values(text: &str) -> Vec<Option<f64>> {
    let stale = Point::stale(0).value;
    let mut out = Vec::new();
    for word in text.split_whitespace() {
        let (series, times) = match word.rsplit_once('x') {
            Some((series, times)) => (series, times.parse::<usize>().unwrap()),
            None => (word, 0),
        };
        let at = series.get(1..).and_then(|rest| rest.find(['+', '-'])).map(|at| at + 1);
        let at = at.filter(|at| !series[..*at].ends_with(['e', 'E']));
        let (first, step) = match at {
            Some(at) => (&series[..at], number(&series[at..])),
            None => (series, 0.0),
        };
        for n in 0..=times {
            match first {
                "_" if n == 0 && times > 0 => {}
                "_" => out.push(None),
                "stale" => out.push(Some(stale)),
                first => out.push(Some(number(first) + step * n as f64)),
            }
        }
    }
    out
}

/// Splits a line behind the selector that it begins with.
fn series(line: &str) -> (Labels, &str) {
    let mut quote = false;
    let mut end = line.find(char::is_whitespace).unwrap_or(line.len());
    if let Some(open) = line.find('{').filter(|open| *open <= end) {
        for (at, c) in line.char_indices().skip(open) {
            match c {
                '"' => quote = !quote,
                '}' if !quote => {
                    end = at + 1;
                    break;
                }
                _ => {}
            }
        }
    }
    (labels(&line[..end]), line[end..].trim())
}

fn near(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() / (a.abs() + b.abs()) < 1e-6
}

/// A store that was scraped every `step` seconds from `begin` on, with one series a line.
pub(crate) fn loaded(begin: Time, step: u32, text: &str) -> Tsdb {
    let mut tsdb = Tsdb::new(Span::days(300));
    let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    load(&mut tsdb, begin.0.as_millisecond(), i64::from(step) * 1_000, &lines);
    tsdb
}

fn load(tsdb: &mut Tsdb, begin: i64, step: i64, lines: &[&str]) {
    for line in lines {
        let (labels, rest) = series(line);
        let id = tsdb.series_of(labels);
        for (n, value) in values(rest).into_iter().enumerate() {
            if let Some(value) = value {
                tsdb.push_value(id, begin + step * n as i64, value);
            }
        }
    }
}

pub(super) fn run(script: &str) -> Report {
    let mut report = Report::default();
    let mut tsdb = Tsdb::new(Span::days(300));
    let lines = script.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let lines: Vec<_> = lines.collect();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let block: Vec<_> = lines[at..].iter().take_while(|line| !line.is_empty()).copied().collect();
        if line.is_empty() {
            continue;
        }
        if *line == "clear" {
            tsdb = Tsdb::new(Span::days(300));
        } else if let Some(step) = line.strip_prefix("load ") {
            at += block.len();
            load(&mut tsdb, 0, millis(step.trim()), &block);
        } else if let Some(rest) = line.strip_prefix("eval instant at ") {
            at += block.len();
            let (when, query) = rest.split_once(' ').unwrap();
            let verdict = judge(&tsdb, millis(when), query.trim(), &block);
            match verdict {
                Ok(()) => report.passed += 1,
                Err(why) => report.failed.push(format!("{line}: {why}")),
            }
        } else {
            panic!("not understood: {line}");
        }
    }
    report
}

fn judge(tsdb: &Tsdb, at: i64, query: &str, block: &[&str]) -> Result<(), String> {
    let fails = block.iter().find_map(|line| line.strip_prefix("expect fail"));
    let ordered = block.iter().any(|line| line.starts_with("expect ordered"));
    let wanted: Vec<_> = block.iter().filter(|line| !line.starts_with("expect")).collect();
    let got = match Eval::new(tsdb, at, Store::Whole).value(query) {
        Err(why) if fails.is_some() => {
            let message = fails.and_then(|rest| rest.trim().strip_prefix("msg:")).unwrap_or_default().trim().to_owned();
            return if format!("{why:?}").contains(&message) { Ok(()) } else { Err(format!("{why:?}")) };
        }
        Err(why) => return Err(format!("{why:?}")),
        Ok(got) if fails.is_some() => return Err(format!("does not fail: {got:?}")),
        Ok(got) => got,
    };
    match got {
        Value::Scalar(value) => {
            let wanted = number(wanted.first().ok_or("no number wanted")?);
            if near(value, wanted) { Ok(()) } else { Err(format!("{value}, not {wanted}")) }
        }
        Value::Vector(samples) => {
            let wanted: Vec<_> = wanted.iter().map(|line| series(line)).map(|(l, v)| (l, number(v))).collect();
            let got: Vec<_> = samples.into_iter().map(|sample| (sample.labels, sample.value)).collect();
            let same_order = got.iter().map(|(l, _)| l).eq(wanted.iter().map(|(l, _)| l));
            let map: BTreeMap<_, _> = got.iter().cloned().collect();
            let all = wanted.iter().all(|(labels, value)| map.get(labels).is_some_and(|got| near(*got, *value)));
            if all && got.len() == wanted.len() && (same_order || !ordered) { Ok(()) } else { Err(format!("{got:?}")) }
        }
        other @ (Value::Text(_) | Value::Matrix(_)) => Err(format!("{other:?}")),
    }
}
