//! Keeps certificates in a Secret, and the API server's trust in them in the webhook configuration.
//!
//! Every replica does the same, and none is in charge: writes are fenced by the resourceVersion of what was looked at, and
//! whoever comes second looks again.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::Secret;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::certificates::Held;
use super::rotation::{Due, due};
use super::serve::Certificate;
use crate::api::Time;
use crate::cluster::kind::{MUTATING_WEBHOOKS, SECRET};
use crate::cluster::request::Change;
use crate::cluster::{Cluster, Error};
use crate::server::Health;

/// How often the Secret and the configuration are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// The same until the webhook works, and after somebody else was quicker.
const LOOK_SOON: Duration = Duration::from_secs(1);
/// More than ever is due at once: an authority and what it signs.
const STEPS_MAX: usize = 3;

/// Where things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Namespace of the Secret and the Service.
    pub namespace: String,
    /// The Secret.
    pub secret: String,
    /// The Service that the API server calls.
    pub service: String,
    /// The MutatingWebhookConfiguration.
    pub configuration: String,
}

impl Places {
    /// The names by which the API server calls, and people who try it by hand.
    pub fn names(&self) -> Vec<String> {
        let Self { namespace, service, .. } = self;
        vec![format!("{service}.{namespace}.svc"), format!("{service}.{namespace}.svc.cluster.local")]
    }
}

/// Keeps the certificates of one process.
pub struct Keeper {
    cluster: Cluster,
    places: Places,
    certificate: Arc<Certificate>,
    served: Held,
    /// The authority that the API server was last seen to trust, and since when.
    trusted: Option<(String, Time)>,
}

impl Keeper {
    /// A keeper that puts what is to be served into `certificate`. Any replica may write, so `cluster` must not ask for
    /// leadership.
    pub fn new(cluster: Cluster, places: Places, certificate: Arc<Certificate>) -> Self {
        Self { cluster, places, certificate, served: Held::default(), trusted: None }
    }

    /// Looks again and again, and tells how it stands; never ends.
    pub async fn run(mut self, health: Arc<Health>) {
        let mut works = false;
        let mut said = None;
        loop {
            let (pause, why) = match self.look().await {
                Ok(()) => {
                    works = true;
                    health.webhook(Ok(()));
                    (LOOK_EVERY, None)
                }
                Err(error) if error.is_outdated() => (LOOK_SOON, None),
                Err(error) => {
                    // What worked goes on working: the certificate is good, and the API server trusts it.
                    if !works {
                        health.webhook(Err(format!("webhook: {error}")));
                    }
                    (if works { LOOK_EVERY } else { LOOK_SOON }, Some(error.to_string()))
                }
            };
            if let Some(why) = why.as_ref().filter(|why| Some(*why) != said.as_ref()) {
                tracing::warn!(why, "the webhook's certificates could not be looked after");
            }
            said = why;
            tokio::time::sleep(pause).await;
        }
    }

    /// One look: makes what is due, serves what there is, and tells the API server whom to trust.
    pub async fn look(&mut self) -> Result<(), Error> {
        // The configuration first: what is announced then never comes from a Secret older than it.
        let configuration = self.configuration().await?;
        let (secret, there) = self.secret().await?;
        let now = self.cluster.now();
        let mut held = Held::read(&secret);
        self.remember_trust(&held, &configuration, now);
        let mut changed = Vec::new();
        for _ in 0..STEPS_MAX {
            let trusted_for = self.trusted.as_ref().map(|(_, since)| now.since(*since));
            let due = due(&held.seen(&self.places.names(), trusted_for), now);
            if due == Due::Nothing {
                break;
            }
            let what = format!("certificates for Secret {}/{}", self.places.namespace, self.places.secret);
            held = held.renewed(due, &self.places.names(), now).map_err(|why| Error::Malformed { what, why })?;
            changed.push(due);
            self.remember_trust(&held, &configuration, now);
        }
        if !changed.is_empty() {
            self.store(&held, &secret, there).await?;
            tracing::info!(?changed, secret = self.places.secret, "the webhook's certificates were renewed");
        }
        if held != self.served
            && let Some(certified) = held.certified()
        {
            self.certificate.put(certified);
            self.served = held.clone();
        }
        self.announce(&held, &configuration).await
    }

