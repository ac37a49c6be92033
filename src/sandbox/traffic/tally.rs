//! The client that counts.

use std::collections::BTreeMap;

/// Requests and how many of them failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub requests: u64,
    /// Those answered neither 2xx nor 3xx.
    pub failed: u64,
}

/// What the users of a route got, counted where they are and not where they are served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// In all.
    pub all: Counts,
    /// By namespace and name of the Service that was to answer.
    pub by_service: BTreeMap<(String, String), Counts>,
    /// Requests that no Service was to answer.
    pub unrouted: u64,
}

impl Counts {
    fn add(&mut self, more: Self) {
        self.requests += more.requests;
        self.failed += more.failed;
    }
}

impl Tally {
    pub(super) fn count(&mut self, service: &(String, String), counts: Counts) {
        if counts.requests == 0 {
            return;
        }
        self.all.add(counts);
        match self.by_service.get_mut(service) {
            Some(known) => known.add(counts),
            None => drop(self.by_service.insert(service.clone(), counts)),
        }
    }

    pub(super) fn unrouted(&mut self, requests: u64) {
        self.all.add(Counts { requests, failed: requests });
        self.unrouted += requests;
    }
}
