//! What a release needs at its worst moment, and what each ResourceQuota leaves for it.
//!
//! Here belongs arithmetic: pods, their requests and limits, counts of objects. What must never enter: whether a release
//! may start (`preflight` says that), and what a cluster's nodes have free, which nobody can promise.

pub mod peak;
pub mod pod;
pub mod quantity;
pub mod quota;

pub use peak::Peak;
pub use quantity::Quantity;
pub use quota::Row;
