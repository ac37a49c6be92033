//! The world: a Lease, requests under way, processes; and what may happen to them.

use std::time::Duration;

use super::super::deadline::seen_since;
use super::super::step::NOBODY_YET;
use super::super::{LeaseStep, LeaseView, step};
use super::{Bounds, Deadline};

/// What every process's clock shows at any time: all other moments are kept relative to it.
pub(super) const NOW: Duration = Duration::from_secs(1_000);

/// Who holds a Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Holder {
    /// It was given back.
    Free,
    /// It was created and not taken yet.
    NobodyYet,
    /// A process, in its present life.
    Process(usize),
    /// A process in a life that ended.
    Dead,
}

/// The Lease as the API server has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Lease {
    pub(super) version: u8,
    pub(super) holder: Holder,
}

/// A write under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Flight {
    /// Who waits for its answer; none where nobody does any more.
    pub(super) awaited_by: Option<usize>,
    /// The version that it replaces; none where it creates.
    pub(super) fence: Option<u8>,
    pub(super) holder: Holder,
}

/// What a process is doing about the Lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Turn {
    /// Between two turns.
    Rest,
    /// The answer to its read is under way.
    Reading(Option<Lease>),
    /// It waits for the answer to its write.
    Writing { sent: Duration, leads: bool },
    /// The answer is under way: the version written, or that another was first.
    Written { sent: Duration, leads: bool, version: Option<u8> },
}

/// A process in its present life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Process {
    /// The version last seen, and since when.
    pub(super) seen: Option<(u8, Duration)>,
    pub(super) deadline: Option<Deadline<Duration>>,
    pub(super) turn: Turn,
}

impl Process {
    const BORN: Self = Self { seen: None, deadline: None, turn: Turn::Rest };

    pub(super) fn may_begin(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline.may_begin(NOW))
    }
}

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) lease: Option<Lease>,
    /// The newest version that was ever given.
    pub(super) newest: u8,
    pub(super) flights: Vec<Flight>,
    pub(super) processes: Vec<Process>,
    /// Whether the last move took a dead process's Lease.
    pub(super) inherited: bool,
}

/// What may happen next; numbers are those of processes, or of flights in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Time passes.
    Tick,
    /// A process reads the Lease; the server answers.
    Read(usize),
    /// The answer to the read arrives, and the process acts on it.
    Hear(usize),
    /// A write takes effect, or is refused.
    Land(usize),
    /// A write that nobody waits for is lost.
    Lose(usize),
    /// The answer to a write arrives.
    Answer(usize),
    /// A process waits no longer for an answer, which is also what it sees of a request or an answer that is lost.
    GiveUp(usize),
    /// A process dies and begins anew.
    Crash(usize),
    /// A process is asked to end, gives the Lease back and begins anew.
    GiveBack(usize),
    /// Somebody deletes the Lease.
    Delete,
}

impl World {
    pub(super) fn new(bounds: &Bounds) -> Self {
        Self {
            lease: None,
            newest: 0,
            flights: Vec::new(),
            processes: vec![Process::BORN; bounds.speeds.len()],
            inherited: false,
        }
    }

    pub(super) fn actions(&self, bounds: &Bounds, actions: &mut Vec<Action>) {
        actions.push(Action::Tick);
        for (index, process) in self.processes.iter().enumerate() {
            match process.turn {
                Turn::Rest => actions.push(Action::Read(index)),
                Turn::Reading(_) => {
                    if self.has_room(bounds) {
                        actions.push(Action::Hear(index));
                    }
                    actions.push(Action::GiveUp(index));
                }
                Turn::Writing { .. } => actions.push(Action::GiveUp(index)),
                Turn::Written { .. } => actions.extend([Action::Answer(index), Action::GiveUp(index)]),
            }
            let rests = process.turn == Turn::Rest;
            if rests && process.deadline.is_some() && self.flights.len() < bounds.flights {
                actions.push(Action::GiveBack(index));
            }
            if *process != Process::BORN {
                actions.push(Action::Crash(index));
            }
        }
        for (index, flight) in self.flights.iter().enumerate() {
            actions.push(Action::Land(index));
            if flight.awaited_by.is_none() {
                actions.push(Action::Lose(index));
            }
        }
        if bounds.deletes && self.lease.is_some() {
            actions.push(Action::Delete);
        }
    }

    pub(super) fn act(&mut self, bounds: &Bounds, action: Action) {
        self.inherited = false;
        match action {
            Action::Tick => self.tick(bounds),
            Action::Read(index) => {
                self.processes[index].turn = Turn::Reading(self.lease);
                if !bounds.slow_reads && self.has_room(bounds) {
                    self.hear(bounds, index, self.lease);
                }
            }
            Action::Hear(index) => {
                if let Turn::Reading(stands) = self.processes[index].turn {
                    self.hear(bounds, index, stands);
                }
            }
            Action::Land(index) => self.land(index),
            Action::Lose(index) => drop(self.flights.remove(index)),
            Action::Answer(index) => self.answer(bounds, index),
            Action::GiveUp(index) => {
                self.forget_flight(index);
                self.end_turn(index);
            }
            Action::Crash(index) => self.begin_anew(index),
            Action::GiveBack(index) => {
                let fence = self.processes[index].seen.map(|(version, _)| version);
                self.begin_anew(index);
                if fence.is_some() {
                    self.flights.push(Flight { awaited_by: None, fence, holder: Holder::Free });
                }
            }
            Action::Delete => self.lease = None,
        }
    }

