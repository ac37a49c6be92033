//! `tidegate controller`: leadership, reconcilers, health and metrics, until it is asked to end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use super::webhook::{self, Surroundings};
use super::{Failure, say};
use crate::api::Span;
use crate::cluster::leader::{Keeper, Timing};
use crate::cluster::{Clock as _, Cluster, Leadership, SystemClock};
use crate::controller::{self, Context, Ended, asked};
use crate::issuers::{self, Https, Trusted};
use crate::prometheus::{Config, Http, Sources};
use crate::server::{self, Health, Metrics};
use crate::synthetic::Checks;

/// The Lease's name.
pub(super) const LEASE: &str = "tidegate";
/// How long a connection to the API server may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(150);
/// How often the API server is asked whether it knows our kinds.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The same until it does.
const LOOK_UNTIL_READY: Duration = Duration::from_secs(1);

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration file: metrics sources and query templates.
    #[arg(long, env = "TIDEGATE_CONFIG", default_value = "/etc/tidegate/config.yaml")]
    config: PathBuf,
    /// Read the configuration, say whether it is good, and end.
    #[arg(long)]
    check_config: bool,
    /// The file of issuers whose signed statements count as evidence (docs/evidence.md); nobody's where not given.
    #[arg(long, env = "TIDEGATE_ISSUERS")]
    issuers: Option<PathBuf>,
    /// Where health and metrics are served.
    #[arg(long, env = "TIDEGATE_LISTEN", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// The form of log lines.
    #[arg(long, env = "TIDEGATE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    log_format: LogFormat,
    /// What is logged: error, warn, info, debug or trace, or a filter such as info,tidegate=debug.
    #[arg(long, env = "TIDEGATE_LOG", default_value = "info")]
    log_level: String,
    /// The namespace that is looked after; all where not given.
    #[arg(long, env = "TIDEGATE_NAMESPACE", default_value = "")]
    namespace: String,
    /// Whether several controllers agree by a Lease on the one that writes.
    #[arg(long, env = "TIDEGATE_LEADER_ELECT", default_value_t = true, action = clap::ArgAction::Set)]
    leader_elect: bool,
    /// How long the Lease is good for after its last renewal.
    #[arg(long, env = "TIDEGATE_LEASE_DURATION", default_value = "15s")]
    lease_duration: Span,
    /// How long the leader writes after its last successful renewal.
    #[arg(long, env = "TIDEGATE_LEASE_RENEW_DEADLINE", default_value = "10s")]
    lease_renew_deadline: Span,
    /// How often the Lease is renewed, or looked at by a standby.
    #[arg(long, env = "TIDEGATE_LEASE_RETRY", default_value = "2s")]
    lease_retry: Span,
    /// The name of this pod, for the Lease and events.
    #[arg(long, env = "POD_NAME", default_value = "tidegate")]
    pod_name: String,
    /// The namespace of this pod, where the Lease is.
    #[arg(long, env = "POD_NAMESPACE", default_value = "tidegate")]
    pod_namespace: String,
    #[command(flatten)]
    webhook: webhook::Args,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

