//! The evaluator: identifiers, selection, literals and comprehensions. Operators and functions are in `calls`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use kube_cel::cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, StructExpr};
use kube_cel::cel::parser::Expression;

use super::program::Program;
use super::scope::Scope;
use super::value::{Fault, Map, Val};

/// The variables of the comprehensions around an expression; the last of a name counts.
pub(super) type Locals<'a> = Vec<(&'a str, Val<'a>)>;

/// The structs that admission policies may make.
const STRUCTS: [&str; 2] = ["JSONPatch", "Object"];

impl<'a> Scope<'a> {
    /// The value of an expression.
    pub fn eval(&self, program: &'a Program) -> Result<Val<'a>, Fault> {
        self.value(&program.expression, &mut Vec::new())
    }

    pub(super) fn value(&self, expression: &'a Expression, locals: &mut Locals<'a>) -> Result<Val<'a>, Fault> {
        match &expression.expr {
            Expr::Literal(literal) => literal_value(literal),
            Expr::Ident(name) => self.named(name, locals),
            Expr::Select(select) => self.select(select, locals),
            Expr::Call(call) => self.call(call, locals),
            Expr::List(list) => {
                let mut items = Vec::with_capacity(list.elements.len());
                for (index, element) in list.elements.iter().enumerate() {
                    let item = self.value(element, locals)?;
                    if list.optional_indices.contains(&index) {
                        items.extend(present(item)?);
                    } else {
                        items.push(item);
                    }
                }
                Ok(Val::list(items))
            }
            Expr::Map(map) => {
                let mut fields = BTreeMap::new();
                for entry in &map.entries {
                    let EntryExpr::MapEntry(entry) = &entry.expr else { return Err(Fault::no_such_overload()) };
                    let Val::Text(key) = self.value(&entry.key, locals)? else {
                        return Err(Fault("a map has keys of text here".to_owned()));
                    };
                    let value = self.value(&entry.value, locals)?;
                    put(&mut fields, key, value, entry.optional)?;
                }
                Ok(Val::Map(Map::Made(Rc::new(fields))))
            }
            Expr::Struct(made) => self.make(made, locals),
            Expr::Comprehension(comprehension) => {
                let depth = locals.len();
                let value = self.comprehend(comprehension, locals);
                locals.truncate(depth);
                value
            }
            Expr::Unspecified => Err(Fault("an empty expression".to_owned())),
        }
    }

    fn named(&self, name: &str, locals: &Locals<'a>) -> Result<Val<'a>, Fault> {
        let local = locals.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        local.or_else(|| self.name(name)).ok_or_else(|| Fault(format!("undeclared reference to '{name}'")))
    }

    fn select(&self, select: &'a SelectExpr, locals: &mut Locals<'a>) -> Result<Val<'a>, Fault> {
        if self.has_variables() && matches!(&select.operand.expr, Expr::Ident(name) if name == "variables") {
            return self.variable(&select.field);
        }
        let operand = self.value(&select.operand, locals)?;
        let field = self.field(&select.field);
        if select.test {
            let inner = if let Val::Optional(inner) = &operand { inner.as_deref() } else { Some(&operand) };
            return match inner {
                None => Ok(Val::Bool(false)),
                Some(Val::Map(map)) => Ok(Val::Bool(map.has(&field))),
                Some(_) => Err(Fault::no_such_overload()),
            };
        }
        if let Val::Optional(_) = operand {
            return select_optional(&operand, &field);
        }
        if let Val::Map(map) = &operand {
            return map.get(&field).ok_or_else(|| Fault::no_such_key(&field));
        }
        Err(if let Val::Null = operand { Fault::no_such_key(&field) } else { Fault::no_such_overload() })
    }

