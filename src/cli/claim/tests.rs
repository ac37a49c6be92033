//! The commands against an API server in this process, with Tidegate's kinds and admission policies.

#![cfg(feature = "sandbox")]

mod budget;

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::{Failure, evidence, meet, voice, withdraw};
use crate::admission::Policies;
use crate::api::Time;
use crate::cli::who_can;
use crate::cluster::Kind;
use crate::cluster::kind::{ATTESTATION, GATED_RELEASE, RELEASE_RECORD, RISK_BUDGET};
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::present::bare::{Bare, CRD, admin};
use crate::sandbox::user::User;

const DIGEST: &str = "sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";

/// The API server, and who speaks to it.
struct World(Arc<Bare>);

fn rbac(kind: &str, plural: &str, scope: &str) -> Value {
    json!({
        "metadata": {"name": format!("{plural}.rbac.authorization.k8s.io")},
        "spec": {
            "group": "rbac.authorization.k8s.io", "scope": scope, "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    })
}

/// A release of `shop/web` that waits for SRE.
fn world() -> World {
    let world = World(Bare::shop());
    world.put(&RISK_BUDGET, json!({
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"tier": 1, "slos": [{"name": "a", "objective": 99.5, "promql": {"bad": "0", "total": "1"}}],
            "roles": [{"name": "on-call", "groups": ["pager"]}, {"name": "platform", "as": "sre", "users": ["kim"]}]},
    }));
    world.put(
        &GATED_RELEASE,
        json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"workloadRef": {"name": "web"}, "riskBudgetRef": {"name": "web"},
                "traffic": {"service": "web", "httpRoutes": [{"name": "web"}]},
                "rollback": {"errorRatePercent": 1, "latencyFactor": 2}},
            "status": {"phase": "Plan", "message": "held", "record": "web-0002", "revision": "abc",
                "risk": {"score": "14 RP = 3 base + 11 diff", "gate": "G3", "why": "14 RP → G3",
                    "missing": ["sast: missing before the start (003, Module 4): an attestation of type sast"],
                    "asks": ["sre"]},
                "conditions": [{"type": "Held", "status": "True", "reason": "ApprovalMissing",
                    "message": "Missing: sre: kubectl tidegate approve web -n shop --role sre.",
                    "lastTransitionTime": "2026-01-01T10:00:00Z"}]},
        }),
    );
    world.put(
        &RELEASE_RECORD,
        json!({
            "metadata": {"name": "web-0002", "namespace": "shop"},
            "spec": {"release": "web", "attempt": 2, "workloadUid": "u", "revision": "abc", "changedBy": "alice",
                "change": {"reference": "git:1", "type": "Feature"}, "riskBudget": "web"},
            "status": {"phase": "Plan", "phaseSince": "2026-01-01T10:00:00Z"},
        }),
    );
    world
}

impl World {
    fn put(&self, kind: &Kind, mut object: Value) {
        object["apiVersion"] = kind.api_version().into();
        object["kind"] = kind.kind.into();
        self.with(|api| api.put_raw(kind, object).map(drop)).unwrap();
    }

    fn with<T>(&self, act: impl FnOnce(&mut ApiServer) -> T) -> T {
        self.0.with(act)
    }

    /// What was attested: type, role, outcome, revision, author, groups.
    fn attested(&self) -> Vec<Value> {
        let all = self.with(|api| api.list(&ATTESTATION, "shop").into_iter().cloned().collect::<Vec<Value>>());
        all.into_iter().map(|one| one["spec"].clone()).collect()
    }

    fn client(&self, user: &str) -> kube::Client {
        let account = user.strip_prefix("system:serviceaccount:").and_then(|account| account.split_once(':'));
        self.0.client(account.map_or_else(|| User::person(user), |(of, name)| User::service_account(of, name)))
    }

