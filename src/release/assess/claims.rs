//! Which attestations are heard about one attempt, and whose.

use std::collections::BTreeSet;

use super::super::config;
use super::super::snapshot::{
    ATTESTATIONS_AUTHOR_MAX, ATTESTATIONS_MAX, ATTESTATIONS_READ_MAX, Proof, RiskSeen, Snapshot,
};
use super::carried::{self, OfCommit};
use super::images::{About, Images};
use crate::api::Time;
use crate::api::names::RELEASE;
use crate::api::release_record::ReleaseRecordSpec;
use crate::policy::evidence;
use crate::policy::requirement::author::{Authors, authors, authors_of, in_commits, made_by, nameless};
use crate::policy::requirement::{Claim, Claims, NewImage, heard as spoken, in_one_role};

/// What is heard about one attempt.
pub(super) struct Heard {
    pub(super) claims: Vec<Claim>,
    /// The images that come new: evidence about images counts where it is about each of them.
    pub(super) images: Vec<NewImage>,
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
        self.of(&self.claims, now)
    }

    /// Some of the claims, as they stand at a moment.
    pub(super) fn of<'a>(&'a self, claims: &'a [Claim], now: Time) -> Claims<'a> {
        Claims::new(claims, &self.authors, now).knowing(self.knows_authors).bringing(&self.images)
    }
}

/// What is heard about the attempt of `spec`; it `began` where it has been let start.
pub(super) fn heard(seen: &Snapshot, spec: &ReleaseRecordSpec, risk: &RiskSeen, began: bool, now: Time) -> Heard {
    let images = Images::of(seen, spec, began);
    let mut heard = Heard {
        claims: Vec::new(),
        images: Vec::new(),
        authors: Vec::new(),
        knows_authors: false,
        ignored: Vec::new(),
    };
    let (mut refused, mut of_commit, mut of_former) = (Vec::new(), Vec::new(), BTreeSet::new());
    for one in &seen.attestations {
        let about = images.about(&one.spec, &spec.revision);
        let of_image = |claim: Claim| Claim { about: Some(one.spec.revision.clone()), ..claim };
        match (about, &one.proof) {
            (About::Revision, Proof::Author) => match spoken(&risk.roles, &one.spec, one.at) {
                Ok(claim) => heard.claims.push(claim),
                Err(why) => heard.ignored.push(why),
            },
            (About::Revision, Proof::Signed(signed)) => heard.claims.push(carried::claim(one, signed)),
            (About::Image, Proof::Author) => heard.claims.push(of_image(Claim::of(&one.spec, one.at))),
            (About::Image, Proof::Signed(signed)) => heard.claims.push(of_image(carried::claim(one, signed))),
            (About::Source, Proof::Author) => heard.claims.push(nameless(of_image(Claim::of(&one.spec, one.at)))),
            (About::Source, Proof::Signed(signed)) => {
                heard.claims.push(nameless(of_image(carried::claim(one, signed))));
            }
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
    heard.images = images.brought();
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
        let Authors { names, known } = authors_of(&heard.claims, &heard.images, &spec.changed_by);
        (heard.authors, heard.knows_authors) = (names, known);
        // Whoever deploys writes which commit it is: whom its evidence names does not approve, and others may have made it.
        heard.authors.extend(authors(&of_commit, "").names);
        heard.authors.extend(commit_authors(&heard.claims));
        heard.authors.extend(commit_authors(&of_commit));
    }
    heard.claims.extend(of_commit);
    let twice = in_one_role(&mut heard.claims, now);
    let counted_elsewhere = twice.iter().filter(|one| !made_by(&heard.authors, &one.author));
    heard.ignored.extend(counted_elsewhere.map(ToString::to_string));
    heard
}

/// Whom pipelines name as Git knows them.
fn commit_authors(claims: &[Claim]) -> Vec<String> {
    let types = evidence::all();
    let of_pipelines = |claim: &&Claim| types.get(claim.kind.as_str()).is_some_and(evidence::Evidence::is_of_pipelines);
    claims.iter().filter(of_pipelines).flat_map(|claim| in_commits(&claim.facts)).map(str::to_owned).collect()
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
