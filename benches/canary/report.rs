//! The page.

use std::fmt::Write as _;

use super::rules::Rule;
use super::statistics::{Estimate, wilson};
use super::tables::{HOLD, Harmful, Harmless, Noticed, Replayed, Results};
use super::traces::{MINUTES, Shape, WEIGHT};

/// The most that a false rollback may happen, 0 to 1.
const FALSE_MAX: f64 = 0.01;

/// All of `docs/evidence-benchmark.md`.
pub fn markdown(results: &Results) -> String {
    let mut page = String::new();
    let runs = results.runs;
    // A String takes everything.
    let _ = write!(
        page,
        "# The comparison of canary and stable, measured

Tidegate's sequential comparison (`src/analysis/compare/`), alone and with the limits of the contract beside it, and plain
re-statements of the usual rules, on the same synthetic traces. Written by `just benchmark`; do not edit. Every figure is a function of the seed and of the number of runs
({runs} releases for each cell where the canary is as good as stable, {fewer} where it is not).

![False rollbacks, and minutes to notice 5 % errors](evidence-benchmark.svg)

## What was asked

{targets}
## The traces

A release lasts {MINUTES} minutes, the canary has {weight} of the traffic, a sample comes every minute (every 15 seconds where it says
so). Overdispersion is measured on 24 simulated hours of stable before the release (20 different days a cell), as in a cluster.

- **quiet**: the same rates all day.
- **daily shape**: traffic swings by 60 %, errors by a factor of 2 up and down.
- **bursts**: about once an hour, for 1 to 4 minutes, five times the traffic and four times the errors.
- **overdispersed**: errors come in clumps of 5 on average, each on one version (variance 9 times the mean).
- **incidents**: once in each release, and about every 4 hours before, 3 to 15 minutes with 5 to 40 % errors on both versions.
- **drift**: the error rate wanders by 8 % a minute, up to five times up or down.

They are synthetic; what was recorded on a real cluster stands at the end. What hits one version alone for many minutes without being its
doing, such as one client with a bug whose session sticks to the canary, is in none of them: by its counts nobody can tell that from a bad
version.

## The rules

- **Tidegate**: the comparison alone.
- **Tidegate with its limits**: the comparison, and beside it the limit of the error rate in the rollback contract, over the last two
  minutes: 1 %, 5 % or 20 % where stable usually fails 0.1 %, 1 % or 5 %. A limit protects users whatever the cause: what lifts both
  versions above it, an incident or drift, brings the release back, and counts here as a false rollback.
- **5 failed checks**, **4 failed checks**: in all, of one check a sample; a check fails where more than 1 % of the canary's requests
  are bad, or more than twice stable's usual share, or where there is no request.
- **5 of 5**, **4 of 4 failed**: the same checks, in a row.
- **Mann–Whitney**: every ten samples, the canary's error rates of all samples against stable's, at 98 %.

## False rollbacks

Share of releases of a version that is exactly as good as stable that are rolled back within {MINUTES} minutes, in percent, with
the 95 % interval (Wilson).

",
        fewer = runs.div_ceil(5),
        weight = percent(WEIGHT),
        targets = targets(results),
    );
    falsely(&mut page, &results.harmless);
    let _ = write!(
        page,
        "
## How soon a bad version is noticed

Stable fails {base}. Median minutes from the onset (95 % interval by bootstrap), share of the releases in which it was noticed at all
before minute {MINUTES} (Wilson), and how many bad requests the canary answered until then, on average (bootstrap). Releases that the rule had
rolled back before the onset are left out: they stand in the table above. Where a rule rolls back good versions as well, it
notices nothing: at 1 request/s the failed checks are mostly minutes without a request. Onsets fall on the beginning of a sample: one in
the middle of a sample is noticed up to a sample later.

",
        base = percent(0.001)
    );
    noticed(&mut page, &results.harmful);
    page.push_str(
        "
### Where another rule is quicker

Cells in which a rule that falsely rolls back at most 1 % on the same trace and traffic lets clearly fewer bad requests through than
the comparison alone (the intervals do not touch).

",
    );
    for line in quicker(results) {
        let _ = writeln!(page, "- {line}");
    }
    page.push_str(
        "\n## With a sample every 15 seconds\n\nQuiet at every traffic, the other traces at 100 requests/s; the rules count samples, so that they are quicker too.\n\n",
    );
    noticed(&mut page, &results.quick);
    let _ = write!(
        page,
        "
## After a hold

Planned for {MINUTES} minutes as the others, and held for {HOLD} minutes after that, as by an approval that nobody gives or a freeze; then it
goes on for another {MINUTES}. How many versions as good as stable are rolled back in all that time:

"
    );
    falsely(&mut page, &results.held_good);
    let _ = write!(
        page,
        "
And one that turns bad when the hold is over, told as above. At the end of its plan Tidegate has a tenth of its stake left for what comes after, and
bets it ever more thinly.

"
    );
    noticed(&mut page, &results.held_bad);
    let _ = write!(
        page,
        "
## How long until a version is called not worse

Quiet, stable fails {base}. *Promised* is what Tidegate tells before the start; *took* the median of good releases (95 % interval). *Wrong*: of versions
that are as bad as what is to be ruled out (1.25 times stable's share and 1 %), how many were called not worse within an hour.

| requests/s | promised | took | told within 10 h | wrong |
|---|---|---|---|---|
",
        base = percent(0.001)
    );
    for cell in &results.baking {
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} |",
            cell.world.per_second,
            cell.promised.map_or_else(|| "never".to_owned(), |minutes| format!("{minutes:.0} min")),
            cell.took.map_or_else(|| "–".to_owned(), |took| format!("{} min", estimate(took))),
            share(cell.told, cell.runs),
            share(cell.wrong, cell.runs)
        );
    }
    replayed(&mut page, &results.recorded);
    page
}

