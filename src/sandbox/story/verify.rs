//! What a file means, and its mistakes: field, value, remedy.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Span;

use super::action::{Action, by_default};
use super::expect::{Expectation, Expected};
use super::file::{AfterFile, ExpectFile, File, StepFile, Story};
use super::objects::Objects;
use super::step::{Moment, Step, When, user};
use super::version::Version;

/// Stages that a schedule has at most.
const STAGES_MAX: u32 = 20;

pub(super) fn story(mut file: File) -> Result<Story, String> {
    figures(&file)?;
    versions(&mut file.versions)?;
    let image = match file.versions.get(&file.first) {
        Some(version) => version.image.clone(),
        None => return Err(unknown("first", &file.first, &file.versions)),
    };
    let objects = Objects::of(&file, &image)?;
    let references = references(&file)?;
    let mut reader = Steps { versions: &file.versions, last: &file.first, at: Span::ZERO, known: BTreeSet::new() };
    reader.known.insert(&file.first);
    let mut steps = Vec::with_capacity(file.steps.len());
    let mut present = objects.clone();
    for (index, step) in file.steps.iter().enumerate() {
        let field = format!("steps[{index}]");
        if let Some(Action::EditConfig { gated_release, risk_budget }) = &step.action {
            if gated_release.is_null() && risk_budget.is_null() {
                return Err(format!("{field}.do.edit-config: give gated-release or risk-budget, what to change"));
            }
            present = present.edited(gated_release, risk_budget, &format!("{field}.do.edit-config"))?;
        }
        steps.push(reader.step(step, &field)?);
    }
    let expect = expectation(file.expect, &reader)?;
    if file.limit <= reader.at {
        return Err(format!(
            "limit: {} is over before the step at {} is due: give more time, such as {}",
            file.limit,
            reader.at,
            Span::from_millis(reader.at.as_millis() * 2)
        ));
    }
    Ok(Story {
        title: file.title,
        description: file.description.trim_end().to_owned(),
        speed: file.speed,
        limit: file.limit,
        traffic: file.traffic,
        error_budget: file.error_budget,
        versions: file.versions,
        first: file.first,
        objects,
        steps,
        expect,
        references,
    })
}

/// A number, and whether it is one within bounds.
fn within(field: &str, value: f64, (least, most): (f64, f64), example: &str) -> Result<(), String> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("{field}: {value} is not a number from {least} to {most}, such as {example}"))
    }
}

fn figures(file: &File) -> Result<(), String> {
    if file.title.trim().is_empty() || file.title.contains('\n') {
        return Err(format!("title: {:?} is not one line of a few words", file.title));
    }
    if file.description.trim().is_empty() {
        return Err("description: say in a sentence or two what happens and what it shows".to_owned());
    }
    within("speed", file.speed, (0.1, 3_600.0), "30 for half a minute in a second")?;
    within("error-budget", file.error_budget, (-1_000.0, 100.0), "90 for 90 % left")?;
    within("traffic.requests", file.traffic.requests, (0.0, 1_000_000.0), "100 each second")?;
    within("traffic.noise", file.traffic.noise, (1.0, 1_000.0), "1 for independent users")?;
    within("replicas", f64::from(file.replicas), (1.0, 100.0), "3")?;
    if let Some(autoscaler) = &file.autoscaler {
        within("autoscaler.min", f64::from(autoscaler.min), (1.0, 100.0), "3")?;
        within("autoscaler.max", f64::from(autoscaler.max), (f64::from(autoscaler.min), 100.0), "10")?;
        within("autoscaler.cpu", f64::from(autoscaler.cpu), (1.0, 100.0), "70")?;
    }
    Ok(())
}

