//! Worlds that always run: what the simulation is, and some hundreds of short ones.

use super::campaign::{Summary, Until, run_many};
use super::run::{Options, run};
use super::schedule::{Act, Deed, Mix, Owner, Quality, Trial, Workload, of_seed};
use super::shrink::command;

#[test]
fn the_same_seed_gives_the_same_world_byte_for_byte() {
    for (seed, mix) in [(3, Mix::WILD), (88, Mix::PEOPLE), (5, Mix::FAULTS), (4, Mix::AROUND), (7, Mix::WILD_SHARED)] {
        let options = Options { traced: true, ..Options::of(mix) };
        let (one, other) = (run(seed, &options).unwrap(), run(seed, &options).unwrap());
        assert!(one.trace.len() > 100, "{}", one.trace.len());
        assert_eq!(one.trace, other.trace, "seed {seed}");
    }
}

#[test]
fn another_seed_gives_another_world() {
    let options = Options { traced: true, ..Options::of(Mix::WILD) };
    assert_ne!(run(1, &options).unwrap().trace, run(2, &options).unwrap().trace);
}

/// Runs worlds and prints how to see again what was broken.
fn hold(mix: Mix, worlds: u64) -> Summary {
    let options = Options::of(mix);
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let summary = run_many(0, Until::Worlds(worlds), jobs, &options, &|_| true);
    let mut says = Vec::new();
    for (seed, why) in &summary.errors {
        says.push(format!("seed {seed} could not be run: {why}"));
    }
    for (rule, seeds) in &summary.broken {
        says.extend(seeds.iter().map(|(seed, what)| format!("{rule}: {what}\n  {}", command(*seed, &options))));
    }
    assert!(says.is_empty(), "{} of {} worlds:\n{}", summary.failed, summary.worlds, says.join("\n"));
    assert_eq!(summary.worlds, worlds);
    assert!(summary.attempts >= worlds, "{} attempts in {worlds} worlds", summary.attempts);
    summary
}

#[test]
fn invariants_hold_when_all_is_calm() {
    hold(Mix::CALM, 50);
}

#[test]
fn invariants_hold_whatever_people_do() {
    hold(Mix::PEOPLE, 100);
}

/// Of worlds with people nothing is left but a version that gets bad late and what becomes of the routes.
#[test]
fn a_route_that_is_made_anew_after_a_late_rollback_leads_to_who_serves() {
    let late = |act: &Act| matches!(act, Act::Deploy { quality: Quality::Late, .. });
    let of_route = |act: &Act| matches!(act, Act::RecreateRoute | Act::MoveRouteAway | Act::MoveRouteBack);
    let mut sent_back = 0;
    for seed in 0..30 {
        let items = of_seed(seed, Mix::PEOPLE);
        let has = |what: &dyn Fn(&Act) -> bool| items.iter().any(|item| what(&item.act));
        if !has(&late) || !has(&of_route) {
            continue;
        }
        let others = items.iter().enumerate().filter(|(_, item)| !late(&item.act) && !of_route(&item.act));
        let without = others.map(|(number, _)| number).collect();
        let report = run(seed, &Options { without, ..Options::of(Mix::PEOPLE) }).unwrap();
        assert!(report.violations.is_empty(), "seed {seed}: {:?}", report.violations);
        sent_back += report.coverage.of("event", "SentBack");
    }
    assert!(sent_back > 0, "in no world a route was made anew in time");
}

#[test]
fn invariants_hold_whatever_fails() {
    let failed = hold(Mix::FAULTS, 100).coverage;
    let (held, went_on) = (failed.of("hold", "CheckNotAsked"), failed.of("went on", "CheckNotAsked"));
    assert!(held > 0 && went_on > 0, "checks that could not be sent held {held}, and {went_on} went on");
}

#[test]
fn invariants_hold_in_wild_worlds() {
    hold(Mix::WILD, 160);
}

#[test]
fn invariants_hold_where_changes_must_be_shown_and_agreed_to() {
    hold(Mix::APPROVED, 60);
    hold(Mix::WILD_APPROVED, 10);
}

#[test]
fn invariants_hold_whatever_happens_around_the_workload() {
    hold(Mix::AROUND, 48);
}

