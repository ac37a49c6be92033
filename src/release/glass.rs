//! Break-glass: the annotation's reason lets a template go in the write that brings it, and never again.
//!
//! Admission decides and remembers (`_policies.tpl`); here is what its memory says of the reason that stands.

use super::snapshot::Workload;

/// So much of a reason is remembered, in characters.
const KEPT_MAX: usize = 200;

/// A reason that stands on the workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BreakGlass {
    /// No template came after it: what runs may run under it.
    Counts(String),
    /// It lets nothing go any more: a template came while it stood, or it was taken off and is back.
    Spent(String),
}

impl BreakGlass {
    /// The reason, by what admission remembers of those that were given.
    pub fn read(reason: String, spent: Option<&String>) -> Self {
        let is_spent = spent.is_some_and(|spent| spent.split('\n').any(|one| one == kept(&reason)));
        if is_spent { Self::Spent(reason) } else { Self::Counts(reason) }
    }

    /// The reason as it was given.
    pub fn reason(&self) -> &str {
        let (Self::Counts(reason) | Self::Spent(reason)) = self;
        reason
    }
}

impl From<&str> for BreakGlass {
    fn from(reason: &str) -> Self {
        Self::Counts(reason.to_owned())
    }
}

/// A reason as admission keeps it: on one line, cut off.
pub fn kept(reason: &str) -> String {
    reason.replace('\n', " ").chars().take(KEPT_MAX).collect()
}

impl Workload {
    /// The reason under which the template runs, where it runs ungated.
    pub fn under_glass(&self) -> Option<&str> {
        match &self.break_glass {
            Some(BreakGlass::Counts(reason)) => Some(reason),
            Some(BreakGlass::Spent(_)) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::never_given("INC-7", "", false)]
    #[case::given("INC-7", "INC-8\nINC-7", true)]
    #[case::another_that_has_it_in_it("INC-7", "INC-77\nnot INC-7", false)]
    #[case::on_two_lines("INC-7:\ndown", "INC-7: down", true)]
    #[case::long(&"é".repeat(300), &"é".repeat(200), true)]
    fn a_reason_is_found_as_admission_keeps_it(#[case] reason: &str, #[case] spent: &str, #[case] is_spent: bool) {
        let glass = BreakGlass::read(reason.to_owned(), Some(&spent.to_owned()));
        assert_eq!(matches!(glass, BreakGlass::Spent(_)), is_spent);
        assert_eq!(glass.reason(), reason);
    }
}
