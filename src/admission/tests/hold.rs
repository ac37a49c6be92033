use rstest::rstest;
use serde_json::{Value, json};

use super::glass::glass;
use super::world::{CONTROLLER, MACHINE, PERSON, World, deployment, held, held_in, with};
use super::{forged, label};
use crate::admission::Override;

pub(super) fn created() -> World {
    let mut world = World::deployments();
    world.apply(PERSON, deployment("app:1"));
    world
}

pub(super) fn paused(paused: Value) -> Value {
    json!({"spec": {"paused": paused}})
}

#[test]
fn a_created_deployment_runs() {
    let world = created();
    assert!(!world.paused());
    assert_eq!(world.stamps(), [None; 3]);
}

#[test]
fn an_apply_that_changes_nothing_holds_nothing_and_stamps_nothing() {
    let mut world = created();
    world.apply(MACHINE, deployment("app:1"));
    world.apply(MACHINE, with(deployment("app:1"), json!({"spec": {"replicas": 0, "revisionHistoryLimit": 3}})));
    assert!(!world.paused());
    assert_eq!(world.stamps(), [None; 3]);
}

#[test]
fn a_template_changed_by_a_machine_is_held_stamped_and_explained() {
    let world = held(MACHINE);
    let [by, resumed, because] = world.stamps();
    assert_eq!((by, resumed), (Some(MACHINE), None));
    assert!(because.unwrap().contains("deployment/c -n shop"), "{because:?}");
}

#[test]
fn a_template_changed_by_a_person_is_held_and_stamped() {
    assert_eq!(held(PERSON).stamps()[0], Some(PERSON));
}

#[rstest]
#[case::a_changed_template_label(json!({"labels": {"more": "x"}}))]
#[case::or_annotation(json!({"annotations": {"team": "ops"}}))]
#[case::or_an_annotation_taken_away(json!({"annotations": {"team": null}}))]
fn is_held(#[case] change: Value) {
    let mut world = created();
    world.patch(MACHINE, json!({"spec": {"template": {"metadata": change}}})).unwrap();
    assert!(world.paused());
}

#[test]
fn spec_paused_and_the_stamps_belong_to_nobody_a_forced_apply_keeps_the_hold() {
    let mut world = held(MACHINE);
    for user in [MACHINE, PERSON] {
        world.apply(user, deployment("app:2"));
    }
    assert!(world.paused());
}

#[test]
fn a_replace_by_a_machine_that_leaves_spec_paused_and_the_stamps_out_keeps_all_of_them() {
    let mut world = held(MACHINE);
    let before = world.stamps().map(|stamp| stamp.map(str::to_owned));
    world.write(MACHINE, deployment("app:2"), None).unwrap();
    assert!(world.paused());
    assert_eq!(world.stamps().map(|stamp| stamp.map(str::to_owned)), before);
}

#[test]
fn a_restart_annotation_alone_is_not_held() {
    let mut world = created();
    let restarted = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"});
    world.patch(PERSON, json!({"spec": {"template": {"metadata": {"annotations": restarted}}}})).unwrap();
    assert!(!world.paused());
    assert_eq!(world.stamps()[0], None);
}

#[test]
fn a_restart_together_with_a_new_image_is_held() {
    let mut world = created();
    let restarted = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"});
    world.apply(
        PERSON,
        with(deployment("app:2"), json!({"spec": {"template": {"metadata": {"annotations": restarted}}}})),
    );
    assert!(world.paused());
}

#[test]
fn a_further_template_and_the_way_back_to_the_first_stay_held() {
    let mut world = held(MACHINE);
    for image in ["app:3", "app:1"] {
        world.apply(PERSON, deployment(image));
        assert!(world.paused());
        assert_eq!(world.stamps()[0], Some(PERSON));
    }
}

#[test]
fn a_scale_goes_through_held_or_not() {
    let mut world = held(MACHINE);
    world.apply(MACHINE, with(deployment("app:2"), json!({"spec": {"replicas": 4, "minReadySeconds": 1}})));
    assert!(world.paused());
    assert_eq!(world.object()["spec"]["replicas"], 4);
}

