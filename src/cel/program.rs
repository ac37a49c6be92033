//! A parsed expression.

use kube_cel::cel::parser::{Expression, Parser};

use super::value::Fault;

/// A parsed expression, to be evaluated often.
#[derive(Debug, Clone)]
pub struct Program {
    text: String,
    pub(super) expression: Expression,
}

impl Program {
    /// Parses; the error says where the text is wrong.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let expression = Parser::new()
            .enable_optional_syntax(true)
            .parse(text)
            .map_err(|why| Fault(format!("{text}: {}", why.to_string().trim())))?;
        Ok(Self { text: text.to_owned(), expression })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it names a variable.
    pub fn uses(&self, variable: &str) -> bool {
        self.expression.references().has_variable(variable)
    }
}
