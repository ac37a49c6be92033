//! The stage: what happens at each look at the world, and what is told or shown of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::act::{Acts, namespace};
use super::events::events;
use super::keyboard::press;
use super::stamp;
use super::view::{Onlooker, WINDOW};
use crate::api::{ReleaseRecord, Span, Time};
use crate::cluster::kind::RELEASE_RECORD;
use crate::sandbox::objects::Objects as _;
use crate::sandbox::screen::{Beat, EventView, History, Key, Keyboard, Tally, Terminal};
use crate::sandbox::simulate::world::Shared;
use crate::sandbox::story::{Action, Attempt, Ending, Play, Story};

/// How often the world is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How far samples of the curves are apart.
const SAMPLE_EVERY: Span = Span::seconds(2);
/// So many events are kept to be shown.
const EVENTS: usize = 60;
/// The slowest and the fastest that keys can set.
const SPEEDS: (f64, f64) = (0.5, 2_000.0);

/// A terminal with what only a picture needs.
pub(super) struct Picture {
    terminal: Terminal,
    keyboard: Keyboard,
    keys: &'static [Key],
    says: String,
    events: VecDeque<EventView>,
    numbers: u64,
    history: History,
    sampled: Option<Span>,
    speed: f64,
    paused: bool,
    pace: watch::Sender<f64>,
    /// What is told when the terminal is given back.
    kept: Vec<String>,
}

impl Picture {
    /// Takes the terminal over.
    pub(super) fn open(keys: &'static [Key], pace: watch::Sender<f64>) -> Result<Self, String> {
        let failed = |why: std::io::Error| format!("the terminal: {why}; --plain tells lines instead");
        let speed = *pace.borrow();
        Ok(Self {
            terminal: Terminal::open().map_err(failed)?,
            keyboard: Keyboard::open().map_err(failed)?,
            keys,
            says: String::new(),
            events: VecDeque::with_capacity(EVENTS),
            numbers: 0,
            history: History::default(),
            sampled: None,
            speed,
            paused: false,
            pace,
            kept: Vec::new(),
        })
    }

    fn event(&mut self, event: EventView) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.numbers += 1;
        self.events.push_back(EventView { number: self.numbers, ..event });
    }

    /// Time stops, goes on, or runs at another speed.
    fn lead(&mut self, key: Key) {
        match key {
            Key::Pause => self.paused = !self.paused,
            Key::Faster => self.speed = (self.speed * 2.0).min(SPEEDS.1.max(self.speed)),
            Key::Slower => self.speed = (self.speed / 2.0).max(SPEEDS.0.min(self.speed)),
            Key::Good
            | Key::Bad
            | Key::Slow
            | Key::Crashing
            | Key::Revert
            | Key::BreakGlass
            | Key::Resume
            | Key::SpendBudget
            | Key::Retry
            | Key::Freeze
            | Key::Scale
            | Key::Prometheus
            | Key::Quit => {}
        }
        self.pace.send_replace(if self.paused { 0.0 } else { self.speed });
    }
}

async fn beat(picture: &mut Option<Picture>) -> Beat {
    match picture {
        Some(picture) => picture.keyboard.beat().await,
        None => std::future::pending().await,
    }
}

/// A scenario on its stage.
pub(super) struct Stage<'s> {
    story: &'s Story,
    shared: Arc<Shared>,
    began: Time,
    acts: Acts<'s>,
    onlooker: Onlooker,
    /// None where a person does everything by keys.
    play: Option<Play<'s>>,
    picture: Option<Picture>,
    /// Whether the cluster stays when the scenario is over.
    stay: bool,
    /// The version of the log up to which events were told.
    told: u64,
    /// Requests and failures before the first version was ready, and when it was.
    before: Option<(Span, Tally)>,
    /// What did not come as expected, once it is over.
    unmet: Option<Vec<String>>,
}

impl<'s> Stage<'s> {
    pub(super) fn new(
        story: &'s Story,
        shared: Arc<Shared>,
        began: Time,
        (scripted, stay): (bool, bool),
        picture: Option<Picture>,
    ) -> Result<Self, String> {
        let acts = Acts::new(story, shared.clone());
        let onlooker = Onlooker::new(story, shared.clone(), began)?;
        let play = scripted.then(|| Play::new(story));
        Ok(Self { story, shared, began, acts, onlooker, play, picture, stay, told: 0, before: None, unmet: None })
    }