    /// Runs a command as somebody; what it told, and how it ended.
    async fn run(&self, user: &str, line: &str) -> (String, Result<(), Failure>) {
        let client = self.client(user);
        let mut told = String::new();
        let mut tell = |text: &str| {
            told.push_str(text);
            Ok(())
        };
        let (command, rest) = line.split_once(' ').unwrap();
        let now = Time("2026-01-01T12:00:00Z".parse().unwrap());
        let ended = match command {
            "approve" => voice::approve_with(&client, "shop", &args(rest), now, &mut tell).await,
            "reject" => voice::reject_with(&client, "shop", &args(rest), now, &mut tell).await,
            "withdraw" => withdraw::run_with(&client, "shop", &args(rest), now, &mut tell).await,
            "attest" => evidence::run_with(&client, "shop", &args(rest), now, &mut tell).await,
            "meet" => meet::run_with(&client, "shop", &args(rest), &mut tell).await,
            "who-can" => who_can::run_with(&client, "shop", &args(rest), &mut tell).await,
            _ => panic!("{command}"),
        };
        (told, ended)
    }

    async fn done(&self, user: &str, line: &str) -> String {
        let (told, ended) = self.run(user, line).await;
        ended.unwrap();
        told
    }

    async fn refused(&self, user: &str, line: &str) -> String {
        self.run(user, line).await.1.unwrap_err()
    }
}

fn args<T: clap::Args>(line: &str) -> T {
    let command = T::augment_args(clap::Command::new("tidegate"));
    let matches = command.try_get_matches_from(std::iter::once("tidegate").chain(line.split(' ')));
    T::from_arg_matches(&matches.unwrap()).unwrap()
}

#[tokio::test]
async fn an_approval_shows_what_is_approved_and_is_made_in_ones_own_name() {
    let world = world();
    let told =
        world.done("dana", "approve web --role sre --expires 2h --note looked --link https://t.example.com/1").await;
    let (page, last) = told.trim_end().rsplit_once('\n').unwrap();
    insta::assert_snapshot!(page, @"
    shop/web: Feature git:1, revision abc
      changed by alice
      phase      Plan
      gate       G3 (14 RP → G3)
      score      14 RP = 3 base + 11 diff
      missing    sast
      held       ApprovalMissing: Missing: sre: kubectl tidegate approve web -n shop --role sre.
    ");
    assert!(last.starts_with("approved as sre by dana until 1 Jan 14:00:00 UTC: attestation web-sre-"), "{last}");
    assert_eq!(
        world.attested(),
        [json!({
            "releaseRef": {"name": "web"}, "revision": "abc", "type": "approval", "role": "sre", "outcome": "Passed",
            "author": "dana", "groups": ["system:authenticated"], "expiresAt": "2026-01-01T14:00:00Z",
            "link": "https://t.example.com/1", "facts": {"note": "looked"},
        })]
    );
}

#[tokio::test]
async fn it_works_where_nothing_fills_in_author_and_groups() {
    let world = world();
    let validating: Vec<&str> = include_str!("../../admission/policies.yaml")
        .split("\n---\n")
        .filter(|policy| !policy.contains("kind: Mutating"))
        .collect();
    world.with(|api| api.set_admission(Arc::new(Policies::read(&validating.join("\n---\n")).unwrap())));
    world.done("dana", "approve web --role sre").await;
    assert_eq!(world.attested()[0]["groups"], json!(["system:authenticated"]));
}

#[tokio::test]
async fn a_start_by_hand_goes_with_an_approval_or_alone() {
    let world = world();
    world.done("dana", "approve web --start").await;
    world.done("dana", "approve web --role sre --start").await;
    let mut kinds: Vec<String> = world.attested().iter().map(|one| one["type"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    assert_eq!(kinds, ["approval", "start", "start"]);
}

#[rstest]
#[case::approve(
    "approve web --role sre --dry-run",
    "approved as sre by dana: would be taken; nothing was made (--dry-run)\n"
)]
#[case::reject(
    "reject web --role sre --dry-run",
    "rejected as sre by dana: would be taken; nothing was made (--dry-run)\n"
)]
#[case::attest(
    "attest web --type sast --dry-run",
    "sast passed for abc, by dana: would be taken; nothing was made (--dry-run)\n"
)]
#[tokio::test]
async fn a_dry_run_makes_nothing(#[case] line: &str, #[case] last: &str) {
    let world = world();
    let told = world.done("dana", line).await;
    assert!(told.ends_with(last), "{told}");
    assert_eq!(world.attested(), [Value::Null; 0]);
}

