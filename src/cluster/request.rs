//! Requests with raw JSON in and out. Every one has a time-out; every write is asked for leadership first.

use std::time::Duration;

use kube::api::{DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams, Preconditions};
use kube::core::request::Request;
use serde_json::Value;

use super::{Cluster, Error, Kind, REQUEST_TIMEOUT};
use crate::api::names::MANAGER;

type Http = http::Request<Vec<u8>>;
type Built = Result<Http, kube::core::request::Error>;

/// How a patch is written.
pub(crate) enum Change {
    /// JSON merge patch.
    Merge(Value),
    /// JSON patch.
    Json(Value),
    /// Server-side apply, taking over fields that others hold.
    Apply(Value),
    /// The same by another field manager than Tidegate's own.
    ApplyAs(&'static str, Value),
}

/// Which object of a name is meant by a deletion.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Just<'a> {
    /// The one of this UID, whatever became of it.
    Uid(&'a str),
    /// The one of this resourceVersion: unchanged since it was looked at.
    Version(&'a str),
}

impl Cluster {
    /// One object; none where it does not exist.
    pub(crate) async fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Option<Value>, Error> {
        let what = format!("get {} {namespace}/{name}", kind.kind);
        let built = Request::new(kind.path(namespace)).get(name, &GetParams::default());
        match self.send(what, built, REQUEST_TIMEOUT).await {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused { code: 404, .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The metadata of one object, and nothing else of it; none where it does not exist.
    pub(crate) async fn get_metadata(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Option<Value>, Error> {
        let what = format!("get metadata of {} {namespace}/{name}", kind.kind);
        let built = Request::new(kind.path(namespace)).get_metadata(name, &GetParams::default());
        match self.send(what, built, REQUEST_TIMEOUT).await {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused { code: 404, .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Objects by a label selector.
    pub(crate) async fn list(&self, kind: &Kind, namespace: &str, labels: &str) -> Result<Vec<Value>, Error> {
        let what = format!("list {} {namespace} [{labels}]", kind.kind);
        let built = Request::new(kind.path(namespace)).list(&ListParams::default().labels(labels));
        let mut answer = self.send(what, built, REQUEST_TIMEOUT).await?;
        Ok(answer.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default())
    }

    /// All objects, page by page: for kinds of which there may be thousands.
    pub(crate) async fn list_all(&self, kind: &Kind, namespace: &str, labels: &str) -> Result<Vec<Value>, Error> {
        let mut all = Vec::new();
        self.list_pages(kind, namespace, labels, usize::MAX, |mut page| all.append(&mut page)).await?;
        Ok(all)
    }

    /// Objects page by page, as long as they are not more than `most`: none of the rest is read. Each page is given away as it
    /// comes, for what need not be kept as a whole. Says whether there is a rest.
    pub(crate) async fn list_pages(
        &self,
        kind: &Kind,
        namespace: &str,
        labels: &str,
        most: usize,
        mut take: impl FnMut(Vec<Value>),
    ) -> Result<bool, Error> {
        const PAGE: u32 = 500;
        let what = format!("list {} {namespace} [{labels}]", kind.kind);
        let (mut read, mut params) = (0, ListParams::default().labels(labels));
        loop {
            let room = u32::try_from(most.saturating_sub(read)).unwrap_or(PAGE).min(PAGE);
            params = params.limit(room);
            let built = Request::new(kind.path(namespace)).list(&params);
            let mut answer = self.send(what.clone(), built, REQUEST_TIMEOUT).await?;
            let page = answer.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
            read += page.len();
            take(page);
            match answer.pointer("/metadata/continue").and_then(Value::as_str).filter(|more| !more.is_empty()) {
                Some(_) if read >= most => return Ok(true),
                Some(more) => params = params.continue_token(more),
                None => return Ok(false),
            }
        }
    }

    /// At most so many objects, and whether there are more.
    pub(crate) async fn list_some(
        &self,
        kind: &Kind,
        namespace: &str,
        labels: &str,
        limit: u32,
    ) -> Result<(Vec<Value>, bool), Error> {
        let what = format!("list {} {namespace}", kind.kind);
        let params = ListParams::default().labels(labels).limit(limit);
        self.page(what, Request::new(kind.path(namespace)).list(&params)).await
    }

    /// The metadata of at most so many objects, and nothing else of them, and whether there are more.
    pub(crate) async fn list_some_metadata(
        &self,
        kind: &Kind,
        namespace: &str,
        limit: u32,
    ) -> Result<(Vec<Value>, bool), Error> {
        let what = format!("list metadata of {} {namespace}", kind.kind);
        let params = ListParams::default().limit(limit);
        self.page(what, Request::new(kind.path(namespace)).list_metadata(&params)).await
    }

    /// The items of one answer, and whether there are more.
    async fn page(&self, what: String, built: Built) -> Result<(Vec<Value>, bool), Error> {
        let mut answer = self.send(what, built, REQUEST_TIMEOUT).await?;
        let more = answer.pointer("/metadata/continue").and_then(Value::as_str).is_some_and(|more| !more.is_empty());
        Ok((answer.get_mut("items").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default(), more))
    }

    /// What stands at a path, for what is no object, such as `/version`; none where there is nothing.
    pub(crate) async fn read(&self, path: &str) -> Result<Option<Value>, Error> {
        let built = http::Request::get(path)
            .body(Vec::new())
            .map_err(|why| Error::Malformed { what: format!("read {path}"), why: why.to_string() })?;
        match self.send(format!("read {path}"), Ok(built), REQUEST_TIMEOUT).await {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused { code: 404, .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Creates an object.
    pub(crate) async fn create(&self, kind: &Kind, namespace: &str, object: &Value) -> Result<Value, Error> {
        let what = format!("create {} {namespace}", kind.kind);
        let built = Request::new(kind.path(namespace)).create(&post(), object.to_string().into_bytes());
        self.write(what, built).await
    }

    /// Patches an object, or one of its subresources.
    pub(crate) async fn patch(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        part: Option<&str>,
        change: Change,
    ) -> Result<Value, Error> {
        let what = format!(
            "patch {} {namespace}/{name}{}",
            kind.kind,
            part.map(|part| format!("/{part}")).unwrap_or_default()
        );
        let request = Request::new(kind.path(namespace));
        let (params, patch) = match change {
            Change::Merge(value) => (patch_params(), Patch::Merge(value)),
            Change::Apply(value) => (PatchParams::apply(MANAGER).force(), Patch::Apply(value)),
            Change::ApplyAs(manager, value) => (PatchParams::apply(manager).force(), Patch::Apply(value)),
            Change::Json(value) => {
                let parsed = serde_json::from_value(value)
                    .map_err(|why| Error::Malformed { what: what.clone(), why: why.to_string() })?;
                (patch_params(), Patch::Json(parsed))
            }
        };
        let built = match part {
            Some(part) => request.patch_subresource(part, name, &params, &patch),
            None => request.patch(name, &params, &patch),
        };
        self.write(what, built).await
    }

    /// Merges labels or annotations into an object's metadata, as a command does for its user.
    pub async fn mark(&self, kind: &Kind, namespace: &str, name: &str, metadata: Value) -> Result<(), Error> {
        let patch = Change::Merge(serde_json::json!({"metadata": metadata}));
        self.patch(kind, namespace, name, None, patch).await.map(drop)
    }

    /// Deletes just this object, in the background.
    pub(crate) async fn delete(&self, kind: &Kind, namespace: &str, name: &str, just: Just<'_>) -> Result<(), Error> {
        let what = format!("delete {} {namespace}/{name}", kind.kind);
        let preconditions = match just {
            Just::Uid(uid) => Preconditions { uid: Some(uid.to_owned()), resource_version: None },
            Just::Version(version) => Preconditions { uid: None, resource_version: Some(version.to_owned()) },
        };
        let params = DeleteParams::background().preconditions(preconditions);
        let built = Request::new(kind.path(namespace)).delete(name, &params);
        self.write(what, built).await.map(drop)
    }

    /// A write that leadership does not cover: the Lease itself.
    pub(super) async fn put_lease(
        &self,
        namespace: &str,
        name: &str,
        object: &Value,
        new: bool,
        within: Duration,
    ) -> Result<Value, Error> {
        let what = format!("write Lease {namespace}/{name}");
        let request = Request::new(super::kind::LEASE.path(namespace));
        let data = object.to_string().into_bytes();
        let built = if new { request.create(&post(), data) } else { request.replace(name, &post(), data) };
        self.send(what, built, within).await.map_err(Error::of_fenced_write)
    }

    /// Whether the API server knows our kinds; the outer error says that it did not answer.
    pub async fn kinds(&self) -> Result<Result<(), String>, Error> {
        let built = Request::new("/apis/tidegate.io/v1alpha1").list(&ListParams::default());
        let missing = |what: &str| {
            Err(format!("the API server does not serve {what}: apply the CRDs (tidegate crds | kubectl apply -f -)"))
        };
        let answer = match self.send("look for tidegate.io/v1alpha1".to_owned(), built, REQUEST_TIMEOUT).await {
            Ok(answer) => answer,
            Err(Error::Refused { code: 404, .. }) => return Ok(missing("tidegate.io/v1alpha1")),
            Err(other) => return Err(other),
        };
        let all = answer["resources"].as_array();
        let served = |kind: &Kind| all.is_some_and(|all| all.iter().any(|resource| resource["name"] == kind.plural));
        let wanted = [super::kind::GATED_RELEASE, super::kind::RISK_BUDGET, super::kind::RELEASE_RECORD];
        Ok(wanted.iter().find(|kind| !served(kind)).map_or(Ok(()), |kind| missing(kind.plural)))
    }

    async fn write(&self, what: String, built: Built) -> Result<Value, Error> {
        let Some(left) = self.leadership.may_write() else {
            return Err(Error::NotLeading { what });
        };
        self.send(what, built, left.min(REQUEST_TIMEOUT)).await.map_err(Error::of_fenced_write)
    }

    async fn send(&self, what: String, built: Built, within: Duration) -> Result<Value, Error> {
        let request = match built {
            Ok(request) => request,
            Err(why) => return Err(Error::Malformed { what, why: why.to_string() }),
        };
        match tokio::time::timeout(within, self.client.request::<Value>(request)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Error::of(what, error)),
            Err(_) => Err(Error::TimedOut { what, within }),
        }
    }
}

fn post() -> PostParams {
    PostParams { dry_run: false, field_manager: Some(MANAGER.to_owned()) }
}

fn patch_params() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
}
