//! What becomes of the Jobs of checks.

use super::{Jobs, World};
use crate::api::Span;
use crate::release::check_job::JobState;

impl World {
    /// A Job has its result after two seconds, where it comes to one.
    pub(super) fn settle_jobs(&mut self) {
        let (now, becomes) = (self.now, self.jobs);
        for job in &mut self.seen.jobs.all {
            if job.state != JobState::Running || now < job.created.plus(Span::seconds(2)) {
                continue;
            }
            job.pods.started = !matches!(becomes, Jobs::Wait | Jobs::Drained);
            match becomes {
                Jobs::Complete => job.state = JobState::Completed,
                Jobs::Fail => {
                    job.state = JobState::Failed("Job has reached the specified backoff limit".into());
                    job.pods.last_words = Some("probe: exit code 1: no cart".into());
                }
                Jobs::Drained => job.state = JobState::Failed("Job has reached the specified backoff limit".into()),
                Jobs::Wait => job.pods.waits = Some("probe: ImagePullBackOff".into()),
                Jobs::Hang | Jobs::Refused => {}
            }
        }
    }
}
