//! What is shown, as a plain value. Times are simulated time since the beginning.

use crate::api::condition::Truth;
use crate::api::release_record::{Outcome, Phase};
use crate::api::{BudgetStatus, Span, Weight};
use crate::sandbox::story::Weights;

use super::history::History;
use super::key::Key;

/// Everything that is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// The time.
    pub now: Span,
    /// Simulated seconds in a real one; 0 is a pause.
    pub speed: f64,
    /// The scenario's title.
    pub title: String,
    /// The sentence that the scenario says now; empty where it says nothing.
    pub says: String,
    /// That all this is simulated, in a few words.
    pub note: String,
    /// The phase.
    pub phase: Phase,
    /// What goes on, as the GatedRelease says it.
    pub message: String,
    /// The stage that goes on, from 1; none outside of stages.
    pub stage: Option<usize>,
    /// All stages of the release that goes on, or went last.
    pub stages: Vec<StageView>,
    /// Where the requests go.
    pub weights: Weights,
    /// The versions that run: stable first, then canary and previous, where they are there.
    pub arms: Vec<ArmView>,
    /// The error budget; none until it was measured.
    pub budget: Option<BudgetView>,
    /// The hold that goes on.
    pub hold: Option<HoldView>,
    /// How the newest attempt ended, and its summary.
    pub outcome: Option<(Outcome, String)>,
    /// The GatedRelease's conditions.
    pub conditions: Vec<ConditionView>,
    /// The last events, the newest last.
    pub events: Vec<EventView>,
    /// What the users got since the beginning.
    pub tally: Tally,
    /// Error rates and weight over time.
    pub history: History,
    /// What may be pressed; nothing where keys do nothing.
    pub keys: &'static [Key],
}

impl Default for View {
    /// A cluster in which nothing was seen yet.
    fn default() -> Self {
        Self {
            now: Span::ZERO,
            speed: 1.0,
            title: String::new(),
            says: String::new(),
            note: "simulated".to_owned(),
            phase: Phase::Idle,
            message: String::new(),
            stage: None,
            stages: Vec::new(),
            weights: Weights::HOME,
            arms: Vec::new(),
            budget: None,
            hold: None,
            outcome: None,
            conditions: Vec::new(),
            events: Vec::new(),
            tally: Tally::default(),
            history: History::default(),
            keys: &[],
        }
    }
}

/// A stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageView {
    /// The weight of the new version.
    pub weight: Weight,
    /// How long it is watched.
    pub bake: Span,
    /// How far it is.
    pub state: StageState,
    /// The figures that its verdict rests on; empty before.
    pub verdict: String,
}

/// How far a stage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageState {
    /// It passed.
    Done,
    /// It goes on.
    Now,
    /// It is to come.
    ToCome,
    /// It did not pass: the change came back in it.
    Failed,
}

/// One version that runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmView {
    /// `stable`, `canary` or `previous`.
    pub name: &'static str,
    /// Its image.
    pub image: String,
    /// Pods that are ready.
    pub ready: u32,
    /// Pods that are wanted.
    pub wanted: u32,
    /// Requests per second that go to it.
    pub rate: f64,
    /// Percent of them that fail; none where it has no requests.
    pub errors: Option<f64>,
    /// The 95th percentile of durations; none where it has no requests.
    pub p95: Option<Span>,
}

/// The error budget.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetView {
    /// Its status.
    pub status: BudgetStatus,
    /// Percent left; below 0 it is overspent.
    pub remaining: f64,
    /// The objective that decides.
    pub decided_by: String,
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldView {
    /// Its reason, one word.
    pub reason: String,
    /// What is missing and what would end it.
    pub message: String,
    /// What to type; empty where the message says it.
    pub remedy: String,
    /// Until when.
    pub deadline: Span,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionView {
    /// Its type, such as Ready.
    pub kind: String,
    /// Its truth.
    pub status: Truth,
    /// Its reason, one word.
    pub reason: String,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventView {
    /// Its number; each event has a larger one than those before it.
    pub number: u64,
    /// When it was told.
    pub at: Span,
    /// Whether it is a warning.
    pub warning: bool,
    /// Its reason, one word.
    pub reason: String,
    /// Its note.
    pub note: String,
}

/// What the users got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Requests.
    pub requests: u64,
    /// Those of them that failed.
    pub failed: u64,
}
