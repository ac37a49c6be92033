//! The routes of a simulated world, as Git has them: one, or several with several rules and parents.

use serde_json::{Value, json};

use super::check::{NAME, NAMESPACE, SECOND_ROUTE};

/// All of them. A number of edits shows in a time-out of each, and a number of turns in the list of its rules: one is put in
/// above, all are turned round, it is taken out again. All of them lead to the workload, or for a while to somebody else.
pub fn routes(edits: u32, turns: u32, several: bool, away: bool) -> Vec<Value> {
    let timeout = format!("{}s", 10 + edits);
    let rule = |path: &str| {
        json!({
            "matches": [{"path": {"type": "PathPrefix", "value": path}}],
            "timeouts": {"request": timeout},
            "backendRefs": [{"name": if away { "docs" } else { NAME }, "port": 80}],
        })
    };
    let route = |name: &str, parents: Value, rules: Vec<Value>| {
        let new = [rule("/new")].into_iter();
        let rules: Vec<_> = match turns % 4 {
            0 => rules,
            1 => new.chain(rules).collect(),
            2 => rules.into_iter().rev().chain(new).collect(),
            _ => rules.into_iter().rev().collect(),
        };
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"parentRefs": parents, "rules": rules},
        })
    };
    if !several {
        return vec![route(NAME, json!([{"name": "shop"}]), vec![rule("/")])];
    }
    let mut filtered = rule("/api");
    filtered["filters"] = json!([{
        "type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-edits", "value": edits.to_string()}]},
    }]);
    // Somebody else's backend, behind a rule of its own.
    let mut foreign = rule("/docs");
    foreign["backendRefs"] = json!([{"name": "docs", "port": 80}]);
    vec![
        route(NAME, json!([{"name": "shop"}, {"name": "partners"}]), vec![rule("/"), filtered]),
        route(SECOND_ROUTE, json!([{"name": "inside"}]), vec![foreign, rule("/admin")]),
    ]
}

/// The Service of somebody else that a route names too.
pub fn docs() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "docs", "namespace": NAMESPACE},
        "spec": {"selector": {"app": "docs"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    })
}
