//! A RiskBudget that would allow more, with the whole controller: the former holds until both roles agree.

use serde_json::{Value, json};

use super::super::agree::approve;
use super::*;
use crate::cluster::kind::RISK_BUDGET;
use crate::policy::Role;

fn budget(scene: &Scene, story: &Story) -> Value {
    let name = story.objects.risk_budget["metadata"]["name"].as_str().unwrap();
    scene.shared.with(|world| world.cluster.api.get(&RISK_BUDGET, "shop", name).unwrap().clone())
}

/// Looks each second until the status of the RiskBudget is so.
async fn settles(scene: &Scene, story: &Story, what: &str, so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..180 {
        let status = budget(scene, story)["status"].clone();
        if so(&status) {
            return status;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("never {what}: {:#}", budget(scene, story)["status"]);
}

fn condition(status: &Value) -> (String, String) {
    let all = status["conditions"].as_array().unwrap();
    let found = all.iter().find(|condition| condition["type"] == "Loosening").unwrap();
    let of = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    (of("status"), of("reason"))
}

#[tokio::test(start_paused = true)]
async fn the_former_holds_until_both_roles_agree_and_tightening_takes_effect_at_once() {
    let story = story("");
    let scene = scene(&story).await;
    let before = settles(&scene, &story, "counted", |status| status["risk"]["allocated"].is_u64()).await;
    let allocated = before["risk"]["allocated"].as_u64().unwrap();
    assert_eq!(condition(&before), ("False".into(), "InForce".into()));

    let mut acts = Acts::new(&story, scene.shared.clone());
    let objective = |name: &str| json!({"name": name, "objective": 99.99, "promql": {"bad": "0", "total": "100"}});
    let mut slos = budget(&scene, &story)["spec"]["slos"].clone();
    slos.as_array_mut().unwrap().push(objective("strict"));
    let edit = json!({"riskPoints": allocated + 500, "slos": slos});
    let edit = Action::EditConfig { gated_release: Value::Null, risk_budget: edit };
    acts.act(&User::person("alice"), &edit).unwrap();
    let waits = settles(&scene, &story, "held back", |status| status["loosening"].is_object()).await;
    assert_eq!(condition(&waits), ("True".into(), "ApprovalMissing".into()));
    assert_eq!(waits["risk"]["allocated"], json!(allocated), "the former holds");
    let measured = waits["errorBudget"]["slos"].as_array().unwrap();
    assert!(measured.iter().any(|slo| slo["name"] == "strict"), "what is stricter is in force: {measured:?}");

    let git = &story.objects.risk_budget;
    approve(&scene.shared, git, &User::person("ann"), Role::ProductManager).unwrap();
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert!(budget(&scene, &story)["status"]["loosening"].is_object(), "one of two");
    approve(&scene.shared, git, &User::person("bob"), Role::DevelopmentManager).unwrap();
    let agreed = settles(&scene, &story, "in force", |status| status["loosening"].is_null()).await;
    assert_eq!(agreed["risk"]["allocated"], json!(allocated + 500));
    let entry = &agreed["loosened"][0];
    assert_eq!(entry["changes"], json!([format!("spec.riskPoints: {allocated} → {}", allocated + 500)]));
    assert_eq!(entry["by"].as_array().map(Vec::len), Some(2));
    let events =
        scene.shared.with(|world| world.cluster.api.list(&EVENT, "shop").into_iter().cloned().collect::<Vec<_>>());
    for reason in ["LooseningHeld", "LooseningApproved"] {
        assert_eq!(events.iter().filter(|event| event["reason"] == reason).count(), 1, "{reason}");
    }
}
