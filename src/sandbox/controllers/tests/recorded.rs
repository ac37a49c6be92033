//! The scripts of `e2e/compare`, played on the simulated controllers and compared with what a real cluster did.
//!
//! `e2e/run compare` plays each script on a real cluster and writes a recording beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::world::World;
use crate::api::Span;
use crate::cluster::kind::{DEPLOYMENT, REPLICA_SET};
use crate::sandbox::controllers::look::name;
use crate::sandbox::controllers::{Behaviour, Pods};
use crate::sandbox::objects::Objects;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Script {
    replicas: i64,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    recreate: bool,
    max_surge: Option<String>,
    max_unavailable: Option<String>,
    history: Option<i64>,
    steps: Vec<Step>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Step {
    template: Option<String>,
    scale: Option<i64>,
    pause: Option<bool>,
    scale_set: Option<ScaleSet>,
}

#[derive(Debug, Deserialize)]
struct ScaleSet {
    template: String,
    replicas: i64,
}

#[derive(Debug, Deserialize)]
struct Recording {
    server: String,
    shapes: Vec<Value>,
}

/// Pods that never get ready where their probe asks a port on which nobody listens.
struct Probed;

impl Pods for Probed {
    fn behaviour(&self, _: &str, template: &Value) -> Behaviour {
        let ready = template.pointer("/spec/containers/0/readinessProbe").is_none();
        Behaviour { ready, ..Behaviour::healthy(Span::seconds(1)) }
    }

    fn cpu(&self, _: &str, _: &str) -> Option<f64> {
        None
    }
}

fn template(version: &str) -> Value {
    let mut container = json!({"name": "main", "image": "app:1", "env": [{"name": "VERSION", "value": version}]});
    if version.starts_with("never") {
        container["readinessProbe"] = json!({"tcpSocket": {"port": 1}, "periodSeconds": 1});
    }
    json!({
        "metadata": {"labels": {"app": "shop"}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    })
}

fn deployment(script: &Script) -> Value {
    let share = |value: &Option<String>| value.clone().unwrap_or_else(|| "25%".to_owned());
    let strategy = if script.recreate {
        json!({"type": "Recreate"})
    } else {
        json!({"type": "RollingUpdate", "rollingUpdate": {
            "maxSurge": share(&script.max_surge), "maxUnavailable": share(&script.max_unavailable),
        }})
    };
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "namespace": "default"},
        "spec": {
            "replicas": script.replicas, "paused": script.paused, "strategy": strategy, "template": template("v1"),
            "revisionHistoryLimit": script.history.unwrap_or(10), "selector": {"matchLabels": {"app": "shop"}},
        },
    })
}

fn settle(world: &mut World) {
    let end = world.now.plus(Span::minutes(1));
    loop {
        world.api.set_now(world.now);
        match world.controllers.step(&mut world.api, &Probed, world.now) {
            Some(due) if due <= end => world.now = due,
            Some(_) | None => break,
        }
    }
    world.now = end;
}

fn version(set: &Value) -> &str {
    set.pointer("/spec/template/spec/containers/0/env/0/value").and_then(Value::as_str).unwrap()
}

fn act(world: &mut World, step: &Step) {
    let shop = |world: &mut World, key: &str, value: Value| {
        world.edit(&DEPLOYMENT, "shop", |it| it["spec"][key] = value);
    };
    match step {
        Step { template: Some(version), .. } => shop(world, "template", template(version)),
        Step { scale: Some(replicas), .. } => shop(world, "replicas", json!(replicas)),
        Step { pause: Some(paused), .. } => shop(world, "paused", json!(paused)),
        Step { scale_set: Some(ScaleSet { template, replicas }), .. } => {
            let sets = world.api.list(&REPLICA_SET, "default");
            let set = sets.into_iter().find(|set| version(set) == template).map(|set| name(set).to_owned()).unwrap();
            world.edit(&REPLICA_SET, &set, |it| it["spec"]["replicas"] = json!(replicas));
        }
        Step { template: None, scale: None, pause: None, scale_set: None } => panic!("an empty step"),
    }
}

/// As the recorder writes it.
fn shape(world: &World) -> Value {
    let shop = world.get(&DEPLOYMENT, "shop");
    let sets: BTreeMap<&str, Value> = world
        .api
        .list(&REPLICA_SET, "default")
        .into_iter()
        .map(|set| {
            let shape = json!({
                "replicas": set["spec"]["replicas"],
                "available": set["status"]["availableReplicas"].as_i64().unwrap_or(0),
                "revision": set["metadata"]["annotations"]["deployment.kubernetes.io/revision"],
            });
            (version(set), shape)
        })
        .collect();
    let counts = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"];
    let status: BTreeMap<&str, i64> =
        counts.into_iter().map(|key| (key, shop["status"][key].as_i64().unwrap_or(0))).collect();
    let conditions: BTreeMap<&str, String> = shop["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap();
            (text("type"), format!("{} {}", text("status"), text("reason")))
        })
        .collect();
    json!({
        "paused": shop["spec"]["paused"].as_bool().unwrap_or(false),
        "observed": shop["status"]["observedGeneration"] == shop["metadata"]["generation"],
        "sets": sets, "status": status, "conditions": conditions,
    })
}

fn play(script: &Script) -> Vec<Value> {
    let mut world = World::new();
    world.create(&DEPLOYMENT, deployment(script));
    settle(&mut world);
    let mut shapes = vec![shape(&world)];
    for step in &script.steps {
        act(&mut world, step);
        settle(&mut world);
        shapes.push(shape(&world));
    }
    shapes
}

fn scripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/compare");
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    all.sort();
    all
}

fn read(path: &Path) -> Script {
    let text = std::fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

#[test]
fn every_script_plays_and_is_settled_after_each_step() {
    let all = scripts();
    assert!(!all.is_empty());
    for path in all {
        for shape in play(&read(&path)) {
            assert_eq!(shape["observed"], true, "{}: {shape:#}", path.display());
        }
    }
}

#[test]
fn the_simulation_does_what_a_real_cluster_was_recorded_to_do() {
    for path in scripts() {
        let text = std::fs::read_to_string(path.with_extension("json"))
            .unwrap_or_else(|why| panic!("{}: {why}; e2e/run compare writes one", path.display()));
        let recording: Recording = serde_json::from_str(&text).unwrap();
        let (script, played) = (read(&path), play(&read(&path)));
        assert_eq!(played.len(), recording.shapes.len(), "{}: record it again", path.display());
        for (index, (played, recorded)) in played.iter().zip(&recording.shapes).enumerate() {
            let after = index.checked_sub(1).and_then(|step| script.steps.get(step));
            let server = &recording.server;
            assert_eq!(played, recorded, "{} on {server}, after {after:?}\n{played:#}\n{recorded:#}", path.display());
        }
    }
}
