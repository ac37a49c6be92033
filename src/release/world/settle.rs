//! What a cluster does by itself in a second, and what Prometheus says of the users.

use super::{Behaviour, Day, GOOD, Requests, World, set};
use crate::analysis::business::Happened;
use crate::analysis::compare::Counts;
use crate::analysis::synthetic::{Came, Lost, Reply, judge};
use crate::analysis::{ArmSample, Business, Evidence, NotYet, Observation};
use crate::api::{Span, Weight};
use crate::policy::burn::{BurnLevel, Pace, Paces};
use crate::release::ask::{
    Answers, Arms, Both, Burning, Compare, Compared, Due, EachBound, Slow, Slower, Tried, due, question, thresholds,
};
use crate::release::snapshot::*;
use crate::release::split::Carrier;
use crate::release::template;

impl World {
    /// The ledger is counted anew: what stands in its record is not on its way any more.
    pub(super) fn count_charges(&mut self) {
        let (Some(risk), Some(record)) = (&mut self.seen.risk, &self.seen.record) else { return };
        let Some(charge) = record.status.as_ref().and_then(|status| status.charge.as_ref()) else { return };
        let Some(place) = risk.ledger.pending.iter().position(|one| one.charge == *charge) else { return };
        risk.ledger.pending.remove(place);
        let budget = risk.budget.as_mut().unwrap();
        (budget.consumed, budget.sequence) = (budget.consumed + charge.points, charge.sequence);
    }

    pub(super) fn behaviour_of(&self, revision: &str) -> Behaviour {
        self.behaviour.get(revision).copied().unwrap_or(GOOD)
    }

    /// The revision that a carrier's pods run, mixed ones by the largest ReplicaSet.
    pub(super) fn runs(&self, carrier: Carrier) -> Option<String> {
        match carrier {
            Carrier::Workload => {
                let sets = &self.seen.workload.as_ref()?.sets;
                sets.iter().max_by_key(|set| set.available).map(|set| template::revision(&set.template))
            }
            Carrier::Canary | Carrier::Previous => {
                self.seen.side(carrier)?.deployment.as_ref().map(|deployment| deployment.revision.clone())
            }
        }
    }

    pub(super) fn sample(&self, carrier: Carrier, window: Span) -> ArmSample {
        if !self.prometheus {
            let down = || Evidence::Unreachable("connection refused".to_owned());
            return ArmSample { requests: down(), errors: down(), latency: down() };
        }
        if let Some(scrapes) = &self.scrapes {
            return scrapes.sample(carrier, window, self.now);
        }
        let all = self.of_users(carrier, window);
        if !self.half {
            return all;
        }
        let half = |evidence: Evidence<f64>| Evidence::Partial {
            value: evidence.value().map(|value| value / 2.0),
            why: "store thanos-1 is away".to_owned(),
        };
        ArmSample { requests: half(all.requests), errors: half(all.errors), latency: half(all.latency) }
    }

    /// What users met in so long a time, if everybody behaves as now.
    pub(super) fn of_users(&self, carrier: Carrier, window: Span) -> ArmSample {
        if self.seen.by_count() {
            return self.sample_of_pods(carrier, window);
        }
        let routed = self.requests_per_second * f64::from(self.split().weight(carrier).get()) / 100.0;
        let aside = if carrier == Carrier::Workload { self.aside_per_second } else { 0.0 };
        let requests = (routed + aside) * window.as_secs_f64();
        let Some(revision) = self.runs(carrier).filter(|_| requests > 0.0) else {
            let none = || Evidence::NoData("no series".to_owned());
            return ArmSample { requests: Evidence::Value(0.0), errors: Evidence::Value(0.0), latency: none() };
        };
        let behaviour = self.behaviour_of(&revision);
        ArmSample {
            requests: Evidence::Value(requests),
            errors: Evidence::Value(requests * behaviour.errors),
            latency: Evidence::Value(behaviour.latency),
        }
    }

    pub(crate) fn answer(&self) -> Option<Answers> {
        let question = question(&self.seen, self.now)?;
        let observe = |window| Observation {
            candidate: self.sample(question.candidate, window),
            base: self.sample(question.base, window),
            // All requests take as long.
            latency_at_least: Some(self.sample(question.candidate, window).latency),
            base_at_most: Some(self.sample(question.base, window).latency),
            complaints: None,
            business: self.business(question.candidate, question.base, window),
            window,
        };
        let compared = question.compare.map(|asked| self.compared(question.candidate, question.base, asked));
        Some(Answers {
            question,
            recent: observe(question.recent),
            whole: question.whole.map(observe),
            after: question.after.map(|window| self.sample(question.candidate, window).requests),
            compared,
            happened: question.stretch.map(|asked| self.happened(question.candidate, question.base, asked.length)),
            slow: self.slow_requests([question.candidate, question.base], question.recent),
            burning: self.paces(),
            tried: self.tried(),
        })
    }