/// Gives images to those that have none; no two share one.
fn versions(versions: &mut BTreeMap<String, Version>) -> Result<(), String> {
    let mut images = BTreeMap::new();
    for (name, version) in versions {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 32 || !name.chars().all(plain) {
            return Err(format!(
                "versions: {name:?} is not a name of at most 32 letters, digits, points and dashes, such as v2"
            ));
        }
        if version.image.is_empty() {
            version.image = format!("shop:{name}");
        }
        if let Some(other) = images.insert(version.image.clone(), name) {
            return Err(format!(
                "versions.{name}.image: {} is the image of {other} too: they could not be told apart, give it another tag",
                version.image
            ));
        }
    }
    Ok(())
}

/// Which version a change's reference stands for.
fn references(file: &File) -> Result<BTreeMap<String, String>, String> {
    let mut all = BTreeMap::from([(by_default(&file.first), file.first.clone())]);
    for (index, action) in
        file.steps.iter().enumerate().filter_map(|(index, step)| Some((index, step.action.as_ref()?)))
    {
        let (Some(version), Some(change)) = (action.applies(), action.change()) else { continue };
        let reference = change.reference;
        let text = |c: char| !c.is_whitespace() && !c.is_control();
        if reference.is_empty() || reference.len() > 128 || !reference.chars().all(text) {
            return Err(format!(
                "steps[{index}].do.deploy.reference: {reference:?} is not a reference of at most 128 characters without blanks, such as git:4f2c9e1"
            ));
        }
        match all.insert(reference.clone(), version.to_owned()) {
            Some(other) if other != version => {
                return Err(format!(
                    "steps[{index}].do.deploy.reference: {reference} brought {other} before: give {version} a reference of its own"
                ));
            }
            Some(_) | None => {}
        }
    }
    Ok(all)
}

fn unknown(field: &str, name: &str, versions: &BTreeMap<String, Version>) -> String {
    let names: Vec<_> = versions.keys().map(String::as_str).collect();
    format!("{field}: versions has no {name:?}, only {}", names.join(", "))
}

/// Reads steps one after the other, and knows what came before.
struct Steps<'f> {
    versions: &'f BTreeMap<String, Version>,
    /// The version that was applied last.
    last: &'f str,
    /// The latest time that a step is due at.
    at: Span,
    /// Versions that were applied so far.
    known: BTreeSet<&'f str>,
}

impl<'f> Steps<'f> {
    fn step(&mut self, step: &'f StepFile, field: &str) -> Result<Step, String> {
        if step.action.is_none() && step.say.is_none() {
            return Err(format!("{field}: give do, what is done, or say, the sentence that is shown, or both"));
        }
        if let Some(say) = step.say.as_ref().filter(|say| say.trim().is_empty() || say.chars().count() > 240) {
            return Err(format!("{field}.say: {say:?} is not a sentence of at most 240 characters"));
        }
        let when = self.when(step, field)?;
        if let Some(action) = &step.action {
            self.action(action, &format!("{field}.do"))?;
        }
        let usual = step.action.as_ref().map_or("alice", Action::usual_actor);
        let name = step.by.as_deref().unwrap_or(usual);
        if name.trim().is_empty() {
            return Err(format!("{field}.as: nobody is named; say for example alice, ci, flux or argocd"));
        }
        Ok(Step { when, by: user(name), action: step.action.clone(), say: step.say.clone() })
    }

    fn when(&mut self, step: &'f StepFile, field: &str) -> Result<When, String> {
        match (step.at, &step.after) {
            (None, None) => Ok(When::Next),
            (Some(_), Some(_)) => Err(format!("{field}: give at or after, not both: remove one")),
            (Some(at), None) if at < self.at => {
                Err(format!("{field}.at: {at} is before {}, when a step above it is due: steps are in order", self.at))
            }
            (Some(at), None) => {
                self.at = at;
                Ok(When::At(at))
            }
            (None, Some(after)) => self.seen(after, &format!("{field}.after")),
        }
    }

