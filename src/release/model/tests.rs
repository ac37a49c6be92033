//! The model, run.

use std::sync::Mutex;

use stateright::{Checker, Model};

use super::Release;

/// How many disturbances a course may have; more take long: `TIDEGATE_DISTURBANCES=2 cargo test --lib release::model`.
fn disturbances() -> u8 {
    std::env::var("TIDEGATE_DISTURBANCES").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

fn states_max() -> usize {
    std::env::var("TIDEGATE_STATES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000)
}

#[test]
fn every_course_of_a_release_keeps_the_promises_and_ends() {
    let model = Release { disturbances: disturbances(), ends: Mutex::default() };
    let began = std::time::Instant::now();
    let checker = model.checker().threads(1).target_state_count(states_max()).spawn_bfs().join();
    println!("{} states, {} steps deep, {:?}", checker.unique_state_count(), checker.max_depth(), began.elapsed());
    for (name, path) in checker.discoveries() {
        let property = checker.model().property(name);
        if property.expectation != stateright::Expectation::Sometimes {
            println!("\n== {name}");
            for (state, action) in path.into_vec() {
                println!("{state:?}\n  -> {action:?}");
            }
        }
    }
    checker.assert_properties();
}
