//! The picture: which part stands where, by the room there is.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style, Stylize};
use ratatui::text::{Line, Span as Piece};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::figures::{clock, count, cut, plain, speed, wrap};
use super::parts;
use super::view::View;

/// Rows that a picture with everything but curves and keys needs.
const NEEDED: u16 = 17;
/// Curves need so many rows to say anything.
const CURVES_MIN: u16 = 4;

/// Draws a view, whatever the size. Colour only adds to what words and signs say, so that `NO_COLOR` loses nothing.
pub fn draw(frame: &mut Frame<'_>, view: &View) {
    let area = frame.area();
    let keys = parts::keys(view.keys, usize::from(area.width));
    let key_rows = u16::try_from(keys.len()).unwrap_or(0);
    // What is left over goes to the curves first, and in a large terminal to events and sentences too.
    let spare = area.height.saturating_sub(NEEDED + key_rows);
    let conditions = u16::from(spare >= 8 && !view.conditions.is_empty());
    let more_events = if spare >= CURVES_MIN { spare.saturating_sub(6) / 3 } else { spare };
    let more_words = if spare >= 8 { parts::more_words(view, area.width, 2) } else { 0 };
    let curves = if spare >= CURVES_MIN { spare - more_events - more_words - conditions } else { 0 };
    let arms = u16::try_from(view.arms.len().clamp(1, 3)).unwrap_or(3);
    let rows = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(2),
        Constraint::Length(4),
        Constraint::Length(2 + more_words + conditions),
        Constraint::Length(2 + arms),
        Constraint::Length(curves),
        Constraint::Min(0),
        Constraint::Length(key_rows),
    ]);
    let [head, says, release, status, versions, curve, events, help] = area.layout(&rows);
    frame.render_widget(header(view, usize::from(head.width)), head);
    frame.render_widget(paragraph(wrap(&view.says, usize::from(says.width), usize::from(says.height))).bold(), says);
    parts::release(frame, section(release_title(view), release), view);
    parts::status(frame, status, view, conditions > 0);
    let users = format!("Versions: {} requests, {} failed", count(view.tally.requests), count(view.tally.failed));
    parts::versions(frame, section(users, versions), view);
    if curve.height >= CURVES_MIN {
        parts::curves(frame, curve, view);
    }
    parts::events(frame, section("Events".to_owned(), events), view);
    frame.render_widget(Paragraph::new(keys.into_iter().map(Line::from).collect::<Vec<_>>()).dim(), help);
}

/// A part: a rule with a title, and the room below it.
pub(super) struct Section {
    pub(super) block: Block<'static>,
    pub(super) area: Rect,
}

pub(super) fn section(title: String, area: Rect) -> Section {
    let title = Piece::styled(
        format!(" {} ", cut(&plain(&title), usize::from(area.width.saturating_sub(4)))),
        Style::new().add_modifier(Modifier::BOLD),
    );
    Section { block: Block::new().borders(Borders::TOP).border_style(Style::new().dim()).title(title), area }
}

impl Section {
    /// Draws the rule; what is below it.
    pub(super) fn open(self, frame: &mut Frame<'_>) -> Rect {
        let inner = self.block.inner(self.area);
        frame.render_widget(self.block, self.area);
        inner
    }
}

pub(super) fn paragraph(lines: Vec<String>) -> Paragraph<'static> {
    Paragraph::new(lines.into_iter().map(Line::from).collect::<Vec<_>>())
}

/// Title at the left; time, speed and the note at the right, which matter more where both do not fit.
fn header(view: &View, columns: usize) -> Line<'static> {
    let right = cut(&format!("{}  {}  {}", clock(view.now), speed(view.speed), plain(&view.note)), columns);
    let left =
        cut(&format!("Tidegate sandbox: {}", plain(&view.title)), columns.saturating_sub(right.chars().count() + 2));
    let gap = columns.saturating_sub(left.chars().count() + right.chars().count());
    Line::from(vec![Piece::from(left).bold(), Piece::from(" ".repeat(gap)), Piece::from(right)]).reversed()
}

fn release_title(view: &View) -> String {
    match view.stage {
        Some(stage) => format!("Release: phase {}, stage {stage} of {}", view.phase, view.stages.len()),
        None => format!("Release: phase {}", view.phase),
    }
}
