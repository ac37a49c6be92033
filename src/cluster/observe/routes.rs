//! The routes that carry the traffic.

use futures::future::try_join_all;

use crate::api::gated_release::Traffic;
use crate::cluster::{Cluster, Error};
use crate::release::snapshot::{RouteProblem, RouteSeen};
use crate::traffic::Provider;

pub(super) async fn read(cluster: &Cluster, namespace: &str, traffic: &Traffic) -> Result<Vec<RouteSeen>, Error> {
    try_join_all(traffic.http_routes.iter().map(|route| async {
        let provider = Provider::HttpRoute;
        let object = cluster.get(provider.kind(), namespace, &route.name).await?;
        let owned = object.as_ref().and_then(|object| provider.owned(object));
        let state = object.map_or(Err(RouteProblem::Missing), |object| provider.observe(&object, &traffic.service));
        Ok(RouteSeen { name: route.name.clone(), state, owned })
    }))
    .await
}
