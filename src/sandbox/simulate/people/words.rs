//! What pipelines and people say of a revision.

use serde_json::{Value, json};

use super::People;
use super::calls::{ATTESTATIONS, call};
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::{NAME, NAMESPACE};
use crate::sandbox::simulate::schedule::{SHOWN, SPEAKING, SPOKEN, Voice};
use crate::sandbox::user::User;

/// People who speak about changes; the first makes them. The last four agree to a worse budget, each in one role.
pub(in crate::sandbox::simulate) const SPEAKERS: [&str; SPEAKING] =
    ["alice", "bob", "carl", "dana", "sara", "seth", "sam", "sue"];
/// The roles that they speak in.
const SPOKEN_AS: [&str; SPOKEN] = ["code-owner", "senior-engineer", "release-captain", "sre"];
/// What a pipeline attests.
const ATTESTED: [&str; SHOWN] = [
    "lint",
    "build",
    "unit-tests",
    "static-analysis",
    "sast",
    "sca",
    "staging-deploy",
    "smoke-tests",
    "peer-review",
    "integration-tests",
    "e2e-tests",
    "code-owner-review",
    "release-plan",
    "observability",
    "manual-qa",
    "on-call-presence",
];

/// What somebody says.
struct Word<'a> {
    kind: &'a str,
    role: Option<&'a str>,
    outcome: &'a str,
    facts: Value,
}

impl People {
    /// A person, by a place among [`SPEAKERS`], speaks in a role, by a place among [`SPOKEN_AS`].
    pub(super) fn speak(&mut self, api: &mut ApiServer, (who, role): (usize, usize), voice: Voice) -> u16 {
        let outcome = match voice {
            Voice::Approve => "Passed",
            Voice::Reject => "Failed",
            Voice::Withdraw => "Withdrawn",
        };
        let user = User::person(SPEAKERS[who % SPEAKING]);
        let word = Word { kind: "approval", role: Some(SPOKEN_AS[role % SPOKEN]), outcome, facts: json!({}) };
        self.say(api, &user, &word)
    }

    /// A pipeline attests all that it can but for one thing; the worst HTTP status that came of it.
    pub(super) fn show(&mut self, api: &mut ApiServer, but: usize, people: bool, author: bool) -> u16 {
        let pipeline = User::service_account("ci", "ci");
        let reviewed = |kind: &str| people && kind == "peer-review";
        let all = ATTESTED.iter().enumerate().filter(|(place, kind)| *place != but && !reviewed(kind));
        let mut worst = 0;
        for (_, kind) in all {
            let mut facts = match *kind {
                "release-plan" => json!({
                    "change": "prices in euro", "customer-impact": "none", "categories": "code", "rollout": "canary",
                    "abort-criteria": "error rate above 1 %", "rollback-steps": "revert in Git", "owners": "ann",
                    "communication": "support, before the start",
                }),
                _ => json!({}),
            };
            if author {
                facts["change-author"] = json!(SPEAKERS[0]);
            }
            worst = worst.max(self.say(api, &pipeline, &Word { kind, role: None, outcome: "Passed", facts }));
        }
        worst
    }

    /// Somebody says something about the revision of the moment.
    fn say(&mut self, api: &mut ApiServer, user: &User, word: &Word<'_>) -> u16 {
        let release = api.get(&crate::cluster::kind::GATED_RELEASE, NAMESPACE, NAME);
        let Some(revision) = release.and_then(|release| release.pointer("/status/revision")).cloned() else {
            return 404;
        };
        self.said += 1;
        let mut spec = json!({
            "releaseRef": {"name": NAME}, "revision": revision, "type": word.kind, "outcome": word.outcome,
            "facts": word.facts,
        });
        if let Some(role) = word.role {
            spec["role"] = json!(role);
        }
        // Author, groups and label are admission's to fill in.
        let attestation = json!({
            "apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation",
            "metadata": {"name": format!("said-{}", self.said), "namespace": NAMESPACE}, "spec": spec,
        });
        let (post, json) = (http::Method::POST, "application/json");
        call(api, user, post, ATTESTATIONS.to_owned(), "fieldManager=kubectl", json, &attestation)
    }
}
