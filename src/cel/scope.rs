//! What an expression can name.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::program::Program;
use super::value::{Fault, Val};

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct AccessCheck<'a> {
    /// The verb: `get`, `patch`, or one of our own such as `bypass`.
    pub verb: &'a str,
    /// API group; empty for the core.
    pub group: &'a str,
    /// Plural name of the resource.
    pub resource: &'a str,
    /// Subresource; empty for none.
    pub subresource: &'a str,
    /// Namespace; empty for all, or for what has none.
    pub namespace: &'a str,
    /// Name; empty for all.
    pub name: &'a str,
}

/// Answers whether the user may do something.
pub type May<'a> = &'a dyn Fn(&AccessCheck<'_>) -> bool;

/// A question to the authorizer, as far as it has been put.
#[derive(Debug, Clone, Default)]
pub struct Access {
    pub(super) group: String,
    pub(super) resource: String,
    pub(super) subresource: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

/// What expressions of one evaluation can name. Variables are evaluated when they are first asked for, and once.
pub struct Scope<'a> {
    names: Vec<(&'a str, Val<'a>)>,
    variables: &'a [(String, Program)],
    known: RefCell<BTreeMap<&'a str, Result<Val<'a>, Fault>>>,
    may: Option<May<'a>>,
    escaped: bool,
}

impl<'a> Scope<'a> {
    /// What can be named.
    pub fn new(names: Vec<(&'a str, Val<'a>)>) -> Self {
        Self { names, variables: &[], known: RefCell::default(), may: None, escaped: false }
    }

    /// And `variables.…`, in terms of the names and of each other.
    #[must_use]
    pub fn with_variables(mut self, variables: &'a [(String, Program)]) -> Self {
        self.variables = variables;
        self
    }

    /// And `authorizer`.
    #[must_use]
    pub fn with_authorizer(mut self, may: May<'a>) -> Self {
        self.may = Some(may);
        self.names.push(("authorizer", Val::Access(std::rc::Rc::default())));
        self
    }

    /// Fields are selected by escaped names, as in the rules of custom resources: `self.__namespace__`, `self.a__dash__b`.
    #[must_use]
    pub fn with_escaped_fields(mut self) -> Self {
        self.escaped = true;
        self
    }

    pub(super) fn escaped(&self) -> bool {
        self.escaped
    }

    pub(super) fn name(&self, name: &str) -> Option<Val<'a>> {
        self.names.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.names.iter().any(|(known, _)| *known == name)
    }

    pub(super) fn has_variables(&self) -> bool {
        !self.variables.is_empty()
    }

    /// The value of `variables.name`.
    pub(super) fn variable(&self, name: &str) -> Result<Val<'a>, Fault> {
        let Some((name, program)) = self.variables.iter().find(|(known, _)| known == name) else {
            return Err(Fault::no_such_key(name));
        };
        if let Some(known) = self.known.borrow().get(name.as_str()) {
            return known.clone();
        }
        // Stands while it is evaluated, so that one that names itself ends.
        let circle = Err(Fault(format!("variable {name} is defined by itself")));
        self.known.borrow_mut().insert(name, circle);
        let value =
            self.eval(program).map_err(|why| Fault(format!("composited variable \"{name}\" fails to evaluate: {why}")));
        self.known.borrow_mut().insert(name, value.clone());
        value
    }

    pub(super) fn decide(&self, access: &Access, verb: &str) -> Result<bool, Fault> {
        let may = self.may.ok_or_else(|| Fault("undeclared reference to 'authorizer'".to_owned()))?;
        Ok(may(&AccessCheck {
            verb,
            group: &access.group,
            resource: &access.resource,
            subresource: &access.subresource,
            namespace: &access.namespace,
            name: &access.name,
        }))
    }
}
