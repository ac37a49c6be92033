//! The work of a controller for as long as it takes to leave, in a process that runs no loop: the Lease first, then the very
//! same look at each release.

use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::process::GIVE_BACK_WITHIN;
use super::{Context, asked, look_once};
use crate::api::names::FINALIZER;
use crate::cluster::kind::GATED_RELEASE;
use crate::cluster::leader::{Keeper, Role};

/// How often a release is looked at although nothing was written.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// This process, which leads for a while.
pub struct Alone {
    context: Context,
    give_back: watch::Sender<bool>,
    keeping: Option<JoinHandle<()>>,
}

impl Alone {
    /// Works without a Lease, where there is none.
    pub fn unasked(context: Context) -> Self {
        Self { context, give_back: watch::channel(false).0, keeping: None }
    }

    /// Takes the Lease; None where it could not be taken by then.
    pub async fn begin(keeper: Keeper, context: Context, until: Instant) -> Option<Self> {
        let (give_back, given_back) = watch::channel(false);
        let mut role = keeper.role();
        let keeping = tokio::spawn(keeper.run(context.cluster.clone(), asked(given_back)));
        let leads = tokio::time::timeout_at(until, role.wait_for(|role| *role == Role::Leading)).await;
        if !matches!(leads, Ok(Ok(_))) {
            keeping.abort();
            return None;
        }
        Some(Self { context, give_back, keeping: Some(keeping) })
    }

    /// What each look is made with.
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Looks at a release until it has left, and tells what it says each time that it says something else; the error is what
    /// it said last.
    pub async fn leave(
        &self,
        namespace: &str,
        name: &str,
        until: Instant,
        mut tell: impl FnMut(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut told = String::new();
        loop {
            let (pause, failed) = match look_once(&self.context, namespace, name).await {
                Ok(pause) => (pause.unwrap_or(LOOK_EVERY).min(LOOK_EVERY), None),
                Err(error) => (LOOK_EVERY, Some(error.to_string())),
            };
            let says = match self.context.cluster.get(&GATED_RELEASE, namespace, name).await {
                Ok(object) => match has_left(object.as_ref()) {
                    Ok(()) => return Ok(()),
                    Err(says) => failed.unwrap_or(says),
                },
                Err(error) => error.to_string(),
            };
            if says != told {
                tell(&says)?;
                told.clone_from(&says);
            }
            if Instant::now() >= until {
                return Err(says);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Gives the Lease back.
    pub async fn end(self) {
        self.give_back.send_replace(true);
        if let Some(keeping) = self.keeping {
            drop(tokio::time::timeout(GIVE_BACK_WITHIN, keeping).await);
        }
    }
}

/// Whether a GatedRelease says that it has left; the error says what it says instead.
pub fn has_left(object: Option<&Value>) -> Result<(), String> {
    // Deleted meanwhile, it went by the same way.
    let Some(object) = object else { return Ok(()) };
    let finalizers = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    let ours = finalizers.is_some_and(|all| all.iter().any(|one| one == FINALIZER));
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    let ready = conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready");
    if !ours && ready.is_some_and(|ready| ready["reason"] == "Detached") {
        return Ok(());
    }
    let says = object.pointer("/status/message").and_then(Value::as_str).filter(|says| !says.is_empty());
    Err(says.unwrap_or("nothing looked at it yet").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case::gone(None, true)]
    #[case::left(Some(json!({"metadata": {}, "status": {"conditions": [{"type": "Ready", "reason": "Detached"}]}})), true)]
    #[case::another_finalizer_stays(Some(json!({"metadata": {"finalizers": ["example.com/x"]}, "status": {"conditions": [{"type": "Ready", "reason": "Detached"}]}})), true)]
    #[case::under_way(Some(json!({"metadata": {"finalizers": [FINALIZER]}, "status": {"conditions": [{"type": "Ready", "reason": "InForce"}]}})), false)]
    #[case::attached_and_detached_again(Some(json!({"metadata": {"finalizers": [FINALIZER]}, "status": {"conditions": [{"type": "Ready", "reason": "Detached"}]}})), false)]
    #[case::never_looked_at(Some(json!({"metadata": {}})), false)]
    fn it_has_left_when_the_finalizer_is_off_and_it_says_so(#[case] object: Option<Value>, #[case] left: bool) {
        assert_eq!(has_left(object.as_ref()).is_ok(), left);
    }
}
