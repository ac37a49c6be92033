//! What may happen to a world: the controller acts, time passes, something goes wrong, somebody does something.

use strum::IntoEnumIterator;

use super::state::{State, TICK};
use super::watch::{Broken, Watch};
use crate::api::{BudgetStatus, Span};
use crate::release::action::Action as Write;
use crate::release::lint;
use crate::release::snapshot::BudgetSeen;
use crate::release::split::Split;
use crate::release::template;
use crate::release::world::{Behaviour, GOOD, World, pod_template};

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// The controller looks and carries out what follows.
    Look,
    /// As a look, but the controller dies after so many writes.
    Die(usize),
    /// The cluster's controllers do a little, and time passes.
    Tick,
    /// Something out of the ordinary.
    Disturb(Disturbance),
    /// What was out of order is in order again.
    Mend(Disturbance),
}

/// What may come between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::EnumIter)]
pub(super) enum Disturbance {
    /// The router takes nothing over.
    Router,
    /// The new version answers with errors.
    Errors,
    /// The new version's pods are not ready.
    NotReady,
    /// The stable version's pods are not ready.
    StableNotReady,
    /// Prometheus does not answer.
    Prometheus,
    /// The error budget is nearly spent.
    Budget,
    /// Another writer puts the route back to what Git says.
    Wipe,
    /// Nobody looks for a long time.
    Absence,
    /// A user applies a third version.
    Newer,
    /// A user applies the first version again.
    Revert,
    /// A user resumes the workload by hand.
    Resume,
    /// A user deletes the GatedRelease.
    Delete,
    /// A user asks to try the version again that came back.
    Retry,
    /// A user takes the label off.
    Unlabel,
}

use Disturbance::*;

impl Disturbance {
    /// Whether it lasts until it is mended.
    const fn lasts(self) -> bool {
        match self {
            Router | Errors | NotReady | StableNotReady | Prometheus | Budget => true,
            Wipe | Absence | Newer | Revert | Resume | Delete | Retry | Unlabel => false,
        }
    }
}

/// How many disturbances may still come, and which of them are there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Left {
    count: u8,
    /// Those that last until they are mended, and users' deeds, which come once.
    there: Vec<Disturbance>,
}

impl Left {
    pub(super) const fn new(count: u8) -> Self {
        Self { count, there: Vec::new() }
    }
}

impl State {
    /// A `prompt` controller lets no time pass while it has something to write, but for [`Absence`].
    pub(super) fn actions(&self, prompt: bool, actions: &mut Vec<Action>) {
        if self.broken.is_some() {
            return;
        }
        let plan = self.plan();
        let stored = &self.world.seen.release.status;
        let noted = plan.status.workload == stored.workload && plan.status.handed_over == stored.handed_over;
        let quiet = plan.actions.is_empty() && noted;
        if !quiet {
            actions.push(Action::Look);
        }
        actions.extend((1..=plan.actions.len()).map(Action::Die));
        if !prompt || plan.actions.is_empty() {
            actions.push(Action::Tick);
        }
        for what in Disturbance::iter() {
            if self.left.there.contains(&what) {
                if what.lasts() {
                    actions.push(Action::Mend(what));
                }
            } else if self.left.count > 0 && self.can(what) {
                actions.push(Action::Disturb(what));
            }
        }
    }

    fn can(&self, what: Disturbance) -> bool {
        let seen = &self.world.seen;
        match what {
            Router | Errors | NotReady | StableNotReady | Prometheus | Budget | Newer | Absence => true,
            Wipe => self.world.split() != Split::HOME,
            Revert => seen.workload.as_ref().is_some_and(|workload| workload.template != pod_template("shop:v1")),
            Resume => seen.workload.as_ref().is_some_and(|workload| workload.paused),
            Delete => !seen.release.deleting,
            Retry => self.outcome_is("RolledBack"),
            Unlabel => seen.workload.as_ref().is_some_and(|workload| workload.gated),
        }
    }

    /// What the world is then.
    pub(super) fn after(&self, action: Action) -> Self {
        let mut world = (*self.world).clone();
        let (mut left, mut watch) = (self.left.clone(), Watch::new(self.judged.clone(), self.bypassed));
        match action {
            Action::Look => look(&mut world, self, None, &mut watch),
            Action::Die(writes) => look(&mut world, self, Some(writes), &mut watch),
            Action::Tick => tick(&mut world),
            Action::Disturb(what) => {
                left.count -= 1;
                if !matches!(what, Wipe | Absence) {
                    left.there.push(what);
                    left.there.sort_unstable();
                }
                disturb(&mut world, what, &mut watch);
            }
            Action::Mend(what) => {
                left.there.retain(|there| *there != what);
                mend(&mut world, what);
            }
        }
        watch.look_at(&world);
        let Watch { judged, bypassed, broken } = watch;
        Self::of(world, left, judged, bypassed, broken)
    }

