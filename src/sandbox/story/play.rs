//! Which step is due, and whether the scenario is over: from what was seen, and the time.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::release_record::{Outcome, Phase};
use crate::api::{ReleaseRecord, Span, Time};

use super::action::Action;
use super::expect::Ending;
use super::file::Story;
use super::step::{Moment, Step, When};

/// One attempt, as a scenario speaks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// The version's name in the file.
    pub version: String,
    /// The phase.
    pub phase: Phase,
    /// The newest stage that began, from 1; 0 before the first.
    pub stage: u32,
    /// The reason of the hold that is going on.
    pub hold: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// When it ended, in simulated time since the beginning.
    pub ended: Option<Span>,
}

impl Attempt {
    /// What a record says; None where it has no status yet or its change is not one of the scenario's.
    pub fn of(record: &ReleaseRecord, story: &Story, began: Time) -> Option<Self> {
        let status = record.status.as_ref()?;
        let begun = status.stages.iter().filter(|stage| stage.started_at.is_some()).count();
        Some(Self {
            number: record.spec.attempt,
            version: story.version_of(&record.spec.change.reference)?.to_owned(),
            phase: status.phase,
            stage: u32::try_from(begun).unwrap_or(u32::MAX),
            hold: status.hold.as_ref().map(|hold| hold.reason.clone()),
            outcome: status.outcome,
            ended: status.ended_at.map(|at| at.since(began)),
        })
    }

    fn shows(&self, moment: &Moment) -> bool {
        match moment {
            // A phase may be too short to be seen: what comes after it shows that it was there. Rollback is on no way.
            Moment::Phase(Phase::Rollback) => self.phase == Phase::Rollback,
            Moment::Phase(phase) => self.phase != Phase::Rollback && self.phase >= *phase,
            Moment::Stage(stage) => self.stage >= *stage,
            Moment::Held(reason) => self.hold.as_ref() == Some(reason),
            Moment::Outcome(outcome) => self.outcome == Some(*outcome),
        }
    }
}

/// A scenario that is being played.
#[derive(Debug, Clone)]
pub struct Play<'s> {
    story: &'s Story,
    next: usize,
    /// When the last step was done; a `wait` counts as done when it is over.
    since: Span,
    /// The number of the newest attempt when something was done that begins another.
    floor: u32,
    last: &'s str,
    applied: BTreeMap<String, Span>,
    held: BTreeSet<(String, String)>,
}

impl<'s> Play<'s> {
    /// Before its first step.
    pub fn new(story: &'s Story) -> Self {
        let applied = BTreeMap::from([(story.first.clone(), Span::ZERO)]);
        Self { story, next: 0, since: Span::ZERO, floor: 0, last: &story.first, applied, held: BTreeSet::new() }
    }

    /// The step that is due, once; to be asked until none is, and often: holds are remembered from what it is shown.
    /// `attempts` are all of the GatedRelease, by number; `now` is the simulated time since the beginning. An error says
    /// what was waited for too long: the scenario has failed.
    pub fn due(&mut self, now: Span, attempts: &[Attempt]) -> Result<Option<&'s Step>, String> {
        for attempt in attempts {
            if let Some(reason) = &attempt.hold {
                let seen = (attempt.version.clone(), reason.clone());
                self.held.insert(seen);
            }
        }
        let Some(step) = self.story.steps.get(self.next).filter(|_| now >= self.since) else { return Ok(None) };
        let due = match &step.when {
            When::Next => true,
            When::At(at) => now >= *at,
            When::Seen { moment, of, named, within } => {
                let newest = attempts.iter().rfind(|attempt| attempt.version == *of);
                let seen =
                    newest.is_some_and(|attempt| (*named || attempt.number > self.floor) && attempt.shows(moment));
                let until = self.since.as_millis().saturating_add(within.as_millis());
                if !seen && now.as_millis() > until {
                    let (number, since) = (self.next + 1, self.since);
                    return Err(format!(
                        "step {number} waited since {since} for {moment} of {of}, which was not seen within {within}"
                    ));
                }
                seen
            }
        };
        if !due {
            return Ok(None);
        }
        self.next += 1;
        self.since = now;
        self.done(step, now, attempts);
        Ok(Some(step))
    }

    fn done(&mut self, step: &'s Step, now: Span, attempts: &[Attempt]) {
        let Some(action) = &step.action else { return };
        if let Action::Wait(span) = action {
            self.since = Span::from_millis(now.as_millis().saturating_add(span.as_millis()));
        }
        let version = action.applies().unwrap_or(self.last);
        // Break-glass over the version that is held already ends that attempt and begins none.
        let begins = match action {
            Action::Deploy { .. } | Action::Retry => true,
            Action::BreakGlass { .. } => version != self.last,
            Action::Revert
            | Action::Scale(_)
            | Action::Resume
            | Action::ErrorBudget(_)
            | Action::Freeze { .. }
            | Action::Unfreeze
            | Action::Prometheus(_)
            | Action::DeleteGatedRelease
            | Action::ReapplyRoute
            | Action::EditConfig { .. }
            | Action::Wait(_) => false,
        };
        if begins {
            self.floor = attempts.last().map_or(0, |attempt| attempt.number);
            self.applied.insert(version.to_owned(), now);
        }
        self.last = version;
    }

    /// Whether nothing is left to do and the newest attempt ended, or the scenario's time is up.
    pub fn over(&self, now: Span, attempts: &[Attempt]) -> bool {
        let done = self.next == self.story.steps.len() && now >= self.since;
        let ended = attempts.last().is_some_and(|last| last.number > self.floor && last.outcome.is_some());
        now >= self.story.limit || (done && ended && self.story.expect.decided(attempts))
    }

    /// What did not come as the scenario expects, a sentence each; nothing where all did.
    pub fn unmet(&self, ending: &Ending<'_>) -> Vec<String> {
        let mut unmet = self.story.expect.unmet(ending, &self.applied, &self.held);
        let left = self.story.steps.len() - self.next.min(self.story.steps.len());
        if left > 0 {
            unmet
                .insert(0, format!("the scenario's time, {}, was over before its last {left} steps", self.story.limit));
        }
        unmet
    }
}
