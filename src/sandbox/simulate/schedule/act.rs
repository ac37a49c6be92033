//! The things that can happen, and which of them are faults.

use super::{Around, Deed, Owner, Quality, Trial};
use crate::api::Span;

/// What Prometheus answers instead of the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrometheusFault {
    /// Nothing: the connection is refused.
    Down,
    /// HTTP 500.
    Error,
    /// NaN for every number.
    Nan,
    /// A part, with a warning.
    Partial,
    /// What was true 40 seconds ago.
    Stale,
    /// No series.
    Empty,
    /// Nothing before the time-out.
    Slow,
    /// Something that is no JSON.
    Garbage,
}

impl PrometheusFault {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Down, Self::Error, Self::Nan, Self::Partial, Self::Stale, Self::Empty, Self::Slow, Self::Garbage];
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Somebody deploys a version that was never there before.
    Deploy {
        /// Its number, which makes its image unique.
        number: u32,
        /// How it behaves.
        quality: Quality,
        /// `tidegate.io/change-type`.
        change: &'static str,
        /// Under break-glass.
        glass: bool,
    },
    /// Git goes back to the first version.
    Revert,
    /// Git says another number of pods; from now on that many, or none at all.
    Scale(u32),
    /// A person runs `kubectl scale`: Git says the number that it said.
    ScaleByHand(u32),
    /// An autoscaler gets hold of the workload, for two pods up to that many.
    Autoscale(u32),
    /// The autoscaler goes.
    NoAutoscaler,
    /// Pods use so much of their CPU from now on, in percent.
    Load(u32),
    /// A person runs `kubectl rollout resume`.
    Resume,
    /// A GitOps tool applies `paused: false`.
    Unpause,
    /// `kubectl rollout restart` by applying the annotation.
    Restart,
    /// The gate's label goes.
    RemoveLabel,
    /// The gate's label comes back.
    AddLabel,
    /// The GatedRelease is deleted.
    DeleteRelease,
    /// It is applied again.
    CreateRelease,
    /// A copy of it is applied under another name, as where it was renamed in Git and the former one stayed.
    CreateTwin,
    /// The copy is deleted.
    DeleteTwin,
    /// The GatedRelease is deleted and its copy stays, which is to take the workload over.
    DeleteFirst,
    /// The GatedRelease gets the annotation by which Tidegate leaves its workload.
    Detach,
    /// No controller runs for so long, and `tidegate detach` leaves the workload meanwhile.
    LeaveAlone(Span),
    /// The annotation goes.
    Attach,
    /// A GitOps tool applies the route as Git has it.
    ReapplyRoute,
    /// The owner of the routes deletes them and makes them anew, as Git has them.
    RecreateRoute,
    /// Every rule that leads to the workload leads to another Service.
    MoveRouteAway,
    /// They lead to the workload again.
    MoveRouteBack,
    /// Somebody changes a time-out in the route.
    EditRoute,
    /// The owner of the routes puts a rule in, takes one out or turns them round.
    EditRules,
    /// Somebody changes the bake times.
    EditRelease,
    /// The GatedRelease says what newer templates do, and how many pods a release may need.
    Strategy {
        /// Newer templates wait.
        queue: bool,
        /// The canary stops at half of the traffic.
        lean: bool,
    },
    /// The GatedRelease asks for more than its limits.
    Judged {
        /// That both versions are compared.
        compared: bool,
        /// What cannot be told apart passes on the limits alone.
        passes: bool,
        /// That the objectives are met for a while before everybody gets the new version.
        sustained: bool,
    },
    /// The GatedRelease asks something of the new version itself before each stage passes.
    Checked,
    /// A circuit breaker that names the release is open.
    Breaker(Span),
    /// The retry annotation gets a new value.
    Retry,
    /// The Deployment is deleted and made anew from Git.
    Recreate,
    /// The error budget has so much left from now on, in percent.
    Budget(u32),
    /// A GatedRelease that nobody can read appears in the store.
    Malformed,
    /// Somebody deletes the canary's Deployment.
    DeleteCanary,
    /// A pipeline attests what every gate asks for about the revision of the moment.
    Show {
        /// Which of it is left out, by its place in the list of a world's people; nothing where there is no such place.
        but: usize,
        /// Whether people review it, and not the pipeline.
        people: bool,
        /// Whether it says who made the change.
        author: bool,
    },
    /// A person speaks about the revision of the moment.
    Speak {
        /// Which person.
        who: usize,
        /// In which role, by its place among those of a world's people.
        role: usize,
        /// What they say.
        voice: Voice,
    },
    /// The processes' link to the API server loses calls, before or after they took effect, one of `one_in`.
    Lossy {
        /// How often.
        one_in: u32,
        /// For how long.
        span: Span,
    },
    /// Somebody writes an annotation just before a call of the controller, one of `one_in`.
    Conflicts {
        /// How often.
        one_in: u32,
        /// For how long.
        span: Span,
    },
    /// A process dies after so many more writes; another begins in its place after the pause.
    Crash {
        /// Which of the two.
        process: usize,
        /// After so many more writes.
        writes: u32,
        /// How long the place stays empty.
        pause: Span,
    },
    /// A process is cut off from the API server.
    Partition {
        /// Which of the two.
        process: usize,
        /// For how long.
        span: Span,
    },
    /// All watches end.
    DropWatches,
    /// All watches end, and what they would go on from is forgotten: 410.
    Compact,
    /// Prometheus lies or is silent.
    Prometheus {
        /// How.
        fault: PrometheusFault,
        /// For how long.
        span: Span,
    },
    /// Pods lose and regain readiness.
    Flap(Span),
    /// A node goes away: pods on it are not ready, and those that are made for it do not get ready.
    NodeGone {
        /// Which.
        node: u32,
        /// For how long.
        span: Span,
    },
    /// The router takes up changes late.
    RouterLag(Span),
    /// The router takes up nothing.
    RouterStuck(Span),
    /// What Tidegate itself asks of new versions gets to nobody.
    NotSent(Span),
    /// Most callers use the Service past its route.
    Aside(Span),
    /// Something around the workload.
    Around(Around),
    /// Those who own the workload do something to what is theirs.
    Owner(Owner),
    /// Something is done about a RiskBudget that two releases spend.
    Deed(Deed),
    /// Something happens to the Jobs that try a new version.
    Trial(Trial),
}

