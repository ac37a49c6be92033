//! When the surroundings of a workload are looked at, and what is remembered of it.
//!
//! A dozen lists at every look would double what an idle release costs: they are read before an attempt starts, where the
//! GatedRelease is new or changed, and seldom otherwise. What has started is not held up by them any more.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::queue::Key;
use super::{Context, lock};
use crate::api::release_record::{Arm, Phase};
use crate::cluster::Error;
use crate::cluster::preflight::surroundings;
use crate::release::Snapshot;
use crate::release::preflight::{Preflight, preflight};

/// How long what was found around an idle workload is told before it is looked at again.
const FRESH: Duration = Duration::from_secs(3600);
/// The same where something refuses: whoever mends it wants to see it.
const FRESH_REFUSED: Duration = Duration::from_secs(60);

/// What was found last.
#[derive(Default)]
pub(super) struct Found(Mutex<BTreeMap<Key, (i64, Instant, Preflight)>>);

impl Found {
    pub(super) fn forget(&self, key: &Key) {
        lock(&self.0).remove(key);
    }

    fn last(&self, key: &Key) -> Option<(i64, Instant, Preflight)> {
        lock(&self.0).get(key).cloned()
    }
}

/// Where an attempt stands, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// It is about to start.
    Planned,
    /// There is none.
    Idle,
    /// It is under way, or goes forward in the workload itself.
    UnderWay,
}

fn stands(seen: &Snapshot) -> Stands {
    let Some(record) = &seen.record else { return Stands::Idle };
    let status = record.status.as_ref();
    if status.is_some_and(|status| status.outcome.is_some()) {
        return Stands::Idle;
    }
    let planned = status.is_none_or(|status| status.phase == Phase::Plan);
    if planned && record.spec.arm == Arm::Canary { Stands::Planned } else { Stands::UnderWay }
}

/// What is found around the workload: read anew where it is time, else as it was last found.
pub(super) async fn look(context: &Context, key: &Key, seen: &Snapshot) -> Result<Option<Preflight>, Error> {
    let generation = seen.release.generation;
    let last = context.preflights.last(key);
    let fresh = last.as_ref().is_some_and(|(of, at, found)| {
        let good_for = if found.refused().next().is_some() { FRESH_REFUSED } else { FRESH };
        *of == generation && at.elapsed() < good_for
    });
    let due = match stands(seen) {
        Stands::Planned => true,
        Stands::Idle => !fresh,
        Stands::UnderWay => false,
    };
    let remembered = last.map(|(_, _, found)| found);
    if !due || seen.workload.is_none() || seen.release.deleting {
        return Ok(remembered);
    }
    let around = match surroundings(&context.cluster, seen, &context.elsewhere).await {
        Ok(around) => around,
        // What starts now must be known; anything else can wait for the next look.
        Err(error) if stands(seen) == Stands::Planned => return Err(error),
        Err(error) => {
            tracing::debug!(%key, %error, "the surroundings were not looked at");
            return Ok(remembered);
        }
    };
    let found = preflight(seen, &around);
    lock(&context.preflights.0).insert(key.clone(), (generation, Instant::now(), found.clone()));
    Ok(Some(found))
}