#[rstest]
#[case::unknown_release(
    "dana",
    "approve other --role sre",
    "GatedRelease shop/other: gatedreleases.tidegate.io \"other\" not found"
)]
#[case::unknown_role("dana", "approve web --role srr", "--role srr: nobody asks for this role. One of service-owner, ")]
#[case::not_listed(
    "dana",
    "approve web --role on-call",
    "--role on-call: dana is not in it and would not be heard. RiskBudget shop/web lists (spec.roles) groups pager"
)]
#[case::not_listed_either(
    "dana",
    "reject web --role platform",
    "--role platform: dana is not in it and would not be heard. RiskBudget shop/web lists (spec.roles) users kim"
)]
#[case::their_own_change(
    "alice",
    "approve web --role sre",
    "alice made this change, and nobody approves their own. Ask somebody else: tidegate who-can web -n shop"
)]
#[case::a_machine(
    "system:serviceaccount:ci:ci",
    "approve web --role sre",
    "spec.type: approval is said by people, whatever roles a machine has, and system:serviceaccount:ci:ci is none"
)]
#[case::no_verb(
    "eve",
    "approve web --role sre",
    "spec.role: eve may not speak as sre in shop: it needs the verb approve"
)]
#[case::starts_an_image(
    "dana",
    "approve web --start --revision sha256:0a0a",
    "--revision sha256:0a0a: a person approves or starts a revision, not an image"
)]
#[case::rejects_an_image(
    "dana",
    "reject web --role sre --revision sha256:0a0a",
    "--revision sha256:0a0a: a person approves or starts a revision, not an image"
)]
#[case::no_start("eve", "approve web --start", "spec.type: eve may not start release web in shop")]
#[case::no_evidence("eve", "attest web --type sast", "spec.type: eve may not attest sast in shop")]
#[case::half_a_plan(
    "dana",
    "attest web --type exception --fact reason=hurry",
    "--type exception: facts.reason is \"hurry\", wanted is one of incident-mitigation"
)]
#[case::an_author_in_what_people_write(
    "dana",
    "attest web --type on-call-presence --change-author sam",
    "--change-author: on-call-presence is what people know, and says nothing of who made the change."
)]
#[case::nothing_said("dana", "withdraw web", "shop/web, revision abc: dana said nothing about it that stands")]
#[tokio::test]
async fn what_would_not_count_is_told_and_not_made(#[case] user: &str, #[case] line: &str, #[case] expected: &str) {
    let world = world();
    world.with(|api| {
        for (verb, resource) in [("approve", "releaseroles"), ("start", "gatedreleases"), ("attest", "evidence")] {
            api.deny("eve", verb, "tidegate.io", resource);
        }
    });
    let why = world.refused(user, line).await;
    assert!(why.starts_with(expected), "{why}");
    assert_eq!(world.attested(), [Value::Null; 0]);
}

#[tokio::test]
async fn whoever_made_the_change_may_reject_it_and_the_one_that_ci_names_does_not_approve_it() {
    let world = world();
    world.done("alice", "reject web --role sre").await;
    world.done("ci-bot", "attest web --type build --change-author dana,sam").await;
    for who in ["sam", "alice"] {
        let why = world.refused(who, "approve web --role sre").await;
        assert!(why.starts_with(&format!("{who} made this change")), "{why}");
    }
}

#[tokio::test]
async fn who_speaks_in_one_role_does_not_speak_in_another() {
    let world = world();
    world.done("kim", "approve web --role platform").await;
    assert_eq!(
        world.refused("kim", "approve web --role code-owner").await,
        "--role code-owner: kim speaks as sre already, and about one revision each person speaks in one role: this approval would not count. Ask somebody else: tidegate who-can web -n shop. Or take back what you said as sre first: tidegate withdraw web -n shop --role platform"
    );
    // In the same role again, or against it in another, is heard.
    world.done("kim", "approve web --role sre").await;
    world.done("kim", "withdraw web --role sre").await;
    world.done("kim", "reject web --role code-owner").await;
    world.done("dana", "approve web --role code-owner").await;
}

#[tokio::test]
async fn where_rbac_is_not_served_that_is_one_sentence() {
    let told = world().done("dana", "who-can web --role sre").await;
    assert_eq!(told.matches("Not all who hold the verb are known").count(), 1, "{told}");
    assert!(told.starts_with("Not all who hold the verb are known: this API server serves no RBAC"), "{told}");
    assert!(told.contains("you      dana: may\n"), "{told}");
}

