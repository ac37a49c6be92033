//! Versions of the program, and how each treats its users.

use serde::Deserialize;

use crate::api::{Percent, Span};

/// A version of the program, known by its image.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Version {
    /// Its image; no two versions share one. Default: `shop:` and the version's name.
    #[serde(default)]
    pub image: String,
    /// The share of requests that it fails. Default: 0.
    #[serde(default = "Version::no_errors")]
    pub errors: Percent,
    /// The 95th percentile of its answers' durations. Default: 200ms.
    #[serde(default = "Version::quick")]
    pub latency: Span,
    /// Whether its pods become ready. Default: yes.
    #[serde(default = "Version::becomes_ready")]
    pub ready: bool,
    /// Whether its containers crash. Default: no.
    #[serde(default)]
    pub crashes: bool,
    /// It behaves well for so long, counted from when its first pod was ready, and as said here afterwards. Default: 0s.
    #[serde(default)]
    pub after: Span,
}

impl Version {
    fn no_errors() -> Percent {
        Percent::ZERO
    }
    fn quick() -> Span {
        Span::from_millis(200)
    }
    fn becomes_ready() -> bool {
        true
    }

    /// A version that behaves.
    pub fn good(image: &str) -> Self {
        Self {
            image: image.to_owned(),
            errors: Self::no_errors(),
            latency: Self::quick(),
            ready: true,
            crashes: false,
            after: Span::ZERO,
        }
    }

    /// How it behaves so long after its first pod was ready; a version that gets worse later behaves until then.
    pub fn behaves(&self, age: Span) -> Self {
        if age < self.after { Self::good(&self.image) } else { self.clone() }
    }
}
