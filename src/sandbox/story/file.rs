//! The file of a scenario.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::api::release_record::{Outcome, Phase};
use crate::api::{Span, Weight};

use super::action::{Action, by_default};
use super::expect::{Expectation, Weights};
use super::objects::Objects;
use super::step::Step;
use super::verify;
use super::version::Version;

/// A scenario whose every part was looked at: names resolve, versions can be told apart, and the API server will take the
/// objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// A few words.
    pub title: String,
    /// What happens and what it shows, in a paragraph.
    pub description: String,
    /// Simulated seconds in a real one, 0.1 to 3600.
    pub speed: f64,
    /// The simulated time after which it is over in any case.
    pub limit: Span,
    /// The users.
    pub traffic: Traffic,
    /// Percent of the error budget left at the beginning; below 0 it is overspent.
    pub error_budget: f64,
    /// The versions by name.
    pub versions: BTreeMap<String, Version>,
    /// The version that runs at the beginning.
    pub first: String,
    /// What stands in the cluster at the beginning.
    pub objects: Objects,
    /// What happens.
    pub steps: Vec<Step>,
    /// What should come of it.
    pub expect: Expectation,
    /// Versions by the reference of the change that brings them.
    pub(super) references: BTreeMap<String, String>,
}

/// Reads a file's text. The error names the field, the value and what would be accepted.
pub fn parse(text: &str) -> Result<Story, String> {
    let file: File = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    verify::story(file)
}

impl Story {
    /// The version that the change with this reference brings.
    pub fn version_of(&self, reference: &str) -> Option<&str> {
        self.references.get(reference).map(String::as_str)
    }

    /// The reference of the change that brought the version that runs at the beginning.
    pub fn first_reference(&self) -> String {
        by_default(&self.first)
    }
}

/// The users.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Traffic {
    /// Requests per second, in the mean over a day. Default: 100.
    #[serde(default = "Traffic::many")]
    pub requests: f64,
    /// Whether there are more by day than by night. Default: no.
    #[serde(default)]
    pub daily: bool,
    /// The variance of counts as a multiple of that of independent users, at least 1; 10 comes in bursts. Default: 1.
    #[serde(default = "Traffic::independent")]
    pub noise: f64,
}

impl Traffic {
    fn many() -> f64 {
        100.0
    }
    fn independent() -> f64 {
        1.0
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self { requests: Self::many(), daily: false, noise: Self::independent() }
    }
}

/// A HorizontalPodAutoscaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Autoscaler {
    /// `spec.minReplicas`.
    pub min: u32,
    /// `spec.maxReplicas`.
    pub max: u32,
    /// The utilisation of the processor that it aims at, in percent. Default: 70.
    #[serde(default = "Autoscaler::utilisation")]
    pub cpu: u32,
}

impl Autoscaler {
    fn utilisation() -> u32 {
        70
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct File {
    pub(super) title: String,
    pub(super) description: String,
    #[serde(default = "File::speed")]
    pub(super) speed: f64,
    #[serde(default = "File::limit")]
    pub(super) limit: Span,
    #[serde(default)]
    pub(super) traffic: Traffic,
    #[serde(default = "File::error_budget")]
    pub(super) error_budget: f64,
    #[serde(default = "File::tier")]
    pub(super) tier: u8,
    #[serde(default = "File::replicas")]
    pub(super) replicas: u32,
    #[serde(default)]
    pub(super) autoscaler: Option<Autoscaler>,
    #[serde(default)]
    pub(super) gated_release: Value,
    #[serde(default)]
    pub(super) risk_budget: Value,
    pub(super) versions: BTreeMap<String, Version>,
    #[serde(default = "File::first")]
    pub(super) first: String,
    pub(super) steps: Vec<StepFile>,
    #[serde(default)]
    pub(super) expect: ExpectFile,
}

impl File {
    fn speed() -> f64 {
        30.0
    }
    fn limit() -> Span {
        Span::minutes(30)
    }
    fn error_budget() -> f64 {
        90.0
    }
    fn tier() -> u8 {
        2
    }
    fn replicas() -> u32 {
        3
    }
    fn first() -> String {
        "v1".to_owned()
    }
}

/// A step as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct StepFile {
    #[serde(default)]
    pub(super) at: Option<Span>,
    #[serde(default)]
    pub(super) after: Option<AfterFile>,
    #[serde(default, rename = "as")]
    pub(super) by: Option<String>,
    #[serde(default, rename = "do")]
    pub(super) action: Option<Action>,
    #[serde(default)]
    pub(super) say: Option<String>,
}

/// A moment as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct AfterFile {
    #[serde(default)]
    pub(super) phase: Option<Phase>,
    #[serde(default)]
    pub(super) stage: Option<u32>,
    #[serde(default)]
    pub(super) held: Option<String>,
    #[serde(default)]
    pub(super) outcome: Option<Outcome>,
    #[serde(default)]
    pub(super) of: Option<String>,
    #[serde(default = "AfterFile::within")]
    pub(super) within: Span,
}

impl AfterFile {
    fn within() -> Span {
        Span::minutes(15)
    }
}

/// What should come of it as it is written.
#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ExpectFile {
    #[serde(default)]
    pub(super) outcomes: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) held: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) weights: Option<Weights>,
    #[serde(default)]
    pub(super) failed_requests_below: Option<u64>,
}

impl Weights {
    pub(super) fn sum(self) -> u32 {
        [self.stable, self.canary, self.previous].map(|weight: Weight| u32::from(weight.get())).iter().sum()
    }
}
