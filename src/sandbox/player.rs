//! Plays a scenario: the real controller on a simulated cluster, in led time, told line by line.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::api::{Answer, Call};
use super::cluster::{Program, SimulatedCluster};
use super::config::config;
use super::controllers::Behaviour;
use super::metrics::{History, bad_ratio};
use super::objects::Objects as _;
use super::simulate::process::Place;
use super::simulate::run::turn;
use super::simulate::schedule::PrometheusFault;
use super::simulate::world::Shared;
use super::story::{Action, Attempt, Direction, Ending, Play, Story, Version, Weights};
use super::time::{VirtualClock, pace};
use super::traffic::{Latency, Rate};
use super::user::User;
use crate::api::names::{CANARY_SUFFIX, PREVIOUS_SUFFIX, RETRY};
use crate::api::{Percent, ReleaseRecord, Span, Time, Weight};
use crate::cluster::Kind;
use crate::cluster::kind::{DEPLOYMENT, EVENT, GATED_RELEASE, HTTP_ROUTE, RELEASE_RECORD, RISK_BUDGET};

/// How the scenario is played.
pub struct Show {
    /// Simulated seconds in a real one; the scenario's own where there is none.
    pub speed: Option<f64>,
    /// The seed of everything that is left to chance.
    pub seed: u64,
    /// Where a real kubectl is served.
    pub serve: Option<tokio::net::TcpListener>,
    /// Whether the cluster stays when the scenario is over, until `stop`.
    pub stay: bool,
}

/// How often the scenario is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Plays a scenario on a runtime whose time is paused, until it is over or `stop` is ready; `tell` gets each line. Answers
/// what did not come as the scenario expects.
pub async fn play(
    story: &Story,
    show: Show,
    tell: &mut dyn FnMut(&str),
    stop: impl Future<Output = ()>,
) -> Result<Vec<String>, String> {
    let began = Time(jiff::Timestamp::now());
    let shared = Shared::new(cluster(story, show.seed, began)?, VirtualClock::new(began, show.seed), false);
    past(&shared, story, story.error_budget);
    let admin = User { name: "admin".to_owned(), groups: vec!["system:masters".to_owned()] };
    for object in story.objects.all() {
        apply(&shared, &admin, object)?;
    }
    let (speed, led) = watch::channel(show.speed.unwrap_or(story.speed));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(turn(shared.clone()));
    let place = Place::new(0, &shared, show.seed);
    tasks.spawn(place.work(shared.clone(), Arc::new(config(Span::seconds(10))?), show.seed));
    let (_nobody_stops, serving) = watch::channel(false);
    if let Some(listener) = show.serve {
        tasks.spawn(serve(listener, shared.clone(), serving));
    }
    tasks.spawn(pace(led));
    let mut stage = Stage { story, shared, began, play: Play::new(story), told: 0, before: None };
    tokio::pin!(stop);
    let played = tokio::select! {
        biased;
        played = stage.run(tell) => played?,
        () = &mut stop => return Ok(Vec::new()),
    };
    if show.stay {
        tell("The scenario is over; the cluster stays until Ctrl-C.");
        tokio::select! {
            biased;
            () = stop => {}
            () = stage.go_on(tell) => {}
        }
    }
    drop(speed);
    Ok(played)
}

async fn serve(listener: tokio::net::TcpListener, shared: Arc<Shared>, stop: watch::Receiver<bool>) {
    if let Err(why) = super::present::serve(listener, shared, crate::controller::asked(stop)).await {
        tracing::error!(%why, "the sandbox is not served any more");
    }
}

/// The scenario's cluster, with its versions and users, and nothing in it yet.
fn cluster(story: &Story, seed: u64, now: Time) -> Result<SimulatedCluster, String> {
    let users = story.traffic;
    let rate = Rate {
        per_second: users.requests,
        daily: if users.daily { 0.4 } else { 0.0 },
        peak_hour: 14.0,
        noise: users.noise,
    };
    let versions: Vec<Version> = story.versions.values().cloned().collect();
    let programs = move |image: &str| {
        let version = versions.iter().find(|version| version.image == image).cloned();
        program(&version.unwrap_or_else(|| Version::good(image)))
    };
    SimulatedCluster::new(seed, now, rate, Arc::new(programs))
}

