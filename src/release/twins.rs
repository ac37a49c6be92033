//! Several GatedReleases that name the same workload, or the same Service behind routes: one has it, the others write nothing.
//!
//! Who has taken it under the gate keeps it (our finalizer says so), so that nobody loses a release in its middle to one that is
//! created or attached again; among equals the first that was created, then the smaller uid, which is the same for whoever looks.

use super::snapshot::{Release, Snapshot};
use crate::api::Time;
use crate::api::gated_release::{GatedReleaseSpec, WorkloadRef};

/// What a GatedRelease claims for itself, and what decides who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its UID; empty where it stands in no cluster yet.
    pub uid: String,
    /// When it was created; `None` where it stands in no cluster yet.
    pub created: Option<Time>,
    /// Whether our finalizer is on it: it has the workload under the gate.
    pub finalizer: bool,
    /// Whether it is deleted or detached, so that it claims nothing once the finalizer is off.
    pub leaves: bool,
    /// The workload that it names.
    pub workload: WorkloadRef,
    /// The Service whose traffic it divides by routes; `None` where exposure is by count, which shares a Service with anybody.
    pub service: Option<String>,
}

/// What two GatedReleases have in common that only one can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Common {
    /// The workload.
    Workload,
    /// The Service whose traffic both divide.
    Service,
}

/// Who has what this release claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken<'a> {
    /// The other GatedRelease.
    pub by: &'a Claim,
    /// What it has.
    pub what: Common,
}

impl Claim {
    /// What a release claims.
    pub fn of(release: &Release) -> Self {
        Self {
            name: release.name.clone(),
            uid: release.uid.clone(),
            created: release.created,
            finalizer: release.finalizer,
            leaves: release.leaving().is_some(),
            workload: release.spec.workload_ref.clone(),
            service: divided(&release.spec),
        }
    }

    /// Whether it has let go, or never had anything.
    const fn is_void(&self) -> bool {
        self.leaves && !self.finalizer
    }

    /// Whether it comes before the other.
    fn precedes(&self, other: &Self) -> bool {
        let rank = |claim: &Self| (!claim.finalizer, claim.created.is_none(), claim.created, claim.uid.clone());
        rank(self) < rank(other)
    }

    fn common(&self, other: &Self) -> Option<Common> {
        if self.workload == other.workload {
            return Some(Common::Workload);
        }
        (self.service.is_some() && self.service == other.service).then_some(Common::Service)
    }
}

/// The Service whose traffic a release divides by routes.
pub fn divided(spec: &GatedReleaseSpec) -> Option<String> {
    (!spec.traffic.by_count()).then(|| spec.traffic.service.clone())
}

