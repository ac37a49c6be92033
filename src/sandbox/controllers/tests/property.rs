//! Whatever people do, a Deployment that is left alone ends where it should.

use proptest::prelude::*;
use serde_json::json;

use super::world::{World, deployment};
use crate::api::Span;
use crate::cluster::kind::{DEPLOYMENT, POD, REPLICA_SET};
use crate::sandbox::controllers::look::name;
use crate::sandbox::objects::Objects;

#[derive(Debug, Clone)]
enum Deed {
    Template(u8),
    Pause(bool),
    Scale(i64),
    /// A ReplicaSet, by its place among them, is given a size by hand.
    ScaleSet(usize, i64),
    DeleteSet(usize),
    DeletePod(usize),
    Wait(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        3 => (1..5_u8).prop_map(Deed::Template),
        2 => any::<bool>().prop_map(Deed::Pause),
        2 => (0..9_i64).prop_map(Deed::Scale),
        1 => (0..4_usize, 0..9_i64).prop_map(|(set, size)| Deed::ScaleSet(set, size)),
        1 => (0..4_usize).prop_map(Deed::DeleteSet),
        1 => (0..8_usize).prop_map(Deed::DeletePod),
        4 => (1..6_000_u64).prop_map(Deed::Wait),
    ]
}

fn rolling() -> impl Strategy<Value = (String, String)> {
    let value = || prop_oneof![Just("0%"), Just("25%"), Just("50%"), Just("100%")].prop_map(str::to_owned);
    (value(), value()).prop_filter("one of them has to be more than nothing", |(surge, unavailable)| {
        surge != "0%" || unavailable != "0%"
    })
}

fn shop((surge, unavailable): &(String, String), replicas: i64) -> serde_json::Value {
    let mut shop = deployment("shop", "shop:1", replicas);
    shop["spec"]["strategy"] = json!({
        "type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
    });
    shop
}

fn act(world: &mut World, deed: &Deed) {
    let nth = |kind, index: usize| {
        let all = world.api.list(kind, "default");
        all.get(index % all.len().max(1)).map(|object| name(object).to_owned())
    };
    match deed {
        Deed::Template(version) => world.image(&format!("shop:{version}")),
        Deed::Pause(paused) => world.pause(*paused),
        Deed::Scale(replicas) => world.scale(*replicas),
        Deed::ScaleSet(index, size) => {
            if let Some(set) = nth(&REPLICA_SET, *index) {
                world.edit(&REPLICA_SET, &set, |it| it["spec"]["replicas"] = json!(size));
            }
        }
        Deed::DeleteSet(index) => {
            if let Some(set) = nth(&REPLICA_SET, *index) {
                world.delete(&REPLICA_SET, &set);
            }
        }
        Deed::DeletePod(index) => {
            if let Some(pod) = nth(&POD, *index) {
                world.delete(&POD, &pod);
            }
        }
        Deed::Wait(millis) => world.run(Span::from_millis(*millis)),
    }
    // Controllers hear of each deed before the next: a size set by hand that happens to be the Deployment's next is
    // otherwise taken for its own, on a real cluster as here.
    world.step();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_ends_with_one_active_replica_set_of_ready_pods(
        rolling in rolling(), replicas in 1..9_i64, deeds in prop::collection::vec(deed(), 1..16),
    ) {
        let mut world = World::new();
        world.create(&DEPLOYMENT, shop(&rolling, replicas));
        world.step();
        for deed in &deeds {
            act(&mut world, deed);
        }
        world.pause(false);
        world.run(Span::minutes(10));
        let wanted = world.get(&DEPLOYMENT, "shop")["spec"]["replicas"].as_i64().unwrap();
        let image = world.get(&DEPLOYMENT, "shop")["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        let active: Vec<_> = world
            .api
            .list(&REPLICA_SET, "default")
            .into_iter()
            .filter(|set| set["spec"]["replicas"] != 0)
            .map(|set| (set["spec"]["template"]["spec"]["containers"][0]["image"].clone(), set["status"]["availableReplicas"].clone()))
            .collect();
        let expected = if wanted > 0 { vec![(image, json!(wanted))] } else { Vec::new() };
        prop_assert_eq!(active, expected);
        let pods = usize::try_from(wanted).unwrap();
        prop_assert_eq!(world.pods(), (pods, pods));
        prop_assert_eq!(world.counts(), [wanted, wanted, wanted, wanted, 0]);
        let version = world.api.version();
        world.run(Span::hours(1));
        prop_assert_eq!(world.api.version(), version, "a settled cluster is quiet");
    }

    /// With pods that behave, no roll-out takes more away than it may, however templates and pauses come.
    #[test]
    fn no_more_pods_are_missing_than_may_be(
        rolling in rolling(), replicas in 1..9_i64,
        deeds in prop::collection::vec(prop_oneof![
            2 => (1..5_u8).prop_map(Deed::Template),
            1 => any::<bool>().prop_map(Deed::Pause),
            2 => (1..6_000_u64).prop_map(Deed::Wait),
        ], 1..20),
    ) {
        let mut world = World::new();
        world.create(&DEPLOYMENT, shop(&rolling, replicas));
        world.settle();
        world.fewest = i64::MAX;
        for deed in &deeds {
            act(&mut world, deed);
        }
        world.settle();
        let share: i64 = rolling.1.trim_end_matches('%').parse().unwrap();
        let may_miss = (share * replicas / 100).max(i64::from(rolling.0 == "0%"));
        prop_assert!(world.fewest >= replicas - may_miss, "{} of {replicas}, {may_miss} may be missing", world.fewest);
    }
}
