//! What happens in a world: who does what when, and what breaks. Made from the seed alone, before anything runs, so that
//! parts of it can be left out to find the smallest world that still fails.

use std::fmt;

use crate::api::Span;
use crate::sandbox::cluster::NODES;

/// How the pods of a version behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// As the first version.
    Good,
    /// One request of five fails.
    Errors,
    /// Four times as slow.
    Slow,
    /// Never becomes ready.
    Unready,
    /// Becomes ready and crashes again and again.
    Crashes,
    /// Good for a minute, then every third request fails.
    Late,
    /// Answers well, and people complain of what it answers.
    Disliked,
}

impl Quality {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Good, Self::Errors, Self::Slow, Self::Unready, Self::Crashes, Self::Late, Self::Disliked];

    /// As it stands in the image's tag.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Errors => "errors",
            Self::Slow => "slow",
            Self::Unready => "unready",
            Self::Crashes => "crashes",
            Self::Late => "late",
            Self::Disliked => "disliked",
        }
    }

    /// From an image such as `shop:3-errors`; others are good.
    pub fn of_image(image: &str) -> Self {
        let ending = image.rsplit('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|quality| quality.as_str() == ending).unwrap_or(Self::Good)
    }
}

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
    /// The GatedRelease gets the annotation by which Tidegate leaves its workload.
    Detach,
    /// The annotation goes.
    Attach,
    /// A GitOps tool applies the route as Git has it.
    ReapplyRoute,
    /// Somebody changes a time-out in the route.
    EditRoute,
    /// Somebody changes the bake times.
    EditRelease,
    /// The GatedRelease says what newer templates do, and how many pods a release may need.
    Strategy {
        /// Newer templates wait.
        queue: bool,
        /// The canary stops at half of the traffic.
        lean: bool,
    },
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
    /// Most callers use the Service past its route.
    Aside(Span),
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
            | Self::Aside(span)
            | Self::Crash { pause: span, .. } => Some(*span),
            Self::DropWatches | Self::Compact => Some(Span::ZERO),
            Self::Deploy { .. }
            | Self::Revert
            | Self::Scale(_)
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
            | Self::Detach
            | Self::Attach
            | Self::ReapplyRoute
            | Self::EditRoute
            | Self::EditRelease
            | Self::Strategy { .. }
            | Self::Retry
            | Self::Recreate
            | Self::Budget(_)
            | Self::Malformed
            | Self::DeleteCanary
            | Self::Show { .. }
            | Self::Speak { .. } => None,
        }
    }

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
            },
            Self::Revert => "revert",
            Self::Scale(0) => "scale-to-zero",
            Self::Scale(_) => "scale",
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
            Self::Detach => "detach",
            Self::Attach => "attach",
            Self::ReapplyRoute => "reapply-route",
            Self::EditRoute => "edit-route",
            Self::EditRelease => "edit-release",
            Self::Strategy { queue: true, lean: false } => "strategy-queue",
            Self::Strategy { queue: false, lean: true } => "strategy-lean",
            Self::Strategy { .. } => "strategy",
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
            Self::Aside(_) => "aside",
        }
    }

    /// Every word that there is.
    pub const WORDS: [&'static str; 53] = [
        "deploy-under-break-glass",
        "deploy-good",
        "deploy-errors",
        "deploy-slow",
        "deploy-unready",
        "deploy-crashes",
        "deploy-late",
        "deploy-disliked",
        "revert",
        "scale",
        "scale-to-zero",
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
        "detach",
        "attach",
        "reapply-route",
        "edit-route",
        "edit-release",
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
    ];
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deploy { number, change, .. } => write!(f, "{} {number} as {change}", self.word()),
            Self::Scale(replicas) => write!(f, "scale to {replicas}"),
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
            Self::Flap(span) => write!(f, "pods flap for {span}"),
            Self::NodeGone { node, span } => write!(f, "node {node} is gone for {span}"),
            Self::RouterLag(span) => write!(f, "the router lags for {span}"),
            Self::RouterStuck(span) => write!(f, "the router takes up nothing for {span}"),
            Self::Aside(span) => write!(f, "most callers go past the route for {span}"),
            Self::Revert
            | Self::Resume
            | Self::Unpause
            | Self::NoAutoscaler
            | Self::Restart
            | Self::RemoveLabel
            | Self::AddLabel
            | Self::DeleteRelease
            | Self::CreateRelease
            | Self::Detach
            | Self::Attach
            | Self::ReapplyRoute
            | Self::EditRoute
            | Self::EditRelease
            | Self::Strategy { .. }
            | Self::Retry
            | Self::Recreate
            | Self::Malformed
            | Self::DeleteCanary
            | Self::DropWatches
            | Self::Compact => f.write_str(self.word()),
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

/// When something happens, after the world has settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// How long after.
    pub at: Span,
    /// What.
    pub act: Act,
}

