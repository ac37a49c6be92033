//! Quantities with their unit in the type: shares, weights, durations.
//!
//! Each parses at the edge and cannot hold nonsense afterwards; the range that the schema
//! shows and the range that parsing checks are declared once, here.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a quantity was refused; names the value and what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {wanted}")]
pub struct UnitError {
    /// The text or number as it was read.
    pub value: String,
    /// What is accepted, in words with an example.
    pub wanted: &'static str,
}

impl UnitError {
    fn new(value: impl fmt::Display, wanted: &'static str) -> Self {
        Self { value: value.to_string(), wanted }
    }
}

/// A share in percent: 5 means 5 %. Range 0 to 100, finite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Percent(f64);

impl Percent {
    const WANTED: &'static str = "a percentage from 0 to 100, such as 5 for 5 %";
    /// Nothing.
    pub const ZERO: Self = Self(0.0);
    /// All of it.
    pub const HUNDRED: Self = Self(100.0);

    /// A share from a plain number of percent; refused outside 0 to 100.
    pub fn new(percent: f64) -> Result<Self, UnitError> {
        if (0.0..=100.0).contains(&percent) { Ok(Self(percent)) } else { Err(UnitError::new(percent, Self::WANTED)) }
    }

    /// A share from a whole number known to be in range when the code was written; larger values saturate at 100.
    pub const fn whole(percent: u8) -> Self {
        Self(if percent > 100 { 100.0 } else { percent as f64 })
    }

    /// The number of percent, 0 to 100.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The share as a ratio, 0 to 1.
    pub fn ratio(self) -> f64 {
        self.0 / 100.0
    }
}

impl fmt::Display for Percent {
    /// `5 %`, `0.5 %`: at most two decimals, no trailing zeros.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", round2(self.0))
    }
}

/// A number with at most two decimals, for messages.
pub fn round2(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "format": "double", "minimum": 0, "maximum": 100})
    }
}

/// The whole-percent share of a route's traffic that goes to one version. Range 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Weight(u8);

impl Weight {
    const WANTED: &'static str = "a whole weight from 0 to 100";
    /// No traffic.
    pub const ZERO: Self = Self(0);
    /// All traffic.
    pub const FULL: Self = Self(100);

    /// A weight in whole percent; refused above 100.
    pub fn new(percent: i64) -> Result<Self, UnitError> {
        u8::try_from(percent).ok().filter(|w| *w <= 100).map(Self).ok_or_else(|| UnitError::new(percent, Self::WANTED))
    }

    /// A weight known when the code was written; larger values saturate at 100.
    pub const fn whole(percent: u8) -> Self {
        Self(if percent > 100 { 100 } else { percent })
    }

    /// Whole percent, 0 to 100.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// What is left for the other version: 100 minus this.
    pub const fn rest(self) -> Self {
        Self(100 - self.0)
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::new(i64::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Weight {
    fn schema_name() -> Cow<'static, str> {
        "Weight".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "format": "int32", "minimum": 0, "maximum": 100})
    }
}

