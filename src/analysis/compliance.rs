//! Whether the new version meets the objectives of its service over a while, all its requests in that time together
//! (`003_…`, module 3: "sustained SLO compliance over a 30-minute window").

use crate::api::compliance::{Compliance, CompliancePart};
use crate::api::{Percent, Span, Time};

use super::chance::{Looked, beyond_chance};
use super::compare::{Overdispersion, Signal};
use super::evidence::Evidence;
use super::figures::{count, percent, tenth};
use super::limits::{EXTRAPOLATION_MAX, figure};

/// The sums stand in about so many parts, of which the oldest leaves when the others are enough.
const PARTS: u64 = 5;

/// An objective, and what the new version did by it in a look.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective<'a> {
    /// Its name in the RiskBudget.
    pub name: &'a str,
    /// How many of the requests are to be good.
    pub objective: Percent,
    /// What makes a request bad.
    pub bad_is: Signal,
    /// Requests that were bad.
    pub bad: Evidence<f64>,
}

impl Objective<'_> {
    /// What its sums are kept under.
    fn key(&self) -> String {
        format!("{}: {}", self.name, self.bad_is)
    }
}

/// What one look counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    objectives: Vec<String>,
    requests: f64,
    bad: Vec<f64>,
}

/// What one look counts by each objective; why it is not known, where one figure is not. Without an objective nothing is known.
pub fn look(requests: &Evidence<f64>, objectives: &[Objective<'_>]) -> Result<Look, String> {
    if objectives.is_empty() {
        return Err("its RiskBudget has no objective of this Service".to_owned());
    }
    let requests = figure(requests, "requests of the new version").map_err(|why| why.to_string())?;
    let bad = |objective: &Objective<'_>| {
        if requests <= 0.0 {
            return Ok(0.0);
        }
        let what = format!("requests of the new version that {}", objective.bad_is);
        let bad = figure(&objective.bad, &what).map_err(|why| why.to_string())?;
        if bad > requests * EXTRAPOLATION_MAX {
            return Err(format!("{} of {} requests {}", count(bad), count(requests), objective.bad_is));
        }
        Ok(tenth(bad.min(requests)))
    };
    let bad = objectives.iter().map(bad).collect::<Result<Vec<f64>, String>>()?;
    Ok(Look { objectives: objectives.iter().map(Objective::key).collect(), requests: tenth(requests), bad })
}

/// How far looks reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// How far back this one looks.
    pub back: Span,
    /// Over how long the objectives are to be met: `spec.analysis.sloCompliance.window`.
    pub over: Span,
}

/// The sums with a look counted in that reaches back to nothing that is counted already; what lies between, less than an interval
/// of looks, is not counted. Time in which it was not known does not count, and takes nothing away.
pub fn counted(
    before: Option<&Compliance>,
    look: &Result<Look, String>,
    reach: Reach,
    now: Time,
) -> Option<Compliance> {
    let Ok(look) = look else { return before.cloned() };
    let mut next = match before {
        Some(before) if before.objectives == look.objectives => before.clone(),
        Some(_) | None => Compliance { objectives: look.objectives.clone(), parts: Vec::new() },
    };
    let counted = before.and_then(|before| before.parts.last()).map(|last| last.until);
    if counted.is_some_and(|until| until.plus(reach.back) > now) {
        return before.cloned();
    }
    let part = Span::from_millis(reach.over.as_millis() / PARTS);
    match next.parts.last_mut().filter(|last| together(last.known, reach.back) <= part) {
        Some(last) => {
            (last.until, last.known) = (now, together(last.known, reach.back));
            last.requests = tenth(last.requests + look.requests);
            last.bad.iter_mut().zip(&look.bad).for_each(|(sum, bad)| *sum = tenth(*sum + bad));
        }
        None => next.parts.push(CompliancePart {
            until: now,
            known: reach.back,
            requests: look.requests,
            bad: look.bad.clone(),
        }),
    }
    while next.parts.len() > 1 && known(&next.parts[1..]) >= reach.over {
        next.parts.remove(0);
    }
    Some(next)
}

fn known(parts: &[CompliancePart]) -> Span {
    parts.iter().fold(Span::ZERO, |sum, part| together(sum, part.known))
}

const fn together(one: Span, other: Span) -> Span {
    Span::from_millis(one.as_millis() + other.as_millis())
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Over how long that is known; nothing without a request.
    pub over: Span,
    /// The objective that was missed, with its figures, in words; None where all were met.
    pub missed: Option<String>,
}

/// How it stands by these objectives over all the time that counts: missed is what is beyond chance (8 in 10,000, with bad requests that
/// scatter as stable's failures did, and at least five of them). None where they are not those that were counted.
pub fn standing(sums: &Compliance, objectives: &[Objective<'_>], scatter: Overdispersion) -> Option<Standing> {
    if !sums.objectives.iter().cloned().eq(objectives.iter().map(Objective::key)) {
        return None;
    }
    let requests: f64 = sums.parts.iter().map(|part| part.requests).sum();
    if requests < 1.0 {
        return Some(Standing { over: Span::ZERO, missed: None });
    }
    let missed = objectives.iter().enumerate().find_map(|(index, objective)| {
        let bad: f64 = sums.parts.iter().filter_map(|part| part.bad.get(index)).sum();
        let allowed = 1.0 - objective.objective.ratio();
        beyond_chance(bad, requests, allowed, scatter, Looked::FIRST).then(|| {
            let (rate, requests) = (percent(bad / requests), count(requests));
            format!("{}: {rate} of {requests} requests {}, {} may", objective.name, objective.bad_is, percent(allowed))
        })
    });
    Some(Standing { over: known(&sums.parts), missed })
}
