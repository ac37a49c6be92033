//! What the records of charges are called, and their chain.

use super::cost::reference;
use super::next::Seen;
use crate::policy::Attested;
use crate::policy::canonical::short;

/// How many characters of a budget's name stand in names of its records, which have at most 253.
const STEM_MAX: usize = 200;

/// Bytes of the digest of a change in the name of its record: nobody finds two changes with one name.
const DIGEST: usize = 16;

/// As many as there were before: two changes with one name were found by computing, and the second cost nothing.
const FORMER_DIGEST: usize = 6;

/// How the name of a chain of charges begins.
const BOOK: &str = "charges_";

/// The name of the record of a change: one for each change of a budget, however often it is attested.
pub fn record_of(budget: &str, reference: &str) -> String {
    of_digest(budget, reference, DIGEST)
}

/// The name that it has where it was made before names grew. Another change may have the same.
pub fn former_record_of(budget: &str, reference: &str) -> String {
    of_digest(budget, reference, FORMER_DIGEST)
}

fn of_digest(budget: &str, reference: &str, bytes: usize) -> String {
    let short = short(reference, bytes);
    let stem: String = budget.chars().take(STEM_MAX).collect();
    format!("{}-charge-{short}", stem.trim_end_matches(['.', '-']))
}

/// What stands in `spec.release` of these records: their chain. No GatedRelease can have a name with an underscore.
pub fn book(budget: &str) -> String {
    let stem: String = budget.chars().take(STEM_MAX).collect();
    format!("{BOOK}{stem}")
}

/// Whether a record of this `spec.release` is one of a charge.
pub fn is_book(release: &str) -> bool {
    release.starts_with(BOOK)
}

/// What the record of a change is called, or will be: by its former name where there is one of that name for this very change, or its
/// number was given under it. A number under a name whose record is another change's is that one's.
pub(super) fn stands_as(seen: &Seen<'_>, claim: &Attested) -> String {
    let revision = &claim.spec.revision;
    let former = former_record_of(seen.name, revision);
    let made = seen.records.iter().find(|record| record.name == former);
    let is_of_it = match made {
        Some(record) => record.spec.change.reference == reference(&claim.spec),
        None => seen.risk.ledger.pending.iter().any(|pending| pending.record == former),
    };
    if is_of_it { former } else { record_of(seen.name, revision) }
}
