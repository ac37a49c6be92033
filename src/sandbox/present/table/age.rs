//! How long ago something was, as kubectl writes it: two or three figures, no more.

use serde_json::Value;

use crate::api::Time;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// The time between a timestamp of an object and `now`; `<unknown>` where there is no timestamp.
pub(super) fn since(timestamp: Option<&Value>, now: Time) -> String {
    let Some(text) = timestamp.and_then(Value::as_str) else { return "<unknown>".to_owned() };
    match text.parse::<jiff::Timestamp>() {
        Ok(then) => human(now.0.duration_since(then).as_secs()),
        Err(_) => "<invalid>".to_owned(),
    }
}

/// Seconds as kubectl's `HumanDuration` writes them: `119s`, `2m5s`, `3h10m`, `2d4h`, `3y12d`. One second in the future is
/// a clock that differs a little; more is `<invalid>`.
pub(super) fn human(seconds: i64) -> String {
    let pair = |whole: i64, unit: &str, rest: i64, small: &str| {
        if rest == 0 { format!("{whole}{unit}") } else { format!("{whole}{unit}{rest}{small}") }
    };
    match seconds {
        i64::MIN..=-2 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => pair(seconds / MINUTE, "m", seconds % MINUTE, "s"),
        600..10_800 => format!("{}m", seconds / MINUTE),
        10_800..28_800 => pair(seconds / HOUR, "h", seconds % HOUR / MINUTE, "m"),
        28_800..172_800 => format!("{}h", seconds / HOUR),
        172_800..691_200 => pair(seconds / DAY, "d", seconds % DAY / HOUR, "h"),
        691_200..63_072_000 => format!("{}d", seconds / DAY),
        63_072_000..252_288_000 => pair(seconds / YEAR, "y", seconds % YEAR / DAY, "d"),
        _ => format!("{}y", seconds / YEAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    // The cases of apimachinery's TestHumanDuration.
    #[rstest]
    #[case(-2, "<invalid>")]
    #[case(-1, "0s")]
    #[case(0, "0s")]
    #[case(70, "70s")]
    #[case(190, "3m10s")]
    #[case(9 * 60 + 59, "9m59s")]
    #[case(600, "10m")]
    #[case(47 * 60, "47m")]
    #[case(HOUR, "60m")]
    #[case(2 * HOUR + 58 * 60, "178m")]
    #[case(7 * HOUR + 59 * 60, "7h59m")]
    #[case(8 * HOUR + 59 * 60, "8h")]
    #[case(47 * HOUR + 59 * 60, "47h")]
    #[case(50 * HOUR, "2d2h")]
    #[case(4 * DAY, "4d")]
    #[case(7 * DAY + 23 * HOUR, "7d23h")]
    #[case(8 * DAY + 23 * HOUR, "8d")]
    #[case(2 * YEAR - DAY, "729d")]
    #[case(2 * YEAR, "2y")]
    #[case(2 * YEAR + DAY, "2y1d")]
    #[case(8 * YEAR + 364 * DAY, "8y")]
    fn durations_read_as_in_kubectl(#[case] seconds: i64, #[case] text: &str) {
        assert_eq!(human(seconds), text);
    }
}
