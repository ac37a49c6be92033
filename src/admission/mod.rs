//! The admission policies that the chart ships, evaluated as an API server does.
//!
//! Here belongs what an API server does with MutatingAdmissionPolicies and ValidatingAdmissionPolicies ([`Policies`]): whom
//! they concern, in what order they run, what they change or deny. The policies are the chart's own text, rendered by
//! `charts/tidegate/ci/render-policies`. The webhook runs them where the API server cannot, and the sandbox where it is
//! the API server. What must never enter: what a policy says, in any other form than that text; I/O and a clock;
//! parameters and namespace selectors, which no policy of ours has and which are refused when they are read.

mod constraints;
mod policies;
mod policy;
mod refusals;
mod request;
mod review;
pub mod user;

pub use policies::{Override, Policies};
pub use review::{Operation, Refusal, Review};
pub use user::User;

#[cfg(test)]
mod tests;
