//! What the controllers do, over the API server of the sandbox.

mod autoscaler;
mod budget;
mod garbage;
mod job;
mod network;
mod paused;
mod pods;
mod property;
mod recorded;
mod rolling;
mod stateful_set;
mod world;
