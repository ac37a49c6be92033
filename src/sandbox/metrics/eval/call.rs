//! Functions, by name.

use promql_parser::parser::{Call, Expr};

use super::super::labels::Labels;
use super::super::points::Points;
use super::super::reply::{Problem, Sample};
use super::aggregate::{ascending, descending};
use super::{Eval, Got, Ranges, Result, cannot, distinct, labels, mapped, range};

impl<'a> Eval<'a> {
    pub(super) fn call(&mut self, call: &Call, at: i64) -> Result<Got<'a>> {
        let name = call.func.name;
        if call.func.experimental {
            return Err(Problem::BadData(format!("parse error: function {name:?} is not enabled")));
        }
        let args = Args { name, args: &call.args.args };
        if let Some(function) = range::of_range(name) {
            let ranges = args.range(self, 0, at)?;
            return range::each(name, &ranges, function).map(Got::Vector);
        }
        if let Some(calculate) = of_value(name) {
            return distinct(mapped(args.vector(self, 0, at)?, calculate)).map(Got::Vector);
        }
        match name {
            "time" => Ok(Got::Scalar(at as f64 / 1_000.0)),
            "pi" => Ok(Got::Scalar(std::f64::consts::PI)),
            "scalar" => Ok(Got::Scalar(match args.vector(self, 0, at)?.as_slice() {
                [only] => only.value,
                [] | [_, _, ..] => f64::NAN,
            })),
            "vector" => {
                let value = args.scalar(self, 0, at)?;
                Ok(Got::Vector(vec![Sample { labels: Labels::default(), value }]))
            }
            "timestamp" => distinct(mapped(self.times(&args, at)?, |time| time)).map(Got::Vector),
            "absent" => Ok(Got::Vector(args.absent(args.vector(self, 0, at)?.is_empty())?)),
            "absent_over_time" => Ok(Got::Vector(args.absent(args.range(self, 0, at)?.series.is_empty())?)),
            "quantile_over_time" => {
                let (share, ranges) = (args.scalar(self, 0, at)?, args.range(self, 1, at)?);
                self.check_quantile(share);
                let function = |_: &Ranges<'_>, points: &Points<'_>| Some(range::quantile_over_time(share, points));
                range::each(name, &ranges, function).map(Got::Vector)
            }
            "histogram_quantile" => {
                let (share, samples) = (args.scalar(self, 0, at)?, args.vector(self, 1, at)?);
                distinct(self.histogram_quantile(share, samples)).map(Got::Vector)
            }
            "clamp" => {
                let (lowest, highest) = (args.scalar(self, 1, at)?, args.scalar(self, 2, at)?);
                clamped(args.vector(self, 0, at)?, lowest, highest).map(Got::Vector)
            }
            "clamp_min" => {
                let lowest = args.scalar(self, 1, at)?;
                clamped(args.vector(self, 0, at)?, lowest, f64::INFINITY).map(Got::Vector)
            }
            "clamp_max" => {
                let highest = args.scalar(self, 1, at)?;
                clamped(args.vector(self, 0, at)?, f64::NEG_INFINITY, highest).map(Got::Vector)
            }
            "round" => {
                // By the inverse, as Prometheus does, which rounds fewer numbers wrongly.
                let inverse = 1.0 / if args.args.len() > 1 { args.scalar(self, 1, at)? } else { 1.0 };
                let round = |value: f64| (value * inverse + 0.5).floor() / inverse;
                distinct(mapped(args.vector(self, 0, at)?, round)).map(Got::Vector)
            }
            "sort" | "sort_desc" => {
                let mut samples = args.vector(self, 0, at)?;
                let order = if name == "sort" { ascending } else { descending };
                samples.sort_by(|a, b| order(a.value, b.value));
                Ok(Got::Vector(samples))
            }
            "label_replace" => {
                let samples = args.vector(self, 0, at)?;
                match args.texts(self, at)?.as_slice() {
                    [target, replacement, source, pattern] => {
                        labels::replace(samples, [target, replacement, source, pattern]).map(Got::Vector)
                    }
                    _ => cannot("label_replace() takes four texts"),
                }
            }
            "label_join" => {
                let samples = args.vector(self, 0, at)?;
                labels::join(samples, &args.texts(self, at)?).map(Got::Vector)
            }
            _ => cannot(format!("function {name:?} is not evaluated by this Prometheus")),
        }
    }

    /// The times of samples; of a calculation it is now.
    fn times(&mut self, args: &Args<'_>, at: i64) -> Result<Vec<Sample>> {
        let mut arg = args.get(0)?;
        while let Expr::Paren(inner) = arg {
            arg = &inner.expr;
        }
        if let Expr::VectorSelector(selector) = arg {
            return Ok(self.select_times(selector, at));
        }
        let samples = args.vector(self, 0, at)?;
        Ok(samples.into_iter().map(|sample| Sample { value: at as f64 / 1_000.0, ..sample }).collect())
    }
}

