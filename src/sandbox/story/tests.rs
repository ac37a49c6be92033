use std::collections::BTreeMap;

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::api::release_record::{Outcome, Phase};
use crate::api::{Change, ChangeType, Percent, Span, Weight};

const SMALL: &str = "
title: Small
description: A small one.
versions: {v1: {}, v2: {errors: 3, latency: 300ms, after: 2m}}
steps:
  - {at: 10s, do: {deploy: {version: v2}}}
  - {after: {phase: Rollback}, say: Back.}
expect: {outcomes: {v2: RolledBack within 5m}}
";

const NONE: [usize; 0] = [];

fn small() -> Story {
    parse(SMALL).unwrap()
}

#[test]
fn every_embedded_scenario_reads_and_is_a_test() {
    for name in names() {
        let story = parse(embedded(name).unwrap()).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(!story.expect.outcomes.is_empty(), "{name} expects nothing");
        assert!(story.steps.iter().any(|step| step.say.is_some()), "{name} says nothing");
        for say in story.steps.iter().filter_map(|step| step.say.as_ref()) {
            assert!(say.chars().count() <= 120, "{name}: does not fit into two lines: {say}");
        }
    }
    assert!(embedded("nonsense").is_none());
}

#[test]
fn what_is_left_out_has_defaults() {
    let story = small();
    assert_eq!((story.speed, story.error_budget, story.first.as_str()), (30.0, 90.0, "v1"));
    assert_eq!(story.versions["v1"], Version::good("shop:v1"));
    assert_eq!(story.version_of("git:v2"), Some("v2"));
    assert_eq!(story.version_of("git:other"), None);
    assert_eq!(story.steps[0].by.name, "system:serviceaccount:flux-system:kustomize-controller");
    assert_eq!(story.steps[1].by.name, "alice");
}

#[test]
fn the_objects_are_the_example_s_with_what_the_file_says() {
    let text = SMALL.replace("title: Small", "title: Small\ntier: 3\nreplicas: 4\nautoscaler: {min: 4, max: 8}");
    let objects = parse(&text).unwrap().objects;
    let all: Vec<_> = objects.all().map(|object| object["kind"].as_str().unwrap().to_owned()).collect();
    let wanted = "Namespace Gateway Deployment Service HTTPRoute HorizontalPodAutoscaler RiskBudget GatedRelease";
    assert_eq!(all.join(" "), wanted);
    assert_eq!(objects.deployment["spec"].get("replicas"), None, "an autoscaler owns them");
    assert_eq!(objects.risk_budget["spec"]["tier"], 3);
    assert_eq!(objects.gated_release["spec"]["strategy"]["stages"][0]["weight"], 5);
    assert_eq!(objects.gated_release["spec"]["rollback"]["errorRatePercent"], 1);
    let change = Change { reference: "git:2".into(), kind: ChangeType::Config, ..Change::default() };
    let applied = objects.deployment("shop:v2", &change, Some("fire"));
    assert_eq!(applied["spec"]["template"]["spec"]["containers"][0]["image"], "shop:v2");
    assert_eq!(applied["metadata"]["annotations"]["tidegate.io/change-type"], "Config");
    assert_eq!(applied["metadata"]["annotations"]["tidegate.io/break-glass"], "fire");
}

#[test]
fn a_ready_made_schedule_takes_the_place_of_the_short_stages() {
    let text = SMALL.replace("title: Small", "title: Small\ngated-release: {strategy: {schedule: Express}}");
    let strategy = &parse(&text).unwrap().objects.gated_release["spec"]["strategy"];
    assert_eq!((strategy.get("stages"), strategy["schedule"].as_str()), (None, Some("Express")));
}

