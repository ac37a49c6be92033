//! What is at stake: how risky the change is, which gate it goes through, what it must show there and what it has shown.
//!
//! Here belongs what makes facts of a snapshot for the rules of `policy`. What must never enter: a rule of the documents
//! (that is `policy`), and what is done about the answer (that is `plan`).

mod carried;
mod claims;
mod classified;
mod images;
mod record;
mod sign;

use std::collections::BTreeSet;

use super::snapshot::{BudgetSeen, RiskSeen, Snapshot};
use crate::api::gated_release::StageSpec;
use crate::api::release_record::{AssessmentRecord, ChargeRecord, Phase, ReleaseRecordSpec, ReleaseRecordStatus};
use crate::api::risk_budget::{OwnerApproval, RequirementMode, Waiver};
use crate::api::watched::TrialLimit;
use crate::api::{BudgetStatus, ChangeType, Severity, Time, Weight};
use crate::policy::band::{band, charge};
use crate::policy::category::parse_list;
use crate::policy::evidence::{REMEDIATION, START};
use crate::policy::exception::{self, Request};
use crate::policy::gate::{self, GateDecision, GateFacts};
use crate::policy::requirement::{
    Claim, Claims, Due, Known, ON_CALL_PRESENCE, Requirement, RequirementFacts, SHIFT, Word, customers_may_notice,
    requirements,
};
use crate::policy::restricted::restricted;
use crate::policy::score::{Context, IN_INCIDENT, Mitigation, Score, ScoreFacts, Seen, Signal, Verified};
use crate::policy::worsened::{Levels, Underway};
use crate::policy::{Band, ChangeFacts, Classification, Gate, Remaining, RiskPoints, schedule_for};

pub(in crate::release) use record::{
    START as BEFORE_START, agreed, approval, authors_on_record, completed, recorded, view,
};
pub(in crate::release) use sign::{
    Signed, Since, WHY_TWO, how_to_sign, how_to_withdraw, of_exhausted, rejected, signed,
};

use claims::{Heard, heard};
use classified::{classified, explanation};

/// What is at stake with one attempt, at one moment.
pub(in crate::release) struct Assessed<'a> {
    seen: &'a Snapshot,
    risk: &'a RiskSeen,
    now: Time,
    heard: Heard,
    /// What the change touches.
    pub(in crate::release) change: Classification,
    /// How risky it is.
    pub(in crate::release) score: Score,
    /// Its gate, and what blocks it.
    pub(in crate::release) decision: GateDecision,
    /// What it must show, waivers included.
    pub(in crate::release) requirements: Vec<Requirement>,
    /// Whether it ships as an exception, with the reason and who asked.
    pub(in crate::release) exception: Option<String>,
    /// When the attempt was opened, while it has not begun: who agreed to an exception before did not know how the one before ends.
    opened: Option<Time>,
    budget_status: BudgetStatus,
    customers_may_notice: bool,
    rollback: bool,
}

/// What is at stake with an attempt; none where its budget is not known. With a `recorded` assessment the gate is that
/// one: it was decided when the change began to ship, and stays; so does, while the error budget is not measured, what was left
/// of it then.
pub(in crate::release) fn assess<'a>(
    seen: &'a Snapshot,
    spec: &ReleaseRecordSpec,
    status: &ReleaseRecordStatus,
    now: Time,
) -> Option<Assessed<'a>> {
    let risk = seen.risk.as_ref()?;
    let left = budget_left(seen, status)?;
    let band = risk.band()?;
    Some(judged(seen, risk, (spec, status), (left, band), &[], now))
}