/// How much of what may happen in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix {
    /// Things that people and their tools do, at most, besides the first deployment.
    pub people: u32,
    /// Faults of the API server, its links and processes, at most.
    pub faults: u32,
    /// Faults of Prometheus, at most.
    pub prometheus: u32,
    /// How long all of that goes on.
    pub within: Span,
    /// What the workload is, and how its traffic is divided.
    pub workload: Workload,
    /// Whether a change waits for what it must show, with few risk points to spend.
    pub enforced: bool,
}

/// What is released in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Workload {
    /// A Deployment behind a route.
    #[default]
    Routed,
    /// A Deployment without a route.
    ByCount,
    /// A StatefulSet.
    Stateful,
}

impl Mix {
    /// Nothing but one deployment.
    pub const CALM: Self = Self {
        people: 0,
        faults: 0,
        prometheus: 0,
        within: Span::seconds(60),
        workload: Workload::Routed,
        enforced: false,
    };
    /// People, and no faults.
    pub const PEOPLE: Self = Self {
        people: 5,
        faults: 0,
        prometheus: 0,
        within: Span::seconds(150),
        workload: Workload::Routed,
        enforced: false,
    };
    /// One deployment and faults.
    pub const FAULTS: Self = Self {
        people: 0,
        faults: 5,
        prometheus: 2,
        within: Span::seconds(90),
        workload: Workload::Routed,
        enforced: false,
    };
    /// The ready-made ones.
    pub const NAMED: [(&'static str, Self); 11] = [
        ("calm", Self::CALM),
        ("people", Self::PEOPLE),
        ("faults", Self::FAULTS),
        ("wild", Self::WILD),
        ("calm-by-count", Self { workload: Workload::ByCount, ..Self::CALM }),
        ("wild-by-count", Self { workload: Workload::ByCount, ..Self::WILD }),
        ("calm-stateful", Self { workload: Workload::Stateful, ..Self::CALM }),
        ("wild-stateful", Self { workload: Workload::Stateful, ..Self::WILD }),
        ("approved", Self::APPROVED),
        ("wild-approved", Self::WILD_APPROVED),
        ("wild-approved-stateful", Self { workload: Workload::Stateful, ..Self::WILD_APPROVED }),
    ];
    /// People who ship, show and agree, and no faults.
    pub const APPROVED: Self = Self { enforced: true, ..Self::PEOPLE };
    /// The same with everything else.
    pub const WILD_APPROVED: Self = Self { enforced: true, ..Self::WILD };
    /// Everything.
    pub const WILD: Self = Self {
        people: 4,
        faults: 4,
        prometheus: 1,
        within: Span::seconds(150),
        workload: Workload::Routed,
        enforced: false,
    };
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMED.iter().find(|(_, mix)| mix == self).map_or("custom", |(name, _)| name);
        f.write_str(name)
    }
}

impl std::str::FromStr for Mix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::NAMED.iter().find(|(name, _)| *name == text).map(|(_, mix)| *mix);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::NAMED.iter().map(|(name, _)| *name).collect();
            format!("{text:?} is no mix; there are {}", names.join(", "))
        })
    }
}

/// What happens in the world of a seed, in the order of time.
pub fn of_seed(seed: u64, mix: Mix) -> Vec<Item> {
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x5eed);
    let mut numbers = 1;
    let mut items = vec![Item { at: seconds(&mut dice, 2, 15), act: deploy(&mut dice, &mut numbers) }];
    let within = u32::try_from(mix.within.as_millis() / 1000).unwrap_or(u32::MAX);
    for _ in 0..count(&mut dice, mix.people) {
        items.push(Item { at: seconds(&mut dice, 5, within), act: people(&mut dice, &mut numbers) });
    }
    for _ in 0..count(&mut dice, mix.faults) {
        items.push(Item { at: seconds(&mut dice, 1, within), act: fault(&mut dice) });
    }
    for _ in 0..count(&mut dice, mix.prometheus) {
        let fault = PrometheusFault::ALL[dice.usize(..PrometheusFault::ALL.len())];
        let act = Act::Prometheus { fault, span: seconds(&mut dice, 5, 150) };
        items.push(Item { at: seconds(&mut dice, 1, within), act });
    }
    // Dice of its own: the rest of a world is what it was before there was a choice.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x57a7);
    let (queue, lean) = (dice.u32(0..4) == 0, dice.u32(0..4) == 0);
    if queue || lean {
        items.push(Item { at: Span::seconds(1), act: Act::Strategy { queue, lean } });
    }
    // And these: nodes go away in worlds in which anything fails.
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x40de);
    if mix.faults > 0 && dice.u32(0..3) == 0 {
        let (at, span) = (seconds(&mut dice, 5, within), seconds(&mut dice, 10, 180));
        items.push(Item { at, act: Act::NodeGone { node: dice.u32(0..NODES), span } });
    }
    if mix.enforced {
        items.extend(papers(seed, &items));
    }
    items.sort_by_key(|item| item.at);
    items
}

