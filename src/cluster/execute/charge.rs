//! Carries out what is next about the charges of a budget.

use super::{create_record, record_status, write_ledger};
use crate::api::names::label_value;
use crate::cluster::{Cluster, Error};
use crate::release::charge::Move;

/// Carries a move out; says whether something was written.
pub async fn carry_out(cluster: &Cluster, (namespace, budget): (&str, &str), next: &Move) -> Result<bool, Error> {
    match next {
        Move::Number { resource_version, ledger } => {
            write_ledger(cluster, (namespace, budget), resource_version, ledger).await?;
        }
        Move::Open { name, spec, status } => {
            create_record(cluster, namespace, (name, &label_value(&spec.release)), spec, status).await?;
        }
        Move::Finish { name, resource_version, status } => {
            record_status(cluster, namespace, name, resource_version, status).await?;
        }
        Move::Wait(_) => return Ok(false),
    }
    Ok(true)
}
