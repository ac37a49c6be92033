//! One world from its beginning to its end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::around;
use super::check::{Left, NAME, NAMESPACE, Rule, Violation, left_over};
use super::coverage::Coverage;
use super::process::Place;
use super::programs::{RATE, RATE_OF_TWO, program};
use super::schedule::{Act, Deed, Item, Mix, Quality, Workload, of_seed, shared as budget};
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
const LAG: Span = Span::seconds(4);
/// How many callers go past the route where some do, 0 to 1.
const ASIDE: f64 = 0.8;
/// How many risk points a budget has where what is asked for is enforced: for none but a fix, for one release, for some, for
/// all.
const FEW: [u32; 4] = [10, 20, 60, 400];
/// When all worlds begin.
const EPOCH: u64 = 1_775_000_000;
/// A moment at which a month begins in UTC, and with it the window of a budget.
const MIDNIGHT: u64 = 1_775_001_600;
/// How long, in seconds, the first versions have before anything else happens.
const SETTLES: u64 = 25;
/// How long a world may take to end when nothing fails any more.
const ENDS_WITHIN: Duration = Duration::from_secs(15 * 60);
/// More writes than any world has.
const CIRCLES: u64 = 3_000;
/// How long nothing may be written when all has ended.
const QUIET_FOR: Duration = Duration::from_secs(40);

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
        let mut codes = if surrounded { around::before(world, epoch) } else { Vec::new() };
        let World { people, cluster, .. } = world;
        codes.extend(people.install(&mut cluster.api));
        if surrounded {
            codes.extend(around::install(world));
        }
        codes.into_iter().filter(|code| *code >= 300).collect::<Vec<_>>()
    });
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
async fn wait(shared: &Shared, until: Instant) -> bool {
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
fn set_budget(cluster: &mut SimulatedCluster, left: u32) {
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

fn happen(shared: &Shared, places: &[Arc<Place>; 2], act: &Act) {
    shared.with(|world| world.coverage.count("act", act.word()));
    shared.note(&format!("--- {act}"));
    if act.fault().is_some() {
        shared.with(|world| world.checkers.circumstances.calm_since = None);
    }
    match act {
        Act::Lossy { one_in, span } => places.iter().for_each(|place| place.link().lose(*one_in, span.as_std())),
        Act::Conflicts { one_in, span } => {
            places.iter().for_each(|place| place.link().conflict(*one_in, span.as_std()))
        }
        Act::Crash { process, writes, pause } => {
            if let Some(place) = places.get(*process) {
                place.crash(*writes, *pause);
            }
        }
        Act::Partition { process, span } => {
            if let Some(place) = places.get(*process) {
                place.link().cut(span.as_std());
            }
        }
        Act::DropWatches => shared.drop_watches(false),
        Act::Compact => shared.drop_watches(true),
        Act::Prometheus { fault, span } => shared.set_prometheus(Some(*fault), *span),
        Act::Flap(span) => {
            let until = shared.now().plus(*span);
            shared.with(|world| world.cluster.flap_until(until));
        }
        Act::NodeGone { node, span } => {
            let until = shared.now().plus(*span);
            shared.with(|world| world.cluster.lose_node_until(*node, until));
        }
        Act::RouterLag(span) => {
            let until = shared.now().plus(*span);
            shared.with(|world| world.cluster.lag_until(until, LAG));
        }
        Act::RouterStuck(span) => {
            let until = shared.now().plus(*span);
            shared.with(|world| world.cluster.lag_until(until, *span));
        }
        Act::NotSent(span) => shared.send_nothing_for(*span),
        Act::Aside(span) => {
            let until = shared.now().plus(*span);
            shared.with(|world| world.cluster.call_aside_until(until, ASIDE));
        }
        Act::Breaker(span) => {
            let now = shared.now();
            shared.with(|world| {
                world.cluster.go_critical_until(now.plus(*span));
                world.checkers.circumstances.open = Some((now, now.plus(*span)));
            });
        }
        Act::Around(around) => {
            let code = shared.with(|world| around::happen(world, *around));
            if let Some(code) = code.filter(|code| *code >= 300) {
                shared.note(&format!("--- refused: {code}"));
            }
        }
        Act::Trial(trial) => {
            let code = shared.with(|world| trials::happen(world, *trial));
            if let Some(code) = code.filter(|code| *code >= 300) {
                shared.note(&format!("--- refused: {code}"));
            }
        }
        Act::Deed(Deed::DieCharging { process, pause }) => {
            if let Some(place) = places.get(*process) {
                place.die_charging(*pause);
            }
        }
        Act::Load(percent) => shared.with(|world| world.cluster.set_cpu(f64::from(*percent))),
        Act::Budget(percent) => shared.with(|world| set_budget(&mut world.cluster, *percent)),
        Act::Deploy { .. }
        | Act::Revert
        | Act::Scale(_)
        | Act::Autoscale(_)
        | Act::NoAutoscaler
        | Act::Resume
        | Act::Unpause
        | Act::Restart
        | Act::RemoveLabel
        | Act::AddLabel
        | Act::DeleteRelease
        | Act::CreateRelease
        | Act::CreateTwin
        | Act::DeleteTwin
        | Act::DeleteFirst
        | Act::Detach
        | Act::Attach
        | Act::ReapplyRoute
        | Act::RecreateRoute
        | Act::MoveRouteAway
        | Act::MoveRouteBack
        | Act::EditRoute
        | Act::EditRules
        | Act::EditRelease
        | Act::Strategy { .. }
        | Act::Judged { .. }
        | Act::Checked
        | Act::Retry
        | Act::Recreate
        | Act::Malformed
        | Act::DeleteCanary
        | Act::Show { .. }
        | Act::Speak { .. }
        | Act::Deed(_) => {
            let code = shared.with(|world| {
                let World { people, cluster, .. } = world;
                people.act(&mut cluster.api, act)
            });
            if let Some(code) = code.filter(|code| *code >= 300) {
                shared.note(&format!("--- refused: {code}"));
            }
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

/// Nothing fails any more.
fn heal(shared: &Shared, places: &[Arc<Place>; 2]) {
    shared.note("--- all is well from here on");
    places.iter().for_each(|place| place.link().heal());
    shared.set_prometheus(None, Span::ZERO);
    shared.send_nothing_for(Span::ZERO);
    let now = shared.now();
    shared.with(|world| {
        world.cluster.flap_until(now);
        world.cluster.lose_node_until(0, now);
        world.cluster.lag_until(now, LAG);
        world.cluster.go_critical_until(now);
        world.checkers.circumstances.open = None;
        set_budget(&mut world.cluster, 90);
        let World { people, cluster, .. } = &mut *world;
        people.bring_back(&mut cluster.api);
        trials::mend(world);
        world.checkers.circumstances.calm_since = Some(now);
    });
}

/// Waits for the end, and looks whether it is one.
async fn end(shared: &Shared) -> Vec<(Rule, String)> {
    let calm = Instant::now();
    let mut quiet_since: Option<(Instant, u64)> = None;
    loop {
        if !wait(shared, Instant::now() + Duration::from_secs(1)).await {
            return Vec::new();
        }
        let (left, writes) = shared.with(|world| {
            // What was taken away may be there again once its end is through.
            around::mend(world);
            let left = left_over(&world.cluster.api).or_else(|| world.checkers.unseen_edit(&world.cluster.api));
            (left, world.writes)
        });
        let Some(left) = left else {
            match quiet_since {
                Some((since, before)) if before == writes => {
                    if since.elapsed() >= QUIET_FOR {
                        return refused(shared);
                    }
                }
                _ => quiet_since = Some((Instant::now(), writes)),
            }
            if calm.elapsed() > ENDS_WITHIN {
                return vec![(Rule::NotQuiet, format!("{writes} writes and still no quiet {QUIET_FOR:?}"))];
            }
            continue;
        };
        quiet_since = None;
        if calm.elapsed() > ENDS_WITHIN {
            return vec![match left {
                Left::Going(says) => (Rule::NeverEnds, says),
                Left::NotHome(says) => (Rule::NotHome, says),
            }];
        }
    }
}

/// Whether whoever owns the routes is refused although nothing goes on.
fn refused(shared: &Shared) -> Vec<(Rule, String)> {
    let refused = shared.with(|world| {
        let World { people, cluster, .. } = world;
        people.refused(&mut cluster.api)
    });
    let says = || (Rule::OwnerRefused, "an apply of the routes without force is refused when all has ended".to_owned());
    refused.then(says).into_iter().collect()
}

/// In a world where nothing but one good version happens, that version is released.
fn stopped(shared: &Shared, items: &[(usize, Item)], mix: Mix) -> Vec<(Rule, String)> {
    let mut happened = items.iter().filter(|(_, item)| !matches!(item.act, Act::Judged { .. } | Act::Checked));
    let (Some((_, Item { act: Act::Deploy { quality, change, glass, .. }, .. })), None) =
        (happened.next(), happened.next())
    else {
        return Vec::new();
    };
    if (Mix {
        workload: Workload::Routed,
        several: false,
        webhook: false,
        jobs: false,
        handed: false,
        joined: false,
        ..mix
    }) != Mix::CALM
        || *glass
    {
        return Vec::new();
    }
    let (succeeded, back) =
        shared.with(|world| (world.coverage.of("outcome", "Succeeded"), world.coverage.of("outcome", "RolledBack")));
    match quality {
        Quality::Good if succeeded == 0 => vec![(Rule::GoodStopped, format!("a good {change} was not released"))],
        Quality::Errors | Quality::Slow | Quality::Unready | Quality::Crashes | Quality::Disliked if back == 0 => {
            vec![(Rule::BadPassed, format!("a {} {change} was not brought back", quality.as_str()))]
        }
        Quality::Broken | Quality::Stuck if back == 0 && mix.jobs => {
            vec![(Rule::BadPassed, format!("a {} {change} was not brought back", quality.as_str()))]
        }
        Quality::Good
        | Quality::Errors
        | Quality::Slow
        | Quality::Unready
        | Quality::Crashes
        | Quality::Disliked
        | Quality::Broken
        | Quality::Stuck
        | Quality::Late => Vec::new(),
    }
}