fn program(version: &Version) -> Program {
    let good = Version::good(&version.image);
    let users = |version: &Version| {
        let p95 = version.latency.as_secs_f64();
        super::traffic::Version {
            errors: version.errors.ratio(),
            latency: Latency::LogNormal { median: p95 * 0.4, p95 },
            ..super::traffic::Version::good()
        }
    };
    let later = (version.after > Span::ZERO).then(|| (version.after, users(version)));
    let now = if later.is_some() { users(&good) } else { users(version) };
    let crash_after = version.crashes.then_some(Span::seconds(10));
    let pods = Behaviour { ready: version.ready, crash_after, ..Behaviour::healthy(Span::seconds(4)) };
    Program { users: now, later, complaints: 0.0, pods }
}

/// Gives the service a past of thirty days that leaves so much of its error budget.
fn past(shared: &Shared, story: &Story, left: f64) {
    let objective = story.objects.risk_budget.pointer("/spec/slos/0/objective").and_then(Value::as_f64).unwrap_or(99.9);
    let objective = Percent::new(objective).unwrap_or(Percent::HUNDRED);
    let (service, namespace) = (name(&story.objects.service).to_owned(), namespace(&story.objects.service).to_owned());
    let until = shared.now();
    shared.with(|world| {
        world.cluster.metrics().seed_history(&History {
            namespace: &namespace,
            service: &service,
            until,
            window: Span::days(30),
            rate: story.traffic.requests,
            bad: bad_ratio(objective, left),
            durations: Latency::LogNormal { median: 0.08, p95: 0.2 }.shares(),
        });
    });
}

fn name(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

fn namespace(object: &Value) -> &str {
    object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default()
}

fn request(shared: &Shared, by: &User, path: String, query: &str, kind: &str, body: &Value) -> Result<(), String> {
    let method = if kind.is_empty() { http::Method::DELETE } else { http::Method::PATCH };
    let call = Call {
        user: by.clone(),
        method,
        path,
        query: query.to_owned(),
        content_type: kind.to_owned(),
        accept: "application/json".to_owned(),
        body: if body.is_null() { Vec::new() } else { body.to_string().into_bytes() },
        user_agent: "kubectl".to_owned(),
    };
    match shared.call(&call) {
        Answer::Done { code, body, .. } if code >= 300 => {
            let status: Value = serde_json::from_slice(&body).unwrap_or_default();
            Err(status["message"].as_str().unwrap_or("refused").to_owned())
        }
        Answer::Done { .. } | Answer::Watch(_) => Ok(()),
    }
}

/// Server-side apply, as `by` would run `kubectl apply --server-side`.
fn apply(shared: &Shared, by: &User, object: &Value) -> Result<(), String> {
    let kind = object["kind"].as_str().unwrap_or_default();
    let resource = shared.with(|world| {
        world.cluster.api.resources().iter().find(|resource| resource.kind.kind == kind).map(|found| found.kind)
    });
    let resource = resource.ok_or_else(|| format!("the sandbox knows no kind {kind}"))?;
    let place = if resource.plural == "namespaces" { "" } else { namespace(object) };
    let path = format!("{}/{}", resource.path(place), name(object));
    request(shared, by, path, "fieldManager=git&force=true", "application/apply-patch+yaml", object)
        .map_err(|why| format!("{kind} {}: {why}", name(object)))
}

/// A scenario on its stage.
struct Stage<'s> {
    story: &'s Story,
    shared: Arc<Shared>,
    began: Time,
    play: Play<'s>,
    /// The version of the log up to which events were told.
    told: u64,
    /// Requests and failures before the first version was ready.
    before: Option<(u64, u64)>,
}

