//! Obligations at work: they arise with a level, are overdue by the clock, and are met by an attestation.

use serde_json::{Value, json};

use super::*;
use crate::cluster::kind::{ATTESTATION, RISK_BUDGET};

fn status(scene: &Scene) -> Value {
    scene.shared.with(|world| world.cluster.api.get(&RISK_BUDGET, "shop", "checkout").unwrap()["status"].clone())
}

/// `type state` of each obligation.
fn owed(scene: &Scene) -> Vec<String> {
    let status = status(scene);
    let all = status["obligations"].as_array().cloned().unwrap_or_default();
    let word = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    all.iter().map(|one| format!("{} {}", word(one, "type"), word(one, "state"))).collect()
}

/// Reasons of the events about the budget, in the order in which they were told.
fn told(scene: &Scene) -> Vec<String> {
    scene.shared.with(|world| {
        let all = world.cluster.api.list(&EVENT, "shop");
        let mut of_budget: Vec<_> = all.iter().filter(|one| one["regarding"]["kind"] == "RiskBudget").collect();
        of_budget.sort_by_key(|one| one["eventTime"].as_str().map(str::to_owned));
        of_budget.iter().map(|one| one["reason"].as_str().unwrap().to_owned()).collect()
    })
}

async fn passes(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_freeze_demands_is_owed_overdue_by_the_clock_and_met() {
    let scene = scene(&story("error-budget: 18")).await;
    let open = ["freeze-announcement Due", "incident-review Due", "reliability-plan Due"];
    let seen = owed(&scene);
    assert!(open.iter().all(|one| seen.iter().any(|seen| seen == one)), "{seen:?}");
    assert_eq!(told(&scene), ["ErrorBudgetCritical", "ObligationDue"]);
    let message = status(&scene)["message"].as_str().unwrap().to_owned();
    assert!(
        message.starts_with("Error budget CRITICAL: ") && message.contains("\nDemanded: freeze-announcement by "),
        "{message}"
    );

    // The deadline wakes whoever looks; nothing else happens.
    let name = {
        let status = status(&scene);
        let all = status["obligations"].as_array().unwrap();
        let first = all.iter().find(|one| one["type"] == "freeze-announcement").unwrap();
        let due: jiff::Timestamp = first["due"].as_str().unwrap().parse().unwrap();
        let now = scene.shared.now();
        passes(Time(due).since(now).as_std().as_secs() + 2).await;
        first["name"].as_str().unwrap().to_owned()
    };
    assert!(owed(&scene).contains(&"freeze-announcement Overdue".to_owned()), "{:?}", owed(&scene));
    assert_eq!(told(&scene), ["ErrorBudgetCritical", "ObligationDue", "ObligationOverdue"]);

    let attestation = json!({
        "apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation", "metadata": {"name": "announced", "namespace": "shop"},
        "spec": {"releaseRef": {"kind": "RiskBudget", "name": "checkout"}, "revision": name, "type": "freeze-announcement",
            "facts": {"channel": "#engineering", "incident-commander": "dana", "war-room": "https://meet.example.com/1", "teams": "all"}},
    });
    let dana = User::person("dana");
    scene.shared.with(|world| world.cluster.api.create(&dana, &ATTESTATION, attestation).map(drop)).unwrap();
    passes(5).await;
    assert!(owed(&scene).contains(&"freeze-announcement Met".to_owned()), "{:?}", owed(&scene));
    assert_eq!(told(&scene).last().map(String::as_str), Some("ObligationMet"));
    let conditions = status(&scene)["conditions"].clone();
    let met = conditions.as_array().unwrap().iter().find(|one| one["type"] == "ObligationsMet").cloned().unwrap();
    assert_eq!((met["status"].as_str(), met["reason"].as_str()), (Some("True"), Some("Due")));
}

#[tokio::test(start_paused = true)]
async fn a_rollback_owes_a_post_mortem() {
    let story = story("");
    let scene = scene(&story).await;
    assert_eq!(owed(&scene), Vec::<String>::new());
    let mut acts = Acts::new(&story, scene.shared.clone());
    assert_eq!(press(&mut acts, Key::Bad).unwrap().refused, None);
    until(&scene, "back", |view| matches!(view.outcome, Some((Outcome::RolledBack, _)))).await;
    passes(5).await;
    assert!(owed(&scene).contains(&"post-mortem Due".to_owned()), "{:?}", owed(&scene));
}
