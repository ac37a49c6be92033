//! Admission as a webhook, for API servers that know no MutatingAdmissionPolicy.
//!
//! Here belongs what stands between an API server and [`crate::admission`]: the form of questions and answers ([`review`]),
//! the door with its limits ([`door`]), TLS ([`serve`]), and the certificates that the API server trusts ([`rotation`]
//! decides what is due, [`certificates`] makes and reads them, [`keep`] stores them and tells the API server). What must
//! never enter: what a policy says; it is the chart's text, here as there.
//!
//! Every replica answers, not only the leader: an answer follows from the question alone.

pub mod certificates;
pub mod door;
pub mod keep;
pub mod review;
pub mod rotation;
pub mod serve;

#[cfg(test)]
mod tests;
