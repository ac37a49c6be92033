//! What happens around the workload of a simulated world, as people, admins and tools bring it about.
//!
//! [`happen`] does one thing, [`mend`] puts back what a world needs to come to its end. One file a thing. What must never
//! enter: the workload itself, its route and what is said of them, which are [`super::people`]'s.

mod definitions;
mod keda;
mod namespace;
mod policy;
mod quota;
mod services;
mod sets;

use std::sync::Arc;

use serde_json::{Value, json};

use super::check::{NAME, NAMESPACE};
use super::people::{apply, delete, merge};
use super::schedule::Around;
use super::world::World;
use crate::api::Time;
use crate::sandbox::user::User;
use crate::sandbox::webhook::Webhook;

/// What is remembered of the things around a workload.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// How often the ConfigMap was edited.
    edits: u32,
    /// The ReplicaSet that a hand scaled up.
    scaled: Option<String>,
    /// Whether the namespace was deleted and is to be made anew.
    gone: bool,
    /// Whether the definitions of Tidegate's kinds were deleted and are to be installed again.
    undefined: bool,
    /// Whether the webhook does not answer.
    silent: bool,
}

const CONFIG_MAPS: &str = "/api/v1/namespaces/shop/configmaps";

/// The ConfigMap that the pods read, as Git has it.
fn config_map() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME, "namespace": NAMESPACE},
        "data": {"COLOUR": "0"},
    })
}

/// Lets another version run first, not yet under the gate, so that the workload has a ReplicaSet without pods, and is taken
/// under the gate while it rolls.
pub fn before(world: &mut World, now: Time) -> Vec<u16> {
    let flux = User::service_account("flux-system", "kustomize-controller");
    let mut workload = world.people.deployment();
    workload["metadata"]["labels"] = json!({"app": NAME});
    let present = workload["spec"]["template"]["spec"]["containers"][0]["image"].take();
    let mut codes = Vec::new();
    for image in [json!("shop:0-good"), present] {
        workload["spec"]["template"]["spec"]["containers"][0]["image"] = image;
        codes.push(apply(&mut world.cluster.api, &flux, "/apis/apps/v1/namespaces/shop/deployments", &workload));
        world.cluster.step(now);
    }
    codes
}

/// Puts there what a world has around its workload from the beginning; the HTTP statuses that came of it.
pub fn install(world: &mut World) -> Vec<u16> {
    let flux = User::service_account("flux-system", "kustomize-controller");
    let api = &mut world.cluster.api;
    vec![keda::define(api, &User::person("admin")), apply(api, &flux, CONFIG_MAPS, &config_map())]
}

/// Does one thing; the HTTP status that came of it, none where there is nothing that it could be done to.
pub fn happen(world: &mut World, act: Around) -> Option<u16> {
    let (person, admin) = (User::person("alice"), User::person("admin"));
    let flux = User::service_account("flux-system", "kustomize-controller");
    match act {
        Around::EditConfig => {
            world.surroundings.edits += 1;
            let colour = world.surroundings.edits.to_string();
            let path = format!("{CONFIG_MAPS}/{NAME}");
            Some(merge(&mut world.cluster.api, &person, &path, &json!({"data": {"COLOUR": colour}})))
        }
        Around::Quota(Some(more)) => Some(quota::leave(&mut world.cluster.api, &admin, more)),
        Around::Quota(None) => quota::lift(&mut world.cluster.api, &admin),
        Around::DeleteNamespace => {
            world.surroundings.gone = true;
            Some(delete(&mut world.cluster.api, &admin, namespace::PATH))
        }
        Around::CreateNamespace => namespace::anew(world, &admin),
        Around::ScaleOldSet(Some(pods)) => sets::scale(world, &person, pods),
        Around::ScaleOldSet(None) => sets::back(world, &person),
        Around::NoHistory => sets::keep(world, &person, 0),
        Around::History => sets::keep(world, &person, 10),
        Around::Keda(Some(most)) => Some(keda::scale(&mut world.cluster.api, &flux, most)),
        Around::Keda(None) => keda::leave(&mut world.cluster.api, &flux),
        Around::NetworkPolicy => Some(policy::set(&mut world.cluster.api, &admin)),
        Around::NoNetworkPolicy => policy::lift(&mut world.cluster.api, &admin),
        Around::DatabasePolicy(true) => Some(policy::guard(&mut world.cluster.api, &admin)),
        Around::DatabasePolicy(false) => policy::unguard(&mut world.cluster.api, &admin),
        Around::OtherService(true) => Some(services::make(&mut world.cluster.api, &flux)),
        Around::OtherService(false) => services::lift(&mut world.cluster.api, &flux),
        Around::RemoveDefinitions => definitions::remove(world, &admin),
        Around::InstallDefinitions => definitions::install(world, &admin),
        Around::WebhookDown => webhook(world, false),
        Around::WebhookUp => webhook(world, true),
    }
}

/// Lets the webhook answer, or not; none where it does so already.
fn webhook(world: &mut World, answers: bool) -> Option<u16> {
    if world.surroundings.silent != answers {
        return None;
    }
    let webhook = Webhook::shipped(answers).ok()?;
    world.surroundings.silent = !answers;
    world.cluster.api.set_admission(Arc::new(webhook));
    Some(200)
}

/// Puts back what was taken away, as far as that is possible at this moment; nothing where all is there.
pub fn mend(world: &mut World) {
    let (person, admin) = (User::person("alice"), User::person("admin"));
    // What cannot be put back yet is put back at the next look.
    let _ = quota::lift(&mut world.cluster.api, &admin);
    let _ = sets::back(world, &person);
    // Where that takes the verb `bypass`, the admin holds it.
    let enforced = world.checkers.circumstances.bypass.is_some();
    let _ = sets::let_go(world, if enforced { &admin } else { &person });
    let _ = namespace::anew(world, &admin);
    let _ = definitions::install(world, &admin);
    let _ = webhook(world, true);
}