/// What is shown and said of each version that is deployed.
fn papers(seed: u64, items: &[Item]) -> Vec<Item> {
    let mut dice = fastrand::Rng::with_seed(seed ^ 0x9a9e);
    let mut papers = Vec::new();
    let deployed = items.iter().filter(|item| matches!(item.act, Act::Deploy { .. } | Act::Retry | Act::Restart));
    for item in deployed {
        let later = |dice: &mut fastrand::Rng, most: u32| {
            Span::from_millis(item.at.as_millis() + seconds(dice, 3, most).as_millis())
        };
        let people = dice.bool();
        let but = if dice.u32(0..4) == 0 { dice.usize(..SHOWN) } else { SHOWN };
        let act = Act::Show { but, people, author: dice.bool() };
        papers.push(Item { at: later(&mut dice, 15), act });
        for _ in 0..dice.u32(2..9) {
            let voice = [Voice::Approve, Voice::Reject, Voice::Withdraw][[0, 0, 0, 0, 0, 1, 2, 2][dice.usize(..8)]];
            let act = Act::Speak { who: dice.usize(..PEOPLE), role: dice.usize(..ROLES), voice };
            papers.push(Item { at: later(&mut dice, 40), act });
        }
    }
    papers
}

/// How many people there are who may speak; the first is who makes the changes.
pub const PEOPLE: usize = 4;
/// How many roles they speak in.
pub const ROLES: usize = 3;
/// How much a pipeline attests.
pub const SHOWN: usize = 16;

fn count(dice: &mut fastrand::Rng, most: u32) -> u32 {
    dice.u32(0..=most)
}

fn seconds(dice: &mut fastrand::Rng, least: u32, most: u32) -> Span {
    Span::from_millis(u64::from(dice.u32(least * 1000..=most.max(least) * 1000)))
}

fn deploy(dice: &mut fastrand::Rng, numbers: &mut u32) -> Act {
    *numbers += 1;
    let quality = match dice.u32(0..11) {
        0..4 => Quality::Good,
        4..6 => Quality::Errors,
        6 => Quality::Slow,
        7 => Quality::Unready,
        8 => Quality::Crashes,
        9 => Quality::Disliked,
        _ => Quality::Late,
    };
    let change = ["Feature", "BugFix", "Reliability", "SecurityFix", "IncidentFix", "Config"][dice.usize(..6)];
    Act::Deploy { number: *numbers, quality, change, glass: dice.u32(0..20) == 0 }
}

fn people(dice: &mut fastrand::Rng, numbers: &mut u32) -> Act {
    match dice.u32(0..30) {
        0..5 => deploy(dice, numbers),
        24 | 25 => Act::Autoscale(dice.u32(3..=6)),
        26 => Act::NoAutoscaler,
        27 => Act::Load(dice.u32(20..=180)),
        5..8 => Act::Revert,
        8..10 => Act::Scale(dice.u32(0..=5)),
        10 => Act::Resume,
        11 => Act::Unpause,
        12 => Act::Restart,
        13 => [Act::RemoveLabel, Act::AddLabel][dice.usize(..2)].clone(),
        14 => [Act::DeleteRelease, Act::Detach][dice.usize(..2)].clone(),
        15 => [Act::CreateRelease, Act::Attach][dice.usize(..2)].clone(),
        16 => Act::ReapplyRoute,
        17 => Act::EditRoute,
        18 => Act::EditRelease,
        19 => Act::Retry,
        20 => Act::Recreate,
        21 | 28 | 29 => Act::Budget([5, 20, 40, 90][dice.usize(..4)]),
        22 => Act::Malformed,
        _ => Act::DeleteCanary,
    }
}

fn fault(dice: &mut fastrand::Rng) -> Act {
    match dice.u32(0..14) {
        0..4 => Act::Crash { process: dice.usize(..2), writes: dice.u32(0..8), pause: seconds(dice, 0, 20) },
        4 | 5 => Act::Lossy { one_in: dice.u32(2..12), span: seconds(dice, 3, 40) },
        6 | 7 => Act::Conflicts { one_in: dice.u32(1..6), span: seconds(dice, 3, 40) },
        8 => Act::Partition { process: dice.usize(..2), span: seconds(dice, 5, 40) },
        9 => [Act::DropWatches, Act::Compact][dice.usize(..2)].clone(),
        10 => Act::Flap(seconds(dice, 3, 20)),
        11 => Act::RouterStuck(seconds(dice, 20, 240)),
        12 => Act::Aside(seconds(dice, 10, 90)),
        _ => Act::RouterLag(seconds(dice, 3, 30)),
    }
}
