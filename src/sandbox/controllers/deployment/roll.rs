//! One step of a roll-out: up with the new where there is room, down with the old as far as users do not notice.

use super::view::{Resize, Set, Sets, Wanted};

/// The size of a new ReplicaSet of which `size` pods exist: as many more as the surge leaves room for.
pub(super) fn grown(wanted: &Wanted, sets: &Sets, size: i64) -> i64 {
    if wanted.recreate {
        return wanted.replicas;
    }
    let room = wanted.most() - sets.sum(|set| set.size);
    if room <= 0 { size } else { size + room.min(wanted.replicas - size) }
}

/// The next step of a rolling update; nothing where it waits or has ended.
pub(super) fn roll(wanted: &Wanted, sets: &Sets) -> Vec<Resize> {
    let Some(new) = sets.newest() else { return Vec::new() };
    let to = if new.size >= wanted.replicas { wanted.replicas } else { grown(wanted, sets, new.size) };
    if let Some(resize) = Resize::lazily(new, to) {
        return vec![resize];
    }
    let old: Vec<&Set> = sets.old().filter(|set| set.size > 0).collect();
    let spare = sets.sum(|set| set.size) - wanted.least() - (new.size - new.available);
    if old.is_empty() || spare <= 0 {
        return Vec::new();
    }
    let mut sizes: Vec<i64> = old.iter().map(|set| set.size).collect();
    // Old pods that serve nobody go first: they would only be in the way.
    let mut left = spare;
    for (set, size) in old.iter().zip(&mut sizes) {
        let gone = (set.size - set.available).clamp(0, left);
        *size -= gone;
        left -= gone;
    }
    // Then as many as can be missed.
    let mut left = (sets.sum(|set| set.available) - wanted.least()).max(0);
    for size in &mut sizes {
        let gone = (*size).min(left);
        *size -= gone;
        left -= gone;
    }
    old.into_iter().zip(sizes).filter_map(|(set, to)| Resize::lazily(set, to)).collect()
}

/// The next step of a Recreate: down with all that is old; the new one when nothing of it runs.
pub(super) fn recreate(wanted: &Wanted, sets: &Sets, old_pods: bool) -> Vec<Resize> {
    let down: Vec<_> = sets.old().filter(|set| set.size > 0).filter_map(|set| Resize::lazily(set, 0)).collect();
    if !down.is_empty() || old_pods {
        return down;
    }
    sets.newest().and_then(|new| Resize::lazily(new, wanted.replicas)).into_iter().collect()
}

/// Old ReplicaSets that nobody needs any more: empty, and beyond `revisionHistoryLimit` by their revision.
pub(super) fn forgotten(wanted: &Wanted, sets: &Sets) -> Vec<String> {
    let Some(limit) = wanted.history else { return Vec::new() };
    let mut old: Vec<&Set> = sets.old().filter(|set| !set.leaving).collect();
    let beyond = old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    old.sort_by(|one, other| (one.revision, one.age()).cmp(&(other.revision, other.age())));
    let empty = |set: &&&Set| set.pods == 0 && set.size == 0 && set.observed;
    old.iter().take(beyond).filter(empty).map(|set| set.name.clone()).collect()
}