pub(super) async fn run(args: Args) -> Result<ExitCode, Failure> {
    let config = read_config(&args.config)?;
    let trusted = args.issuers.as_deref().map(issuers::load).transpose()?.unwrap_or_default();
    if args.check_config {
        say(&format!("{}: good\n", args.config.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    start_logging(&args)?;
    let trusted = Trusted::new(trusted);
    let metrics = Arc::new(Metrics::default());
    let health = Arc::new(Health::default());
    let seed = SystemClock.chance().to_bits();
    let sources = Sources::new(Arc::new(config), Arc::new(Http::new()?), metrics.clone(), seed);
    let checks = Checks::over_http();
    let client = client().await?;
    let stop = stopping()?;
    let listener = tokio::net::TcpListener::bind(args.listen)
        .await
        .map_err(|error| format!("--listen {}: {error}", args.listen))?;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %args.listen, pod = args.pod_name, "tidegate starts");
    let pages = tokio::spawn(server::serve(listener, health.clone(), metrics.clone(), asked(stop.clone())));
    tokio::spawn(look_at_the_api_server(client.clone(), health.clone()));
    tokio::spawn(issuers::keep(trusted.clone(), Https::new()?));

    let (end, ended) = watch::channel(false);
    let around = Surroundings {
        cluster: Cluster::new(client.clone(), Arc::new(SystemClock), Leadership::always(), &args.pod_name),
        namespace: &args.pod_namespace,
        address: args.listen.ip(),
        metrics: metrics.clone(),
        health: health.clone(),
    };
    let asked_or_ended = {
        let stop = stop.clone();
        async move {
            tokio::select! {
                () = asked(stop) => {}
                () = asked(ended) => {}
            }
        }
    };
    let webhook = webhook::start(&args.webhook, around, asked_or_ended).await?;

    let timing = timing(&args)?;
    let code = if args.leader_elect {
        // Two processes in one pod name, such as before and after a restart, are two.
        let me = format!("{}_{:x}", args.pod_name, jiff::Timestamp::now().as_microsecond());
        let (keeper, leadership) = Keeper::new(&args.pod_namespace, LEASE, &me, timing);
        let cluster = Cluster::new(client, Arc::new(SystemClock), leadership, &args.pod_name);
        let context = Context::new(cluster, sources, checks, metrics, health, &args.namespace).trusting(trusted);
        match controller::lead(keeper, context, stop).await {
            Ended::Asked => ExitCode::SUCCESS,
            Ended::LostLeadership => ExitCode::FAILURE,
        }
    } else {
        metrics.leads(true);
        let cluster = Cluster::new(client, Arc::new(SystemClock), Leadership::always(), &args.pod_name);
        controller::run(
            Arc::new(Context::new(cluster, sources, checks, metrics, health, &args.namespace).trusting(trusted)),
            asked(stop.clone()),
        )
        .await;
        if *stop.borrow() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    };
    // A process that has lost its leadership ends too, and its webhook is asked until its endpoint is gone.
    end.send_replace(true);
    if let Some(webhook) = webhook {
        drop(webhook.await);
    }
    pages.abort();
    tracing::info!("tidegate ends");
    Ok(code)
}

/// A client whose watches end when the API server has vanished without a word: it sends a bookmark every minute.
async fn client() -> Result<kube::Client, Failure> {
    let mut config = kube::Config::infer().await.map_err(|error| format!("no way to a cluster: {error}"))?;
    config.read_timeout = Some(SILENCE_MAX);
    kube::Client::try_from(config).map_err(|error| format!("no way to a cluster: {error}"))
}

async fn look_at_the_api_server(client: kube::Client, health: Arc<Health>) {
    let cluster = Cluster::new(client, Arc::new(SystemClock), Leadership::always(), "");
    let mut said = None;
    loop {
        let kinds = cluster.kinds().await;
        let pause = if kinds.as_ref().is_ok_and(Result::is_ok) { LOOK_EVERY } else { LOOK_UNTIL_READY };
        let why = match kinds {
            Ok(kinds) => {
                health.answered(kinds.clone());
                kinds.err()
            }
            Err(error) => Some(error.to_string()),
        };
        if why != said {
            if let Some(why) = &why {
                tracing::warn!(why, "not ready");
            }
            said = why;
        }
        tokio::time::sleep(pause).await;
    }
}

fn read_config(path: &std::path::Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("--config {}: {error}", path.display()))?;
    Config::parse(&text).map_err(|why| format!("--config {}: {why}", path.display()))
}

fn timing(args: &Args) -> Result<Timing, Failure> {
    let timing = Timing {
        lease: args.lease_duration.as_std(),
        renew_deadline: args.lease_renew_deadline.as_std(),
        retry: args.lease_retry.as_std(),
    };
    timing.check()
}

fn start_logging(args: &Args) -> Result<(), Failure> {
    let filter =
        EnvFilter::try_new(&args.log_level).map_err(|error| format!("--log-level {:?}: {error}", args.log_level))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter);
    let started = match args.log_format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stdout())).try_init(),
    };
    started.map_err(|error| format!("logging: {error}"))
}

/// Becomes true when the process is asked to end.
fn stopping() -> Result<watch::Receiver<bool>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| format!("SIGTERM: {error}"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| format!("SIGINT: {error}"))?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to end");
        sender.send_replace(true);
        // Kept until the process ends, so that nobody takes a dropped channel for an answer.
        std::future::pending::<()>().await;
    });
    Ok(receiver)
}
