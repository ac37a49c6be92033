//! A version that should go back, or leave, where nobody would answer at home.
//!
//! Users are never sent from somebody who answers to nobody. Where nobody answers at all they stay for a moment with whoever
//! answered last. Every wait here is told, and says what ends it. What must never enter: a weight that rises for any other
//! reason than that its stage stood there before.

use super::active::{Active, NO_WAY_BACK};
use super::lost::{STABLE_LOST, is_lost};
use super::roll_back::{begin, check, home};
use super::step::{LOOK_AGAIN, Say, Step};
use crate::api::gated_release::HoldStatus;
use crate::api::release_record::{Outcome, ReleaseRecordStatus, RollbackLog, Trigger};
use crate::api::{Span, Time, Weight};
use crate::release::split::{Carrier, Split};
use crate::release::wording;

/// The hold of a release in which neither the new version nor stable has a ready pod.
pub(super) const NOBODY_ANSWERS: &str = "NobodyAnswers";

/// The hold of a release that is taken away while its workload has no pods.
pub(in crate::release) const NOBODY_HOME: &str = "NobodyHome";

/// So long users stay where nobody answers at this moment, if stable does not either: three times the kubelet's default for a
/// probe. A pod that misses one probe is back by then; a version that is dead for good has cost nobody an answer. Never longer
/// than the contract's time budget.
const NOBODY_FOR: Span = Span::seconds(30);

/// Whether a carrier answers users.
fn answers(active: &Active<'_>, carrier: Carrier) -> bool {
    match carrier {
        Carrier::Workload => active.endpoints(carrier) > 0,
        Carrier::Canary | Carrier::Previous => active.ready(carrier, 1).is_ok(),
    }
}

/// Who has users and is not home.
fn away(active: &Active<'_>) -> impl Iterator<Item = Carrier> {
    let others = match home(active) {
        Carrier::Previous => [Carrier::Workload, Carrier::Canary],
        Carrier::Workload | Carrier::Canary => [Carrier::Canary, Carrier::Previous],
    };
    others.into_iter().filter(|carrier| active.weight(*carrier) > Weight::ZERO)
}

/// Whether nobody would answer at home while the new version does.
pub(super) fn strands_users(active: &Active<'_>) -> bool {
    !answers(active, home(active)) && away(active).any(|carrier| answers(active, carrier))
}

/// Before the promotion stable is the way back. While none of its pods is ready and the canary answers, users are better off
/// there: it is held and told, and goes home as soon as one is ready. This hold's deadline changes nothing, because nobody
/// could answer its end. Where the canary is not ready either, users stay for [`NOBODY_FOR`], so that one missed probe costs
/// nobody an answer; then they go to stable, which is what comes back. Only who wants it so is not kept waiting for good: after
/// `readyWithin` traffic goes home where the release is taken away, after `holdFor` where the workload is to have no pods. None
/// where it goes home now.
pub(super) fn with_nobody_home(active: &Active<'_>, log: &RollbackLog) -> Option<Step> {
    if answers(active, Carrier::Workload) || away(active).next().is_none() {
        return None;
    }
    let strategy = &active.seen.release.spec.strategy;
    let waits = [NO_WAY_BACK, NOBODY_ANSWERS];
    let stands = active.status.hold.as_ref().filter(|hold| waits.contains(&hold.reason.as_str()));
    let since = stands.map_or(active.now, |hold| hold.since);
    let leaves = matches!(log.trigger, Trigger::Deleted | Trigger::Ungated);
    let wants_none = active.workload().is_some_and(|workload| workload.replicas == 0);
    let at_most = leaves.then_some(strategy.ready_within).or(wants_none.then_some(strategy.hold_for));
    if at_most.is_some_and(|at_most| active.now >= since.plus(at_most)) {
        return None;
    }
    let (name, why) = (active.name(), said(log));
    let look = format!("Look: kubectl get pods -n {}.", active.seen.release.namespace);
    if strands_users(active) {
        let until = at_most.map(|at_most| format!(", and at the latest after {at_most}")).unwrap_or_default();
        let let_go = wording::let_go(
            active.seen.kind(),
            &active.seen.release.namespace,
            &active.seen.release.spec.workload_ref.name,
        );
        let comes = match active.workload().filter(|workload| is_lost(active.seen, workload)) {
            None => format!(
                "but no pod of stable is ready: traffic stays where it is answered, and goes home as soon as one is{until}. {look}"
            ),
            // None comes by itself.
            Some(_) => format!(
                "but stable's ReplicaSet is gone ({STABLE_LOST}): traffic stays where it is answered{until}. Revert in Git: stable's template is let go at once, and traffic goes home as soon as a pod of it is ready. {look}"
            ),
        };
        let message = format!(
            "{name} should go back ({why}), {comes} A newer template waits for that too; past the gate it runs at once: {let_go}, or tidegate.io/break-glass with the reason."
        );
        return Some(stay(active, NO_WAY_BACK, message, (since, since.plus(strategy.hold_for))));
    }
    let patience = NOBODY_FOR.min(active.seen.release.spec.rollback.time_budget);
    let missed = stands.filter(|hold| hold.reason == NOBODY_ANSWERS);
    let deadline = missed.map_or(active.now.plus(patience), |hold| hold.deadline);
    let message = format!(
        "{name} should go back ({why}), but neither its pods nor those of stable are ready: traffic stays for {patience}, in case either is back, and then goes to stable. {look}"
    );
    (active.now < deadline).then(|| stay(active, NOBODY_ANSWERS, message, (since, deadline)))
}