    fn seen(&self, after: &'f AfterFile, field: &str) -> Result<When, String> {
        let moments = [
            after.phase.map(Moment::Phase),
            after.stage.map(Moment::Stage),
            after.held.clone().map(Moment::Held),
            after.outcome.map(Moment::Outcome),
        ];
        let mut moments = moments.into_iter().flatten();
        let (Some(moment), None) = (moments.next(), moments.next()) else {
            return Err(format!(
                "{field}: give exactly one of phase (such as Verify), stage (such as 2), held (such as BudgetFreeze) or outcome (such as RolledBack)"
            ));
        };
        match &moment {
            Moment::Stage(stage) if !(1..=STAGES_MAX).contains(stage) => {
                return Err(format!("{field}.stage: {stage} is not the number of a stage, from 1 to {STAGES_MAX}"));
            }
            Moment::Held(reason) if reason.is_empty() || !reason.chars().all(|c| c.is_ascii_alphanumeric()) => {
                return Err(format!("{field}.held: {reason:?} is not the reason of a hold, such as BudgetFreeze"));
            }
            Moment::Stage(_) | Moment::Held(_) | Moment::Phase(_) | Moment::Outcome(_) => {}
        }
        let of = after.of.as_deref().unwrap_or(self.last);
        self.applied(of, &format!("{field}.of"))?;
        Ok(When::Seen { moment, of: of.to_owned(), named: after.of.is_some(), within: after.within })
    }

    /// A version that was applied by now.
    fn applied(&self, name: &str, field: &str) -> Result<(), String> {
        if !self.versions.contains_key(name) {
            return Err(unknown(field, name, self.versions));
        }
        if !self.known.contains(name) {
            return Err(format!("{field}: no step above deploys {name}: nothing will ever be seen of it"));
        }
        Ok(())
    }

    fn action(&mut self, action: &'f Action, field: &str) -> Result<(), String> {
        if let Some(version) = action.applies() {
            if !self.versions.contains_key(version) {
                return Err(unknown(&format!("{field}: version"), version, self.versions));
            }
            self.known.insert(version);
            self.last = version;
        }
        match action {
            Action::Scale(replicas) => within(&format!("{field}.scale"), f64::from(*replicas), (0.0, 100.0), "5"),
            Action::ErrorBudget(left) => {
                within(&format!("{field}.error-budget"), *left, (-1_000.0, 100.0), "20 for 20 % left")
            }
            Action::BreakGlass { reason, .. } | Action::Freeze { reason, .. } if reason.trim().is_empty() => {
                Err(format!("{field}: reason is empty: say why, such as incident 4711"))
            }
            Action::Wait(span) if *span == Span::ZERO => Err(format!("{field}.wait: 0s is no time; such as 30s")),
            Action::Deploy { .. }
            | Action::Revert
            | Action::Resume
            | Action::BreakGlass { .. }
            | Action::Freeze { .. }
            | Action::Unfreeze
            | Action::Prometheus(_)
            | Action::Retry
            | Action::DeleteGatedRelease
            | Action::ReapplyRoute
            | Action::EditConfig { .. }
            | Action::Wait(_) => Ok(()),
        }
    }
}

fn expectation(file: ExpectFile, steps: &Steps<'_>) -> Result<Expectation, String> {
    let mut outcomes = BTreeMap::new();
    for (version, text) in file.outcomes {
        let field = format!("expect.outcomes.{version}");
        steps.applied(&version, &field)?;
        let expected = Expected::parse(&text).map_err(|why| format!("{field}: {why}"))?;
        outcomes.insert(version, expected);
    }
    for version in file.held.keys() {
        steps.applied(version, &format!("expect.held.{version}"))?;
    }
    if let Some(weights) = file.weights.filter(|weights| weights.sum() != 100) {
        return Err(format!("expect.weights: {weights} make {} %: they must make 100 %", weights.sum()));
    }
    if file.failed_requests_below == Some(0) {
        return Err("expect.failed-requests-below: fewer than 0 cannot be; 1 says that none fails".to_owned());
    }
    Ok(Expectation {
        outcomes,
        held: file.held,
        weights: file.weights,
        failed_requests_below: file.failed_requests_below,
    })
}
