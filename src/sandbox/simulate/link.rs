//! The way from one process of Tidegate to the API server, and what can go wrong on it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use futures::stream;
use http::{Request, Response, StatusCode};
use tokio::sync::watch;
use tokio::time::Instant;

use super::world::Shared;
use crate::sandbox::api::{Answer, Call, Polled, Watch};
use crate::sandbox::user::User;

/// The link of one life of one process.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    user: User,
    shared: Arc<Shared>,
    faults: Mutex<Faults>,
    dead: watch::Sender<bool>,
}

struct Faults {
    dice: fastrand::Rng,
    cut_until: Option<Instant>,
    lossy: Option<(u32, Instant)>,
    conflicts: Option<(u32, Instant)>,
    writes_left: Option<u32>,
    /// Whether the process dies of the next write that gives a charge its number.
    dies_charging: bool,
}

/// Where a call is lost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lost {
    Never,
    Before,
    After,
}

impl Link {
    /// A link without faults, over which `user` speaks.
    pub fn new(shared: Arc<Shared>, user: User, seed: u64) -> Self {
        let faults = Faults {
            dice: fastrand::Rng::with_seed(seed),
            cut_until: None,
            lossy: None,
            conflicts: None,
            writes_left: None,
            dies_charging: false,
        };
        Self(Arc::new(Inner { user, shared, faults: Mutex::new(faults), dead: watch::channel(false).0 }))
    }

    /// A client that speaks over this link.
    pub fn client(&self) -> kube::Client {
        let inner = self.0.clone();
        let service = tower::service_fn(move |request: Request<kube::client::Body>| respond(inner.clone(), request));
        kube::Client::new(service, super::check::NAMESPACE)
    }

    /// Cut off for a while: calls hang, then fail.
    pub fn cut(&self, span: Duration) {
        self.faults().cut_until = Some(Instant::now() + span);
    }

    /// Loses one call in `one_in` for a while.
    pub fn lose(&self, one_in: u32, span: Duration) {
        self.faults().lossy = Some((one_in, Instant::now() + span));
    }

    /// Lets somebody write just before one write in `one_in` for a while.
    pub fn conflict(&self, one_in: u32, span: Duration) {
        self.faults().conflicts = Some((one_in, Instant::now() + span));
    }

    /// Ends the process after so many more writes; 0 is now.
    pub fn die_after(&self, writes: u32) {
        if writes == 0 {
            self.0.dead.send_replace(true);
        } else {
            self.faults().writes_left = Some(writes);
        }
    }

    /// Ends the process right after the next write that gives a charge its number.
    pub fn die_charging(&self) {
        self.faults().dies_charging = true;
    }

    /// All is well again, but for who is dead.
    pub fn heal(&self) {
        let mut faults = self.faults();
        (faults.cut_until, faults.lossy, faults.conflicts, faults.writes_left) = (None, None, None, None);
        faults.dies_charging = false;
    }

    /// Becomes true when the process is dead.
    pub fn death(&self) -> watch::Receiver<bool> {
        self.0.dead.subscribe()
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.0.faults()
    }
}

impl Inner {
    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_dead(&self) -> bool {
        *self.dead.borrow()
    }

    /// Throws the dice for one call: how long it is on its way, whether it is lost, and whether somebody is faster.
    fn luck(&self, write: bool) -> (Duration, Lost, bool) {
        let now = Instant::now();
        let mut faults = self.faults();
        let way = Duration::from_micros(faults.dice.u64(500..4_000));
        let lossy = faults.lossy.filter(|(_, until)| now < *until);
        let lost = match lossy {
            Some((one_in, _)) if faults.dice.u32(0..one_in.max(1)) == 0 => {
                if write && faults.dice.bool() {
                    Lost::After
                } else {
                    Lost::Before
                }
            }
            _ => Lost::Never,
        };
        let conflicts = faults.conflicts.filter(|(_, until)| write && now < *until);
        let faster = conflicts.is_some_and(|(one_in, _)| faults.dice.u32(0..one_in.max(1)) == 0);
        (way, lost, faster)
    }