/// What was at stake with what ran past its gate, where it is judged later than it was found; `found` are the categories that it
/// was found to touch, whatever became of its templates since. With `unknown_is_worst` what is not known of the budgets counts as
/// nothing left of them; else there is no answer then, nor is there one where the RiskBudget cannot be read.
pub(in crate::release) fn assess_bypass<'a>(
    seen: &'a Snapshot,
    spec: &ReleaseRecordSpec,
    status: &ReleaseRecordStatus,
    (found, unknown_is_worst): (&[String], bool),
    now: Time,
) -> Option<Assessed<'a>> {
    let risk = seen.risk.as_ref()?;
    let nothing = || unknown_is_worst.then_some(());
    let left = budget_left(seen, status).or_else(|| nothing().map(|()| (BudgetStatus::Emergency, None)))?;
    let band = risk.band().or_else(|| nothing().map(|()| Band::Exhausted))?;
    Some(judged(seen, risk, (spec, status), (left, band), found, now))
}

/// The status of the error budget, and what is left of it: as it was when the attempt began to ship where it is not measured now.
fn budget_left(seen: &Snapshot, status: &ReleaseRecordStatus) -> Option<(BudgetStatus, Option<Remaining>)> {
    match &seen.budget {
        BudgetSeen::Measured { status, remaining_percent, .. } => {
            Some((*status, Remaining::from_percent(*remaining_percent)))
        }
        BudgetSeen::Unmeasured(_) | BudgetSeen::Missing => {
            let began = status.budget.filter(|_| status.assessment.is_some())?;
            Some((began.status, Remaining::from_percent(began.remaining_percent)))
        }
    }
}

fn judged<'a>(
    seen: &'a Snapshot,
    risk: &'a RiskSeen,
    (spec, status): (&ReleaseRecordSpec, &ReleaseRecordStatus),
    ((budget_status, left), band): ((BudgetStatus, Option<Remaining>), Band),
    found: &[String],
    now: Time,
) -> Assessed<'a> {
    let mut heard = heard(seen, spec, risk, status.assessment.is_some(), now);
    let explained = explanation(&heard, risk, now);
    let change = classified(seen, spec, (&heard, &explained, risk), (found, status.assessment.as_ref()), now);
    heard.ignored.extend(classified::unheard(seen, spec, risk, &change));
    let context = risk.context(left, now);
    let known = known(seen, spec, status, budget_status);
    let claims = heard.claims(now);
    let verified = verified(claims, explained.of_all(), &known, &change);
    let score =
        Score::of(&ScoreFacts { tier: risk.tier, change: &change, context: &context, mitigations: &verified }, now);
    let relaxed = risk.relaxed();
    let facts = |exception| GateFacts {
        points: score.total,
        change: &change,
        kind: spec.change.kind,
        tier: risk.tier,
        band,
        budget_status,
        incident: context.in_incident(now),
        restricted: context.restricted.as_deref(),
        remediation: matches!(claims.word(REMEDIATION, None), Word::For(_)),
        exception,
        tightened: risk.budget.as_ref().is_some_and(|budget| !budget.tightened_by.is_empty()),
        relaxed: &relaxed,
    };
    let customers_may_notice = customers_may_notice(risk.tier, claims);
    let opened = (status.phase == Phase::Plan).then_some(status.phase_since);
    let request = exception::request(claims, budget_status, customers_may_notice, opened);
    let exception = match &status.assessment {
        Some(recorded) => recorded.exception.clone(),
        None => request.recorded(),
    };
    let decision = gate::decide(&facts(exception.is_some()));
    let gate = status.assessment.as_ref().map_or(decision.gate, |recorded| recorded.gate);
    let requirements = match spec.change.kind {
        ChangeType::Rollback => Vec::new(),
        ChangeType::Feature
        | ChangeType::BugFix
        | ChangeType::Reliability
        | ChangeType::IncidentFix
        | ChangeType::SecurityFix
        | ChangeType::Experiment
        | ChangeType::Refactor
        | ChangeType::Infrastructure
        | ChangeType::Config
        | ChangeType::Docs => requirements(&RequirementFacts {
            gate,
            change: &change,
            tier: risk.tier,
            status: budget_status,
            band,
            known: &known,
            claims,
            release: &seen.release.name,
            namespace: &seen.release.namespace,
            now,
        }),
    };
    Assessed {
        seen,
        risk,
        now,
        change,
        score,
        decision,
        requirements,
        exception,
        opened,
        budget_status,
        customers_may_notice,
        rollback: spec.change.kind == ChangeType::Rollback,
        heard,
    }
}

