//! Calls: operators, the macros with two variables, and where a function is found.

use kube_cel::cel::common::ast::{CallExpr, Expr, operators as op};

use super::eval::{Locals, select_optional};
use super::functions;
use super::library;
use super::operators::{calculate, index, order, same, within};
use super::scope::Scope;
use super::value::{Fault, Val};

impl<'a> Scope<'a> {
    pub(super) fn call(&self, call: &'a CallExpr, locals: &mut Locals<'a>) -> Result<Val<'a>, Fault> {
        match (&call.target, call.args.as_slice()) {
            (None, [condition, then, otherwise]) if call.func_name == op::CONDITIONAL => {
                let branch = if self.value(condition, locals)?.truth()? { then } else { otherwise };
                self.value(branch, locals)
            }
            (None, [a, b]) if call.func_name == op::LOGICAL_AND || call.func_name == op::LOGICAL_OR => {
                let deciding = call.func_name == op::LOGICAL_OR;
                // One side that decides is enough, also where the other has no value.
                let left = self.value(a, locals).and_then(|value| value.truth());
                if left == Ok(deciding) {
                    return Ok(Val::Bool(deciding));
                }
                match (left, self.value(b, locals).and_then(|value| value.truth())) {
                    (_, Ok(right)) if right == deciding => Ok(Val::Bool(deciding)),
                    (Err(why), _) | (Ok(_), Err(why)) => Err(why),
                    (Ok(_), Ok(_)) => Ok(Val::Bool(!deciding)),
                }
            }
            (None, [a]) if call.func_name == op::NOT_STRICTLY_FALSE => {
                Ok(Val::Bool(self.value(a, locals).and_then(|value| value.truth()).unwrap_or(true)))
            }
            (None, [a]) if call.func_name == op::LOGICAL_NOT => Ok(Val::Bool(!self.value(a, locals)?.truth()?)),
            (None, [a]) if call.func_name == op::NEGATE => {
                let value = self.value(a, locals)?;
                if let Val::Double(double) = value {
                    return Ok(Val::Double(-double));
                }
                calculate(op::SUBSTRACT, &Val::Int(0), &value)
            }
            (None, [a, b]) if is_operator(&call.func_name) => {
                let (a, b) = (self.value(a, locals)?, self.value(b, locals)?);
                self.operate(&call.func_name, &a, &b)
            }
            (Some(target), [first, second, body]) if macro_of_two(&call.func_name) => {
                let (Expr::Ident(first), Expr::Ident(second)) = (&first.expr, &second.expr) else {
                    return Err(Fault("argument must be a simple name".to_owned()));
                };
                let entries = entries(&self.value(target, locals)?)?;
                let (mut fitting, all) = (0, entries.len());
                for (key, value) in entries {
                    let depth = locals.len();
                    locals.push((first, key));
                    locals.push((second, value));
                    let fits = self.value(body, locals).and_then(|value| value.truth());
                    locals.truncate(depth);
                    fitting += usize::from(fits?);
                }
                Ok(Val::Bool(match call.func_name.as_str() {
                    "all" => fitting == all,
                    "exists" => fitting > 0,
                    _ => fitting == 1,
                }))
            }
            (target, args) => {
                // `jsonpatch.escapeKey(…)`: not a value's method but a function of a library.
                if let Some(Expr::Ident(library)) = target.as_deref().map(|target| &target.expr)
                    && self.is_library(library, locals)
                {
                    return functions::qualified(library, &call.func_name, self.values(args, locals)?);
                }
                let target = target.as_deref().map(|target| self.value(target, locals)).transpose()?;
                let args = self.values(args, locals)?;
                match target {
                    Some(Val::Access(access)) => self.ask(&access, &call.func_name, &args),
                    Some(target) => functions::method(&call.func_name, target, args),
                    None => functions::global(&call.func_name, args),
                }
            }
        }
    }

    fn values(
        &self,
        args: &'a [kube_cel::cel::parser::Expression],
        locals: &mut Locals<'a>,
    ) -> Result<Vec<Val<'a>>, Fault> {
        args.iter().map(|arg| self.value(arg, locals)).collect()
    }

    fn is_library(&self, name: &str, locals: &Locals<'a>) -> bool {
        !self.has_name(name) && !locals.iter().any(|(known, _)| *known == name) && library::is_library(name)
    }

    fn operate(&self, operator: &str, a: &Val<'a>, b: &Val<'a>) -> Result<Val<'a>, Fault> {
        match operator {
            op::EQUALS => Ok(Val::Bool(same(a, b))),
            op::NOT_EQUALS => Ok(Val::Bool(!same(a, b))),
            op::LESS => order(a, b).map(|order| Val::Bool(order.is_lt())),
            op::LESS_EQUALS => order(a, b).map(|order| Val::Bool(order.is_le())),
            op::GREATER => order(a, b).map(|order| Val::Bool(order.is_gt())),
            op::GREATER_EQUALS => order(a, b).map(|order| Val::Bool(order.is_ge())),
            op::IN => within(a, b).map(Val::Bool),
            op::INDEX | op::OPT_INDEX => {
                if let Val::Optional(inner) = a {
                    return Ok(Val::optional(inner.as_deref().and_then(|inner| index(inner, b).ok())));
                }
                let item = index(a, b);
                if operator == op::INDEX { item } else { Ok(Val::optional(item.ok())) }
            }
            op::OPT_SELECT => select_optional(a, &self.field(b.as_text()?)),
            operator => calculate(operator, a, b),
        }
    }

    /// A method of the authorizer.
    fn ask(&self, access: &super::scope::Access, method: &str, args: &[Val<'a>]) -> Result<Val<'a>, Fault> {
        let [arg] = args else { return Err(Fault::no_such_overload()) };
        let text = arg.as_text()?.to_owned();
        let mut access = access.clone();
        match method {
            "group" => access.group = text,
            "resource" => access.resource = text,
            "subresource" => access.subresource = text,
            "namespace" => access.namespace = text,
            "name" => access.name = text,
            "check" => return self.decide(&access, &text).map(Val::Decision),
            _ => return Err(Fault(format!("the authorizer's {method} is not supported"))),
        }
        Ok(Val::Access(std::rc::Rc::new(access)))
    }
}

/// The items of a list with their places, or the entries of a map.
fn entries<'a>(value: &Val<'a>) -> Result<Vec<(Val<'a>, Val<'a>)>, Fault> {
    if let Val::List(list) = value {
        return Ok((0..).map(Val::Int).zip(list.iter()).collect());
    }
    let Val::Map(map) = value else { return Err(Fault::no_such_overload()) };
    Ok(map.keys().into_iter().filter_map(|key| map.get(&key).map(|value| (Val::Text(key), value))).collect())
}

fn macro_of_two(name: &str) -> bool {
    ["all", "exists", "existsOne", "exists_one"].contains(&name)
}

fn is_operator(name: &str) -> bool {
    const OPERATORS: [&str; 15] = [
        op::EQUALS,
        op::NOT_EQUALS,
        op::LESS,
        op::LESS_EQUALS,
        op::GREATER,
        op::GREATER_EQUALS,
        op::IN,
        op::INDEX,
        op::OPT_INDEX,
        op::OPT_SELECT,
        op::ADD,
        op::SUBSTRACT,
        op::MULTIPLY,
        op::DIVIDE,
        op::MODULO,
    ];
    OPERATORS.contains(&name)
}
