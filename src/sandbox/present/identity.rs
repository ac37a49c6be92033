//! Who asks: nobody is authenticated here, everybody says who they are.

use http::HeaderMap;

use crate::sandbox::user::User;

/// The user of a request: the one impersonated, else the one whom a token `sandbox:<user>` names, else `default`.
///
/// A name as that of a service account (`system:serviceaccount:<namespace>:<name>`) brings its groups.
pub(super) fn user(headers: &HeaderMap, default: &User) -> User {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let token = || text("authorization")?.strip_prefix("Bearer ")?.trim().strip_prefix("sandbox:");
    let Some(name) = text("impersonate-user").or_else(token).filter(|name| !name.is_empty()) else {
        return default.clone();
    };
    let mut user = named(name);
    for group in headers.get_all("impersonate-group").iter().filter_map(|group| group.to_str().ok()) {
        if !user.groups.iter().any(|known| known == group) {
            user.groups.push(group.to_owned());
        }
    }
    user
}

fn named(name: &str) -> User {
    let account = name.strip_prefix("system:serviceaccount:").and_then(|account| account.split_once(':'));
    account.map_or_else(|| User::person(name), |(namespace, name)| User::service_account(namespace, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nobody(&[], "admin", "system:authenticated")]
    #[case::token(&[("authorization", "Bearer sandbox:alice")], "alice", "system:authenticated")]
    #[case::foreign_token(&[("authorization", "Bearer eyJh")], "admin", "system:authenticated")]
    #[case::account(&[("authorization", "Bearer sandbox:system:serviceaccount:shop:ci")],
        "system:serviceaccount:shop:ci", "system:serviceaccounts:shop")]
    #[case::impersonated(&[("authorization", "Bearer sandbox:alice"), ("impersonate-user", "bob"),
        ("impersonate-group", "sre")], "bob", "sre")]
    fn everybody_says_who_they_are(#[case] headers: &[(&'static str, &str)], #[case] name: &str, #[case] group: &str) {
        let headers = headers.iter().map(|(key, value)| (key.parse().unwrap(), value.parse().unwrap())).collect();
        let user = user(&headers, &User::person("admin"));
        assert_eq!(user.name, name);
        assert!(user.groups.iter().any(|known| known == group), "{:?}", user.groups);
    }
}
