//! The way in from outside: whoever owns the world lets calls in one at a time.

use tokio::sync::watch;

use crate::sandbox::api::{Answer, Call, Polled, Watch};

/// A simulated API server that is shared with tasks. Calls do not block for long: the world behind is in memory.
pub trait Door: Send + Sync + 'static {
    /// Answers a call.
    fn call(&self, call: &Call) -> Answer;

    /// What a watch has to say since the last time.
    fn poll(&self, watch: &mut Watch) -> Polled;

    /// Tells of every change that a watch might have to tell, such as a new resourceVersion or bookmarks that were asked
    /// for. When the sender is gone, watches end.
    fn changed(&self) -> watch::Receiver<u64>;
}
