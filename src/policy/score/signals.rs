//! From what the sources answered to what stands in a status, and from there to the context of a score.
//!
//! A status is written where it differs. So nothing in it moves by itself: an incident that goes on has no time, a load
//! keeps its figures until it crosses what is normal, and how old an answer is follows from when answers ceased.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::api::signals::{IncidentStatus, IncidentsStatus, LoadStatus, OnCallStatus, SignalsStatus, Unanswered};
use crate::api::{Span, Time};

use super::context::{INCIDENT_LOOK_BACK, Incident, OnCallLoad, SIGNAL_FRESH, Seen, Signal};

/// An incident that was seen so lately goes on: scrapes and rules lag behind.
pub const GOES_ON_WITHIN: Span = Span::minutes(5);

/// How many incidents are kept: one that goes on, or one grave one, is enough for every rule.
const KEPT: usize = 8;
/// How much of an incident's name is kept, in characters.
const NAME_MAX: usize = 80;
/// How much of a reason is kept, in characters.
const WHY_MAX: usize = 300;

/// What one look at the sources brought. An inner `None` is a question that nobody configured.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// The entry of the configuration that was asked.
    pub source: String,
    /// Incidents in the look-back, or why they are not known.
    pub incidents: Option<Result<Vec<Sighting>, String>>,
    /// The load of the people on call, or why it is not known.
    pub on_call: Option<Result<OnCallLoad, String>>,
}

/// An incident, as one series of an answer has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// What it is called.
    pub name: String,
    /// The text that says how grave it is; empty where nothing does.
    pub severity: String,
    /// The last moment at which it was seen, in seconds since 1970; 0 or less for "there is none".
    pub last: f64,
}

/// The status after a look.
pub fn status_of(heard: &Heard, before: Option<&SignalsStatus>, now: Time) -> SignalsStatus {
    // What another source said says nothing about this one.
    let before = before.filter(|before| before.source == heard.source);
    let incidents = heard.incidents.as_ref().map(|answer| {
        let known = before.and_then(|before| before.incidents.as_ref());
        match answer {
            Ok(seen) => IncidentsStatus { known: Some(incidents(seen, now)), unanswered: None },
            Err(why) => IncidentsStatus {
                known: known.and_then(|known| known.known.clone()),
                unanswered: Some(unanswered(why, known.and_then(|known| known.unanswered.as_ref()), now)),
            },
        }
    });
    let on_call = heard.on_call.as_ref().map(|answer| {
        let known = before.and_then(|before| before.on_call.as_ref());
        let load = known.and_then(|known| known.load.as_ref());
        match answer {
            Ok(seen) => OnCallStatus { load: Some(load_of(*seen, load, now)), unanswered: None },
            Err(why) => OnCallStatus {
                load: load.cloned(),
                unanswered: Some(unanswered(why, known.and_then(|known| known.unanswered.as_ref()), now)),
            },
        }
    });
    SignalsStatus { source: heard.source.clone(), incidents, on_call }
}

fn unanswered(why: &str, before: Option<&Unanswered>, now: Time) -> Unanswered {
    Unanswered { why: why.chars().take(WHY_MAX).collect(), since: before.map_or(now, |before| before.since) }
}

/// Each incident once, by its name: the latest sighting, the gravest severity.
fn incidents(seen: &[Sighting], now: Time) -> Vec<IncidentStatus> {
    let mut by_name: BTreeMap<String, IncidentStatus> = BTreeMap::new();
    for one in seen.iter().filter(|one| one.last > 0.0) {
        let ended = ended(one.last, now);
        if ended.is_some_and(|ended| now.since(ended) > INCIDENT_LOOK_BACK) {
            continue;
        }
        let name: String = one.name.chars().take(NAME_MAX).collect();
        let severity = severity(&one.severity);
        let known = by_name.entry(name.clone()).or_insert(IncidentStatus { name, severity, ended });
        known.severity = known.severity.min(severity);
        known.ended = known.ended.zip(ended).map(|(one, other)| one.max(other));
    }
    let mut all: Vec<IncidentStatus> = by_name.into_values().collect();
    // A severity that is not known is the gravest, as `None` is less than every number.
    all.sort_by_key(|one| (one.ended.is_some(), one.severity, Reverse(one.ended), one.name.clone()));
    all.truncate(KEPT);
    all
}

/// None for an incident that goes on.
fn ended(last: f64, now: Time) -> Option<Time> {
    let seconds = if last.is_finite() { last.min(1e11) as i64 } else { return None };
    let at = Time(jiff::Timestamp::from_second(seconds).ok()?);
    (now.since(at) > GOES_ON_WITHIN).then_some(at)
}

/// The number in `1`, `sev1`, `SEV-2`, `P3`; none in other words.
fn severity(text: &str) -> Option<u8> {
    let number = text.trim().trim_start_matches(|c: char| c.is_ascii_alphabetic()).trim_start_matches(['-', '_', ' ']);
    number.parse().ok()
}

/// While it stays high, or stays normal, the figures of the moment stand at which it became so.
fn load_of(seen: OnCallLoad, before: Option<&LoadStatus>, now: Time) -> LoadStatus {
    let high = seen.pages > seen.normal;
    match before.filter(|before| before.high == high) {
        Some(stands) => stands.clone(),
        // Rounded apart, so that what is shown of a high load is high too.
        None if high => LoadStatus {
            high,
            pages: (seen.pages * 10.0).ceil() / 10.0,
            normal: (seen.normal * 10.0).floor() / 10.0,
            since: now,
        },
        None => LoadStatus { high, pages: tenth(seen.pages), normal: tenth(seen.normal), since: now },
    }
}

fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// What a status says of incidents at `now`.
pub fn incidents_of(status: Option<&SignalsStatus>, now: Time) -> Signal<Vec<Incident>> {
    let Some(asked) = status.and_then(|status| status.incidents.as_ref()) else { return Signal::NotConfigured };
    let incident = |one: &IncidentStatus| Incident { name: one.name.clone(), severity: one.severity, ended: one.ended };
    let known = asked.known.as_ref().map(|known| known.iter().map(incident).collect());
    signal(known, asked.unanswered.as_ref(), now)
}

/// What a status says of the load of the people on call at `now`.
pub fn on_call_of(status: Option<&SignalsStatus>, now: Time) -> Signal<OnCallLoad> {
    let Some(asked) = status.and_then(|status| status.on_call.as_ref()) else { return Signal::NotConfigured };
    let known = asked.load.as_ref().map(|load| OnCallLoad { pages: load.pages, normal: load.normal });
    signal(known, asked.unanswered.as_ref(), now)
}

/// What was known when answers ceased is as old as that; while they come it is as of now.
fn signal<T>(known: Option<T>, unanswered: Option<&Unanswered>, now: Time) -> Signal<T> {
    match (known, unanswered) {
        (Some(value), None) => Signal::Known(Seen { value, at: now }),
        (Some(value), Some(ceased)) => match now.since(ceased.since) <= SIGNAL_FRESH {
            true => Signal::Known(Seen { value, at: ceased.since }),
            false => Signal::Unknown(format!("{}, since {}", ceased.why, ceased.since.clock())),
        },
        (None, Some(ceased)) => Signal::Unknown(ceased.why.clone()),
        (None, None) => Signal::Unknown("not asked yet".to_owned()),
    }
}
