//! The previous version is deleted by a hand while it is the way back, or serves: it is made again of what ran. And the Service that
//! leads to it follows the user's.

use super::*;
use crate::release::action::Action;
use crate::release::snapshot::SideDeployment;
use crate::release::template;

fn previous(world: &World) -> Option<&SideDeployment> {
    world.seen.previous.as_ref()?.deployment.as_ref().filter(|there| !there.deleting)
}

/// Deletes it; what its template was.
fn deleted(world: &mut World) -> serde_json::Value {
    let template = previous(world).unwrap().template.clone();
    world.seen.previous = None;
    template
}

#[test]
fn in_the_verification_it_is_made_again_and_is_the_way_back() {
    let mut world = in_verification();
    world.run(2);
    let template = deleted(&mut world);
    world.run(5);
    assert_eq!(
        previous(&world).map(|it| (&it.template, it.replicas)),
        Some((&template, 4)),
        "{}",
        world.trace.join("\n")
    );
    assert_eq!(world.phase(), Some(Phase::Verify));
    let revision = world.workload().revision.clone();
    world.behaviour.insert(revision, BAD);
    world.run_until(120, |world| world.outcome() == Some(Outcome::RolledBack));
    assert_eq!(world.split(), Split::previous(Weight::FULL));
}

#[test]
fn in_the_promotion_it_is_made_again_before_traffic_is_handed_back() {
    let mut world = World::new();
    world.deploy("shop:v2", GOOD);
    let resumed = |world: &World| world.status().promotion.as_ref().is_some_and(|it| it.resumed_at.is_some());
    world.run_until(600, |world| world.phase() == Some(Phase::Promote) && resumed(world));
    let template = deleted(&mut world);
    world.run(5);
    assert_eq!(previous(&world).map(|it| &it.template), Some(&template), "{}", world.trace.join("\n"));
}

#[rstest]
#[case::while_nothing_goes_on(None)]
#[case::while_a_fix_is_judged(Some("shop:v3"))]
fn while_it_serves_it_is_made_again_and_keeps_its_users(#[case] next: Option<&str>) {
    let mut world = came_back_late();
    if let Some(next) = next {
        world.deploy(next, GOOD);
        world.run(2);
    }
    let template = deleted(&mut world);
    world.run(5);
    assert_eq!(
        previous(&world).map(|it| (&it.template, it.replicas)),
        Some((&template, 4)),
        "{}",
        world.trace.join("\n")
    );
    assert!(world.split().weight(Carrier::Previous) > Weight::ZERO);
}

#[test]
fn nothing_is_written_to_one_that_is_being_deleted() {
    let mut world = in_verification();
    world.run(2);
    world.seen.previous.as_mut().unwrap().deployment.as_mut().unwrap().deleting = true;
    let plan = world.look(None);
    let writes =
        plan.actions.iter().filter(|action| matches!(action, Action::Apply { carrier: Carrier::Previous, .. }));
    assert_eq!(writes.count(), 0, "{:?}", plan.actions);
}

#[test]
fn where_no_replica_set_has_its_template_that_is_said() {
    let mut world = in_verification();
    world.run(2);
    let _ = deleted(&mut world);
    let revision = world.workload().revision.clone();
    world.workload().sets.retain(|set| template::revision(&set.template) == revision);
    world.run(2);
    assert!(previous(&world).is_none());
    let said = world.seen.release.status.message.clone();
    assert!(said.contains("no ReplicaSet has its template any more"), "{said}");
}

#[test]
fn that_it_serves_and_cannot_be_made_again_is_said() {
    let mut world = came_back_late();
    let stable = world.seen.record.as_ref().unwrap().spec.stable.clone().unwrap();
    let _ = deleted(&mut world);
    world.workload().sets.retain(|set| template::revision(&set.template) != stable);
    let plan = world.look(None);
    assert!(previous(&world).is_none());
    let ready = plan.status.conditions.iter().find(|it| it.kind == "Ready").unwrap();
    assert_eq!((ready.status, ready.reason.as_str()), (Truth::False, "NoWayBack"), "{}", ready.message);
    assert!(ready.message.contains("kubectl tidegate detach checkout -n shop"), "{}", ready.message);
}

#[test]
fn the_services_follow_the_ports_of_the_users() {
    let mut world = in_verification();
    world.run(2);
    let ports = serde_json::json!([{"name": "http", "port": 80}, {"name": "admin", "port": 9000}]);
    world.seen.service.as_mut().unwrap().object["spec"]["ports"] = ports.clone();
    // What the API server has of the copy is what was written.
    world.seen.previous.as_mut().unwrap().service.get_or_insert_default();
    world.run(2);
    let copy = world.seen.previous.as_ref().and_then(|side| side.service.as_ref()).unwrap();
    assert_eq!(copy["ports"], ports);
    let plan = world.look(None);
    assert!(!plan.actions.iter().any(|action| matches!(action, Action::Apply { .. })), "{:?}", plan.actions);
}
