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

/// A count as it is kept: a tenth reads back exactly; counts extrapolate anyway.
pub(super) fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// `2.3`, `1.0`: a factor to one decimal; two where one would hide that it differs from `limit`.
pub(super) fn factor(value: f64, limit: f64) -> String {
    let one = (value * 10.0).round() / 10.0;
    if one == limit && value != limit { format!("{value:.2}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0.0, "0")]
    #[case(-0.4, "0")]
    #[case(999.0, "999")]
    #[case(1_930.4, "1,930")]
    #[case(1_234_567.0, "1,234,567")]
    fn counts(#[case] number: f64, #[case] expected: &str) {
        assert_eq!(count(number), expected);
    }

    #[rstest]
    #[case(0.0, "0 %")]
    #[case(0.012_34, "1.23 %")]
    #[case(0.000_033, "0.003 %")]
    #[case(0.000_000_4, "0.00004 %")]
    #[case(1.0, "100 %")]
    fn shares(#[case] ratio: f64, #[case] expected: &str) {
        assert_eq!(percent(ratio), expected);
    }

    #[rstest]
    #[case(0.000_42, "0.4 ms")]
    #[case(0.210_4, "210 ms")]
    #[case(9.999, "9999 ms")]
    #[case(12.34, "12.3 s")]
    fn times(#[case] seconds: f64, #[case] expected: &str) {
        assert_eq!(time(seconds), expected);
    }

    #[rstest]
    #[case(2.286, 2.0, "2.3")]
    #[case(2.006, 2.0, "2.01")]
    #[case(2.02, 2.0, "2.02")]
    #[case(2.0, 2.0, "2.0")]
    #[case(1.0, 2.0, "1.0")]
    fn factors(#[case] value: f64, #[case] limit: f64, #[case] expected: &str) {
        assert_eq!(factor(value, limit), expected);
    }
}