#[test]
fn a_machine_that_sends_paused_false_together_with_a_new_template_is_held() {
    let mut world = World::deployments();
    world.apply(MACHINE, with(deployment("app:1"), paused(false.into())));
    world.apply(MACHINE, with(deployment("app:2"), paused(false.into())));
    assert!(world.paused());
}

#[test]
fn a_machine_that_sends_paused_false_while_held_changes_nothing_and_gets_no_error() {
    let mut world = held(MACHINE);
    world.apply(MACHINE, with(deployment("app:2"), paused(false.into())));
    world.patch(MACHINE, paused(Value::Null)).unwrap();
    world.patch(MACHINE, paused(false.into())).unwrap();
    assert!(world.paused());
    assert_eq!(world.stamps()[..2], [Some(MACHINE), None]);
}

#[rstest]
#[case("system:serviceaccount:kube-system:deployment-controller")]
#[case("system:kube-controller-manager")]
#[case("system:node:a")]
fn the_clusters_own_components_cannot_resume(#[case] user: &str) {
    let mut world = held(MACHINE);
    world.patch(user, paused(false.into())).unwrap();
    assert!(world.paused());
}

#[test]
fn a_person_who_sends_paused_false_with_a_new_template_is_held_all_the_same() {
    let mut world = held(MACHINE);
    world.apply(PERSON, with(deployment("app:3"), paused(false.into())));
    assert!(world.paused());
    assert_eq!(world.stamps()[1], None);
}

#[test]
fn kubectl_rollout_resume_by_a_person_resumes_and_is_stamped_the_explanation_goes() {
    let mut world = held(MACHINE);
    world.patch(PERSON, paused(Value::Null)).unwrap();
    assert!(!world.paused());
    assert_eq!(world.stamps(), [Some(MACHINE), Some(PERSON), None]);
    world.apply(MACHINE, deployment("app:2"));
    assert!(!world.paused());
    assert_eq!(world.stamps(), [Some(MACHINE), Some(PERSON), None], "an apply that changes nothing after it");
}

#[test]
fn the_next_template_after_a_resume_is_held_again_and_the_stamp_of_the_resume_goes() {
    let mut world = held(MACHINE);
    world.patch(PERSON, paused(false.into())).unwrap();
    assert!(!world.paused());
    world.apply(MACHINE, deployment("app:3"));
    assert!(world.paused());
    assert_eq!(world.stamps()[..2], [Some(MACHINE), None]);
}

#[test]
fn kubectl_rollout_pause_has_no_effect_spec_paused_belongs_to_the_gate() {
    let mut world = created();
    world.patch(PERSON, paused(true.into())).unwrap();
    assert!(!world.paused());
}

#[test]
fn stamps_cannot_be_forged_or_removed() {
    let mut world = held(MACHINE);
    let before = world.stamps().map(|stamp| stamp.map(str::to_owned));
    let forged =
        json!({"tidegate.io/changed-by": "eve", "tidegate.io/resumed-by": "eve", "tidegate.io/paused-because": null});
    world.patch(PERSON, json!({"metadata": {"annotations": forged}})).unwrap();
    assert_eq!(world.stamps().map(|stamp| stamp.map(str::to_owned)), before);
}

