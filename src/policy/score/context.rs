//! What makes this moment a bad one (`000_…` §5.3, Operational Context).

use crate::api::{Span, Time};
use crate::policy::budget::Remaining;

use super::sum::{Term, TermKind};

/// How far back a Sev1 or Sev2 incident counts.
pub const INCIDENT_LOOK_BACK: Span = Span::days(7);

/// Below this many percent of error budget a change costs more.
pub const ERROR_BUDGET_LOW_BELOW: f64 = 50.0;

/// The document's line for incidents.
pub const IN_INCIDENT: &str = "service currently in incident or had Sev1/Sev2 in last 7 days";

/// How old a signal may be. The documents give no figure: older than this, what it said is not what is.
pub const SIGNAL_FRESH: Span = Span::minutes(15);

/// A value, and when it was true.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen<T> {
    /// The value.
    pub value: T,
    /// When it was looked up.
    pub at: Time,
}

/// What is known of something outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal<T> {
    /// It was looked up.
    Known(Seen<T>),
    /// It was asked for and there was no answer: why. Counts as bad, because what is not known never passes.
    Unknown(String),
    /// Nobody configured where to ask: costs nothing.
    NotConfigured,
}

impl<T> Signal<T> {
    /// The value as of `now`, or why nothing can be said; None where nobody asks.
    fn now(&self, now: Time) -> Option<Result<&T, String>> {
        match self {
            Self::Known(seen) if now.since(seen.at) <= SIGNAL_FRESH => Some(Ok(&seen.value)),
            Self::Known(seen) => Some(Err(format!("last known at {}, older than {SIGNAL_FRESH}", seen.at.clock()))),
            Self::Unknown(why) => Some(Err(why.clone())),
            Self::NotConfigured => None,
        }
    }
}

/// An incident of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What it is called.
    pub name: String,
    /// Sev1 is 1; None where it is not known, which counts as Sev1.
    pub severity: Option<u8>,
    /// When it ended; None while it goes on.
    pub ended: Option<Time>,
}

/// How often people on call are paged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OnCallLoad {
    /// Pages in a span that the source chose, from 0.
    pub pages: f64,
    /// How many are normal in such a span, from 0.
    pub normal: f64,
}

/// What was seen around the service.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    /// Incidents that go on, or that ended within [`INCIDENT_LOOK_BACK`].
    pub incidents: Signal<Vec<Incident>>,
    /// What is left of the error budget.
    pub error_budget: Signal<Remaining>,
    /// The load of the people on call.
    pub on_call: Signal<OnCallLoad>,
    /// The restricted window that holds now, and until when; see [`crate::policy::restricted`].
    pub restricted: Option<String>,
}

impl Context {
    /// Whether the service is in an incident now: one that goes on, or nobody can tell.
    pub fn in_incident(&self, now: Time) -> bool {
        match self.incidents.now(now) {
            Some(Ok(incidents)) => incidents.iter().any(|incident| incident.ended.is_none()),
            Some(Err(_)) => true,
            None => false,
        }
    }

    /// What it adds to the score, in the document's order.
    pub(super) fn terms(&self, now: Time) -> Vec<Term> {
        [self.incident(now), self.error_budget(now), self.load(now), self.window()].into_iter().flatten().collect()
    }

    fn incident(&self, now: Time) -> Option<Term> {
        let evidence = match self.incidents.now(now)? {
            Ok(incidents) => {
                let worst = incidents.iter().find(|incident| incident.ended.is_none());
                let worst = worst.or_else(|| incidents.iter().find(|incident| counts_since(incident, now)))?;
                match worst.ended {
                    None => format!("{} goes on", worst.name),
                    Some(ended) => format!("{} ended {}", worst.name, ended.clock()),
                }
            }
            Err(why) => not_known("incidents are", &why),
        };
        Some(term(5, IN_INCIDENT, evidence))
    }

    fn error_budget(&self, now: Time) -> Option<Term> {
        let evidence = match self.error_budget.now(now)? {
            Ok(left) if left.percent() >= ERROR_BUDGET_LOW_BELOW => return None,
            // What is shown is rounded, what is judged is not.
            Ok(left) if left.rounded() >= ERROR_BUDGET_LOW_BELOW => format!("just less than {left} left"),
            Ok(left) => format!("{left} left"),
            Err(why) => not_known("what is left is", &why),
        };
        Some(term(3, "error budget < 50% remaining", evidence))
    }

    fn load(&self, now: Time) -> Option<Term> {
        let evidence = match self.on_call.now(now)? {
            Ok(load) if load.pages <= load.normal => return None,
            Ok(load) => format!("{} pages, normal are {}", load.pages, load.normal),
            Err(why) => not_known("the load is", &why),
        };
        Some(term(2, "on-call load high (paging above normal baseline)", evidence))
    }

    fn window(&self) -> Option<Term> {
        let name = self.restricted.as_ref()?;
        Some(term(5, "release during restricted windows (holidays/freeze) via exception", name.clone()))
    }
}

/// A Sev1 or Sev2 that ended exactly 7 days ago still counts.
fn counts_since(incident: &Incident, now: Time) -> bool {
    let recent = incident.ended.is_none_or(|ended| now.since(ended) <= INCIDENT_LOOK_BACK);
    recent && incident.severity.is_none_or(|severity| severity <= 2)
}

fn not_known(what: &str, why: &str) -> String {
    format!("{what} not known, which counts as bad: {why}")
}

fn term(points: i32, says: &'static str, evidence: String) -> Term {
    Term { kind: TermKind::Context, points, says, source: "000 §5.3, Operational Context", evidence }
}
