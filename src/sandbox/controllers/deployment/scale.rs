//! Sizes alone: what a paused Deployment does, and one whose `replicas` were changed, before it rolls on.

use std::cmp::Reverse;

use super::view::{Resize, Set, Sets, Wanted};

/// Whether the Deployment was scaled since its ReplicaSets were sized.
pub(super) fn is_due(wanted: &Wanted, sets: &Sets) -> bool {
    sets.active().any(|set| set.desired.is_some_and(|desired| desired != wanted.replicas))
}

/// The one active ReplicaSet gets all; of none active, the new one, or else the youngest, starts, whatever served last;
/// several share by their sizes.
pub(super) fn scale(wanted: &Wanted, sets: &Sets) -> Vec<Resize> {
    let active: Vec<&Set> = sets.active().collect();
    let one = match active.as_slice() {
        [] => match sets.newest().or_else(|| sets.old().next_back()) {
            Some(set) => Some(set),
            None => return Vec::new(),
        },
        [only] => Some(*only),
        [..] => None,
    };
    if let Some(set) = one {
        return Resize::lazily(set, wanted.replicas).into_iter().collect();
    }
    if sets.newest().is_some_and(|new| is_saturated(wanted, new)) {
        return sets.old().filter(|set| set.size > 0).filter_map(|set| Resize::lazily(set, 0)).collect();
    }
    if wanted.recreate { Vec::new() } else { share(wanted, active) }
}

/// Whether it holds all that is wanted, and knows it.
fn is_saturated(wanted: &Wanted, set: &Set) -> bool {
    [Some(set.size), set.desired, Some(set.available)].iter().all(|number| *number == Some(wanted.replicas))
}

/// Spreads what is to come or to go over the active ReplicaSets, by their sizes; what rounding leaves over goes to the
/// largest.
fn share(wanted: &Wanted, mut active: Vec<&Set>) -> Vec<Resize> {
    let allowed = if wanted.replicas > 0 { wanted.most() } else { 0 };
    let to_add = allowed - active.iter().map(|set| set.size).sum::<i64>();
    // Of equals the younger grows first and the older shrinks first.
    if to_add > 0 {
        active.sort_by_key(|set| (Reverse(set.size), Reverse(set.age())));
    } else if to_add < 0 {
        active.sort_by_key(|set| (Reverse(set.size), set.age()));
    }
    let mut added = 0;
    let mut sizes: Vec<i64> = Vec::with_capacity(active.len());
    for set in &active {
        let left = to_add - added;
        let part = match left {
            0 => 0,
            left if to_add > 0 => growth(wanted, set).min(left),
            left => growth(wanted, set).max(left),
        };
        added += part;
        sizes.push(set.size + part);
    }
    if let Some(first) = sizes.first_mut() {
        *first = (*first + to_add - added).max(0);
    }
    let annotated = |set: &Set| set.desired == Some(wanted.replicas) && set.max == Some(wanted.most());
    let all = active.into_iter().zip(sizes).filter(|(set, to)| set.size != *to || !annotated(set));
    all.map(|(set, to)| Resize { set: set.name.clone(), to }).collect()
}

/// By how much a ReplicaSet grows when it keeps its share of the Deployment.
fn growth(wanted: &Wanted, set: &Set) -> i64 {
    if wanted.replicas == 0 {
        return -set.size;
    }
    let before = set.max.filter(|max| *max > 0).unwrap_or(wanted.reported);
    if before == 0 {
        return 0;
    }
    // Halves are rounded away from zero.
    (2 * set.size * wanted.most() + before).div_euclid(2 * before) - set.size
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn wanted(replicas: i64, max_surge: i64) -> Wanted {
        let mut wanted = Wanted::of(&serde_json::json!({"spec": {"replicas": replicas}}));
        wanted.max_surge = max_surge;
        wanted
    }

    /// Sets `a`, `b` … from old to young, of these sizes, sized when the Deployment allowed `max`.
    fn sets(sizes: &[i64], max: i64) -> Sets {
        let one = |(index, size): (usize, &i64)| Set {
            name: char::from(b'a' + u8::try_from(index).unwrap()).to_string(),
            created: format!("2026-01-01T00:00:0{index}Z"),
            size: *size,
            desired: Some(max),
            max: Some(max),
            ..Set::default()
        };
        Sets::of(sizes.iter().enumerate().map(one).collect())
    }

    #[rstest]
    #[case::one_active(&[0, 4, 0], 4, 6, 0, "b6")]
    #[case::none_active_the_youngest(&[0, 0, 0], 0, 4, 0, "c4")]
    #[case::grow_by_share(&[6, 2], 8, 16, 0, "a12 b4")]
    #[case::shrink_by_share(&[6, 2], 8, 4, 0, "a3 b1")]
    #[case::to_nothing(&[6, 2], 8, 0, 0, "a0 b0")]
    #[case::the_rest_to_the_largest(&[5, 3], 8, 9, 0, "a6 b3")]
    #[case::equals_the_younger_grows(&[2, 2], 4, 5, 0, "a2 b3")]
    #[case::equals_the_older_shrinks(&[2, 2], 4, 3, 0, "a1 b2")]
    #[case::surge_counts(&[3, 2], 5, 8, 2, "a6 b4")]
    fn sizes_are_shared(
        #[case] sizes: &[i64],
        #[case] max: i64,
        #[case] replicas: i64,
        #[case] surge: i64,
        #[case] expected: &str,
    ) {
        let mut done = scale(&wanted(replicas, surge), &sets(sizes, max));
        done.sort_by(|one, other| one.set.cmp(&other.set));
        let shown: Vec<_> = done.iter().map(|resize| format!("{}{}", resize.set, resize.to)).collect();
        assert_eq!(shown.join(" "), expected);
    }
}
