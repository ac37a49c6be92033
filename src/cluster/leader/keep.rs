//! Takes the Lease, renews it, gives it back: thin I/O around [`step`](super::step).

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::deadline::seen_since;
use super::step::NOBODY_YET;
use super::{Deadline, Leadership, LeaseStep, LeaseView, Timing, step};
use crate::cluster::kind::LEASE;
use crate::cluster::{Cluster, Error};

/// What this process is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Another leads, or nobody yet.
    Standby,
    /// This process leads.
    Leading,
    /// This process led and does not any more: it must end.
    Lost,
}

/// Keeps the Lease for one process.
pub struct Keeper {
    namespace: String,
    name: String,
    me: String,
    timing: Timing,
    deadline: watch::Sender<Option<Deadline<Instant>>>,
    role: watch::Sender<Role>,
    contact: watch::Sender<Option<Instant>>,
    /// The Lease as it was last seen, and since when it has said so.
    seen: Option<(Value, Instant)>,
}

impl Keeper {
    /// A keeper, and the leadership that it grants.
    pub fn new(namespace: &str, name: &str, me: &str, timing: Timing) -> (Self, Leadership) {
        let (deadline, receiver) = watch::channel(None);
        let keeper = Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            me: me.to_owned(),
            timing,
            deadline,
            role: watch::channel(Role::Standby).0,
            contact: watch::channel(None).0,
            seen: None,
        };
        (keeper, Leadership::until(receiver))
    }

    /// What this process is, as it changes.
    pub fn role(&self) -> watch::Receiver<Role> {
        self.role.subscribe()
    }

    /// When the API server last answered.
    pub fn contact(&self) -> watch::Receiver<Option<Instant>> {
        self.contact.subscribe()
    }

    /// Keeps the Lease until leadership is lost, or until `stop` is ready: then it is given back.
    pub async fn run(mut self, cluster: Cluster, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            // Not interrupted: a renewal under way decides whether the Lease can be given back.
            let pause = self.turn(&cluster).await;
            let deadline = *self.deadline.borrow();
            if deadline.is_some_and(|deadline| !deadline.may_begin(Instant::now())) {
                tracing::error!(lease = %self.name, "leadership was lost: the Lease could not be renewed in time");
                self.deadline.send_replace(None);
                self.role.send_replace(Role::Lost);
                return;
            }
            let pause =
                deadline.map_or(pause, |deadline| pause.min(deadline.begin.saturating_duration_since(Instant::now())));
            tokio::select! {
                biased;
                () = &mut stop => return self.give_back(&cluster).await,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One look at the Lease and one write at most; says how long to wait.
    async fn turn(&mut self, cluster: &Cluster) -> Duration {
        match tokio::time::timeout(self.patience(), self.try_turn(cluster)).await {
            Ok(Ok(pause)) => {
                self.contact.send_replace(Some(Instant::now()));
                pause
            }
            Ok(Err(error)) => {
                if error.is_outdated() {
                    self.contact.send_replace(Some(Instant::now()));
                    tracing::debug!(%error, "the Lease was written by another");
                } else {
                    tracing::warn!(%error, "the Lease could not be read or written");
                }
                self.timing.retry
            }
            Err(_) => {
                tracing::warn!(lease = %self.name, "the API server did not answer about the Lease in time");
                Duration::ZERO
            }
        }
    }

    fn patience(&self) -> Duration {
        let left = self.deadline.borrow().map(|deadline| deadline.begin.saturating_duration_since(Instant::now()));
        left.unwrap_or(self.timing.renew_deadline).min(self.timing.renew_deadline / 2).max(Duration::from_millis(1))
    }

    async fn try_turn(&mut self, cluster: &Cluster) -> Result<Duration, Error> {
        let stands = cluster.get(&LEASE, &self.namespace, &self.name).await?;
        let now = Instant::now();
        let remembered = self.seen.as_ref().map(|(lease, since)| (version(lease), *since));
        let observed_at = seen_since(remembered, stands.as_ref().map(version), now);
        self.seen = stands.clone().map(|lease| (lease, observed_at));
        let view = stands.as_ref().map(view);
        // Only the distance counts: both are measured from the same moment.
        let decided = step(view.as_ref(), &self.me, Duration::ZERO, now.saturating_duration_since(observed_at));
        match decided {
            LeaseStep::Wait(left) => {
                if *self.role.borrow() == Role::Leading {
                    tracing::error!(holder = ?view.and_then(|view| view.holder), "leadership was lost: the Lease is not held by this process any more");
                    self.deadline.send_replace(Some(Deadline::over(now)));
                }
                Ok(left.min(self.timing.retry))
            }
            LeaseStep::Create | LeaseStep::Renew | LeaseStep::Take => {
                let object = self.lease(stands.as_ref(), decided, cluster);
                let written = cluster
                    .put_lease(&self.namespace, &self.name, &object, stands.is_none(), self.timing.renew_deadline)
                    .await?;
                self.seen = Some((written, Instant::now()));
                if !decided.leads() {
                    tracing::info!(lease = %self.name, after = ?self.timing.lease, "there was no Lease; it has been created, and is taken when it runs out");
                    return Ok(self.timing.retry);
                }
                self.deadline.send_replace(Some(Deadline::renewed(now, self.timing)));
                if self.role.send_replace(Role::Leading) != Role::Leading {
                    tracing::info!(lease = %self.name, identity = %self.me, "this process leads");
                }
                Ok(self.timing.retry)
            }
        }
    }

    fn lease(&self, stands: Option<&Value>, decided: LeaseStep, cluster: &Cluster) -> Value {
        let now = cluster.now().0.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
        let spec = stands.and_then(|lease| lease.get("spec"));
        let transitions = spec.and_then(|spec| spec["leaseTransitions"].as_i64()).unwrap_or(0);
        let acquired = spec.and_then(|spec| spec["acquireTime"].as_str()).filter(|_| decided == LeaseStep::Renew);
        let mut metadata = json!({"name": self.name, "namespace": self.namespace});
        if let Some(version) = stands.and_then(version) {
            metadata["resourceVersion"] = json!(version);
        }
        json!({
            "apiVersion": LEASE.api_version(),
            "kind": LEASE.kind,
            "metadata": metadata,
            "spec": {
                "holderIdentity": if decided.leads() { &self.me } else { NOBODY_YET },
                "leaseDurationSeconds": self.timing.lease.as_secs(),
                "acquireTime": acquired.unwrap_or(&now),
                "renewTime": now,
                "leaseTransitions": transitions + i64::from(decided == LeaseStep::Take),
            },
        })
    }

    /// The standby goes on at once.
    async fn give_back(self, cluster: &Cluster) {
        let leads = *self.role.borrow() == Role::Leading;
        self.deadline.send_replace(None);
        let Some((mut lease, _)) = self.seen.filter(|_| leads) else { return };
        lease["spec"]["holderIdentity"] = json!("");
        lease["spec"]["leaseDurationSeconds"] = json!(1);
        match cluster.put_lease(&self.namespace, &self.name, &lease, false, Duration::from_secs(2)).await {
            Ok(_) => tracing::info!(lease = %self.name, "the Lease was given back"),
            Err(error) => tracing::warn!(%error, "the Lease could not be given back; it runs out by itself"),
        }
    }
}

fn version(lease: &Value) -> Option<&str> {
    lease.pointer("/metadata/resourceVersion")?.as_str()
}

fn view(lease: &Value) -> LeaseView {
    LeaseView {
        holder: lease.pointer("/spec/holderIdentity").and_then(Value::as_str).map(str::to_owned),
        duration: Duration::from_secs(
            lease.pointer("/spec/leaseDurationSeconds").and_then(Value::as_u64).unwrap_or(15),
        ),
    }
}
