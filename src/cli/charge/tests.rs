//! The command against an API server in this process, with Tidegate's kinds and admission policies; the controller's part is
//! played by the same moves that it makes.

#![cfg(feature = "sandbox")]

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::cluster::execute::carry_out;
use crate::cluster::kind::{ATTESTATION, RELEASE_RECORD, RISK_BUDGET};
use crate::cluster::{Cluster, Leadership, SystemClock, observe};
use crate::release::charge::{Seen, next};
use crate::sandbox::objects::Objects as _;
use crate::sandbox::present::bare::Bare;
use crate::sandbox::user::User;

const NOW: &str = "2026-01-10T12:00:00Z";

/// The API server, and who speaks to it.
struct World(Arc<Bare>);

/// A budget of Tier 1 with 200 points, of which so many are spent.
fn world(spent: u32) -> World {
    let world = World(Bare::shop());
    let budget = json!({
        "apiVersion": RISK_BUDGET.api_version(), "kind": RISK_BUDGET.kind,
        "metadata": {"name": "web", "namespace": "shop", "generation": 1},
        "spec": {"tier": 1, "slos": [{"name": "a", "objective": 99.5, "promql": {"bad": "0", "total": "1"}}]},
        "status": {
            "observedGeneration": 1,
            "errorBudget": {"status": "Healthy", "remainingPercent": 90, "decidedBy": "a", "coveragePercent": 100, "slos": []},
            "risk": {"window": "2026-01", "from": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z",
                     "allocated": 200, "consumed": spent, "sequence": 4, "reserved": 0, "remaining": 200 - spent,
                     "remainingPercent": 50, "band": "Green", "releases": 0, "exceptions": 0},
            "ledger": {"sequence": 4, "before": 0},
            "conditions": [{"type": "Ready", "status": "True", "reason": "Measured", "message": "",
                            "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1}],
        },
    });
    world.0.with(|api| api.put_raw(&RISK_BUDGET, budget).map(drop)).unwrap();
    world
}

impl World {
    fn client(&self, user: &str) -> kube::Client {
        let account = user.strip_prefix("system:serviceaccount:").and_then(|account| account.split_once(':'));
        self.0.client(account.map_or_else(|| User::person(user), |(of, name)| User::service_account(of, name)))
    }

    fn attested(&self) -> Vec<Value> {
        self.0.with(|api| api.list(&ATTESTATION, "shop").into_iter().cloned().collect())
    }

    /// What is printed, and the exit code.
    async fn charge(&self, line: &str) -> (String, u8) {
        let args = args(line);
        let draft = draft::of(&args).unwrap();
        let now = Time(NOW.parse().unwrap());
        let client = self.client("system:serviceaccount:shop:ci");
        run_with(&client, "shop", &args, draft, now).await.unwrap()
    }

    /// What the controller does until nothing is left to do; how many writes that took.
    async fn controller(&self) -> usize {
        let user = self.0.client(User::service_account("tidegate", "tidegate"));
        let cluster = Cluster::new(user, Arc::new(SystemClock), Leadership::always(), "test");
        let now = Time(NOW.parse().unwrap());
        for writes in 0..10 {
            let claims = observe::attested_about(&cluster, "shop", "web").await.unwrap();
            let records = observe::charges::records(&cluster, "shop", "web").await.unwrap();
            let object = cluster.get(&RISK_BUDGET, "shop", "web").await.unwrap().unwrap();
            let (budget, risk) = of_object("web", object, true, now);
            let risk = risk.unwrap();
            let seen = Seen { name: "web", budget: &budget, risk: &risk, claims: &claims, records: &records };
            let Some(next) = next(&seen, now) else { return writes };
            assert!(carry_out(&cluster, ("shop", "web"), &next).await.unwrap(), "{next:?}");
        }
        panic!("it never ends");
    }
}

fn args(line: &str) -> Args {
    let command = <Args as clap::Args>::augment_args(clap::Command::new("charge"));
    let matches = command.try_get_matches_from(std::iter::once("charge").chain(line.split(' '))).unwrap();
    <Args as clap::FromArgMatches>::from_arg_matches(&matches).unwrap()
}

const INFRA: &str = "--budget web --change git:4f2c9e1 --category infrastructure --type Infrastructure";

#[tokio::test]
async fn what_it_would_cost_is_told_and_nothing_is_sent() {
    let world = world(70);
    let (page, code) = world.charge(&format!("{INFRA} --dry-run")).await;
    insta::assert_snapshot!(page, @"
    shop/web: Infrastructure git:4f2c9e1
      score    18 RP = 3 base + 15 diff + 0 context - 0 mitigations
               +3 Base (criticality) (000 §5.3, Base): Tier 1
               +15 infra/networking changes (000 §5.3, Diff Risk): infrastructure (the charge says so)
      gate     G3 (18 RP → G3)
      budget   Green, 130 of 200 RP → Yellow, 112 of 200 RP
    would cost 18 RP; nothing was sent (--dry-run)
    ");
    assert_eq!((code, world.attested().len()), (0, 0));
}

#[tokio::test]
async fn a_pipeline_attests_the_controller_charges_and_a_second_run_changes_nothing() {
    let world = world(0);
    let (page, code) = world.charge(INFRA).await;
    assert_eq!(code, 0);
    assert!(page.contains("sent: attestation web-charge-"), "{page}");
    let attested = world.attested();
    assert_eq!(attested[0]["spec"]["author"], "system:serviceaccount:shop:ci");
    assert_eq!(attested[0]["metadata"]["labels"]["tidegate.io/release"], "web");
    assert_eq!(world.controller().await, 2, "the number, then the record");
    let (page, code) = world.charge(&format!("{INFRA} --wait")).await;
    assert!(page.contains("was charged before: 18 RP, number 5, record web-charge-"), "{page}");
    assert_eq!((code, world.attested().len()), (0, 1));
    assert_eq!(world.controller().await, 0);
}

#[tokio::test]
async fn what_the_budget_does_not_allow_is_sent_only_on_purpose_and_costs_more() {
    let world = world(200);
    let (page, code) = world.charge(INFRA).await;
    assert_eq!((code, world.attested().len()), (3, 0), "{page}");
    assert!(page.contains("not allowed by the budget; nothing was sent"), "{page}");
    let (_, code) = world.charge(&format!("{INFRA} --past-the-budget")).await;
    assert_eq!(code, 0);
    world.controller().await;
    let (page, _) = world.charge(&format!("{INFRA} -o json")).await;
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!((&page["charge"]["points"], &page["charge"]["exception"]), (&json!(27), &json!(true)));
}

#[tokio::test]
async fn who_waits_is_told_when_it_is_charged_or_that_it_is_late() {
    let world = world(0);
    let (page, code) = world.charge(&format!("{INFRA} --wait --timeout 1ms")).await;
    assert_eq!(code, 4, "{page}");
    assert!(page.contains("not charged within 1ms"), "{page}");
    world.controller().await;
    assert_eq!(world.charge(&format!("{INFRA} --wait")).await.1, 0);
}

/// A record that was made before names grew is found by its former name, and one of another change that shares it is not.
#[tokio::test]
async fn what_was_charged_before_names_grew_was_charged_before() {
    let world = world(0);
    world.charge(INFRA).await;
    world.controller().await;
    let name = record_of("web", "git:4f2c9e1");
    let mut record = world.0.with(|api| api.get(&RELEASE_RECORD, "shop", &name).unwrap().clone());
    record["metadata"] = json!({"name": former_record_of("web", "git:old"), "namespace": "shop"});
    for (is_of, found) in [("git:other", false), ("git:old", true)] {
        record["spec"]["change"]["reference"] = json!(is_of);
        world.0.with(|api| api.put_raw(&RELEASE_RECORD, record.clone()).map(drop)).unwrap();
        let (page, _) = world.charge(&format!("{} --dry-run", INFRA.replace("git:4f2c9e1", "git:old"))).await;
        assert_eq!(page.contains("was charged before: 18 RP"), found, "{page}");
    }
}

#[test]
fn who_made_it_is_said_as_the_api_server_and_as_git_know_them() {
    let line = "--budget web --change git:1 --category ui --change-author bob --change-author eve";
    let claim = draft::of(&args(line)).unwrap().claim(None);
    assert_eq!(claim.facts["change-author"], "bob,eve");
    assert!(!claim.facts.contains_key("change-authors"), "{:?}", claim.facts);
}

#[test]
fn what_classify_found_is_charged() {
    let file = std::env::temp_dir().join(format!("tidegate-charge-{}.json", std::process::id()));
    let found = json!({"range": {}, "change": "git:abc", "type": {"value": "Config", "by": "-"}, "linesAdded": 20, "linesRemoved": 3,
        "categories": [{"category": "schema-migration-additive"}, {"category": "docs"}], "files": [],
        "authors": ["Ann <ann@example.org>", "Bob <bob@example.org>"]});
    std::fs::write(&file, found.to_string()).unwrap();
    let draft = draft::of(&args(&format!("--budget web --category infrastructure --from-classify {}", file.display())))
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    let change = &draft.asked.change;
    assert_eq!(
        (change.reference.as_str(), change.kind.as_str(), draft.asked.diff_lines),
        ("git:abc", "Config", Some(23))
    );
    assert_eq!(change.categories.len(), 3);
    let claim = draft.claim(None);
    assert_eq!((claim.facts["lines-added"].as_str(), claim.facts["lines-removed"].as_str()), ("20", "3"));
    assert_eq!(claim.facts["change-authors"], "Ann <ann@example.org>, Bob <bob@example.org>");
}

#[rstest::rstest]
#[case("--budget web --change git:1", "--category")]
#[case("--budget web --category infrastructure", "--change")]
#[case("--budget web --change git:1 --category nonsense", "nonsense")]
#[case("--budget web --change git:1 --category ui --type Rollback", "charge it as what it is")]
fn a_mistake_is_named(#[case] line: &str, #[case] says: &str) {
    let command = <Args as clap::Args>::augment_args(clap::Command::new("charge"));
    let refused = command.try_get_matches_from(std::iter::once("charge").chain(line.split(' '))).unwrap_err();
    assert!(refused.to_string().contains(says), "{refused}");
}
