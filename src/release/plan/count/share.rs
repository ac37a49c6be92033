//! From a stage's weight to a number of pods.

use crate::api::Weight;

/// Pods beside `replicas` others, so that their share of all is at most the weight; at least one, and at most as many as
/// the others, which is one half; none beside none.
pub(super) fn beside(replicas: u32, weight: Weight) -> u32 {
    let (replicas, weight) = (u64::from(replicas), u64::from(weight.get()));
    let pods = (replicas * weight).checked_div(100 - weight).unwrap_or(replicas);
    u32::try_from(pods.max(1).min(replicas)).unwrap_or(u32::MAX)
}

/// Pods among `replicas`, so that their share is at most the weight; at least one, and never all: the last pod of the former
/// version is the way back.
pub(super) fn among(replicas: u32, weight: Weight) -> u32 {
    let pods = u64::from(replicas) * u64::from(weight.get()) / 100;
    u32::try_from(pods).unwrap_or(u32::MAX).max(1).min(replicas.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::too_few_for_so_little(4, 5, 1)]
    #[case(4, 25, 1)]
    #[case(4, 50, 4)]
    #[case::one_half_is_the_most(4, 100, 4)]
    #[case(20, 5, 1)]
    #[case(100, 5, 5)]
    #[case(1, 5, 1)]
    #[case::nobody_to_release_to(0, 50, 0)]
    fn beside_the_others(#[case] replicas: u32, #[case] weight: u8, #[case] pods: u32) {
        assert_eq!(beside(replicas, Weight::whole(weight)), pods);
    }

    #[rstest]
    #[case(4, 5, 1)]
    #[case(4, 50, 2)]
    #[case::the_last_stays(4, 100, 3)]
    #[case(10, 25, 2)]
    #[case(2, 100, 1)]
    #[case::nobody_to_keep(1, 100, 0)]
    #[case(0, 50, 0)]
    fn among_the_others(#[case] replicas: u32, #[case] weight: u8, #[case] pods: u32) {
        assert_eq!(among(replicas, Weight::whole(weight)), pods);
    }

    proptest::proptest! {
        #[test]
        fn a_share_is_at_most_its_weight_wherever_more_than_one_pod_is_asked_for(replicas in 1_u32..500, weight in 1_u8..=100) {
            let (one, other) = (beside(replicas, Weight::whole(weight)), among(replicas, Weight::whole(weight)));
            proptest::prop_assert!(one == 1 || u64::from(one) * 100 <= u64::from(weight) * u64::from(replicas + one));
            proptest::prop_assert!(other <= 1 || other * 100 <= u32::from(weight) * replicas);
        }
    }
}