    /// The same world with everything in order.
    pub(super) fn calmed(&self) -> Self {
        let mut world = (*self.world).clone();
        for what in Disturbance::iter().filter(|what| what.lasts()) {
            mend(&mut world, what);
        }
        Self::of(world, Left::new(0), self.judged.clone(), self.bypassed, None)
    }
}

/// What the controller does with its plan; the linter and the watch look at every write.
fn look(world: &mut World, state: &State, dies_after: Option<usize>, watch: &mut Watch) {
    let plan = state.plan();
    if let Err(notes) = lint(plan.clone(), &world.seen) {
        return watch.broke(Broken::Linter, format!("{notes:?}"));
    }
    for write in plan.actions.iter().take(dies_after.unwrap_or(usize::MAX)) {
        let before = world.clone();
        if !world.apply(write) {
            return;
        }
        watch.wrote(&before, world, write);
    }
    if dies_after.is_none() {
        world.seen.release.status = plan.status.clone();
    }
}

fn tick(world: &mut World) {
    world.settle();
    world.now = world.now.plus(TICK);
}

fn first() -> String {
    template::revision(&pod_template("shop:v1"))
}

fn second() -> String {
    template::revision(&pod_template("shop:v2"))
}

fn disturb(world: &mut World, what: Disturbance, watch: &mut Watch) {
    match what {
        Router => world.seen.routes[0].state.as_mut().unwrap().effective = Err("not taken over".to_owned()),
        Errors => drop(world.behaviour.insert(second(), Behaviour { errors: 0.5, ..GOOD })),
        NotReady => drop(world.behaviour.insert(second(), Behaviour { ready: false, ..GOOD })),
        StableNotReady => drop(world.behaviour.insert(first(), Behaviour { ready: false, ..GOOD })),
        Prometheus => world.prometheus = false,
        Budget => budget(world, BudgetStatus::Emergency, 1.0),
        Wipe => {
            let version = world.bump();
            let route = world.seen.routes[0].state.as_mut().unwrap();
            route.rules = vec![Some(Split::HOME)];
            (route.marked, route.withdrawn, route.resource_version) = (false, None, version);
            watch.wiped(world);
        }
        Absence => {
            for _ in 0..3 {
                world.settle();
            }
            world.now = world.now.plus(Span::seconds(60));
        }
        Newer => world.deploy("shop:v3", GOOD),
        Revert => world.deploy("shop:v1", GOOD),
        Resume => {
            let version = world.bump();
            let workload = world.workload();
            workload.paused = false;
            workload.paused_because = None;
            workload.resumed_by = Some("bob".to_owned());
            workload.generation += 1;
            workload.resource_version = version;
            watch.bypassed = true;
        }
        Delete => world.seen.release.deleting = true,
        Retry => world.seen.release.retry = Some("again".to_owned()),
        Unlabel => {
            let version = world.bump();
            let workload = world.workload();
            (workload.gated, workload.resource_version) = (false, version);
        }
    }
}

fn mend(world: &mut World, what: Disturbance) {
    match what {
        Router => world.seen.routes[0].state.as_mut().unwrap().effective = Ok(()),
        Errors | NotReady => drop(world.behaviour.insert(second(), GOOD)),
        StableNotReady => drop(world.behaviour.insert(first(), GOOD)),
        Prometheus => world.prometheus = true,
        Budget => budget(world, BudgetStatus::Healthy, 90.0),
        Wipe | Absence | Newer | Revert | Resume | Delete | Retry | Unlabel => {}
    }
}

fn budget(world: &mut World, status: BudgetStatus, remaining_percent: f64) {
    let decided_by = "availability".to_owned();
    world.seen.budget = BudgetSeen::Measured { status, remaining_percent, decided_by };
}

/// A write in a word.
pub(super) const fn name(write: &Write) -> &'static str {
    match write {
        Write::AddFinalizer => "AddFinalizer",
        Write::RemoveFinalizer => "RemoveFinalizer",
        Write::OpenRecord { .. } => "OpenRecord",
        Write::UpdateRecord { .. } => "UpdateRecord",
        Write::Apply { .. } => "Apply",
        Write::Delete { .. } => "Delete",
        Write::SetSplit { .. } => "SetSplit",
        Write::DisownRules { .. } => "DisownRules",
        Write::Resume { .. } => "Resume",
        Write::ExplainPause { .. } => "ExplainPause",
        Write::ScaleReplicaSet { .. } => "ScaleReplicaSet",
        Write::DeleteReplicaSet { .. } => "DeleteReplicaSet",
        Write::CreateReplicaSet { .. } => "CreateReplicaSet",
        Write::ScaleSide { .. } => "ScaleSide",
        Write::SetPartition { .. } => "SetPartition",
        Write::DeletePod { .. } => "DeletePod",
        Write::ScaleDown { .. } => "ScaleDown",
        Write::WriteLedger { .. } => "WriteLedger",
        Write::StartJob { .. } => "StartJob",
        Write::RemoveJob { .. } => "RemoveJob",
    }
}
