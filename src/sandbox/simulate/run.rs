//! One world from its beginning to its end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::around;
use super::check::{NAME, NAMESPACE, Rule, Violation};
use super::coverage::Coverage;
use super::ending::{end, heal, stopped};
use super::happen::happen;
use super::owners;
use super::process::Place;
use super::programs::{RATE, RATE_OF_TWO, program};
use super::schedule::{Act, Item, Mix, Workload, of_seed, shared as budget};
use super::stewards::Stewards;
use super::trials;
use super::world::{Shared, World};
use crate::api::{Span, Time};
use crate::prometheus::config::{CircuitBreaker, LabelSelector};
use crate::sandbox::cluster::SimulatedCluster;
use crate::sandbox::config::config;
use crate::sandbox::time::VirtualClock;
use crate::sandbox::webhook::Webhook;

/// What is run.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// How much happens.
    pub mix: Mix,
    /// Items that are left out, by their number.
    pub without: BTreeSet<usize>,
    /// Whether every change is written down.
    pub traced: bool,
}

impl Options {
    /// Everything of a mix, nothing written down.
    pub const fn of(mix: Mix) -> Self {
        Self { mix, without: BTreeSet::new(), traced: false }
    }
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// What happened, with its number.
    pub items: Vec<(usize, Item)>,
    /// What did not hold.
    pub violations: Vec<Violation>,
    /// What happened in detail, if asked for.
    pub trace: Vec<String>,
    /// What was reached.
    pub coverage: Coverage,
    /// How long it took, in the world's time.
    pub lasted: Span,
    /// What Tidegate wrote, without leases.
    pub writes: u64,
    /// How many attempts ended.
    pub attempts: u64,
}

/// How long a router that lags takes.
pub(super) const LAG: Span = Span::seconds(4);
/// How many callers go past the route where some do, 0 to 1.
pub(super) const ASIDE: f64 = 0.8;
/// How many risk points a budget has where what is asked for is enforced: for none but a fix, for one release, for some, for
/// all.
const FEW: [u32; 4] = [10, 20, 60, 400];
/// When all worlds begin.
const EPOCH: u64 = 1_775_000_000;
/// A moment at which a month begins in UTC, and with it the window of a budget.
const MIDNIGHT: u64 = 1_775_001_600;
/// How long, in seconds, the first versions have before anything else happens.
const SETTLES: u64 = 25;
/// More writes than any world has.
const CIRCLES: u64 = 3_000;

/// Runs the world of a seed. The same seed and options give the same report.
pub fn run(seed: u64, options: &Options) -> Result<Report, String> {
    // Libraries throw dice too; all of this happens on this thread.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|why| format!("no runtime: {why}"))?;
    let report = runtime.block_on(live(seed, options));
    runtime.shutdown_background();
    report
}