    /// Whether the API server trusts the authority, and since when that is known.
    fn remember_trust(&mut self, held: &Held, configuration: &MutatingWebhookConfiguration, now: Time) {
        let authority = held.authority().unwrap_or_default();
        let knows = |bundle: Option<&ByteString>| {
            bundle.is_some_and(|bundle| String::from_utf8_lossy(&bundle.0).contains(authority))
        };
        let hooks = configuration.webhooks.as_deref().unwrap_or_default();
        let all = !authority.is_empty()
            && !hooks.is_empty()
            && hooks.iter().all(|hook| knows(hook.client_config.ca_bundle.as_ref()));
        if !all {
            self.trusted = None;
        } else if self.trusted.as_ref().is_none_or(|(known, _)| known != authority) {
            self.trusted = Some((authority.to_owned(), now));
        }
    }

    async fn configuration(&self) -> Result<MutatingWebhookConfiguration, Error> {
        let name = &self.places.configuration;
        let what = format!("MutatingWebhookConfiguration {name}");
        match self.cluster.get(&MUTATING_WEBHOOKS, "", name).await? {
            Some(found) => read(what, found),
            None => Err(Error::Malformed {
                what,
                why: "it is not there, so that nothing is held; install the chart with admission.mechanism=Webhook"
                    .to_owned(),
            }),
        }
    }

    /// The Secret, and whether it is there.
    async fn secret(&self) -> Result<(Secret, bool), Error> {
        let Places { namespace, secret, .. } = &self.places;
        match self.cluster.get(&SECRET, namespace, secret).await? {
            Some(found) => Ok((read(format!("Secret {namespace}/{secret}"), found)?, true)),
            None => Ok((Secret::default(), false)),
        }
    }

    async fn store(&self, held: &Held, secret: &Secret, there: bool) -> Result<(), Error> {
        let Places { namespace, secret: name, .. } = &self.places;
        if there {
            let patch = json!({"metadata": {"resourceVersion": secret.metadata.resource_version}, "data": held.data()});
            self.cluster.patch(&SECRET, namespace, name, None, Change::Merge(patch)).await?;
        } else {
            let mut data = held.data();
            if let Some(data) = data.as_object_mut() {
                data.retain(|_, value| !value.is_null());
            }
            let new = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data});
            let created = self.cluster.create(&SECRET, namespace, &new).await;
            if let Err(Error::Refused { what, code: 403, why }) = created {
                let why = format!(
                    "{why}. The chart makes Secret {name} and lets Tidegate only write it: install the chart again \
                     (helm upgrade)"
                );
                return Err(Error::Refused { what, code: 403, why });
            }
            created?;
        }
        Ok(())
    }

    async fn announce(&self, held: &Held, configuration: &MutatingWebhookConfiguration) -> Result<(), Error> {
        let bundle = ByteString(held.bundle().into_bytes());
        let hooks = configuration.webhooks.as_deref().unwrap_or_default();
        let mut patch: Vec<Value> = hooks
            .iter()
            .enumerate()
            .filter(|(_, hook)| hook.client_config.ca_bundle.as_ref() != Some(&bundle))
            .map(|(index, _)| {
                json!({"op": "add", "path": format!("/webhooks/{index}/clientConfig/caBundle"), "value": bundle})
            })
            .collect();
        if patch.is_empty() {
            return Ok(());
        }
        // The places in the list are those that were seen.
        let version = &configuration.metadata.resource_version;
        patch.push(json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version}));
        let name = &self.places.configuration;
        self.cluster.patch(&MUTATING_WEBHOOKS, "", name, None, Change::Json(patch.into())).await?;
        tracing::info!(configuration = name, "the API server was told which authority signs for the webhook");
        Ok(())
    }
}

fn read<T: DeserializeOwned>(what: String, value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|why| Error::Malformed { what, why: why.to_string() })
}
