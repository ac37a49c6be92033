//! The cases of `charts/tidegate/ci/admission_test.py`, which tries the same policies on a real API server. Each
//! runs through both doors: as policies of the API server, and as a question to the webhook.

mod attestations;
mod budgets;
mod copies;
mod glass;
mod hold;
mod policies;
mod records;
mod shared;
mod stateful;
mod weights;
mod world;

use serde_json::{Value, json};

/// Forged by whoever likes to: the API server saw none of it.
fn forged() -> Value {
    json!({"metadata": {"annotations": {
        "tidegate.io/changed-by": "bob", "tidegate.io/resumed-by": "bob", "tidegate.io/paused-because": "bob says so",
    }}})
}

fn label(value: Value) -> Value {
    json!({"metadata": {"labels": {"tidegate.io/gated": value}}})
}
