//! The limit on a business metric: what one window shows by itself, and all stages together.

use super::tally::{BusinessTally, Way};
use crate::analysis::binomial::chance_of_at_least;
use crate::analysis::chance::CHANCE_MAX;
use crate::analysis::evidence::Observation;
use crate::analysis::figures::{count, percent};
use crate::analysis::limits::{Limits, counts, figure};
use crate::analysis::verdict::{Breach, NotYet, Verdict};
use crate::api::gated_release::BusinessMetric;
use crate::api::release_record::Trigger;

/// Of its requests the new version turns more or fewer into what the service is there for than stable does, by more than the
/// contract allows and more than chance explains. Few events say little, and hold nothing: then the other limits decide.
pub(in crate::analysis) fn business(limits: &Limits<'_>, seen: &Observation) -> Verdict {
    let Some(rules) = &limits.contract.business else { return Verdict::Pass(String::new()) };
    let name = &rules.name;
    // What all stages showed is known, whatever this window is like.
    if let Some(breach) = limits.business.and_then(|tally| over_all_stages(rules, tally)) {
        return Verdict::Fail(breach);
    }
    let Some(evidence) = &seen.business else {
        return Verdict::NotYet(NotYet::NoData(format!("{name}: nobody asked for it")));
    };
    let new = match counts(&seen.candidate, "the new version") {
        Ok(new) if new.requests > 0.0 => new.requests,
        // Too little traffic: the error rate says so.
        Ok(_) => return Verdict::Pass(String::new()),
        Err(why) => return Verdict::NotYet(why),
    };
    let base = match counts(&seen.base, "stable") {
        Ok(base) if base.requests > 0.0 => base.requests,
        Ok(_) | Err(NotYet::NoData(_)) => {
            return Verdict::Pass(format!("{name}: stable has no traffic to compare with"));
        }
        Err(why) => return Verdict::NotYet(why),
    };
    let events = figure(&evidence.candidate, &format!("{name} of the new version"));
    let (events, base_events) = match (events, figure(&evidence.base, &format!("{name} of stable"))) {
        (Ok(events), Ok(base_events)) => (events, base_events),
        (Err(why), _) | (_, Err(why)) => return Verdict::NotYet(why),
    };
    let (rate, base_rate) = (events / new, base_events / base);
    let figures = format!(
        "{name}: {} in {} requests, stable {} in {}",
        count(events),
        count(new),
        count(base_events),
        count(base)
    );
    let change = rules.change_percent.ratio();
    let all = events + base_events;
    // Of all events, the new version has this share where its rate is so many times stable's (exact, whatever stable's rate).
    let share = |times: f64| new * times / (new * times + base);
    let few = rate < base_rate * (1.0 - change)
        && chance_of_at_least(base_events, all, 1.0 - share(1.0 - change)) < CHANCE_MAX;
    let many = rate > base_rate * (1.0 + change) && chance_of_at_least(events, all, share(1.0 + change)) < CHANCE_MAX;
    if few || many {
        let off = if base_rate > 0.0 { percent((rate / base_rate - 1.0).abs()) } else { "any number".to_owned() };
        let way = if few { "below" } else { "above" };
        return Verdict::Fail(Breach {
            trigger: Trigger::BusinessMetric,
            value: format!("{name} {off} {way} stable's"),
            threshold: format!("{} {way} stable's", rules.change_percent),
            sentence: format!("{figures}: {off} {way} stable's, limit {}", rules.change_percent),
        });
    }
    Verdict::Pass(figures)
}

/// What all stages together show, where the contract still asks for what was counted.
fn over_all_stages(rules: &BusinessMetric, tally: &BusinessTally) -> Option<Breach> {
    let way = tally.decided().filter(|_| tally.rules.are_of(rules))?;
    let side = tally.side(way);
    let (new, expected) = (side.together.candidate, side.together.expected);
    let off = if expected > 0.0 { percent((new.events() / expected - 1.0).abs()) } else { "any number".to_owned() };
    let way = if way == Way::Below { "below" } else { "above" };
    let since = side.since.map_or_else(|| "over all stages".to_owned(), |since| format!("since {}", since.clock()));
    let (name, limit) = (&rules.name, rules.change_percent);
    Some(Breach {
        trigger: Trigger::BusinessMetric,
        value: format!("{name} {off} {way} stable's {since}"),
        threshold: format!("{limit} {way} stable's"),
        sentence: format!(
            "{name}: {} in {} requests {since}, {} at stable's rate: {off} {way} stable's, limit {limit}",
            count(new.events()),
            count(new.requests()),
            count(expected)
        ),
    })
}