#[rstest]
#[case("title: Small", "tittle: Small", "tittle")]
#[case("title: Small", "title: ''", "title: \"\"")]
#[case("title: Small", "title: Small\nspeed: 0", "speed: 0 is not a number from 0.1 to 3600")]
#[case("title: Small", "title: Small\nerror-budget: 120", "error-budget: 120")]
#[case("title: Small", "title: Small\ntraffic: {noise: 0.5}", "traffic.noise: 0.5")]
#[case("title: Small", "title: Small\nautoscaler: {min: 5, max: 2}", "autoscaler.max: 2 is not a number from 5")]
#[case("title: Small", "title: Small\ntier: 7", "risk-budget.tier")]
#[case("title: Small", "title: Small\nlimit: 5s", "limit: 5s is over before")]
#[case("title: Small", "title: Small\nfirst: v9", "first: versions has no \"v9\", only v1, v2")]
#[case("title: Small", "title: Small\ngated-release: {strategy: {verify: soon}}", "gated-release.strategy.verify")]
#[case("title: Small", "title: Small\ngated-release: {strategi: {verify: 5m}}", "gated-release.strategi")]
#[case(
    "title: Small",
    "title: Small\ngated-release: {strategy: {stages: [{weight: 5}]}}",
    "the last stage must have weight 100"
)]
#[case("title: Small", "title: Small\nrisk-budget: 7", "risk-budget: 7 is not a part of a spec")]
#[case("v1: {}", "v1: {image: a:1}, v3: {image: a:1}", "image: a:1 is the image of v1 too")]
#[case("v1: {}", "v1: {eror: 3}", "eror")]
#[case("errors: 3", "errors: 300", "percentage from 0 to 100")]
#[case("latency: 300ms", "latency: quick", "duration such as 30s")]
#[case("at: 10s", "at: 10s, after: {stage: 1}", "steps[0]: give at or after, not both")]
#[case("version: v2", "version: v9", "steps[0].do: version: versions has no \"v9\"")]
#[case("{deploy: {version: v2}}", "explode", "explode")]
#[case("{deploy: {version: v2}}", "{prometheus: sideways}", "sideways")]
#[case("{deploy: {version: v2}}", "{scale: 1000}", "steps[0].do.scale: 1000")]
#[case("{deploy: {version: v2}}", "{wait: 0s}", "steps[0].do.wait: 0s")]
#[case("{deploy: {version: v2}}", "{break-glass: {reason: ''}}", "steps[0].do: reason is empty")]
#[case("{deploy: {version: v2}}", "{edit-config: {}}", "steps[0].do.edit-config: give")]
#[case(
    "{deploy: {version: v2}}",
    "{edit-config: {risk-budget: {tier: 9}}}",
    "steps[0].do.edit-config.risk-budget.tier"
)]
#[case("{deploy: {version: v2}}", "{deploy: {version: v2, reference: git:v1}}", "reference: git:v1 brought v1 before")]
#[case("at: 10s, do: {deploy: {version: v2}}", "at: 10s", "steps[0]: give do")]
#[case("{phase: Rollback}", "{phase: Rollback, stage: 2}", "steps[1].after: give exactly one of")]
#[case("{phase: Rollback}", "{phase: Sideways}", "Sideways")]
#[case("{phase: Rollback}", "{stage: 0}", "steps[1].after.stage: 0")]
#[case("{phase: Rollback}", "{stage: 1, of: v9}", "steps[1].after.of: versions has no \"v9\"")]
#[case("after: {phase: Rollback}", "at: 5s", "steps[1].at: 5s is before 10s")]
#[case("RolledBack within 5m", "Rolled", "expect.outcomes.v2: \"Rolled\" is not an outcome")]
#[case("RolledBack within 5m", "RolledBack within soon", "expect.outcomes.v2")]
#[case("expect: {", "expect: {weights: {stable: 90}, ", "expect.weights: stable 90 %")]
fn a_mistake_is_named_with_its_remedy(#[case] good: &str, #[case] bad: &str, #[case] says: &str) {
    assert!(SMALL.contains(good), "{good}");
    let refused = parse(&SMALL.replacen(good, bad, 1)).unwrap_err();
    assert!(refused.contains(says), "{refused}");
}

#[test]
fn a_version_may_get_worse_later() {
    let story = small();
    let v2 = &story.versions["v2"];
    assert_eq!(v2.behaves(Span::seconds(119)), Version::good("shop:v2"));
    assert_eq!(v2.behaves(Span::minutes(2)).errors, Percent::whole(3));
}

fn attempt(number: u32, version: &str) -> Attempt {
    Attempt {
        number,
        version: version.to_owned(),
        phase: Phase::Plan,
        stage: 0,
        hold: None,
        outcome: None,
        ended: None,
    }
}

fn ended(number: u32, version: &str, outcome: Outcome, at: u64) -> Attempt {
    let phase = if outcome == Outcome::RolledBack { Phase::Rollback } else { Phase::Complete };
    Attempt { phase, outcome: Some(outcome), ended: Some(Span::seconds(at)), ..attempt(number, version) }
}

/// What is due at a time, as indices of steps.
fn due(play: &mut Play<'_>, story: &Story, now: u64, attempts: &[Attempt]) -> Vec<usize> {
    let mut all = Vec::new();
    while let Some(step) = play.due(Span::seconds(now), attempts).unwrap() {
        all.push(story.steps.iter().position(|known| std::ptr::eq(known, step)).unwrap());
    }
    all
}

#[test]
fn steps_are_due_in_order_at_their_time_and_when_they_are_seen() {
    let story = small();
    let mut play = Play::new(&story);
    let boot = ended(1, "v1", Outcome::Bootstrap, 0);
    assert_eq!(due(&mut play, &story, 9, std::slice::from_ref(&boot)), NONE);
    assert_eq!(due(&mut play, &story, 10, std::slice::from_ref(&boot)), [0]);
    assert_eq!(due(&mut play, &story, 60, &[boot.clone(), attempt(2, "v2")]), NONE);
    let back = [boot, ended(2, "v2", Outcome::RolledBack, 70)];
    assert!(!play.over(Span::seconds(70), &back), "a sentence is left");
    assert_eq!(due(&mut play, &story, 70, &back), [1]);
    assert!(play.over(Span::seconds(70), &back));
    let ending = Ending { attempts: &back, weights: Weights::HOME, failed_requests: 9 };
    assert_eq!(play.unmet(&ending), Vec::<String>::new());
}

