//! A kubeconfig for the sandbox.

use std::net::SocketAddr;

/// The users of the sandbox: the name of the context, and the name in the API.
///
/// Besides whoever made a change, up to three agree to one in G4, and four or more to an exception: each is another person.
const USERS: &[(&str, &str)] = &[
    ("admin", "admin"),
    ("alice", "alice"),
    ("bob", "bob"),
    ("dora", "dora"),
    ("paul", "paul"),
    ("vera", "vera"),
    ("ci", "system:serviceaccount:shop:ci"),
];

/// A kubeconfig with a context for each user: `admin` (the current one), five people, and `ci`, a service account.
/// The namespace is `shop`.
///
/// Each user is named twice: kubectl sends no token over plain HTTP, but it impersonates; other clients send the token, which
/// is a name and no secret.
pub fn kubeconfig(address: SocketAddr) -> String {
    let contexts: String = USERS
        .iter()
        .map(|(name, _)| {
            format!("- name: {name}\n  context: {{cluster: tidegate-sandbox, user: {name}, namespace: shop}}\n")
        })
        .collect();
    let users: String = USERS
        .iter()
        .map(|(name, user)| format!("- name: {name}\n  user: {{as: \"{user}\", token: \"sandbox:{user}\"}}\n"))
        .collect();
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: admin\n\
         clusters:\n- name: tidegate-sandbox\n  cluster: {{server: \"http://{address}\"}}\n\
         contexts:\n{contexts}users:\n{users}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_library_reads_it() {
        let text = kubeconfig("127.0.0.1:7777".parse().unwrap());
        let config = kube::config::Kubeconfig::from_yaml(&text).unwrap();
        assert_eq!(config.current_context.as_deref(), Some("admin"));
        let ci = config.contexts.iter().find(|context| context.name == "ci").unwrap().context.clone().unwrap();
        assert_eq!((ci.namespace.as_deref(), ci.user.as_deref()), (Some("shop"), Some("ci")));
        let people = ["alice", "bob", "dora", "paul", "vera"];
        assert!(people.iter().all(|one| config.auth_infos.iter().any(|user| user.name == *one)), "{text}");
        assert_eq!(config.clusters[0].cluster.as_ref().unwrap().server.as_deref(), Some("http://127.0.0.1:7777"));
    }
}
