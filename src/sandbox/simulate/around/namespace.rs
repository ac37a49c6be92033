//! The namespace, made anew after somebody deleted it: with all that Git has in it, and nothing of what Tidegate kept there.

use serde_json::json;

use crate::cluster::Kind;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::simulate::check::NAMESPACE;
use crate::sandbox::simulate::people::call;
use crate::sandbox::simulate::world::World;
use crate::sandbox::user::User;

/// Where it is.
pub(super) const PATH: &str = "/api/v1/namespaces/shop";
const KIND: Kind = Kind::new("", "v1", "Namespace", "namespaces");

/// Makes it anew once it is gone; none while it is there, or still going.
pub(super) fn anew(world: &mut World, admin: &User) -> Option<u16> {
    if !world.surroundings.gone || world.cluster.api.get(&KIND, "", NAMESPACE).is_some() {
        return None;
    }
    world.surroundings.gone = false;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    let (post, json) = (http::Method::POST, "application/json");
    let code = call(&mut world.cluster.api, admin, post, "/api/v1/namespaces".to_owned(), "", json, &namespace);
    let World { people, cluster, .. } = world;
    let mut codes = people.install(&mut cluster.api);
    codes.extend(super::install(world));
    codes.push(code);
    codes.into_iter().max()
}