/// Who has the workload, or the Service, before this release; none where this one may have both. One that has let go asks for nothing.
pub fn taken(seen: &Snapshot) -> Option<Taken<'_>> {
    let own = Claim::of(&seen.release);
    if own.is_void() {
        return None;
    }
    let before = seen.others.iter().filter(|other| other.name != own.name && !other.is_void() && other.precedes(&own));
    let mut all = before.filter_map(|by| Some(Taken { by, what: by.common(&own)? }));
    let first = all.next()?;
    // Who has the workload is the one to name.
    Some(all.find(|taken| taken.what == Common::Workload && first.what == Common::Service).unwrap_or(first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::world::World;
    use rstest::rstest;

    fn at(seconds: i64) -> Option<Time> {
        Some(Time(jiff::Timestamp::from_second(seconds).unwrap()))
    }

    /// Another GatedRelease of the same workload and Service, created so many seconds after the beginning of time.
    fn other(seen: &Snapshot, created: i64) -> Claim {
        Claim { name: "other".into(), uid: "g2".into(), created: at(created), ..Claim::of(&seen.release) }
    }

    type Change = fn(&mut Claim);

    /// This one was created at second 10 and its uid is `g1`.
    #[rstest]
    #[case::earlier((9, "g9"), |_: &mut Claim| {}, Some(Common::Workload))]
    #[case::later((11, "g0"), |_: &mut Claim| {}, None)]
    #[case::same_second_smaller_uid((10, "g0"), |_: &mut Claim| {}, Some(Common::Workload))]
    #[case::same_second_larger_uid((10, "g2"), |_: &mut Claim| {}, None)]
    #[case::leaves_and_has_not_let_go((9, "g2"), |other: &mut Claim| other.leaves = true, Some(Common::Workload))]
    #[case::has_let_go((9, "g2"), |other: &mut Claim| (other.leaves, other.finalizer) = (true, false), None)]
    #[case::not_taken_yet((9, "g2"), |other: &mut Claim| other.finalizer = false, None)]
    #[case::other_workload((9, "g2"), |other: &mut Claim| other.workload.name = "cart".into(), Some(Common::Service))]
    #[case::other_workload_and_service(
        (9, "g2"),
        |other: &mut Claim| (other.workload.name, other.service) = ("cart".into(), Some("cart".into())),
        None
    )]
    #[case::other_workload_by_count((9, "g2"), |other: &mut Claim| (other.workload.name, other.service) = ("cart".into(), None), None)]
    #[case::another_kind(
        (9, "g2"),
        |other: &mut Claim| (other.workload.kind, other.service) = (crate::api::gated_release::WorkloadKind::StatefulSet, None),
        None
    )]
    fn who_has_what(#[case] (created, uid): (i64, &str), #[case] change: Change, #[case] expected: Option<Common>) {
        let mut seen = World::new().seen;
        seen.release.created = at(10);
        let mut other = other(&seen, created);
        other.uid = uid.into();
        change(&mut other);
        seen.others = vec![other];
        assert_eq!(taken(&seen).map(|taken| taken.what), expected);
    }

    #[test]
    fn of_two_exactly_one_has_it_whoever_looks() {
        let mut seen = World::new().seen;
        let kinds = [(true, false), (false, false), (true, true)];
        let all = || [9, 10, 11].into_iter().flat_map(|at| kinds.iter().map(move |kind| (at, *kind)));
        for ((created, (finalizer, leaves)), (its_created, (its_finalizer, its_leaves))) in
            all().flat_map(|one| all().map(move |two| (one, two)))
        {
            let mut seen_by = |name: &str, mine: (i64, bool, bool), theirs: (i64, bool, bool)| {
                (seen.release.name, seen.release.uid) = (name.to_owned(), name.to_owned());
                (seen.release.created, seen.release.finalizer) = (at(mine.0), mine.1);
                seen.release.detached = mine.2;
                let (other, base) = (if name == "a" { "b" } else { "a" }, Claim::of(&seen.release));
                let (created, finalizer, leaves) = (at(theirs.0), theirs.1, theirs.2);
                seen.others = vec![Claim { name: other.into(), uid: other.into(), created, finalizer, leaves, ..base }];
                taken(&seen).is_some()
            };
            let (one, two) = ((created, finalizer, leaves), (its_created, its_finalizer, its_leaves));
            assert_ne!(seen_by("a", one, two), seen_by("b", two, one), "{one:?} {two:?}");
        }
    }

    #[test]
    fn what_stands_in_no_cluster_yet_comes_last() {
        let mut seen = World::new().seen;
        (seen.release.finalizer, seen.release.created) = (false, None);
        seen.others = vec![Claim { finalizer: false, ..other(&seen, 11) }];
        assert_eq!(taken(&seen).map(|taken| taken.what), Some(Common::Workload));
    }

    #[test]
    fn who_has_the_workload_is_named_before_who_has_the_service() {
        let mut seen = World::new().seen;
        seen.release.created = at(10);
        let service = Claim {
            workload: WorkloadRef { name: "cart".into(), ..seen.release.spec.workload_ref.clone() },
            ..other(&seen, 1)
        };
        seen.others = vec![service, Claim { name: "first".into(), ..other(&seen, 2) }];
        assert_eq!(taken(&seen).map(|taken| taken.by.name.as_str()), Some("first"));
    }
}
