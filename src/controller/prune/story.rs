//! Passes on an API server in this process, with Tidegate's kinds.

#![cfg(feature = "sandbox")]

use std::sync::Arc;

use tokio::sync::watch;

use super::*;
use crate::api::{Time, custom_resource_definitions};
use crate::cluster::{Clock, Cluster, Kind, Leadership, observe};
use crate::prometheus::{Config, Http, Sources};
use crate::release::chain::digest;
use crate::release::snapshot::record_name;
use crate::sandbox::api::{Answer, ApiServer, Call, Polled, Watch};
use crate::sandbox::objects::Objects as _;
use crate::sandbox::present::{Door, client};
use crate::sandbox::schema::Schemas;
use crate::sandbox::user::User;
use crate::server::{Health, Metrics};
use crate::synthetic::Checks;
use serde_json::json;

const CRD: Kind = Kind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");
const NAMESPACE: Kind = Kind::new("", "v1", "Namespace", "namespaces");

struct World {
    api: Mutex<ApiServer>,
    version: watch::Sender<u64>,
}

impl Door for World {
    fn call(&self, call: &Call) -> Answer {
        lock(&self.api).call(call)
    }

    fn poll(&self, watch: &mut Watch) -> Polled {
        lock(&self.api).poll_watch(watch)
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}

struct At(Time);

impl Clock for At {
    fn now(&self) -> Time {
        self.0
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

/// Records 1 to 30 of January, 31 to 40 of this June; the windows are months, and it is the middle of June.
fn records() -> Vec<Value> {
    chain("web", |attempt| record_name("web", attempt))
}

fn chain(book: &str, named: impl Fn(u32) -> String) -> Vec<Value> {
    let mut previous: Option<String> = None;
    let mut all = Vec::new();
    for attempt in 1..=40_u32 {
        let name = named(attempt);
        let at =
            if attempt <= 30 { format!("2026-01-{attempt:02}T00:00:00Z") } else { "2026-06-05T00:00:00Z".to_owned() };
        let mut spec = json!({
            "release": book, "attempt": attempt, "workloadUid": "u", "revision": "r", "riskBudget": "web",
            "change": {"type": "Feature"},
        });
        if let Some(previous) = &previous {
            spec["previousDigest"] = json!(previous);
        }
        let mut status = json!({
            "phase": "Complete", "phaseSince": at, "outcome": "Succeeded", "endedAt": at,
            "charge": {"sequence": attempt, "points": 1, "at": at},
        });
        let made = digest(&name, &spec, &status);
        status["digest"] = json!(made);
        previous = Some(made);
        all.push(json!({
            "metadata": {"name": name, "namespace": "shop", "labels": {"tidegate.io/release": label_value(book)}},
            "spec": spec, "status": status,
        }));
    }
    all
}

fn digest_of(attempt: usize) -> Value {
    records()[attempt - 1]["status"]["digest"].clone()
}

impl World {
    fn new() -> Arc<Self> {
        let mut api = ApiServer::new(1);
        api.set_schemas(Box::new(Schemas::default())).unwrap();
        let admin = User { name: "admin".to_owned(), groups: vec!["system:masters".to_owned()] };
        for crd in custom_resource_definitions() {
            api.create(&admin, &CRD, serde_json::to_value(crd).unwrap()).unwrap();
        }
        api.create(&admin, &NAMESPACE, json!({"metadata": {"name": "shop"}})).unwrap();
        let world = Arc::new(Self { api: Mutex::new(api), version: watch::channel(0).0 });
        let window = |window: &str| {
            json!({"window": window, "from": format!("{window}-01T00:00:00Z"), "allocated": 200, "consumed": 0, "sequence": 30,
                "releases": 0, "failed": 0, "exceptions": 0, "mttr": "0s"})
        };
        world.put(&RISK_BUDGET, json!({
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"tier": 1, "slos": [{"name": "a", "objective": 99.5, "promql": {"bad": "0", "total": "1"}}]},
            "status": {
                "observedGeneration": 1, "ledger": {"sequence": 40, "before": 30}, "windows": [window("2026-05"), window("2026-04")],
                "risk": {"window": "2026-06", "from": "2026-06-01T00:00:00Z", "until": "2026-07-01T00:00:00Z", "allocated": 200,
                    "consumed": 10, "sequence": 40, "reserved": 0, "remaining": 190, "remainingPercent": 95, "band": "Green",
                    "releases": 10, "exceptions": 0},
            },
        }));
        world.put(
            &GATED_RELEASE,
            json!({
                "metadata": {"name": "web", "namespace": "shop"},
                "spec": {"workloadRef": {"kind": "Deployment", "name": "web"}, "riskBudgetRef": {"name": "web"},
                    "traffic": {"service": "web", "httpRoutes": [{"name": "web"}]},
                    "rollback": {"errorRatePercent": 1, "latencyFactor": 2}},
                "status": {"phase": "Complete", "message": "", "record": "web-0040", "attempts": 40},
            }),
        );
        for record in records() {
            world.put(&RELEASE_RECORD, record);
        }
        world
    }

    fn put(&self, kind: &Kind, mut object: Value) {
        object["apiVersion"] = kind.api_version().into();
        object["kind"] = kind.kind.into();
        lock(&self.api).put_raw(kind, object).unwrap();
    }

    /// Changes an object as nobody may by the API.
    fn change(&self, kind: &Kind, name: &str, patch: &Value) {
        let mut object = lock(&self.api).get(kind, "shop", name).unwrap().clone();
        json_patch::merge(&mut object, patch);
        lock(&self.api).put_raw(kind, object).unwrap();
    }

    fn release(&self) -> Value {
        lock(&self.api).get(&GATED_RELEASE, "shop", "web").unwrap().clone()
    }

    fn left(&self) -> Vec<Value> {
        lock(&self.api).list(&RELEASE_RECORD, "shop").into_iter().cloned().collect()
    }

    fn attempts(&self) -> (u32, u32) {
        let left: BTreeSet<u32> = self.left().iter().map(attempt).collect();
        (*left.first().unwrap(), *left.last().unwrap())
    }

    /// One pass over the charges of the budget; says whether something went.
    async fn pass_charges(self: &Arc<Self>) -> bool {
        let context = self.context(false, "2026-06-15T00:00:00Z");
        let budget = lock(&self.api).get(&RISK_BUDGET, "shop", "web").unwrap().clone();
        let kept = serde_json::from_value(budget["status"]["records"].clone()).unwrap();
        let uid = budget["metadata"]["uid"].as_str().unwrap_or_default();
        let book = book("web");
        let chain = Chain { kind: &RISK_BUDGET, namespace: "shop", name: "web", uid, book, attempts: None, kept };
        super::pass(&context, &chain).await.unwrap()
    }

    /// One pass; says whether something went.
    async fn pass(self: &Arc<Self>, only_exported: bool) -> bool {
        let context = self.context(only_exported, "2026-06-15T00:00:00Z");
        let found = observe::find(&context.cluster, "shop", "web").await.unwrap().unwrap();
        super::pass(&context, &of_release(&found.release)).await.unwrap()
    }

    async fn pass_at(self: &Arc<Self>, now: &str) -> bool {
        let context = self.context(false, now);
        let found = observe::find(&context.cluster, "shop", "web").await.unwrap().unwrap();
        super::pass(&context, &of_release(&found.release)).await.unwrap()
    }

    fn context(self: &Arc<Self>, only_exported: bool, now: &str) -> Context {
        let user = User::service_account("tidegate", "tidegate");
        let now = Arc::new(At(Time(now.parse().unwrap())));
        let cluster = Cluster::new(client(self.clone(), user), now, Leadership::always(), "tidegate-0");
        let mut config = Config::empty();
        config.records.prune_only_exported = only_exported;
        let metrics = Arc::new(Metrics::default());
        let sources = Sources::new(Arc::new(config), Arc::new(Http::new().unwrap()), metrics.clone(), 1);
        Context::new(cluster, sources, Checks::over_http(), metrics, Arc::new(Health::default()), "")
    }

    /// Whether what is left is a chain that follows what was pruned.
    fn holds(&self) -> bool {
        let kept: Option<RecordsKept> = serde_json::from_value(self.release()["status"]["records"].clone()).unwrap();
        walk("web", &self.left(), Known { attempts: Some(40), kept: kept.as_ref(), ..Known::default() })
            .broken
            .is_none()
    }
}

#[tokio::test]
async fn old_records_go_and_the_chain_says_with_which_it_begins() {
    let world = World::new();
    assert!(world.pass(false).await);
    assert_eq!(world.attempts(), (21, 40));
    let kept = json!({"begins": 21, "previousDigest": digest_of(20), "pruned": 20});
    assert_eq!(world.release()["status"]["records"], kept);
    assert_eq!(world.release()["status"]["record"], "web-0040", "the rest of the status stays");
    assert!(world.holds());
    assert!(!world.pass(false).await, "twenty stay");
    lock(&world.api).delete(&User::person("eve"), &RELEASE_RECORD, "shop", "web-0021").unwrap();
    assert!(!world.holds(), "what somebody else deletes is missed");
}

#[tokio::test]
async fn a_death_between_the_status_and_the_deletions_is_made_good() {
    let world = World::new();
    let kept = json!({"begins": 21, "previousDigest": digest_of(20), "pruned": 20});
    world.change(&GATED_RELEASE, "web", &json!({"status": {"records": kept}}));
    assert!(world.holds());
    assert!(world.pass(false).await);
    assert_eq!((world.attempts(), &world.release()["status"]["records"]), ((21, 40), &kept));
    assert!(world.holds());
}

#[tokio::test]
async fn what_was_not_exported_stays_where_only_that_may_go() {
    let world = World::new();
    assert!(!world.pass(true).await);
    let mark = |attempt: usize, of: usize| {
        let said = format!("{attempt} {}", digest_of(of).as_str().unwrap());
        world.change(&GATED_RELEASE, "web", &json!({"metadata": {"annotations": {EXPORTED: said}}}));
    };
    mark(10, 9);
    assert!(!world.pass(true).await, "a mark of another chain");
    mark(10, 10);
    assert!(world.pass(true).await);
    assert_eq!(world.attempts(), (11, 40));
}

#[tokio::test]
async fn what_a_status_names_stays() {
    let world = World::new();
    let ledger = json!({"reservations": [{"record": "web-0004", "points": 3}]});
    world.change(&RISK_BUDGET, "web", &json!({"status": {"ledger": ledger}}));
    assert!(world.pass(false).await);
    assert_eq!(world.attempts(), (4, 40));
}

/// The name of an obligation is not that of its record: the record is named beside it.
#[tokio::test]
async fn what_somebody_owes_something_for_stays_as_long_as_it_is_owed() {
    let owed = json!([{
        "name": "post-mortem-web-0004", "type": "post-mortem", "state": "Overdue", "about": "it came back",
        "owedBy": ["service-owner"], "source": "003, Module 6", "since": "2026-06-01T00:00:00Z",
        "due": "2026-06-09T00:00:00Z", "record": "web-0004",
    }]);
    let further = |number: u32| {
        let name = format!("post-mortem-web-{number:04}");
        json!({"name": name, "state": "Due", "since": "2026-06-01T00:00:00Z", "due": "2026-06-19T00:00:00Z",
            "record": format!("web-{number:04}")})
    };
    let cases = [
        (json!({"obligations": owed}), Some(4)),
        (json!({"furtherObligations": [further(6)]}), Some(6)),
        // Of more than a status remembers nobody knows for which records they are owed.
        (json!({"furtherObligations": (31..=286).map(further).collect::<Vec<_>>()}), None),
    ];
    for (status, begins) in cases {
        let world = World::new();
        world.change(&RISK_BUDGET, "web", &json!({"status": status}));
        assert_eq!(world.pass(false).await, begins.is_some());
        assert_eq!(world.attempts(), (begins.unwrap_or(1), 40));
    }
}

#[tokio::test]
async fn a_chain_that_does_not_hold_is_evidence_and_stays() {
    let world = World::new();
    world.change(&RELEASE_RECORD, "web-0005", &json!({"status": {"outcome": "RolledBack"}}));
    assert!(!world.pass(false).await);
    assert_eq!(world.attempts(), (1, 40));
}

#[tokio::test]
async fn charges_that_are_no_workloads_go_as_well_and_the_budget_says_with_which_they_begin() {
    let world = World::new();
    let charges = chain(&book("web"), |attempt| format!("web-charge-{attempt:012x}"));
    let digest = charges[19]["status"]["digest"].clone();
    for record in records() {
        lock(&world.api)
            .delete(&User::person("eve"), &RELEASE_RECORD, "shop", record["metadata"]["name"].as_str().unwrap())
            .unwrap();
    }
    for record in charges {
        world.put(&RELEASE_RECORD, record);
    }
    assert!(world.pass_charges().await);
    assert_eq!(world.attempts(), (21, 40));
    let budget = lock(&world.api).get(&RISK_BUDGET, "shop", "web").unwrap().clone();
    assert_eq!(budget["status"]["records"], json!({"begins": 21, "previousDigest": digest, "pruned": 20}));
    assert_eq!(budget["status"]["ledger"]["sequence"], json!(40), "the rest of the status stays");
    assert!(!world.pass_charges().await, "twenty stay");
}

#[tokio::test]
async fn a_budget_that_is_gone_does_not_keep_records_for_ever() {
    let world = World::new();
    lock(&world.api)
        .delete(
            &User { name: "admin".to_owned(), groups: vec!["system:masters".to_owned()] },
            &RISK_BUDGET,
            "shop",
            "web",
        )
        .unwrap();
    // Of January, and in June: five months are less than three of the longest windows.
    assert!(!world.pass(false).await);
    assert!(world.pass_at("2026-11-15T00:00:00Z").await);
    assert_eq!(world.attempts(), (21, 40));
}

#[tokio::test]
async fn while_the_window_is_not_counted_nothing_goes() {
    let world = World::new();
    world.change(&RISK_BUDGET, "web", &json!({"status": {"risk": {"until": "2026-06-10T00:00:00Z"}}}));
    assert!(!world.pass(false).await);
}