/// What stands there when the label is put on was written by anybody: it vouches for nobody.
#[rstest]
#[case::alone(label("".into()), None, None)]
#[case::with_more_forgery(with(label("".into()), forged()), None, None)]
#[case::with_a_scale(with(label("".into()), json!({"spec": {"replicas": 3}})), None, None)]
#[case::with_a_template(with(label("".into()), image("app:3")), Some("eve"), None)]
#[case::with_a_resume(with(label("".into()), paused(false.into())), None, Some("eve"))]
fn stamps_from_before_the_label_vouch_for_nobody(
    #[case] labelling: Value,
    #[case] changed_by: Option<&str>,
    #[case] resumed_by: Option<&str>,
) {
    let mut world = held(MACHINE);
    world.patch(CONTROLLER, paused(Value::Null)).unwrap();
    world.patch("eve", label(Value::Null)).unwrap();
    world.patch("eve", with(with(image("app:2-eve"), paused(true.into())), forged())).unwrap();
    assert_eq!(world.stamps()[0], Some("bob"), "without the label it is nobody's business");
    world.patch("eve", labelling).unwrap();
    let [by, resumed, because] = world.stamps();
    assert_eq!((by, resumed), (changed_by, resumed_by));
    assert_eq!(world.paused(), resumed_by.is_none(), "what was paused stays so");
    assert_eq!(because.is_some(), world.paused());
    let who = changed_by.unwrap_or("somebody unknown");
    assert!(because.is_none_or(|text| text.contains(&format!("that {who} changed"))), "{because:?}");
}

#[test]
fn a_label_that_comes_back_to_what_is_held_keeps_the_hold_and_names_nobody() {
    let mut world = held(PERSON);
    world.patch("eve", label(Value::Null)).unwrap();
    world.patch("eve", label("".into())).unwrap();
    let [by, resumed, because] = world.stamps();
    assert!(world.paused() && because.is_some(), "{because:?}");
    assert_eq!((by, resumed), (None, None), "nobody saw whether somebody wrote another name meanwhile");
}

#[test]
fn a_pause_of_the_users_own_is_not_explained_when_the_label_is_put_on() {
    let mut world = World::deployments();
    world.apply(PERSON, with(ungated(deployment("app:1")), paused(true.into())));
    world.patch(PERSON, label("".into())).unwrap();
    assert!(world.paused());
    assert_eq!(world.stamps(), [None; 3]);
}

#[rstest]
#[case::a_deployment(World::deployments(), deployment("app:1"))]
#[case::a_stateful_set(World::new(Override::Audit, ("apps", "v1", "statefulsets")), deployment("app:1"))]
fn a_workload_is_created_without_stamps(#[case] mut world: World, #[case] manifest: Value) {
    let mut apart = with(forged(), json!({"metadata": {"annotations": {"team": "shop"}}}));
    apart["metadata"]["annotations"]["tidegate.io/paused-because"].take();
    world.write("eve", with(manifest, apart), None).unwrap();
    assert_eq!(world.stamps(), [None; 3]);
    assert_eq!(world.annotation("team"), Some("shop"), "what is the owner's stays");
}

/// What a backup restores while it is held is still known as such.
#[test]
fn a_workload_created_as_held_says_so_in_the_gates_own_words() {
    let mut world = World::deployments();
    world.write("eve", with(with(deployment("app:2"), paused(true.into())), forged()), None).unwrap();
    let [by, resumed, because] = world.stamps();
    assert_eq!((world.paused(), by, resumed), (true, None, None));
    assert!(because.is_some_and(|text| !text.contains("bob") && text.contains("kubectl get gatedreleases -n shop")));
}

/// Annotations can be written together with a status.
#[test]
fn a_write_of_the_status_forges_no_stamps() {
    let mut world = held(MACHINE);
    let before = world.stamps().map(|stamp| stamp.map(str::to_owned));
    let more = json!({"metadata": {"annotations": {"team": "shop"}}, "status": {"observedGeneration": 1}});
    let object = with(with(world.object().clone(), forged()), more);
    world.write("eve", object, Some("status")).unwrap();
    assert_eq!(world.stamps().map(|stamp| stamp.map(str::to_owned)), before);
    assert_eq!((world.annotation("team"), &world.object()["status"]["observedGeneration"]), (Some("shop"), &json!(1)));
    let mut bare = world.object().clone();
    bare["metadata"].as_object_mut().unwrap().remove("annotations");
    world.write("eve", bare, Some("status")).unwrap();
    assert_eq!(world.stamps().map(|stamp| stamp.map(str::to_owned)), before, "nor takes it any away");
}