/// A length of time written as `15m`, `1h30m`, `500ms`, `30d`. Whole milliseconds, from 0 to 366 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Span {
    const WANTED: &'static str = "a duration such as 30s, 15m, 1h30m or 30d (at most 366d)";
    const UNITS: [(&'static str, u64); 5] =
        [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    const MILLIS_MAX: u64 = 366 * 86_400_000;
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many milliseconds; saturates at 366 days.
    pub const fn from_millis(millis: u64) -> Self {
        Self(if millis > Self::MILLIS_MAX { Self::MILLIS_MAX } else { millis })
    }
    /// So many seconds; saturates at 366 days.
    pub const fn seconds(seconds: u64) -> Self {
        Self::from_millis(seconds.saturating_mul(1_000))
    }
    /// So many minutes; saturates at 366 days.
    pub const fn minutes(minutes: u64) -> Self {
        Self::seconds(minutes.saturating_mul(60))
    }
    /// So many hours; saturates at 366 days.
    pub const fn hours(hours: u64) -> Self {
        Self::minutes(hours.saturating_mul(60))
    }
    /// So many days of 24 hours; saturates at 366 days.
    pub const fn days(days: u64) -> Self {
        Self::hours(days.saturating_mul(24))
    }
    /// Whole milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }
    /// Seconds with their fraction.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1_000.0
    }
    /// As the standard library's duration.
    pub const fn as_std(self) -> Duration {
        Duration::from_millis(self.0)
    }
    /// As a signed duration, for arithmetic with timestamps.
    pub fn as_signed(self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_millis(i64::try_from(self.0).unwrap_or(i64::MAX))
    }
    /// The time from `start` to `end`; zero if `end` is not later.
    pub fn between(start: jiff::Timestamp, end: jiff::Timestamp) -> Self {
        Self::from_millis(u64::try_from(end.duration_since(start).as_millis()).unwrap_or(0))
    }
    /// The moment this long after `start`; saturates at the end of time.
    pub fn after(self, start: jiff::Timestamp) -> jiff::Timestamp {
        start.saturating_add(self.as_signed()).unwrap_or(jiff::Timestamp::MAX)
    }
    /// As PromQL writes a range: `300s`, or `1500ms` where it is not whole seconds.
    pub fn promql(self) -> String {
        if self.0.is_multiple_of(1_000) { format!("{}s", self.0 / 1_000) } else { format!("{}ms", self.0) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, millis) in Self::UNITS {
            if rest >= millis {
                write!(f, "{}{unit}", rest / millis)?;
                rest %= millis;
            }
        }
        Ok(())
    }
}

impl FromStr for Span {
    type Err = UnitError;
    fn from_str(text: &str) -> Result<Self, UnitError> {
        let bad = || UnitError::new(text, Self::WANTED);
        let (mut rest, mut total) = (text, 0_u64);
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
            let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let millis = Self::UNITS.iter().find(|(unit, _)| *unit == &rest[..letters]).ok_or_else(bad)?.1;
            rest = &rest[letters..];
            total = number.checked_mul(millis).and_then(|n| total.checked_add(n)).ok_or_else(bad)?;
        }
        if text.is_empty() || total > Self::MILLIS_MAX { Err(bad()) } else { Ok(Self(total)) }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "maxLength": 32, "pattern": "^([0-9]{1,9}(ms|s|m|h|d))+$"})
    }
}

/// A moment, written as RFC 3339 in UTC with whole milliseconds at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub jiff::Timestamp);

impl Time {
    /// The moment `span` after this one.
    pub fn plus(self, span: Span) -> Self {
        Self(span.after(self.0))
    }
    /// How long ago `earlier` was, seen from this moment; zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Span {
        Span::between(earlier.0, self.0)
    }
    /// `10:02 UTC` on the same day as `now`, otherwise `2 Jan 10:02 UTC`; for messages.
    pub fn clock(self) -> String {
        self.0.strftime("%-d %b %H:%M:%S UTC").to_string()
    }
}

impl From<jiff::Timestamp> for Time {
    /// Truncated to milliseconds, so that what is written reads back equal.
    fn from(at: jiff::Timestamp) -> Self {
        Self(jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(from)?.parse::<jiff::Timestamp>().map(Self::from).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("15m", 900_000, "15m")]
    #[case("1h30m", 5_400_000, "1h30m")]
    #[case("90s", 90_000, "1m30s")]
    #[case("500ms", 500, "500ms")]
    #[case("30d", 2_592_000_000, "30d")]
    #[case("0s", 0, "0s")]
    fn a_duration_reads_and_writes(#[case] text: &str, #[case] millis: u64, #[case] written: &str) {
        let span: Span = text.parse().unwrap();
        assert_eq!((span.as_millis(), span.to_string().as_str()), (millis, written));
    }

    #[rstest]
    #[case("")]
    #[case("15")]
    #[case("m15")]
    #[case("1.5h")]
    #[case("-5m")]
    #[case("5 m")]
    #[case("367d")]
    #[case("99999999999999999999d")]
    fn nonsense_is_refused_with_an_example(#[case] text: &str) {
        let refused = text.parse::<Span>().unwrap_err().to_string();
        assert!(refused.contains("15m"), "{refused}");
    }

    #[test]
    fn shares_stay_in_range() {
        assert!(Percent::new(f64::NAN).is_err());
        assert!(Percent::new(100.1).is_err());
        assert_eq!(Percent::new(0.5).unwrap().to_string(), "0.5 %");
        assert!(Weight::new(101).is_err());
        assert_eq!(Weight::whole(5).rest(), Weight::whole(95));
    }
}
