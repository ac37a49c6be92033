//! What policies can name.

use serde_json::Value;

use super::policy::Policy;
use super::review::Review;
use crate::cel::{Scope, Val};

/// `object`, `oldObject`, `request`, `variables` and `authorizer`.
pub(super) fn scope<'a>(policy: &'a Policy, review: &'a Review<'a>, object: Option<&'a Value>) -> Scope<'a> {
    let or_null = |object: Option<&'a Value>| object.map_or(Val::Null, Val::from);
    let names =
        vec![("object", or_null(object)), ("oldObject", or_null(review.old)), ("request", request(review, object))];
    Scope::new(names).with_variables(&policy.variables).with_authorizer(review.may)
}

fn request<'a>(review: &'a Review<'a>, object: Option<&'a Value>) -> Val<'a> {
    let user = review.user;
    let kind = object.or(review.old).and_then(|object| object.get("kind")).and_then(Value::as_str);
    let of_all = [
        ("operation", Val::text(review.operation.as_str())),
        ("namespace", Val::text(review.namespace)),
        ("name", Val::text(review.name)),
        ("dryRun", Val::Bool(review.dry_run)),
        (
            "kind",
            Val::map([
                ("group", Val::text(review.group)),
                ("version", Val::text(review.version)),
                ("kind", Val::text(kind.unwrap_or_default())),
            ]),
        ),
        (
            "resource",
            Val::map([
                ("group", Val::text(review.group)),
                ("version", Val::text(review.version)),
                ("resource", Val::text(review.resource)),
            ]),
        ),
        (
            "userInfo",
            Val::map([
                ("username", Val::text(&user.name)),
                ("groups", Val::list(user.groups.iter().map(|group| Val::text(group)).collect())),
            ]),
        ),
    ];
    // An API server leaves it out where there is none.
    let subresource = review.subresource.map(|subresource| ("subResource", Val::text(subresource)));
    Val::map(of_all.into_iter().chain(subresource))
}
