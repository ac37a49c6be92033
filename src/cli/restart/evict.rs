//! Pods of one group, one after another, by the eviction API.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, EvictParams, ListParams, Preconditions};
use kube::core::Selector;
use kube::{Api, Client, ResourceExt};
use tokio::time::Instant;

use super::Stopped;
use super::group::Group;
use crate::cli::{say, why};

/// How often pods are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Evicts pods of a namespace.
pub(super) struct Evictor {
    pods: Api<Pod>,
    namespace: String,
    /// How long one pod may take to go and to be replaced.
    patience: Duration,
    /// Whether a pod that is alone goes too.
    interrupt: bool,
}

impl Evictor {
    pub(super) fn new(client: &Client, namespace: &str, patience: Duration, interrupt: bool) -> Self {
        let pods = Api::namespaced(client.clone(), namespace);
        Self { pods, namespace: namespace.to_owned(), patience, interrupt }
    }

    /// Evicts every pod that the group has now; says how many were left because they are alone.
    pub(super) async fn all_of(&self, group: &Group) -> Result<usize, Stopped> {
        let Group { name, role, selector } = group;
        let old: Vec<_> = self.list(selector).await?.into_iter().filter(living).collect();
        if old.is_empty() {
            return Ok(0);
        }
        let wanted = old.iter().filter(|pod| ready(pod)).count();
        if wanted < 2 && !self.interrupt {
            tell(&format!(
                "{name} ({role}): left as it is: {wanted} of its {} pods ready, so nobody would serve meanwhile",
                old.len()
            ))?;
            return Ok(old.len());
        }
        for (index, pod) in old.iter().enumerate() {
            let says = format!("{name} ({role}) {}/{}: {}", index + 1, old.len(), pod.name_any());
            let until = Instant::now() + self.patience;
            self.evict(pod, until, &says).await?;
            self.replaced(pod, selector, wanted, until, &says).await?;
            tell(&format!("{says} replaced, {wanted} ready"))?;
        }
        Ok(0)
    }

    async fn list(&self, selector: &Selector) -> Result<Vec<Pod>, Stopped> {
        let params = ListParams::default().labels_from(selector);
        let failed =
            |error: kube::Error| Stopped::Failed(format!("pods [{selector}] in {}: {}", self.namespace, why(&error)));
        Ok(self.pods.list(&params).await.map_err(failed)?.items)
    }

    /// Asks for the eviction until the PodDisruptionBudgets allow it.
    async fn evict(&self, pod: &Pod, until: Instant, says: &str) -> Result<(), Stopped> {
        // Just this pod: another may have taken its name, such as that of a StatefulSet.
        let just = Preconditions { uid: pod.uid(), resource_version: None };
        let delete = DeleteParams { preconditions: Some(just), ..DeleteParams::default() };
        let params = EvictParams { delete_options: Some(delete), ..EvictParams::default() };
        let mut told = false;
        loop {
            let why = match self.pods.evict(&pod.name_any(), &params).await {
                Ok(_) => return Ok(()),
                // It went by itself.
                Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => return Ok(()),
                Err(kube::Error::Api(status)) if status.code == 429 => status.message.clone(),
                Err(error) => return Err(Stopped::Failed(format!("{says}: {}", why(&error)))),
            };
            if Instant::now() >= until {
                return Err(Stopped::TooLong(format!("{says} may not go: {why}")));
            }
            if !told {
                tell(&format!("{says} may not go yet: {why}"))?;
                told = true;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until the pod is gone and as many as before are ready without it.
    async fn replaced(
        &self,
        pod: &Pod,
        selector: &Selector,
        wanted: usize,
        until: Instant,
        says: &str,
    ) -> Result<(), Stopped> {
        loop {
            let now = self.list(selector).await?;
            let there = now.iter().any(|other| other.uid() == pod.uid());
            let ready = now.iter().filter(|other| living(other) && ready(other)).count();
            if !there && ready >= wanted {
                return Ok(());
            }
            if Instant::now() >= until {
                let look = format!("kubectl get pods -n {} -l {selector}", self.namespace);
                let went = if there { "is still there" } else { "is gone" };
                return Err(Stopped::TooLong(format!("{says} {went}, {ready} of {wanted} are ready. Look: {look}")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn living(pod: &Pod) -> bool {
    let over = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    pod.metadata.deletion_timestamp.is_none() && !matches!(over, Some("Succeeded" | "Failed"))
}

fn ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn tell(line: &str) -> Result<(), Stopped> {
    say(&format!("{line}\n")).map_err(Stopped::Failed)
}
