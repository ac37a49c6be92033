//! As what a command prints its answer, where that is a page or JSON.

/// How it is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs: JSON.
    Json,
}