#[test]
fn invariants_hold_with_several_routes_and_with_a_webhook() {
    for (name, mix) in Mix::NAMED.iter().filter(|(_, mix)| mix.several || mix.webhook) {
        hold(*mix, if name.starts_with("calm") { 10 } else { 16 });
    }
}

#[test]
fn invariants_hold_without_a_route() {
    for (name, mix) in Mix::NAMED.iter().filter(|(_, mix)| mix.workload != Workload::Routed) {
        hold(*mix, if name.starts_with("calm") { 10 } else { 30 });
    }
}

#[test]
fn invariants_hold_where_two_releases_spend_one_budget() {
    let shared = hold(Mix::SHARED, 24).coverage;
    // The one without points waits, and goes on when points are there again.
    for reason in ["RiskPointsSpent", "GateBlocked"] {
        assert!(
            shared.of("hold", reason) > 0 && shared.of("went on", reason) > 0,
            "nobody waits and goes on: {reason}"
        );
    }
    for deed in Deed::WORDS.iter().filter(|word| **word != "die-charging") {
        assert!(shared.of("act", deed) > 0, "{deed} happens in no world");
    }
    hold(Mix::WILD_SHARED, 8);
}

#[test]
fn invariants_hold_where_two_services_are_behind_one_route() {
    hold(Mix { joined: true, ..Mix::SHARED }, 16);
    hold(Mix { joined: true, ..Mix::WILD_SHARED }, 8);
}

#[test]
fn invariants_hold_where_a_workload_is_handed_over() {
    let handed = hold(Mix::HANDED, 40).coverage;
    assert!(handed.of("act", "delete-first") > 0, "nothing is handed over");
    hold(Mix { handed: true, ..Mix::WILD }, 16);
}

#[test]
fn invariants_hold_where_jobs_try_each_stage() {
    let jobs = Mix { jobs: true, ..Mix::CALM };
    hold(jobs, 16);
    let wild = hold(Mix { jobs: true, ..Mix::WILD }, 40).coverage;
    assert!(wild.of("trigger", "SyntheticCheck") > 0 && wild.of("hold", "CheckNotRun") > 0, "nothing is tried");
    for trial in Trial::WORDS {
        assert!(wild.of("act", trial) > 0, "{trial} happens in no world");
    }
}

#[test]
fn what_preflight_refuses_is_waited_for() {
    let refused = hold(Mix::PREFLIGHT, 40).coverage;
    for reason in ["HistoryTooShort", "QuotaTooSmall", "NetworkPolicyMissesCanary", "NetworkPolicyPeerMissesCanary"] {
        let (held, went_on) = (refused.of("hold", reason), refused.of("went on", reason));
        assert!(held > 0 && went_on > 0, "{reason} held {held}, and {went_on} went on");
    }
    assert!(refused.of("act", "other-service") > 0, "of nothing is warned");
    hold(Mix { preflight: true, ..Mix::WILD }, 24);
}

#[test]
fn invariants_hold_however_the_workload_is_scaled() {
    let sized = hold(Mix::SIZED, 24).coverage;
    for act in ["autoscale", "load", "scale-by-hand"] {
        assert!(sized.of("act", act) > 0, "{act} happens in no world");
    }
}

#[test]
fn invariants_hold_where_a_workload_is_left_while_no_controller_runs() {
    let left = hold(Mix::LEFT, 24).coverage;
    assert!(left.of("left alone", "left") > 10, "in few worlds it was left: {}", left.of("left alone", "left"));
    hold(Mix { left: true, ..Mix::WILD }, 16);
}

#[test]
fn invariants_hold_whatever_owners_do() {
    let mut owned = hold(Mix::OWNERS, 24).coverage;
    owned.add(&hold(Mix { workload: Workload::Stateful, ..Mix::OWNERS }, 16).coverage);
    for word in Owner::WORDS {
        assert!(owned.of("act", word) > 0, "{word} happens in no world");
    }
    assert!(owned.of("hold", "StableLost") > 0, "nowhere stable is lost");
    assert!(owned.of("refused", "resume") > 0, "nobody is refused who may not let a template run");
    hold(Mix { owners: 4, ..Mix::WILD }, 8);
    hold(Mix { workload: Workload::ByCount, ..Mix::OWNERS }, 8);
}
