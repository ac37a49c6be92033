//! Stories of what must be shown after a release: nothing that was said before speaks of it.

use super::policy::{attest, enforced, held, missing, waive};
use super::*;
use crate::policy::Tier;
use crate::policy::requirement::CATALOGUE;

const CHECKLIST: &[(&str, &str)] = &[
    ("smoke-tests", "passed"),
    ("dashboards", "quiet"),
    ("alerts", "none"),
    ("workflows", "bought a book"),
    ("ticket", "SHOP-7"),
];

fn told(world: &World) -> String {
    let risk = world.seen.release.status.risk.as_ref().unwrap();
    risk.missing.iter().find(|line| line.starts_with("post-release-checklist")).unwrap().clone()
}

/// `000_…` §10.3, "Post-release Verification Checklist".
#[test]
fn a_checklist_that_was_filled_in_before_the_release_is_asked_for_again() {
    let mut world = enforced(Tier::T1, &["ui"]);
    for entry in CATALOGUE.iter().filter(|entry| entry.name != "post-release-checklist") {
        waive(&mut world, entry.name);
    }
    world.deploy("shop:v2", GOOD);
    attest(&mut world, "post-release-checklist", "ann", CHECKLIST);
    world.run(3);
    assert!(told(&world).contains("and its verification has not begun"), "{}", told(&world));
    world.run_until(200, |world| world.phase() == Some(Phase::Verify));
    world.run(70);
    assert!(held(&world).starts_with("VerificationIncomplete"), "{}", held(&world));
    assert!(held(&world).contains("that of ann (") && held(&world).contains("is from before"), "{}", held(&world));
    assert_eq!(missing(&world), ["post-release-checklist"]);
    attest(&mut world, "post-release-checklist", "ann", CHECKLIST);
    world.run_until(60, |world| world.outcome() == Some(Outcome::Succeeded));
    let assessment = world.status().assessment.clone().unwrap();
    assert!(!assessment.not_shown.contains(&"post-release-checklist".to_owned()), "{:?}", assessment.not_shown);
}
