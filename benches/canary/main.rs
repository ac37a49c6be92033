//! Tidegate's comparison and the usual rules on the same seeded traces: how often each rolls back a version that is as good
//! as stable, how soon it notices one that is not, and how many bad requests were served until then. Beside them, traffic that was
//! recorded on a real cluster, where `benches/canary/recorded` has some.
//!
//! `just benchmark` writes `docs/evidence-benchmark.md` and `docs/evidence-benchmark.svg`; `just benchmark --runs 50` is
//! a taste. The figures are a function of the seed and of the number of runs.

mod picture;
mod recorded;
mod report;
mod rules;
mod statistics;
mod tables;
mod traces;

use std::error::Error;
use std::fs;

/// Releases of a version that is as good as stable, for each cell. 0 of 1,000 bounds the rate by 0.4 %.
const RUNS: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut runs = RUNS;
    let mut folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs").to_owned();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--runs" => runs = words.next().ok_or("--runs: how many? Such as --runs 50")?.parse()?,
            "--out" => folder = words.next().ok_or("--out: which folder?")?,
            // Cargo says it to every benchmark.
            "--bench" => {}
            unknown => return Err(format!("{unknown}: not known; there are --runs N and --out FOLDER").into()),
        }
    }
    if runs == 0 {
        return Err("--runs 0: at least 1 is needed".into());
    }
    let recorded = recorded::all(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/canary/recorded").as_ref())?;
    let results = tables::Results::measure(runs, recorded, &mut |told| println!("{told}"))?;
    for (name, text) in
        [("evidence-benchmark.md", report::markdown(&results)), ("evidence-benchmark.svg", picture::svg(&results))]
    {
        let path = format!("{folder}/{name}");
        fs::write(&path, text).map_err(|why| format!("{path}: {why}"))?;
        println!("{path}");
    }
    println!("{}", report::targets(&results));
    Ok(())
}