/// Holds without a choice at the deadline: whoever asks looks at the time first.
fn stay(active: &Active<'_>, reason: &str, message: String, (since, deadline): (Time, Time)) -> Step {
    let step = Step::says(Say::Held).wake(LOOK_AGAIN);
    // What stands is said again where stable was lost meanwhile, or is back: what ends the hold is another thing then.
    let same = |hold: &HoldStatus| {
        hold.reason == reason && hold.message.contains(STABLE_LOST) == message.contains(STABLE_LOST)
    };
    if active.status.hold.as_ref().is_some_and(same) {
        return step;
    }
    let hold = HoldStatus { reason: reason.to_owned(), message: wording::at_most(1_000, &message), since, deadline };
    step.update(active, ReleaseRecordStatus { hold: Some(hold), ..active.status.clone() })
}

/// The workload runs the new version and the previous one has no ready pod: traffic would go to nobody. It stays, is told,
/// and goes as soon as one pod is ready. Where none is in time, the attempt is closed as what it is: the workload's version
/// keeps its users, and gets those that the previous one leaves unanswered (`way_home`).
pub(super) fn without_a_way_back(active: &Active<'_>, log: &RollbackLog) -> Option<Step> {
    if !active.lacks_way_back() {
        return None;
    }
    let why = said(log);
    let message = format!(
        "{} should go back ({why}), but no pod of the previous version is ready: traffic goes there as soon as one is. Look: kubectl get pods -n {}",
        active.name(),
        active.seen.release.namespace
    );
    let patience = active.seen.release.spec.strategy.hold_for;
    let over = |hold: &HoldStatus| {
        let summary = format!(
            "Not withdrawn ({why}): no pod of the previous version was ready from {} to {}. Traffic stays with this version, which is what the workload runs: push a fix or revert in Git.",
            hold.since.clock(),
            hold.deadline.clock()
        );
        let log = RollbackLog {
            // When it was decided: from then on it hurt.
            at: hold.since,
            traffic_to: active.seen.service_of(Carrier::Workload),
            state_after: "The workload runs this template, and serves.".to_owned(),
            check: check(active, Carrier::Workload),
            ..log.clone()
        };
        active.seal_back(Outcome::NotWithdrawn, summary, Some(log)).wake(LOOK_AGAIN)
    };
    // No watch tells of endpoints.
    Some(active.hold_until(NO_WAY_BACK, &message, patience, over).wake(LOOK_AGAIN))
}

fn said(log: &RollbackLog) -> String {
    format!("{}: {}", log.trigger, log.value)
}

/// The workload was taken away under a release: users stay where they are answered until somebody else can answer them.
pub(super) fn without_a_workload(active: &Active<'_>) -> Step {
    let message = format!(
        "{}: the workload is gone or no longer under the gate, and no pod that could take the traffic over is ready: it stays where it is answered. Apply the {} again, or delete the GatedRelease.",
        active.name(),
        active.seen.kind()
    );
    active.hold(NO_WAY_BACK, message, active.seen.release.spec.strategy.ready_within).wake(LOOK_AGAIN)
}

/// The release is taken away while the workload, which should take all traffic, was deleted or scaled to nothing: users stay
/// where they are answered for `readyWithin`, in case it is put back. None where nobody answers them, or that is over.
pub(super) fn without_pods(active: &Active<'_>, why: &str) -> Option<Step> {
    let others = [Carrier::Canary, Carrier::Previous].into_iter();
    let mut serving = others.filter(|carrier| active.weight(*carrier) > Weight::ZERO && answers(active, *carrier));
    let serving = serving.next().filter(|_| !answers(active, Carrier::Workload))?;
    let within = active.seen.release.spec.strategy.ready_within;
    let stands = active.status.hold.as_ref().filter(|hold| hold.reason == NOBODY_HOME);
    let deadline = stands.map_or(active.now.plus(within), |hold| hold.deadline);
    let message = format!(
        "{}: {why}, but {} {} has no pod that could take the traffic over: {serving} answers it for {within}, then it goes home all the same. Apply the {} again, or scale it up.",
        active.name(),
        active.seen.kind(),
        active.seen.release.spec.workload_ref.name,
        active.seen.kind()
    );
    let since = stands.map_or(active.now, |hold| hold.since);
    (active.now < deadline).then(|| stay(active, NOBODY_HOME, message, (since, deadline)))
}

/// Weights that somebody changed are not put back where nobody would answer: the version goes back instead.
pub(super) fn nobody_to_restore(active: &Active<'_>, split: Split) -> Option<Step> {
    let rules = || active.routes().flat_map(|(_, route)| route.rules.iter().flatten());
    let least = |carrier| rules().map(|rule| rule.weight(carrier)).min().unwrap_or(Weight::ZERO);
    let rises = |carrier: &Carrier| split.weight(*carrier) > least(*carrier);
    let mut risen = [Carrier::Canary, Carrier::Previous].into_iter().filter(rises);
    let what = risen.find_map(|carrier| active.ready(carrier, 1).err())?;
    Some(begin(active, Trigger::NotReady, what, "at least 1 before it serves again".to_owned()))
}
