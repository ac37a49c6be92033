//! Kubernetes quantities such as `1500m`, `0.5`, `2Gi`, `12e6`: exact, in billionths.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// An amount of a resource, in billionths of its unit; the smallest step that Kubernetes knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Quantity(i128);

const ONE: i128 = 1_000_000_000;
const DECIMAL: [(&str, i128); 9] = [
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("k", ONE * 1_000),
    ("M", ONE * 1_000_000),
    ("G", ONE * 1_000_000_000),
    ("T", ONE * 1_000_000_000_000),
    ("P", ONE * 1_000_000_000_000_000),
    ("E", ONE * 1_000_000_000_000_000_000),
];
const BINARY: [(&str, i128); 6] =
    [("Ki", ONE << 10), ("Mi", ONE << 20), ("Gi", ONE << 30), ("Ti", ONE << 40), ("Pi", ONE << 50), ("Ei", ONE << 60)];
/// More digits than any quantity of a cluster has; keeps the arithmetic within its range.
const DIGITS_MAX: usize = 19;

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A whole number, such as of pods.
    pub fn whole(number: u32) -> Self {
        Self(i128::from(number) * ONE)
    }

    /// So many times as much.
    pub fn times(self, number: u32) -> Self {
        Self(self.0.saturating_mul(i128::from(number)))
    }

    /// As people write an amount of this resource: bytes with a binary unit, CPU in cores or thousandths.
    pub fn of(self, resource: &str) -> String {
        let bytes = resource.contains("memory") || resource.contains("storage") || resource.contains("hugepages");
        if !bytes {
            return self.to_string();
        }
        let largest = BINARY.iter().rev().find(|(_, unit)| self.0.abs() >= *unit);
        let Some((suffix, unit)) = largest else { return self.to_string() };
        let tenths = self.0 * 10 / unit;
        match tenths % 10 {
            0 => format!("{}{suffix}", tenths / 10),
            _ => format!("{}.{}{suffix}", tenths / 10, (tenths % 10).abs()),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 % ONE, self.0 % 1_000_000) {
            (0, _) => write!(f, "{}", self.0 / ONE),
            (_, 0) => write!(f, "{}m", self.0 / 1_000_000),
            _ => write!(f, "{}n", self.0),
        }
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Add for Quantity {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Quantity {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl FromStr for Quantity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is not a quantity such as 500m, 2 or 1.5Gi");
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || digits.len() > DIGITS_MAX || fraction.contains('.') {
            return Err(refused());
        }
        let mantissa: i128 = digits.parse().map_err(|_| refused())?;
        let unit = unit(suffix).ok_or_else(refused)?;
        let places = u32::try_from(fraction.len()).unwrap_or(0);
        // Rounded up, as Kubernetes does with what is finer than a billionth.
        let scaled = mantissa.checked_mul(unit).ok_or_else(refused)?;
        let divisor = 10_i128.pow(places);
        let amount = (scaled + divisor - 1) / divisor;
        Ok(Self(if negative { -amount } else { amount }))
    }
}

fn unit(suffix: &str) -> Option<i128> {
    if suffix.is_empty() {
        return Some(ONE);
    }
    if let Some((_, unit)) = DECIMAL.iter().chain(&BINARY).find(|(name, _)| *name == suffix) {
        return Some(*unit);
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    match exponent {
        0..=18 => Some(ONE * 10_i128.pow(exponent.unsigned_abs())),
        -9..=-1 => Some(ONE / 10_i128.pow(exponent.unsigned_abs())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("1", "1")]
    #[case("0.5", "500m")]
    #[case("1500m", "1500m")]
    #[case("2000m", "2")]
    #[case(".1", "100m")]
    #[case("100n", "100n")]
    #[case("1u", "1000n")]
    #[case("12e3", "12000")]
    #[case("5E-1", "500m")]
    #[case("1k", "1000")]
    #[case("-2", "-2")]
    #[case("1E", "1000000000000000000")]
    fn a_number_is_read_exactly(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(text.parse::<Quantity>().unwrap().to_string(), shown);
    }

    #[rstest]
    #[case("1Gi", "1Gi")]
    #[case("1536Mi", "1.5Gi")]
    #[case("134217728", "128Mi")]
    #[case("1Ei", "1Ei")]
    #[case("900", "900")]
    fn bytes_are_shown_with_a_unit(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(text.parse::<Quantity>().unwrap().of("limits.memory"), shown);
    }

    #[rstest]
    #[case("")]
    #[case("m")]
    #[case("1.2.3")]
    #[case("1 Gi")]
    #[case("1gi")]
    #[case("99999999999999999999")]
    #[case("1e99")]
    fn nonsense_is_refused_by_name(#[case] text: &str) {
        assert!(text.parse::<Quantity>().unwrap_err().contains(&format!("{text:?}")));
    }

    #[test]
    fn amounts_add_and_compare_across_units() {
        let of = |text: &str| text.parse::<Quantity>().unwrap();
        assert_eq!(of("1Gi") + of("1Gi") - of("1024Mi"), of("1Gi"));
        assert!(of("1G") < of("1Gi") && of("999m") < of("1"));
        assert_eq!(of("250m").times(4), Quantity::whole(1));
    }
}
