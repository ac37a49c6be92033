//! How many pods live at the worst moment of a release.

use serde::Serialize;
use serde_json::Value;

use crate::api::{Percent, Weight};
use crate::release::objects::{canary_size, previous_size};

/// Pods at the worst moment: in Promote the workload rolls while the canary carries the traffic and the previous version
/// is kept ready beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Peak {
    /// The workload's own pods: `spec.replicas`.
    pub workload: u32,
    /// Pods that its rolling update starts before it ends others: `maxSurge`.
    pub surge: u32,
    /// Pods of the canary at its largest stage.
    pub canary: u32,
    /// Pods of the previous version: `strategy.fallbackPercent` of the replicas.
    pub previous: u32,
}

impl Peak {
    /// The peak of a release whose canary grows up to `largest`, with `strategy` as the Deployment's `spec.strategy`.
    pub fn of(replicas: u32, largest: Weight, fallback: Percent, strategy: Option<&Value>) -> Self {
        Self {
            workload: replicas,
            surge: max_surge(strategy, replicas),
            canary: canary_size(replicas, largest),
            previous: previous_size(replicas, fallback),
        }
    }

    /// All pods together.
    pub fn pods(&self) -> u32 {
        self.workload.saturating_add(self.surge).saturating_add(self.canary).saturating_add(self.previous)
    }
}

/// `maxSurge` in pods: a quarter of the replicas, rounded up, where nothing is said.
fn max_surge(strategy: Option<&Value>, replicas: u32) -> u32 {
    let percent = |percent: u32| u64::from(replicas).saturating_mul(u64::from(percent)).div_ceil(100);
    let said = strategy.and_then(|strategy| strategy.pointer("/rollingUpdate/maxSurge"));
    let pods = match said {
        Some(Value::Number(number)) => number.as_u64().unwrap_or(0),
        Some(Value::String(text)) => match text.strip_suffix('%') {
            Some(share) => percent(share.parse().unwrap_or(25)),
            None => text.parse().unwrap_or(0),
        },
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => percent(25),
    };
    u32::try_from(pods).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::as_it_is(4, 100, 100, json!(null), (1, 4, 4))]
    #[case::half_a_fallback(4, 100, 50, json!({"rollingUpdate": {"maxSurge": 2}}), (2, 4, 2))]
    #[case::no_surge(10, 100, 100, json!({"rollingUpdate": {"maxSurge": 0}}), (0, 10, 10))]
    #[case::in_percent(10, 100, 100, json!({"rollingUpdate": {"maxSurge": "33%"}}), (4, 10, 10))]
    #[case::up_to_half(10, 50, 100, json!({"rollingUpdate": {"maxSurge": "0%"}}), (0, 7, 10))]
    #[case::nothing_runs(0, 100, 100, json!(null), (0, 1, 1))]
    fn a_peak_has_all_that_lives_at_once(
        #[case] replicas: u32,
        #[case] largest: u8,
        #[case] fallback: u8,
        #[case] strategy: Value,
        #[case] (surge, canary, previous): (u32, u32, u32),
    ) {
        let peak = Peak::of(replicas, Weight::whole(largest), Percent::whole(fallback), Some(&strategy));
        assert_eq!(peak, Peak { workload: replicas, surge, canary, previous });
        assert_eq!(peak.pods(), replicas + surge + canary + previous);
    }
}
