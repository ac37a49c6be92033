//! The functions that are used all the time, on values as they are. Everything else goes to the library.

use std::borrow::Cow;

use super::library;
use super::operators::same;
use super::pattern::matches;
use super::value::{Fault, List, Val};

/// A method of a value.
pub(super) fn method<'a>(name: &str, target: Val<'a>, args: Vec<Val<'a>>) -> Result<Val<'a>, Fault> {
    match (name, &target, args.as_slice()) {
        ("size", _, []) => size(&target),
        ("startsWith", Val::Text(text), [Val::Text(part)]) => Ok(Val::Bool(text.starts_with(part.as_ref()))),
        ("endsWith", Val::Text(text), [Val::Text(part)]) => Ok(Val::Bool(text.ends_with(part.as_ref()))),
        ("contains", Val::Text(text), [Val::Text(part)]) => Ok(Val::Bool(text.contains(part.as_ref()))),
        ("matches", Val::Text(text), [Val::Text(pattern)]) => matches(text, pattern).map(Val::Bool),
        ("indexOf", Val::List(list), [item]) => Ok(Val::Int(place(list, item))),
        ("allowed", Val::Decision(allowed), []) => Ok(Val::Bool(*allowed)),
        ("hasValue", Val::Optional(value), []) => Ok(Val::Bool(value.is_some())),
        ("value", Val::Optional(value), []) => {
            value.as_deref().cloned().ok_or_else(|| Fault("optional.none() dereference".to_owned()))
        }
        ("orValue", Val::Optional(value), [other]) => Ok(value.as_deref().unwrap_or(other).clone()),
        ("or", Val::Optional(value), [other]) => Ok(if value.is_some() { target.clone() } else { other.clone() }),
        (_, _, _) => library::method(name, &target, &args),
    }
}

/// A function.
pub(super) fn global<'a>(name: &str, args: Vec<Val<'a>>) -> Result<Val<'a>, Fault> {
    match (name, args.as_slice()) {
        ("size", [value]) => size(value),
        ("dyn", [value]) => Ok(value.clone()),
        ("string", [Val::Int(int)]) => Ok(Val::Text(Cow::Owned(int.to_string()))),
        ("timestamp" | "duration", [value @ Val::Other(_)]) => Ok(value.clone()),
        ("string", [Val::Text(text)]) => Ok(Val::Text(text.clone())),
        ("matches", [Val::Text(text), Val::Text(pattern)]) => matches(text, pattern).map(Val::Bool),
        (_, _) => library::global(name, &args),
    }
}

/// A function with a qualified name.
pub(super) fn qualified<'a>(library: &str, name: &str, args: Vec<Val<'a>>) -> Result<Val<'a>, Fault> {
    match (library, name, args.as_slice()) {
        ("optional", "none", []) => Ok(Val::Optional(None)),
        ("optional", "of", [value]) => Ok(Val::optional(Some(value.clone()))),
        ("jsonpatch", "escapeKey", [Val::Text(key)]) => {
            Ok(Val::Text(Cow::Owned(key.replace('~', "~0").replace('/', "~1"))))
        }
        (_, _, _) => library::qualified(library, name, &args),
    }
}

fn size<'a>(value: &Val<'_>) -> Result<Val<'a>, Fault> {
    let size = if let Val::Text(text) = value {
        text.chars().count()
    } else if let Val::List(list) = value {
        list.len()
    } else if let Val::Map(map) = value {
        map.len()
    } else {
        return Err(Fault::no_such_overload());
    };
    i64::try_from(size).map(Val::Int).map_err(|_| Fault::no_such_overload())
}

fn place(list: &List<'_>, item: &Val<'_>) -> i64 {
    list.iter().position(|other| same(&other, item)).and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)
}
