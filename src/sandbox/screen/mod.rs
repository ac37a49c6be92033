//! What `tidegate sandbox` shows on a terminal.
//!
//! Here belongs how things look: [`draw`] paints a [`View`], [`Key`] says what may be pressed. What must never enter: reading the cluster, a clock, a decision. A view is a plain value
//! that whoever plays a scenario fills in; whatever it holds, nothing here fails or overflows.

mod draw;
mod figures;
mod history;
mod key;
mod keyboard;
mod parts;
mod terminal;
mod view;

#[cfg(test)]
mod tests;

pub use draw::draw;
pub use history::{History, Sample};
pub use key::Key;
pub use keyboard::{Beat, Keyboard};
pub use terminal::Terminal;
pub use view::{ArmView, BudgetView, ConditionView, EventView, HoldView, StageState, StageView, Tally, View};
