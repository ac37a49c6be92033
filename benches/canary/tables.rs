//! What is measured: every cell, from its own seed.

use fastrand::Rng;
use tidegate::analysis::compare::{Baseline, Finding, Flow, Setup, Tally, bake_time};
use tidegate::api::Percent;

use super::recorded::Recorded;
use super::rules::{self, Rule};
use super::statistics::{Estimate, bootstrap, mean, median};
use super::traces::{Fault, MINUTES, Shape, WEIGHT, World};

/// Requests per second of both versions.
pub const TRAFFIC: [f64; 4] = [1.0, 10.0, 100.0, 1_000.0];
/// Stable's usual shares of bad requests.
const BASES: [f64; 3] = [0.001, 0.01, 0.05];
/// A bad canary's.
const FAULTS: [f64; 4] = [0.005, 0.01, 0.02, 0.05];
/// Minutes after which a canary turns bad.
const ONSETS: [f64; 2] = [0.0, 20.0];
/// Minutes for which a release is held after those that were planned, and then its canary turns bad.
pub const HOLD: f64 = 120.0;
/// A bad canary's shares after a hold.
const FAULTS_HELD: [f64; 2] = [0.01, 0.05];
/// How many different days stable had, of each cell; releases take turns.
const DAYS: usize = 20;

/// How often each rule rolls back a version that is as good as stable.
pub struct Harmless {
    pub world: World,
    pub runs: usize,
    /// In the order of [`Rule::ALL`].
    pub rolled_back: Vec<usize>,
}

/// How each rule notices a version that is not.
pub struct Harmful {
    pub world: World,
    pub fault: Fault,
    pub by_rule: Vec<Noticed>,
}

/// How one rule did.
pub struct Noticed {
    /// Releases that were not rolled back before the onset.
    pub runs: usize,
    /// How many of these were rolled back at all.
    pub found: usize,
    /// Minutes from the onset, of those: the median.
    pub minutes: Option<Estimate>,
    /// Bad requests that the canary answered from its onset until it was rolled back, or to the end: the mean.
    pub bad: Option<Estimate>,
}

/// How long it takes to call a version not worse.
pub struct Baking {
    pub world: World,
    /// What was promised before the start, in minutes.
    pub promised: Option<f64>,
    /// How long it took: the median, of those in which it was told within 10 hours.
    pub took: Option<Estimate>,
    pub told: usize,
    /// Of as many versions that are just too bad, how many were called not worse within an hour.
    pub wrong: usize,
    pub runs: usize,
}

/// How each rule does on a release that was recorded.
pub struct Replayed {
    pub name: String,
    pub recorded: Recorded,
    /// How many of its samples are before the canary is worse; all where it never is.
    pub onset: usize,
    pub samples: usize,
    /// In the order of [`Rule::ALL`]: the sample at which it rolls back, and how many bad requests the canary answered from the
    /// onset until then, or to the end.
    pub by_rule: Vec<(Option<usize>, f64)>,
}

/// All of it.
pub struct Results {
    pub runs: usize,
    pub recorded: Vec<Replayed>,
    pub harmless: Vec<Harmless>,
    pub harmful: Vec<Harmful>,
    /// With a sample every 15 seconds: quiet from the start on at every traffic, then the others at 100 requests/s.
    pub quick: Vec<Harmful>,
    /// Held for `HOLD` minutes after the plan, and for as long as was planned after that: as good as stable, and one that turns bad then.
    pub held_good: Vec<Harmless>,
    pub held_bad: Vec<Harmful>,
    pub baking: Vec<Baking>,
}

impl Results {
    /// Measures; a fifth as many runs where a bad version is noticed.
    ///
    /// The error names a recorded trace that cannot be read.
    pub fn measure(runs: usize, recorded: Vec<(String, Recorded)>, tell: &mut dyn FnMut(&str)) -> Result<Self, String> {
        let recorded: Vec<_> =
            recorded.into_iter().map(|(name, recorded)| replayed(name, recorded)).collect::<Result<_, _>>()?;
        let fewer = runs.div_ceil(5);
        let mut seed = 0_u64;
        let mut random = move || {
            seed += 1;
            Rng::with_seed(seed)
        };
        let world = |shape, per_second, base, fault, step| World { shape, per_second, base, fault, step };
        let (mut harmless, mut harmful, mut quick, mut baking) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for shape in Shape::ALL {
            for per_second in TRAFFIC {
                for base in BASES {
                    let good = world(shape, per_second, base, None, 60.0);
                    harmless.push(as_good(good, MINUTES, runs, random()));
                }
                for rate in FAULTS {
                    for onset in ONSETS {
                        let fault = Fault { rate, onset };
                        let world = world(shape, per_second, BASES[0], Some(fault), 60.0);
                        harmful.push(bad(world, fault, MINUTES, fewer, random()));
                    }
                }
            }
            tell(shape.name());
        }
        for per_second in TRAFFIC {
            let fault = Fault { rate: 0.05, onset: 0.0 };
            let quiet = world(Shape::Quiet, per_second, BASES[0], Some(fault), 15.0);
            quick.push(bad(quiet, fault, MINUTES, fewer, random()));
            baking.push(not_worse(world(Shape::Quiet, per_second, BASES[0], None, 60.0), fewer, random()));
        }
        // Every other cell that the target speaks of.
        for shape in Shape::ALL {
            for onset in ONSETS.into_iter().filter(|onset| (shape, *onset) != (Shape::Quiet, 0.0)) {
                let fault = Fault { rate: 0.05, onset };
                let other = world(shape, 100.0, BASES[0], Some(fault), 15.0);
                quick.push(bad(other, fault, MINUTES, fewer, random()));
            }
        }
        tell("15-second samples, bake times");
        let (mut held_good, mut held_bad) = (Vec::new(), Vec::new());
        let whole = MINUTES + HOLD + MINUTES;
        for (shape, per_second) in Shape::ALL
            .map(|shape| (shape, 100.0))
            .into_iter()
            .chain([10.0, 1_000.0].map(|traffic| (Shape::Quiet, traffic)))
        {
            held_good.push(as_good(world(shape, per_second, BASES[0], None, 60.0), whole, runs, random()));
            for rate in FAULTS_HELD {
                let fault = Fault { rate, onset: MINUTES + HOLD };
                let late = world(shape, per_second, BASES[0], Some(fault), 60.0);
                held_bad.push(bad(late, fault, whole, fewer, random()));
            }
        }
        tell("after a hold");
        Ok(Self { runs, recorded, harmless, harmful, quick, held_good, held_bad, baking })
    }
}

