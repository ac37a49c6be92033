//! Tidegate's own kinds: their definitions deleted, and with them all that Tidegate keeps, and installed again.

use serde_json::Value;

use crate::api::custom_resource_definitions;
use crate::cluster::Kind;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::people::{call, delete};
use crate::sandbox::simulate::world::World;
use crate::sandbox::user::User;

const KIND: Kind = Kind::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions");
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

fn all() -> Vec<Value> {
    let all = custom_resource_definitions().into_iter();
    all.filter_map(|definition| serde_json::to_value(definition).ok()).collect()
}

fn name(definition: &Value) -> &str {
    definition["metadata"]["name"].as_str().unwrap_or_default()
}

/// Deletes them all; each goes with the last of its objects.
pub(super) fn remove(world: &mut World, admin: &User) -> Option<u16> {
    world.surroundings.undefined = true;
    let api = &mut world.cluster.api;
    all().iter().map(|one| delete(api, admin, &format!("{DEFINITIONS}/{}", name(one)))).max()
}

/// Installs those that are gone, and once all are there what Git has of their kinds; none where none is missing, or one is
/// still going.
pub(super) fn install(world: &mut World, admin: &User) -> Option<u16> {
    let api = &mut world.cluster.api;
    let goes = |one: &Value| api.get(&KIND, "", name(one)).is_some();
    let definitions = all();
    if !world.surroundings.undefined || definitions.iter().any(goes) {
        return None;
    }
    world.surroundings.undefined = false;
    let (post, json) = (http::Method::POST, "application/json");
    let made =
        definitions.iter().map(|one| call(api, admin, post.clone(), DEFINITIONS.to_owned(), "", json, one)).max();
    let World { people, cluster, .. } = world;
    people.install(&mut cluster.api).into_iter().chain(made).max()
}