#[rstest]
#[case::ended(json!({"outcome": "Succeeded", "endedAt": "2026-01-01T11:00:00Z"}),
    "shop/web: nothing is waiting: the release of revision abc ended 1 Jan 11:00:00 UTC as Succeeded. For another revision: \
     --revision REVISION (kubectl get releaserecords -n shop -o wide)")]
#[tokio::test]
async fn where_nothing_waits_a_revision_has_to_be_named(#[case] end: Value, #[case] expected: &str) {
    let world = world();
    let mut record = world.with(|api| api.get(&RELEASE_RECORD, "shop", "web-0002").unwrap().clone());
    json_patch::merge(&mut record["status"], &end);
    world.put(&RELEASE_RECORD, record);
    assert_eq!(world.refused("dana", "approve web --role sre").await, expected);
    let told = world.done("dana", "approve web --role sre --revision old").await;
    assert!(told.starts_with("shop/web: revision old, not the last one, abc\n"), "{told}");
    assert_eq!(world.attested()[0]["revision"], "old");
}

#[tokio::test]
async fn what_was_said_is_taken_back_by_who_said_it() {
    let world = world();
    world.done("dana", "reject web --role sre").await;
    assert!(world.refused("sam", "withdraw web --role sre").await.contains("sam said nothing about it that stands"));
    let told = world.done("dana", "withdraw web").await;
    assert!(told.starts_with("rejected as sre ") && told.contains(": withdrawn, attestation web-sre-"), "{told}");
    let outcomes: Vec<Value> = world.attested().iter().map(|one| one["outcome"].clone()).collect();
    assert!(outcomes.contains(&json!("Withdrawn")) && outcomes.contains(&json!("Failed")), "{outcomes:?}");
    assert!(world.refused("dana", "withdraw web").await.contains("dana said nothing about it that stands"));
}

#[tokio::test]
async fn evidence_is_about_the_revision_or_an_image() {
    let world = world();
    world.done("ci-bot", "attest web --type unit-tests --fact passed=412").await;
    world.done("ci-bot", &format!("attest web --type sast --failed --image {DIGEST}")).await;
    let mut all = world.attested();
    all.sort_by_key(|one| one["type"].as_str().map(str::to_owned));
    assert_eq!(
        (&all[0]["type"], &all[0]["revision"], &all[0]["outcome"]),
        (&json!("sast"), &json!(DIGEST), &json!("Failed"))
    );
    assert_eq!((&all[1]["revision"], &all[1]["facts"]), (&json!("abc"), &json!({"passed": "412"})));
}

#[tokio::test]
async fn a_manifest_is_printed_without_an_author_and_can_be_created() {
    let world = world();
    let told = world.done("ci-bot", "attest web --type sca --output yaml").await;
    assert_eq!(world.attested(), [Value::Null; 0]);
    let manifest: Value = serde_saphyr::from_str(&told).unwrap();
    assert_eq!((&manifest["kind"], &manifest["metadata"]["namespace"]), (&json!("Attestation"), &json!("shop")));
    assert_eq!((manifest["spec"].get("author"), manifest["spec"].get("groups")), (None, None));
    world.with(|api| api.create(&User::person("argo"), &ATTESTATION, manifest)).unwrap();
    assert_eq!(world.attested()[0]["author"], "argo");
}

