//! Who made a change that is charged, and so does not approve that it went past the budget.

use super::next::Seen;
use crate::api::attestation::ClaimOutcome;
use crate::api::release_record::AuthorsRecord;
use crate::policy::Attested;
use crate::policy::evidence::CHARGE;
use crate::policy::requirement::author::{in_commits, is_person, named};
use crate::release::assess::authors_on_record;

/// The people who sent a charge of this change, and whom its charges name. They are all known where a person sent the one that is
/// charged, or a pipeline names somebody; otherwise two people approve where one would (`000_…` §4).
pub(super) fn authors(seen: &Seen<'_>, charged: &Attested) -> AuthorsRecord {
    let of_it = |one: &&Attested| {
        one.spec.kind == CHARGE
            && one.spec.outcome == ClaimOutcome::Passed
            && one.spec.revision == charged.spec.revision
    };
    let (mut all, mut known) = (Vec::new(), is_person(&charged.spec.author));
    for claim in seen.claims.iter().filter(of_it) {
        let (author, facts) = (&claim.spec.author, &claim.spec.facts);
        let before = all.len();
        all.extend(named(facts).map(str::to_owned));
        // A person who names somebody else may have made it themselves.
        known |= !is_person(author) && all.len() > before;
        all.extend(in_commits(facts).map(str::to_owned));
        all.extend(is_person(author).then(|| author.clone()));
    }
    authors_on_record(&all, known)
}