    /// Whether one more write can be under way.
    fn has_room(&self, bounds: &Bounds) -> bool {
        self.flights.len() < bounds.flights
    }

    /// Clocks advance: what is kept relative to them falls back.
    fn tick(&mut self, bounds: &Bounds) {
        for (process, speed) in self.processes.iter_mut().zip(&bounds.speeds) {
            let by = Duration::from_secs(*speed);
            if let Some((_, since)) = &mut process.seen {
                *since -= by;
            }
            if let Some(deadline) = &mut process.deadline {
                deadline.begin -= by;
                deadline.end -= by;
            }
            if let Turn::Writing { sent, .. } | Turn::Written { sent, .. } = &mut process.turn {
                *sent -= by;
            }
        }
    }

    /// As the keeper acts on what it read.
    fn hear(&mut self, bounds: &Bounds, index: usize, stands: Option<Lease>) {
        let process = &mut self.processes[index];
        let observed_at = seen_since(process.seen, stands.map(|lease| lease.version), NOW);
        process.seen = stands.map(|lease| (lease.version, observed_at));
        let view = stands.map(|lease| view(lease.holder, bounds));
        let decided = step(view.as_ref(), &name(Holder::Process(index)), Duration::ZERO, NOW - observed_at);
        match decided {
            LeaseStep::Wait(_) => {
                if process.deadline.is_some() {
                    process.deadline = Some(Deadline::over(NOW));
                }
                self.end_turn(index);
            }
            LeaseStep::Create | LeaseStep::Renew | LeaseStep::Take => {
                let leads = decided.leads() || bounds.rash;
                process.turn = Turn::Writing { sent: NOW, leads };
                let holder = if leads { Holder::Process(index) } else { Holder::NobodyYet };
                let fence = stands.map(|lease| lease.version);
                self.flights.push(Flight { awaited_by: Some(index), fence, holder });
            }
        }
    }

    /// The API server takes a write where its fence holds.
    fn land(&mut self, index: usize) {
        let flight = self.flights.remove(index);
        let taken = flight.fence == self.lease.map(|lease| lease.version);
        if taken {
            self.inherited = self.lease.is_some_and(|lease| lease.holder == Holder::Dead)
                && matches!(flight.holder, Holder::Process(_));
            self.newest += 1;
            self.lease = Some(Lease { version: self.newest, holder: flight.holder });
        }
        if let Some(index) = flight.awaited_by
            && let Turn::Writing { sent, leads } = self.processes[index].turn
        {
            let version = taken.then_some(self.newest);
            self.processes[index].turn = Turn::Written { sent, leads, version };
        }
    }

    fn answer(&mut self, bounds: &Bounds, index: usize) {
        let process = &mut self.processes[index];
        if let Turn::Written { sent, leads, version: Some(version) } = process.turn {
            process.seen = Some((version, NOW));
            if leads {
                process.deadline = Some(Deadline::renewed(sent, bounds.timing));
            }
        }
        self.end_turn(index);
    }

    /// After each turn a process whose deadline is over ends, and is started anew.
    fn end_turn(&mut self, index: usize) {
        let process = &mut self.processes[index];
        process.turn = Turn::Rest;
        if process.deadline.is_some_and(|deadline| !deadline.may_begin(NOW)) {
            self.begin_anew(index);
        }
    }

    /// A new life has a new identity: the old one is nobody's any more.
    fn begin_anew(&mut self, index: usize) {
        self.forget_flight(index);
        self.processes[index] = Process::BORN;
        let ended = Holder::Process(index);
        let bury = |holder: &mut Holder| {
            if *holder == ended {
                *holder = Holder::Dead;
            }
        };
        self.flights.iter_mut().for_each(|flight| bury(&mut flight.holder));
        if let Some(lease) = &mut self.lease {
            bury(&mut lease.holder);
        }
        for process in &mut self.processes {
            if let Turn::Reading(Some(lease)) = &mut process.turn {
                bury(&mut lease.holder);
            }
        }
    }

    fn forget_flight(&mut self, index: usize) {
        for flight in &mut self.flights {
            if flight.awaited_by == Some(index) {
                flight.awaited_by = None;
            }
        }
    }
}

fn name(holder: Holder) -> String {
    match holder {
        Holder::Free => String::new(),
        Holder::NobodyYet => NOBODY_YET.to_owned(),
        Holder::Process(index) => format!("process-{index}"),
        Holder::Dead => "dead".to_owned(),
    }
}

fn view(holder: Holder, bounds: &Bounds) -> LeaseView {
    LeaseView { holder: Some(name(holder)), duration: bounds.timing.lease }
}
