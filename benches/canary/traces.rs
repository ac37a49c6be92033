//! Seeded traffic of a canary and of stable.

use fastrand::Rng;
use tidegate::analysis::compare::Counts;

/// What the service is like. Whatever moves, moves for both versions at once, but for clumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The same rates all day.
    Quiet,
    /// Traffic swings by 60 % and errors by a factor of 2 up and down, over 24 hours.
    Daily,
    /// About once an hour, for 1 to 4 minutes, five times the traffic and four times the errors.
    Bursts,
    /// Errors come in clumps of 5 on average, each on one version.
    Clumped,
    /// About every 4 hours, and once in each release, 3 to 15 minutes with 5 to 40 % errors.
    Incidents,
    /// Errors wander by 8 % a minute, up to five times up or down.
    Drift,
}

impl Shape {
    pub const ALL: [Self; 6] = [Self::Quiet, Self::Daily, Self::Bursts, Self::Clumped, Self::Incidents, Self::Drift];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Daily => "daily shape",
            Self::Bursts => "bursts",
            Self::Clumped => "overdispersed",
            Self::Incidents => "incidents",
            Self::Drift => "drift",
        }
    }
}

/// A service and a release of it.
#[derive(Debug, Clone, Copy)]
pub struct World {
    pub shape: Shape,
    /// Requests per second of both versions, on average.
    pub per_second: f64,
    /// Stable's usual share of bad requests.
    pub base: f64,
    /// The canary's share of bad requests from its onset on; where stable has more, as stable. None: it is as good.
    pub fault: Option<Fault>,
    /// Seconds from one sample to the next.
    pub step: f64,
}

/// What is wrong with a canary.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Share of bad requests.
    pub rate: f64,
    /// Minutes after it got traffic.
    pub onset: f64,
}

/// The canary's share of the traffic.
pub const WEIGHT: f64 = 0.05;

/// Minutes of a release.
pub const MINUTES: f64 = 60.0;

/// One sample.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub canary: Counts,
    pub stable: Counts,
}

impl World {
    /// How many samples a span of minutes has.
    pub fn samples(&self, minutes: f64) -> usize {
        (minutes * 60.0 / self.step).round() as usize
    }

    /// Stable's last 24 hours, by itself.
    pub fn history(&self, random: &mut Rng) -> Vec<Option<Counts>> {
        let mut sky = Sky::new(self.shape, false, random);
        (0..self.samples(1_440.0))
            .map(|index| {
                let (traffic, rate) = sky.at(index as f64 * self.step / 60.0, self.step / 60.0, self.base, random);
                let requests = poisson(random, self.per_second * self.step * traffic);
                self.counts(random, requests, rate)
            })
            .collect()
    }

    /// A release of so many minutes.
    pub fn release(&self, minutes: f64, random: &mut Rng) -> Vec<Sample> {
        let mut sky = Sky::new(self.shape, true, random);
        (0..self.samples(minutes))
            .filter_map(|index| {
                let at = index as f64 * self.step / 60.0;
                let (traffic, rate) = sky.at(at, self.step / 60.0, self.base, random);
                let requests = self.per_second * self.step * traffic;
                let of_canary = match self.fault {
                    Some(fault) if at >= fault.onset => rate.max(fault.rate),
                    Some(_) | None => rate,
                };
                let (to_canary, to_stable) =
                    (poisson(random, requests * WEIGHT), poisson(random, requests * (1.0 - WEIGHT)));
                let canary = self.counts(random, to_canary, of_canary)?;
                let stable = self.counts(random, to_stable, rate)?;
                Some(Sample { canary, stable })
            })
            .collect()
    }

    fn counts(&self, random: &mut Rng, requests: f64, rate: f64) -> Option<Counts> {
        let bad = match self.shape {
            Shape::Clumped => clumped(random, requests, rate),
            Shape::Quiet | Shape::Daily | Shape::Bursts | Shape::Incidents | Shape::Drift => {
                binomial(random, requests, rate)
            }
        };
        Counts::new(requests, bad).ok()
    }
}

