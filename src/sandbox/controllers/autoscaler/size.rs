//! How many replicas an autoscaler wants: from a utilisation to a number, by window, policies and bounds.

use serde_json::Value;

use super::super::look::{at, integer, items, number, text};
use crate::api::{Span, Time};

/// A utilisation so close to its target changes nothing.
const TOLERANCE: f64 = 0.1;

/// The pods of a scale target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fleet {
    /// `spec.replicas`.
    pub(super) current: i64,
    pub(super) ready: i64,
    pub(super) unready: i64,
}

/// What the metric alone asks for. `ratio` is utilisation by target, over the ready pods.
pub(super) fn by_metric(fleet: Fleet, ratio: f64) -> i64 {
    let Fleet { current, ready, unready } = fleet;
    let (mut ratio, mut count) = (ratio, ready);
    if unready > 0 && ratio > 1.0 {
        // Pods that are on their way are taken to bear nothing yet: who scales up waits for them.
        count = ready + unready;
        ratio *= ready as f64 / count as f64;
        if ratio < 1.0 {
            return current;
        }
    }
    if (1.0 - TOLERANCE..=1.0 + TOLERANCE).contains(&ratio) {
        return current;
    }
    let wanted = (ratio * count as f64).ceil() as i64;
    // More pods than the target has may be counted, when another has its labels.
    if (ratio < 1.0 && wanted > current) || (ratio > 1.0 && wanted < current) { current } else { wanted }
}

/// A direction of `spec.behavior`.
#[derive(Debug)]
pub(super) struct Rules {
    /// `stabilizationWindowSeconds`.
    pub(super) window: Span,
    select: Select,
    policies: Vec<Policy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Select {
    Max,
    Min,
    Disabled,
}

#[derive(Debug)]
struct Policy {
    percent: bool,
    value: i64,
    period: Span,
}

impl Rules {
    pub(super) fn of(autoscaler: &Value, up: bool) -> Self {
        let path = if up { "scaleUp" } else { "scaleDown" };
        let rules = at(autoscaler, &["spec", "behavior", path]).unwrap_or(&Value::Null);
        let seconds =
            |value: &Value, key: &str| integer(value, &[key]).and_then(|it| u64::try_from(it).ok()).map(Span::seconds);
        let mut policies: Vec<Policy> = items(rules, &["policies"])
            .iter()
            .map(|policy| Policy {
                percent: text(policy, &["type"]) == "Percent",
                value: number(policy, &["value"]),
                period: seconds(policy, "periodSeconds").unwrap_or(Span::seconds(15)),
            })
            .collect();
        if policies.is_empty() {
            policies.push(Policy { percent: true, value: 100, period: Span::seconds(15) });
            if up {
                policies.push(Policy { percent: false, value: 4, period: Span::seconds(15) });
            }
        }
        Self {
            window: seconds(rules, "stabilizationWindowSeconds").unwrap_or(Span::seconds(if up { 0 } else { 300 })),
            select: match text(rules, &["selectPolicy"]) {
                "Disabled" => Select::Disabled,
                "Min" => Select::Min,
                _ => Select::Max,
            },
            policies,
        }
    }

    /// As far as one may go now in this direction. `done` is what was done lately: when, and by how many.
    pub(super) fn limit(&self, current: i64, done: &[(Time, i64)], up: bool, now: Time) -> i64 {
        let by_policy = |policy: &Policy| {
            let lately = done.iter().filter(|(at, _)| at.plus(policy.period) > now).map(|(_, by)| by).sum::<i64>();
            let before = if up { current - lately } else { current + lately };
            match (policy.percent, up) {
                (false, true) => before + policy.value,
                (false, false) => before - policy.value,
                (true, true) => (before as f64 * (1.0 + policy.value as f64 / 100.0)).ceil() as i64,
                (true, false) => (before as f64 * (1.0 - policy.value as f64 / 100.0)) as i64,
            }
        };
        let limits = self.policies.iter().map(by_policy);
        let limit = match (self.select, up) {
            (Select::Disabled, _) => None,
            (Select::Max, true) | (Select::Min, false) => limits.max(),
            (Select::Min, true) | (Select::Max, false) => limits.min(),
        };
        let limit = limit.unwrap_or(current);
        if up { limit.max(current) } else { limit.min(current) }
    }

    pub(super) fn longest(&self) -> Span {
        self.policies.iter().map(|policy| policy.period).max().unwrap_or(Span::ZERO)
    }
}

/// Holds a wish back until it has been asked for as long as the windows say.
pub(super) fn stabilised(current: i64, wish: i64, lately: &[(Time, i64)], up: Span, down: Span, now: Time) -> i64 {
    let within = |window: Span| lately.iter().filter(move |(at, _)| at.plus(window) > now).map(|(_, wish)| *wish);
    let highest = within(down).fold(wish, i64::max);
    let lowest = within(up).fold(wish, i64::min);
    current.max(lowest).min(highest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::within_tolerance(4, 4, 0, 1.1, 4)]
    #[case::above(4, 4, 0, 1.5, 6)]
    #[case::below(4, 4, 0, 0.4, 2)]
    #[case::rounds_up(3, 3, 0, 1.4, 5)]
    #[case::unready_pods_wait(6, 4, 2, 1.5, 6)]
    #[case::unready_pods_do_not_help_down(6, 4, 2, 0.5, 2)]
    #[case::foreign_pods_inflate(4, 8, 0, 1.5, 12)]
    #[case::foreign_pods_do_not_turn_round(4, 8, 0, 0.8, 4)]
    fn a_metric_asks_for_replicas(
        #[case] current: i64,
        #[case] ready: i64,
        #[case] unready: i64,
        #[case] ratio: f64,
        #[case] wanted: i64,
    ) {
        assert_eq!(by_metric(Fleet { current, ready, unready }, ratio), wanted);
    }

    #[rstest]
    #[case::double(10, true, "{}", 20)]
    #[case::four_at_least(2, true, "{}", 6)]
    #[case::all_down(10, false, "{}", 0)]
    #[case::disabled(10, false, r#"{"scaleDown": {"selectPolicy": "Disabled"}}"#, 10)]
    #[case::one_at_a_time(
        10,
        false,
        r#"{"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}"#,
        9
    )]
    #[case::the_smaller(10, true, r#"{"scaleUp": {"selectPolicy": "Min", "policies": [{"type": "Pods", "value": 3, "periodSeconds": 60}, {"type": "Percent", "value": 10, "periodSeconds": 60}]}}"#, 11)]
    fn policies_limit(#[case] current: i64, #[case] up: bool, #[case] behaviour: &str, #[case] limit: i64) {
        let behaviour: Value = serde_json::from_str(behaviour).unwrap();
        let autoscaler = serde_json::json!({"spec": {"behavior": behaviour}});
        assert_eq!(Rules::of(&autoscaler, up).limit(current, &[], up, Time(jiff::Timestamp::UNIX_EPOCH)), limit);
    }
}
