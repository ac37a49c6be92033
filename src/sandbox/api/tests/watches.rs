//! Watches.

use rstest::rstest;
use serde_json::json;

use super::*;

fn kinds(events: &[(String, Value)]) -> Vec<String> {
    events
        .iter()
        .map(|(kind, object)| format!("{kind} {}", object["metadata"]["name"].as_str().unwrap_or_default()))
        .collect()
}

#[test]
fn a_watch_tells_what_happens() {
    let mut server = Server::new();
    server.made(CONFIG_MAPS, &config_map("a", json!({})));
    let from = server.0.version();
    let mut watch = server.watch(&format!("{CONFIG_MAPS}?watch=true&resourceVersion={from}&timeoutSeconds=290"));
    assert_eq!((server.poll(&mut watch), watch.timeout_seconds()), (vec![], Some(290)));
    server.made(CONFIG_MAPS, &config_map("b", json!({})));
    server.patch(&format!("{CONFIG_MAPS}/b"), MERGE, &json!({"data": {"x": "y"}}));
    server.made(DEPLOYMENTS, &deployment("shop"));
    server.delete(&format!("{CONFIG_MAPS}/b"), &json!({}));
    let events = server.poll(&mut watch);
    assert_eq!(kinds(&events), ["ADDED b", "MODIFIED b", "DELETED b"]);
    assert_eq!(events[2].1["metadata"]["resourceVersion"], server.0.version().to_string());
    assert_eq!(server.poll(&mut watch), vec![]);
}

#[rstest]
#[case("watch=1")]
#[case("watch=true&resourceVersion=0")]
fn a_watch_from_nowhere_begins_with_what_is_there(#[case] query: &str) {
    let mut server = Server::new();
    server.made(CONFIG_MAPS, &config_map("a", json!({})));
    let mut watch = server.watch(&format!("{CONFIG_MAPS}?{query}"));
    assert_eq!(kinds(&server.poll(&mut watch)), ["ADDED a"]);
}

#[test]
fn a_selector_turns_changes_into_arrivals_and_departures() {
    let mut server = Server::new();
    let from = server.0.version();
    let mut watch = server.watch(&format!("{CONFIG_MAPS}?watch=true&resourceVersion={from}&labelSelector=app%3Da"));
    server.made(CONFIG_MAPS, &config_map("a", json!({})));
    let path = format!("{CONFIG_MAPS}/a");
    server.patch(&path, MERGE, &json!({"metadata": {"labels": {"app": "a"}}}));
    server.patch(&path, MERGE, &json!({"data": {"k": "v"}}));
    server.patch(&path, MERGE, &json!({"metadata": {"labels": {"app": "b"}}}));
    server.delete(&path, &json!({}));
    assert_eq!(kinds(&server.poll(&mut watch)), ["ADDED a", "MODIFIED a", "DELETED a"]);
}

#[test]
fn bookmarks_come_when_they_are_allowed() {
    let mut server = Server::new();
    let from = server.0.version();
    let open = |more: &str| format!("{CONFIG_MAPS}?watch=true&resourceVersion={from}{more}");
    let mut with = server.watch(&open("&allowWatchBookmarks=true"));
    let mut without = server.watch(&open(""));
    server.made(DEPLOYMENTS, &deployment("shop"));
    server.0.bookmark();
    let events = server.poll(&mut with);
    assert_eq!(events[0].0, "BOOKMARK");
    assert_eq!(events[0].1["metadata"]["resourceVersion"], server.0.version().to_string());
    assert_eq!((server.poll(&mut with), server.poll(&mut without)), (vec![], vec![]));
}

#[test]
fn a_streaming_list_says_when_it_is_complete() {
    let mut server = Server::new();
    server.made(CONFIG_MAPS, &config_map("a", json!({})));
    let query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = server.watch(&format!("{CONFIG_MAPS}?{query}"));
    let events = server.poll(&mut watch);
    assert_eq!(kinds(&events), ["ADDED a", "BOOKMARK "]);
    assert_eq!(events[1].1["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
}

#[test]
fn an_old_watch_has_to_begin_anew() {
    let mut server = Server::new();
    let from = server.0.version();
    let target = format!("{CONFIG_MAPS}?watch=true&resourceVersion={from}");
    let mut watch = server.watch(&target);
    server.made(CONFIG_MAPS, &config_map("a", json!({})));
    server.made(CONFIG_MAPS, &config_map("b", json!({})));
    server.0.compact(from + 1);
    let events = server.poll(&mut watch);
    assert_eq!((events[0].0.as_str(), &events[0].1["code"]), ("ERROR", &json!(410)));
    assert_eq!(server.0.poll_watch(&mut watch), Polled::Ended);
    let (code, status) = server.get(&target);
    assert_eq!((code, &status["reason"]), (410, &json!("Expired")));
    let mut later = server.watch(&format!("{CONFIG_MAPS}?watch=true&resourceVersion={}", from + 1));
    assert_eq!(kinds(&server.poll(&mut later)), ["ADDED b"]);
}
