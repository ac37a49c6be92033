//! Values: mostly borrowed JSON.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use kube_cel::cel;
use serde_json::Value;

use super::scope::Access;

/// Why an expression has no value, in the words of an API server: `no such key: labels`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

impl Fault {
    pub(super) fn no_such_key(key: &str) -> Self {
        Self(format!("no such key: {key}"))
    }

    pub(super) fn no_such_overload() -> Self {
        Self("no such overload".to_owned())
    }
}

/// A value.
#[derive(Debug, Clone)]
pub enum Val<'a> {
    /// Null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number without sign.
    Uint(u64),
    /// A number with a fraction.
    Double(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// A list.
    List(List<'a>),
    /// A map with keys of text; objects and structs too.
    Map(Map<'a>),
    /// A value that may be absent.
    Optional(Option<Box<Val<'a>>>),
    /// What only the function library knows: timestamps, durations, quantities and so on.
    Other(cel::Value),
    /// The authorizer, or a question to it.
    Access(Rc<Access>),
    /// The authorizer's answer.
    Decision(bool),
}

/// A list.
#[derive(Debug, Clone)]
pub enum List<'a> {
    /// Of an object.
    Json(&'a [Value]),
    /// Made by an expression.
    Made(Rc<Vec<Val<'a>>>),
}

/// A map with keys of text.
#[derive(Debug, Clone)]
pub enum Map<'a> {
    /// Of an object.
    Json(&'a serde_json::Map<String, Value>),
    /// Made by an expression.
    Made(Rc<BTreeMap<Cow<'a, str>, Val<'a>>>),
}

impl<'a> From<&'a Value> for Val<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Number(number) => match number.as_i64() {
                Some(int) => Self::Int(int),
                None => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(list) => Self::List(List::Json(list)),
            Value::Object(map) => Self::Map(Map::Json(map)),
        }
    }
}

impl<'a> Val<'a> {
    /// Text that is there already.
    pub fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A map of fields.
    pub fn map(fields: impl IntoIterator<Item = (&'a str, Val<'a>)>) -> Self {
        Self::Map(Map::Made(Rc::new(fields.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())))
    }

    /// A list.
    pub fn list(items: Vec<Val<'a>>) -> Self {
        Self::List(List::Made(Rc::new(items)))
    }

    /// A value that is there or not.
    pub fn optional(value: Option<Self>) -> Self {
        Self::Optional(value.map(Box::new))
    }

    /// A truth value; errors for anything else.
    pub fn truth(&self) -> Result<bool, Fault> {
        if let Self::Bool(bool) = self { Ok(*bool) } else { Err(Fault::no_such_overload()) }
    }

    pub(super) fn as_text(&self) -> Result<&str, Fault> {
        if let Self::Text(text) = self { Ok(text) } else { Err(Fault::no_such_overload()) }
    }

    /// As JSON; errors for what JSON cannot say.
    pub fn to_json(&self) -> Result<Value, Fault> {
        match self {
            Self::Null => Ok(Value::Null),
            Self::Bool(bool) => Ok((*bool).into()),
            Self::Int(int) => Ok((*int).into()),
            Self::Uint(uint) => Ok((*uint).into()),
            Self::Double(double) => Ok((*double).into()),
            Self::Text(text) => Ok(text.as_ref().into()),
            Self::List(List::Json(list)) => Ok(Value::Array(list.to_vec())),
            Self::List(List::Made(list)) => list.iter().map(Self::to_json).collect(),
            Self::Map(Map::Json(map)) => Ok(Value::Object((*map).clone())),
            Self::Map(Map::Made(map)) => {
                let fields = map.iter().map(|(key, value)| Ok((key.as_ref().to_owned(), value.to_json()?)));
                Ok(Value::Object(fields.collect::<Result<_, Fault>>()?))
            }
            Self::Optional(Some(value)) => value.to_json(),
            Self::Optional(None) | Self::Other(_) | Self::Access(_) | Self::Decision(_) => {
                Err(Fault("the value cannot be written as JSON".to_owned()))
            }
        }
    }
}

impl<'a> List<'a> {
    /// How many items.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(list) => list.len(),
            Self::Made(list) => list.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One item.
    pub fn get(&self, index: usize) -> Option<Val<'a>> {
        match self {
            Self::Json(list) => list.get(index).map(Val::from),
            Self::Made(list) => list.get(index).cloned(),
        }
    }

    /// All items.
    pub fn iter(&self) -> impl Iterator<Item = Val<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl<'a> Map<'a> {
    /// How many entries.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(map) => map.len(),
            Self::Made(map) => map.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Val<'a>> {
        match self {
            Self::Json(map) => map.get(key).map(Val::from),
            Self::Made(map) => map.get(key).cloned(),
        }
    }

    /// Whether there is a key.
    pub fn has(&self, key: &str) -> bool {
        match self {
            Self::Json(map) => map.contains_key(key),
            Self::Made(map) => map.contains_key(key),
        }
    }

    /// The keys, in order.
    pub fn keys(&self) -> Vec<Cow<'a, str>> {
        match self {
            Self::Json(map) => map.keys().map(|key| Cow::Borrowed(key.as_str())).collect(),
            Self::Made(map) => map.keys().cloned().collect(),
        }
    }
}
