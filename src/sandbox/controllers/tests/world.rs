//! A small cluster in virtual time, and words for what is in it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::{Span, Time};
use crate::cluster::Kind;
use crate::cluster::kind::{DEPLOYMENT, POD, REPLICA_SET};
use crate::sandbox::api::ApiServer;
use crate::sandbox::controllers::look::{is_ready, leaving, name, text};
use crate::sandbox::controllers::{Behaviour, Controllers, Pods};
use crate::sandbox::objects::{Objects, Refusal};
use crate::sandbox::user::User;

/// Images that behave in their own way; all others are ready after two seconds.
#[derive(Debug, Default, Clone)]
pub(super) struct Nature {
    pub(super) images: BTreeMap<String, Behaviour>,
    pub(super) cpu: Option<f64>,
}

impl Pods for Nature {
    fn behaviour(&self, _: &str, template: &Value) -> Behaviour {
        let image = template.pointer("/spec/containers/0/image").and_then(Value::as_str).unwrap_or_default();
        self.images.get(image).copied().unwrap_or(Behaviour::healthy(Span::seconds(2)))
    }

    fn cpu(&self, _: &str, _: &str) -> Option<f64> {
        self.cpu
    }
}

pub(super) struct World {
    pub(super) api: ApiServer,
    pub(super) controllers: Controllers,
    pub(super) nature: Nature,
    pub(super) now: Time,
    pub(super) user: User,
    /// The sizes after each step in which they changed.
    pub(super) trace: Vec<String>,
    /// The fewest available pods of a Deployment `shop` since it was set.
    pub(super) fewest: i64,
}

impl World {
    pub(super) fn new() -> Self {
        Self::seeded(7)
    }

    pub(super) fn seeded(seed: u64) -> Self {
        let api = ApiServer::new(seed);
        Self {
            now: api.now(),
            api,
            controllers: Controllers::new(seed),
            nature: Nature::default(),
            user: User { name: "alice".to_owned(), groups: vec!["system:masters".to_owned()] },
            trace: Vec::new(),
            fewest: i64::MAX,
        }
    }

    pub(super) fn create(&mut self, kind: &Kind, object: Value) -> Value {
        self.api.create(&self.user, kind, object).unwrap()
    }

    pub(super) fn edit(&mut self, kind: &Kind, name: &str, change: impl FnOnce(&mut Value)) {
        self.try_edit(kind, name, change).unwrap();
    }

    pub(super) fn try_edit(
        &mut self,
        kind: &Kind,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Value, Refusal> {
        let mut object = self.api.get(kind, "default", name).cloned().unwrap();
        change(&mut object);
        self.api.update(&self.user, kind, object)
    }

    pub(super) fn delete(&mut self, kind: &Kind, name: &str) {
        self.api.delete(&self.user, kind, "default", name).unwrap();
    }

    pub(super) fn get(&self, kind: &Kind, name: &str) -> &Value {
        self.api.get(kind, "default", name).unwrap()
    }

    pub(super) fn step(&mut self) -> Option<Time> {
        self.api.set_now(self.now);
        self.controllers.wake(self.now);
        let due = self.controllers.step(&mut self.api, &self.nature, self.now);
        let shape = self.shape();
        if self.trace.last() != Some(&shape) {
            self.trace.push(shape);
        }
        if let Some(shop) = self.api.get(&DEPLOYMENT, "default", "shop") {
            let available = shop["status"]["availableReplicas"].as_i64().unwrap_or(0);
            self.fewest = self.fewest.min(available);
        }
        due
    }

    /// Lets time pass, from one thing that is due to the next.
    pub(super) fn run(&mut self, span: Span) {
        let end = self.now.plus(span);
        while let Some(due) = self.step().filter(|due| *due <= end) {
            assert!(due > self.now, "something is due again at once");
            self.now = due;
        }
        self.now = end;
        self.step();
    }

    /// Lets a minute pass, in which all that is well settles.
    pub(super) fn settle(&mut self) {
        self.run(Span::minutes(1));
    }

    /// Sets the Deployment's image.
    pub(super) fn image(&mut self, image: &str) {
        self.edit(&DEPLOYMENT, "shop", |it| it["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image));
    }

    pub(super) fn pause(&mut self, paused: bool) {
        self.edit(&DEPLOYMENT, "shop", |it| it["spec"]["paused"] = json!(paused));
    }

    pub(super) fn scale(&mut self, replicas: i64) {
        self.edit(&DEPLOYMENT, "shop", |it| it["spec"]["replicas"] = json!(replicas));
    }

    /// Scales the ReplicaSet of an image by hand.
    pub(super) fn scale_set(&mut self, image: &str, replicas: i64) {
        let name = self.set(image);
        self.edit(&REPLICA_SET, &name, |it| it["spec"]["replicas"] = json!(replicas));
    }

    /// The name of the ReplicaSet of an image.
    pub(super) fn set(&self, image: &str) -> String {
        let sets = self.api.list(&REPLICA_SET, "default");
        let set = sets.into_iter().find(|set| set["spec"]["template"]["spec"]["containers"][0]["image"] == image);
        name(set.unwrap()).to_owned()
    }

    /// Wanted and available pods of each ReplicaSet by image: `shop:1 4/4, shop:2 0/0`.
    pub(super) fn shape(&self) -> String {
        let mut all: Vec<String> = self
            .api
            .list(&REPLICA_SET, "default")
            .into_iter()
            .map(|set| {
                let image = set["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
                let available = set["status"]["availableReplicas"].as_i64().unwrap_or(0);
                format!("{image} {}/{available}", set["spec"]["replicas"])
            })
            .collect();
        all.sort();
        all.join(", ")
    }

    /// Pods that are not leaving, and how many of them are ready.
    pub(super) fn pods(&self) -> (usize, usize) {
        let pods = self.api.list(&POD, "default");
        let here: Vec<_> = pods.into_iter().filter(|pod| !leaving(pod)).collect();
        (here.len(), here.iter().filter(|pod| is_ready(pod)).count())
    }

    /// `status reason` of a condition of the Deployment.
    pub(super) fn condition(&self, kind: &str) -> String {
        let shop = self.get(&DEPLOYMENT, "shop");
        let all = shop["status"]["conditions"].as_array().unwrap();
        let one = all.iter().find(|one| one["type"] == kind);
        one.map_or("-".to_owned(), |one| format!("{} {}", text(one, &["status"]), text(one, &["reason"])))
    }

    /// The numbers of the Deployment's status: all, updated, ready, available, unavailable.
    pub(super) fn counts(&self) -> [i64; 5] {
        let status = &self.get(&DEPLOYMENT, "shop")["status"];
        ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"]
            .map(|key| status[key].as_i64().unwrap_or(0))
    }

    /// A world in which the Deployment runs with that many replicas of `shop:1`.
    pub(super) fn with_shop(replicas: i64) -> Self {
        let mut world = Self::new();
        world.create(&DEPLOYMENT, deployment("shop", "shop:1", replicas));
        world.settle();
        world.trace.clear();
        world
    }
}

pub(super) fn deployment(name: &str, image: &str, replicas: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": image, "ports": [{"name": "http", "containerPort": 8080}]}]},
            },
        },
    })
}
