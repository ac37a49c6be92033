//! Figures as people read them.

/// `1,930`: a count without decimals, thousands set off.
pub(super) fn count(number: f64) -> String {
    let digits = format!("{:.0}", number.max(0.0));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.2 %`, `0.03 %`, `0.0004 %`: a ratio in percent, two decimals, or one digit where it would read as nothing.
pub(super) fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    if percent > 0.0 && percent < 0.01 {
        let decimals = (-percent.log10()).ceil().clamp(2.0, 12.0) as usize;
        return format!("{percent:.decimals$} %");
    }
    format!("{} %", crate::api::units::round2(percent))
}

/// `210 ms`, `0.4 ms`, `12.3 s`: a time from seconds.
pub(super) fn time(seconds: f64) -> String {
    let millis = seconds * 1_000.0;
    if seconds >= 10.0 {
        format!("{} s", (seconds * 10.0).round() / 10.0)
    } else if millis >= 10.0 {
        format!("{millis:.0} ms")
    } else {
        format!("{} ms", (millis * 10.0).round() / 10.0)
    }
}

/// `2.3`: a factor to one decimal; two where one would hide that it differs from `limit`.
pub(super) fn factor(value: f64, limit: f64) -> String {
    let one = (value * 10.0).round() / 10.0;
    if one == limit && value != limit { format!("{value:.2}") } else { format!("{one}") }
}