/// How often each rule rolls back a good version, cell by cell.
fn falsely(page: &mut String, cells: &[Harmless]) {
    heading(page, &["trace", "requests/s", "errors"]);
    for cell in cells {
        let _ =
            write!(page, "| {} | {} | {} |", cell.world.shape.name(), cell.world.per_second, percent(cell.world.base));
        for hits in &cell.rolled_back {
            let _ = write!(page, " {} |", share(*hits, cell.runs));
        }
        page.push('\n');
    }
}

/// Releases that were recorded.
fn replayed(page: &mut String, all: &[Replayed]) {
    page.push_str("\n## Recorded on a real cluster\n\n");
    if all.is_empty() {
        page.push_str("None yet: `e2e/run record-traces` records them into `benches/canary/recorded`.\n");
        return;
    }
    page.push_str(
        "Counters of both versions as a Prometheus in a real cluster scraped them while a real router divided the requests\n(`e2e/run record-traces`, `benches/canary/recorded`). Each was one release; the overdispersion is that of stable in the minutes before it.\n*Rolled back* after so many minutes, of a version that turns bad counted from then; with the bad requests that the canary answered from then\nuntil it was rolled back, or to the end.\n\n",
    );
    heading(page, &["trace", "requests/s", "canary"]);
    for trace in all {
        let recorded = &trace.recorded;
        let _ = write!(
            page,
            "| {} | {} | {} % |",
            trace.name,
            recorded.requests_per_second,
            number(recorded.canary_percent)
        );
        for (at, bad) in &trace.by_rule {
            let minutes = |samples: usize| number(samples as f64 * recorded.step_seconds / 60.0);
            let _ = match (at, recorded.onset()) {
                (None, None) => write!(page, " stays |"),
                (None, Some(_)) => write!(page, " missed, {bad:.0} bad |"),
                (Some(at), None) => write!(page, " falsely, {} min |", minutes(at + 1)),
                (Some(at), Some(_)) if *at < trace.onset => write!(page, " before it was bad |"),
                (Some(at), Some(_)) => write!(page, " {} min, {bad:.0} bad |", minutes(at + 1 - trace.onset)),
            };
        }
        page.push('\n');
    }
    page.push('\n');
    for trace in all {
        let minutes = trace.samples as f64 * trace.recorded.step_seconds / 60.0;
        let _ = writeln!(
            page,
            "- **{}**: {} {} min; {}.",
            trace.name,
            trace.recorded.what,
            number(minutes),
            trace.recorded.origin
        );
    }
    let good: Vec<_> = all.iter().filter(|trace| trace.recorded.turns_bad_after.is_none()).collect();
    let falsely = good.iter().filter(|trace| trace.by_rule.first().is_some_and(|(at, _)| at.is_some())).count();
    let _ = writeln!(
        page,
        "\nTidegate rolled back {falsely} of {} good versions: {} %.",
        good.len(),
        share(falsely, good.len())
    );
}

