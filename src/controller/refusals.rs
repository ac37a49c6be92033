//! The Jobs of checks that the API server did not let this process make: what the next look at a release knows of it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::lock;
use super::queue::Key;
use crate::api::Time;
use crate::release::check_job::Refusal;

/// What was refused last, by release and by Job. A process that begins anew learns it by trying.
#[derive(Default)]
pub(super) struct Refusals(Mutex<BTreeMap<Key, BTreeMap<String, Refusal>>>);

impl Refusals {
    /// What is known of a release.
    pub(super) fn of(&self, key: &Key) -> BTreeMap<String, Refusal> {
        lock(&self.0).get(key).cloned().unwrap_or_default()
    }

    /// Notes what came of a plan's Jobs; one that was made later is seen, and nobody asks any more.
    pub(super) fn note(&self, key: &Key, refused: Vec<(String, String)>, at: Time) {
        if refused.is_empty() {
            return;
        }
        let new = refused.into_iter().map(|(job, why)| (job, Refusal { at, why }));
        // Those of a former stage are of no use to anybody.
        let mut all = lock(&self.0);
        let known = all.entry(key.clone()).or_default();
        known.retain(|_, refusal| at.since(refusal.at) < KEPT);
        known.extend(new);
    }

    pub(super) fn forget(&self, key: &Key) {
        lock(&self.0).remove(key);
    }
}

/// Longer than any time between two tries.
const KEPT: crate::api::Span = crate::api::Span::seconds(86_400);
