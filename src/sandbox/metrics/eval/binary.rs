//! Binary operators, and how they find the partner of each series.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::parser::token::{
    T_ADD, T_ATAN2, T_DIV, T_EQLC, T_GTE, T_GTR, T_LAND, T_LOR, T_LSS, T_LTE, T_LUNLESS, T_MOD, T_MUL, T_NEQ, T_POW,
    T_SUB, TokenId, TokenType,
};
use promql_parser::parser::{BinModifier, BinaryExpr, LabelModifier, VectorMatchCardinality};

use super::super::labels::Labels;
use super::super::reply::{Problem, Sample};
use super::{Eval, Got, Result, cannot, distinct};

impl<'a> Eval<'a> {
    pub(super) fn binary(&mut self, binary: &BinaryExpr, at: i64) -> Result<Got<'a>> {
        let default = BinModifier::default();
        let modifier = binary.modifier.as_ref().unwrap_or(&default);
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            let why = "parse error: binop fill modifiers are experimental and not enabled";
            return Err(Problem::BadData(why.to_owned()));
        }
        let op = binary.op;
        let (left, right) = (self.eval(&binary.lhs, at)?, self.eval(&binary.rhs, at)?);
        match (left, right) {
            (Got::Scalar(left), Got::Scalar(right)) => match calculated(op.id(), left, right) {
                Some(Outcome::Value(value)) => Ok(Got::Scalar(value)),
                Some(Outcome::Holds(holds)) => Ok(Got::Scalar(f64::from(u8::from(holds)))),
                None => cannot(format!("operator {op} not allowed for Scalar operations")),
            },
            (Got::Vector(samples), Got::Scalar(scalar)) => with_scalar(op, modifier, samples, |value| (value, scalar)),
            (Got::Scalar(scalar), Got::Vector(samples)) => with_scalar(op, modifier, samples, |value| (scalar, value)),
            (Got::Vector(left), Got::Vector(right)) => match op.id() {
                T_LAND => Ok(Got::Vector(kept(modifier, left, &right, true))),
                T_LUNLESS => Ok(Got::Vector(kept(modifier, left, &right, false))),
                T_LOR => {
                    let mut more = kept(modifier, right, &left, false);
                    let mut all = left;
                    all.append(&mut more);
                    distinct(all).map(Got::Vector)
                }
                _ => matched(op, modifier, left, right).map(Got::Vector),
            },
            (Got::Text(_) | Got::Matrix(_), _) | (_, Got::Text(_) | Got::Matrix(_)) => {
                cannot("binary expression must contain only scalar and instant vector types")
            }
        }
    }
}

enum Outcome {
    Value(f64),
    Holds(bool),
}

fn calculated(op: TokenId, left: f64, right: f64) -> Option<Outcome> {
    Some(match op {
        T_ADD => Outcome::Value(left + right),
        T_SUB => Outcome::Value(left - right),
        T_MUL => Outcome::Value(left * right),
        T_DIV => Outcome::Value(left / right),
        T_MOD => Outcome::Value(left % right),
        T_POW => Outcome::Value(left.powf(right)),
        T_ATAN2 => Outcome::Value(left.atan2(right)),
        T_EQLC => Outcome::Holds(left == right),
        T_NEQ => Outcome::Holds(left != right),
        T_GTR => Outcome::Holds(left > right),
        T_LSS => Outcome::Holds(left < right),
        T_GTE => Outcome::Holds(left >= right),
        T_LTE => Outcome::Holds(left <= right),
        _ => return None,
    })
}

/// What an operator leaves of a sample: its value and whether it is still the same metric. `None`: nothing.
fn left_of(op: TokenType, bool: bool, (left, right): (f64, f64), own: f64) -> Result<Option<(f64, bool)>> {
    match calculated(op.id(), left, right) {
        Some(Outcome::Value(value)) => Ok(Some((value, false))),
        Some(Outcome::Holds(holds)) if bool => Ok(Some((f64::from(u8::from(holds)), false))),
        Some(Outcome::Holds(holds)) => Ok(holds.then_some((own, true))),
        None => cannot(format!("operator {op} not allowed for operations between Vectors")),
    }
}

