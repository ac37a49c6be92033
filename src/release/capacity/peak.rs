//! How many pods live at the worst moment of a release.

use serde::Serialize;
use serde_json::Value;

use crate::api::gated_release::Capacity;
use crate::api::{Percent, Weight};
use crate::policy::schedule::LEAN_MAX;
use crate::release::objects::{canary_size, previous_size};
use crate::release::plan::count::most_beside;

/// Pods at the worst moment: in Promote the workload rolls while the canary carries the traffic and the previous version
/// is kept ready beside it. Without routes there is no previous version, and a StatefulSet has no pods more than ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Peak {
    /// The workload's own pods: `spec.replicas`.
    pub workload: u32,
    /// Pods that its rolling update starts before it ends others: `maxSurge`.
    pub surge: u32,
    /// Pods of the canary.
    pub canary: u32,
    /// Pods of the previous version.
    pub previous: u32,
}

impl Peak {
    /// The peak of a release, with `strategy` as the Deployment's `spec.strategy`.
    ///
    /// A lean one has two heights, and the higher one counts: while the workload rolls, canary and previous version carry
    /// half of the traffic each; when the canary is gone, the previous version grows to its fallback.
    pub fn of(replicas: u32, capacity: Capacity, fallback: Percent, strategy: Option<&Value>) -> Self {
        let (workload, surge) = (replicas, max_surge(strategy, replicas));
        let previous = previous_size(replicas, fallback);
        let half = canary_size(replicas, LEAN_MAX);
        match capacity {
            Capacity::Full => Self { workload, surge, canary: canary_size(replicas, Weight::FULL), previous },
            Capacity::Lean if surge.saturating_add(half).saturating_add(half) >= previous => {
                Self { workload, surge, canary: half, previous: half }
            }
            Capacity::Lean => Self { workload, surge: 0, canary: 0, previous },
        }
    }

    /// The peak of a Deployment whose new version is exposed by the number of its pods: it rolls while the canary stands
    /// beside it, at the size of the largest stage.
    pub fn by_count(replicas: u32, strategy: Option<&Value>) -> Self {
        Self { workload: replicas, surge: max_surge(strategy, replicas), canary: most_beside(replicas), previous: 0 }
    }

    /// The peak of a StatefulSet, each of whose pods goes before another takes its place.
    pub const fn within(replicas: u32) -> Self {
        Self { workload: replicas, surge: 0, canary: 0, previous: 0 }
    }

    /// Whose pods these are, in words, without those that are none.
    pub fn parts(&self) -> String {
        let Self { workload, surge, canary, previous } = *self;
        let others =
            [(surge, "of its rolling update"), (canary, "of the canary"), (previous, "of the previous version")];
        let others = others.into_iter().filter(|(pods, _)| *pods > 0).map(|(pods, whose)| format!(", {pods} {whose}"));
        format!("{workload} of the workload{}", others.collect::<String>())
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
    use Capacity::{Full, Lean};
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::as_it_is(4, Full, 100, json!(null), (1, 4, 4))]
    #[case::half_a_fallback(4, Full, 50, json!({"rollingUpdate": {"maxSurge": 2}}), (2, 4, 2))]
    #[case::no_surge(10, Full, 100, json!({"rollingUpdate": {"maxSurge": 0}}), (0, 10, 10))]
    #[case::in_percent(10, Full, 100, json!({"rollingUpdate": {"maxSurge": "33%"}}), (4, 10, 10))]
    #[case::lean_while_it_rolls(10, Lean, 100, json!({"rollingUpdate": {"maxSurge": "0%"}}), (0, 7, 7))]
    #[case::lean_with_a_small_fallback(10, Lean, 20, json!({"rollingUpdate": {"maxSurge": 1}}), (1, 7, 7))]
    #[case::nothing_runs(0, Full, 100, json!(null), (0, 1, 1))]
    fn a_peak_has_all_that_lives_at_once(
        #[case] replicas: u32,
        #[case] capacity: Capacity,
        #[case] fallback: u8,
        #[case] strategy: Value,
        #[case] (surge, canary, previous): (u32, u32, u32),
    ) {
        let peak = Peak::of(replicas, capacity, Percent::whole(fallback), Some(&strategy));
        assert_eq!(peak, Peak { workload: replicas, surge, canary, previous });
        assert_eq!(peak.pods(), replicas + surge + canary + previous);
    }

    #[rstest]
    #[case::beside(Peak::by_count(4, None), 9, "4 of the workload, 1 of its rolling update, 4 of the canary")]
    #[case::beside_without_surge(Peak::by_count(4, Some(&json!({"rollingUpdate": {"maxSurge": 0}}))), 8, "4 of the workload, 4 of the canary")]
    #[case::nothing_runs(Peak::by_count(0, None), 0, "0 of the workload")]
    #[case::within(Peak::within(3), 3, "3 of the workload")]
    fn without_routes_there_is_less(#[case] peak: Peak, #[case] pods: u32, #[case] parts: &str) {
        assert_eq!((peak.pods(), peak.parts().as_str()), (pods, parts));
    }
}
