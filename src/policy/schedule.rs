//! How slowly a change ships: ready-made schedules, and how a budget status tightens the manifest's
//! (`001_…`, Deployment Process by Budget Status; `002_…`, release phase).

use std::fmt;

use crate::api::gated_release::{ScheduleName, StageSpec, Strategy};
use crate::api::{BudgetStatus, ChangeType, Span, Weight};

use super::sign_off::{EMERGENCY_PROCESS, ENHANCED_PROCESS, SignOff, join};

/// How many stages a schedule may have; the limit of `spec.strategy.stages` and of a record.
pub const STAGES_MAX: usize = 20;

/// How long a change is watched after promotion in Warning. The document says both 24 h (Warning, Requirements:
/// "Extended monitoring period (24h)") and 4 h (Enhanced Process, step 6): the stricter holds.
pub const WARNING_VERIFY: Span = Span::hours(24);

/// The stages of a release, and what goes with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Where it comes from, for messages.
    pub name: ScheduleLabel,
    /// Weights that rise and end at 100, each with its bake time. The bake time at 100 % is spent before promotion.
    pub stages: Vec<StageSpec>,
    /// How long the promoted version is watched while the previous one is kept warm.
    pub verify: Span,
    /// Whether a person must start it; the documents forbid automation then.
    pub manual_start: bool,
    /// Who must agree by this process. What the change itself demands is in [`super::Permission`]; see
    /// [`super::sign_off::join`].
    pub sign_offs: Vec<SignOff>,
}

/// Where a schedule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleLabel {
    /// A ready-made schedule.
    Preset(ScheduleName),
    /// The manifest's own stages.
    Custom,
    /// The manifest's, tightened to be nowhere looser than a ready-made one.
    Tightened {
        /// The ready-made schedule that the manifest names; None for own stages.
        from: Option<ScheduleName>,
        /// What the budget status demands at least.
        to: ScheduleName,
    },
}

impl fmt::Display for ScheduleLabel {
    /// `Standard`, `Custom`, `Standard tightened to Enhanced`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preset(name) => f.pad(name.as_str()),
            Self::Custom => f.pad("Custom"),
            Self::Tightened { from, to } => {
                let from = from.map_or("Custom", ScheduleName::as_str);
                write!(f, "{from} tightened to {to}")
            }
        }
    }
}

impl Schedule {
    /// How long it takes until all traffic is on the new version, if every stage bakes as said.
    pub fn time_to_full(&self) -> Span {
        let before_last = self.stages.len().saturating_sub(1);
        Span::from_millis(total(&self.stages[..before_last]))
    }

    /// The weight this long after the start, if every stage bakes as said. 100 once the stages are over.
    pub fn weight_after(&self, elapsed: Span) -> Weight {
        self.weight_at(elapsed.as_millis())
    }

    fn weight_at(&self, millis: u64) -> Weight {
        let mut end = 0;
        for stage in &self.stages {
            end += stage.bake.as_millis();
            if millis < end {
                return stage.weight;
            }
        }
        Weight::FULL
    }

    /// Whether it is nowhere looser: at no time after the start more weight if both bake as said, at 100 % and in
    /// verification not watched shorter, started by hand if the other is, and everyone asked whom the other asks.
    pub fn at_least_as_strict_as(&self, other: &Self) -> bool {
        let lighter =
            starts(&self.stages).chain(starts(&other.stages)).all(|at| self.weight_at(at) <= other.weight_at(at));
        lighter
            && self.last_bake() >= other.last_bake()
            && self.verify >= other.verify
            && (self.manual_start || !other.manual_start)
            && join(&self.sign_offs, &other.sign_offs).len() == self.sign_offs.len()
    }

    fn last_bake(&self) -> Span {
        self.stages.last().map_or(Span::ZERO, |last| last.bake)
    }
}