fn with_scalar<'a>(
    op: TokenType,
    modifier: &BinModifier,
    samples: Vec<Sample>,
    operands: impl Fn(f64) -> (f64, f64),
) -> Result<Got<'a>> {
    let mut out = Vec::with_capacity(samples.len());
    for sample in samples {
        if let Some((value, same)) = left_of(op, modifier.return_bool, operands(sample.value), sample.value)? {
            let labels = if same { sample.labels } else { sample.labels.nameless() };
            out.push(Sample { labels, value });
        }
    }
    distinct(out).map(Got::Vector)
}

/// The labels by which two series find each other.
fn signature(modifier: &BinModifier, labels: &Labels) -> Labels {
    match &modifier.matching {
        Some(LabelModifier::Include(on)) => labels.only(|name| on.labels.iter().any(|known| known == name)),
        Some(LabelModifier::Exclude(ignored)) => {
            labels.without(|name| ignored.labels.iter().any(|known| known == name))
        }
        None => labels.nameless(),
    }
}

/// The samples that have a partner on the other side, or those that have none.
fn kept(modifier: &BinModifier, samples: Vec<Sample>, other: &[Sample], partner: bool) -> Vec<Sample> {
    let there: BTreeSet<_> = other.iter().map(|sample| signature(modifier, &sample.labels)).collect();
    samples.into_iter().filter(|sample| there.contains(&signature(modifier, &sample.labels)) == partner).collect()
}

fn matched(op: TokenType, modifier: &BinModifier, left: Vec<Sample>, right: Vec<Sample>) -> Result<Vec<Sample>> {
    let (side, include) = match &modifier.card {
        VectorMatchCardinality::OneToOne => ("right", None),
        VectorMatchCardinality::ManyToOne(include) => ("right", Some(include)),
        VectorMatchCardinality::OneToMany(include) => ("left", Some(include)),
        VectorMatchCardinality::ManyToMany => return cannot("many-to-many only allowed for set operators"),
    };
    let swapped = side == "left";
    let (many, one) = if swapped { (right, left) } else { (left, right) };
    if many.is_empty() || one.is_empty() {
        return Ok(Vec::new());
    }
    let mut ones = BTreeMap::<Labels, &Sample>::new();
    for sample in &one {
        let signature = signature(modifier, &sample.labels);
        if let Some(other) = ones.insert(signature.clone(), sample) {
            let mut twice = [sample.labels.to_string(), other.labels.to_string()];
            twice.sort();
            return cannot(format!(
                "found duplicate series for the match group {signature} on the {side} hand-side of the operation: [{}];\
                 many-to-many matching not allowed: matching labels must be unique on one side",
                twice.join(", ")
            ));
        }
    }
    let mut out = Vec::with_capacity(many.len());
    let mut seen = BTreeSet::new();
    for sample in &many {
        let signature = signature(modifier, &sample.labels);
        let Some(partner) = ones.get(&signature) else { continue };
        let (a, b) = if swapped { (partner.value, sample.value) } else { (sample.value, partner.value) };
        let result = left_of(op, modifier.return_bool, (a, b), a)?;
        // The name stays for a comparison, also for one that does not hold here and leaves nothing.
        let same = result.is_none_or(|(_, same)| same);
        let mut labels = if same { sample.labels.clone() } else { sample.labels.nameless() };
        match include {
            None => {
                labels = match &modifier.matching {
                    Some(LabelModifier::Include(on)) => labels.only(|name| on.labels.iter().any(|known| known == name)),
                    Some(LabelModifier::Exclude(ignored)) => {
                        labels.only(|name| !ignored.labels.iter().any(|known| known == name))
                    }
                    None => labels,
                };
                if !seen.insert((signature, Labels::default())) {
                    return cannot(
                        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
                    );
                }
            }
            Some(include) => {
                include.labels.iter().for_each(|name| labels.set(name, partner.labels.get(name)));
                if !seen.insert((signature, labels.clone())) {
                    return cannot("multiple matches for labels: grouping labels must ensure unique matches");
                }
            }
        }
        if let Some((value, _)) = result {
            out.push(Sample { labels, value });
        }
    }
    distinct(out)
}
