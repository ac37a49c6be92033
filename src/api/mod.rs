//! The resources of `tidegate.io/v1alpha1`: their fields, defaults, ranges and rules.
//!
//! `crds/` and the chart's CRDs are generated from here (`tidegate crds`). Types only: what a field
//! means is said in its comment, which becomes its description in the CRD. No client, no decision
//! and no reading of a cluster enters here.

pub mod attestation;
pub mod budget_status;
pub mod change;
pub mod comparison;
pub mod compliance;
pub mod condition;
pub mod figures;
pub mod gated_release;
pub mod loosening;
pub mod names;
pub mod obligation;
pub mod release_record;
pub mod restricted_window;
pub mod risk_budget;
pub mod signals;
pub mod synthetic;
pub mod undecided;
pub mod units;
pub mod watched;

pub use attestation::{Attestation, AttestationSpec};
pub use budget_status::BudgetStatus;
pub use change::{Change, ChangeType, RiskClass, Severity};
pub use comparison::{Comparison, ComparisonRecord, SignalRecord, SlowRecord, Slowness};
pub use condition::Condition;
pub use gated_release::{GatedRelease, GatedReleaseSpec, GatedReleaseStatus};
pub use release_record::{ReleaseRecord, ReleaseRecordSpec, ReleaseRecordStatus};
pub use risk_budget::{RiskBudget, RiskBudgetSpec, RiskBudgetStatus};
pub use undecided::{Undecided, WhenUndecided};
pub use units::{Percent, Span, Time, Weight};

use std::collections::BTreeMap;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;

/// The API group of every kind.
pub const GROUP: &str = "tidegate.io";

/// The custom resource definitions of all four kinds, as they are shipped.
pub fn custom_resource_definitions()
-> Vec<k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition> {
    let mut all = vec![GatedRelease::crd(), RiskBudget::crd(), ReleaseRecord::crd(), Attestation::crd()];
    for crd in &mut all {
        for schema in
            crd.spec.versions.iter_mut().filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut())
        {
            without_unknown_formats(schema);
        }
        crd.metadata.labels = Some([("app.kubernetes.io/name".to_owned(), "tidegate".to_owned())].into());
        // Deleting the CRDs deletes every record; Helm keeps them on uninstall.
        crd.metadata.annotations = Some([("helm.sh/resource-policy".to_owned(), "keep".to_owned())].into());
    }
    all
}

/// Takes off the formats of Rust's integers that the API server does not know and warns of at every apply; the ranges
/// beside them stay.
fn without_unknown_formats(schema: &mut JSONSchemaProps) {
    if schema.format.as_deref().is_some_and(|format| format.starts_with("uint")) {
        schema.format = None;
    }
    let properties = schema.properties.iter_mut().flat_map(BTreeMap::values_mut);
    let items = match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(one)) => std::slice::from_mut(one.as_mut()),
        Some(JSONSchemaPropsOrArray::Schemas(many)) => many.as_mut_slice(),
        None => &mut [],
    };
    let additional = match &mut schema.additional_properties {
        Some(JSONSchemaPropsOrBool::Schema(one)) => Some(one.as_mut()),
        Some(JSONSchemaPropsOrBool::Bool(_)) | None => None,
    };
    properties.chain(items).chain(additional).for_each(without_unknown_formats);
}