/// The arguments of a function.
struct Args<'e> {
    name: &'e str,
    args: &'e [Box<Expr>],
}

impl<'e> Args<'e> {
    fn get(&self, at: usize) -> Result<&'e Expr> {
        match self.args.get(at) {
            Some(expr) => Ok(expr),
            None => cannot(format!("call to function '{}' lacks arguments", self.name)),
        }
    }

    fn vector(&self, eval: &mut Eval<'_>, arg: usize, at: i64) -> Result<Vec<Sample>> {
        eval.vector(self.get(arg)?, at)
    }

    fn scalar(&self, eval: &mut Eval<'_>, arg: usize, at: i64) -> Result<f64> {
        eval.scalar(self.get(arg)?, at)
    }

    fn range<'a>(&self, eval: &mut Eval<'a>, arg: usize, at: i64) -> Result<Ranges<'a>> {
        match eval.eval(self.get(arg)?, at)? {
            Got::Matrix(ranges) => Ok(ranges),
            Got::Scalar(_) | Got::Text(_) | Got::Vector(_) => {
                cannot(format!("expected type range vector in call to function {:?}", self.name))
            }
        }
    }

    /// All arguments but the first.
    fn texts(&self, eval: &mut Eval<'_>, at: i64) -> Result<Vec<String>> {
        let mut text = |expr: &Expr| match eval.eval(expr, at)? {
            Got::Text(text) => Ok(text),
            Got::Scalar(_) | Got::Vector(_) | Got::Matrix(_) => {
                cannot(format!("expected type string in call to function {:?}", self.name))
            }
        };
        self.args.iter().skip(1).map(|expr| text(expr)).collect()
    }

    /// 1 where there is nothing.
    fn absent(&self, nothing: bool) -> Result<Vec<Sample>> {
        let labels = labels::of_absent(self.get(0)?);
        Ok(if nothing { vec![Sample { labels, value: 1.0 }] } else { Vec::new() })
    }
}

/// Functions of each value alone.
fn of_value(name: &str) -> Option<fn(f64) -> f64> {
    Some(match name {
        "abs" => f64::abs,
        "ceil" => f64::ceil,
        "floor" => f64::floor,
        "exp" => f64::exp,
        "ln" => f64::ln,
        "log2" => f64::log2,
        "log10" => f64::log10,
        "sqrt" => f64::sqrt,
        "sgn" => |value| {
            if value > 0.0 {
                1.0
            } else if value < 0.0 {
                -1.0
            } else {
                value
            }
        },
        _ => return None,
    })
}

fn clamped(samples: Vec<Sample>, lowest: f64, highest: f64) -> Result<Vec<Sample>> {
    if highest < lowest {
        return Ok(Vec::new());
    }
    let clamp = |value: f64| match value.is_nan() || lowest.is_nan() || highest.is_nan() {
        true => f64::NAN,
        false => value.min(highest).max(lowest),
    };
    distinct(mapped(samples, clamp))
}
