//! Who is heard.

use super::*;

#[test]
fn where_there_are_more_attestations_than_are_read_none_counts_and_that_is_said() {
    let mut world = World::new();
    world.seen.risk.as_mut().unwrap().requirements = Default::default();
    world.seen.too_many_attestations = true;
    world.deploy("shop:v2", GOOD);
    world.run(3);
    assert_eq!(condition(&world, "Held"), (Truth::True, "RequirementsMissing".into()));
    let all = &world.seen.release.status.conditions;
    let held = &all.iter().find(|one| one.kind == "Held").unwrap().message;
    assert!(held.contains("Not counted: any attestation, because there are more than 10000"), "{held}");
    assert!(held.contains("kubectl get attestations -n shop -l tidegate.io/release=checkout"), "{held}");
}