impl Assessed<'_> {
    /// What the change costs: its score; of a rollback the least there is, because nothing should delay one; of an exception
    /// half as much again.
    pub(in crate::release) fn cost(&self) -> RiskPoints {
        charge(self.points(), self.exception.is_some())
    }

    /// The points that it is charged for, without an exception's penalty.
    pub(in crate::release) fn points(&self) -> RiskPoints {
        if self.rollback { RiskPoints::LEAST } else { self.score.total }
    }

    /// What of incidents speaks against a release now, in words: that one goes on, or why nobody can tell; none where nothing does.
    pub(in crate::release) fn incident(&self) -> Option<&str> {
        self.score.terms.iter().find(|term| term.says == IN_INCIDENT).map(|term| term.evidence.as_str())
    }

    /// Until when no window is restricted any more; none where none holds now, or there is no end in sight.
    pub(in crate::release) fn restricted_until(&self) -> Option<Time> {
        restricted(&self.risk.restricted, self.now)?.until
    }

    fn claims(&self) -> Claims<'_> {
        self.heard.claims(self.now)
    }

    /// How far a request for an exception is.
    pub(in crate::release) fn request(&self) -> Request<'_> {
        exception::request(self.claims(), self.budget_status, self.customers_may_notice, self.opened)
    }

    /// The facts by which a freeze judges the change. A fix of an outage or of a critical bug is judged by that alone, as
    /// the freeze policy names it; of every other change the diff may tell that it is riskier than its type.
    pub(in crate::release) fn freeze_facts(&self, spec: &ReleaseRecordSpec) -> ChangeFacts {
        let known = ChangeFacts::from(&spec.change);
        let urgent = known.is_fix() && matches!(spec.change.severity, Some(Severity::P0 | Severity::P1));
        ChangeFacts { risk: (!urgent).then_some(self.score.class), ..known }
    }

    /// Whether what is missing holds the change up.
    pub(in crate::release) fn enforced(&self) -> bool {
        self.risk.requirements.mode == RequirementMode::Enforce
    }

    /// Why a requirement is not asked for; none where it is.
    pub(in crate::release) fn waived(&self, name: &str) -> Option<&Waiver> {
        let waived = self.risk.requirements.waived.iter();
        let mut of_it = waived.filter(|waiver| waiver.name == name);
        of_it.find(|waiver| waiver.until.is_none_or(|until| self.now < until))
    }

    /// What is missing of what must be there by one of these.
    pub(in crate::release) fn missing(&self, due: &[Due]) -> Vec<&Requirement> {
        let asked = self.requirements.iter().filter(|one| due.contains(&one.due) && !one.is_met());
        asked.filter(|one| self.waived(one.name).is_none()).collect()
    }

    /// Whether a person said that it may start, where no machine may, since the attempt was opened: who started the one before did
    /// not know how that would end.
    pub(in crate::release) fn started_by_hand(&self, opened: Time) -> Option<&Claim> {
        match self.claims().since(opened).word(START, None) {
            Word::For(said) => Some(said.oldest()),
            Word::Against(_) | Word::Silent { .. } => None,
        }
    }

    /// The start that was given to an attempt before the one that was opened then; none where nobody gave one.
    pub(in crate::release) fn started_before(&self, opened: Time) -> Option<&Claim> {
        match self.claims().word(START, None) {
            Word::For(said) if self.started_by_hand(opened).is_none() => Some(said.oldest()),
            Word::For(_) | Word::Against(_) | Word::Silent { .. } => None,
        }
    }

    /// Whether somebody on call watched it, and their word has lapsed.
    pub(in crate::release) fn on_call_lapsed(&self) -> bool {
        match self.claims().word(ON_CALL_PRESENCE, Some(SHIFT)) {
            Word::Silent { because } => !because.is_empty(),
            Word::For(_) | Word::Against(_) => false,
        }
    }

    /// How the budgets stand, where the error budget has this status. What the release was charged itself does not count: that was
    /// judged when it began.
    pub(in crate::release) fn levels(&self, status: BudgetStatus, charge: Option<&ChargeRecord>) -> Option<Levels> {
        Some(Levels { status, band: self.risk.band_without(charge)? })
    }

    /// The band if everything were spent that is promised to others: what they are charged later worsens nothing that was not known.
    pub(in crate::release) fn promised_band(&self, record: &str) -> Option<Band> {
        Some(band(self.risk.free(record)?, RiskPoints::new(self.risk.budget.as_ref()?.allocated)))
    }

    /// What decides who is asked in the course of the release.
    pub(in crate::release) fn underway(&self, spec: &ReleaseRecordSpec) -> Underway<'_> {
        Underway {
            change: self.freeze_facts(spec),
            diff: self.change.floor(),
            strategy: &self.seen.release.spec.strategy,
            customers_may_notice: self.customers_may_notice,
            owner: self.owner_approval(),
        }
    }

    /// How the service owner approves.
    pub(in crate::release) fn owner_approval(&self) -> OwnerApproval {
        self.risk.requirements.owner_approval
    }

    /// Approvals that do not count, each with the reason.
    pub(in crate::release) fn ignored(&self) -> &[String] {
        &self.heard.ignored
    }
}

