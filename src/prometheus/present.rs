//! Asks how things are now, and takes no older answer for it.

use std::time::Duration;

use super::Sources;
use super::config::Config;
use super::reply::Reply;
use super::slots::Asker;
use crate::api::{Span, Time};

/// How far an answer for now may lie from this machine's clock: clocks of a cluster differ by seconds, a cache before
/// Prometheus repeats what was true minutes ago.
const CLOCKS_DIFFER: Span = Span::minutes(1);

/// How far an answer for a named moment may lie from it: what is asked for a moment is answered for it, rounded at most.
pub(super) const SAME: Span = Span::seconds(1);

/// The sources, asked for the present.
#[derive(Clone, Copy)]
pub(super) struct Present<'a> {
    sources: &'a Sources,
    asker: Asker<'a>,
    now: Time,
}

impl<'a> Present<'a> {
    pub(super) const fn new(sources: &'a Sources, asker: Asker<'a>, now: Time) -> Self {
        Self { sources, asker, now }
    }

    pub(super) fn config(&self) -> &'a Config {
        self.sources.config()
    }

    /// An answer of this moment.
    pub(super) async fn ask(&self, source: &str, query: &str) -> Reply {
        self.sources.ask(self.asker, source, query).await.of(self.now, CLOCKS_DIFFER)
    }

    /// An answer of the present interval of budgets: a question that was answered in it is not put again.
    pub(super) async fn ask_shared(&self, source: &str, query: String) -> Reply {
        self.sources.shared.ask(*self, source, query).await
    }

    /// An answer of so short a while ago at the longest.
    pub(super) async fn ask_within(&self, source: &str, query: String, fresh: Duration) -> Reply {
        self.sources.shared.ask_within(*self, source, query, fresh).await
    }
}
