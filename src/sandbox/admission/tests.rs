//! The cases of `charts/tidegate/ci/admission_test.py`, which tries the same policies on a real API server.

mod hold;
mod policies;
mod records;
mod stateful;
mod weights;
mod world;