async fn live(seed: u64, options: &Options) -> Result<Report, String> {
    let began = if options.mix.shared { MIDNIGHT - SETTLES - budget::turns_after(seed) } else { EPOCH };
    let epoch = Time(jiff::Timestamp::from_second(i64::try_from(began).unwrap_or_default()).unwrap_or_default());
    let mut cluster =
        SimulatedCluster::new(seed, epoch, if options.mix.shared { RATE_OF_TWO } else { RATE }, Arc::new(program))?;
    cluster.api.answer_leanly();
    if options.mix.webhook {
        cluster.api.set_admission(Arc::new(Webhook::shipped(true)?));
    }
    let shared = Shared::new(cluster, VirtualClock::new(epoch, seed), options.traced);
    shared.set_prometheus(None, Span::ZERO);
    let refused = shared.with(|world| {
        let World { people, cluster, .. } = world;
        people.workload = options.mix.workload;
        // A world in which nothing is enforced spends from plenty: what it releases is not about points.
        people.points = if options.mix.enforced { Some(FEW[seed as usize % FEW.len()]) } else { None };
        people.stewards = options.mix.shared.then(|| Stewards::new(budget::points(seed), options.mix.joined));
        if options.mix.workload != Workload::Routed {
            cluster.call_directly(NAMESPACE, NAME);
        }
        set_budget(cluster, 90);
        people.several = options.mix.several;
        // Dice of its own: the rest of a world is what it was before there was a choice.
        people.careful = fastrand::Rng::with_seed(seed ^ 0x0a11).bool();
        people.tried = options.mix.jobs;
        people.surrounded = options.mix.around > 0;
        let surrounded = people.surrounded;
        let owned = options.mix.owners > 0;
        let begun = if owned { owners::begin(world, seed) } else { Ok(()) };
        // A StatefulSet has no ReplicaSets that could be lost or scaled.
        let settles = (surrounded || owned) && options.mix.workload != Workload::Stateful;
        let mut codes = if settles { around::before(world, epoch) } else { Vec::new() };
        let World { people, cluster, .. } = world;
        codes.extend(people.install(&mut cluster.api));
        if surrounded {
            codes.extend(around::install(world));
        }
        begun.map(|()| codes.into_iter().filter(|code| *code >= 300).collect::<Vec<_>>())
    })?;
    if !refused.is_empty() {
        return Err(format!("the world's own objects were refused: {refused:?}"));
    }
    let turning = tokio::spawn(turn(shared.clone()));
    let items = of_seed(seed, options.mix);
    let mut config = config(Span::seconds(10))?;
    if items.iter().any(|item| matches!(item.act, Act::Breaker(_))) {
        config.circuit_breakers.insert("critical".to_owned(), breaker());
    }
    let config = Arc::new(config);
    let places = [0, 1].map(|number| Place::new(number, &shared, seed));
    let working = places.clone().map(|place| tokio::spawn(place.work(shared.clone(), config.clone(), seed)));

    // The world begins when the first version runs and is known.
    tokio::time::sleep(Duration::from_secs(SETTLES)).await;
    let items: Vec<_> = items.into_iter().enumerate().collect();
    let items: Vec<_> = items.into_iter().filter(|(number, _)| !options.without.contains(number)).collect();
    let began = Instant::now();
    let now = shared.now();
    shared.with(|world| world.checkers.circumstances.calm_since = Some(now));
    let mut over = began;
    for (_, item) in &items {
        if !wait(&shared, began + item.at.as_std()).await {
            break;
        }
        happen(&shared, &places, &item.act);
        over = over.max(Instant::now() + item.act.fault().unwrap_or(Span::ZERO).as_std());
    }
    let held = wait(&shared, over).await;
    heal(&shared, &places);
    // What came of a world in which a rule was broken is nobody's concern.
    let mut end = if held { end(&shared).await } else { Vec::new() };
    if held && end.is_empty() {
        end.extend(stopped(&shared, &items, options.mix));
    }
    for place in &places {
        let refused = place.metrics().errors("invariant");
        if refused > 0 {
            end.push((Rule::PlanRefused, format!("{refused} of process {}", place.number)));
        }
    }
    working.iter().for_each(tokio::task::JoinHandle::abort);
    turning.abort();
    let now = shared.now();
    Ok(shared.with(|world| {
        for (rule, says) in end {
            world.checkers.violated(rule, now, says);
        }
        let coverage = std::mem::take(&mut world.coverage);
        let attempts = coverage.counts().filter(|(sort, ..)| *sort == "outcome").map(|(_, _, count)| count).sum();
        Report {
            seed,
            items,
            violations: std::mem::take(&mut world.checkers.violations),
            trace: std::mem::take(&mut world.trace),
            coverage,
            lasted: now.since(epoch),
            writes: world.writes,
            attempts,
        }
    }))
}

/// Waits until then, or until a rule is broken: whether all have held. Who writes without end goes in circles.
pub(super) async fn wait(shared: &Shared, until: Instant) -> bool {
    loop {
        let writes = shared.with(|world| world.writes);
        if writes > CIRCLES {
            let now = shared.now();
            let says = format!("{writes} writes: Tidegate goes in circles");
            shared.with(|world| world.checkers.violated(Rule::NotQuiet, now, says));
        }
        if shared.with(|world| !world.checkers.violations.is_empty()) {
            return false;
        }
        let now = Instant::now();
        if now >= until {
            return true;
        }
        tokio::time::sleep_until(until.min(now + Duration::from_secs(1))).await;
    }
}

/// So much of the error budget is left from now on, in percent, by an objective of 99 %.
pub(super) fn set_budget(cluster: &mut SimulatedCluster, left: u32) {
    cluster.set_slo(NAMESPACE, 1000.0, 10.0 * (1.0 - f64::from(left) / 100.0));
}

/// What a cluster does by itself, whenever it is due; never ends.
pub async fn turn(shared: Arc<Shared>) {
    let mut changed = shared.changed();
    loop {
        changed.mark_unchanged();
        let now = shared.now();
        let next = shared.with(|world| {
            trials::step(world, now);
            owners::step(world, now);
            world.cluster.step(now)
        });
        tokio::select! {
            biased;
            // Controllers hear of a change a little later.
            _ = changed.changed() => tokio::time::sleep(Duration::from_millis(10)).await,
            () = tokio::time::sleep_until(shared.clock().instant(next)) => {}
        }
    }
}

/// A breaker of every release, which is open while something is critical.
fn breaker() -> CircuitBreaker {
    CircuitBreaker {
        source: "default".to_owned(),
        namespaces: Vec::new(),
        selector: LabelSelector::default(),
        query: "sum(critical_errors) or vector(0)".to_owned(),
        above: 5.0,
        halts_fixes: false,
        note: None,
    }
}
