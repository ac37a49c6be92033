//! Acts in words: one for coverage, a few for the trace.

use std::fmt;

use super::{Act, PrometheusFault, Quality, Voice};

impl Act {
    /// One word, for coverage.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Deploy { glass: true, .. } => "deploy-under-break-glass",
            Self::Deploy { quality, .. } => match quality {
                Quality::Good => "deploy-good",
                Quality::Errors => "deploy-errors",
                Quality::Slow => "deploy-slow",
                Quality::Unready => "deploy-unready",
                Quality::Crashes => "deploy-crashes",
                Quality::Late => "deploy-late",
                Quality::Disliked => "deploy-disliked",
                Quality::Broken => "deploy-broken",
                Quality::Stuck => "deploy-stuck",
            },
            Self::Revert => "revert",
            Self::Scale(0) => "scale-to-zero",
            Self::Scale(_) => "scale",
            Self::ScaleByHand(_) => "scale-by-hand",
            Self::Autoscale(_) => "autoscale",
            Self::NoAutoscaler => "no-autoscaler",
            Self::Load(_) => "load",
            Self::Resume => "resume",
            Self::Unpause => "unpause",
            Self::Restart => "restart",
            Self::RemoveLabel => "remove-label",
            Self::AddLabel => "add-label",
            Self::DeleteRelease => "delete-release",
            Self::CreateRelease => "create-release",
            Self::CreateTwin => "create-twin",
            Self::DeleteTwin => "delete-twin",
            Self::DeleteFirst => "delete-first",
            Self::Detach => "detach",
            Self::LeaveAlone(_) => "leave-alone",
            Self::Attach => "attach",
            Self::ReapplyRoute => "reapply-route",
            Self::RecreateRoute => "recreate-route",
            Self::MoveRouteAway => "move-route-away",
            Self::MoveRouteBack => "move-route-back",
            Self::EditRoute => "edit-route",
            Self::EditRules => "edit-rules",
            Self::EditRelease => "edit-release",
            Self::Strategy { queue: true, lean: false } => "strategy-queue",
            Self::Strategy { queue: false, lean: true } => "strategy-lean",
            Self::Strategy { .. } => "strategy",
            Self::Judged { compared: true, sustained: false, .. } => "judged-compared",
            Self::Judged { compared: false, sustained: true, .. } => "judged-sustained",
            Self::Judged { .. } => "judged-by-both",
            Self::Checked => "checked",
            Self::Breaker(_) => "breaker",
            Self::Retry => "retry",
            Self::Recreate => "recreate",
            Self::Budget(_) => "budget",
            Self::Malformed => "malformed",
            Self::DeleteCanary => "delete-canary",
            Self::Show { .. } => "show",
            Self::Speak { voice, .. } => match voice {
                Voice::Approve => "approve",
                Voice::Reject => "reject",
                Voice::Withdraw => "withdraw",
            },
            Self::Lossy { .. } => "lossy",
            Self::Conflicts { .. } => "conflicts",
            Self::Crash { .. } => "crash",
            Self::Partition { .. } => "partition",
            Self::DropWatches => "drop-watches",
            Self::Compact => "compact",
            Self::Prometheus { fault, .. } => match fault {
                PrometheusFault::Down => "prometheus-down",
                PrometheusFault::Error => "prometheus-error",
                PrometheusFault::Nan => "prometheus-nan",
                PrometheusFault::Partial => "prometheus-partial",
                PrometheusFault::Stale => "prometheus-stale",
                PrometheusFault::Empty => "prometheus-empty",
                PrometheusFault::Slow => "prometheus-slow",
                PrometheusFault::Garbage => "prometheus-garbage",
            },
            Self::Flap(_) => "flap",
            Self::NodeGone { .. } => "node-gone",
            Self::RouterLag(_) => "router-lag",
            Self::RouterStuck(_) => "router-stuck",
            Self::NotSent(_) => "not-sent",
            Self::Aside(_) => "aside",
            Self::Around(around) => around.word(),
            Self::Owner(owner) => owner.word(),
            Self::Deed(deed) => deed.word(),
            Self::Trial(trial) => trial.word(),
        }
    }

    /// Every word that there is.
    pub const WORDS: [&'static str; 70] = [
        "deploy-under-break-glass",
        "deploy-good",
        "deploy-errors",
        "deploy-slow",
        "deploy-unready",
        "deploy-crashes",
        "deploy-late",
        "deploy-disliked",
        "deploy-broken",
        "deploy-stuck",
        "revert",
        "scale",
        "scale-to-zero",
        "scale-by-hand",
        "autoscale",
        "no-autoscaler",
        "load",
        "resume",
        "unpause",
        "restart",
        "remove-label",
        "add-label",
        "delete-release",
        "create-release",
        "create-twin",
        "delete-twin",
        "delete-first",
        "detach",
        "leave-alone",
        "attach",
        "reapply-route",
        "recreate-route",
        "move-route-away",
        "move-route-back",
        "edit-route",
        "edit-rules",
        "edit-release",
        "judged-compared",
        "judged-sustained",
        "judged-by-both",
        "checked",
        "breaker",
        "retry",
        "recreate",
        "budget",
        "malformed",
        "delete-canary",
        "show",
        "approve",
        "reject",
        "withdraw",
        "lossy",
        "conflicts",
        "crash",
        "partition",
        "drop-watches",
        "compact",
        "prometheus-down",
        "prometheus-error",
        "prometheus-nan",
        "prometheus-partial",
        "prometheus-stale",
        "prometheus-empty",
        "prometheus-slow",
        "prometheus-garbage",
        "flap",
        "node-gone",
        "router-lag",
        "router-stuck",
        "not-sent",
    ];
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deploy { number, change, .. } => write!(f, "{} {number} as {change}", self.word()),
            Self::Scale(replicas) => write!(f, "scale to {replicas}"),
            Self::ScaleByHand(replicas) => write!(f, "scale by hand to {replicas}"),
            Self::Autoscale(most) => write!(f, "autoscale from 2 to {most}"),
            Self::Load(percent) => write!(f, "load: pods use {percent} % of their CPU"),
            Self::Budget(percent) => write!(f, "budget: {percent} % left"),
            Self::Show { but, people, author } => {
                write!(f, "show all but the {but}th, reviewed by people: {people}, author named: {author}")
            }
            Self::Speak { who, role, .. } => write!(f, "{} by person {who} in role {role}", self.word()),
            Self::Lossy { one_in, span } => write!(f, "one call in {one_in} is lost for {span}"),
            Self::Conflicts { one_in, span } => {
                write!(f, "somebody else writes before one call in {one_in} for {span}")
            }
            Self::Crash { process, writes, pause } => {
                write!(f, "process {process} dies after {writes} writes and is away for {pause}")
            }
            Self::Partition { process, span } => write!(f, "process {process} is cut off for {span}"),
            Self::Prometheus { span, .. } => write!(f, "{} for {span}", self.word()),
            Self::Breaker(span) => write!(f, "a circuit breaker is open for {span}"),
            Self::Judged { passes: true, .. } => write!(f, "{}, passes undecided", self.word()),
            Self::Flap(span) => write!(f, "pods flap for {span}"),
            Self::NodeGone { node, span } => write!(f, "node {node} is gone for {span}"),
            Self::RouterLag(span) => write!(f, "the router lags for {span}"),
            Self::RouterStuck(span) => write!(f, "the router takes up nothing for {span}"),
            Self::LeaveAlone(span) => write!(f, "no controller runs for {span}, and the workload is left meanwhile"),
            Self::Deed(deed) => deed.fmt(f),
            Self::NotSent(span) => write!(f, "what Tidegate asks of new versions gets to nobody for {span}"),
            Self::Aside(span) => write!(f, "most callers go past the route for {span}"),
            Self::Around(around) => around.fmt(f),
            Self::Owner(owner) => owner.fmt(f),
            Self::Trial(trial) => trial.fmt(f),
            Self::Revert
            | Self::Resume
            | Self::Unpause
            | Self::NoAutoscaler
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
            | Self::Malformed
            | Self::DeleteCanary
            | Self::DropWatches
            | Self::Compact => f.write_str(self.word()),
        }
    }
}