/// What was asked, and whether it holds.
pub fn targets(results: &Results) -> String {
    let mut lines = String::new();
    for line in false_rollbacks(&results.harmless) {
        let _ = writeln!(lines, "{line}");
    }
    for (cells, limit, words) in
        [(&results.harmful, 2.0, "2 min at 1-minute samples"), (&results.quick, 0.5, "30 s at 15-second samples")]
    {
        let _ = writeln!(lines, "{}", within(cells, limit, words));
    }
    let (beaten, cells) = (quicker(results).len(), results.harmful.len());
    let _ = writeln!(
        lines,
        "- Sooner than any rule that itself keeps to 1 % false rollbacks, by bad requests served: **{}**. In {} of {cells} cells no such rule is clearly better; the others are listed below.",
        kept(beaten == 0),
        cells - beaten
    );
    lines
}

/// Which rule keeps the target of false rollbacks, and where the other does not, with the reason.
fn false_rollbacks(cells: &[Harmless]) -> Vec<String> {
    let rate = |cell: &Harmless, rule: usize| cell.rolled_back[rule] as f64 / cell.runs as f64;
    let told = |rule: usize| {
        let worst = cells.iter().max_by(|a, b| rate(a, rule).total_cmp(&rate(b, rule)));
        let figures = worst.map_or_else(String::new, |cell| {
            let (place, traffic) = (cell.world.shape.name(), cell.world.per_second);
            let figures = share(cell.rolled_back[rule], cell.runs);
            format!("the worst has {figures} %, {place}, {traffic} requests/s, {}", percent(cell.world.base))
        });
        let good = cells.iter().filter(|cell| rate(cell, rule) <= FALSE_MAX).count();
        format!("**kept in {good} of {}** cells ({figures})", cells.len())
    };
    let limits = Rule::OURS - 1;
    let mut lines = vec![
        format!("- False rollbacks of at most 1 % in every cell, by the comparison alone: {}.", told(0)),
        format!("- The same with the limits beside the comparison, as Tidegate runs: {}.", told(limits)),
    ];
    for shape in Shape::ALL {
        let of: Vec<_> = cells.iter().filter(|cell| cell.world.shape == shape).collect();
        let over: Vec<f64> = of
            .iter()
            .map(|cell| rate(cell, limits))
            .filter(|rate| *rate > FALSE_MAX)
            .map(|rate| rate * 100.0)
            .collect();
        let (least, most) =
            over.iter().fold((100.0_f64, 0.0_f64), |(least, most), rate| (least.min(*rate), most.max(*rate)));
        if !over.is_empty() {
            lines.push(format!(
                "  - **{}**: from {} to {} % come back in {} of {} cells, by the limit and not by the comparison.",
                shape.name(),
                number(least),
                number(most),
                over.len(),
                of.len()
            ));
        }
    }
    lines.push(
        "  - Why a limit acts where both versions fail alike: it is absolute. The error rate that the contract names is what users must not meet
    while a new version is before them, whatever the cause, and in an incident of both versions it is exceeded like in any other. The
    comparison excuses the new version; the limit does not ask. The record says which of the two it was. Who would rather sit an incident
    out sets `rollback.errorRatePercent` above what it brings, or `rollback.consecutive` so high that it is over before."
            .to_owned(),
    );
    lines
}

/// In how many of the cells with 5 % errors at 100 requests/s the median is within the limit, in minutes: by the comparison alone,
/// and as Tidegate runs, with its limits beside it.
fn within(cells: &[Harmful], limit: f64, words: &str) -> String {
    let asked = |cell: &&Harmful| cell.world.per_second == 100.0 && cell.fault.rate == 0.05;
    let cells: Vec<_> = cells.iter().filter(asked).collect();
    let kept = |rule: usize| {
        let median = |cell: &&Harmful| cell.by_rule.get(rule).and_then(|one| one.minutes).map(|minutes| minutes.value);
        let good = cells.iter().filter(|cell| median(cell).is_some_and(|median| median <= limit)).count();
        let minutes = |cell: &&&Harmful| median(cell).unwrap_or(f64::INFINITY);
        let slowest = cells.iter().max_by(|a, b| minutes(a).total_cmp(&minutes(b)));
        let told = slowest.map_or_else(String::new, |cell| {
            let place = format!("{} from {} on", cell.world.shape.name(), onset(cell));
            match median(cell) {
                Some(median) => format!("the slowest {} s, {place}", (median * 60.0).round()),
                None => format!("never {place}"),
            }
        });
        format!("**kept in {good} of {}** cells ({told})", cells.len())
    };
    format!(
        "- Errors of 5 % at 100 requests/s noticed within {words}, in the median, over all traces and both onsets: with the limits beside the comparison, as Tidegate runs, {}; by the comparison alone {}.",
        kept(Rule::OURS - 1),
        kept(0)
    )
}

