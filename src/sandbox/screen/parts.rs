//! The parts of the picture.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span as Piece};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Paragraph, Row, Sparkline, Table};

use crate::api::BudgetStatus;
use crate::api::release_record::Outcome;

use super::draw::{Section, paragraph, section};
use super::figures::{clock, cut, duration, percent, plain, wrap};
use super::history::{History, Sample};
use super::key::Key;
use super::view::{ConditionView, StageState, StageView, View};

const STABLE: Color = Color::Cyan;
const CANARY: Color = Color::Yellow;
const PREVIOUS: Color = Color::Magenta;
/// The column at which figures begin.
const INDENT: usize = 9;
/// The axis of time is at least so many samples long.
const AXIS_MIN: usize = 120;

/// What may be pressed, in lines.
pub(super) fn keys(keys: &[Key], columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (sign, does) in keys.iter().map(|key| key.help()) {
        let item = format!("{sign} {does}");
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + item.chars().count() <= columns => {
                line.push_str("  ");
                line.push_str(&item);
            }
            Some(_) | None => lines.push(cut(&item, columns)),
        }
    }
    lines.truncate(3);
    lines
}

/// Stages, traffic, budget.
pub(super) fn release(frame: &mut Frame<'_>, section: Section, view: &View) {
    let area = section.open(frame);
    let columns = usize::from(area.width);
    let lines = vec![stages(&view.stages, columns), traffic(view, columns), budget(view, columns)];
    frame.render_widget(Paragraph::new(lines), area);
}

fn labelled(label: &str) -> Piece<'static> {
    Piece::from(format!("{label:<INDENT$}")).dim()
}

fn stages(stages: &[StageView], columns: usize) -> Line<'static> {
    let sign = |state| match state {
        StageState::Done => "✓",
        StageState::Now => "▸",
        StageState::ToCome => "·",
        StageState::Failed => "✗",
    };
    let long = |stage: &StageView| format!("{} {} {}", sign(stage.state), stage.weight, stage.bake);
    let short = |stage: &StageView| format!("{}{}", sign(stage.state), stage.weight.get());
    let all: Vec<_> = stages.iter().map(long).collect();
    let fits = all.iter().map(|text| text.chars().count() + 3).sum::<usize>() + INDENT <= columns + 3;
    let (all, gap) = if fits { (all, "   ") } else { (stages.iter().map(short).collect(), " ") };
    let mut pieces = vec![labelled("stages")];
    if stages.is_empty() {
        pieces.push("none yet".dim());
    }
    for (stage, text) in stages.iter().zip(all) {
        if pieces.len() > 1 {
            pieces.push(gap.into());
        }
        pieces.push(match stage.state {
            StageState::Done => Piece::from(text).green(),
            StageState::Now => Piece::from(text).fg(CANARY).bold(),
            StageState::ToCome => Piece::from(text).dim(),
            StageState::Failed => Piece::from(text).red().bold(),
        });
    }
    Line::from(pieces)
}

fn traffic(view: &View, columns: usize) -> Line<'static> {
    let weights = view.weights;
    let arms = [
        ("stable", weights.stable, '█', STABLE),
        ("canary", weights.canary, '▒', CANARY),
        ("previous", weights.previous, '░', PREVIOUS),
    ];
    let served: Vec<_> = arms.into_iter().filter(|(_, weight, ..)| weight.get() > 0).collect();
    let words: Vec<_> = served.iter().map(|(name, weight, ..)| format!("{name} {weight}")).collect();
    let room =
        columns.saturating_sub(INDENT + words.iter().map(|word| word.chars().count() + 2).sum::<usize>()).min(50);
    let mut pieces = vec![labelled("traffic")];
    let (mut begun, mut drawn) = (0, 0);
    for (_, weight, sign, colour) in &served {
        // By the sum so far, so that the bar is as long as its room.
        begun += usize::from(weight.get());
        let until = (begun.min(100) * room + 50) / 100;
        pieces.push(Piece::from(sign.to_string().repeat(until.saturating_sub(drawn))).fg(*colour));
        drawn = until;
    }
    for (word, (.., colour)) in words.into_iter().zip(&served) {
        pieces.push(Piece::from(format!("  {word}")).fg(*colour));
    }
    Line::from(pieces)
}

