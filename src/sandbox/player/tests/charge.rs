//! Charges at work: a pipeline attests, the controller makes the record, and a record that is gone is missed.

use serde_json::{Value, json};

use super::super::act::apply;
use super::*;
use crate::cluster::kind::{RELEASE_RECORD, RISK_BUDGET};
use crate::release::charge::{book, record_of};

fn budget(scene: &Scene) -> Value {
    scene.shared.with(|world| world.cluster.api.get(&RISK_BUDGET, "shop", "checkout").unwrap().clone())
}

fn attest(scene: &Scene, name: &str, reference: &str) {
    let pipeline = User::service_account("shop", "pipeline");
    let attestation = json!({
        "apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation",
        "metadata": {"name": name, "namespace": "shop", "labels": {"tidegate.io/release": "checkout"}},
        "spec": {"releaseRef": {"kind": "RiskBudget", "name": "checkout"}, "revision": reference, "type": "charge", "author": pipeline.name,
                 "groups": pipeline.groups, "facts": {"categories": "infrastructure", "change-type": "Infrastructure"}},
    });
    apply(&scene.shared, &pipeline, &attestation).unwrap();
}

fn charges(scene: &Scene) -> Vec<Value> {
    scene.shared.with(|world| {
        let all = world.cluster.api.list(&RELEASE_RECORD, "shop").into_iter();
        all.filter(|record| record["spec"]["release"] == book("checkout")).cloned().collect()
    })
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_attested_twice_is_charged_once_and_missed_where_its_record_is_deleted() {
    let story = story("");
    let scene = scene(&story).await;
    attest(&scene, "one", "git:4f2c9e1");
    attest(&scene, "again", "git:4f2c9e1");
    tokio::time::sleep(Duration::from_secs(30)).await;
    let [record] = &charges(&scene)[..] else { panic!("{:#?}", charges(&scene)) };
    assert_eq!(record["metadata"]["name"], record_of("checkout", "git:4f2c9e1"));
    assert_eq!(
        (&record["status"]["outcome"], &record["spec"]["changedBy"]),
        (&json!("Charged"), &json!("system:serviceaccount:shop:pipeline"))
    );
    let (charge, status) = (&record["status"]["charge"], &budget(&scene)["status"]);
    assert_eq!((&charge["sequence"], &status["ledger"]["sequence"]), (&json!(1), &json!(1)));
    assert_eq!(charge["points"], status["risk"]["consumed"]);
    assert_eq!(status["ledger"]["pending"], Value::Null, "it stands in its record");
    assert_eq!(status["figures"]["deploys"], 0, "it is no deploy");
    let admin = User { name: "admin".to_owned(), groups: vec!["system:masters".to_owned()] };
    let name = record["metadata"]["name"].as_str().unwrap();
    scene.shared.with(|world| world.cluster.api.delete(&admin, &RELEASE_RECORD, "shop", name)).unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    // What was attested is charged again, so that it counts; the number that is gone is told.
    let [again] = &charges(&scene)[..] else { panic!("{:#?}", charges(&scene)) };
    assert_eq!(
        (&again["status"]["charge"]["sequence"], &again["status"]["charge"]["points"]),
        (&json!(2), &charge["points"])
    );
    // What was charged to the window is not given back, and the number of the record that is gone is not given again.
    let chain = |record: &Value| (record["spec"]["attempt"].clone(), record["spec"]["previousDigest"].clone());
    assert_eq!(chain(again), (json!(2), record["status"]["digest"].clone()));
    let status = &budget(&scene)["status"];
    let points = charge["points"].as_u64().unwrap();
    assert_eq!(
        (&status["risk"]["consumed"], &status["risk"]["lost"]),
        (&json!(2 * points), &json!({"charges": 1, "points": points}))
    );
    assert_eq!(status["ledger"]["chain"], json!({"attempts": 2, "head": again["status"]["digest"]}));
    let broken = status["conditions"].as_array().unwrap().iter().find(|one| one["type"] == "LedgerBroken").unwrap();
    assert_eq!(broken["status"], "True", "{broken}");
    assert!(broken["message"].as_str().unwrap().contains("the records of charges 1 are gone. The"), "{broken}");
}

#[tokio::test(start_paused = true)]
async fn a_charge_that_is_quiet_writes_nothing() {
    let story = story("");
    let scene = scene(&story).await;
    attest(&scene, "one", "git:4f2c9e1");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let versions = || -> Vec<Value> {
        charges(&scene).iter().chain([&budget(&scene)]).map(|one| one["metadata"]["resourceVersion"].clone()).collect()
    };
    let before = versions();
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(versions(), before);
}