#[test]
fn the_controller_resumes_pauses_and_writes_annotations_as_it_likes() {
    let mut world = held(MACHINE);
    let cleared = json!({"tidegate.io/paused-because": null});
    world.patch(CONTROLLER, json!({"spec": {"paused": false}, "metadata": {"annotations": cleared}})).unwrap();
    assert!(!world.paused());
    assert_eq!(world.stamps(), [Some(MACHINE), None, None]);
    world.patch(CONTROLLER, paused(true.into())).unwrap();
    assert!(world.paused());
}

fn ungated(mut manifest: Value) -> Value {
    manifest["metadata"]["labels"] = json!({});
    manifest
}

#[test]
fn without_the_label_nothing_is_held_a_label_taken_away_while_held_leaves_the_deployment_as_it_is() {
    let mut plain = World::deployments();
    plain.apply(PERSON, ungated(deployment("app:1")));
    plain.apply(PERSON, ungated(deployment("app:2")));
    assert!(!plain.paused());
    let mut world = held(MACHINE);
    world.apply(MACHINE, ungated(deployment("app:2")));
    assert!(world.object()["metadata"]["labels"].get("tidegate.io/gated").is_none());
    assert!(world.paused(), "was resumed by the removal");
    world.patch(MACHINE, paused(false.into())).unwrap();
    assert!(!world.paused());
}

#[test]
fn a_label_put_on_together_with_a_new_template_holds_it_put_on_alone_it_does_not() {
    let mut world = World::deployments();
    world.apply(PERSON, ungated(deployment("app:1")));
    world.apply(PERSON, deployment("app:2"));
    assert!(world.paused());
    let mut alone = World::deployments();
    alone.apply(PERSON, ungated(deployment("app:1")));
    alone.apply(PERSON, deployment("app:1"));
    assert!(!alone.paused());
}

#[test]
fn a_webhook_that_pins_digests_an_apply_that_changes_nothing_holds_and_stamps_nothing_a_change_is_held() {
    let mut world = World::deployments();
    world.webhook = Some(|object| {
        let image = object.pointer_mut("/spec/template/spec/containers/0/image").unwrap();
        let text = image.as_str().unwrap().to_owned();
        if !text.contains('@') {
            *image = format!("{text}@sha256:aaaa").into();
        }
    });
    world.apply(PERSON, deployment("app:1"));
    for user in [MACHINE, PERSON] {
        world.apply(user, with(deployment("app:1"), paused(false.into())));
        world.apply(user, deployment("app:1"));
        assert!(!world.paused());
        assert_eq!(world.stamps(), [None; 3]);
    }
    world.apply(MACHINE, deployment("app:2"));
    assert!(world.paused());
    assert_eq!(world.stamps()[0], Some(MACHINE));
    world.apply(PERSON, deployment("app:2"));
    assert!(world.paused());
    assert_eq!(world.stamps()[0], Some(MACHINE));
}

#[test]
fn enforce_only_who_holds_the_verb_bypass_resumes_or_takes_the_label_off_a_held_deployment() {
    let mut world = held_in(World::new(Override::Enforce, ("apps", "v1", "deployments")), MACHINE);
    let why = world.patch("eve", paused(false.into())).unwrap_err();
    let expected = "Forbidden: deployments.apps \"c\" is forbidden: ValidatingAdmissionPolicy 'tidegate-override' with binding \
        'tidegate-override' denied request: spec.paused: eve may not let the held template of deployment shop/c run ungated: it \
        needs the verb bypass on gatedreleases.tidegate.io. Wait for the release (kubectl get gatedreleases -n shop), or ask \
        somebody who holds the verb";
    assert_eq!(why, expected);
    let off = json!({"metadata": {"labels": {"tidegate.io/gated": null}}});
    assert!(world.patch("eve", off).unwrap_err().contains("eve may not"));
    world.apply(MACHINE, with(deployment("app:2"), paused(false.into())));
    assert!(world.paused(), "machines are coerced, not refused");
    world.patch("sam", paused(false.into())).unwrap();
    assert!(!world.paused());
    assert_eq!(world.stamps()[1], Some("sam"));
}

