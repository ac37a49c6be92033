//! Break-glass: a reason lets go in the write that brings it, once.

use rstest::rstest;
use serde_json::{Value, json};

use super::hold::{created, idle, image, paused};
use super::world::{CONTROLLER, MACHINE, PERSON, World, deployment, held, held_in, with};
use crate::admission::Override;
use crate::release::glass::BreakGlass;

pub(super) fn glass(reason: &str) -> Value {
    json!({"metadata": {"annotations": {"tidegate.io/break-glass": reason}}})
}

#[test]
fn break_glass_in_the_same_apply_runs_at_once_and_says_who_changed_it() {
    let mut world = created();
    world.apply(MACHINE, with(deployment("app:2"), glass("INC-7: checkout is down")));
    assert!(!world.paused());
    assert_eq!(world.stamps(), [Some(MACHINE), None, None]);
}

#[test]
fn break_glass_lets_a_held_template_run_for_a_machine_too() {
    let mut world = held(MACHINE);
    world.apply(MACHINE, with(deployment("app:2"), glass("INC-7: checkout is down")));
    assert!(!world.paused());
    assert_eq!(world.stamps(), [Some(MACHINE), Some(MACHINE), None]);
}

/// Who lets it go that way does not approve it afterwards.
#[test]
fn break_glass_on_what_is_held_says_who_put_it_on() {
    let mut world = held(MACHINE);
    world.patch(PERSON, glass("INC-7: checkout is down")).unwrap();
    assert_eq!((world.paused(), world.stamps()), (false, [Some(MACHINE), Some(PERSON), None]));
    world.patch("sam", json!({"spec": {"replicas": 3}})).unwrap();
    assert_eq!(world.stamps()[1], Some(PERSON), "it stays whoever writes next");
}

#[test]
fn break_glass_without_a_reason_does_not_count_without_the_annotation_the_gate_is_back() {
    let mut world = created();
    world.apply(PERSON, with(deployment("app:2"), glass("")));
    assert!(world.paused());
    world.apply(PERSON, with(deployment("app:2"), glass("INC-7")));
    assert!(!world.paused());
    world.apply(PERSON, deployment("app:2"));
    assert!(!world.paused(), "nothing changed");
    world.apply(PERSON, deployment("app:3"));
    assert!(world.paused());
}

/// A manifest with a reason for break-glass; none where it is empty.
fn under(manifest: Value, reason: &str) -> Value {
    if reason.is_empty() { manifest } else { with(manifest, glass(reason)) }
}

/// The reasons that were applied before, the one that comes with another template, and whether that is held.
#[rstest]
#[case::a_reason_comes(&[], "INC-7", false)]
#[case::it_stood_already(&["INC-7"], "INC-7", true)]
#[case::another(&["INC-7"], "INC-8", false)]
#[case::it_goes(&["INC-7"], "", true)]
#[case::taken_off_and_back(&["INC-7", ""], "INC-7", true)]
#[case::taken_off_and_another(&["INC-7", ""], "INC-8", false)]
#[case::an_older_one(&["INC-7", "INC-8"], "INC-7", true)]
#[case::on_two_lines(&["INC-7\ndown", ""], "INC-7\ndown", true)]
#[case::a_line_of_it(&["INC-7\ndown", ""], "down", false)]
#[case::a_long_one(&[&"long ".repeat(100), ""], &"long ".repeat(100), true)]
#[case::of_eleven_the_last_ten_are_known(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", ""], "1", true)]
#[case::and_no_more(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", ""], "0", false)]
fn a_reason_counts_once(#[case] before: &[&str], #[case] reason: &str, #[case] held: bool) {
    let mut world = created();
    for reason in before {
        world.apply(MACHINE, under(deployment("app:1"), reason));
        assert!(!world.paused(), "nothing changed");
    }
    world.apply(MACHINE, under(deployment("app:2"), reason));
    assert_eq!(world.paused(), held);
    let spent = world.annotation("tidegate.io/break-glass-spent").map(str::to_owned);
    let read = BreakGlass::read(reason.to_owned(), spent.as_ref());
    assert_eq!(matches!(read, BreakGlass::Counts(_)), !held || reason.is_empty(), "{spent:?}");
}

