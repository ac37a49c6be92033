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

/// The holder that a Lease is created with: nobody leads by it, and everybody waits for its end.
pub(super) const NOBODY_YET: &str = "nobody-yet";

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LeaseStep {
    /// There is none: create it, held by nobody yet. That grants nothing: where somebody deleted the Lease, its holder
    /// knows nothing of that and writes on until its deadline, which is over when the new Lease has run out.
    Create,
    /// It is ours: renew it.
    Renew,
    /// It was given back or ran out: take it.
    Take,
    /// Another holds it for so long at least.
    Wait(Duration),
}

impl LeaseStep {
    /// Whether this process leads once the step has been carried out.
    pub(super) const fn leads(self) -> bool {
        match self {
            Self::Renew | Self::Take => true,
            Self::Create | Self::Wait(_) => false,
        }
    }
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
    #[case::just_created(held_by(NOBODY_YET), 0, LeaseStep::Wait(secs(15)))]
    #[case::created_long_ago(held_by(NOBODY_YET), 15, LeaseStep::Take)]
    #[case::nearly_over(held_by("you"), 14, LeaseStep::Wait(secs(1)))]
    #[case::over(held_by("you"), 15, LeaseStep::Take)]
    fn a_lease_is_taken_when_it_is_free_or_ran_out(
        #[case] lease: Option<LeaseView>,
        #[case] age: u64,
        #[case] wanted: LeaseStep,
    ) {
        assert_eq!(step(lease.as_ref(), "me", secs(1_000), secs(1_000 + age)), wanted);
    }
}
