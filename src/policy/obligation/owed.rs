//! Which obligations there are, and how each stands.

use std::collections::BTreeSet;

use super::approval;
use super::demand::{DEMANDS, Demand, Trigger};
use super::facts::{Cause, Facts, REACH, Said};
use crate::api::names::label_value;
use crate::api::obligation::{Episode, MetStatus, ObligationState, ObligationStatus};
use crate::api::{Span, Time};
use crate::policy::requirement::{Claim, Claims, Word};

/// What is said of one that was not shown in full, and whose record is gone.
const BEYOND: &str = "What it arose from is not on record any more";
/// How long one that was met is shown.
const MET_SHOWN: Span = Span::days(7);

/// Something owed, before anybody looks whether it was met.
pub(super) struct Owed {
    pub(super) name: String,
    pub(super) demand: &'static Demand,
    about: String,
    pub(super) since: Time,
    /// The record that it is owed for.
    pub(super) record: Option<String>,
}

/// What is owed and what was met lately, all of it: overdue first, then by when it is due.
pub fn obligations(facts: &Facts<'_>, now: Time) -> Vec<ObligationStatus> {
    let mut owed: Vec<Owed> = Vec::new();
    for demand in DEMANDS.iter().filter(|demand| !waived(facts, demand.kind(), now)) {
        owed.extend(arisen(demand, facts, now));
    }
    owed.extend(carried(facts, now));
    // What arose first decides by when: an exception that came back owes one post-mortem, and nothing moves a deadline.
    owed.sort_by_key(|one| one.since);
    let mut named = BTreeSet::new();
    owed.retain(|one| named.insert(one.name.clone()));
    let mut all: Vec<ObligationStatus> = owed
        .iter()
        .map(|one| match (one.demand.due.renews(), one.demand.is_approval()) {
            (true, _) => renewing(one, facts, now),
            (false, true) => approval::approved(one, facts, now),
            (false, false) => once(one, facts, now),
        })
        .filter(|one| one.state != ObligationState::Met || is_recent(one, now))
        .collect();
    // What was met stays to be seen, also when what it arose from is over.
    let gone = facts.before.iter().filter(|one| one.state == ObligationState::Met && !named.contains(&one.name));
    all.extend(gone.filter(|one| is_recent(one, now)).cloned());
    let met_last = |one: &ObligationStatus| std::cmp::Reverse(one.met.as_ref().map(|met| met.at));
    all.sort_by_cached_key(|one| match one.state {
        ObligationState::Met => (one.state, None, met_last(one), one.name.clone()),
        ObligationState::Overdue | ObligationState::Due => {
            (one.state, Some(one.due), std::cmp::Reverse(None), one.name.clone())
        }
    });
    all
}

/// When the first of them stands otherwise although nothing happens.
pub fn next_change(all: &[ObligationStatus], now: Time) -> Option<Time> {
    let due = all.iter().filter(|one| one.state == ObligationState::Due).map(|one| one.due);
    due.filter(|due| *due > now).min()
}

fn waived(facts: &Facts<'_>, kind: &str, now: Time) -> bool {
    facts.rules.waived.iter().any(|waiver| waiver.name == kind && waiver.until.is_none_or(|until| until > now))
}

fn is_recent(one: &ObligationStatus, now: Time) -> bool {
    one.met.as_ref().is_some_and(|met| now.since(met.at) < MET_SHOWN)
}

/// What a demand asks for now.
fn arisen(demand: &'static Demand, facts: &Facts<'_>, now: Time) -> Vec<Owed> {
    // One that has no moment of its own is owed since it was told first.
    let told = |name: &str| facts.before.iter().find(|one| one.name == name).map_or(now, |one| one.since);
    let owed = |name: String, since: Time, about: String| Owed { name, demand, about, since, record: None };
    let kind = demand.kind();
    match demand.on {
        Trigger::Level(level) => {
            let episodes = facts.course.map_or(&[][..], |course| &course.episodes);
            let episode = episodes.iter().find(|episode| episode.level == level);
            // Who falls into a worse level at once owes what that demands in place of this.
            let asked = episode
                .filter(|episode| episode.ended.is_none() || demand.outlives)
                .filter(|episode| demand.due.renews() || !episode.passed);
            let about = format!("The error budget is {level} or worse");
            let name = |episode: &Episode| match demand.due.renews() {
                true => kind.to_owned(),
                false => format!("{kind}-{}", episode.since.0.strftime("%Y%m%d-%H%M")),
            };
            asked.map(|episode| owed(name(episode), episode.since, about)).into_iter().collect()
        }
        Trigger::Exception => of_records(demand, facts, now, |record| record.exception.as_ref()),
        Trigger::Unapproved => of_records(demand, facts, now, |record| record.unapproved.as_ref()),
        Trigger::Bypass => of_records(demand, facts, now, |record| record.bypass.as_ref()),
        Trigger::Rollback => of_records(demand, facts, now, |record| record.rollback.as_ref()),
        Trigger::Tightened => {
            let asked = facts.tightened.map(|(window, why)| {
                let name = format!("{kind}-{window}");
                let since = told(&name);
                owed(name, since, why.chars().take(500).collect())
            });
            asked.into_iter().collect()
        }
        Trigger::Calendar => {
            let asked = facts.rules.regular_reviews;
            asked.then(|| owed(kind.to_owned(), told(kind), demand.says.to_owned())).into_iter().collect()
        }
    }
}

