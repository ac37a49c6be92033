use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;

use super::act::Acts;
use super::keyboard::{Sort, press};
use super::view::Onlooker;
use super::*;
use crate::api::release_record::{Outcome, Phase};
use crate::api::{BudgetStatus, Percent, Weight};
use crate::cluster::kind::EVENT;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::screen::{StageState, View};
use crate::sandbox::story::{Action, Version, Weights, embedded, names, parse};
use crate::sandbox::user::User;

mod charge;
mod loosening;
mod obligations;
mod preflight;

const BEGAN: Time = Time(EPOCH);

fn story(with: &str) -> Story {
    parse(&format!("{}\n{with}", embedded("good").unwrap())).unwrap()
}

struct Scene {
    shared: Arc<Shared>,
    onlooker: Onlooker,
    _tasks: tokio::task::JoinSet<()>,
}

/// The scenario's cluster, after it had time to come up.
async fn scene(story: &Story) -> Scene {
    let shared = cluster::world(story, 1, BEGAN).unwrap();
    let tasks = cluster::work(&shared, 1).unwrap();
    let onlooker = Onlooker::new(story, shared.clone(), BEGAN).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    Scene { shared, onlooker, _tasks: tasks }
}

/// Looks each second until it is so.
async fn until(scene: &Scene, what: &str, so: impl Fn(&View) -> bool) -> View {
    for _ in 0..1_200 {
        let view = scene.onlooker.view();
        if so(&view) {
            return view;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("never {what}: {:#?}", scene.onlooker.view());
}

#[rstest]
#[case(99.0)]
#[case(90.0)]
#[case(18.0)]
#[case(-20.0)]
#[tokio::test(start_paused = true)]
async fn the_budget_that_a_scenario_states_is_the_one_that_is_shown(#[case] left: f64) {
    let scene = scene(&story(&format!("error-budget: {left}"))).await;
    let budget = scene.onlooker.view().budget.unwrap();
    // The minute since then counts too.
    assert!((budget.remaining - left).abs() <= 0.5, "{budget:?}");
    assert_eq!(budget.decided_by, "availability");
}

#[tokio::test(start_paused = true)]
async fn a_view_is_made_of_objects_and_of_figures() {
    let story = story("");
    let scene = scene(&story).await;
    let view = scene.onlooker.view();
    assert_eq!((view.now, view.phase, view.weights), (Span::minutes(1), Phase::Complete, Weights::HOME));
    assert_eq!(view.outcome.map(|(outcome, _)| outcome), Some(Outcome::Bootstrap));
    let [stable] = view.arms.as_slice() else { panic!("{:?}", view.arms) };
    assert_eq!((stable.name, stable.image.as_str(), stable.ready, stable.wanted), ("stable", "shop:v1", 3, 3));
    assert!((80.0..120.0).contains(&stable.rate), "{stable:?}");
    assert_eq!(stable.errors, Some(0.0));
    assert!(stable.p95.is_some_and(|p95| (100..400).contains(&p95.as_millis())), "{stable:?}");

    let mut acts = Acts::new(&story, scene.shared.clone());
    assert_eq!(press(&mut acts, Key::Bad).unwrap().refused, None);
    let view = until(&scene, "in stage 1", |view| view.stage == Some(1)).await;
    assert_eq!(view.stages[0].state, StageState::Now);
    assert_eq!(view.weights.canary, Weight::whole(5));
    let names: Vec<_> = view.arms.iter().map(|arm| (arm.name, arm.image.as_str())).collect();
    assert_eq!(names[..2], [("stable", "shop:v1"), ("canary", "shop:bad-1")]);
    let view = until(&scene, "back", |view| matches!(view.outcome, Some((Outcome::RolledBack, _)))).await;
    assert_eq!((view.stage, view.stages[0].state, view.weights), (None, StageState::Failed, Weights::HOME));
    assert!(view.stages[1..].iter().all(|stage| stage.state == StageState::ToCome));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_up_while_prometheus_is_down() {
    let story = story("");
    let scene = scene(&story).await;
    let mut acts = Acts::new(&story, scene.shared.clone());
    press(&mut acts, Key::Prometheus).unwrap();
    let view = scene.onlooker.view();
    assert_eq!((view.arms[0].errors, view.arms[0].p95), (None, None));
    press(&mut acts, Key::Prometheus).unwrap();
    assert_eq!(scene.onlooker.view().arms[0].errors, Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn keys_do_what_people_would() {
    let story = story("");
    let scene = scene(&story).await;
    let mut acts = Acts::new(&story, scene.shared.clone());
    let mut pressed = |key| assert_eq!(press(&mut acts, key).unwrap().refused, None, "{key:?}");
    pressed(Key::Freeze);
    until(&scene, "frozen", |view| view.budget.as_ref().unwrap().status == BudgetStatus::Critical).await;
    pressed(Key::Slow);
    let held = until(&scene, "held", |view| view.hold.is_some()).await;
    assert_eq!(held.hold.unwrap().reason, "BudgetFreeze");
    pressed(Key::Freeze);
    pressed(Key::Revert);
    until(&scene, "reverted", |view| matches!(view.outcome, Some((Outcome::Reverted, _)))).await;
    for _ in 0..5 {
        pressed(Key::SpendBudget);
    }
    let view = until(&scene, "spent", |view| view.budget.as_ref().unwrap().remaining < 0.0).await;
    assert_eq!(view.budget.unwrap().status, BudgetStatus::Emergency);
    pressed(Key::Good);
    until(&scene, "held", |view| view.hold.is_some()).await;
    pressed(Key::BreakGlass);
    until(&scene, "bypassed", |view| matches!(view.outcome, Some((Outcome::Bypassed, _)))).await;
    pressed(Key::Scale);
    let all_new =
        |view: &View| view.arms[0].image == "shop:good-2" && view.arms[0].wanted == 5 && view.arms[0].ready == 5;
    until(&scene, "scaled", all_new).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_says_why() {
    let story = story("");
    let scene = scene(&story).await;
    let mut acts = Acts::new(&story, scene.shared.clone());
    let edit = Action::EditConfig {
        gated_release: serde_json::json!({"strategy": {"verify": "soon"}}),
        risk_budget: serde_json::Value::Null,
    };
    let refused = acts.act(&User::person("alice"), &edit).unwrap_err();
    assert!(refused.contains("spec.strategy.verify"), "{refused}");
}

#[test]
fn keys_of_time_do_nothing_in_the_cluster() {
    let story = story("");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let shared = cluster::world(&story, 1, BEGAN).unwrap();
        let mut acts = Acts::new(&story, shared);
        for key in Key::OF_TIME {
            assert_eq!(press(&mut acts, *key), None, "{key:?}");
        }
    });
}

#[rstest]
#[case("shop:good-1", Some(Version::good("shop:good-1")))]
#[case("shop:bad-12", Some(Version { errors: Percent::whole(8), ..Version::good("shop:bad-12") }))]
#[case("shop:crashing-3", Some(Version { crashes: true, ..Version::good("shop:crashing-3") }))]
#[case("shop:v2", None)]
#[case("shop:bad", None)]
#[case("other:bad-1", None)]
fn an_image_says_of_which_sort_it_is(#[case] image: &str, #[case] version: Option<Version>) {
    assert_eq!(Sort::of_image(image), version);
}

/// The lines of a scenario, as fast as it goes.
fn lines(name: &str, seed: u64) -> Vec<String> {
    let story = parse(embedded(name).unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let mut lines = Vec::new();
    let show = Show { speed: Some(Speed::Max), seed, serve: None, stay: false, picture: false, interactive: false };
    let mut tell = |line: &str| lines.push(line.to_owned());
    let unmet = runtime.block_on(play(&story, show, &mut tell, std::future::pending())).unwrap();
    assert_eq!(unmet, Vec::<String>::new(), "{name}:\n{}", lines.join("\n"));
    lines
}

#[test]
fn every_scenario_comes_as_it_expects() {
    for name in names() {
        let told = lines(name, 3);
        assert!(told.last().unwrap().contains(" requests, "), "{name}: {told:?}");
    }
}

#[test]
fn the_same_seed_tells_the_same_lines() {
    assert_eq!(lines("bad", 5), lines("bad", 5));
}

#[tokio::test(start_paused = true)]
async fn what_events_say_is_not_obeyed_by_a_terminal() {
    let shared = cluster::world(&story(""), 1, BEGAN).unwrap();
    let event = json!({
        "metadata": {"name": "evil", "namespace": "shop"}, "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal",
        "reason": "Evil", "note": "a\u{1b}[2Jb", "action": "Evil", "reportingController": "evil", "reportingInstance": "evil",
    });
    let admin = User { name: "admin".to_owned(), groups: vec!["system:masters".to_owned()] };
    shared.with(|world| world.cluster.api.create(&admin, &EVENT, event)).unwrap();
    let (_, said) = events::events(&shared, 0, BEGAN);
    assert_eq!(said.iter().map(|event| event.note.as_str()).collect::<Vec<_>>(), ["a [2Jb"]);
}
