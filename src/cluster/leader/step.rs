//! What to do about the Lease: a pure function of what was seen of it.

use std::time::Duration;

/// What a Lease says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseView {
    /// Who holds it; none where it was given back.
    pub holder: Option<String>,
    /// How long it is good for after it last changed.
    pub duration: Duration,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseStep {
    /// There is none: create it.
    Create,
    /// It is ours: renew it.
    Renew,
    /// It was given back or ran out: take it.
    Take,
    /// Another holds it for so long at least.
    Wait(Duration),
}

/// Decides about the Lease. `observed_at` is when this process first saw it in its present form, on the same monotonic
/// clock as `now`; the times that stand in the Lease are another machine's and are not asked.
pub fn step(lease: Option<&LeaseView>, me: &str, observed_at: Duration, now: Duration) -> LeaseStep {
    let Some(lease) = lease else { return LeaseStep::Create };
    match lease.holder.as_deref() {
        None | Some("") => LeaseStep::Take,
        Some(holder) if holder == me => LeaseStep::Renew,
        Some(_) => {
            let ends = observed_at.saturating_add(lease.duration);
            if now >= ends { LeaseStep::Take } else { LeaseStep::Wait(ends - now) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn held_by(holder: &str) -> Option<LeaseView> {
        Some(LeaseView { holder: Some(holder.to_owned()), duration: secs(15) })
    }

    #[rstest]
    #[case::none(None, 0, LeaseStep::Create)]
    #[case::ours(held_by("me"), 100, LeaseStep::Renew)]
    #[case::given_back(held_by(""), 0, LeaseStep::Take)]
    #[case::given_back_without_a_name(Some(LeaseView { holder: None, duration: secs(15) }), 0, LeaseStep::Take)]
    #[case::fresh(held_by("you"), 0, LeaseStep::Wait(secs(15)))]
    #[case::nearly_over(held_by("you"), 14, LeaseStep::Wait(secs(1)))]
    #[case::over(held_by("you"), 15, LeaseStep::Take)]
    fn a_lease_is_taken_when_it_is_free_or_ran_out(
        #[case] lease: Option<LeaseView>,
        #[case] age: u64,
        #[case] wanted: LeaseStep,
    ) {
        assert_eq!(step(lease.as_ref(), "me", secs(1_000), secs(1_000 + age)), wanted);
    }

    /// A process with a clock that runs a little fast or slow, against a Lease that takes one write at a time.
    struct Process {
        name: &'static str,
        /// Its clock's speed in percent of the true one.
        speed: u64,
        seen: Option<(u64, Duration)>,
        writes_until: Option<Duration>,
    }

    impl Process {
        fn clock(&self, true_ms: u64) -> Duration {
            Duration::from_millis(true_ms * self.speed / 100)
        }

        fn may_write(&self, true_ms: u64) -> bool {
            self.writes_until.is_some_and(|until| self.clock(true_ms) < until)
        }
    }

    proptest! {
        /// Deadline 10 s of 15 s leaves room for clocks that differ by up to a tenth.
        #[test]
        fn two_processes_never_lead_at_once(
            speeds in (95_u64..=105, 95_u64..=105),
            turns in proptest::collection::vec((0_usize..2, 1_u64..6_000, any::<bool>(), 0_u64..3_000), 1..200),
        ) {
            let mut all = [
                Process { name: "a", speed: speeds.0, seen: None, writes_until: None },
                Process { name: "b", speed: speeds.1, seen: None, writes_until: None },
            ];
            let (mut lease, mut version, mut time) = (None::<LeaseView>, 0_u64, 1_000_000_u64);
            for (who, pause, lost, delay) in turns {
                time += pause;
                let me = &mut all[who];
                let read = version;
                if me.seen.map(|(version, _)| version) != Some(read) {
                    me.seen = Some((read, me.clock(time)));
                }
                let observed = me.seen.map(|(_, at)| at).unwrap_or_default();
                let sent = me.clock(time);
                match step(lease.as_ref(), me.name, observed, sent) {
                    LeaseStep::Wait(_) => {}
                    LeaseStep::Create | LeaseStep::Renew | LeaseStep::Take => {
                        time += delay;
                        lease = Some(LeaseView { holder: Some(me.name.to_owned()), duration: secs(15) });
                        version += 1;
                        // The answer may get lost: the Lease is written, and the writer does not know.
                        if !lost {
                            me.seen = Some((version, me.clock(time)));
                            me.writes_until = Some(sent + secs(10));
                        }
                    }
                }
                prop_assert!(!(all[0].may_write(time) && all[1].may_write(time)), "both lead at {time}");
            }
        }
    }
}