/// Whoever breaks the glass by the status lets nothing go at once, and has whoever applies next do it.
#[test]
fn enforce_a_write_of_the_status_breaks_no_glass() {
    let mut world = held_in(World::new(Override::Enforce, ("apps", "v1", "deployments")), MACHINE);
    let glass = json!({"metadata": {"annotations": {"tidegate.io/break-glass": "INC-7"}}});
    let object = with(world.object().clone(), glass);
    let why = world.write("eve", object.clone(), Some("status")).unwrap_err();
    assert!(why.contains("let a template of deployment shop/c run ungated: it needs the verb bypass"), "{why}");
    world.write("sam", object, Some("status")).unwrap();
    let object = with(world.object().clone(), json!({"status": {"observedGeneration": 2}}));
    world.write("system:serviceaccount:kube-system:deployment-controller", object, Some("status")).unwrap();
    assert!(world.paused());
}

pub(super) fn idle(mode: Override) -> World {
    let mut world = World::new(mode, ("apps", "v1", "deployments"));
    world.apply(PERSON, deployment("app:1"));
    world
}

pub(super) fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}})
}

fn label_off(more: Value) -> Value {
    with(json!({"metadata": {"labels": {"tidegate.io/gated": null}}}), more)
}

/// Who leaves the gate leaves with what runs; who brings a template along goes past it.
#[rstest]
#[case::alone(label_off(json!({})), true)]
#[case::with_a_scale(label_off(json!({"spec": {"replicas": 3}})), true)]
#[case::with_a_restart(label_off(json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}})), true)]
#[case::with_a_template(label_off(image("app:2")), false)]
#[case::with_a_template_and_a_reason(label_off(with(image("app:2"), glass("INC-7"))), false)]
fn enforce_the_label_taken_off_what_is_idle(
    #[values("eve", MACHINE)] who: &str,
    #[case] change: Value,
    #[case] free: bool,
) {
    for (mode, free) in [(Override::Audit, true), (Override::Enforce, free)] {
        let mut world = idle(mode);
        let done = world.patch(who, change.clone());
        assert_eq!(done.is_ok(), free, "{mode:?}: {done:?}");
        if let Err(why) = done {
            let expected = format!(
                "metadata.labels[tidegate.io/gated]: {who} may not take deployment shop/c out of the gate together with a new \
                 template, which would run ungated: it needs the verb bypass on gatedreleases.tidegate.io. Keep the label, and the \
                 template is shipped in stages (kubectl get gatedreleases -n shop); to leave the gate, take the label off alone; or \
                 ask somebody who holds the verb"
            );
            assert!(why.ends_with(&expected), "{why}");
        }
    }
    let mut world = idle(Override::Enforce);
    world.patch("sam", change).unwrap();
    // What is out of the gate is nobody's to ask about.
    world.patch("eve", image("app:3")).unwrap();
    assert!(!world.paused());
}

#[test]
fn enforce_the_label_taken_off_what_is_held_together_with_a_template_is_refused_as_what_it_is() {
    let mut world = held_in(World::new(Override::Enforce, ("apps", "v1", "deployments")), MACHINE);
    let why = world.patch("eve", label_off(image("app:3"))).unwrap_err();
    assert!(
        why.contains("may not let the held template of deployment shop/c") && !why.contains("out of the gate"),
        "{why}"
    );
    world.patch("sam", label_off(image("app:3"))).unwrap();
}

#[test]
fn statuses_are_written_by_anybody_without_a_stamp() {
    let mut world = held(MACHINE);
    let with_status = with(world.object().clone(), json!({"status": {"observedGeneration": 1}}));
    world.write("system:serviceaccount:kube-system:deployment-controller", with_status, Some("status")).unwrap();
    assert!(world.paused());
    assert_eq!(world.object()["status"]["observedGeneration"], 1);
}