fn setups(world: &World, random: &mut Rng) -> Vec<Setup> {
    (0..DAYS).map(|_| rules::setup(world, &Baseline::of(&world.history(random)))).collect()
}

fn replayed(name: String, recorded: Recorded) -> Result<Replayed, String> {
    let release = recorded.samples()?;
    let world = World {
        shape: Shape::Quiet,
        per_second: recorded.requests_per_second,
        base: recorded.base(),
        fault: None,
        step: recorded.step_seconds,
    };
    let setup = rules::setup(&world, &Baseline::of(&recorded.history()?));
    let onset = recorded.onset().unwrap_or(release.len()).min(release.len());
    let by_rule = Rule::ALL.map(|rule| {
        let at = rule.rolls_back_at(&world, &setup, &release);
        let until = at.map_or(release.len(), |at| at + 1).max(onset);
        (at, release[onset..until].iter().map(|one| one.canary.bad()).sum())
    });
    Ok(Replayed { name, recorded, onset, samples: release.len(), by_rule: by_rule.to_vec() })
}

fn as_good(world: World, minutes: f64, runs: usize, mut random: Rng) -> Harmless {
    let setups = setups(&world, &mut random);
    let mut rolled_back = vec![0; Rule::ALL.len()];
    for run in 0..runs {
        let release = world.release(minutes, &mut random);
        for (hits, rule) in rolled_back.iter_mut().zip(Rule::ALL) {
            *hits += usize::from(rule.rolls_back_at(&world, &setups[run % DAYS], &release).is_some());
        }
    }
    Harmless { world, runs, rolled_back }
}

fn bad(world: World, fault: Fault, minutes: f64, runs: usize, mut random: Rng) -> Harmful {
    let setups = setups(&world, &mut random);
    let onset = world.samples(fault.onset);
    let releases: Vec<_> = (0..runs).map(|_| world.release(minutes, &mut random)).collect();
    let by_rule = Rule::ALL
        .into_iter()
        .map(|rule| {
            let (mut minutes, mut served) = (Vec::new(), Vec::new());
            for (release, setup) in releases.iter().zip(setups.iter().cycle()) {
                let at = rule.rolls_back_at(&world, setup, release);
                if at.is_some_and(|at| at < onset) {
                    continue;
                }
                let samples = at.map_or(release.len(), |at| at + 1) - onset;
                served.push(release[onset..onset + samples].iter().map(|one| one.canary.bad()).sum::<f64>());
                if at.is_some() {
                    minutes.push(samples as f64 * world.step / 60.0);
                }
            }
            Noticed {
                runs: served.len(),
                found: minutes.len(),
                minutes: bootstrap(&minutes, median, &mut random),
                bad: bootstrap(&served, mean, &mut random),
            }
        })
        .collect();
    Harmful { world, fault, by_rule }
}

fn not_worse(world: World, runs: usize, mut random: Rng) -> Baking {
    let setups = setups(&world, &mut random);
    let flow = Flow { candidate: world.per_second * WEIGHT, base: world.per_second * (1.0 - WEIGHT) };
    let known = Setup { base_rate: Percent::new(world.base * 100.0).ok(), ..setups[0] };
    let promised = bake_time(&known, &Tally::default(), flow, rules::length(&world))
        .map(|needed| needed.more.as_secs_f64() / 60.0);
    let said = |finding: &Finding| matches!(finding, Finding::NotWorse(_));
    let took: Vec<f64> = (0..runs)
        .filter_map(|run| {
            let release = world.release(600.0, &mut random);
            rules::finds(&world, &setups[run % DAYS], &release, said).map(|at| (at + 1) as f64)
        })
        .collect();
    // Just as bad as what is to be ruled out, and a hair worse.
    let too_bad = 1.25 * world.base + setups[0].tolerance.ratio() + 1e-6;
    let edge = World { fault: Some(Fault { rate: too_bad, onset: 0.0 }), ..world };
    let wrong = (0..runs)
        .filter(|run| {
            let release = edge.release(MINUTES, &mut random);
            rules::finds(&edge, &setups[run % DAYS], &release, said).is_some()
        })
        .count();
    Baking { world, promised, told: took.len(), took: bootstrap(&took, median, &mut random), wrong, runs }
}
