//! The server as a value: what it holds, and what the world around it sets.

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::{Access, AccessCheck};
use super::decode;
use super::meta;
use super::resource::{CRD, NAMESPACE, Resource, Table};
use super::seams::{Admission, Present, Schemas};
use super::store::{Change, Store, Written};
use crate::api::Time;
use crate::cluster::Kind;
use crate::sandbox::objects::{Objects, Refusal};
use crate::sandbox::user::User;

/// An API server: a value that answers calls. It does no I/O and reads no clock.
pub struct ApiServer {
    pub(super) table: Table,
    pub(super) store: Store,
    pub(super) access: Access,
    pub(super) now: Time,
    pub(super) admission: Option<Arc<dyn Admission>>,
    pub(super) schemas: Option<Box<dyn Schemas>>,
    pub(super) present: Option<Arc<dyn Present>>,
    /// Whether answers go without managed fields.
    pub(super) lean: bool,
    /// How often bookmarks were asked for.
    pub(super) bookmarks: u64,
    rng: fastrand::Rng,
    /// Addresses of Services given so far.
    addresses: u32,
    /// Who wrote last: most writes come in rows.
    last_writer: Option<Arc<User>>,
}

impl ApiServer {
    /// A server with the built-in kinds and the usual namespaces, at the beginning of 2026. The seed decides uids and
    /// generated names.
    pub fn new(seed: u64) -> Self {
        const START: i64 = 1_767_225_600;
        Self::starting(seed, Time(jiff::Timestamp::from_second(START).unwrap_or_default()))
    }

