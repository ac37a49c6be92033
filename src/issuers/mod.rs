//! The configured issuers of signed statements, with their keys: read from files, and fetched from those that publish them.
//!
//! Here belongs where issuers and keys come from, and how long they are good for. What must never enter: whether a
//! statement counts (that is `statement`), and an address that is not the admin's or named by an issuer that is.

mod fetch;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use fetch::{Fetch, Https, discover};

use crate::statement::{Issuers, Keys, KeysFrom, Party};

/// How often keys are looked for again: a key that an issuer begins to use is known after this at the latest, and what it
/// signed in between counts then, because a token is judged by when it was brought.
const AGAIN: Duration = Duration::from_secs(600);
/// The same while the keys of an issuer could not be had.
const AGAIN_SOON: Duration = Duration::from_secs(60);

/// The issuers whose statements count now, shared with whoever replaces their keys. By default none.
#[derive(Debug, Clone, Default)]
pub struct Trusted(Arc<watch::Sender<Arc<Issuers>>>);

impl Trusted {
    /// These.
    pub fn new(issuers: Issuers) -> Self {
        Self(Arc::new(watch::Sender::new(Arc::new(issuers))))
    }

    /// The issuers with the keys that are known now.
    pub fn now(&self) -> Arc<Issuers> {
        self.0.borrow().clone()
    }

    /// Tells when other keys are known.
    pub fn changes(&self) -> watch::Receiver<Arc<Issuers>> {
        self.0.subscribe()
    }

    fn set(&self, issuers: Issuers) {
        self.0.send_if_modified(|known| {
            let other = **known != issuers;
            if other {
                *known = Arc::new(issuers);
            }
            other
        });
    }
}

/// Reads a file of issuers, and the key sets that it names by path. Keys that are fetched are not known yet.
pub fn load(path: &Path) -> Result<Issuers, String> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|why| format!("--issuers {place}: {why}"))?;
    let issuers = Issuers::parse(&text).map_err(|why| format!("--issuers {place}: {why}"))?;
    let mut read = issuers.clone();
    for (name, file) in files(&issuers) {
        let keys = key_file(file).map_err(|why| format!("--issuers {place}: jwksFile of {name}: {why}"))?;
        read = read.with_keys(name, Ok(keys));
    }
    Ok(read)
}

fn files(issuers: &Issuers) -> Vec<(&str, &str)> {
    let all = issuers.all().iter().filter_map(|one| match &one.party {
        Party::Oidc { from: KeysFrom::File(file), .. } => Some((one.name.as_str(), file.as_str())),
        Party::Oidc { from: KeysFrom::Inline | KeysFrom::Discovery, .. } | Party::Holder { .. } => None,
    });
    all.collect()
}

fn key_file(file: &str) -> Result<Keys, String> {
    let text = std::fs::read_to_string(file).map_err(|why| format!("{file}: {why}"))?;
    Keys::of_jwks(&text).map_err(|why| format!("{file}: {why}"))
}

/// Looks for the keys that are in files or are published, now and again, for as long as the process lives.
pub async fn keep(trusted: Trusted, fetch: impl Fetch) {
    if !has_keys_elsewhere(&trusted.now()) {
        return;
    }
    loop {
        let (issuers, whole) = looked(&trusted.now(), &fetch).await;
        trusted.set(issuers);
        tokio::time::sleep(if whole { AGAIN } else { AGAIN_SOON }).await;
    }
}

fn has_keys_elsewhere(issuers: &Issuers) -> bool {
    issuers.all().iter().any(|one| match &one.party {
        Party::Oidc { from, .. } => *from != KeysFrom::Inline,
        Party::Holder { .. } => false,
    })
}

/// The issuers with the keys that they have now, and whether all could be had. Where not, those that were known stay: an
/// issuer that does not answer takes nothing back.
pub(crate) async fn looked(issuers: &Issuers, fetch: &impl Fetch) -> (Issuers, bool) {
    let (mut looked, mut whole) = (issuers.clone(), true);
    for one in issuers.all() {
        let Party::Oidc { issuer, from, keys, .. } = &one.party else { continue };
        let found = match from {
            KeysFrom::Inline => continue,
            KeysFrom::File(file) => key_file(file),
            KeysFrom::Discovery => discover(fetch, issuer).await,
        };
        if let Err(why) = &found {
            tracing::warn!(issuer = one.name, why, known = keys.is_ok(), "the keys of an issuer could not be had");
            whole = false;
        }
        if found.is_ok() || keys.is_err() {
            looked = looked.with_keys(&one.name, found);
        }
    }
    (looked, whole)
}

#[cfg(test)]
mod tests;