#[tokio::test]
async fn who_can_tells_who_is_listed_who_holds_the_verb_and_whether_you_may() {
    let world = world();
    let kinds = [
        (Kind::new("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles"), "Cluster"),
        (Kind::new("rbac.authorization.k8s.io", "v1", "Role", "roles"), "Namespaced"),
        (Kind::new("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings"), "Cluster"),
        (Kind::new("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"), "Namespaced"),
    ];
    for (kind, scope) in &kinds {
        world.with(|api| api.create(&admin(), &CRD, rbac(kind.kind, kind.plural, scope)).map(drop)).unwrap();
    }
    let [cluster_role, _, cluster_binding, binding] = kinds.map(|(kind, _)| kind);
    let named = |namespace: &str, name: &str| match namespace {
        "" => json!({"name": name}),
        _ => json!({"name": name, "namespace": namespace}),
    };
    world.put(&cluster_role, json!({"metadata": named("", "tidegate-approve-sre"),
        "rules": [{"apiGroups": ["tidegate.io"], "resources": ["releaseroles"], "resourceNames": ["sre"], "verbs": ["approve"]}]}));
    world.put(
        &cluster_role,
        json!({"metadata": named("", "cluster-admin"),
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
    );
    world.put(
        &binding,
        json!({"metadata": named("shop", "approve-sre"),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "tidegate-approve-sre"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "sre-team"}]}),
    );
    world.put(
        &cluster_binding,
        json!({"metadata": named("", "flux"),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "flux", "namespace": "flux-system"}]}),
    );
    insta::assert_snapshot!(world.done("dana", "who-can web").await, @"
    shop/web asks for sre
    sre
      listed   nobody in particular: open to everybody who holds the verb
      verb     Group sre-team (ClusterRole tidegate-approve-sre, in shop)
      verb     ServiceAccount flux-system/flux (ClusterRole cluster-admin, everywhere, by a wildcard; a machine, which admission refuses)
      you      dana: may
    platform (stands for sre)
      listed   users kim
      verb     ServiceAccount flux-system/flux (ClusterRole cluster-admin, everywhere, by a wildcard; a machine, which admission refuses)
      verb     no person by a role that names it; and whoever is in system:masters. To grant it: a ClusterRole that names it, as in examples/approvals/rbac-sre.yaml
      you      dana: may not, holds the verb and is not listed
    ");
    world.with(|api| api.deny("dana", "list", "rbac.authorization.k8s.io", "clusterrolebindings"));
    let told = world.done("dana", "who-can web --role on-call").await;
    assert!(told.contains("Not all who hold the verb are known: ClusterRoleBindings: "), "{told}");
    assert!(told.contains("on-call\n  listed   groups pager\n"), "{told}");
}

#[test]
fn the_examples_are_taken_and_their_documents_are_complete() {
    let world = world();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/approvals");
    let mut made = 0;
    for name in ["approval", "ci-evidence", "release-plan", "exception"] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap();
        for manifest in serde_saphyr::from_multiple::<Value>(&text).unwrap() {
            let facts = serde_json::from_value(manifest["spec"]["facts"].clone()).unwrap();
            let kind = manifest["spec"]["type"].as_str().unwrap();
            let document = crate::policy::evidence::Evidence::named(kind).and_then(|evidence| evidence.document);
            assert_eq!(document.map_or_else(Vec::new, |document| document.problems(&facts)), [""; 0], "{name}");
            world.with(|api| api.create(&User::person("dana"), &ATTESTATION, manifest).map(drop)).unwrap();
            made += 1;
        }
    }
    assert_eq!((made, world.attested().len()), (5, 5));
}

/// A pipeline that holds no role asks for a token that is made out to what it says; anybody brings it.
#[tokio::test]
async fn what_somebody_signed_is_brought_by_whoever_holds_no_role() {
    use crate::statement::tests::sign::{self, With};
    let world = world();
    let file = std::env::temp_dir().join(format!("tidegate-statement-{}", std::process::id()));
    let head = json!({"alg": "EdDSA", "kid": "ed25519"});
    let token = sign::token(&head, &sign::claims("tidegate"), With::Ed25519);
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let line = format!("attest web --type sast --image {DIGEST} --statement {}", file.display());

    let told = world.done("eve", &line).await;
    assert!(
        told.starts_with(&format!("shop/web: sast passed for {DIGEST}, as signed, brought by eve: attestation ")),
        "{told}"
    );
    assert_eq!(world.attested()[0]["statement"], json!({"token": token}));

    let manifest: Value = serde_saphyr::from_str(&world.done("eve", &format!("{line} --output yaml")).await).unwrap();
    let name = manifest["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("web-sast-") && name.len() == "web-sast-".len() + 10, "{name}");
    assert_eq!((manifest["spec"].get("author"), &manifest["spec"]["statement"]), (None, &json!({"token": token})));

    let why = world.refused("eve", &format!("{line} --expires 8h")).await;
    assert!(why.starts_with("--expires: a token signs the moment"), "{why}");

    // An envelope says all by itself.
    let envelope = sign::envelope("application/vnd.in-toto+json", &sign::statement(), With::P256);
    std::fs::write(&file, envelope.to_string()).unwrap();
    let told = world.done("eve", &format!("attest web --statement {}", file.display())).await;
    assert!(told.starts_with(&format!("shop/web: sast passed for {DIGEST}, as signed, brought by eve")), "{told}");
    let last = world.attested().into_iter().find(|one| one["statement"].get("envelope").is_some()).unwrap();
    assert_eq!((&last["facts"], &last["type"]), (&json!({"findings": "0"}), &json!("sast")));
    for (flag, said) in [("--fact a=b", "--fact"), ("--type sca", "--type"), ("--link https://ci/1", "--link")] {
        let why = world.refused("eve", &format!("attest web {flag} --statement {}", file.display())).await;
        assert!(why.starts_with(&format!("{said}: what an envelope says is signed")), "{why}");
    }
    std::fs::remove_file(&file).unwrap();
}

/// A post-mortem that `shop/web` owes, and one that somebody wrote.
fn owing() -> World {
    let world = world();
    let one = |number: u32, state: &str| {
        json!({"name": format!("post-mortem-web-{number:04}"), "type": "post-mortem", "state": state, "about": "it came back",
            "owedBy": ["development-manager"], "source": "003, Module 6", "since": "2026-01-01T10:00:00Z", "due": "2026-01-09T00:00:00Z"})
    };
    let mut met = one(1, "Met");
    met["met"] = json!({"by": "sam", "at": "2026-01-01T11:00:00Z", "attestation": "web-post-mortem-x"});
    world.put(
        &RISK_BUDGET,
        json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"tier": 1, "slos": [{"name": "a", "objective": 99.5, "promql": {"bad": "0", "total": "1"}}]},
            "status": {"obligations": [one(2, "Due"), met]},
        }),
    );
    world
}

