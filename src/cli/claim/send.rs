//! Who asks, and the attestation that is made in their name.

use std::collections::BTreeMap;

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::PostParams;
use kube::{Api, Client};

use super::{Failure, why};
use crate::api::attestation::{ClaimOutcome, SubjectRef};
use crate::api::names::{RELEASE, label_value};
use crate::api::{Attestation, AttestationSpec, Time};

/// A user, as the API server authenticates whoever runs the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct Who {
    pub(in crate::cli) name: String,
    pub(in crate::cli) groups: Vec<String>,
}

/// Asks the API server who asks.
pub(in crate::cli) async fn whoami(client: &Client) -> Result<Who, Failure> {
    let api = Api::<SelfSubjectReview>::all(client.clone());
    let answer = api.create(&PostParams::default(), &SelfSubjectReview::default()).await;
    let answer =
        answer.map_err(|error| format!("who you are could not be asked (kubectl auth whoami): {}", why(&error)))?;
    let user = answer.status.and_then(|status| status.user_info).unwrap_or_default();
    match user.username.filter(|name| !name.is_empty()) {
        Some(name) => Ok(Who { name, groups: user.groups.unwrap_or_default() }),
        None => Err("the API server does not say who you are (kubectl auth whoami): log in first".to_owned()),
    }
}

/// What is claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) revision: String,
    /// `approval`, `start`, or a type of evidence.
    pub(super) kind: String,
    pub(super) role: Option<String>,
    pub(super) outcome: ClaimOutcome,
    pub(super) expires_at: Option<Time>,
    pub(super) link: Option<String>,
    pub(super) facts: BTreeMap<String, String>,
}

/// The attestation of a draft. Author, groups and label are written although admission fills them in, so that it works
/// where the policy that does is not installed, and while no controller answers the webhook.
pub(super) fn attestation(subject: SubjectRef, who: &Who, draft: Draft) -> Attestation {
    let about = subject.name.clone();
    let Draft { revision, kind, role, outcome, expires_at, link, facts } = draft;
    let stem = format!("{about}-{}-", role.as_deref().unwrap_or(&kind));
    let spec = AttestationSpec {
        release_ref: subject,
        revision,
        kind,
        role,
        outcome,
        author: who.name.clone(),
        groups: who.groups.clone(),
        expires_at,
        link,
        facts,
    };
    let mut made = Attestation::new("", spec);
    made.metadata.name = None;
    made.metadata.generate_name = Some(stem);
    if label_value(&about) == about {
        made.metadata.labels = Some([(RELEASE.to_owned(), about)].into());
    }
    made
}

/// Makes it, or with `dry_run` asks the API server whether it would be made. Answers its name.
pub(super) async fn make(
    client: &Client,
    namespace: &str,
    attestation: &Attestation,
    dry_run: bool,
) -> Result<String, Failure> {
    let api = Api::<Attestation>::namespaced(client.clone(), namespace);
    let params = PostParams { dry_run, ..PostParams::default() };
    match api.create(&params, attestation).await {
        Ok(made) => Ok(made.metadata.name.unwrap_or_default()),
        Err(error) => Err(refusal(&why(&error), namespace)),
    }
}

/// What the API server says, without its own preamble, and what to do where it says only no.
fn refusal(text: &str, namespace: &str) -> String {
    if let Some((_, said)) = text.split_once(" denied request: ") {
        return said.to_owned();
    }
    if text.contains("cannot create resource \"attestations\"") {
        return format!(
            "{text}. Ask whoever grants rights in {namespace} for tidegate-approve-ROLE, tidegate-start or tidegate-ci: kubectl create rolebinding approve-ROLE -n {namespace} --clusterrole=tidegate-approve-ROLE --user=USER"
        );
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::policy(
        "attestations.tidegate.io \"a\" is forbidden: ValidatingAdmissionPolicy 'x' with binding 'x' denied request: spec.role: no",
        "spec.role: no"
    )]
    #[case::schema(
        "Attestation.tidegate.io \"a\" is invalid: spec.type: no",
        "Attestation.tidegate.io \"a\" is invalid: spec.type: no"
    )]
    #[case::rights(
        "attestations.tidegate.io is forbidden: User \"eve\" cannot create resource \"attestations\" in API group \"tidegate.io\" in the namespace \"shop\"",
        "kubectl create rolebinding approve-ROLE -n shop --clusterrole=tidegate-approve-ROLE --user=USER"
    )]
    fn a_refusal_says_what_to_do(#[case] text: &str, #[case] expected: &str) {
        let told = refusal(text, "shop");
        assert!(told.ends_with(expected), "{told}");
        assert!(!told.contains("denied request"), "{told}");
    }

    #[test]
    fn a_name_that_cannot_be_a_label_is_none() {
        let who = Who { name: "dana".into(), groups: vec!["g".into()] };
        let draft = Draft {
            revision: "r".into(),
            kind: "start".into(),
            role: None,
            outcome: ClaimOutcome::Passed,
            expires_at: None,
            link: None,
            facts: BTreeMap::new(),
        };
        let made = attestation(SubjectRef::release("web"), &who, draft.clone());
        assert_eq!(made.metadata.labels.unwrap()[RELEASE], "web");
        assert_eq!(made.metadata.generate_name.as_deref(), Some("web-start-"));
        assert_eq!(attestation(SubjectRef::release(&"a".repeat(64)), &who, draft).metadata.labels, None);
    }
}