impl Act {
    /// How long it makes things fail; none where people or their tools do it.
    pub const fn fault(&self) -> Option<Span> {
        match self {
            Self::Lossy { span, .. }
            | Self::Conflicts { span, .. }
            | Self::Partition { span, .. }
            | Self::Prometheus { span, .. }
            | Self::Flap(span)
            | Self::NodeGone { span, .. }
            | Self::RouterLag(span)
            | Self::RouterStuck(span)
            | Self::NotSent(span)
            | Self::Aside(span)
            | Self::Breaker(span)
            | Self::LeaveAlone(span)
            | Self::Crash { pause: span, .. } => Some(*span),
            Self::DropWatches | Self::Compact => Some(Span::ZERO),
            Self::Around(around) => {
                if around.fails() {
                    Some(Span::ZERO)
                } else {
                    None
                }
            }
            Self::Deed(deed) => deed.fault(),
            Self::Deploy { .. }
            | Self::Revert
            | Self::Scale(_)
            | Self::ScaleByHand(_)
            | Self::Autoscale(_)
            | Self::NoAutoscaler
            | Self::Load(_)
            | Self::Resume
            | Self::Unpause
            | Self::Restart
            | Self::RemoveLabel
            | Self::AddLabel
            | Self::DeleteRelease
            | Self::CreateRelease
            | Self::CreateTwin
            | Self::DeleteTwin
            | Self::DeleteFirst
            | Self::Detach
            | Self::Attach
            | Self::ReapplyRoute
            | Self::RecreateRoute
            | Self::MoveRouteAway
            | Self::MoveRouteBack
            | Self::EditRoute
            | Self::EditRules
            | Self::EditRelease
            | Self::Strategy { .. }
            | Self::Judged { .. }
            | Self::Checked
            | Self::Retry
            | Self::Recreate
            | Self::Budget(_)
            | Self::Malformed
            | Self::DeleteCanary
            | Self::Show { .. }
            | Self::Speak { .. }
            | Self::Owner(_)
            | Self::Trial(_) => None,
        }
    }
}

/// What a person says of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// It may ship.
    Approve,
    /// It may not.
    Reject,
    /// What they said before is taken back.
    Withdraw,
}