/// Cells in which another rule serves fewer bad requests, and is no worse than allowed with good versions.
fn quicker(results: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    for cell in &results.harmful {
        let alike = results.harmless.iter().find(|good| {
            (good.world.shape, good.world.per_second, good.world.base)
                == (cell.world.shape, cell.world.per_second, cell.world.base)
        });
        let (Some(good), Some(ours)) = (alike, cell.by_rule.first().and_then(|ours| ours.bad)) else { continue };
        let honest = |index: usize| good.rolled_back[index] as f64 <= FALSE_MAX * good.runs as f64;
        let better =
            Rule::ALL.into_iter().zip(&cell.by_rule).enumerate().skip(Rule::OURS).filter_map(|(index, (rule, one))| {
                let bad = one.bad.filter(|bad| honest(index) && bad.most < ours.least)?;
                Some(format!("{} {}", rule.name(), estimate(bad)))
            });
        let better: Vec<String> = better.collect();
        if !better.is_empty() {
            lines.push(format!(
                "{}, {} requests/s, {} from {} on: {} bad; {}",
                cell.world.shape.name(),
                cell.world.per_second,
                percent(cell.fault.rate),
                onset(cell),
                estimate(ours),
                better.join(", ")
            ));
        }
    }
    lines
}

fn onset(cell: &Harmful) -> String {
    if cell.fault.onset > 0.0 { format!("minute {}", cell.fault.onset) } else { "the start".to_owned() }
}

const fn kept(holds: bool) -> &'static str {
    if holds { "kept" } else { "missed" }
}

fn heading(page: &mut String, first: &[&str]) {
    let rules = Rule::ALL.map(Rule::name);
    let columns: Vec<&str> = first.iter().copied().chain(rules.iter().map(String::as_str)).collect();
    let _ = writeln!(page, "| {} |\n|{}", columns.join(" | "), "---|".repeat(columns.len()));
}

fn noticed(page: &mut String, cells: &[Harmful]) {
    heading(page, &["trace", "requests/s", "errors", "onset"]);
    for cell in cells {
        let _ = write!(
            page,
            "| {} | {} | {} | {} |",
            cell.world.shape.name(),
            cell.world.per_second,
            percent(cell.fault.rate),
            onset(cell)
        );
        for one in &cell.by_rule {
            let _ = write!(page, " {} |", one_rule(one));
        }
        page.push('\n');
    }
}

/// `2 (2–3) min, 100 (98–100) %, 31 (29–33) bad`.
fn one_rule(noticed: &Noticed) -> String {
    let Some(bad) = noticed.bad else { return "all rolled back before".to_owned() };
    let minutes = noticed.minutes.map_or_else(|| "–".to_owned(), |minutes| format!("{} min", estimate(minutes)));
    format!("{minutes}, {} %, {} bad", share(noticed.found, noticed.runs), estimate(bad))
}

fn estimate(of: Estimate) -> String {
    if of.least == of.most {
        number(of.value)
    } else {
        format!("{} ({}–{})", number(of.value), number(of.least), number(of.most))
    }
}

/// In percent, with its interval: `0.3 (0.1–0.9)`.
fn share(hits: usize, runs: usize) -> String {
    let (least, most) = wilson(hits, runs);
    let value = hits as f64 / runs.max(1) as f64;
    format!("{} ({}–{})", number(value * 100.0), number(least * 100.0), number(most * 100.0))
}

/// Two digits behind the point below 1, one below 10, none above.
fn number(value: f64) -> String {
    let digits = if value < 1.0 { 2 } else { usize::from(value < 10.0) };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn percent(ratio: f64) -> String {
    format!("{} %", (ratio * 10_000.0).round() / 100.0)
}
