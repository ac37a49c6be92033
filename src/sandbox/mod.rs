//! An in-process API server, metrics and traffic world, for trying Tidegate without a cluster and for its simulator.
//!
//! What belongs here: stand-ins for the things outside the controller, which answer the production code as the real ones
//! do. What must never enter: a decision, or a shortcut that production code takes only here. Nothing of it is built yet;
//! the small world of the release tests (`src/release/world.rs`) knows the plan's actions only and stays where it is.
