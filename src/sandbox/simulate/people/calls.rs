//! Calls to the API server, as somebody makes them.

use serde_json::Value;

use crate::sandbox::api::{Answer, ApiServer, Call};
use crate::sandbox::user::User;

/// Somebody who speaks to the API server.
pub(in crate::sandbox::simulate) fn call(
    api: &mut ApiServer,
    user: &User,
    method: http::Method,
    path: String,
    query: &str,
    kind: &str,
    body: &Value,
) -> u16 {
    match api.call(&Call::kubectl(user, method, path, query, kind, body)) {
        Answer::Done { code, .. } => code,
        Answer::Watch(_) => 200,
    }
}

pub(in crate::sandbox::simulate) const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";
pub(super) const STATEFUL_SETS: &str = "/apis/apps/v1/namespaces/shop/statefulsets";
pub(super) const AUTOSCALERS: &str = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers";
pub(in crate::sandbox::simulate) const ROUTES: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes";
pub(in crate::sandbox::simulate) const ATTESTATIONS: &str = "/apis/tidegate.io/v1alpha1/namespaces/shop/attestations";
pub(in crate::sandbox::simulate) const RELEASES: &str = "/apis/tidegate.io/v1alpha1/namespaces/shop/gatedreleases";

pub(in crate::sandbox::simulate) fn apply(api: &mut ApiServer, user: &User, plural: &str, object: &Value) -> u16 {
    apply_with(api, user, plural, object, "&force=true")
}

/// Applies with these options of a query; without `force` for whoever asks not to take over what is another's.
pub(super) fn apply_with(api: &mut ApiServer, user: &User, plural: &str, object: &Value, options: &str) -> u16 {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let (path, query) = (format!("{plural}/{name}"), format!("fieldManager=git{options}"));
    call(api, user, http::Method::PATCH, path, &query, "application/apply-patch+yaml", object)
}

pub(in crate::sandbox::simulate) fn merge(api: &mut ApiServer, user: &User, path: &str, patch: &Value) -> u16 {
    call(api, user, http::Method::PATCH, path.to_owned(), "fieldManager=kubectl", "application/merge-patch+json", patch)
}

pub(in crate::sandbox::simulate) fn delete(api: &mut ApiServer, user: &User, path: &str) -> u16 {
    call(api, user, http::Method::DELETE, path.to_owned(), "", "", &Value::Null)
}

/// The HTTP status of a conflict.
pub(super) const REFUSED: u16 = 409;
