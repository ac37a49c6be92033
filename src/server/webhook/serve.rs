//! TLS, with the certificate of the moment, and bounds on connections.

use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

use super::door::Door;

/// Connections at once; further ones wait in the queue of the system.
const CONNECTIONS_MAX: usize = 512;
/// How long a handshake may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// How long a connection may be silent: longer than an API server keeps an idle one (90 s), so that it is the API server
/// that closes it, and no question meets a connection that is just being closed.
const SILENCE_MAX: Duration = Duration::from_secs(120);
/// The pause after a connection could not be accepted, as where file descriptors have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long answers under way may take at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// The certificate that new connections get; old ones live on with theirs.
#[derive(Debug, Default)]
pub struct Certificate(RwLock<Option<Arc<CertifiedKey>>>);

impl Certificate {
    /// Takes another one.
    pub fn put(&self, certified: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(certified));
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Answers until `stop` is ready, for `drain` longer, while endpoints are taken away everywhere, and then until the answers
/// under way are given.
pub async fn serve(
    listener: TcpListener,
    certificate: Arc<Certificate>,
    door: Arc<Door>,
    stop: impl Future<Output = ()>,
    drain: Duration,
) {
    let mut config = rustls::ServerConfig::builder().with_no_client_auth().with_cert_resolver(certificate);
    // API servers speak HTTP/1.1 to webhooks, so that their questions are spread over replicas.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let tls = TlsAcceptor::from(Arc::new(config));
    let graceful = GracefulShutdown::new();
    let routes = door.clone().routes();
    let end = async {
        stop.await;
        door.ending();
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        () = end => {}
        () = accept(&listener, &tls, &routes, &graceful) => {}
    }
    drop(listener);
    drop(tokio::time::timeout(LAST_ANSWERS, graceful.shutdown()).await);
}

async fn accept(listener: &TcpListener, tls: &TlsAcceptor, routes: &Router, graceful: &GracefulShutdown) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // The semaphore is never closed.
    while let Ok(permit) = connections.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (tls, routes, watcher) = (tls.clone(), routes.clone(), graceful.watcher());
                tokio::spawn(async move { connection(stream, permit, tls, routes, watcher).await });
            }
            Err(error) => {
                tracing::warn!(%error, "the webhook cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
    tls: TlsAcceptor,
    routes: Router,
    watcher: hyper_util::server::graceful::Watcher,
) {
    let stream = match tokio::time::timeout(HANDSHAKE_MAX, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        // Port scans and probes of others are no news; an API server that distrusts us tells its user so.
        Ok(Err(error)) => return tracing::debug!(%error, "a handshake failed"),
        Err(_) => return tracing::debug!("a handshake took too long"),
    };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(SILENCE_MAX);
    let served = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    if let Err(error) = watcher.watch(served).await {
        tracing::debug!(%error, "a connection ended");
    }
}
