//! Plays a scenario: the real controller on a simulated cluster, in led time, told in lines or drawn.
//!
//! Here belongs what joins a [`Story`], its cluster and a terminal: who acts and when, and what is shown of the objects.
//! What must never enter: a look into the controller. What is shown comes from the API server and from Prometheus, as
//! anybody sees them.

mod act;
mod agree;
mod cluster;
mod events;
mod keyboard;
mod stage;
#[cfg(test)]
mod tests;
mod view;

use std::sync::Arc;

use tokio::sync::watch;

use super::screen::Key;
use super::simulate::world::Shared;
use super::story::Story;
use super::time::pace;
use crate::api::{Span, Time};
use stage::{Picture, Stage};

/// How fast time runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// So many simulated seconds in a real one.
    Times(f64),
    /// As fast as the machine can, from the same date on each time: the same seed tells the same lines.
    Max,
}

/// How the scenario is played.
pub struct Show {
    /// How fast; as the scenario says where there is none.
    pub speed: Option<Speed>,
    /// The seed of everything that is left to chance.
    pub seed: u64,
    /// Where a real kubectl is served.
    pub serve: Option<tokio::net::TcpListener>,
    /// Whether the cluster stays when the scenario is over, until `stop` or the key for it.
    pub stay: bool,
    /// Whether it is drawn on the terminal, which is taken over for as long. It is told in lines otherwise.
    pub picture: bool,
    /// Whether a person does everything by keys, instead of the steps of the scenario; only with a picture.
    pub interactive: bool,
}

/// When the simulated time begins where it is not led: any date serves, always the same.
const EPOCH: jiff::Timestamp = jiff::Timestamp::constant(1_767_225_600, 0);

/// Plays a scenario on a runtime whose time is paused, until it is over or `stop` is ready; `tell` gets each line, those of
/// a picture when the terminal was given back. Answers what did not come as the scenario expects.
pub async fn play(
    story: &Story,
    show: Show,
    tell: &mut dyn FnMut(&str),
    stop: impl Future<Output = ()>,
) -> Result<Vec<String>, String> {
    let speed = show.speed.unwrap_or(Speed::Times(story.speed));
    let (began, led) = match speed {
        Speed::Times(times) => (Time(jiff::Timestamp::now()), Some(times)),
        Speed::Max => (Time(EPOCH), None),
    };
    let shared = cluster::world(story, show.seed, began)?;
    let mut tasks = cluster::work(&shared, show.seed)?;
    let (_nobody_stops, serving) = watch::channel(false);
    if let Some(listener) = show.serve {
        tasks.spawn(serve(listener, shared.clone(), serving));
    }
    let pacing = watch::Sender::new(led.unwrap_or_default());
    if led.is_some() {
        tasks.spawn(pace(pacing.subscribe()));
    }
    let keys = if show.interactive { Key::ALL } else { Key::OF_TIME };
    let picture = show.picture.then(|| Picture::open(keys, pacing)).transpose()?;
    let mut stage = Stage::new(story, shared, began, (!show.interactive, show.stay), picture)?;
    tokio::select! {
        biased;
        played = stage.run(tell) => played?,
        () = stop => {}
    }
    Ok(stage.end(tell))
}

async fn serve(listener: tokio::net::TcpListener, shared: Arc<Shared>, stop: watch::Receiver<bool>) {
    if let Err(why) = super::present::serve(listener, shared, crate::controller::asked(stop)).await {
        tracing::error!(%why, "the sandbox is not served any more");
    }
}

/// Simulated time since the beginning: `00:01:30`.
fn stamp(since: Span) -> String {
    let seconds = since.as_millis() / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