    /// Counts a write; the process may die of it.
    fn wrote(&self) {
        let mut faults = self.faults();
        if let Some(left) = &mut faults.writes_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                faults.writes_left = None;
                drop(faults);
                self.dead.send_replace(true);
            }
        }
    }
}

async fn respond(link: Arc<Inner>, request: Request<kube::client::Body>) -> io::Result<Response<Body>> {
    let (parts, body) = request.into_parts();
    let body = body.collect_bytes().await.map_err(io::Error::other)?;
    let header = |name: http::HeaderName| {
        parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let call = Call {
        user: link.user.clone(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        content_type: header(http::header::CONTENT_TYPE),
        accept: header(http::header::ACCEPT),
        body: body.to_vec(),
        user_agent: "tidegate".to_owned(),
        method: parts.method,
    };
    let write = call.method != http::Method::GET;
    let (way, lost, faster) = link.luck(write);
    tokio::time::sleep(way).await;
    hang(&link).await?;
    if lost == Lost::Before {
        return Err(broken());
    }
    if faster {
        link.shared.touch(&call.path);
    }
    let charges = link.faults().dies_charging && gives_number(&call);
    let answer = link.shared.call(&call);
    if charges && matches!(&answer, Answer::Done { code, .. } if *code < 300) {
        link.dead.send_replace(true);
    }
    if write && !call.path.contains("/leases") {
        link.wrote();
    }
    hang(&link).await?;
    if lost == Lost::After {
        return Err(broken());
    }
    match answer {
        Answer::Done { code, content_type, body } => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
            Ok(response)
        }
        Answer::Watch(watch) => Ok(Response::new(follow(link, *watch))),
    }
}

/// Whether a call is the write that gives a charge its number, before the record has it.
fn gives_number(call: &Call) -> bool {
    let body = || serde_json::from_slice::<serde_json::Value>(&call.body).unwrap_or_default();
    let pending = || body().pointer("/status/ledger/pending").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
    call.method == http::Method::PATCH && call.path.ends_with("/riskbudgets/web/status") && pending() > 0
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection was reset")
}

/// The dead hear nothing ever; who is cut off hears for a while nothing, and then that the connection broke.
async fn hang(link: &Inner) -> io::Result<()> {
    if link.is_dead() {
        std::future::pending::<()>().await;
    }
    let until = link.faults().cut_until.filter(|until| Instant::now() < *until);
    if let Some(until) = until {
        tokio::time::sleep_until(until).await;
        return Err(broken());
    }
    Ok(())
}

struct Following {
    link: Arc<Inner>,
    watch: Watch,
    changed: watch::Receiver<u64>,
    dropped: watch::Receiver<u64>,
    ends: Instant,
}

/// The lines of a watch as they come.
fn follow(link: Arc<Inner>, watch: Watch) -> Body {
    let seconds = watch.timeout_seconds().unwrap_or(300);
    let (changed, dropped) = (link.shared.changed(), link.shared.dropped());
    let ends = Instant::now() + Duration::from_secs(seconds);
    Body::from_stream(stream::unfold(Following { link, watch, changed, dropped, ends }, |mut it| async move {
        loop {
            if let Err(error) = hang(&it.link).await {
                return Some((Err(error), it));
            }
            it.changed.mark_unchanged();
            match it.link.shared.poll(&mut it.watch) {
                Polled::Ended => return None,
                Polled::Lines(lines) if !lines.is_empty() => return Some((Ok(lines), it)),
                Polled::Lines(_) => {}
            }
            tokio::select! {
                biased;
                _ = it.dropped.changed() => return None,
                _ = it.changed.changed() => {}
                () = tokio::time::sleep_until(it.ends) => return None,
            }
        }
    }))
}