fn budget(view: &View, columns: usize) -> Line<'static> {
    let Some(budget) = &view.budget else {
        return Line::from(vec![labelled("budget"), "not measured yet".dim()]);
    };
    let style = match budget.status {
        BudgetStatus::Healthy => Style::new().green(),
        BudgetStatus::Warning => Style::new().yellow(),
        BudgetStatus::Critical => Style::new().red().bold(),
        BudgetStatus::Emergency => Style::new().red().bold().reversed(),
    };
    let left = format!("  {} left  ", percent(Some(budget.remaining)));
    let decided = format!("  {}", plain(&budget.decided_by));
    let words = left.chars().count() + budget.status.as_str().len() + decided.chars().count();
    let room = columns.saturating_sub(INDENT + words).clamp(10, 50);
    let share = if budget.remaining.is_finite() { (budget.remaining / 100.0).clamp(0.0, 1.0) } else { 0.0 };
    let full = ((share * room as f64).round() as usize).min(room);
    Line::from(vec![
        labelled("budget"),
        Piece::styled("━".repeat(full), style.not_reversed()),
        Piece::from("─".repeat(room - full)).dim(),
        Piece::from(left),
        Piece::styled(budget.status.as_str(), style),
        Piece::from(decided).dim(),
    ])
}

/// The hold, the outcome or what goes on.
fn standing(view: &View) -> (String, Style) {
    match (&view.hold, &view.outcome) {
        (Some(hold), _) => {
            let until = clock(hold.deadline);
            let text = format!("Held/{} until {until}: {} {}", hold.reason, hold.message, hold.remedy);
            (text, Style::new().fg(CANARY).bold())
        }
        (None, Some((outcome, why))) => {
            let style = match outcome {
                Outcome::Succeeded | Outcome::Bootstrap => Style::new().green(),
                Outcome::RolledBack | Outcome::Expired | Outcome::Bypassed | Outcome::NotWithdrawn => {
                    Style::new().red()
                }
                Outcome::Superseded | Outcome::Reverted | Outcome::Abandoned | Outcome::Charged => Style::new(),
            };
            (format!("{outcome}: {why}"), style)
        }
        (None, None) => (view.message.clone(), Style::new()),
    }
}

/// How many rows more than two the standing would fill, at most so many.
pub(super) fn more_words(view: &View, columns: u16, most: u16) -> u16 {
    let rows = wrap(&standing(view).0, usize::from(columns), usize::from(most) + 2).len();
    u16::try_from(rows).unwrap_or(0).saturating_sub(2)
}

/// Where the release stands, and the conditions where there is room.
pub(super) fn status(frame: &mut Frame<'_>, area: Rect, view: &View, conditions: bool) {
    let [words, below] =
        area.layout(&Layout::vertical([Constraint::Min(0), Constraint::Length(u16::from(conditions))]));
    let (text, style) = standing(view);
    let shown = paragraph(wrap(&text, usize::from(words.width), usize::from(words.height))).style(style);
    frame.render_widget(shown, words);
    if conditions {
        let one = |condition: &ConditionView| {
            let ConditionView { kind, status, reason } = condition;
            plain(&format!("{kind} {status} ({reason})"))
        };
        let all: Vec<_> = view.conditions.iter().map(one).collect();
        frame.render_widget(Line::from(cut(&all.join("   "), usize::from(below.width))).dim(), below);
    }
}

/// The versions that run.
pub(super) fn versions(frame: &mut Frame<'_>, section: Section, view: &View) {
    let area = section.open(frame);
    let rows = view.arms.iter().map(|arm| {
        let style = match arm.name {
            "canary" => Style::new().fg(CANARY),
            "previous" => Style::new().fg(PREVIOUS),
            _ => Style::new().fg(STABLE),
        };
        Row::new([
            arm.name.to_owned(),
            plain(&arm.image),
            format!("{}/{}", arm.ready, arm.wanted),
            format!("{:.1}", arm.rate),
            percent(arm.errors),
            duration(arm.p95),
        ])
        .style(style)
    });
    let widths = [
        Constraint::Length(8),
        Constraint::Max(40),
        Constraint::Length(7),
        Constraint::Length(7),
        Constraint::Length(8),
        Constraint::Length(8),
    ];
    let header = Row::new(["", "image", "pods", "req/s", "errors", "p95"]).dim();
    frame.render_widget(Table::new(rows, widths).header(header), area);
}

