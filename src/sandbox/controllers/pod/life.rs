//! What a pod is like at an age. A pure function, so that a world may change its mind at any time.

use crate::api::Span;
use crate::sandbox::controllers::Behaviour;

/// What shows of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) stage: Stage,
    pub(super) ready: bool,
    pub(super) restarts: u64,
}

/// What its containers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// They are being created.
    Creating,
    /// They run.
    Running,
    /// They have exited and wait to be started again: from the second time on, `CrashLoopBackOff`.
    BackOff,
}

/// The longest wait after a crash, in milliseconds.
const BACK_OFF_MAX: u64 = 300_000;
/// One that ran as long as this is forgiven its crashes, in milliseconds.
const FORGIVEN: u64 = 600_000;

/// What a pod of that age shows, and in how long that changes by itself. `start` is how long its containers take to be
/// created, `beat` from 0 to 1 when it flaps.
pub(super) fn at(behaviour: &Behaviour, start: Span, age: Span, beat: f64) -> (Shown, Option<Span>) {
    let start = start.as_millis().min(behaviour.ready_after.as_millis());
    let age = age.as_millis();
    if age < start {
        return (Shown { stage: Stage::Creating, ready: false, restarts: 0 }, Some(Span::from_millis(start - age)));
    }
    // A container that crashes at once still runs for a moment.
    let run = behaviour.crash_after.map(|run| run.as_millis().max(start + 1));
    let (restarts, into) = run.map_or((0, age), |run| restarted(run, age));
    if let Some(run) = run.filter(|run| into >= *run) {
        let back = back_off(run, restarts);
        let shown = Shown { stage: Stage::BackOff, ready: false, restarts };
        return (shown, Some(Span::from_millis((run + back).saturating_sub(into).max(1))));
    }
    let (ready, changes) = readiness(behaviour, into, beat);
    let crash = run.map(|run| run - into);
    let next = changes.into_iter().chain(crash).min().map(|millis| Span::from_millis(millis.max(1)));
    (Shown { stage: Stage::Running, ready, restarts }, next)
}

/// How often a container was started again, and how far into its run, or the wait after it, it is.
fn restarted(run: u64, age: u64) -> (u64, u64) {
    let (mut restarts, mut left) = (0, age);
    loop {
        let turn = run + back_off(run, restarts);
        if left < turn {
            return (restarts, left);
        }
        if restarts > 0 && (run >= FORGIVEN || back_off(run, restarts) == BACK_OFF_MAX) {
            // All turns are alike from here on.
            return (restarts + left / turn, left % turn);
        }
        left -= turn;
        restarts += 1;
    }
}

/// How long it waits to be started again: after the first crash hardly at all.
fn back_off(run: u64, restarts: u64) -> u64 {
    match restarts.checked_sub(1) {
        None => 1_000,
        Some(_) if run >= FORGIVEN => 10_000,
        Some(doublings) => (10_000_u64 << doublings.min(10)).min(BACK_OFF_MAX),
    }
}

/// Whether a container is ready so long into its run, and in how many milliseconds that changes.
fn readiness(behaviour: &Behaviour, into: u64, beat: f64) -> (bool, Option<u64>) {
    let after = behaviour.ready_after.as_millis();
    if !behaviour.ready {
        return (false, None);
    }
    if into < after {
        return (false, Some(after - into));
    }
    let Some((up, down)) = behaviour.flaps.map(|(up, down)| (up.as_millis(), down.as_millis())) else {
        return (true, None);
    };
    let cycle = up + down;
    if cycle == 0 || down == 0 {
        return (true, None);
    }
    let shift = (beat.clamp(0.0, 1.0) * cycle as f64) as u64;
    let place = (into - after + shift) % cycle;
    if place < up { (true, Some(up - place)) } else { (false, Some(cycle - place)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn told(behaviour: &Behaviour, seconds: f64) -> String {
        let age = Span::from_millis((seconds * 1_000.0) as u64);
        let (shown, next) = at(behaviour, Span::from_millis(100), age, 0.0);
        let next = next.map_or("-".to_owned(), |next| next.to_string());
        format!("{:?} {} {} {next}", shown.stage, if shown.ready { "ready" } else { "unready" }, shown.restarts)
    }

    #[rstest]
    #[case(0.0, "Creating unready 0 100ms")]
    #[case(0.1, "Running unready 0 1s900ms")]
    #[case(2.0, "Running ready 0 -")]
    fn a_healthy_pod_starts_and_stays(#[case] age: f64, #[case] expected: &str) {
        assert_eq!(told(&Behaviour::healthy(Span::seconds(2)), age), expected);
    }

    #[rstest]
    #[case(4.0, "Running ready 0 1s")]
    #[case(5.0, "BackOff unready 0 1s")]
    #[case(6.0, "Running unready 1 2s")]
    #[case(8.0, "Running ready 1 3s")]
    #[case(11.0, "BackOff unready 1 10s")]
    #[case(21.0, "Running unready 2 2s")]
    #[case(26.0, "BackOff unready 2 20s")]
    #[case(341.0, "Running unready 6 2s")]
    #[case(346.0, "BackOff unready 6 5m")]
    #[case(1257.0, "Running unready 9 1s")]
    fn a_crashing_pod_is_started_again_ever_later(#[case] age: f64, #[case] expected: &str) {
        let crashes = Behaviour { crash_after: Some(Span::seconds(5)), ..Behaviour::healthy(Span::seconds(2)) };
        assert_eq!(told(&crashes, age), expected);
    }

    #[rstest]
    #[case(2.0, "Running ready 0 3s")]
    #[case(5.0, "Running unready 0 1s")]
    #[case(6.0, "Running ready 0 3s")]
    fn a_flapping_pod_is_ready_now_and_then(#[case] age: f64, #[case] expected: &str) {
        let flaps = Some((Span::seconds(3), Span::seconds(1)));
        assert_eq!(told(&Behaviour { flaps, ..Behaviour::healthy(Span::seconds(2)) }, age), expected);
    }
}