    /// The same at a time of choice.
    pub fn starting(seed: u64, now: Time) -> Self {
        let mut server = Self {
            table: Table::built_in(),
            store: Store::default(),
            access: Access::default(),
            now,
            admission: None,
            schemas: None,
            present: None,
            lean: false,
            bookmarks: 0,
            rng: fastrand::Rng::with_seed(seed),
            addresses: 0,
            last_writer: None,
        };
        let by = User { name: "system:apiserver".to_owned(), groups: vec!["system:masters".to_owned()] };
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            // A server without namespaces cannot refuse these.
            let _ = server.create(&by, &NAMESPACE, json!({"metadata": {"name": name}}));
        }
        server
    }

    /// Sets the time. It shows in `creationTimestamp`, `deletionTimestamp` and managed fields, in whole seconds.
    pub fn set_now(&mut self, now: Time) {
        self.now = now;
    }

    /// The time that was set last.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Sets the admission policies.
    pub fn set_admission(&mut self, admission: Arc<dyn Admission>) {
        self.admission = Some(admission);
    }

    /// Sets the schemas of custom resources; the definitions that are there already are installed.
    pub fn set_schemas(&mut self, mut schemas: Box<dyn Schemas>) -> Result<(), String> {
        for crd in self.list(&CRD, "") {
            schemas.install(crd)?;
        }
        self.schemas = Some(schemas);
        Ok(())
    }

    /// Sets who answers what is no resource, and draws tables.
    pub fn set_present(&mut self, present: Arc<dyn Present>) {
        self.present = Some(present);
    }

    /// Leaves `metadata.managedFields` out of all answers from now on, as nobody who asks will read them. They are kept.
    pub fn answer_leanly(&mut self) {
        self.lean = true;
    }

    /// All that is served.
    pub fn resources(&self) -> &[Arc<Resource>] {
        self.table.rows()
    }

    /// One kind as it is served.
    pub fn resource(&self, kind: &Kind) -> Option<&Arc<Resource>> {
        self.table.of(kind)
    }

    /// Denies a verb to a user or a group of users; `*` stands for any. Later rules win.
    pub fn deny(&mut self, user: &str, verb: &str, group: &str, resource: &str) {
        self.access.add(false, user, verb, group, resource);
    }

    /// Grants it.
    pub fn grant(&mut self, user: &str, verb: &str, group: &str, resource: &str) {
        self.access.add(true, user, verb, group, resource);
    }

    /// Whether a user may do something.
    pub fn allows(&self, user: &User, check: &AccessCheck<'_>) -> bool {
        self.access.allows(user, check)
    }

    /// The newest resourceVersion.
    pub const fn version(&self) -> u64 {
        self.store.version()
    }

    /// The log after a version, oldest first; what was compacted is missing.
    pub fn changes(&self, after: u64) -> impl Iterator<Item = &Change> {
        self.store.changes(after).iter()
    }

    /// Forgets the log up to a version: watches that are older get 410 `Expired`.
    pub fn compact(&mut self, version: u64) {
        self.store.compact(version);
    }

    /// Sends every watch that allows it a bookmark at its next poll.
    pub fn bookmark(&mut self) {
        self.bookmarks += 1;
    }

    /// Stores an object as it is, past admission, validation and defaults, as one that an older server left behind. What it
    /// lacks of uid and creation time is filled in; the answer is its resourceVersion.
    pub fn put_raw(&mut self, kind: &Kind, object: Value) -> Result<u64, Refusal> {
        let resource = self.known(kind)?;
        let mut object = decode::object(&resource, object)?;
        let (namespace, name) = (meta::text(&object, "namespace").to_owned(), meta::text(&object, "name").to_owned());
        self.identify(&mut object);
        let by = User { name: "etcd".to_owned(), groups: Vec::new() };
        self.commit(&resource, &namespace, &name, &by, None, Some(object));
        Ok(self.version())
    }

    pub(super) fn known(&self, kind: &Kind) -> Result<Arc<Resource>, Refusal> {
        self.table.of(kind).cloned().ok_or_else(super::refuse::unknown_path)
    }

    /// The time as the metadata shows it.
    pub(super) fn stamp(&self) -> String {
        self.stamp_after(0)
    }

    /// The same so many seconds later.
    pub(super) fn stamp_after(&self, seconds: i64) -> String {
        let at = self.now.0.as_second().saturating_add(seconds);
        jiff::Timestamp::from_second(at).unwrap_or(self.now.0).to_string()
    }

    /// Gives what every object has: uid and creation time, where they are missing.
    pub(super) fn identify(&mut self, object: &mut Value) {
        if meta::text(object, "uid").is_empty() {
            let uid = self.uid();
            meta::set(object, "uid", Some(uid.into()));
        }
        if meta::text(object, "creationTimestamp").is_empty() {
            meta::set(object, "creationTimestamp", Some(self.stamp().into()));
        }
    }

    fn uid(&mut self) -> String {
        let (high, low) = (self.rng.u64(..), self.rng.u64(..));
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            (low >> 48) & 0x3fff | 0x8000,
            low & 0xffff_ffff_ffff
        )
    }

    /// The end of a generated name.
    pub(super) fn suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..5).filter_map(|_| LETTERS.get(self.rng.usize(..LETTERS.len()))).map(|&letter| char::from(letter)).collect()
    }

    /// The next address of a Service.
    pub(super) fn address(&mut self) -> String {
        self.addresses += 1;
        let at = self.addresses + 10;
        format!("10.96.{}.{}", (at >> 8) & 0xff, at & 0xff)
    }

    /// Writes an object, or removes it where there is none; answers what was stored.
    pub(super) fn commit(
        &mut self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        by: &User,
        subresource: Option<&'static str>,
        object: Option<Value>,
    ) -> Option<Arc<Value>> {
        let by = match &self.last_writer {
            Some(last) if **last == *by => Arc::clone(last),
            _ => Arc::clone(self.last_writer.insert(Arc::new(by.clone()))),
        };
        let version = self.store.next();
        let object = object.map(|mut object| {
            meta::set_version(&mut object, version);
            Arc::new(object)
        });
        let kind = if super::events::is_core_event(resource) { crate::cluster::kind::EVENT } else { resource.kind };
        let written = Written { shelf: resource.shelf, kind, namespace, name, by, subresource };
        self.store.write(written, object.clone());
        object
    }
}
