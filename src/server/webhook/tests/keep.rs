use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::api::{Span, Time};
use crate::cluster::kind::{MUTATING_WEBHOOKS, SECRET};
use crate::cluster::{Clock, Cluster, Leadership};
use crate::sandbox::api::ApiServer;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::present::bare::{Bare, CRD, admin};
use crate::sandbox::user::User;
use crate::server::webhook::certificates::Held;
use crate::server::webhook::keep::{Keeper, Places};
use crate::server::webhook::rotation::Signer;
use crate::server::webhook::serve::Certificate;

/// An API server, and a clock that is turned by hand.
struct World {
    door: Arc<Bare>,
    now: Mutex<Time>,
}

struct Hands(Arc<World>);

impl Clock for Hands {
    fn now(&self) -> Time {
        *self.0.now.lock().unwrap()
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

fn places() -> Places {
    Places {
        namespace: "default".to_owned(),
        secret: "tidegate-webhook".to_owned(),
        service: "tidegate-webhook".to_owned(),
        configuration: "tidegate".to_owned(),
    }
}

/// With the configuration of the chart: two webhooks, and no `caBundle`.
fn world() -> Arc<World> {
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut api = ApiServer::new(1);
    let crd = json!({
        "metadata": {"name": "mutatingwebhookconfigurations.admissionregistration.k8s.io"},
        "spec": {
            "group": "admissionregistration.k8s.io", "scope": "Cluster",
            "names": {"kind": "MutatingWebhookConfiguration", "plural": "mutatingwebhookconfigurations"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    });
    api.create(&admin(), &CRD, crd).unwrap();
    let now = Mutex::new(Time("2027-01-01T00:00:00Z".parse().unwrap()));
    Arc::new(World { door: Bare::new(api), now })
}

fn configure(world: &World) {
    let hook = |name: &str| {
        json!({"name": name, "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "clientConfig": {"service": {"name": "tidegate-webhook", "namespace": "default"}}})
    };
    let hooks = [hook("hold.tidegate.io"), hook("weights.tidegate.io")];
    let configuration = json!({"metadata": {"name": "tidegate"}, "webhooks": hooks});
    world.door.with(|api| api.create(&admin(), &MUTATING_WEBHOOKS, configuration)).unwrap();
}

fn replica(world: &Arc<World>) -> Keeper {
    let client = world.door.client(User::service_account("default", "tidegate"));
    let cluster = Cluster::new(client, Arc::new(Hands(world.clone())), Leadership::always(), "tidegate-0");
    Keeper::new(cluster, places(), Arc::new(Certificate::default()))
}

impl World {
    fn pass(&self, span: Span) {
        let mut now = self.now.lock().unwrap();
        *now = now.plus(span);
    }

    fn held(&self) -> Held {
        let secret = self.door.with(|api| api.get(&SECRET, "default", "tidegate-webhook").unwrap().clone());
        Held::read(&serde_json::from_value(secret).unwrap())
    }

    /// What the API server trusts; the same in both webhooks.
    fn bundle(&self) -> String {
        let configuration = self.door.with(|api| api.get(&MUTATING_WEBHOOKS, "", "tidegate").unwrap().clone());
        let hooks = configuration["webhooks"].as_array().unwrap();
        let bundle = |hook: &Value| -> String {
            let bytes: k8s_openapi::ByteString =
                serde_json::from_value(hook["clientConfig"]["caBundle"].clone()).unwrap();
            String::from_utf8(bytes.0).unwrap()
        };
        assert_eq!(bundle(&hooks[0]), bundle(&hooks[1]));
        bundle(&hooks[0])
    }

    fn version(&self) -> u64 {
        self.door.with(|api| api.version())
    }

    fn signer(&self) -> Signer {
        self.held().seen(&places().names(), None).serving.unwrap().signer
    }
}

#[tokio::test]
async fn the_first_look_makes_everything_the_next_and_another_replicas_write_nothing() {
    let world = world();
    configure(&world);
    let (mut one, mut other) = (replica(&world), replica(&world));
    one.look().await.unwrap();
    assert_eq!(world.signer(), Signer::Authority);
    assert_eq!(world.bundle(), world.held().bundle());
    let version = world.version();
    for keeper in [&mut one, &mut other] {
        keeper.look().await.unwrap();
    }
    assert_eq!(world.version(), version, "a quiet cluster gets no writes");
}

#[tokio::test]
async fn the_charts_empty_secret_is_filled_and_a_bundle_that_was_wiped_is_written_again() {
    let world = world();
    configure(&world);
    let empty = json!({"metadata": {"name": "tidegate-webhook", "namespace": "default"}, "type": "Opaque"});
    world.door.with(|api| api.create(&admin(), &SECRET, empty)).unwrap();
    let mut keeper = replica(&world);
    keeper.look().await.unwrap();
    let bundle = world.bundle();
    world.door.with(|api| api.delete(&admin(), &MUTATING_WEBHOOKS, "", "tidegate")).unwrap();
    let why = keeper.look().await.unwrap_err().to_string();
    assert!(
        why.contains("MutatingWebhookConfiguration tidegate") && why.contains("admission.mechanism=Webhook"),
        "{why}"
    );
    configure(&world);
    keeper.look().await.unwrap();
    assert_eq!(world.bundle(), bundle);
}

#[tokio::test]
async fn two_replicas_rotate_the_authority_without_a_gap() {
    let world = world();
    configure(&world);
    let mut replicas = [replica(&world), replica(&world)];
    for keeper in &mut replicas {
        keeper.look().await.unwrap();
    }
    let first = world.held().authority().unwrap().to_owned();
    // Certificates are renewed on the way, by the same authority.
    for _ in 0..8 {
        world.pass(Span::days(30));
        for keeper in &mut replicas {
            keeper.look().await.unwrap();
        }
        assert_eq!((world.held().authority(), world.signer()), (Some(first.as_str()), Signer::Authority));
    }
    world.pass(Span::days(4));
    replicas[0].look().await.unwrap();
    let second = world.held().authority().unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(world.signer(), Signer::Former, "nothing is served that was just announced");
    assert!(world.bundle().contains(&first) && world.bundle().contains(&second));
    for keeper in &mut replicas {
        keeper.look().await.unwrap();
    }
    assert_eq!(world.signer(), Signer::Former);
    world.pass(Span::seconds(61));
    for keeper in &mut replicas {
        keeper.look().await.unwrap();
    }
    assert_eq!(world.signer(), Signer::Authority);
    assert!(world.bundle().contains(&first), "another replica may serve the old certificate still");
    world.pass(Span::days(1));
    for keeper in &mut replicas {
        keeper.look().await.unwrap();
    }
    assert!(!world.bundle().contains(&first) && world.bundle().contains(&second));
}

#[tokio::test]
async fn two_that_begin_at_once_agree_on_one_authority() {
    let world = world();
    configure(&world);
    let (mut one, mut other) = (replica(&world), replica(&world));
    let (first, second) = tokio::join!(one.look(), other.look());
    for lost in [first, second].into_iter().filter_map(Result::err) {
        assert!(lost.is_outdated(), "{lost}");
    }
    one.look().await.unwrap();
    other.look().await.unwrap();
    assert_eq!(world.bundle(), world.held().bundle());
    assert_eq!(world.held().bundle().matches("BEGIN CERTIFICATE").count(), 1);
}
