//! The end of namespaces: what they hold is deleted, then the namespace may go.

use std::collections::BTreeSet;

use super::NAMESPACE;
use super::garbage::KINDS;
use super::look::{leaving, name};
use super::write::{Context, place};
use crate::api::Time;

/// The namespaces that are being deleted.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    emptied: BTreeSet<String>,
}

impl Namespaces {
    /// Those of which nothing is left but themselves.
    pub(super) fn emptied(&self) -> impl Iterator<Item = &str> {
        self.emptied.iter().map(String::as_str)
    }

    pub(super) fn run(&mut self, cx: &mut Context<'_>) -> Option<Time> {
        self.emptied.clear();
        let going: Vec<String> = cx
            .objects
            .list(&NAMESPACE, "")
            .into_iter()
            .filter(|it| leaving(it))
            .map(|it| name(it).to_owned())
            .collect();
        for namespace in going {
            let mut left = false;
            for kind in KINDS.iter().filter(|kind| **kind != NAMESPACE) {
                let all = cx.objects.list(kind, &namespace);
                let doomed: Vec<_> = all.iter().filter(|it| !leaving(it)).map(|it| place(it)).collect();
                left |= !all.is_empty();
                for place in doomed {
                    cx.delete(&cx.users.namespace, kind, &place);
                }
            }
            if !left {
                self.emptied.insert(namespace);
            }
        }
        None
    }
}
