//! Watches a GatedRelease and its records until they answer. An interrupted watch goes on by itself.

use std::collections::BTreeMap;
use std::io::Write;

use futures::StreamExt;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};

use super::judge::{Answer, Wanted, judge};
use crate::api::names::RELEASE;
use crate::api::release_record::Phase;
use crate::api::{GatedRelease, ReleaseRecord, Time};
use crate::cli::{Failure, say};
use crate::cluster::Cluster;

enum Seen {
    Release(Box<watcher::Result<watcher::Event<GatedRelease>>>),
    Record(Box<watcher::Result<watcher::Event<ReleaseRecord>>>),
}

/// Watches until the answer is another than [`Answer::Going`]; tells each change of the status in a line.
pub(super) async fn until(cluster: &Cluster, namespace: &str, name: &str, wanted: &Wanted) -> Result<Answer, Failure> {
    let releases = Api::<GatedRelease>::namespaced(cluster.client(), namespace);
    let records = Api::<ReleaseRecord>::namespaced(cluster.client(), namespace);
    let one = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let its = watcher::Config::default().labels(&format!("{RELEASE}={name}"));
    let releases = watcher(releases, one).default_backoff().map(|event| Seen::Release(Box::new(event))).boxed();
    let records = watcher(records, its).default_backoff().map(|event| Seen::Record(Box::new(event))).boxed();
    let mut all = futures::stream::select(releases, records);
    let (mut release, mut records) = (Kept::default(), Kept::default());
    let mut told = String::new();
    while let Some(seen) = all.next().await {
        let taken = match seen {
            Seen::Release(event) => event.map(|event| release.take(event)),
            Seen::Record(event) => event.map(|event| records.take(event)),
        };
        if let Err(error) = taken {
            if let Some(why) = refused(&error) {
                return Ok(Answer::Impossible(why));
            }
            // Said aside, so that what a script reads has only changes of the status.
            drop(writeln!(std::io::stderr(), "the watch was interrupted and goes on: {error}"));
            continue;
        }
        if !(release.whole && records.whole) {
            continue;
        }
        let Some(is) = release.objects.values().next() else {
            return Ok(Answer::Impossible(format!("GatedRelease {namespace}/{name} was deleted.")));
        };
        let line = line(namespace, name, is);
        if line != told {
            say(&format!("{} {line}\n", now()))?;
            told = line;
        }
        match judge(wanted, is, &records.objects.values().collect::<Vec<_>>()) {
            Answer::Going => {}
            answer @ (Answer::Reached(_) | Answer::Otherwise(_) | Answer::Impossible(_)) => return Ok(answer),
        }
    }
    Ok(Answer::Going)
}

/// The objects of one watch.
struct Kept<T> {
    objects: BTreeMap<String, T>,
    listed: BTreeMap<String, T>,
    /// Whether they are all that there are.
    whole: bool,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), listed: BTreeMap::new(), whole: false }
    }
}

impl<T: ResourceExt> Kept<T> {
    fn take(&mut self, event: watcher::Event<T>) {
        match event {
            watcher::Event::Apply(object) => drop(self.objects.insert(object.name_any(), object)),
            watcher::Event::Delete(object) => drop(self.objects.remove(&object.name_any())),
            watcher::Event::Init => self.listed.clear(),
            watcher::Event::InitApply(object) => drop(self.listed.insert(object.name_any(), object)),
            watcher::Event::InitDone => {
                self.objects = std::mem::take(&mut self.listed);
                self.whole = true;
            }
        }
    }
}

/// Why trying again is of no use.
fn refused(error: &watcher::Error) -> Option<String> {
    let (watcher::Error::InitialListFailed(kube::Error::Api(status))
    | watcher::Error::WatchStartFailed(kube::Error::Api(status))) = error
    else {
        return None;
    };
    matches!(status.code, 401 | 403 | 404).then(|| format!("the API server refuses: {}", status.message))
}

fn now() -> String {
    Time(jiff::Timestamp::now()).clock()
}

fn line(namespace: &str, name: &str, release: &GatedRelease) -> String {
    let Some(status) = &release.status else {
        return format!("{namespace}/{name}: not looked at yet");
    };
    let phase = status.phase.map_or("-", Phase::as_str);
    let stage = status.stage.as_ref().map(|stage| format!(" {stage}")).unwrap_or_default();
    let weight = status.weight.map(|weight| format!(", {weight} of the traffic")).unwrap_or_default();
    format!("{namespace}/{name}: {phase}{stage}{weight}: {}", status.message)
}
