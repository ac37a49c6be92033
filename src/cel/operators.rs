//! Equality, order and arithmetic.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

use kube_cel::cel::common::ast::operators as op;

use super::library;
use super::value::{Fault, List, Map, Val};

/// Whether two values are the same; numbers are compared by value, whatever their type.
pub(super) fn same(a: &Val<'_>, b: &Val<'_>) -> bool {
    match (a, b) {
        (Val::Null, Val::Null) => true,
        (Val::Bool(a), Val::Bool(b)) | (Val::Decision(a), Val::Decision(b)) => a == b,
        (Val::Text(a), Val::Text(b)) => a == b,
        (Val::List(List::Json(a)), Val::List(List::Json(b))) => std::ptr::eq(*a, *b) || a == b,
        (Val::List(a), Val::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(&a, &b)),
        (Val::Map(Map::Json(a)), Val::Map(Map::Json(b))) => std::ptr::eq(*a, *b) || a == b,
        (Val::Map(a), Val::Map(b)) => {
            a.len() == b.len()
                && a.keys().iter().all(|key| match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => same(&a, &b),
                    (_, _) => false,
                })
        }
        (Val::Optional(None), Val::Optional(None)) => true,
        (Val::Optional(Some(a)), Val::Optional(Some(b))) => same(a, b),
        (a, b) => order(a, b).is_ok_and(Ordering::is_eq),
    }
}

/// The order of two values that have one.
pub(super) fn order(a: &Val<'_>, b: &Val<'_>) -> Result<Ordering, Fault> {
    let order = match (a, b) {
        (Val::Int(a), Val::Int(b)) => Some(a.cmp(b)),
        (Val::Uint(a), Val::Uint(b)) => Some(a.cmp(b)),
        (Val::Int(a), Val::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Val::Uint(a), Val::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Val::Text(a), Val::Text(b)) => Some(a.cmp(b)),
        (Val::Bool(a), Val::Bool(b)) => Some(a.cmp(b)),
        (Val::Other(a), Val::Other(b)) => a.partial_cmp(b),
        // Fields with the format date-time or duration are text in JSON, and values of that type in a rule.
        (Val::Other(a), Val::Text(b)) => library::of_the_type_of(a, b).and_then(|b| a.partial_cmp(&b)),
        (Val::Text(a), Val::Other(b)) => library::of_the_type_of(b, a).and_then(|a| a.partial_cmp(b)),
        (a, b) => match (number(a), number(b)) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            (_, _) => None,
        },
    };
    order.ok_or_else(Fault::no_such_overload)
}

pub(super) fn number(value: &Val<'_>) -> Option<f64> {
    match value {
        Val::Int(int) => Some(*int as f64),
        Val::Uint(uint) => Some(*uint as f64),
        Val::Double(double) => Some(*double),
        Val::Null
        | Val::Bool(_)
        | Val::Text(_)
        | Val::List(_)
        | Val::Map(_)
        | Val::Optional(_)
        | Val::Other(_)
        | Val::Access(_)
        | Val::Decision(_) => None,
    }
}

/// Whether a list holds a value, or a map a key.
pub(super) fn within(item: &Val<'_>, container: &Val<'_>) -> Result<bool, Fault> {
    match (item, container) {
        (item, Val::List(list)) => Ok(list.iter().any(|other| same(item, &other))),
        (Val::Text(key), Val::Map(map)) => Ok(map.has(key)),
        (_, _) => Err(Fault::no_such_overload()),
    }
}

/// An item of a list, or the value of a key.
pub(super) fn index<'a>(container: &Val<'a>, index: &Val<'_>) -> Result<Val<'a>, Fault> {
    match (container, index) {
        (Val::Map(map), Val::Text(key)) => map.get(key).ok_or_else(|| Fault::no_such_key(key)),
        (Val::List(list), index) => {
            let place = if let Val::Int(int) = index {
                usize::try_from(*int).ok()
            } else if let Val::Uint(uint) = index {
                usize::try_from(*uint).ok()
            } else {
                return Err(Fault::no_such_overload());
            };
            let item = place.and_then(|place| list.get(place));
            item.ok_or_else(|| Fault(format!("index out of bounds: {}", number(index).unwrap_or_default())))
        }
        (_, _) => Err(Fault::no_such_overload()),
    }
}

/// `+`, `-`, `*`, `/` and `%`.
pub(super) fn calculate<'a>(operator: &str, a: &Val<'a>, b: &Val<'a>) -> Result<Val<'a>, Fault> {
    match (a, b) {
        (Val::Text(a), Val::Text(b)) if operator == op::ADD => Ok(Val::Text(Cow::Owned(format!("{a}{b}")))),
        (Val::List(a), Val::List(b)) if operator == op::ADD => Ok(Val::List(joined(a, b))),
        (Val::Int(a), Val::Int(b)) => {
            let result = match operator {
                op::ADD => a.checked_add(*b),
                op::SUBSTRACT => a.checked_sub(*b),
                op::MULTIPLY => a.checked_mul(*b),
                op::DIVIDE | op::MODULO if *b == 0 => return Err(Fault("division by zero".to_owned())),
                op::DIVIDE => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            result.map(Val::Int).ok_or_else(|| Fault("integer overflow".to_owned()))
        }
        // A number without a fraction looks like an int in JSON, so one double makes both of them so.
        (Val::Double(_), Val::Int(_) | Val::Double(_)) | (Val::Int(_), Val::Double(_)) => {
            let (Some(a), Some(b)) = (number(a), number(b)) else { return Err(Fault::no_such_overload()) };
            match operator {
                op::ADD => Ok(Val::Double(a + b)),
                op::SUBSTRACT => Ok(Val::Double(a - b)),
                op::MULTIPLY => Ok(Val::Double(a * b)),
                op::DIVIDE => Ok(Val::Double(a / b)),
                _ => Err(Fault::no_such_overload()),
            }
        }
        (a, b) => library::calculate(operator, a, b),
    }
}

fn joined<'a>(a: &List<'a>, b: &List<'a>) -> List<'a> {
    if a.is_empty() {
        return b.clone();
    }
    let mut all = Vec::with_capacity(a.len() + b.len());
    all.extend(a.iter());
    all.extend(b.iter());
    List::Made(Rc::new(all))
}
