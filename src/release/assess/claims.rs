//! Which attestations are heard about one attempt, and whose.

use super::super::config;
use super::super::plan::judged_revision;
use super::super::snapshot::{
    ATTESTATIONS_AUTHOR_MAX, ATTESTATIONS_MAX, ATTESTATIONS_READ_MAX, Proof, RiskSeen, Snapshot,
};
use super::super::template;
use super::carried::{self, OfCommit};
use crate::api::Time;
use crate::api::names::RELEASE;
use crate::api::release_record::ReleaseRecordSpec;
use crate::policy::evidence::{self, START};
use crate::policy::requirement::author::{Authors, authors, in_commits};
use crate::policy::requirement::claim::APPROVAL;
use crate::policy::requirement::{Claim, Claims, heard as spoken, in_one_role};

/// What is heard about one attempt.
pub(super) struct Heard {
    pub(super) claims: Vec<Claim>,
    /// Who made the change: nobody of these approves it.
    pub(super) authors: Vec<String>,
    /// Whether the API server's names of those who made it are among them.
    pub(super) knows_authors: bool,
    /// What is not heard although it was meant to be, each with the reason.
    pub(super) ignored: Vec<String>,
}

impl Heard {
    /// The claims as they stand at a moment.
    pub(super) fn claims(&self, now: Time) -> Claims<'_> {
        Claims::new(&self.claims, &self.authors, now).knowing(self.knows_authors)
    }
}

pub(super) fn heard(seen: &Snapshot, spec: &ReleaseRecordSpec, risk: &RiskSeen, now: Time) -> Heard {
    let mut heard = Heard { claims: Vec::new(), authors: Vec::new(), knows_authors: false, ignored: Vec::new() };
    let mut refused = Vec::new();
    for one in &seen.attestations {
        // A person approves and starts a revision, not an image: it may run with another configuration.
        let by_people = [APPROVAL, START].contains(&one.spec.kind.as_str());
        let about = one.spec.revision == spec.revision || (!by_people && is_image_of(seen, spec, &one.spec.revision));
        match (about, &one.proof) {
            (true, Proof::Author) => match spoken(&risk.roles, &one.spec, one.at) {
                Ok(claim) => heard.claims.push(claim),
                Err(why) => heard.ignored.push(why),
            },
            (true, Proof::Signed(signed)) => heard.claims.push(carried::claim(one, signed)),
            // Which commit it is has not been looked at by the controller: only a signature speaks of one.
            (false, Proof::Signed(signed)) => match carried::of_commit(&one.spec.revision, &spec.change.reference) {
                OfCommit::This => heard.claims.push(carried::claim(one, signed)),
                OfCommit::Unclear => heard.ignored.push(carried::unclear(one, &spec.change.reference)),
                OfCommit::Another => {}
            },
            (_, Proof::Refused(why)) => refused.extend(carried::refused(one, about, &spec.change.reference, why)),
            (false, Proof::Author) => {}
        }
    }
    heard.ignored.extend(carried::shown(refused));
    if seen.too_many_attestations {
        heard.ignored.push(format!(
            "any attestation, because there are more than {ATTESTATIONS_MAX} about this release, of each author the newest {ATTESTATIONS_AUTHOR_MAX}, or more than {ATTESTATIONS_READ_MAX} in all, and what takes one back may be among those that were not read: delete old ones; who made them: kubectl get attestations -n {} -l {RELEASE}={} -o custom-columns=:.spec.author --no-headers | sort | uniq -c",
            seen.release.namespace, seen.release.name
        ));
    }
    // What is attested of a template says nothing of who edited its ConfigMaps.
    if !config::is_record(spec) {
        let Authors { names, known } = authors(&heard.claims, &spec.changed_by);
        (heard.authors, heard.knows_authors) = (names, known);
        heard.authors.extend(commit_authors(&heard.claims));
    }
    let twice = in_one_role(&mut heard.claims, now);
    let counted_elsewhere = twice.iter().filter(|one| !heard.authors.contains(&one.author));
    heard.ignored.extend(counted_elsewhere.map(ToString::to_string));
    heard
}

/// Whom pipelines name as Git knows them.
fn commit_authors(claims: &[Claim]) -> Vec<String> {
    let types = evidence::all();
    let of_pipelines = |claim: &&Claim| types.get(claim.kind.as_str()).is_some_and(evidence::Evidence::is_of_pipelines);
    claims.iter().filter(of_pipelines).flat_map(|claim| in_commits(&claim.facts)).map(str::to_owned).collect()
}

/// Whether a digest names an image that the attempt's template runs, and, where it runs another one than stable does, one of
/// those: what was attested of a sidecar that stays says nothing of the program that changes.
fn is_image_of(seen: &Snapshot, spec: &ReleaseRecordSpec, digest: &str) -> bool {
    let Some(workload) = seen.workload.as_ref().filter(|_| digest.starts_with("sha256:")) else { return false };
    let of_set = |revision: &str| {
        let set = workload.sets.iter().find(|set| template::revision(&set.template) == revision);
        set.map(|set| &set.template)
    };
    // A newer template may wait in the workload while this one is verified.
    let own = judged_revision(seen, workload) == spec.revision;
    let new = if own { &workload.template } else { of_set(&spec.revision).unwrap_or(&workload.template) };
    let stable = spec.stable.as_deref().and_then(of_set);
    let changed = stable.filter(|stable| template::images(new).ne(template::images(stable)));
    template::has_image(new, digest) && changed.is_none_or(|stable| !template::has_image(stable, digest))
}