/// Nobody deletes the line in Git: what follows is held all the same, and says why, until another reason comes or it goes.
#[test]
fn a_reason_that_is_left_standing_holds_and_says_so() {
    let mut world = created();
    world.apply(MACHINE, under(deployment("app:2"), "INC-7"));
    assert!(!world.paused());
    world.apply(MACHINE, under(deployment("app:3"), "INC-7"));
    let said = |world: &World| world.annotation("tidegate.io/paused-because").unwrap_or_default().to_owned();
    let despite = ". It is held although tidegate.io/break-glass has a reason: that one was given before, and a reason counts \
        once, in the write that brings it. Give another one, or take it off, in Git first where it is from there: kubectl \
        annotate deployment c -n shop tidegate.io/break-glass-";
    assert!(world.paused() && said(&world).ends_with(despite), "{}", said(&world));
    assert_eq!(world.annotation("tidegate.io/break-glass-spent"), Some("INC-7"));
    let first = said(&world);
    world.apply(PERSON, under(deployment("app:3"), "INC-7"));
    assert!(world.paused() && said(&world) == first, "the same once more changes nothing");
    world.patch(PERSON, json!({"metadata": {"annotations": {"tidegate.io/break-glass": null}}})).unwrap();
    assert!(world.paused());
    assert_eq!(said(&world), first.strip_suffix(despite).unwrap(), "and who changed it is still known");
    assert!(first.contains(MACHINE));
    // Git, which still has it, puts it back at its next look.
    world.apply(MACHINE, under(deployment("app:3"), "INC-7"));
    assert!(world.paused() && said(&world).ends_with(despite), "{}", said(&world));
    world.apply(MACHINE, under(deployment("app:3"), "INC-7, once more"));
    assert_eq!((world.paused(), world.stamps()), (false, [Some(MACHINE), Some(MACHINE), None]));
}

/// The Deployment controller copies the annotations to the ReplicaSet, and `kubectl rollout undo` puts all of them back.
#[rstest]
fn an_undo_brings_a_reason_back_that_lets_nothing_go(
    #[values(Override::Audit, Override::Enforce)] mode: Override,
    #[values("", "INC-8")] meanwhile: &str,
) {
    let mut world = idle(mode);
    world.apply("sam", under(deployment("app:2"), "INC-7"));
    let set = world.object()["metadata"]["annotations"].clone();
    world.apply("sam", under(deployment("app:2"), meanwhile));
    world.apply(MACHINE, under(deployment("app:3"), meanwhile));
    world.patch(CONTROLLER, paused(Value::Null)).unwrap();
    let mut undone = with(world.object().clone(), image("app:2"));
    undone["metadata"]["annotations"] = set;
    world.write("eve", undone, None).unwrap();
    assert!(world.paused());
    assert_eq!(world.stamps()[0], Some("eve"));
    assert!(world.annotation("tidegate.io/break-glass-spent").is_some_and(|spent| spent.contains("INC-7")));
}

/// A restart or a new size is no template that comes under the reason.
#[test]
fn a_reason_is_spent_by_the_next_template_only() {
    let mut world = created();
    world.apply(MACHINE, under(deployment("app:2"), "INC-7"));
    world.patch(PERSON, json!({"spec": {"replicas": 3}})).unwrap();
    let restarted = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"});
    world.patch(PERSON, json!({"spec": {"template": {"metadata": {"annotations": restarted}}}})).unwrap();
    assert_eq!((world.paused(), world.annotation("tidegate.io/break-glass-spent")), (false, None));
}

/// What admission remembers is nobody's to forget.
#[test]
fn what_was_spent_cannot_be_forgotten() {
    let mut world = created();
    world.apply(MACHINE, under(deployment("app:1"), "INC-7"));
    world.apply(MACHINE, deployment("app:1"));
    world.patch("eve", json!({"metadata": {"annotations": {"tidegate.io/break-glass-spent": null}}})).unwrap();
    world.apply(MACHINE, under(deployment("app:2"), "INC-7"));
    assert!(world.paused());
}

