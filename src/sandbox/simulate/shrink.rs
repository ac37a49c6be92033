//! The smallest world that still fails: items are left out as long as the same rule is broken.

use super::check::Rule;
use super::run::{Options, Report, run};

/// Runs a failing seed with fewer and fewer items; answers the options and the report of the smallest that breaks `rule`,
/// with its trace.
pub fn smallest(seed: u64, options: &Options, rule: Rule) -> Result<(Options, Report), String> {
    let broken = |report: &Report| report.violations.iter().any(|violation| violation.rule == rule);
    let mut best = Options { traced: false, ..options.clone() };
    let mut items: Vec<usize> = run(seed, &best)?.items.iter().map(|(number, _)| *number).collect();
    // Each item on its own, over and over, until none can be spared: there are few.
    loop {
        let before = items.len();
        let mut index = items.len();
        while index > 0 {
            index -= 1;
            let mut fewer = best.clone();
            fewer.without.insert(items[index]);
            if broken(&run(seed, &fewer)?) {
                best = fewer;
                items.remove(index);
            }
        }
        if items.len() == before {
            break;
        }
    }
    best.traced = true;
    let report = run(seed, &best)?;
    Ok((best, report))
}

/// The command that replays a world.
pub fn command(seed: u64, options: &Options) -> String {
    let without: Vec<_> = options.without.iter().map(ToString::to_string).collect();
    let without = if without.is_empty() { String::new() } else { format!(" --without {}", without.join(",")) };
    format!("cargo run --release -- sandbox simulate --seed {seed} --mix {}{without} --trace", options.mix)
}
