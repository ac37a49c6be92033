//! What goes wrong with the API server.

use std::time::Duration;

/// A request that did not do what it was for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was looked at has changed since: look again.
    #[error("{what}: it has changed meanwhile ({why})")]
    Outdated {
        /// The request.
        what: String,
        /// The API server's words.
        why: String,
    },
    /// The API server refused.
    #[error("{what}: {code} {why}")]
    Refused {
        /// The request.
        what: String,
        /// The HTTP status.
        code: u16,
        /// The API server's words.
        why: String,
    },
    /// No answer in time.
    #[error("{what}: the API server did not answer within {within:?}")]
    TimedOut {
        /// The request.
        what: String,
        /// How long it was waited for.
        within: Duration,
    },
    /// The API server was not reached, or its answer was not understood.
    #[error("{what}: {why}")]
    Unreachable {
        /// The request.
        what: String,
        /// Why.
        why: String,
    },
    /// An object that cannot be read.
    #[error("{what} cannot be read: {why}")]
    Malformed {
        /// The object.
        what: String,
        /// Field and value.
        why: String,
    },
    /// A plan that breaks an invariant: nothing of it was carried out.
    #[error("{what} breaks an invariant and was not carried out: {why}")]
    Invariant {
        /// Whose plan.
        what: String,
        /// Each invariant and what breaks it.
        why: String,
    },
    /// This process does not lead, or not for certain: nothing is written.
    #[error("{what}: not written, because this process does not lead at the moment")]
    NotLeading {
        /// The request.
        what: String,
    },
}

impl Error {
    /// One word for metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Outdated { .. } => "outdated",
            Self::Refused { .. } => "refused",
            Self::TimedOut { .. } => "timed_out",
            Self::Unreachable { .. } => "unreachable",
            Self::Malformed { .. } => "malformed",
            Self::Invariant { .. } => "invariant",
            Self::NotLeading { .. } => "not_leading",
        }
    }

    /// Whether looking again at once is the remedy.
    pub const fn is_outdated(&self) -> bool {
        matches!(self, Self::Outdated { .. })
    }

    pub(super) fn of(what: String, error: kube::Error) -> Self {
        if let kube::Error::Api(status) = error {
            let why = format!("{}: {}", status.reason, status.message);
            return Self::Refused { what, code: status.code, why };
        }
        let mut why = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            let text = inner.to_string();
            if !why.contains(&text) {
                why = format!("{why}: {text}");
            }
            source = inner.source();
        }
        Self::Unreachable { what, why }
    }

    /// A conflict, a missing or an already existing object: the snapshot that a write rests on was old.
    pub(super) fn of_fenced_write(self) -> Self {
        match self {
            Self::Refused { what, code: 404 | 409 | 410, why } => Self::Outdated { what, why },
            other @ (Self::Refused { .. }
            | Self::Outdated { .. }
            | Self::TimedOut { .. }
            | Self::Unreachable { .. }
            | Self::Malformed { .. }
            | Self::Invariant { .. }
            | Self::NotLeading { .. }) => other,
        }
    }
}
