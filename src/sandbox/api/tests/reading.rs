//! Lists, selectors, pages, views.

use rstest::rstest;
use serde_json::json;

use super::*;
use crate::cluster::kind::POD;
use crate::sandbox::objects::Objects as _;

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect()
}

#[rstest]
#[case::equal("app%3Da", &["one", "two"])]
#[case::twice("app==a,tier=front", &["one"])]
#[case::unequal("tier!=front", &["three", "two"])]
#[case::within("app in (a, b)", &["one", "three", "two"])]
#[case::without("app notin (a)", &["three"])]
#[case::exists("tier", &["one", "two"])]
#[case::missing("!tier", &["three"])]
#[case::mixed("app%20in%20(a%2Cb),tier", &["one", "two"])]
fn labels_select(#[case] selector: &str, #[case] found: &[&str]) {
    let mut server = Server::new();
    for (name, labels) in [
        ("one", json!({"app": "a", "tier": "front"})),
        ("two", json!({"app": "a", "tier": "back"})),
        ("three", json!({"app": "b"})),
    ] {
        let mut map = config_map(name, json!({}));
        map["metadata"]["labels"] = labels;
        server.made(CONFIG_MAPS, &map);
    }
    let (code, list) = server.get(&format!("{CONFIG_MAPS}?labelSelector={selector}"));
    assert_eq!((code, names(&list)), (200, found.to_vec()));
    assert_eq!(list["metadata"]["resourceVersion"], server.0.version().to_string());
}

#[rstest]
#[case("labelSelector=a%20like%20b")]
#[case("fieldSelector=spec.colour%3Dred")]
#[case("continue=nonsense")]
fn a_bad_selector_is_said(#[case] query: &str) {
    assert_eq!(Server::new().get(&format!("{CONFIG_MAPS}?{query}")).0, 400);
}

#[test]
fn fields_select() {
    let mut server = Server::new();
    let user = User::person("scheduler");
    for (name, node) in [("a", "n1"), ("b", "n2")] {
        let pod = json!({"metadata": {"name": name, "namespace": "default"}, "spec": {"nodeName": node}});
        server.0.create(&user, &POD, pod).unwrap();
    }
    let (_, list) = server.get("/api/v1/pods?fieldSelector=spec.nodeName%3Dn2");
    assert_eq!(names(&list), ["b"]);
    let (_, list) = server.get("/api/v1/namespaces/default/pods?fieldSelector=metadata.name!=b");
    assert_eq!(names(&list), ["a"]);
}

#[test]
fn a_list_comes_in_pages() {
    let mut server = Server::new();
    for name in ["a", "b", "c", "d", "e"] {
        server.made(CONFIG_MAPS, &config_map(name, json!({})));
    }
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let (_, page) = server.get(&format!("{CONFIG_MAPS}?limit=2&continue={token}"));
        found.extend(names(&page).into_iter().map(str::to_owned));
        match page["metadata"]["continue"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(found, ["a", "b", "c", "d", "e"]);
    let (_, first) = server.get(&format!("{CONFIG_MAPS}?limit=2"));
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    server.made(CONFIG_MAPS, &config_map("f", json!({})));
    server.0.compact(server.0.version());
    let (code, status) =
        server.get(&format!("{CONFIG_MAPS}?continue={}", first["metadata"]["continue"].as_str().unwrap()));
    assert_eq!((code, &status["reason"]), (410, &json!("Expired")));
}

#[test]
fn a_future_list_is_refused() {
    assert_eq!(Server::new().get(&format!("{CONFIG_MAPS}?resourceVersion=999")).0, 504);
    assert_eq!(Server::new().get(&format!("{CONFIG_MAPS}?resourceVersion=0")).0, 200);
}

#[test]
fn metadata_alone_can_be_asked_for() {
    let mut server = Server::new();
    server.made(CONFIG_MAPS, &config_map("a", json!({"k": "v"})));
    let mut ask = call(http::Method::GET, CONFIG_MAPS, "", Vec::new());
    ask.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1".to_owned();
    let (_, list) = server.send(&ask);
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!((&list["items"][0]["kind"], list["items"][0].get("data")), (&json!("PartialObjectMetadata"), None));
    ask.accept = "application/vnd.kubernetes.protobuf".to_owned();
    assert_eq!(server.send(&ask).0, 406);
}