/// A ready-made schedule.
///
/// The documents give the first stage's bake time only (`001_…`) or all but the last (`002_…`): the stages in between
/// bake as long as the first, and 100 % has no bake time of its own, because what follows, promotion and verification,
/// is watched with the previous version kept warm.
pub fn preset(name: ScheduleName) -> Schedule {
    let minutes = Span::minutes;
    let (stages, verify, process): (&[(u8, Span)], Span, &[SignOff]) = match name {
        ScheduleName::Express => (&[(5, minutes(5)), (50, minutes(5))], Span::hours(1), &[]),
        ScheduleName::Standard => (&[(5, minutes(15)), (25, minutes(15)), (50, minutes(15))], Span::hours(1), &[]),
        ScheduleName::Conservative => {
            (&[(1, minutes(30)), (10, Span::hours(2)), (50, Span::hours(4))], Span::hours(24), &[])
        }
        ScheduleName::Enhanced => (
            &[(5, minutes(30)), (10, minutes(30)), (25, minutes(30)), (50, minutes(30))],
            Span::hours(4),
            ENHANCED_PROCESS,
        ),
        ScheduleName::Emergency => (
            &[
                (2, Span::hours(1)),
                (5, Span::hours(1)),
                (10, Span::hours(1)),
                (25, Span::hours(1)),
                (50, Span::hours(24)),
            ],
            Span::hours(24),
            EMERGENCY_PROCESS,
        ),
    };
    let full = (100, Span::ZERO);
    Schedule {
        name: ScheduleLabel::Preset(name),
        stages: stages
            .iter()
            .chain([&full])
            .map(|&(weight, bake)| StageSpec { weight: Weight::whole(weight), bake })
            .collect(),
        verify,
        manual_start: !process.is_empty(),
        sign_offs: process.to_vec(),
    }
}

/// How long own stages are verified where the manifest does not say.
const CUSTOM_VERIFY: Span = Span::hours(1);

/// What the manifest says: its own stages, or a ready-made schedule (Standard where it names none), with its own time
/// of verification where it gives one.
pub fn from_strategy(strategy: &Strategy) -> Schedule {
    let mut schedule = match &strategy.stages {
        Some(stages) => Schedule {
            name: ScheduleLabel::Custom,
            stages: stages.clone(),
            verify: CUSTOM_VERIFY,
            manual_start: false,
            sign_offs: Vec::new(),
        },
        None => preset(strategy.schedule.unwrap_or(ScheduleName::Standard)),
    };
    schedule.verify = strategy.verify.unwrap_or(schedule.verify);
    schedule
}

/// The least that a budget status demands; None in Healthy (`001_…`, Deployment Process by Budget Status). Below 10 %
/// the document gives no process: the emergency process of 10 to 30 % goes on.
pub fn floor(status: BudgetStatus) -> Option<Schedule> {
    match status {
        BudgetStatus::Healthy => None,
        BudgetStatus::Warning => Some(Schedule { verify: WARNING_VERIFY, ..preset(ScheduleName::Enhanced) }),
        BudgetStatus::Critical | BudgetStatus::Emergency => Some(preset(ScheduleName::Emergency)),
    }
}

/// The manifest's schedule, nowhere looser than the budget status demands, and nowhere looser than the manifest's.
///
/// A manifest that is strict enough keeps its stages; otherwise at every moment the lower of the two weights holds. So
/// Standard in Warning becomes exactly the enhanced process, and a first stage of 1 % stays 1 %.
pub fn tighten(manifest: Schedule, status: BudgetStatus) -> Schedule {
    let Some(floor) = floor(status) else {
        return manifest;
    };
    if manifest.at_least_as_strict_as(&floor) {
        return manifest;
    }
    let from = match manifest.name {
        ScheduleLabel::Preset(name) => Some(name),
        ScheduleLabel::Tightened { from, .. } => from,
        ScheduleLabel::Custom => None,
    };
    let to = match floor.name {
        ScheduleLabel::Preset(name) => name,
        ScheduleLabel::Custom | ScheduleLabel::Tightened { .. } => ScheduleName::Emergency,
    };
    let name = if from == Some(to) { ScheduleLabel::Preset(to) } else { ScheduleLabel::Tightened { from, to } };
    Schedule {
        name,
        stages: lower_of_all(&manifest, status),
        verify: manifest.verify.max(floor.verify),
        manual_start: manifest.manual_start || floor.manual_start,
        sign_offs: join(&manifest.sign_offs, &floor.sign_offs),
    }
}