/// What the controller knows by itself.
fn known(seen: &Snapshot, spec: &ReleaseRecordSpec, status: &ReleaseRecordStatus, budget: BudgetStatus) -> Known {
    let stages: Vec<StageSpec> = match status.stages.is_empty() {
        true => schedule_for(&seen.release.spec.strategy, spec.change.kind, budget).stages,
        false => status.stages.iter().map(|stage| stage.spec).collect(),
    };
    let contract = &seen.release.spec.rollback;
    Known {
        staged: stages.first().is_some_and(|first| first.weight < Weight::FULL),
        // The contract always has a limit of the error rate: the CRD gives it one.
        rollback_limits: true,
        judges_errors: true,
        // A limit on trial lets everything pass.
        judges_latency: (contract.latency_factor.is_some() || contract.latency_added.is_some())
            && !contract.dry_run.contains(&TrialLimit::Latency),
        first_bake: stages.first().map_or(crate::api::Span::ZERO, |first| first.bake),
        rollback_proven: seen.release.status.rollback_proven_at,
        verified_since: (status.phase == Phase::Verify).then_some(status.phase_since),
    }
}

/// Mitigations that somebody verified of all that comes new, or that the controller knows.
fn verified(claims: Claims<'_>, explained: &[Claim], known: &Known, change: &Classification) -> Vec<Verified> {
    let mut all = Vec::new();
    let mut add = |mitigation: Mitigation, claims: &[&Claim]| {
        // Of several images it is as old as what was verified first, and lapses with what lapses first.
        let Some(at) = claims.iter().map(|claim| claim.at).min() else { return };
        let authors: BTreeSet<&str> = claims.iter().map(|claim| claim.author.as_str()).collect();
        all.push(Verified {
            mitigation,
            at,
            until: claims.iter().filter_map(|claim| claim.until).min(),
            evidence: format!("attested by {}", authors.into_iter().collect::<Vec<_>>().join(", ")),
        });
    };
    let switches_off = |claim: &&Claim| claim.facts.get("kill-switch").is_some_and(|text| !text.trim().is_empty());
    for mitigation in Mitigation::ALL {
        let Word::For(said) = claims.word(mitigation.as_str(), None) else { continue };
        let said: Vec<&Claim> = said.all().collect();
        match mitigation {
            // A flag alone switches nothing off: "instant kill switch verified".
            Mitigation::FeatureFlag if !said.iter().all(switches_off) => {}
            // The canary is Tidegate's own: what is attested of another one does not count.
            Mitigation::Canary => {}
            Mitigation::FeatureFlag
            | Mitigation::IntegrationCoverage
            | Mitigation::NoDataMigration
            | Mitigation::CompatibleMigration
            | Mitigation::Isolation => add(*mitigation, &said),
        }
    }
    if !change.categories().any(crate::policy::Category::is_data) {
        add(Mitigation::NoDataMigration, &explained.iter().collect::<Vec<_>>());
    }
    let judged = known.staged && known.judges_errors && known.judges_latency;
    if judged {
        if let Word::For(said) = claims.word("rollback-rehearsal", None) {
            add(Mitigation::Canary, &said.all().collect::<Vec<_>>());
        }
        if let Some(at) = known.rollback_proven {
            let evidence = "error rate and latency are judged at each stage, and a rollback of this workload succeeded";
            all.push(Verified { mitigation: Mitigation::Canary, at, until: None, evidence: evidence.to_owned() });
        }
    }
    all
}

