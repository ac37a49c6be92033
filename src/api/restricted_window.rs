//! Times in which only exceptions and rollbacks ship (`000_…` §5.3): once, every week, or every year.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Time;

/// A time in which releases are restricted: once (`from` and `to`), `weekly` or `yearly`.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(
    validation = Rule::new("[has(self.from) || has(self.to), has(self.weekly), has(self.yearly)].filter(x, x).size() == 1").message("say when, in one way: from and to (once), weekly or yearly; write a window for each"),
    validation = Rule::new("has(self.from) == has(self.to)").message("from and to belong together: write both, such as 2026-11-26T00:00:00Z and 2026-11-30T00:00:00Z"),
    validation = Rule::new("!has(self.from) || !has(self.to) || timestamp(self.from) < timestamp(self.to)").message("from must be before to: swap them or correct the year"),
    validation = Rule::new("!has(self.timeZone) || has(self.weekly) || has(self.yearly)").message("timeZone is for weekly and yearly: from and to carry their own offset, such as 2026-11-26T00:00:00+01:00")
)]
pub struct RestrictedWindow {
    /// What it is, such as `Black Friday`.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// First moment of a time that comes once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Time>,
    /// First moment after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Time>,
    /// Every week on these days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly: Option<WeeklyTimes>,
    /// Every year on these days, such as a season of holidays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yearly: Option<YearlyDays>,
    /// IANA time zone of `weekly` and `yearly`. Default: that of `spec.window`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64))]
    pub time_zone: Option<String>,
}

/// Times of days of every week, as clocks on the wall show them.
#[derive(Debug, Clone, PartialEq, Eq, KubeSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[x_kube(validation = Rule::new("self.from != self.to").message("from and to are the same time: leave both out for whole days"))]
pub struct WeeklyTimes {
    /// The days on which it begins.
    #[schemars(length(min = 1, max = 7), extend("x-kubernetes-list-type" = "set"))]
    pub days: Vec<Weekday>,
    /// The first minute, 00:00 to 23:59. Default: 00:00.
    #[serde(default = "WeeklyTimes::default_from")]
    #[schemars(length(max = 5), regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub from: String,
    /// The first minute after it, 00:00 to 24:00; one before `from` is on the next day. Default: 24:00.
    #[serde(default = "WeeklyTimes::default_to")]
    #[schemars(length(max = 5), regex(pattern = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"))]
    pub to: String,
}

impl WeeklyTimes {
    fn default_from() -> String {
        "00:00".to_owned()
    }

    fn default_to() -> String {
        "24:00".to_owned()
    }
}

/// Whole days of every year.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct YearlyDays {
    /// The first day as month and day, such as `12-20`.
    #[schemars(
        length(max = 5),
        regex(
            pattern = r"^((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))$"
        )
    )]
    pub first_day: String,
    /// The last day, which belongs to it, such as `01-02`; one before `firstDay` is in the next year.
    #[schemars(
        length(max = 5),
        regex(
            pattern = r"^((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))$"
        )
    )]
    pub last_day: String,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// Days since Monday, 0 to 6.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The days of a week, from Monday on.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];
}
