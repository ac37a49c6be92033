//! Objectives: the error budget is measured against them, and the worst decides (`001_…`, Error Budget Fundamentals).

use super::Loosened;
use crate::api::risk_budget::Slo;

/// Every former objective stays at least as strict; those that are new are added.
pub(super) fn merge(former: &[Slo], wanted: &[Slo], held: &mut Vec<Loosened>) -> Vec<Slo> {
    let of = |all: &[Slo], name: &str| all.iter().find(|slo| slo.name == name).cloned();
    let mut merged: Vec<Slo> = wanted
        .iter()
        .map(|slo| match of(former, &slo.name) {
            Some(before) => one(&before, slo, held),
            None => slo.clone(),
        })
        .collect();
    for gone in former.iter().filter(|slo| of(wanted, &slo.name).is_none()) {
        // Only its name is another: kept beside it, objectives would grow by one with each renaming.
        if merged.iter().any(|slo| covers(slo, gone)) {
            continue;
        }
        held.push(Loosened::new(
            format!("spec.slos[{}]", gone.name),
            format!("{} in {}", gone.objective, gone.window),
            "removed",
        ));
        merged.push(gone.clone());
    }
    merged
}

/// Whether an objective measures the same at least as strictly, whatever it is called.
fn covers(slo: &Slo, former: &Slo) -> bool {
    let Slo { name: _, objective, window, availability, latency, promql, sloth, pyrra } = slo;
    let as_fast = match (latency, &former.latency) {
        (Some(after), Some(before)) => after.service == before.service && after.threshold <= before.threshold,
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    };
    let same =
        (availability, promql, sloth, pyrra) == (&former.availability, &former.promql, &former.sloth, &former.pyrra);
    same && as_fast && *window == former.window && *objective >= former.objective
}

fn one(former: &Slo, wanted: &Slo, held: &mut Vec<Loosened>) -> Slo {
    // Taken apart without `..`, as in `merge` of the whole.
    let Slo { name, objective, window, availability, latency, promql, sloth, pyrra } = wanted;
    let field = |part: &str| format!("spec.slos[{name}]{part}");
    let mut merged = wanted.clone();
    if *objective < former.objective {
        held.push(Loosened::new(field(".objective"), former.objective, objective));
        merged.objective = former.objective;
    }
    // A shorter window forgets sooner, a longer one lets one incident cost more: neither is the stricter.
    if *window != former.window {
        held.push(Loosened::new(field(".window"), former.window, window));
        merged.window = former.window;
    }
    match (&former.latency, latency) {
        (Some(before), Some(after)) if before.service == after.service => {
            if after.threshold > before.threshold {
                held.push(Loosened::new(field(".latency.threshold"), before.threshold, after.threshold));
                merged.latency = Some(before.clone());
            }
        }
        (Some(_) | None, _) => {
            let same = (availability, latency, promql, sloth, pyrra)
                == (&former.availability, &former.latency, &former.promql, &former.sloth, &former.pyrra);
            // Who measures elsewhere may measure less: no machine can tell.
            if !same {
                held.push(Loosened::new(field(""), source(former), source(wanted)));
                merged = Slo { objective: merged.objective, window: merged.window, ..former.clone() };
            }
        }
    }
    merged
}

/// Where an objective's figures come from, in words.
fn source(slo: &Slo) -> String {
    if let Some(series) = &slo.availability {
        return format!("measured at Service {}", series.service);
    }
    if let Some(series) = &slo.latency {
        return format!("requests of Service {} within {}", series.service, series.threshold);
    }
    if let Some(own) = &slo.promql {
        return format!("measured as {} of {}", own.bad, own.total);
    }
    if let Some(sloth) = &slo.sloth {
        return format!("measured by Sloth as {}", sloth.id);
    }
    slo.pyrra.as_ref().map_or_else(|| "not measured".to_owned(), |pyrra| format!("measured by Pyrra as {}", pyrra.slo))
}
