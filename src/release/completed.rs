//! Which revisions users were served by lately, so that a return to one of them is seen, and not believed.
//!
//! A return takes what was newer away with it: who goes forward again to a version that was left brings a change, and it is
//! judged as one. The list stands in the GatedRelease's status and is made anew from it and the last record at each look, so
//! that a controller that dies before it wrote the list forgets nothing.

use super::plan::{judged_revision, last_good};
use super::snapshot::{Snapshot, Workload};
use super::template;
use crate::api::gated_release::{CompletedRevision, WorkloadKind};
use crate::api::release_record::{Outcome, ReleaseRecordSpec, ReleaseRecordStatus};
use crate::api::{ChangeType, Span, Time};

/// How many are remembered; the oldest is forgotten first.
const COMPLETED_MAX: usize = 10;

/// How long after another took its place a return to it is a rollback. What ran longer ago met another world: other data, other
/// clients, other keys.
const LATELY: Span = Span::days(30);

type Ended<'a> = (&'a str, &'a ReleaseRecordSpec, &'a ReleaseRecordStatus);

/// Whether the workload's template is one that users were served by lately: what serves now, or what did before that.
pub(super) fn is_return(seen: &Snapshot, workload: &Workload, now: Time) -> bool {
    let Some(known) = after(seen, None) else { return false };
    let (template, serves) = (template::digest(&workload.template), last_good(seen));
    let newest = known.iter().position(|one| Some(&one.revision) == serves.as_ref()).unwrap_or(known.len());
    known
        .iter()
        .take(newest.saturating_add(1))
        .any(|one| one.template == template && one.served_until.is_none_or(|until| now.since(until) <= LATELY))
}

/// The list as it is after a look that leaves this record; none where nothing completed yet.
pub(super) fn after(seen: &Snapshot, record: Option<Ended<'_>>) -> Option<Vec<CompletedRevision>> {
    let stored = seen.record.as_ref().and_then(|last| Some((last.name.as_str(), &last.spec, last.status.as_ref()?)));
    let mut known = seen.release.status.completed.clone().or_else(|| before_the_list(seen, stored));
    for (name, spec, status) in [stored, record].into_iter().flatten() {
        if let Some(outcome) = status.outcome {
            note(known.get_or_insert_default(), seen, (name, spec, status), outcome);
        }
    }
    known
}

/// What the last record tells where no list was kept yet, as after an upgrade, or for a GatedRelease made anew.
fn before_the_list(seen: &Snapshot, last: Option<Ended<'_>>) -> Option<Vec<CompletedRevision>> {
    let (_, spec, status) = last?;
    let went_back = spec.change.kind == ChangeType::Rollback;
    let former = spec.stable.as_ref().filter(|stable| !went_back && **stable != spec.revision)?;
    let one = CompletedRevision {
        revision: former.clone(),
        template: template_of(seen, former)?,
        record: None,
        completed_at: None,
        // It goes on being what serves where the attempt came to nothing.
        served_until: status.ended_at.filter(|_| status.outcome.is_some_and(|outcome| takes_over(seen, outcome))),
    };
    Some(vec![one])
}

/// Whether an attempt that ended so is what runs from then on. A StatefulSet that could not be withdrawn comes back at the former
/// version, one day.
fn takes_over(seen: &Snapshot, outcome: Outcome) -> bool {
    let comes_back = outcome == Outcome::NotWithdrawn && seen.kind() == WorkloadKind::StatefulSet;
    outcome.took_over() && !comes_back
}

/// Puts the end of an attempt into the list; the same end twice changes nothing.
fn note(known: &mut Vec<CompletedRevision>, seen: &Snapshot, (name, spec, status): Ended<'_>, outcome: Outcome) {
    let is = |one: &CompletedRevision| one.revision == spec.revision;
    let stable_runs_it = spec.stable.as_ref() == Some(&spec.revision);
    let failed = status.rollback.as_ref().is_some_and(|log| log.trigger.is_failure());
    if (failed || outcome == Outcome::NotWithdrawn) && !stable_runs_it {
        // What came back is no way back, whatever it was before; of what serves still nobody can say so.
        known.retain(|one| !is(one));
    }
    if !takes_over(seen, outcome) || known.last().is_some_and(|last| last.record.as_deref() == Some(name)) {
        return;
    }
    // What is newer than the version that this one took over from had been left before.
    if let Some(served) = known.iter().position(|one| Some(&one.revision) == spec.stable.as_ref()) {
        known.truncate(served + 1);
    }
    let completed = matches!(outcome, Outcome::Succeeded | Outcome::Bootstrap);
    match known.iter().position(is) {
        Some(place) if !completed || spec.change.kind == ChangeType::Rollback => known.truncate(place + 1),
        Some(place) => drop(known.remove(place)),
        None => {}
    }
    if let Some(last) = known.last_mut().filter(|last| !is(last)) {
        last.served_until = last.served_until.or(status.ended_at);
    }
    if !completed {
        // Nobody judged it; that users are served by it again is all the same.
        known.iter_mut().filter(|one| is(one)).for_each(|one| one.served_until = None);
        return;
    }
    known.retain(|one| !is(one));
    let Some(template) = template_of(seen, &spec.revision) else { return };
    known.push(CompletedRevision {
        revision: spec.revision.clone(),
        template,
        record: Some(name.to_owned()),
        completed_at: status.ended_at,
        served_until: None,
    });
    let ended = status.ended_at;
    known.retain(|one| one.served_until.zip(ended).is_none_or(|(until, ended)| ended.since(until) <= LATELY));
    known.drain(..known.len().saturating_sub(COMPLETED_MAX));
}

/// The template of a revision that runs, by what tells it from all others.
fn template_of(seen: &Snapshot, revision: &str) -> Option<String> {
    let workload = seen.workload.as_ref()?;
    if judged_revision(seen, workload) == revision {
        return Some(template::digest(&workload.template));
    }
    let set = workload.sets.iter().find(|set| template::revision(&set.template) == revision)?;
    Some(template::digest(&set.template))
}