#[test]
fn an_old_outcome_is_not_taken_for_a_new_one() {
    let steps = "  - {do: retry}\n  - {after: {outcome: RolledBack, within: 1m}, say: Again.}\nexpect:";
    let story = parse(&SMALL.replace("expect:", steps)).unwrap();
    let mut play = Play::new(&story);
    let once = vec![ended(2, "v2", Outcome::RolledBack, 40)];
    assert_eq!(due(&mut play, &story, 10, &[]), [0]);
    assert_eq!(due(&mut play, &story, 50, &once), [1, 2], "retried");
    assert_eq!(due(&mut play, &story, 60, &once), NONE, "that was the first time");
    let twice = [once, vec![ended(3, "v2", Outcome::RolledBack, 80)]].concat();
    assert_eq!(due(&mut play, &story, 80, &twice), [3]);
}

#[test]
fn what_never_comes_ends_the_scenario_with_a_sentence() {
    let story = small();
    let mut play = Play::new(&story);
    assert_eq!(due(&mut play, &story, 10, &[]), [0]);
    let error = play.due(Span::minutes(16), &[attempt(2, "v2")]).unwrap_err();
    assert_eq!(error, "step 2 waited since 10s for phase Rollback of v2, which was not seen within 15m");
    let succeeded = [ended(2, "v2", Outcome::Succeeded, 500)];
    let ending = Ending { attempts: &succeeded, weights: Weights::HOME, failed_requests: 0 };
    let unmet = play.unmet(&ending);
    assert!(unmet[0].contains("before its last 1 steps"), "{unmet:?}");
    assert_eq!(unmet[1], "v2 should have ended RolledBack; it ended Succeeded");
}

#[test]
fn a_wait_keeps_the_next_step_waiting() {
    let story = parse(&SMALL.replace("steps:", "steps:\n  - {do: {wait: 30s}}")).unwrap();
    let mut play = Play::new(&story);
    assert_eq!(due(&mut play, &story, 0, &[]), [0]);
    assert_eq!(due(&mut play, &story, 29, &[]), NONE);
    assert_eq!(due(&mut play, &story, 30, &[]), [1]);
}

#[test]
fn a_phase_that_was_too_short_to_be_seen_counts() {
    let story = parse(&SMALL.replace("{phase: Rollback}", "{phase: Promote}")).unwrap();
    let mut play = Play::new(&story);
    assert_eq!(due(&mut play, &story, 10, &[]), [0]);
    assert_eq!(due(&mut play, &story, 20, &[ended(2, "v2", Outcome::RolledBack, 20)]), NONE, "not on the way back");
    assert_eq!(due(&mut play, &story, 30, &[Attempt { phase: Phase::Verify, ..attempt(2, "v2") }]), [1]);
}

#[test]
fn what_is_not_as_expected_is_said() {
    let expect = "expect: {held: {v2: [BudgetFreeze]}, weights: {stable: 100}, failed-requests-below: 5, ";
    let story = parse(&SMALL.replace("expect: {", expect)).unwrap();
    let mut play = Play::new(&story);
    assert_eq!(due(&mut play, &story, 10, &[]), [0]);
    let held = Attempt { hold: Some("NoEvidence".to_owned()), ..attempt(2, "v2") };
    assert_eq!(due(&mut play, &story, 20, &[held]), NONE);
    let late = [ended(2, "v2", Outcome::RolledBack, 400)];
    assert_eq!(due(&mut play, &story, 400, &late), [1]);
    let weights = Weights { stable: Weight::whole(95), canary: Weight::whole(5), previous: Weight::ZERO };
    let unmet = play.unmet(&Ending { attempts: &late, weights, failed_requests: 5 });
    assert_eq!(
        unmet,
        [
            "v2 should have ended RolledBack within 5m; it took 6m30s",
            "v2 should have been held for BudgetFreeze; seen: NoEvidence",
            "the weights should be stable 100 %, canary 0 %, previous 0 %; they are stable 95 %, canary 5 %, previous 0 %",
            "fewer than 5 requests should have failed; 5 did",
        ]
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_stumble(text in ".{0,200}") {
        drop(parse(&text));
    }

    #[test]
    fn steps_come_in_order_and_once(times in proptest::collection::vec(0_u64..200, 1..8), mut looks in proptest::collection::vec(0_u64..300, 1..20)) {
        let mut sorted = times;
        sorted.sort_unstable();
        let steps: String = sorted.iter().map(|at| format!("  - {{at: {at}s, say: Hm.}}\n")).collect();
        let text = SMALL.split("steps:").next().unwrap().to_owned() + "limit: 1h\nsteps:\n" + &steps;
        let story = parse(&text).unwrap();
        let mut play = Play::new(&story);
        looks.sort_unstable();
        let mut done = BTreeMap::new();
        for look in looks {
            for index in due(&mut play, &story, look, &[]) {
                prop_assert!(sorted[index] <= look);
                prop_assert_eq!(index, done.len());
                prop_assert!(done.insert(index, look).is_none());
            }
            prop_assert_eq!(done.len(), sorted.iter().filter(|at| **at <= look).count());
        }
    }
}
