//! Ten traces with the wealth that is expected after every interval, to a millionth.

use super::*;
use crate::analysis::compare::wealth::{Bet, Game, LATER, RATIOS};
use proptest::prelude::*;
use rstest::rstest;
use serde::Deserialize;

/// The chance of a game whose stake for the plan is played as the reference's with this `alpha`: it has a tenth more, for all that comes
/// after.
fn within_the_plan(alpha: f64) -> f64 {
    alpha / (1.0 - LATER)
}

/// The wealth of the reference: without what is set aside for later.
fn planned(wealth: &Wealth, game: &Game, counted: u32) -> f64 {
    wealth.ln_planned(game, counted).exp() / (1.0 - LATER)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    name: String,
    params: Params,
    /// Requests and bad ones of the new version, then of stable.
    intervals: Vec<(f64, f64, f64, f64)>,
    wealth: Vec<f64>,
    worse_at: Option<usize>,
}

#[derive(Deserialize)]
struct Params {
    rho: f64,
    eps: f64,
    phi: f64,
    alpha: f64,
    horizon: u32,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("vectors.json")).unwrap()
}

#[rstest]
#[case("same, 100 rps, 5 %")]
#[case("same, 10 rps, 5 %, noisy stable")]
#[case("5 % errors, 100 rps")]
#[case("5 % errors, 10 rps")]
#[case("0.5 % errors, 100 rps, slow burn")]
#[case("late onset at minute 20")]
#[case("canary better than stable")]
#[case("no canary traffic at all")]
#[case("all canary requests fail")]
#[case("stable broken too")]
fn wealth_and_decision(#[case] name: &str) {
    let vector = vectors().into_iter().find(|vector| vector.name == name).unwrap();
    let Params { rho, eps, phi, alpha, horizon } = vector.params;
    assert_eq!((rho, alpha), (FACTOR, CHANCE_MAX));
    let (phi, horizon) = (Overdispersion::from(phi), Horizon::from(horizon));
    let game = Game { bet: Bet::Worse, slack: eps, phi, horizon, chance: within_the_plan(alpha) };
    let intervals: Vec<Interval> = vector
        .intervals
        .iter()
        .enumerate()
        .map(|(index, (nc, ec, ns, es))| minute(index, (*nc, *ec), (*ns, *es)))
        .collect();
    let mut wealth = Wealth::default();
    for (index, (interval, expected)) in intervals.iter().zip(&vector.wealth).enumerate() {
        let counted = u32::try_from(index).unwrap();
        wealth = wealth.after(&game, counted, interval);
        let seen = planned(&wealth, &game, counted + 1);
        assert!((seen / expected - 1.0).abs() < 1e-6, "{name}, interval {index}: {seen}, expected {expected}");
    }
    // The same through the front door.
    let setup = Setup {
        overdispersion: game.phi,
        horizon: game.horizon,
        slack: Percent::new(eps * 100.0).unwrap(),
        tolerance: Percent::whole(1),
        base_rate: None,
        signals: Signals::ONE,
    };
    let mut tally = Tally::default();
    let worse_at = intervals.iter().position(|interval| {
        assert_eq!(tally.count(&setup, interval), Counted::New);
        word(&tally.finding(&setup, &Signal::Errors)) == "Worse"
    });
    assert_eq!(worse_at, vector.worse_at);
}

#[test]
fn every_vector_is_in_the_table() {
    assert_eq!(vectors().len(), 10);
}

/// Both bets without logarithms, and otherwise as they are defined: `m` below 1 is the bet that it is not worse. Within the plan the
/// reference's wealth, with a stake of 1; after it, what was set aside on top of that is in it.
fn plainly(game: &Game, from_start: f64, ceiling: f64, rows: &[(f64, f64, f64, f64)]) -> Vec<f64> {
    let k = RATIOS.len() as f64;
    let horizon = f64::from(game.horizon.get());
    let (mut parts, mut begun, mut scale) = ([0.0_f64; RATIOS.len()], 0.0, 1.0);
    let (mut aside, mut before) = (LATER / (1.0 - LATER), 1.0_f64);
    let mut path = Vec::new();
    for (index, (nc, ec, ns, es)) in rows.iter().enumerate() {
        let start = if index == 0 { from_start } else { 0.0 };
        let at = index as f64;
        let late = at >= horizon;
        let begins = if late { 0.0 } else { start + (1.0 - from_start) / horizon };
        begun += begins;
        if at == horizon {
            before += aside;
        }
        let left = if late { LATER / (1.0 - LATER) * horizon / (at + 1.0) } else { aside };
        let anew = scale * begins + aside - left;
        aside = left;
        for (part, ratio) in parts.iter_mut().zip(RATIOS) {
            let m = match game.bet {
                Bet::Worse => ratio,
                Bet::NotWorse => 1.0 / ratio,
            };
            let mut says = 0.0;
            if *nc > 0.0 {
                let g = (FACTOR * nc + ns) / (FACTOR * m * nc + ns);
                says = ec * (m * g).ln() + es * g.ln() - game.slack * nc * (m * g - 1.0);
            }
            *part = (*part + anew / k) * (says / game.phi.get()).min(600.0).exp();
        }
        let waits = if late { aside } else { scale * (1.0 - begun).max(0.0) };
        let mut now = parts.iter().sum::<f64>() + waits;
        let most = (before * CHANCE_MAX.powf(-0.5)).min(ceiling);
        if now > most {
            // What is set aside stays.
            let shrink = if late { (most - aside) / (now - aside) } else { most / now };
            scale *= shrink;
            parts = parts.map(|part| part * shrink);
            now = most;
        }
        before = now;
        path.push(now);
    }
    path
}

fn rows() -> impl Strategy<Value = Vec<(f64, f64, f64, f64)>> {
    let row = (0..400_u32, 0..20_u32, 0..2_000_u32, 0..40_u32)
        .prop_map(|(nc, ec, ns, es)| (f64::from(nc), f64::from(ec.min(nc)), f64::from(ns), f64::from(es.min(ns))));
    proptest::collection::vec(row, 1..30)
}

proptest! {
    #[test]
    fn both_bets_are_as_defined(rows in rows(), phi in 1.0..9.0_f64, horizon in 1..60_u32) {
        let ceiling = within_the_plan(CHANCE_MAX).powi(-2) / (1.0 - LATER);
        for (bet, slack, from_start, ceiling) in
            [(Bet::Worse, 0.000_5, 0.5, f64::INFINITY), (Bet::NotWorse, 0.01, 0.9, ceiling)]
        {
            let (phi, horizon) = (Overdispersion::from(phi), Horizon::from(horizon));
            let game = Game { bet, slack, phi, horizon, chance: within_the_plan(CHANCE_MAX) };
            let mut wealth = Wealth::default();
            let expected = plainly(&game, from_start, ceiling, &rows);
            for (index, ((nc, ec, ns, es), expected)) in rows.iter().zip(expected).enumerate() {
                let counted = u32::try_from(index).unwrap();
                wealth = wealth.after(&game, counted, &minute(index, (*nc, *ec), (*ns, *es)));
                let seen = match counted < horizon.get() {
                    true => planned(&wealth, &game, counted + 1),
                    false => wealth.ln(&game, counted + 1).exp() / (1.0 - LATER),
                };
                // The plain one is off by the last bits of 1 in what is not bet yet, which counts where all else is lost.
                prop_assert!((seen - expected).abs() <= 1e-6 * expected + 1e-12, "{bet:?} {index}: {seen} {expected}");
            }
        }
    }
}
