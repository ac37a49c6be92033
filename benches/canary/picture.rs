//! The picture: false rollbacks of each trace at its worst, and minutes to notice 5 % errors.

use std::fmt::Write as _;

use super::rules::Rule;
use super::tables::{Results, TRAFFIC};
use super::traces::{MINUTES, Shape};

/// Of Tidegate first, then of the others, in the order of [`Rule::ALL`]; told apart without colour by their order.
const COLOURS: [&str; 7] = ["#0b6e4f", "#55a68a", "#d1495b", "#edae49", "#8d5a97", "#b08ea2", "#3d5a80"];

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 400.0;
/// Top and bottom of both panels.
const TOP: f64 = 70.0;
const BOTTOM: f64 = 330.0;

/// All of `docs/evidence-benchmark.svg`.
pub fn svg(results: &Results) -> String {
    let mut picture = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11" role="img">
<title>False rollbacks, and minutes to notice 5 % errors</title>
<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>
"##
    );
    let mut x = 50.0;
    for (rule, colour) in Rule::ALL.into_iter().zip(COLOURS) {
        rect(&mut picture, (x, 12.0), (12.0, 12.0), colour);
        text(&mut picture, (x + 17.0, 22.0), "start", &rule.name());
        // Nobody measures text here: so wide a letter of this size is at most, on average.
        x += 35.0 + 5.8 * rule.name().chars().count() as f64;
    }
    false_rollbacks(&mut picture, results);
    minutes_to_notice(&mut picture, results);
    picture.push_str("</svg>\n");
    picture
}

/// Bars: of each trace, the cell in which the rule does worst.
fn false_rollbacks(picture: &mut String, results: &Results) {
    let (left, right) = (50.0, 520.0);
    text(picture, (left, TOP - 18.0), "start", "False rollbacks of a canary as good as stable, worst cell, %");
    let y = |share: f64| BOTTOM - share * (BOTTOM - TOP);
    for percent in [0.0, 25.0, 50.0, 75.0, 100.0] {
        line(picture, (left, y(percent / 100.0)), (right, y(percent / 100.0)), "#dddddd");
        text(picture, (left - 5.0, y(percent / 100.0) + 4.0), "end", &format!("{percent}"));
    }
    let group = (right - left) / Shape::ALL.len() as f64;
    let bar = group * 0.8 / Rule::ALL.len() as f64;
    for (place, shape) in Shape::ALL.into_iter().enumerate() {
        let x = left + group * (place as f64 + 0.1);
        for (index, colour) in COLOURS.into_iter().enumerate() {
            let cells = results.harmless.iter().filter(|cell| cell.world.shape == shape);
            let worst = cells.map(|cell| cell.rolled_back[index] as f64 / cell.runs as f64).fold(0.0, f64::max);
            // Nothing is shown as a hair, so that one sees that it was measured.
            let height = (worst * (BOTTOM - TOP)).max(1.0);
            rect(picture, (x + bar * index as f64, BOTTOM - height), (bar * 0.9, height), colour);
        }
        text(picture, (x + group * 0.4, BOTTOM + 18.0), "middle", shape.name());
    }
    text(picture, (left, BOTTOM + 45.0), "start", "1 to 1,000 requests/s, errors of 0.1 to 5 % in both versions");
}

/// Lines: quiet, from the start; both axes in powers.
fn minutes_to_notice(picture: &mut String, results: &Results) {
    let (left, right) = (590.0, 930.0);
    text(picture, (left, TOP - 18.0), "start", "Minutes until 5 % errors are noticed (median, quiet)");
    let y = |minutes: f64| BOTTOM - (minutes / 0.5).ln() / (MINUTES / 0.5).ln() * (BOTTOM - TOP);
    for minutes in [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0] {
        line(picture, (left, y(minutes)), (right, y(minutes)), "#dddddd");
        text(picture, (left - 5.0, y(minutes) + 4.0), "end", &format!("{minutes}"));
    }
    let x = |index: usize| left + 20.0 + (right - left - 40.0) * index as f64 / (TRAFFIC.len() - 1) as f64;
    for (index, traffic) in TRAFFIC.into_iter().enumerate() {
        text(picture, (x(index), BOTTOM + 18.0), "middle", &format!("{traffic}"));
    }
    text(picture, (left, BOTTOM + 45.0), "start", "requests/s; dashed: Tidegate with a sample every 15 seconds");
    let quiet: Vec<_> = results
        .harmful
        .iter()
        .filter(|cell| cell.world.shape == Shape::Quiet && cell.fault.rate == 0.05 && cell.fault.onset == 0.0)
        .collect();
    for (rule, colour) in COLOURS.into_iter().enumerate() {
        // A little apart, so that equal lines do not hide each other.
        let apart = rule as f64 * 2.0 - 5.0;
        let points = |cells: &[&super::tables::Harmful]| -> Vec<(f64, f64)> {
            let median = |cell: &&super::tables::Harmful| cell.by_rule[rule].minutes.map(|minutes| minutes.value);
            let medians = cells.iter().map(median);
            medians.enumerate().filter_map(|(index, at)| Some((x(index), y(at?) + apart))).collect()
        };
        polyline(picture, &points(&quiet), colour, "");
        if rule == 0 {
            let quick: Vec<_> = results.quick.iter().take(TRAFFIC.len()).collect();
            polyline(picture, &points(&quick), colour, r#" stroke-dasharray="4 3""#);
        }
    }
}

fn rect(picture: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), colour: &str) {
    let _ =
        writeln!(picture, r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}"/>"#);
}

fn line(picture: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: &str) {
    let _ = writeln!(picture, r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{colour}"/>"#);
}

fn text(picture: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let _ = writeln!(picture, r##"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" fill="#222222">{words}</text>"##);
}

fn polyline(picture: &mut String, points: &[(f64, f64)], colour: &str, dashes: &str) {
    let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        picture,
        r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>"#,
        path.join(" ")
    );
    for (x, y) in points {
        let _ = writeln!(picture, r#"<circle cx="{x:.1}" cy="{y:.1}" r="3" fill="{colour}"/>"#);
    }
}