/// The schedule that a change ships by. A rollback goes by the shorter of the manifest's and Express, whatever the
/// budget says: it returns to what ran before.
pub fn schedule_for(strategy: &Strategy, kind: ChangeType, status: BudgetStatus) -> Schedule {
    let manifest = from_strategy(strategy);
    if kind != ChangeType::Rollback {
        return tighten(manifest, status);
    }
    let express = preset(ScheduleName::Express);
    let shorter = if manifest.time_to_full() < express.time_to_full() { manifest } else { express };
    Schedule { manual_start: false, sign_offs: Vec::new(), ..shorter }
}

/// The most that a lean release gives to its canary.
pub const LEAN_MAX: Weight = Weight::whole(50);

/// The stages of a lean release: nowhere above [`LEAN_MAX`]. What the schedule would have watched above it is watched at it,
/// so that a change is judged no shorter.
pub fn lean(stages: &[StageSpec]) -> Vec<StageSpec> {
    let mut kept: Vec<StageSpec> = stages.iter().copied().filter(|stage| stage.weight < LEAN_MAX).collect();
    let rest: u64 = stages.iter().filter(|stage| stage.weight >= LEAN_MAX).map(|stage| stage.bake.as_millis()).sum();
    kept.push(StageSpec { weight: LEAN_MAX, bake: Span::from_millis(rest) });
    kept
}

/// At every moment the lowest weight that the manifest and each status up to this one allow. One status after the other:
/// where stages are dropped because there are too many, a worse status drops them from what the better one left, and so
/// never allows more.
fn lower_of_all(manifest: &Schedule, status: BudgetStatus) -> Vec<StageSpec> {
    let floors = BudgetStatus::ALL.iter().filter(|better| **better <= status).filter_map(|better| floor(*better));
    let lower = |strict: Schedule, floor: Schedule| Schedule { stages: lower_of(&strict, &floor), ..strict };
    floors.fold(manifest.clone(), lower).stages
}

/// At every moment the lower of two schedules' weights, as stages.
fn lower_of(one: &Schedule, other: &Schedule) -> Vec<StageSpec> {
    let mut moments: Vec<u64> = starts(&one.stages).chain(starts(&other.stages)).collect();
    moments.sort_unstable();
    moments.dedup();
    let mut stages: Vec<StageSpec> = Vec::with_capacity(moments.len());
    for (index, &from) in moments.iter().enumerate() {
        let weight = one.weight_at(from).min(other.weight_at(from));
        let bake = match moments.get(index + 1) {
            Some(until) => Span::from_millis(until - from),
            None => one.last_bake().max(other.last_bake()),
        };
        match stages.last_mut() {
            Some(last) if last.weight == weight => {
                last.bake = Span::from_millis(last.bake.as_millis() + bake.as_millis());
            }
            Some(_) | None => stages.push(StageSpec { weight, bake }),
        }
    }
    at_most_stages_max(stages)
}

/// Drops the shortest stages of too long a list; the stage before lasts longer instead, which is only stricter.
fn at_most_stages_max(mut stages: Vec<StageSpec>) -> Vec<StageSpec> {
    while stages.len() > STAGES_MAX {
        let between = 1..stages.len() - 1;
        let Some(shortest) = between.min_by_key(|&index| stages[index].bake) else {
            break;
        };
        let dropped = stages.remove(shortest);
        let before = &mut stages[shortest - 1];
        before.bake = Span::from_millis(before.bake.as_millis() + dropped.bake.as_millis());
    }
    stages
}

/// When each stage starts, in milliseconds from the start.
fn starts(stages: &[StageSpec]) -> impl Iterator<Item = u64> + '_ {
    (0..stages.len()).map(|index| total(&stages[..index]))
}

/// How long stages bake together, in milliseconds; not a Span, which would saturate.
fn total(stages: &[StageSpec]) -> u64 {
    stages.iter().map(|stage| stage.bake.as_millis()).sum()
}
