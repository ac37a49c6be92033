//! What must hold, by name.

use std::fmt;

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The weights of a rule sum to 100.
    WeightsSum,
    /// A weight rises only with a recorded passing verdict for this revision and stage.
    WeightWithoutVerdict,
    /// After an abort no write raises the canary.
    WeightAfterAbort,
    /// No traffic is sent to pods that are not ready.
    TrafficToNobody,
    /// The workload is let go only while another carries all traffic and the way back is warm.
    UnsafeResume,
    /// No pod of a StatefulSet is taken away while another is missed.
    PodMissed,
    /// The way back keeps its capacity until verification ends.
    FallbackGone,
    /// Where pods are counted, no more of them run a new version than its stage allows, but for as long as it takes to put back what was
    /// added.
    Overexposed,
    /// Whoever has users is as large as their share asks for, whatever a release waits for.
    TooSmall,
    /// The active ReplicaSet of a held Deployment is stable.
    HeldRunsOther,
    /// Unknown evidence never passes.
    UnknownPassed,
    /// A version that fails its contract before honest figures does not pass.
    BadPassed,
    /// A good version in a world without faults is released.
    GoodStopped,
    /// Fields of others are untouched.
    ForeignField,
    /// An ex-leader's writes change nothing.
    ExLeader,
    /// Terminal phases absorb.
    SealedChanged,
    /// Nothing is written in another namespace.
    OtherNamespace,
    /// A timer never fires twice: a moment that is noted stays.
    TimerTwice,
    /// Canary and template are equal but for the rewritten label.
    TemplateDiffers,
    /// An abort reaches weight 0 within its time budget.
    AbortLate,
    /// Every hold has a deadline, and is over by then.
    HoldWithoutEnd,
    /// Every release ends.
    NeverEnds,
    /// Traffic is home, and nothing is left over, when nothing goes on.
    NotHome,
    /// A quiet cluster gets no writes.
    NotQuiet,
    /// An obligation arises with what happened, is late by the clock, is met by an attestation, and is not forgotten.
    ObligationWrong,
    /// A record is charged once.
    ChargedTwice,
    /// Numbers of charges follow each other, and each stands in its record.
    Misnumbered,
    /// What is promised and charged stays within what was allocated, but for what may overdraw.
    Overspent,
    /// Users meet nothing that was not charged.
    NotCharged,
    /// Nothing is charged that was held before any user met it.
    ChargedUnmet,
    /// Each charge counts in one window, once, and the figures of a window follow from each other.
    Miscounted,
    /// What of a RiskBudget allows more is in force with both approvals alone, and what allows less at once.
    LoosenedAlone,
    /// What a GatedRelease shows is what its record says.
    ShownWrong,
    /// Where it is enforced, users meet nothing that has not shown what its gate asks for.
    NotShown,
    /// Nothing counts as agreed or shown that nobody said, or that was taken back.
    NotAgreed,
    /// No weight rises, and no stage begins, under a worse error budget than the release began with, unless those agreed whom that
    /// status asks.
    NotAsked,
    /// A rollback is a return to what users were served by; what only claims to be one is not believed.
    Believed,
    /// A new template of a gated workload is held in the write that brings it.
    NotHeld,
    /// All rules of all routes move, and a share counts once all have taken it up.
    RoutesDiffer,
    /// An edit of a ConfigMap goes on record once, and is not forgotten.
    EditRecorded,
    /// A workload that runs two versions is not taken under the gate as it runs.
    AdoptedUnsettled,
    /// While a circuit breaker is open that names a release, no weight of it rises.
    BreakerIgnored,
    /// A check brings back what answered it wrongly, and so often as it may not; one that got to nobody blames nobody.
    BlamedUnasked,
    /// An interval is compared once, in the order of time, and with no more requests than came.
    CountedTwice,
    /// A Job tries a stage that waits for it, one at a time, and not again once it found something out.
    JobTwice,
    /// A Job is told of the new version's own Service, and of no other.
    JobElsewhere,
    /// No Job runs on, or stays for ever, when what it was made for is over.
    JobLeft,
    /// A version is not brought back by a Job that did not run, or that passed.
    JobBlamed,
    /// A stage does not pass before each of its Jobs has completed.
    PassedUntried,
    /// No release starts while something stands around its workload that preflight refuses.
    StartedRefused,
    /// What preflight only warns of holds nothing up.
    WarningHolds,
    /// What a release waits for is said.
    NotTold,
    /// A release moves its own Service's users in a route, and not those of another one's.
    NeighbourMoved,
    /// A GatedRelease whose workload another one has writes nothing.
    TwinWrote,
    /// Under `override.mode: Enforce` nobody lets a held template run who may not, and no machine does that asks without a reason.
    Ungated,
    /// A reason for break-glass that is given for the first time, by who may, lets the template of that very write run.
    GlassIgnored,
    /// Where stable's ReplicaSet is gone, what runs in its place is never taken for stable: nothing is judged beside it, and no way
    /// back is made of it.
    StableInvented,
    /// A route that leads beside the workload stays named.
    HeldRouteGivenUp,
    /// The previous version has as many pods as `fallbackPercent` asks for.
    FallbackSmall,
    /// A previous version that is the way back, or serves, keeps as many pods as Tidegate wanted there, whatever an autoscaler thinks
    /// of pods without users.
    FallbackShrinks,
    /// The PodDisruptionBudget of a canary or previous version says of its pods what the user's says of the workload's.
    DisruptionAstray,
    /// Nobody but Tidegate says what runs beside the workload.
    CopyEdited,
    /// A previous version that somebody deletes is made again while it is the way back, or serves.
    WayBackGone,
    /// The copies of the workload's Service have its ports.
    PortsAstray,
    /// No good version is brought back because somebody restarts pods one after another.
    RestartBlamed,
    /// Who applies a route without force is refused for no longer than a moment.
    OwnerRefused,
    /// No plan breaks an invariant by itself: the linter refuses none.
    PlanRefused,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