    /// Until it is over, and beyond that where the cluster stays; or until somebody quits.
    pub(super) async fn run(&mut self, tell: &mut dyn FnMut(&str)) -> Result<(), String> {
        let mut looks = tokio::time::interval_at(tokio::time::Instant::now() + LOOK_EVERY, LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let beat = tokio::select! {
                biased;
                _ = looks.tick() => None,
                beat = beat(&mut self.picture) => Some(beat),
            };
            match beat {
                None => self.look(tell)?,
                Some(Beat::Frame) => self.draw()?,
                Some(Beat::Pressed(Key::Quit)) => return Ok(()),
                Some(Beat::Pressed(key)) => self.pressed(key)?,
                Some(Beat::Lost(why)) => return Err(format!("the keyboard: {why}; --plain needs none")),
            }
            if self.unmet.is_some() && !self.stay {
                return Ok(());
            }
        }
    }

    /// Gives the terminal back and tells what was kept for then. Answers what did not come as the scenario expects.
    pub(super) fn end(mut self, tell: &mut dyn FnMut(&str)) -> Vec<String> {
        if let Some(mut picture) = self.picture.take() {
            let (now, tally) = (self.shared.now().since(self.began), self.tally());
            let mut kept = std::mem::take(&mut picture.kept);
            // Gives the terminal back.
            drop(picture);
            if self.unmet.is_none() {
                kept.push(format!("{}  {} requests, {} of them failed", stamp(now), tally.requests, tally.failed));
            }
            kept.iter().for_each(|line| tell(line));
        }
        self.unmet.unwrap_or_default()
    }

    fn look(&mut self, tell: &mut dyn FnMut(&str)) -> Result<(), String> {
        self.events(tell);
        let now = self.shared.now().since(self.began);
        self.sample(now);
        let attempts = self.attempts();
        let all = self.shared.with(|world| world.cluster.tally().all);
        if self.before.is_none() && !attempts.is_empty() && self.onlooker.serves() {
            self.before = Some((now, Tally { requests: all.requests, failed: all.failed }));
        }
        // Taken out for as long, because a step may be done by all of the rest.
        let Some(mut play) = self.play.take() else { return Ok(()) };
        if self.unmet.is_none() {
            self.steps(&mut play, now, &attempts, tell)?;
        }
        self.play = Some(play);
        Ok(())
    }

    /// Does the steps that are due, and sees whether the scenario is over.
    fn steps(
        &mut self,
        play: &mut Play<'s>,
        now: Span,
        attempts: &[Attempt],
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), String> {
        while let Some(step) = play.due(now, attempts)? {
            if let Some(say) = &step.say {
                self.say(now, say, tell);
            }
            if let Some(action) = &step.action {
                let refused = self.acts.act(&step.by, action).err();
                // Who only waits does nothing that is worth a line.
                if !matches!(action, Action::Wait(_)) {
                    self.done(now, &format!("{}: {action}", step.by.name), refused.as_deref(), tell);
                }
            }
        }
        if !play.over(now, attempts) {
            return Ok(());
        }
        let Tally { requests, failed } = self.tally();
        let ending = Ending { attempts, weights: self.onlooker.weights_now(), failed_requests: failed };
        self.unmet = Some(play.unmet(&ending));
        let line = format!("{}  {requests} requests, {failed} of them failed", stamp(now));
        match &mut self.picture {
            None => {
                tell(&line);
                if self.stay {
                    tell("The scenario is over; the cluster stays until Ctrl-C.");
                }
            }
            Some(picture) => {
                let outcome = self.onlooker.view().outcome;
                picture.kept.extend(outcome.map(|(outcome, why)| format!("{}  {outcome}: {why}", stamp(now))));
                picture.kept.push(line);
                "The scenario is over; the cluster stays until q.".clone_into(&mut picture.says);
            }
        }
        Ok(())
    }

    fn say(&mut self, now: Span, say: &str, tell: &mut dyn FnMut(&str)) {
        match &mut self.picture {
            Some(picture) => say.clone_into(&mut picture.says),
            None => tell(&format!("\n{}  {say}", stamp(now))),
        }
    }

