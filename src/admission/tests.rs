//! The cases of `charts/tidegate/ci/admission_test.py`, which tries the same policies on a real API server. Each
//! runs through both doors: as policies of the API server, and as a question to the webhook.

mod attestations;
mod budgets;
mod hold;
mod policies;
mod records;
mod shared;
mod stateful;
mod weights;
mod world;