    /// The name of a field in JSON.
    pub(super) fn field<'t>(&self, name: &'t str) -> Cow<'t, str> {
        if !self.escaped() || !name.contains("__") {
            return Cow::Borrowed(name);
        }
        let keyword = name.strip_prefix("__").and_then(|name| name.strip_suffix("__"));
        if let Some(keyword) =
            keyword.filter(|word| !word.contains("__") && word.chars().all(|letter| letter.is_ascii_lowercase()))
        {
            return Cow::Borrowed(keyword);
        }
        let plain = [("__dot__", "."), ("__dash__", "-"), ("__slash__", "/"), ("__underscores__", "__")];
        Cow::Owned(plain.iter().fold(name.to_owned(), |name, (escaped, plain)| name.replace(escaped, plain)))
    }

    fn make(&self, made: &'a StructExpr, locals: &mut Locals<'a>) -> Result<Val<'a>, Fault> {
        if !STRUCTS.contains(&made.type_name.split('.').next().unwrap_or_default()) {
            return Err(Fault(format!("undeclared reference to '{}'", made.type_name)));
        }
        let mut fields = BTreeMap::new();
        for entry in &made.entries {
            let EntryExpr::StructField(field) = &entry.expr else { return Err(Fault::no_such_overload()) };
            let value = self.value(&field.value, locals)?;
            put(&mut fields, Cow::Borrowed(field.field.as_str()), value, field.optional)?;
        }
        Ok(Val::Map(Map::Made(Rc::new(fields))))
    }

    /// What a macro (`all`, `exists`, `map`, `filter` …) was expanded to.
    fn comprehend(&self, loops: &'a ComprehensionExpr, locals: &mut Locals<'a>) -> Result<Val<'a>, Fault> {
        let range = self.value(&loops.iter_range, locals)?;
        let items: Vec<Val<'a>> = if let Val::List(list) = &range {
            list.iter().collect()
        } else if let Val::Map(map) = &range {
            map.keys().into_iter().map(Val::Text).collect()
        } else {
            return Err(Fault::no_such_overload());
        };
        let mut result = self.value(&loops.accu_init, locals)?;
        let depth = locals.len();
        for item in items {
            locals.push((&loops.accu_var, result));
            locals.push((&loops.iter_var, item));
            let goes_on = self.value(&loops.loop_cond, locals)?.truth()?;
            let next = if goes_on { Some(self.value(&loops.loop_step, locals)?) } else { None };
            locals.truncate(depth + 1);
            let Some((_, before)) = locals.pop() else { return Err(Fault::no_such_overload()) };
            let Some(next) = next else {
                result = before;
                break;
            };
            result = next;
        }
        locals.push((&loops.accu_var, result));
        self.value(&loops.result, locals)
    }
}

fn literal_value(literal: &LiteralValue) -> Result<Val<'_>, Fault> {
    Ok(match literal {
        LiteralValue::Boolean(bool) => Val::Bool(*bool.inner()),
        LiteralValue::Double(double) => Val::Double(*double.inner()),
        LiteralValue::Int(int) => Val::Int(*int.inner()),
        LiteralValue::UInt(uint) => Val::Uint(*uint.inner()),
        LiteralValue::String(text) => Val::text(text.inner()),
        LiteralValue::Null => Val::Null,
        LiteralValue::Bytes(_) => return Err(Fault("bytes are not supported".to_owned())),
    })
}

/// What an optional entry gives: its value where there is one.
fn present(value: Val<'_>) -> Result<Option<Val<'_>>, Fault> {
    if let Val::Optional(inner) = value { Ok(inner.map(|inner| *inner)) } else { Err(Fault::no_such_overload()) }
}

fn put<'a>(
    fields: &mut BTreeMap<Cow<'a, str>, Val<'a>>,
    key: Cow<'a, str>,
    value: Val<'a>,
    optional: bool,
) -> Result<(), Fault> {
    let value = if optional { present(value)? } else { Some(value) };
    if let Some(value) = value {
        fields.insert(key, value);
    }
    Ok(())
}

/// `operand.?field`.
pub(super) fn select_optional<'a>(operand: &Val<'a>, field: &str) -> Result<Val<'a>, Fault> {
    if let Val::Optional(inner) = operand {
        return inner.as_deref().map_or(Ok(Val::Optional(None)), |inner| select_optional(inner, field));
    }
    let Val::Map(map) = operand else { return Err(Fault::no_such_overload()) };
    Ok(Val::optional(map.get(field)))
}