fn of_records(
    demand: &'static Demand,
    facts: &Facts<'_>,
    now: Time,
    cause: fn(&super::RecordFacts) -> Option<&Cause>,
) -> Vec<Owed> {
    let owed = |record: &super::RecordFacts| {
        let cause = cause(record).filter(|cause| now.since(cause.at) < REACH)?;
        let name = format!("{}-{}", demand.kind(), label_value(&record.record));
        Some(Owed { name, demand, about: cause.about.clone(), since: cause.at, record: Some(record.record.clone()) })
    };
    facts.records.into_iter().flatten().filter_map(owed).collect()
}

/// What was owed stays owed, however long, also when what it arose from is over, or its record is gone; what was met lately does,
/// because that may be taken back. As many as a status remembers: those that are overdue longest.
fn carried(facts: &Facts<'_>, now: Time) -> Vec<Owed> {
    let open = |one: &&ObligationStatus| match one.state {
        ObligationState::Met => is_recent(one, now),
        ObligationState::Overdue | ObligationState::Due => true,
    };
    let stays = facts.before.iter().filter(open).filter_map(|one| {
        let demand =
            Demand::told(&one.kind, &one.source).filter(|demand| demand.outlives && !waived(facts, &one.kind, now))?;
        let about = if one.about.is_empty() { BEYOND } else { one.about.as_str() };
        let (about, record) = (about.to_owned(), one.record.clone());
        Some(Owed { name: one.name.clone(), demand, about, since: one.since, record })
    });
    stays.collect()
}

pub(super) fn told(owed: &Owed, since: Time, due: Time, now: Time) -> ObligationStatus {
    ObligationStatus {
        name: owed.name.clone(),
        kind: owed.demand.kind().to_owned(),
        state: if due <= now { ObligationState::Overdue } else { ObligationState::Due },
        about: owed.about.chars().take(512).collect(),
        owed_by: owed.demand.owed_by.to_vec(),
        source: owed.demand.source.to_owned(),
        since,
        due,
        met: None,
        problem: String::new(),
        record: owed.record.clone(),
    }
}

/// One that is met once.
fn once(owed: &Owed, facts: &Facts<'_>, now: Time) -> ObligationStatus {
    let due = owed.demand.due.after(owed.since, false, facts.zone);
    let open = told(owed, owed.since, due, now);
    let about = said_about(owed, facts);
    let claims: Vec<Claim> = about.iter().map(|said| said.claim.clone()).collect();
    let problem = match Claims::new(&claims, &[], now).word(owed.demand.kind(), None) {
        Word::For(said) => {
            let claim = said.oldest();
            let problems = owed.demand.form.problems(&claim.facts);
            if problems.is_empty() {
                let met = about.iter().find(|said| said.claim == *claim).map(|said| met(said));
                return ObligationStatus { state: ObligationState::Met, met, ..open };
            }
            format!("the attestation of {} is not complete: {}", claim.by(), problems.join("; "))
        }
        Word::Against(claim) => format!("{} says that it is not met", claim.by()),
        Word::Silent { because } => because,
    };
    ObligationStatus { problem: problem.chars().take(512).collect(), ..open }
}

/// One that is owed again after each time that it was met.
fn renewing(owed: &Owed, facts: &Facts<'_>, now: Time) -> ObligationStatus {
    let about = said_about(owed, facts);
    // Its author takes it back, or anybody says later that it was not done.
    let withdrawn = |said: &Said| {
        let later = |other: &&Said| other.claim.at >= said.claim.at;
        let against = |other: &Said| match other.claim.withdrawn {
            true => other.claim.author == said.claim.author,
            false => !other.claim.passed,
        };
        about.iter().copied().filter(later).any(against)
    };
    let counts = |said: &&&Said| {
        let Said { claim, .. } = said;
        let stands = claim.passed && claim.at <= now && claim.at >= owed.since && !withdrawn(said);
        stands && owed.demand.form.problems(&claim.facts).is_empty()
    };
    let last = about.iter().filter(counts).max_by_key(|said| said.claim.at);
    let since = last.map_or(owed.since, |said| said.claim.at);
    let due = owed.demand.due.after(since, last.is_some(), facts.zone);
    ObligationStatus { met: last.map(|said| met(said)), ..told(owed, since, due, now) }
}

/// What was attested about one. One that renews is met by its type: whoever writes every six hours needs no new name.
fn said_about<'a>(owed: &Owed, facts: &Facts<'a>) -> Vec<&'a Said> {
    let names = |said: &&Said| said.obligation == owed.name && said.claim.kind == owed.demand.kind();
    facts.said.iter().filter(names).collect()
}

pub(super) fn met(said: &Said) -> MetStatus {
    MetStatus { by: said.claim.author.clone(), at: said.claim.at, attestation: said.attestation.clone() }
}
