//! What the images of an attempt are to those of stable, and so what an attestation speaks of.

use super::super::plan::{judged_revision, stable_set};
use super::super::snapshot::{Snapshot, Workload};
use super::super::template;
use crate::api::AttestationSpec;
use crate::api::release_record::ReleaseRecordSpec;
use crate::policy::evidence::{START, is_of_source};
use crate::policy::requirement::NewImage;
use crate::policy::requirement::claim::APPROVAL;
use crate::release::wording::at_most;

/// What an attestation speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The revision.
    Revision,
    /// An image that comes with it.
    Image,
    /// An image that runs on with other configuration: what is true of its source stays so.
    Source,
    /// The same image; what its type says depends on the configuration, or was said of the change that brought the image.
    Former,
    /// Something else; also a sidecar that stays, which says nothing of the program that changes.
    Other,
}

/// The images that an attempt runs, as far as evidence may speak of them.
pub(super) struct Images<'a> {
    /// The digests that its template names.
    run: Vec<&'a str>,
    brought: Brought,
}

/// Which of them stable does not run.
enum Brought {
    /// These; one at least.
    New(Vec<NewImage>),
    /// None: the change is one of configuration.
    Nothing,
    /// It began, and what was stable then is gone: nobody can tell any more, and the start rested on what was known.
    Unclear,
}

impl<'a> Images<'a> {
    /// The images of the attempt of `spec`; it `began` where it has been let start.
    pub(super) fn of(seen: &'a Snapshot, spec: &ReleaseRecordSpec, began: bool) -> Self {
        let Some(workload) = seen.workload.as_ref() else { return Self { run: Vec::new(), brought: Brought::Nothing } };
        let of_set = |revision: &str| {
            let set = workload.sets.iter().find(|set| template::revision(&set.template) == revision);
            set.map(|set| &set.template)
        };
        // A newer template may wait in the workload while this one is verified.
        let own = judged_revision(seen, workload) == spec.revision;
        let new = if own { &workload.template } else { of_set(&spec.revision).unwrap_or(&workload.template) };
        let run = template::images(new).filter_map(template::image_digest).collect();
        let serves = |workload: &'a Workload| stable_set(seen, workload).filter(|_| !began).map(|set| &set.template);
        let stable = spec.stable.as_deref().map(|revision| of_set(revision).or_else(|| serves(workload)));
        let brought = match stable {
            // Nothing served before: all of it is new.
            None => Brought::of(template::images(new).collect()),
            Some(Some(stable)) => Brought::of(template::new_images(new, stable)),
            // Once the workload runs the new version, the set of the former may be gone; before that it serves.
            Some(None) if began => Brought::Unclear,
            Some(None) => Brought::Nothing,
        };
        Self { run, brought }
    }

    /// What an attestation speaks of, where the attempt has this revision.
    pub(super) fn about(&self, one: &AttestationSpec, revision: &str) -> About {
        let (kind, digest) = (one.kind.as_str(), one.revision.as_str());
        if digest == revision {
            return About::Revision;
        }
        // A person approves and starts a revision, not an image: it may run with another configuration.
        if [APPROVAL, START].contains(&kind) || !self.run.contains(&digest) {
            return About::Other;
        }
        match &self.brought {
            Brought::New(images) if images.iter().any(|image| image.digest.as_deref() == Some(digest)) => About::Image,
            Brought::New(_) => About::Other,
            Brought::Unclear => About::Image,
            Brought::Nothing if is_of_source(kind) => About::Source,
            Brought::Nothing => About::Former,
        }
    }

    /// Those that come new, each of which something must be said of.
    pub(super) fn brought(self) -> Vec<NewImage> {
        match self.brought {
            Brought::New(images) => images,
            Brought::Nothing | Brought::Unclear => Vec::new(),
        }
    }
}

/// How many characters of an image's name a sentence has.
const NAME: usize = 80;

impl Brought {
    fn of(images: Vec<&str>) -> Self {
        let mut new: Vec<NewImage> = Vec::new();
        for image in images {
            let digest = template::image_digest(image).map(str::to_owned);
            // The same image in two containers is one, whatever its tag.
            let known = |one: &NewImage| match &digest {
                Some(_) => one.digest == digest,
                None => one.name == called(image),
            };
            if !new.iter().any(known) {
                new.push(NewImage { name: called(image), digest });
            }
        }
        if new.is_empty() { Self::Nothing } else { Self::New(new) }
    }
}

/// An image as sentences name it: without its registry, and with the first digits of its digest.
fn called(image: &str) -> String {
    let (name, digest) = image.split_once('@').unwrap_or((image, ""));
    let name = at_most(NAME, name.rsplit('/').next().unwrap_or(name));
    match digest.get(..19).unwrap_or(digest) {
        "" => name,
        begins => format!("{name}@{begins}"),
    }
}
