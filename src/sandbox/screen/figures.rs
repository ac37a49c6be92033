//! How figures and sentences are written.

use crate::api::Span;

/// `00:01:30`, simulated time since the beginning.
pub(super) fn clock(at: Span) -> String {
    let seconds = at.as_millis() / 1_000;
    format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `12,345`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `0.4 %`, or a dash where there is nothing to tell.
pub(super) fn percent(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => format!("{value:.1} %"),
        Some(_) | None => "-".to_owned(),
    }
}

/// `210 ms`, `1.4 s`, or a dash.
pub(super) fn duration(value: Option<Span>) -> String {
    match value.map(Span::as_millis) {
        None => "-".to_owned(),
        Some(millis) if millis < 1_000 => format!("{millis} ms"),
        Some(millis) => format!("{:.1} s", millis as f64 / 1_000.0),
    }
}

/// `20x`, `0.5x`, `paused`.
pub(super) fn speed(speed: f64) -> String {
    if speed > 0.0 { format!("{}x", crate::api::units::round2(speed)) } else { "paused".to_owned() }
}

/// The text in one line, without what a terminal would obey: notes of events come from anybody.
pub(super) fn plain(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The text in at most so many lines of so many columns; what does not fit ends in `…`.
pub(super) fn wrap(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let text = plain(text);
    let (mut out, mut line, mut length) = (Vec::new(), String::new(), 0);
    let mut words = text.split(' ').filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.peek() {
        let width = word.chars().count();
        let room = columns.saturating_sub(length + usize::from(length > 0));
        if width <= room || length == 0 {
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            line.push_str(word);
            length += width;
            words.next();
        } else if out.len() + 1 < lines {
            out.push(std::mem::take(&mut line));
            length = 0;
        } else {
            line.push_str(" …");
            break;
        }
    }
    if lines > 0 && !line.is_empty() {
        out.push(line);
    }
    out.into_iter().map(|line| cut(&line, columns)).collect()
}

/// As much of the text as fits into so many columns, `…` at its end where some is left out.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept = text.chars().take(columns.saturating_sub(1));
    if columns == 0 { String::new() } else { kept.chain(['…']).collect() }
}
