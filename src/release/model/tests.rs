//! The model, run.

use std::sync::Mutex;

use stateright::{Checker, Model};

use super::Release;

/// A number from the environment. More disturbances than one, and a controller that is slow at any moment, take minutes:
/// `TIDEGATE_DISTURBANCES=2 TIDEGATE_SLOW=1 cargo test --lib release::model`.
fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn every_course_of_a_release_keeps_the_promises_and_ends() {
    let disturbances = u8::try_from(number("TIDEGATE_DISTURBANCES").unwrap_or(1)).unwrap();
    let model = Release { disturbances, prompt: number("TIDEGATE_SLOW").is_none(), ends: Mutex::default() };
    let began = std::time::Instant::now();
    let most = number("TIDEGATE_STATES").unwrap_or(10_000_000);
    let checker = model.checker().threads(1).target_state_count(most).spawn_bfs().join();
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
    assert!(checker.state_count() < most, "not every course was tried: raise TIDEGATE_STATES above {most}");
}
