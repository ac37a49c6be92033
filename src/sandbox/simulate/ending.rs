//! The end of a world: nothing fails any more, and everything must come to its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::check::{Left, Rule, left_over};
use super::process::Place;
use super::run::{LAG, set_budget, wait};
use super::schedule::{Act, Item, Mix, Quality, Workload};
use super::world::{Shared, World};
use super::{around, owners, trials};
use crate::api::Span;

/// How long a world may take to end when nothing fails any more.
const ENDS_WITHIN: Duration = Duration::from_secs(15 * 60);
/// How long nothing may be written when all has ended.
const QUIET_FOR: Duration = Duration::from_secs(40);

/// Nothing fails any more.
pub(super) fn heal(shared: &Shared, places: &[Arc<Place>; 2]) {
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
        owners::mend(world);
        world.checkers.circumstances.calm_since = Some(now);
    });
}

/// Waits for the end, and looks whether it is one.
pub(super) async fn end(shared: &Shared) -> Vec<(Rule, String)> {
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

/// In a world where nothing but one good version happens, and what has to be mended before it, that version is released.
pub(super) fn stopped(shared: &Shared, items: &[(usize, Item)], mix: Mix) -> Vec<(Rule, String)> {
    // What has to be mended before it may begin is, in time; a warning stops nothing.
    let aside =
        |act: &Act| matches!(act, Act::Judged { .. } | Act::Checked) || mix.preflight && matches!(act, Act::Around(_));
    let mut happened = items.iter().filter(|(_, item)| !aside(&item.act));
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
        preflight: false,
        left: false,
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
