//! Everything that can be attested beside approvals and the start by hand: the types of evidence, where each is from, and
//! the facts that it has.

use std::collections::BTreeMap;

use super::exception::EXCEPTION;
use super::requirement::author::CHANGE_AUTHOR;
use super::requirement::document::Document;
use super::requirement::{CATALOGUE, Means, ON_CALL_PRESENCE};
use super::score::Mitigation;

/// The type of the attestation that says what a git range touches.
pub const CLASSIFICATION: &str = "classification";
/// The type of the attestation that says what came of a major incident.
pub const REMEDIATION: &str = "major-incident-remediation";

/// The type of the attestation by which a person starts a release that no machine may start. It is no evidence.
pub const START: &str = "start";

/// The type of the attestation by which a pipeline has a change charged that is no workload's. It is no evidence: it speaks of
/// a RiskBudget, not of a release.
pub const CHARGE: &str = "charge";

/// Evidence of what is run on the source of an image, which stays true of it however it is configured. Everything else depends on the
/// configuration, or speaks of the change that brought the image: reviews, documents, tests of what runs.
const OF_SOURCE: &[&str] = &["lint", "build", "unit-tests", "static-analysis", "sast", "sca"];

/// Whether what a type says of an image holds for every configuration of it.
pub fn is_of_source(name: &str) -> bool {
    OF_SOURCE.contains(&name)
}

/// A fact that a type of evidence may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// Its key in `facts`.
    pub key: &'static str,
    /// What belongs into it.
    pub says: &'static str,
    /// Whether the attestation counts only with it.
    pub required: bool,
}

/// A type of evidence.
#[derive(Debug, Clone, Copy)]
pub struct Evidence {
    /// Its name, which is the type of the attestation and the name in RBAC.
    pub name: &'static str,
    /// The documents' words.
    pub says: &'static str,
    /// Document and section.
    pub source: &'static str,
    /// The fields that it must have, where it is a document.
    pub document: Option<&'static Document>,
}

impl Evidence {
    /// The type of a name; none where nothing asks for such an attestation.
    pub fn named(name: &str) -> Option<Self> {
        all().remove(name)
    }

    /// The facts that it has: those of a document, then those that are read where they are given.
    pub fn facts(&self) -> Vec<Fact> {
        let fields = self.document.into_iter().flat_map(|document| document.fields);
        let mut facts: Vec<Fact> =
            fields.map(|field| Fact { key: field.key, says: field.says, required: true }).collect();
        let of_its_own = EXTRA.iter().filter(|(name, _, _)| *name == self.name);
        facts.extend(of_its_own.map(|(_, key, says)| Fact { key, says, required: false }));
        let author = Fact {
            key: CHANGE_AUTHOR,
            says: "Who made the change, separated by commas; they do not approve it",
            required: false,
        };
        facts.extend(self.is_of_pipelines().then_some(author));
        facts
    }

    /// Whether a pipeline attests it, of what it ran. Documents and somebody's presence only people know: who may attest those may
    /// be who made the change, and says nothing of its author.
    pub fn is_of_pipelines(&self) -> bool {
        self.document.is_none() && self.name != ON_CALL_PRESENCE
    }
}

/// Facts that are read where they are given: type, key, meaning.
const EXTRA: &[(&str, &str, &str)] = &[
    (
        "feature-flag",
        "kill-switch",
        "How it is switched off, and when that was tried; without it the flag takes nothing off the score",
    ),
    (CLASSIFICATION, "categories", "What the change touches, separated by commas"),
];

/// Every type of evidence, by name.
pub fn all() -> BTreeMap<&'static str, Evidence> {
    let mut all = BTreeMap::new();
    let mut add = |name, says, source, document| {
        all.entry(name).or_insert(Evidence { name, says, source, document });
    };
    for entry in CATALOGUE {
        for means in entry.means {
            match means {
                Means::Attestation(name) | Means::ByAnother(name) | Means::Fresh(name, _) => {
                    add(name, entry.says, entry.source, None);
                }
                Means::Document(document) => add(document.kind, entry.says, entry.source, Some(*document)),
                Means::Controller { .. } | Means::Approvals(_) => {}
            }
        }
    }
    add(
        EXCEPTION.kind,
        "Exceptions: permitted for three reasons, with a recorded rationale",
        "000 §7; 001, Exception Process",
        Some(&EXCEPTION),
    );
    add(CLASSIFICATION, "Change Classification: what the change touches", "000 §6.1", None);
    add(REMEDIATION, "Remediation of a major incident, which goes through G4", "000 §6.2, G4", None);
    for mitigation in Mitigation::ALL {
        // The canary is Tidegate's own, what is attested of another one does not count.
        if *mitigation != Mitigation::Canary {
            add(mitigation.as_str(), mitigation.says(), "000 §5.3, Mitigations", None);
        }
    }
    all
}