/// The policy runs once more after a webhook, and its own memory of the first run is not what it goes by.
#[test]
fn a_webhook_that_changes_more_takes_no_reason_away() {
    let mut world = created();
    world.webhook = Some(|object| object["metadata"]["annotations"]["team"] = json!("shop"));
    world.apply(MACHINE, under(deployment("app:1"), "INC-7"));
    world.apply(MACHINE, under(deployment("app:2"), "INC-8"));
    assert!(!world.paused());
}

#[test]
fn enforce_break_glass_asks_for_the_verb_before_anything_was_held_too() {
    let mut world = idle(Override::Enforce);
    let why = world.patch("eve", with(image("app:2"), glass("INC-7"))).unwrap_err();
    let expected = "Forbidden: deployments.apps \"c\" is forbidden: ValidatingAdmissionPolicy 'tidegate-override' with binding \
        'tidegate-override' denied request: metadata.annotations[tidegate.io/break-glass]: eve may not let a template of deployment \
        shop/c run ungated: it needs the verb bypass on gatedreleases.tidegate.io. Leave the annotation out, and a new template is \
        shipped in stages (kubectl get gatedreleases -n shop), or ask somebody who holds the verb";
    assert_eq!(why, expected);
    assert!(!world.paused(), "refused, and not held either");
    world.patch("eve", image("app:2")).unwrap();
    assert!(world.paused(), "a plain change is what the gate is for");
    let mut world = idle(Override::Enforce);
    world.patch("sam", with(image("app:2"), glass("INC-7"))).unwrap();
    assert!(!world.paused());
}

/// Who gives a reason is asked; one that stands, or comes back, lets nothing go.
#[rstest]
#[case::a_reason_alone(&[], "eve", glass("INC-7"), false, false)]
#[case::another_reason(&["INC-7"], "eve", glass("INC-8"), false, false)]
#[case::one_that_comes_back(&["INC-7", ""], "eve", glass("INC-7"), true, false)]
#[case::with_a_template(&[], "eve", with(image("app:2"), glass("INC-7")), false, false)]
#[case::another_reason_with_a_template(&["INC-7"], "eve", with(image("app:2"), glass("INC-8")), false, false)]
#[case::by_a_machine(&["INC-7"], MACHINE, with(image("app:2"), glass("INC-8")), false, false)]
#[case::a_template_under_a_reason_that_stands(&["INC-7"], "eve", image("app:2"), true, true)]
#[case::a_template_of_a_machine_under_it(&["INC-7"], MACHINE, image("app:2"), true, true)]
#[case::nothing_new(&["INC-7"], "eve", json!({"spec": {"replicas": 3}}), true, false)]
#[case::a_restart(&["INC-7"], "eve", json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}), true, false)]
#[case::taken_off(&["INC-7"], "eve", glass(""), true, false)]
#[case::the_label_taken_off(&["INC-7"], "eve", json!({"metadata": {"labels": {"tidegate.io/gated": null}}}), true, false)]
fn enforce_glass_on_what_is_idle(
    #[case] stands: &[&str],
    #[case] who: &str,
    #[case] change: Value,
    #[case] free: bool,
    #[case] held: bool,
) {
    for (mode, free) in [(Override::Audit, true), (Override::Enforce, free)] {
        let mut world = idle(mode);
        for reason in stands {
            world.patch("sam", glass(reason)).unwrap();
        }
        let done = world.patch(who, change.clone());
        assert_eq!(done.is_ok(), free, "{mode:?}: {done:?}");
        assert!(done.err().is_none_or(|why| why.contains("verb bypass")));
        assert_eq!(world.paused(), held, "{mode:?}");
    }
}

#[test]
fn enforce_break_glass_on_what_is_held_is_refused_once_and_as_what_it_is() {
    let mut world = held_in(World::new(Override::Enforce, ("apps", "v1", "deployments")), MACHINE);
    let why = world.patch("eve", glass("INC-7")).unwrap_err();
    assert!(
        why.contains("may not let the held template of deployment shop/c") && !why.contains("break-glass"),
        "{why}"
    );
    world.patch("sam", glass("INC-7")).unwrap();
    assert!(!world.paused());
}
