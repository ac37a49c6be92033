//! Two releases behind one route, written as the controller writes, and Git's route applied after each of its writes.

use serde_json::{Value, json};

use super::world::{CONTROLLER, MACHINE, PERSON, World};
use crate::api::Weight;
use crate::release::Split;
use crate::traffic::http_route::{observe, write};

const SERVICES: [&str; 2] = ["cart", "shop"];

fn git() -> Value {
    let rule = |path: &str, backends: &[(&str, u32)]| {
        let backends: Vec<_> =
            backends.iter().map(|(name, weight)| json!({"name": name, "port": 80, "weight": weight})).collect();
        json!({"matches": [{"path": {"type": "PathPrefix", "value": path}}], "backendRefs": backends})
    };
    let rules = [
        rule("/cart", &[("cart", 3)]),
        rule("/both", &[("docs", 100), ("shop", 300), ("old", 1), ("cart", 200)]),
        rule("/", &[("shop", 1)]),
    ];
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "c", "namespace": "shop", "annotations": {"team": "shop"}, "resourceVersion": "7"},
        "spec": {"parentRefs": [{"name": "web"}], "rules": rules},
    })
}

/// All orders in which two courses of so many steps each can meet: whose step comes next.
fn orders(left: [usize; 2]) -> Vec<Vec<usize>> {
    if left == [0, 0] {
        return vec![Vec::new()];
    }
    let next = (0..2).filter(|who| left[*who] > 0).flat_map(|who| {
        let mut rest = left;
        rest[who] -= 1;
        orders(rest).into_iter().map(move |tail| [vec![who], tail].concat())
    });
    next.collect()
}

#[test]
fn both_keep_their_shares_at_every_sync_in_any_order_and_the_route_ends_as_git_has_it() {
    let quarter = Split::canary(Weight::whole(25));
    // One is promoted, the other comes back late and is mended.
    let courses =
        [[quarter, Split::hand_back(Weight::whole(50)), Split::HOME], [quarter, Split::FALL_BACK, Split::HOME]];
    for order in orders([3, 3]) {
        let mut world = World::routes();
        world.apply(PERSON, git());
        let (mut steps, mut stand) = (courses.map(|course| course.into_iter()), [Split::HOME; 2]);
        for who in &order {
            stand[*who] = steps[*who].next().unwrap();
            let mut now = world.object().clone();
            let patch = write(&now, SERVICES[*who], stand[*who], None);
            json_patch::patch(&mut now, &serde_json::from_value::<json_patch::Patch>(patch).unwrap()).unwrap();
            world.write(CONTROLLER, now.clone(), None).unwrap();
            assert_eq!(world.object(), &now, "the controller's own write in {order:?}");
            world.apply(MACHINE, git());
            assert_eq!(world.object(), &now, "a sync in {order:?}");
            for (service, split) in SERVICES.iter().zip(stand) {
                assert!(observe(world.object(), service).unwrap().is(split), "{service} in {order:?}: {now}");
            }
        }
        assert_eq!(world.object(), &git(), "{order:?}");
    }
}
