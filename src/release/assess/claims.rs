//! Which attestations are heard about one attempt, and whose.

use std::collections::BTreeSet;

use super::super::config;
use super::super::plan::{judged_revision, stable_set};
use super::super::snapshot::{
    ATTESTATIONS_AUTHOR_MAX, ATTESTATIONS_MAX, ATTESTATIONS_READ_MAX, AttestationSeen, Proof, RiskSeen, Snapshot,
};
use super::super::template;
use super::carried::{self, OfCommit};
use crate::api::Time;
use crate::api::names::RELEASE;
use crate::api::release_record::ReleaseRecordSpec;
use crate::policy::evidence::{self, START, is_of_source};
use crate::policy::requirement::author::{Authors, authors, in_commits, nameless};
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

/// What is heard about the attempt of `spec`; it `began` where it has been let start.
pub(super) fn heard(seen: &Snapshot, spec: &ReleaseRecordSpec, risk: &RiskSeen, began: bool, now: Time) -> Heard {
    let mut heard = Heard { claims: Vec::new(), authors: Vec::new(), knows_authors: false, ignored: Vec::new() };
    let (mut refused, mut of_commit, mut of_former) = (Vec::new(), Vec::new(), BTreeSet::new());
    for one in &seen.attestations {
        let about = about(seen, spec, one, began);
        match (about, &one.proof) {
            (About::This, Proof::Author) => match spoken(&risk.roles, &one.spec, one.at) {
                Ok(claim) => heard.claims.push(claim),
                Err(why) => heard.ignored.push(why),
            },
            (About::This, Proof::Signed(signed)) => heard.claims.push(carried::claim(one, signed)),
            (About::Source, Proof::Author) => heard.claims.push(nameless(Claim::of(&one.spec, one.at))),
            (About::Source, Proof::Signed(signed)) => heard.claims.push(nameless(carried::claim(one, signed))),
            (About::Former, Proof::Author | Proof::Signed(_)) => drop(of_former.insert(one.spec.kind.as_str())),
            // Which commit it is has not been looked at by the controller: only a signature speaks of one.
            (About::Other, Proof::Signed(signed)) => {
                match carried::of_commit(&one.spec.revision, &spec.change.reference) {
                    OfCommit::This => of_commit.push(carried::claim(one, signed)),
                    OfCommit::Unclear => heard.ignored.push(carried::unclear(one, &spec.change.reference)),
                    OfCommit::Another => {}
                }
            }
            (_, Proof::Refused(why)) => {
                let meant = about != About::Other;
                refused.extend(carried::refused(one, meant, &spec.change.reference, why));
            }
            (About::Other, Proof::Author) => {}
        }
    }
    heard.ignored.extend(carried::shown(refused));
    heard.ignored.extend(former(&of_former, seen));
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
        // Whoever deploys writes which commit it is: whom its evidence names does not approve, and others may have made it.
        heard.authors.extend(authors(&of_commit, "").names);
        heard.authors.extend(commit_authors(&heard.claims));
        heard.authors.extend(commit_authors(&of_commit));
    }
    heard.claims.extend(of_commit);
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

/// What an attestation speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// The revision, or an image that comes with it.
    This,
    /// An image that runs on with other configuration: what is true of its source stays so.
    Source,
    /// The same image; what its type says depends on the configuration, or was said of the change that brought the image.
    Former,
    /// Something else.
    Other,
}

fn about(seen: &Snapshot, spec: &ReleaseRecordSpec, one: &AttestationSeen, began: bool) -> About {
    let kind = one.spec.kind.as_str();
    // A person approves and starts a revision, not an image: it may run with another configuration.
    match one.spec.revision == spec.revision {
        true => About::This,
        false if [APPROVAL, START].contains(&kind) => About::Other,
        false => match image(seen, spec, &one.spec.revision, began) {
            Image::New => About::This,
            Image::Unchanged if is_of_source(kind) => About::Source,
            Image::Unchanged => About::Former,
            Image::Other => About::Other,
        },
    }
}

/// What a digest is to an attempt.
enum Image {
    /// Its template runs this image, and stable does not.
    New,
    /// Both run it, and no image changes: the change is one of configuration.
    Unchanged,
    /// No image of it; or a sidecar that stays, which says nothing of the program that changes.
    Other,
}

fn image(seen: &Snapshot, spec: &ReleaseRecordSpec, digest: &str, began: bool) -> Image {
    let Some(workload) = seen.workload.as_ref().filter(|_| digest.starts_with("sha256:")) else { return Image::Other };
    let of_set = |revision: &str| {
        let set = workload.sets.iter().find(|set| template::revision(&set.template) == revision);
        set.map(|set| &set.template)
    };
    // A newer template may wait in the workload while this one is verified.
    let own = judged_revision(seen, workload) == spec.revision;
    let new = if own { &workload.template } else { of_set(&spec.revision).unwrap_or(&workload.template) };
    if !template::has_image(new, digest) {
        return Image::Other;
    }
    let Some(revision) = spec.stable.as_deref() else { return Image::New };
    let serves = || stable_set(seen, workload).filter(|_| !began).map(|set| &set.template);
    let Some(stable) = of_set(revision).or_else(serves) else {
        // Once the workload runs the new version, the set of the former may be gone; before that it serves.
        return if began { Image::New } else { Image::Unchanged };
    };
    let changed = template::new_images(new, stable);
    match (changed.is_empty(), changed.iter().any(|image| image.ends_with(digest))) {
        (_, true) => Image::New,
        (true, false) => Image::Unchanged,
        (false, false) => Image::Other,
    }
}

/// What is told of evidence about an image that does not change.
fn former(kinds: &BTreeSet<&str>, seen: &Snapshot) -> Option<String> {
    let first = kinds.first()?;
    let all: Vec<&str> = kinds.iter().copied().collect();
    Some(format!(
        "{} of the image alone, which stable runs too: it says nothing of the configuration that changes; attest it for the revision: kubectl tidegate attest {} -n {} --type {first}",
        all.join(", "),
        seen.release.name,
        seen.release.namespace
    ))
}