const POST_MORTEM: &str =
    "--fact timeline=t --fact root-cause=r --fact lessons=l --fact actions=a --fact stakeholders=s";

#[tokio::test]
async fn what_is_owed_is_met_in_ones_own_name() {
    let world = owing();
    let told = world
        .done("dana", &format!("meet web post-mortem-web-0002 {POST_MORTEM} --link https://t.example.com/2"))
        .await;
    assert!(
        told.starts_with("RiskBudget shop/web: post-mortem-web-0002 is met, by dana: attestation web-post-mortem-"),
        "{told}"
    );
    let facts = json!({"timeline": "t", "root-cause": "r", "lessons": "l", "actions": "a", "stakeholders": "s"});
    assert_eq!(
        world.attested(),
        [json!({
            "releaseRef": {"kind": "RiskBudget", "name": "web"}, "revision": "post-mortem-web-0002", "type": "post-mortem",
            "outcome": "Passed", "author": "dana", "groups": ["system:authenticated"], "link": "https://t.example.com/2", "facts": facts,
        })]
    );
    let told = world.done("dana", "meet web post-mortem-web-0001 --failed --dry-run").await;
    assert!(
        told.ends_with("post-mortem-web-0001 is not met, by dana: would be taken; nothing was made (--dry-run)\n"),
        "{told}"
    );
}

#[rstest]
#[case::not_complete("meet web post-mortem-web-0002 --fact timeline=t".to_owned(),
    "facts.root-cause is missing (Root cause)")]
#[case::the_form_for_it("meet web post-mortem-web-0002 --fact timeline=t".to_owned(),
    "A form to fill in: tidegate meet web post-mortem-web-0002 --fields > facts.yaml")]
#[case::not_owed(format!("meet web post-mortem-web-0003 {POST_MORTEM}"),
    "RiskBudget shop/web: does not owe post-mortem-web-0003; owed: post-mortem-web-0002")]
#[case::met_already(format!("meet web post-mortem-web-0001 {POST_MORTEM}"),
    "post-mortem-web-0001 was met by sam 1 Jan 11:00:00 UTC (attestation web-post-mortem-x); to take that back: --failed")]
#[case::no_obligation(format!("meet web lunch {POST_MORTEM}"),
    "lunch: no obligation is called so. What is owed: tidegate obligations; all kinds: tidegate obligations --catalogue")]
#[case::no_budget(format!("meet db post-mortem-web-0002 {POST_MORTEM}"), "RiskBudget shop/db: ")]
#[tokio::test]
async fn what_would_meet_nothing_is_told_before_it_is_made(#[case] line: String, #[case] expected: &str) {
    let world = owing();
    let told = world.refused("dana", &line).await;
    assert!(told.contains(expected), "{told}");
    assert_eq!(world.attested(), Vec::<Value>::new());
}