impl Stage<'_> {
    async fn run(&mut self, tell: &mut dyn FnMut(&str)) -> Result<Vec<String>, String> {
        let mut deployed: Vec<Value> = vec![self.story.objects.deployment.clone()];
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.events(tell);
            let now = self.shared.now().since(self.began);
            let attempts = self.attempts();
            let all = self.shared.with(|world| world.cluster.tally().all);
            if self.before.is_none() && !attempts.is_empty() {
                self.before = Some((all.requests, all.failed));
            }
            while let Some(step) = self.play.due(now, &attempts)? {
                if let Some(say) = &step.say {
                    tell(&format!("\n{}  {say}", stamp(now)));
                }
                if let Some(action) = &step.action {
                    tell(&format!("{}  {} does: {action:?}", stamp(now), step.by.name));
                    if let Err(why) = self.act(&step.by, action, &mut deployed) {
                        tell(&format!("{}  refused: {why}", stamp(now)));
                    }
                }
            }
            if self.play.over(now, &attempts) {
                let (requests, failed) = self.before.unwrap_or_default();
                let failed_requests = all.failed.saturating_sub(failed);
                let ending = Ending { attempts: &attempts, weights: self.weights(), failed_requests };
                let requests = all.requests.saturating_sub(requests);
                tell(&format!("{}  {requests} requests, {failed_requests} of them failed", stamp(now)));
                return Ok(self.play.unmet(&ending));
            }
        }
    }

    /// Goes on telling, for ever.
    async fn go_on(&mut self, tell: &mut dyn FnMut(&str)) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.events(tell);
        }
    }

    /// Tells what Tidegate said since the last time.
    fn events(&mut self, tell: &mut dyn FnMut(&str)) {
        let (after, began) = (self.told, self.began);
        let (version, lines) = self.shared.with(|world| {
            let api = &world.cluster.api;
            let changes = api.changes(after).filter(|change| change.kind == EVENT);
            let lines: Vec<String> = changes
                .filter_map(|change| {
                    let event = change.after.as_deref()?;
                    let at = Time(event["eventTime"].as_str()?.parse().ok()?);
                    let sign = if event["type"] == "Warning" { "!" } else { " " };
                    let (reason, note) = (event["reason"].as_str()?, event["note"].as_str()?);
                    Some(format!("{} {sign}{reason}: {note}", stamp(at.since(began))))
                })
                .collect();
            (api.version(), lines)
        });
        self.told = version;
        lines.iter().for_each(|line| tell(line));
    }

    fn attempts(&self) -> Vec<Attempt> {
        let mut records: Vec<ReleaseRecord> = self.shared.with(|world| {
            let all = world.cluster.api.list(&RELEASE_RECORD, namespace(&self.story.objects.service));
            all.into_iter().filter_map(|record| serde_json::from_value(record.clone()).ok()).collect()
        });
        records.sort_by_key(|record| record.spec.attempt);
        records.iter().filter_map(|record| Attempt::of(record, self.story, self.began)).collect()
    }

    fn weights(&self) -> Weights {
        let service = name(&self.story.objects.service).to_owned();
        self.shared.with(|world| {
            let (place, route) = (namespace(&self.story.objects.route), name(&self.story.objects.route));
            let refs = world.cluster.api.get(&HTTP_ROUTE, place, route);
            let refs = refs.and_then(|route| route.pointer("/spec/rules/0/backendRefs")?.as_array());
            let weight = |backend: &str| {
                let one = refs.and_then(|refs| refs.iter().find(|one| one["name"] == backend));
                let weight = one.map_or(0, |one| one["weight"].as_u64().unwrap_or(1));
                i64::try_from(weight).ok().and_then(|weight| Weight::new(weight).ok()).unwrap_or(Weight::FULL)
            };
            let (canary, previous) =
                (weight(&format!("{service}{CANARY_SUFFIX}")), weight(&format!("{service}{PREVIOUS_SUFFIX}")));
            // A route that names the Service alone gives it everything, whatever its weight.
            let alone = refs.is_some_and(|refs| refs.len() == 1);
            let stable = if alone { Weight::FULL } else { weight(&service) };
            Weights { stable, canary, previous }
        })
    }

    fn act(&self, by: &User, action: &Action, deployed: &mut Vec<Value>) -> Result<(), String> {
        let story = self.story;
        let merge = |kind: &Kind, object: &Value, patch: Value| {
            let path = format!("{}/{}", kind.path(namespace(object)), name(object));
            request(&self.shared, by, path, "fieldManager=kubectl", "application/merge-patch+json", &patch)
        };
        let version = |name: &str| {
            let image = story.versions.get(name).map(|version| version.image.clone());
            image.ok_or_else(|| format!("there is no version {name}"))
        };
        match action {
            Action::Deploy { version: wanted, .. } => {
                let change = action.change().unwrap_or_default();
                let next = story.objects.deployment(&version(wanted)?, &change, None);
                deployed.push(next.clone());
                apply(&self.shared, by, &next)
            }
            Action::BreakGlass { reason, version: wanted } => {
                let next = match (wanted, action.change()) {
                    (Some(wanted), Some(change)) => story.objects.deployment(&version(wanted)?, &change, Some(reason)),
                    (_, _) => {
                        let mut same = deployed.last().cloned().unwrap_or_default();
                        same["metadata"]["annotations"]["tidegate.io/break-glass"] = json!(reason);
                        same
                    }
                };
                deployed.push(next.clone());
                apply(&self.shared, by, &next)?;
                // Who breaks the glass over what is held already lets it run as well.
                if wanted.is_none() {
                    return merge(&DEPLOYMENT, &next, json!({"spec": {"paused": null}}));
                }
                Ok(())
            }
            Action::Revert => {
                deployed.truncate(deployed.len().saturating_sub(1).max(1));
                match deployed.last() {
                    Some(before) => apply(&self.shared, by, before),
                    None => Ok(()),
                }
            }
            Action::Scale(replicas) => {
                merge(&DEPLOYMENT, &story.objects.deployment, json!({"spec": {"replicas": replicas}}))
            }
            Action::Resume => merge(&DEPLOYMENT, &story.objects.deployment, json!({"spec": {"paused": null}})),
            Action::ErrorBudget(left) => {
                past(&self.shared, story, *left);
                Ok(())
            }
            Action::Freeze { status, reason } => {
                let freeze = json!({"status": status, "reason": reason});
                merge(&RISK_BUDGET, &story.objects.risk_budget, json!({"spec": {"freeze": freeze}}))
            }
            Action::Unfreeze => merge(&RISK_BUDGET, &story.objects.risk_budget, json!({"spec": {"freeze": null}})),
            Action::Prometheus(direction) => {
                let fault = (*direction == Direction::Down).then_some(PrometheusFault::Down);
                self.shared.set_prometheus(fault, Span::days(1));
                Ok(())
            }
            Action::Retry => {
                let token = self.shared.now().0.to_string();
                let patch = json!({"metadata": {"annotations": {RETRY: token}}});
                merge(&GATED_RELEASE, &story.objects.gated_release, patch)
            }
            Action::DeleteGatedRelease => {
                let object = &story.objects.gated_release;
                let path = format!("{}/{}", GATED_RELEASE.path(namespace(object)), name(object));
                request(&self.shared, by, path, "", "", &Value::Null)
            }
            Action::ReapplyRoute => apply(&self.shared, by, &story.objects.route),
            Action::EditConfig { gated_release, risk_budget } => {
                if !gated_release.is_null() {
                    merge(&GATED_RELEASE, &story.objects.gated_release, json!({"spec": gated_release}))?;
                }
                if !risk_budget.is_null() {
                    merge(&RISK_BUDGET, &story.objects.risk_budget, json!({"spec": risk_budget}))?;
                }
                Ok(())
            }
            Action::Wait(_) => Ok(()),
        }
    }
}

/// Simulated time since the beginning: `00:01:30`.
fn stamp(since: Span) -> String {
    let seconds = since.as_millis() / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