/// Error rates of both versions, and the weight of the new one.
pub(super) fn curves(frame: &mut Frame<'_>, area: Rect, view: &View) {
    let halves = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)]).spacing(2);
    let [errors, weight] = area.layout(&halves);
    // All that is remembered, on an axis that does not move in the beginning; both show the same time.
    let samples: Vec<_> = view.history.last(History::MOST).collect();
    let across = samples.len().clamp(AXIS_MIN, History::MOST);
    let weight = section("canary weight, 0 to 100 %".to_owned(), weight).open(frame);
    let width = usize::from(weight.width);
    let bars = (0..width).map(|column| {
        let (from, to) = (column * across / width, (column + 1) * across / width);
        let here = samples.iter().skip(from).take((to - from).max(1));
        here.map(|sample| u64::from(sample.weight)).max().unwrap_or(0)
    });
    frame.render_widget(Sparkline::default().data(bars).max(100).fg(CANARY), weight);
    let area = section("errors in %: • stable, ⠒ canary".to_owned(), errors).open(frame);
    let top = top(&samples);
    let stable = runs(&samples, |sample| sample.stable);
    let canary = runs(&samples, |sample| sample.canary);
    let set = |marker, colour| {
        move |points| Dataset::default().data(points).marker(marker).fg(colour).graph_type(GraphType::Line)
    };
    let sets = stable.iter().map(|run| &run[..]).map(set(Marker::Dot, STABLE));
    let sets = sets.chain(canary.iter().map(|run| &run[..]).map(set(Marker::Braille, CANARY))).collect();
    let chart = Chart::new(sets)
        .x_axis(Axis::default().bounds([0.0, (across - 1) as f64]))
        .y_axis(Axis::default().bounds([0.0, top]).labels(["0".to_owned(), format!("{top}")]))
        .legend_position(None);
    frame.render_widget(chart, area);
}

/// The end of the axis: a round figure above all that is shown.
fn top(samples: &[&Sample]) -> f64 {
    let all = samples.iter().flat_map(|sample| [sample.stable, sample.canary]).flatten();
    let most = all.filter(|value| value.is_finite()).fold(0.0, f64::max);
    [1.0, 2.0, 5.0, 10.0, 20.0, 50.0].into_iter().find(|top| most <= *top).unwrap_or(100.0)
}

/// Points without gaps: a line is not drawn where there was nothing to tell.
fn runs(samples: &[&Sample], of: impl Fn(&Sample) -> Option<f64>) -> Vec<Vec<(f64, f64)>> {
    let values: Vec<_> =
        samples.iter().enumerate().map(|(x, sample)| (x, of(sample).filter(|y| y.is_finite()))).collect();
    let there = values.split(|(_, value)| value.is_none()).filter(|run| !run.is_empty());
    there.map(|run| run.iter().filter_map(|(x, value)| Some((*x as f64, (*value)?))).collect()).collect()
}

/// The newest events, the newest at the bottom.
pub(super) fn events(frame: &mut Frame<'_>, section: Section, view: &View) {
    let area = section.open(frame);
    let shown = view.events.len().saturating_sub(usize::from(area.height));
    let lines = view.events.iter().skip(shown).map(|event| {
        let mark = if event.warning { '!' } else { ' ' };
        let text = plain(&format!("{}: {}", event.reason, event.note));
        let line = cut(&format!("{} {mark} {text}", clock(event.at)), usize::from(area.width));
        if event.warning { Line::from(line).red() } else { Line::from(line) }
    });
    frame.render_widget(Paragraph::new(lines.collect::<Vec<_>>()), area);
}
