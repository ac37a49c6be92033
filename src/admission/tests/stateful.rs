//! Hold of StatefulSets, by their partition.

use rstest::rstest;
use serde_json::{Value, json};

use super::world::{CONTROLLER, MACHINE, PERSON, World, deployment, with};
use super::{forged, label};
use crate::admission::Override;
use crate::api::names::HELD_PARTITION;

fn stateful(image: &str) -> Value {
    let mut object = deployment(image);
    object["kind"] = json!("StatefulSet");
    object["spec"]["serviceName"] = json!("c");
    object
}

/// As the API server stores it: with the default partition.
fn created(mode: Override) -> World {
    let mut world = World::new(mode, ("apps", "v1", "statefulsets"));
    world.apply(PERSON, stateful("app:1"));
    world.patch(CONTROLLER, partition(0)).unwrap();
    world
}

fn held() -> World {
    let mut world = created(Override::Audit);
    world.apply(MACHINE, stateful("app:2"));
    assert_eq!(at(&world), u64::from(HELD_PARTITION));
    world
}

fn partition(partition: u32) -> Value {
    json!({"spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}}})
}

fn at(world: &World) -> u64 {
    world.object()["spec"]["updateStrategy"]["rollingUpdate"]["partition"].as_u64().unwrap()
}

#[test]
fn a_changed_template_is_held_stamped_and_explained() {
    let world = held();
    let [by, resumed, because] = world.stamps();
    assert_eq!((by, resumed), (Some(MACHINE), None));
    assert!(because.unwrap().contains("kubectl patch statefulset c -n shop"), "{because:?}");
}

#[test]
fn a_stateful_set_without_any_strategy_is_held_too() {
    let mut world = World::new(Override::Audit, ("apps", "v1", "statefulsets"));
    world.apply(PERSON, stateful("app:1"));
    world.apply(MACHINE, stateful("app:2"));
    assert_eq!(at(&world), u64::from(HELD_PARTITION));
}

#[rstest]
#[case::nothing(json!({"spec": {"replicas": 5}}))]
#[case::a_restart(json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}))]
fn what_is_no_change_of_the_program_is_not_held(#[case] change: Value) {
    let mut world = created(Override::Audit);
    world.patch(MACHINE, change).unwrap();
    assert_eq!((at(&world), world.stamps()), (0, [None; 3]));
}

#[test]
fn a_machine_cannot_lower_it_and_is_not_refused() {
    let mut world = held();
    for lower in [0, 2] {
        world.apply(MACHINE, with(stateful("app:2"), partition(lower)));
        assert_eq!(at(&world), u64::from(HELD_PARTITION));
    }
    world.patch(CONTROLLER, partition(3)).unwrap();
    world.apply(MACHINE, with(stateful("app:2"), partition(0)));
    assert_eq!(at(&world), 3, "what Tidegate set stands");
    assert!(world.stamps()[2].is_some(), "and is still explained");
}

#[test]
fn a_person_lets_it_go_by_0_and_by_nothing_between() {
    let mut world = held();
    world.patch(PERSON, partition(2)).unwrap();
    assert_eq!(at(&world), u64::from(HELD_PARTITION));
    world.patch(PERSON, partition(0)).unwrap();
    assert_eq!((at(&world), world.stamps()), (0, [Some(MACHINE), Some(PERSON), None]));
}

#[test]
fn a_newer_template_in_mid_release_is_held_from_all_pods_again() {
    let mut world = held();
    world.patch(CONTROLLER, partition(2)).unwrap();
    world.apply(MACHINE, stateful("app:3"));
    assert_eq!(at(&world), u64::from(HELD_PARTITION));
}

#[test]
fn break_glass_lets_a_new_template_run() {
    let glass = json!({"metadata": {"annotations": {"tidegate.io/break-glass": "incident 7"}}});
    let mut world = created(Override::Audit);
    world.apply(MACHINE, with(stateful("app:2"), glass.clone()));
    assert_eq!(at(&world), 0);
    let mut world = held();
    world.apply(MACHINE, with(stateful("app:2"), glass));
    assert_eq!((at(&world), world.stamps()[2]), (0, None));
}

/// What was applied before, the reason that comes with another template, and whether that is held.
#[rstest]
#[case::it_stood_already(&["INC-7"], "INC-7", true)]
#[case::another(&["INC-7"], "INC-8", false)]
#[case::taken_off_and_back(&["INC-7", ""], "INC-7", true)]
fn a_reason_counts_once(#[case] before: &[&str], #[case] reason: &str, #[case] held: bool) {
    let under = |image: &str, reason: &str| {
        let glass = json!({"metadata": {"annotations": {"tidegate.io/break-glass": reason}}});
        if reason.is_empty() { stateful(image) } else { with(stateful(image), glass) }
    };
    let mut world = created(Override::Audit);
    for reason in before {
        world.apply(MACHINE, under("app:1", reason));
        assert_eq!(at(&world), 0, "nothing changed");
    }
    world.apply(MACHINE, under("app:2", reason));
    assert_eq!(at(&world), if held { u64::from(HELD_PARTITION) } else { 0 });
    let off = "kubectl annotate statefulset c -n shop tidegate.io/break-glass-";
    assert_eq!(world.stamps()[2].is_some_and(|because| because.ends_with(off)), held, "{:?}", world.stamps());
    world.apply(MACHINE, under("app:2", "INC-9"));
    assert_eq!((at(&world), world.stamps()[2]), (0, None), "another reason lets it go");
}

#[test]
fn a_webhook_that_takes_the_change_back_leaves_nothing_held() {
    let mut world = created(Override::Audit);
    world.webhook = Some(|object| object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("app:1"));
    world.apply(MACHINE, stateful("app:2"));
    assert_eq!((at(&world), world.stamps()), (0, [None; 3]));
}

#[test]
fn a_partition_of_the_users_own_is_let_be() {
    let mut world = created(Override::Audit);
    world.patch(MACHINE, partition(2)).unwrap();
    assert_eq!((at(&world), world.stamps()), (2, [None; 3]));
    world.patch(MACHINE, partition(1)).unwrap();
    assert_eq!(at(&world), 1);
}

#[test]
fn where_it_is_enforced_only_who_holds_the_verb_lets_it_go() {
    let mut world = created(Override::Enforce);
    world.apply(MACHINE, stateful("app:2"));
    let refused = world.patch(PERSON, partition(0)).unwrap_err();
    assert!(refused.contains("partition") && refused.contains("verb bypass"), "{refused}");
    world.patch("sam", partition(0)).unwrap();
    assert_eq!(at(&world), 0);
}

#[test]
fn where_it_is_enforced_break_glass_asks_for_the_verb_before_anything_was_held_too() {
    let change = |glass: &str| {
        json!({"metadata": {"annotations": {"tidegate.io/break-glass": glass}},
               "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}}})
    };
    let mut world = created(Override::Enforce);
    let refused = world.patch(PERSON, change("INC-7")).unwrap_err();
    assert!(
        refused.contains("let a template of statefulset shop/c run ungated") && refused.contains("verb bypass"),
        "{refused}"
    );
    world.patch("sam", change("INC-7")).unwrap();
    assert_eq!(at(&world), 0);
    let mut world = created(Override::Enforce);
    world.patch(PERSON, change("")).unwrap();
    assert_eq!(at(&world), u64::from(HELD_PARTITION), "a plain change is held, whoever brings it");
    let mut world = created(Override::Audit);
    world.patch(PERSON, change("INC-7")).unwrap();
    assert_eq!(at(&world), 0);
}

#[test]
fn where_it_is_enforced_the_label_is_not_taken_off_together_with_a_template() {
    let change = |image: &str| {
        json!({"metadata": {"labels": {"tidegate.io/gated": null}},
               "spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}})
    };
    let mut world = created(Override::Enforce);
    let refused = world.patch(PERSON, change("app:2")).unwrap_err();
    assert!(
        refused.contains("may not take statefulset shop/c out of the gate together with a new template"),
        "{refused}"
    );
    assert!(refused.contains("verb bypass"), "{refused}");
    world.patch(PERSON, change("app:1")).unwrap();
    let mut world = created(Override::Enforce);
    world.patch("sam", change("app:2")).unwrap();
    let mut world = created(Override::Audit);
    world.patch(PERSON, change("app:2")).unwrap();
}

/// Its status may be written by others than the whole object, and takes labels and annotations along.
#[rstest]
#[case::the_label_off(label(Value::Null), "may not let the held template of statefulset shop/c run ungated")]
#[case::break_glass(json!({"metadata": {"annotations": {"tidegate.io/break-glass": "INC-7"}}}), "run ungated: it needs the verb bypass")]
fn where_it_is_enforced_a_write_of_the_status_lets_nothing_go(#[case] change: Value, #[case] why: &str) {
    let mut world = created(Override::Enforce);
    world.apply(MACHINE, stateful("app:2"));
    let object = with(world.object().clone(), change);
    let refused = world.write("eve", object.clone(), Some("status")).unwrap_err();
    assert!(refused.contains(why) && refused.contains("verb bypass"), "{refused}");
    world.write("sam", object, Some("status")).unwrap();
    // The cluster's own controllers write it all the time.
    let mut world = created(Override::Enforce);
    world.apply(MACHINE, stateful("app:2"));
    let object = with(world.object().clone(), json!({"status": {"observedGeneration": 2}}));
    world.write("system:serviceaccount:kube-system:statefulset-controller", object, Some("status")).unwrap();
    assert_eq!(at(&world), u64::from(HELD_PARTITION));
}

/// Leaving is free while nothing is held, by whichever door.
#[test]
fn where_it_is_enforced_the_status_may_take_the_label_off_what_is_not_held() {
    let mut world = created(Override::Enforce);
    let object = with(world.object().clone(), label(Value::Null));
    world.write("eve", object, Some("status")).unwrap();
    assert!(world.object().pointer("/metadata/labels/tidegate.io~1gated").is_none());
}

#[rstest]
#[case::a_machine(MACHINE)]
#[case::a_person(PERSON)]
fn nobody_leaves_the_hold_by_on_delete(#[case] who: &str) {
    let mut world = held();
    world.patch(who, on_delete()).unwrap();
    assert_eq!((at(&world), strategy(&world)), (u64::from(HELD_PARTITION), "RollingUpdate".to_owned()));
    assert!(world.stamps()[1].is_none() && world.stamps()[2].is_some(), "{:?}", world.stamps());
}

#[test]
fn what_comes_back_from_on_delete_is_held_until_somebody_looked() {
    let mut world = created(Override::Audit);
    world.patch(PERSON, on_delete()).unwrap();
    assert_eq!(strategy(&world), "OnDelete", "nothing is held: Tidegate refuses it by its condition");
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}}});
    world.patch(MACHINE, image).unwrap();
    assert_eq!(strategy(&world), "OnDelete");
    world.patch(PERSON, partition(0)).unwrap();
    assert_eq!((at(&world), world.stamps()[0]), (u64::from(HELD_PARTITION), None), "nobody saw who changed it");
    assert!(world.stamps()[2].is_some_and(|because| because.contains("somebody unknown")), "and it is explained");
}

#[test]
fn who_comes_back_from_on_delete_with_a_template_has_changed_it() {
    let mut world = created(Override::Audit);
    world.patch(PERSON, on_delete()).unwrap();
    world.apply(MACHINE, with(stateful("app:2"), partition(0)));
    assert_eq!((at(&world), world.stamps()[0]), (u64::from(HELD_PARTITION), Some(MACHINE)));
}

#[test]
fn with_on_delete_there_are_no_stamps_and_none_make_it_roll() {
    let mut world = created(Override::Audit);
    world.patch(PERSON, on_delete()).unwrap();
    world.patch("eve", forged()).unwrap();
    assert_eq!((strategy(&world), world.stamps()), ("OnDelete".to_owned(), [None; 3]));
    world.patch("eve", json!({"spec": {"replicas": 3}})).unwrap();
    assert_eq!((strategy(&world), world.stamps()), ("OnDelete".to_owned(), [None; 3]));
}

#[test]
fn what_was_held_without_the_label_and_came_to_on_delete_does_not_roll_when_the_label_is_back() {
    let mut world = held();
    world.patch("eve", label(Value::Null)).unwrap();
    world.patch("eve", on_delete()).unwrap();
    world.patch("eve", label("".into())).unwrap();
    assert_eq!((strategy(&world), world.stamps()), ("OnDelete".to_owned(), [None; 3]));
}

#[test]
fn stamps_from_before_the_label_vouch_for_nobody_and_the_hold_stays() {
    let mut world = held();
    world.patch("eve", label(Value::Null)).unwrap();
    world.patch("eve", forged()).unwrap();
    world.patch("eve", label("".into())).unwrap();
    let [by, resumed, because] = world.stamps();
    assert_eq!((at(&world), by, resumed), (u64::from(HELD_PARTITION), None, None));
    assert!(because.is_some_and(|text| !text.contains("bob") && text.contains("somebody unknown")), "{because:?}");
    world.patch(PERSON, partition(0)).unwrap();
    assert_eq!((at(&world), world.stamps()), (0, [None, Some(PERSON), None]), "it can still be let go");
}

#[test]
fn a_write_of_the_status_forges_no_stamps() {
    let mut world = held();
    let before = world.stamps().map(|stamp| stamp.map(str::to_owned));
    let object = with(world.object().clone(), forged());
    world.write("eve", object, Some("status")).unwrap();
    assert_eq!(world.stamps().map(|stamp| stamp.map(str::to_owned)), before);
    // The status may take a StatefulSet's label off and put it on.
    for value in [Value::Null, "".into()] {
        let object = with(with(world.object().clone(), label(value)), forged());
        world.write("eve", object, Some("status")).unwrap();
    }
    assert_eq!(world.stamps(), [None; 3]);
}

fn on_delete() -> Value {
    json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}}})
}

fn strategy(world: &World) -> String {
    world.object()["spec"]["updateStrategy"]["type"].as_str().unwrap().to_owned()
}
