//! Functions that change labels, and `absent`, which invents them.

use promql_parser::label::{MatchOp, Matcher, Matchers};
use promql_parser::parser::Expr;
use promql_parser::parser::token::T_EQL_REGEX;

use super::super::labels::{Labels, NAME};
use super::super::reply::Sample;
use super::{Result, cannot, distinct};

/// `label_replace(samples, target, replacement, source, pattern)`.
pub(super) fn replace(mut samples: Vec<Sample>, texts: [&str; 4]) -> Result<Vec<Sample>> {
    let [target, replacement, source, pattern] = texts;
    // The parser's matcher is the regular expression of Prometheus: anchored at both ends.
    let matcher = Matcher::new_matcher(T_EQL_REGEX, source.to_owned(), pattern.to_owned());
    let Ok(Matcher { op: MatchOp::Re(pattern), .. }) = matcher else {
        return cannot(format!("invalid regular expression in label_replace(): {pattern}"));
    };
    if target.is_empty() {
        return cannot(format!("invalid destination label name in label_replace(): {target}"));
    }
    for sample in &mut samples {
        let mut value = String::new();
        if let Some(found) = pattern.captures(sample.labels.get(source)) {
            found.expand(replacement, &mut value);
            sample.labels.set(target, &value);
        }
    }
    distinct(samples)
}

/// `label_join(samples, target, separator, sources…)`.
pub(super) fn join(mut samples: Vec<Sample>, texts: &[String]) -> Result<Vec<Sample>> {
    let [target, separator, sources @ ..] = texts else { return cannot("label_join() lacks arguments") };
    if target.is_empty() {
        return cannot(format!("invalid destination label name in label_join(): {target}"));
    }
    for sample in &mut samples {
        let values: Vec<_> = sources.iter().map(|source| sample.labels.get(source)).collect();
        let joined = values.join(separator);
        sample.labels.set(target, &joined);
    }
    distinct(samples)
}

/// The labels of what is not there, as far as its selector tells them.
pub(super) fn of_absent(expr: &Expr) -> Labels {
    let matchers: &Matchers = match expr {
        Expr::VectorSelector(selector) => &selector.matchers,
        Expr::MatrixSelector(selector) => &selector.vs.matchers,
        Expr::Aggregate(_)
        | Expr::Unary(_)
        | Expr::Binary(_)
        | Expr::Paren(_)
        | Expr::Subquery(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::Call(_)
        | Expr::Extension(_) => return Labels::default(),
    };
    let all = &matchers.matchers;
    let mut labels = Labels::default();
    for matcher in all.iter().filter(|matcher| matcher.name != NAME) {
        // A label that two matchers name is not known.
        let once = all.iter().filter(|other| other.name == matcher.name).count() == 1;
        if once && matches!(matcher.op, MatchOp::Equal) {
            labels.set(&matcher.name, &matcher.value);
        }
    }
    labels
}