    /// What burns is known at its level alone, and what is not known at both.
    fn paces(&self) -> Paces<Burning> {
        if let Some(why) = &self.burn_not_known {
            return Paces { page: Pace::NotKnown(why.clone()), ticket: Pace::NotKnown(why.clone()) };
        }
        let at = |level| match self.burning.clone().filter(|burning| burning.burn.pair.level == level) {
            Some(burning) => Pace::Burns(burning),
            None => Pace::Calm,
        };
        Paces { page: at(BurnLevel::Page), ticket: at(BurnLevel::Ticket) }
    }

    fn tried(&self) -> Vec<Tried> {
        let lost = |why: &str| Err(Lost { came: Came::Unheard, why: why.to_owned() });
        let answers = |status| Ok((status, Vec::new()));
        let (reply, control): (Reply, Reply) = match self.requests {
            Requests::Answered => (answers(200), answers(200)),
            Requests::Failed => (answers(500), answers(200)),
            Requests::NotSent => (lost("no connection within 5s"), lost("no connection within 5s")),
            Requests::Refused => (lost("connection refused"), answers(200)),
        };
        let tried = |due: Due| {
            let control = due.control.as_ref().map(|_| &control);
            Tried { name: due.name, at: self.now, found: judge(&due.http, &reply, control) }
        };
        due(&self.seen, self.now).into_iter().map(tried).collect()
    }

    /// By each latency objective, in the short window.
    fn slow_requests(&self, carriers: [Carrier; 2], window: Span) -> Vec<Slow> {
        let of = |slower_than| {
            let [requests, base] = carriers.map(|one| self.slow(one, window, slower_than));
            Slow { slower_than, requests, base }
        };
        thresholds(&self.seen).into_iter().map(of).collect()
    }

    /// What does not fail is what the service is there for.
    fn business(&self, candidate: Carrier, base: Carrier, window: Span) -> Option<Business> {
        self.seen.release.spec.rollback.business.as_ref()?;
        let of = |carrier| {
            let sample = self.sample(carrier, window);
            let failed = sample.errors.value().copied().unwrap_or(0.0);
            sample.requests.map(|requests| requests - failed)
        };
        Some(Business { candidate: of(candidate), base: of(base) })
    }

    fn happened(&self, candidate: Carrier, base: Carrier, window: Span) -> Both {
        let of = |carrier, evidence: &Evidence<f64>, who: &str| {
            Happened::measured(&self.sample(carrier, window).requests, evidence, who)
        };
        let unasked = || Evidence::NoData("nobody asked".to_owned());
        let business = self.business(candidate, base, window);
        let business = business.unwrap_or_else(|| Business { candidate: unasked(), base: unasked() });
        Both {
            candidate: of(candidate, &business.candidate, "the new version"),
            base: of(base, &business.base, "stable"),
        }
    }

    /// Stable was always as it is: its last day is one long calm.
    fn compared(&self, candidate: Carrier, base: Carrier, asked: Compare) -> Compared {
        let arms = |of: &dyn Fn(Carrier, &str) -> Result<Counts, NotYet>| Arms {
            candidate: of(candidate, "the new version"),
            base: of(base, "stable"),
        };
        let slow = |asked: EachBound<Slower>| {
            let by = |Slower { than, length }| {
                let bucket = format!("le=\"{}\"", than.as_secs_f64());
                arms(&|carrier, who| {
                    let requests = self.sample(carrier, length).requests;
                    Counts::slower(&requests, &self.slow(carrier, length, than), who, (than, &bucket))
                })
            };
            asked.into_iter().flatten().map(by).collect::<Vec<_>>()
        };
        match asked {
            Compare::Interval { length, slow: asked, .. } => {
                let errors = arms(&|carrier, who| {
                    let sample = self.sample(carrier, length);
                    Counts::measured(&sample.requests, &sample.errors, who)
                });
                Compared::Interval { errors, slow: slow(asked) }
            }
            Compare::Slow { slow: asked, .. } => Compared::Slow(slow(asked)),
            Compare::Baseline { bounds, .. } if !self.prometheus => {
                let away = || Err(NotYet::Unreachable("connection refused".to_owned()));
                Compared::Baseline { errors: away(), slow: bounds.into_iter().flatten().map(|_| away()).collect() }
            }
            Compare::Baseline { interval, bounds, .. } => {
                let requests = self.requests_per_second * interval.as_secs_f64();
                let stable = self.runs(Carrier::Workload).map_or(GOOD, |revision| self.behaviour_of(&revision));
                let day = |bad| Ok(vec![Counts::new(requests, requests * bad).ok(); 24]);
                let half = || Err(NotYet::Partial("a store is away".to_owned()));
                let late = || Err(NotYet::Unreachable("no answer within 5s".to_owned()));
                let errors = match self.day {
                    Day::Known | Day::SlowTooLong => day(stable.errors),
                    Day::Half => half(),
                    Day::TooLong => late(),
                };
                let slow = |bound| match self.day {
                    Day::Known => day(slower(stable.latency, stable.tail, bound)),
                    Day::Half => half(),
                    Day::TooLong | Day::SlowTooLong => late(),
                };
                Compared::Baseline { errors, slow: bounds.into_iter().flatten().map(slow).collect() }
            }
        }
    }

