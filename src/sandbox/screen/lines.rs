//! Plain lines, for logs and pipes: what changed since the last view.

use crate::api::BudgetStatus;
use crate::api::release_record::{Outcome, Phase};
use crate::sandbox::story::Weights;

use super::figures::{clock, percent, plain};
use super::view::{HoldView, View};

/// Events that another line tells already.
const TOLD: [&str; 3] = ["Held", "HoldEnded", "StageStarted"];
/// A change of the error rate by so many points is worth a line.
const WORTH: f64 = 1.0;

/// What was told so far. Pure: the same views give the same lines.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    begun: bool,
    says: String,
    phase: Option<Phase>,
    stage: Option<usize>,
    weights: Option<Weights>,
    errors: f64,
    budget: Option<BudgetStatus>,
    hold: Option<(String, String)>,
    outcome: Option<(Outcome, String)>,
    event: Option<u64>,
}

impl Lines {
    /// Before the first view.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is new in this view, a line each, with the simulated time in front; nothing where nothing is.
    pub fn next(&mut self, view: &View) -> Vec<String> {
        let mut told = Vec::new();
        if !self.begun {
            self.begun = true;
            told.push(format!("{} ({})", plain(&view.title), plain(&view.note)));
        }
        self.says(view, &mut told);
        self.budget(view, &mut told);
        self.phase(view, &mut told);
        self.events(view, &mut told);
        self.weights(view, &mut told);
        self.errors(view, &mut told);
        self.hold(view, &mut told);
        self.outcome(view, &mut told);
        told.into_iter().map(|line| format!("{}  {line}", clock(view.now))).collect()
    }

    fn says(&mut self, view: &View, told: &mut Vec<String>) {
        if self.says != view.says {
            self.says.clone_from(&view.says);
            told.extend((!view.says.is_empty()).then(|| format!("* {}", plain(&view.says))));
        }
    }

    fn budget(&mut self, view: &View, told: &mut Vec<String>) {
        let Some(budget) = view.budget.as_ref().filter(|budget| self.budget != Some(budget.status)) else { return };
        self.budget = Some(budget.status);
        let left = percent(Some(budget.remaining));
        told.push(format!("error budget {}: {left} left ({})", budget.status, plain(&budget.decided_by)));
    }

    fn phase(&mut self, view: &View, told: &mut Vec<String>) {
        if self.phase != Some(view.phase) {
            self.phase = Some(view.phase);
            told.push(format!("phase {}", view.phase));
        }
    }

    fn events(&mut self, view: &View, told: &mut Vec<String>) {
        let outcome = view.outcome.as_ref().map(|(outcome, _)| match outcome {
            Outcome::Succeeded => "Released",
            Outcome::Bootstrap
            | Outcome::RolledBack
            | Outcome::Superseded
            | Outcome::Expired
            | Outcome::Reverted
            | Outcome::Bypassed
            | Outcome::Abandoned => outcome.as_str(),
        });
        for event in view.events.iter().filter(|event| self.event.is_none_or(|last| event.number > last)) {
            if !TOLD.contains(&event.reason.as_str()) && outcome != Some(event.reason.as_str()) {
                let mark = if event.warning { "! " } else { "" };
                told.push(format!("{mark}{}: {}", plain(&event.reason), plain(&event.note)));
            }
        }
        self.event = self.event.max(view.events.iter().map(|event| event.number).max());
    }

    fn weights(&mut self, view: &View, told: &mut Vec<String>) {
        let known = self.weights.replace(view.weights);
        let same_stage = std::mem::replace(&mut self.stage, view.stage) == view.stage;
        let moved = known.is_some_and(|known| known != view.weights);
        match view.stage {
            Some(stage) if moved || !same_stage => {
                let (weight, of) = (view.weights.canary, view.stages.len());
                let [canary, stable] = errors_of(view);
                let figures = match (canary, stable) {
                    (None, None) => String::new(),
                    (canary, stable) => format!("  errors {} (stable {})", percent(canary), percent(stable)),
                };
                told.push(format!("stage {stage} of {of}: canary {weight}{figures}"));
            }
            None if moved => told.push(format!("weights: {}", view.weights)),
            Some(_) | None => {}
        }
    }

    fn errors(&mut self, view: &View, told: &mut Vec<String>) {
        let [canary, stable] = errors_of(view);
        let worst = canary.unwrap_or(0.0).max(stable.unwrap_or(0.0));
        if (worst - self.errors).abs() >= WORTH {
            self.errors = worst;
            let canary = canary.map_or_else(String::new, |canary| format!("canary {}, ", percent(Some(canary))));
            told.push(format!("errors: {canary}stable {}", percent(stable)));
        }
    }

    fn hold(&mut self, view: &View, told: &mut Vec<String>) {
        let now = view.hold.as_ref().map(|hold| (hold.reason.clone(), hold.message.clone()));
        if self.hold == now {
            return;
        }
        match &view.hold {
            Some(HoldView { reason, message, remedy, deadline }) => {
                told.push(format!("held: {} until {}: {}", plain(reason), clock(*deadline), plain(message)));
                told.extend((!remedy.is_empty()).then(|| format!("      {}", plain(remedy))));
            }
            None => told.push("no longer held".to_owned()),
        }
        self.hold = now;
    }

    fn outcome(&mut self, view: &View, told: &mut Vec<String>) {
        if self.outcome != view.outcome {
            told.extend(view.outcome.as_ref().map(|(outcome, why)| format!("{outcome}: {}", plain(why))));
            self.outcome.clone_from(&view.outcome);
        }
    }
}

/// Error rates of canary and stable.
fn errors_of(view: &View) -> [Option<f64>; 2] {
    let of = |name| view.arms.iter().find(|arm| arm.name == name).and_then(|arm| arm.errors);
    [of("canary"), of("stable")]
}