    /// Somebody did something.
    fn done(&mut self, now: Span, says: &str, refused: Option<&str>, tell: &mut dyn FnMut(&str)) {
        let Some(picture) = &mut self.picture else {
            tell(&format!("{}  {says}", stamp(now)));
            refused.iter().for_each(|why| tell(&format!("{}  refused: {why}", stamp(now))));
            return;
        };
        let event = |warning, reason: &str, note: &str| EventView {
            number: 0,
            at: now,
            warning,
            reason: reason.to_owned(),
            note: note.to_owned(),
        };
        picture.event(event(false, "Done", says));
        if let Some(why) = refused {
            picture.event(event(true, "Refused", why));
        }
    }

    /// Tells what Tidegate said since the last time.
    fn events(&mut self, tell: &mut dyn FnMut(&str)) {
        let (version, events) = events(&self.shared, self.told, self.began);
        self.told = version;
        for event in events {
            match &mut self.picture {
                Some(picture) => picture.event(event),
                None => {
                    let sign = if event.warning { "!" } else { " " };
                    tell(&format!("{} {sign}{}: {}", stamp(event.at), event.reason, event.note));
                }
            }
        }
    }

    fn sample(&mut self, now: Span) {
        let (Some(picture), Some((ready, _))) = (&mut self.picture, self.before) else { return };
        if now.as_millis() < ready.as_millis() + WINDOW.as_millis() {
            // The figures reach back to when nothing was there that could answer.
            return;
        }
        let due = picture.sampled.is_none_or(|last| now.as_millis() >= last.as_millis() + SAMPLE_EVERY.as_millis());
        if due {
            picture.sampled = Some(now);
            picture.history.push(self.onlooker.sample());
        }
    }

    fn pressed(&mut self, key: Key) -> Result<(), String> {
        let now = self.shared.now().since(self.began);
        let Some(picture) = &mut self.picture else { return Ok(()) };
        if !picture.keys.contains(&key) {
            return Ok(());
        }
        picture.lead(key);
        if let Some(pressed) = press(&mut self.acts, key) {
            picture.says = match &pressed.refused {
                Some(why) => format!("Refused: {why}"),
                None => pressed.says.clone(),
            };
            self.done(now, &pressed.says, pressed.refused.as_deref(), &mut |_| ());
        }
        self.draw()
    }

    fn draw(&mut self) -> Result<(), String> {
        let tally = self.tally();
        let Some(picture) = &mut self.picture else { return Ok(()) };
        let mut view = self.onlooker.view();
        view.speed = if picture.paused { 0.0 } else { picture.speed };
        view.title.clone_from(&self.story.title);
        if self.play.is_none() && self.unmet.is_none() {
            "yours to play".clone_into(&mut view.title);
        }
        view.says.clone_from(&picture.says);
        view.events = picture.events.iter().cloned().collect();
        view.tally = tally;
        view.keys = picture.keys;
        // Lent for the time of the drawing.
        view.history = std::mem::take(&mut picture.history);
        let drawn = picture.terminal.show(&view);
        picture.history = view.history;
        drawn.map_err(|why| format!("the terminal: {why}; --plain tells lines instead"))
    }

    /// What the users got since the first version was ready.
    fn tally(&self) -> Tally {
        let all = self.shared.with(|world| world.cluster.tally().all);
        let before = self.before.map_or(Tally { requests: all.requests, failed: all.failed }, |(_, before)| before);
        Tally {
            requests: all.requests.saturating_sub(before.requests),
            failed: all.failed.saturating_sub(before.failed),
        }
    }

    fn attempts(&self) -> Vec<Attempt> {
        let mut records: Vec<ReleaseRecord> = self.shared.with(|world| {
            let all = world.cluster.api.list(&RELEASE_RECORD, namespace(&self.story.objects.service));
            all.into_iter().filter_map(|record| serde_json::from_value(record.clone()).ok()).collect()
        });
        records.sort_by_key(|record| record.spec.attempt);
        records.iter().filter_map(|record| Attempt::of(record, self.story, self.began)).collect()
    }
}
