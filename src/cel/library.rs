//! The function library: CEL's own from `cel`, Kubernetes' from `kube-cel`. Values are copied in and out.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use kube_cel::cel::common::ast::{CallExpr, Expr};
use kube_cel::cel::parser::Expression;
use kube_cel::cel::{Context, Value};
use kube_cel::{KubeCelExt, cel};

use super::value::{Fault, List, Map, Val};

static LIBRARY: LazyLock<Context<'static>> = LazyLock::new(|| Context::default().with_all());

/// The first parts of qualified names.
const LIBRARIES: [&str; 9] = ["optional", "jsonpatch", "sets", "math", "ip", "cidr", "format", "base64", "semver"];

/// Whether a name is the first part of qualified function names.
pub(super) fn is_library(name: &str) -> bool {
    LIBRARIES.contains(&name)
}

/// A method of a value.
pub(super) fn method<'a>(name: &str, target: &Val<'_>, args: &[Val<'_>]) -> Result<Val<'a>, Fault> {
    run(name, Some(target), None, args)
}

/// A function.
pub(super) fn global<'a>(name: &str, args: &[Val<'_>]) -> Result<Val<'a>, Fault> {
    run(name, None, None, args)
}

/// A function with a qualified name.
pub(super) fn qualified<'a>(library: &str, name: &str, args: &[Val<'_>]) -> Result<Val<'a>, Fault> {
    run(name, None, Some(library), args)
}

/// An operator on values that only the library knows, such as a timestamp and a duration.
pub(super) fn calculate<'a>(operator: &str, a: &Val<'_>, b: &Val<'_>) -> Result<Val<'a>, Fault> {
    run(operator, None, None, &[a.clone(), b.clone()])
}

/// A text as the type of another value: a timestamp or a duration.
pub(super) fn of_the_type_of(value: &Value, text: &str) -> Option<Value> {
    let function = if let Value::Timestamp(_) = value {
        "timestamp"
    } else if let Value::Duration(_) = value {
        "duration"
    } else {
        return None;
    };
    if let Ok(Val::Other(value)) = global(function, &[Val::text(text)]) { Some(value) } else { None }
}

fn run<'a>(name: &str, target: Option<&Val<'_>>, library: Option<&str>, args: &[Val<'_>]) -> Result<Val<'a>, Fault> {
    let mut context = LIBRARY.new_inner_scope();
    let mut names = Vec::with_capacity(args.len());
    for (index, arg) in args.iter().enumerate() {
        let place = format!("@{index}");
        context.add_variable_from_value(place.as_str(), outward(arg)?);
        names.push(ident(place));
    }
    let target = match (target, library) {
        (Some(target), _) => {
            context.add_variable_from_value("@", outward(target)?);
            Some(Box::new(ident("@".to_owned())))
        }
        (None, Some(library)) => Some(Box::new(ident(library.to_owned()))),
        (None, None) => None,
    };
    let call = Expr::Call(CallExpr { target, func_name: name.to_owned(), args: names });
    let value = context.resolve(&Expression { id: 0, expr: call });
    value.map_err(|why| Fault(why.to_string())).and_then(inward)
}

fn ident(name: String) -> Expression {
    Expression { id: 0, expr: Expr::Ident(name) }
}

fn outward(value: &Val<'_>) -> Result<Value, Fault> {
    Ok(match value {
        Val::Null => Value::Null,
        Val::Bool(bool) => Value::Bool(*bool),
        Val::Int(int) => Value::Int(*int),
        Val::Uint(uint) => Value::UInt(*uint),
        Val::Double(double) => Value::Float(*double),
        Val::Text(text) => Value::String(Arc::new(text.as_ref().to_owned())),
        Val::List(list) => Value::List(Arc::new(list.iter().map(|item| outward(&item)).collect::<Result<_, Fault>>()?)),
        Val::Map(map) => {
            let keys = map.keys().into_iter();
            let fields = keys.filter_map(|key| map.get(&key).map(|value| Ok((key.into_owned(), outward(&value)?))));
            Value::Map(cel::objects::Map::from(fields.collect::<Result<HashMap<String, Value>, Fault>>()?))
        }
        Val::Optional(Some(value)) => Value::Opaque(Arc::new(cel::objects::OptionalValue::of(outward(value)?))),
        Val::Optional(None) => Value::Opaque(Arc::new(cel::objects::OptionalValue::none())),
        Val::Other(value) => value.clone(),
        Val::Access(_) | Val::Decision(_) => return Err(Fault::no_such_overload()),
    })
}

fn inward<'a>(value: Value) -> Result<Val<'a>, Fault> {
    Ok(match value {
        Value::Null => Val::Null,
        Value::Bool(bool) => Val::Bool(bool),
        Value::Int(int) => Val::Int(int),
        Value::UInt(uint) => Val::Uint(uint),
        Value::Float(double) => Val::Double(double),
        Value::String(text) => Val::Text(Arc::unwrap_or_clone(text).into()),
        Value::List(list) => {
            Val::List(List::Made(Rc::new(list.iter().cloned().map(inward).collect::<Result<_, Fault>>()?)))
        }
        Value::Map(map) => {
            // The order of a hash map is taken away here.
            let fields = map.map.iter().map(|(key, value)| Ok((key.to_string().into(), inward(value.clone())?)));
            Val::Map(Map::Made(Rc::new(fields.collect::<Result<BTreeMap<_, _>, Fault>>()?)))
        }
        Value::Opaque(ref opaque) if opaque.runtime_type_name() == "optional_type" => {
            let optional: &cel::objects::OptionalValue = (&value).try_into().map_err(|_| Fault::no_such_overload())?;
            Val::optional(optional.value().cloned().map(inward).transpose()?)
        }
        Value::Timestamp(_) | Value::Duration(_) | Value::Opaque(_) | Value::Bytes(_) => Val::Other(value),
        Value::Function(_, _) => return Err(Fault::no_such_overload()),
    })
}