/// The gate that holds: the recorded one where the change has begun to ship.
pub(in crate::release) fn gate_of(assessment: Option<&AssessmentRecord>, decision: &GateDecision) -> Gate {
    assessment.map_or(decision.gate, |recorded| recorded.gate)
}

impl RiskSeen {
    /// What goes on around the service, with what is left of its error budget.
    pub(in crate::release) fn context(&self, left: Option<Remaining>, now: Time) -> Context {
        Context {
            incidents: self.signals.incidents.clone(),
            error_budget: left.map_or_else(
                || Signal::Unknown("it is not measured".to_owned()),
                |value| Signal::Known(Seen { value, at: now }),
            ),
            on_call: self.signals.on_call.clone(),
            restricted: restricted(&self.restricted, now).map(|holds| holds.to_string()),
        }
    }

    /// The band of what is unspent, charges included that were not counted yet; none where nothing was counted.
    pub fn band(&self) -> Option<Band> {
        let budget = self.budget.as_ref()?;
        Some(band(self.unspent()?, RiskPoints::new(budget.allocated)))
    }

    /// The same without one charge, where it was made in this window.
    fn band_without(&self, charge: Option<&ChargeRecord>) -> Option<Band> {
        let budget = self.budget.as_ref()?;
        let own = charge.filter(|charge| charge.at >= budget.from).map_or(0, |charge| i64::from(charge.points));
        Some(band(self.unspent()? + own, RiskPoints::new(budget.allocated)))
    }

    /// Risk points that are not spent.
    pub(in crate::release) fn unspent(&self) -> Option<i64> {
        let budget = self.budget.as_ref()?;
        let uncounted = self.ledger.pending.iter().filter(|pending| pending.charge.sequence > budget.sequence);
        let uncounted: i64 = uncounted.map(|pending| i64::from(pending.charge.points)).sum();
        Some(i64::from(budget.allocated) - i64::from(budget.consumed) - uncounted)
    }

    /// The moment of a charge that is made `now`: never before the window that is counted, which by a clock that is behind has
    /// not begun. A charge of a window that has closed would count in none.
    pub(in crate::release) fn charged_at(&self, now: Time) -> Time {
        self.budget.as_ref().map_or(now, |window| now.max(window.from))
    }

    /// Risk points that are neither spent nor promised to another release.
    pub fn free(&self, record: &str) -> Option<i64> {
        let promised = self.ledger.reservations.iter().filter(|one| one.record != record);
        Some(self.unspent()? - promised.map(|one| i64::from(one.points)).sum::<i64>())
    }

    fn relaxed(&self) -> BTreeSet<crate::policy::Category> {
        let words = self.budget.as_ref().map(|budget| budget.relaxed.join(",")).unwrap_or_default();
        parse_list(&words).0.into_iter().collect()
    }
}