    fn slow(&self, carrier: Carrier, window: Span, bound: Span) -> Evidence<f64> {
        if self.no_bucket.contains(&bound) {
            return Evidence::NoData("no series".to_owned());
        }
        let sample = self.sample(carrier, window);
        let latency = sample.latency.value().copied().unwrap_or(0.0);
        let tail = self.runs(carrier).map_or(0.0, |revision| self.behaviour_of(&revision).tail);
        sample.requests.map(|requests| requests * slower(latency, tail, bound))
    }

    /// What the controllers of a cluster do in a second.
    pub(in crate::release) fn settle(&mut self) {
        self.scrape();
        self.count_charges();
        self.settle_objects();
        self.settle_jobs();
        if self.seen.by_count() {
            self.settle_pods();
        }
    }

    fn settle_objects(&mut self) {
        let behaviours = self.behaviour.clone();
        let of = |revision: &str| behaviours.get(revision).copied().unwrap_or(GOOD);
        let mut routes = self.seen.routes.iter().filter_map(|route| route.state.as_ref().ok());
        let serves =
            routes.any(|route| route.rules.iter().flatten().any(|it| it.weight(Carrier::Previous) > Weight::ZERO));
        for side in [&mut self.seen.canary, &mut self.seen.previous] {
            if side.as_ref().is_some_and(|side| side.deployment.as_ref().is_none_or(|d| d.deleting)) {
                *side = None;
                continue;
            }
            let floor = side.as_ref().and_then(Side::floor);
            let Some(Side { deployment: Some(deployment), endpoints, .. }) = side else { continue };
            // An autoscaler takes from whoever has no traffic all that it may.
            if let Some(floor) = floor {
                deployment.replicas = if serves { deployment.replicas.max(floor) } else { floor };
            }
            let behaviour = of(&deployment.revision);
            deployment.available = if behaviour.ready { deployment.replicas } else { 0 };
            deployment.crashes =
                if behaviour.crashes { vec!["checkout-canary-1/app: CrashLoopBackOff".into()] } else { Vec::new() };
            *endpoints = Some(deployment.available);
        }
        let Some(workload) = self.seen.workload.as_mut().filter(|workload| workload.kind == KindSeen::Deployment)
        else {
            return;
        };
        let (current, replicas) = (workload.template.clone(), workload.replicas);
        if !workload.paused {
            if !workload.sets.iter().any(|set| template::same(&set.template, &current)) {
                workload.sets.push(set(&current, 0));
            }
            // A rolling update takes a few seconds: one pod a second.
            // A restart makes another ReplicaSet of the same program: the controller goes by every annotation.
            let exact = workload.sets.iter().position(|set| set.template == current);
            let same = || workload.sets.iter().position(|set| template::same(&set.template, &current)).unwrap();
            let newest = exact.unwrap_or_else(same);
            if workload.sets[newest].replicas < replicas {
                workload.sets[newest].replicas += 1;
            }
            let ready = of(&template::revision(&workload.sets[newest].template)).ready;
            for (index, set) in workload.sets.iter_mut().enumerate() {
                if index != newest && set.replicas > 0 && ready {
                    set.replicas -= 1;
                }
            }
        } else {
            // A paused Deployment keeps its size: the last active ReplicaSet fills what another left.
            let total: u32 = workload.sets.iter().map(|set| set.replicas).sum();
            if let Some(set) = workload.sets.iter_mut().filter(|set| set.replicas > 0).last() {
                set.replicas += replicas.saturating_sub(total);
            } else if replicas > 0 && !workload.sets.is_empty() {
                // After it was scaled to nothing: its template's own ReplicaSet, else the newest one.
                let own = workload.sets.iter().position(|set| template::same(&set.template, &current));
                let newest = own.unwrap_or(workload.sets.len() - 1);
                workload.sets[newest].replicas = replicas;
            }
        }
        if workload.keeps_no_history() {
            workload.sets.retain(|set| set.replicas > 0 || template::same(&set.template, &current));
        }
        for set in &mut workload.sets {
            let Behaviour { ready, crashes, .. } = of(&template::revision(&set.template));
            set.existing = set.replicas;
            set.available = if ready { set.replicas } else { 0 };
            let crash = || format!("{}-x/app: CrashLoopBackOff", set.name);
            set.crashes = (crashes && set.replicas > 0).then(crash).into_iter().collect();
        }
        let available = workload.sets.iter().map(|set| set.available).sum();
        if let Some(service) = &mut self.seen.service {
            service.ready_endpoints = available;
        }
    }
}

/// The share of requests that take longer than a bound: of a version that is slow one in ten, of the tail all below two seconds.
fn slower(latency: f64, tail: f64, bound: Span) -> f64 {
    let slow = if latency > bound.as_secs_f64() { 0.1 } else { 0.0 };
    let tail = if bound < Span::seconds(2) { tail } else { 0.0 };
    f64::max(slow, tail)
}
