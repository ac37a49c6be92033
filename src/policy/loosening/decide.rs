//! Who has agreed to a loosening.

use serde_json::json;

use super::Loosened;
use crate::api::RiskBudgetSpec;
use crate::policy::Role;
use crate::policy::canonical::sha256;
use crate::policy::requirement::{Claim, Claims};

/// Those who answer for the budget of a service: PM for risk appetite, DM for enforcement (`000_…` §4).
pub const BOTH: [Role; 2] = [Role::ProductManager, Role::DevelopmentManager];
/// Who declares a freeze, and so may lift it (`001_…`, Roles and Responsibilities, SRE Team).
pub const DECLARES_FREEZE: Role = Role::Sre;

/// What an approval names: `spec-` and a hash of just this spec, at just this generation of just this object. An approval is
/// never carried over: neither to the next edit, nor to the same words written again later.
pub fn revision(uid: &str, generation: i64, spec: &RiskBudgetSpec) -> String {
    // A spec that was parsed from JSON can be written as such.
    let spec = serde_json::to_value(spec).unwrap_or_default();
    format!("spec-{}", sha256(&json!({"uid": uid, "generation": generation, "spec": spec})))
}

/// Whether a loosening takes effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<'a> {
    /// Those agreed whom it takes, each in their role.
    Agreed(Vec<&'a Claim>),
    /// Nobody has agreed yet in these roles.
    Missing(Vec<Role>),
    /// Somebody whom it takes is against it.
    Rejected(&'a Claim),
}

/// Whether SRE alone may agree: nothing is loosened but a freeze.
pub fn sre_suffices(loosened: &[Loosened]) -> bool {
    loosened.iter().all(|one| one.is_freeze)
}

/// Whether those have agreed whom a loosening takes: both roles, each another person; to lift a freeze SRE suffices.
pub fn decide<'a>(loosened: &[Loosened], claims: Claims<'a>) -> Decision<'a> {
    let alone = sre_suffices(loosened);
    let against = claims.rejection(&BOTH).or_else(|| claims.rejection(&[DECLARES_FREEZE]).filter(|_| alone));
    if let Some(against) = against {
        return Decision::Rejected(against);
    }
    if alone && let Ok(agreed) = claims.seats(&[&[DECLARES_FREEZE]]) {
        return Decision::Agreed(agreed);
    }
    match claims.seats(&[&[BOTH[0]], &[BOTH[1]]]) {
        Ok(agreed) => Decision::Agreed(agreed),
        Err(empty) => Decision::Missing(empty.into_iter().filter_map(|seat| BOTH.get(seat).copied()).collect()),
    }
}