/// What happens to both versions at once.
struct Sky {
    shape: Shape,
    /// Where in the day it begins, as a part of a day; of traffic and of errors.
    phases: (f64, f64),
    /// Until which minute a burst or an incident lasts, and its share of errors.
    until: f64,
    level: f64,
    /// When the incident of this release begins.
    incident_at: Option<f64>,
    /// The logarithm of how far errors have wandered.
    wandered: f64,
}

impl Sky {
    fn new(shape: Shape, release: bool, random: &mut Rng) -> Self {
        Self {
            shape,
            phases: (random.f64(), random.f64()),
            until: -1.0,
            level: 0.0,
            incident_at: (release && shape == Shape::Incidents).then(|| between(random, 2.0, 45.0)),
            wandered: 0.0,
        }
    }

    /// Times the traffic, and the share of bad requests, at this minute.
    fn at(&mut self, minute: f64, step: f64, base: f64, random: &mut Rng) -> (f64, f64) {
        let day = |phase: f64| ((minute / 1_440.0 + phase) * std::f64::consts::TAU).sin();
        match self.shape {
            Shape::Quiet | Shape::Clumped => (1.0, base),
            Shape::Daily => (1.0 + 0.6 * day(self.phases.0), base * 2_f64.powf(day(self.phases.1))),
            Shape::Bursts => {
                if minute >= self.until && random.f64() < step / 60.0 {
                    self.until = minute + between(random, 1.0, 4.0);
                }
                if minute < self.until { (5.0, (base * 4.0).min(1.0)) } else { (1.0, base) }
            }
            Shape::Incidents => {
                let planned = self.incident_at.is_some_and(|at| minute >= at);
                if minute >= self.until && (planned || random.f64() < step / 240.0) {
                    self.incident_at = self.incident_at.filter(|_| !planned);
                    self.until = minute + between(random, 3.0, 15.0);
                    self.level = between(random, 0.05, 0.4);
                }
                let level = self.level * between(random, 0.8, 1.2);
                (1.0, if minute < self.until { level.max(base) } else { base })
            }
            Shape::Drift => {
                self.wandered = (self.wandered + normal(random) * 0.08 * step.sqrt()).clamp(-1.6, 1.6);
                (1.0, base * self.wandered.exp())
            }
        }
    }
}

fn between(random: &mut Rng, least: f64, most: f64) -> f64 {
    least + (most - least) * random.f64()
}

/// A standard normal number (Box and Muller).
fn normal(random: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    radius * (random.f64() * std::f64::consts::TAU).cos()
}

/// How many come when `mean` are expected; from 30 on by the normal distribution.
fn poisson(random: &mut Rng, mean: f64) -> f64 {
    if mean >= 30.0 {
        return (mean + normal(random) * mean.sqrt()).round().max(0.0);
    }
    let (least, mut left, mut number) = ((-mean).exp(), random.f64(), 0.0);
    while left > least {
        left *= random.f64();
        number += 1.0;
    }
    number
}

/// How many of `n` are bad, each with chance `p`; from a variance of 30 on by the normal distribution.
fn binomial(random: &mut Rng, n: f64, p: f64) -> f64 {
    if p > 0.5 {
        return n - binomial(random, n, 1.0 - p);
    }
    let variance = n * p * (1.0 - p);
    if variance >= 30.0 {
        return (n * p + normal(random) * variance.sqrt()).round().clamp(0.0, n);
    }
    if p <= 0.0 {
        return 0.0;
    }
    // From one bad request to the next.
    let (mut at, mut bad) = (0.0, 0.0);
    loop {
        at += ((1.0 - random.f64()).ln() / (-p).ln_1p()).floor() + 1.0;
        if at > n {
            return bad;
        }
        bad += 1.0;
    }
}

/// As many bad ones on average, in clumps of 5 on average (geometric), so that variance over mean is 9.
fn clumped(random: &mut Rng, n: f64, p: f64) -> f64 {
    const CLUMP: f64 = 5.0;
    let clumps = binomial(random, n, p / CLUMP);
    let mut bad = 0.0;
    for _ in 0..clumps as u64 {
        bad += ((1.0 - random.f64()).ln() / (-1.0 / CLUMP).ln_1p()).floor() + 1.0;
    }
    bad.min(n)
}
