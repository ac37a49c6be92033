//! What an executive says of what ran past its gate: the same commands with `--budget` and `--obligation`.

use kube::{Api, Client};

use super::send::{Draft, attestation, make, whoami};
use super::{Failure, Tell, why};
use crate::api::attestation::{ClaimOutcome, SubjectRef};
use crate::api::obligation::{ObligationState, ObligationStatus};
use crate::api::risk_budget::Role as Listed;
use crate::api::{ReleaseRecord, RiskBudget, Time};
use crate::policy::Role;
use crate::policy::loosening::in_force;
use crate::policy::obligation::{Demand, known};
use crate::policy::requirement::claim::APPROVAL;
use crate::policy::requirement::heard;

/// Approves, rejects or takes back in a role; `draft.revision` is filled in, and so is its role where one says so.
pub(super) async fn say(
    client: &Client,
    (namespace, name, obligation): (&str, &str, &str),
    draft: Draft,
    dry_run: bool,
    now: Time,
    tell: Tell<'_>,
) -> Result<(), Failure> {
    let id = format!("RiskBudget {namespace}/{name}");
    let budget = Api::<RiskBudget>::namespaced(client.clone(), namespace).get(name).await;
    let budget = budget.map_err(|error| format!("{id}: {}", why(&error)))?;
    let status = budget.status.unwrap_or_default();
    let roles = in_force(&budget.spec, &status, now).map_err(|why| format!("{id}: {why}"))?.spec.roles;
    let all = known(&status);
    let owed = find(&id, &all, obligation)?;
    let role = match &draft.role {
        Some(role) => role.clone(),
        None => owed.owed_by.first().map(ToString::to_string).unwrap_or_default(),
    };
    asks(owed, &roles, &role)?;
    if draft.outcome != ClaimOutcome::Withdrawn && draft.facts.get("note").is_none_or(|note| note.trim().is_empty()) {
        return Err("--note: the documents ask for the reason: why it is approved; where it is not, what is done about what runs".to_owned());
    }
    let who = whoami(client).await?;
    let (outcome, kind) = (draft.outcome, APPROVAL.to_owned());
    let draft = Draft { revision: obligation.to_owned(), kind, role: Some(role.clone()), expires_at: None, ..draft };
    let made = attestation(SubjectRef::budget(name), &who, draft);
    // A voice that would not be heard is not raised.
    heard(&roles, &made.spec, now).map_err(|why| format!("--role {role}: {why} and would not be heard"))?;
    if outcome == ClaimOutcome::Passed {
        not_their_own(client, namespace, owed, &who.name).await?;
    }
    tell(&format!("{id}: {}\n  {}\n", owed.name, owed.about))?;
    let object = make(client, namespace, &made, dry_run).await?;
    let what = match outcome {
        ClaimOutcome::Passed => "approved",
        ClaimOutcome::Failed => "not approved",
        ClaimOutcome::Withdrawn => "withdrawn",
    };
    tell(&match dry_run {
        true => format!("{what} as {role} by {}: would be taken; nothing was made (--dry-run)\n", who.name),
        false => format!("{what} as {role} by {}: attestation {object}\n", who.name),
    })
}

/// The obligation, where it is one that an approval meets.
fn find<'a>(id: &str, all: &'a [ObligationStatus], name: &str) -> Result<&'a ObligationStatus, Failure> {
    let approvals = |one: &&ObligationStatus| Demand::named(&one.kind).is_some_and(Demand::is_approval);
    match all.iter().find(|one| one.name == name) {
        Some(one) if approvals(&one) => Ok(one),
        Some(_) => Err(format!("{id}: {name} is no approval; it is met with: tidegate meet")),
        None => {
            let open: Vec<&str> = all
                .iter()
                .filter(approvals)
                .filter(|one| one.state != ObligationState::Met)
                .map(|one| one.name.as_str())
                .collect();
            let open = if open.is_empty() { "none waits".to_owned() } else { format!("waiting: {}", open.join(", ")) };
            Err(format!("{id}: owes no approval called {name}; {open}"))
        }
    }
}

/// Refuses a role that does not owe it; a RiskBudget may give it another name.
fn asks(owed: &ObligationStatus, listed: &[Listed], role: &str) -> Result<(), Failure> {
    let stands_for = listed.iter().find(|one| one.name == role).and_then(|one| one.stands_for);
    let counts = stands_for.or_else(|| Role::named(role));
    let asked: Vec<&str> = owed.owed_by.iter().map(|role| role.as_str()).collect();
    match counts.is_some_and(|counts| owed.owed_by.contains(&counts)) {
        true => Ok(()),
        false => Err(format!("--role {role}: nobody asks for this role here. One of {}", asked.join(", "))),
    }
}

/// Nobody approves what they changed or let go themselves. Where the record cannot be read, the controller says so later.
async fn not_their_own(client: &Client, namespace: &str, owed: &ObligationStatus, who: &str) -> Result<(), Failure> {
    let Some(record) = &owed.record else { return Ok(()) };
    let Ok(record) = Api::<ReleaseRecord>::namespaced(client.clone(), namespace).get(record).await else {
        return Ok(());
    };
    let status = record.status.as_ref();
    let resumed = status.and_then(|status| status.resumed_by.as_deref());
    let authors = status.and_then(|status| status.assessment.as_ref()?.authors.as_ref());
    let made = authors.is_some_and(|authors| authors.names.iter().any(|name| name == who));
    let did = match (record.spec.changed_by == who || made, resumed == Some(who)) {
        (false, false) => return Ok(()),
        (_, true) => "let it go past its gate",
        (true, false) => "changed it",
    };
    Err(format!("{who} {did}, and nobody approves that of their own. Ask somebody else in the role"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn owed(name: &str, kind: &str, state: &str) -> ObligationStatus {
        serde_json::from_value(json!({
            "name": name, "type": kind, "state": state, "about": "it", "owedBy": ["vp-engineering"], "source": "002, Guardrails",
            "since": "2026-11-20T08:00:00Z", "due": "2026-11-24T00:00:00Z",
        }))
        .unwrap()
    }

    #[rstest]
    #[case::approved("override-approval-web-0007", Ok(()))]
    #[case::attested(
        "post-mortem-web-0007",
        Err("RiskBudget shop/web: post-mortem-web-0007 is no approval; it is met with: tidegate meet")
    )]
    #[case::not_owed(
        "override-approval-web-0001",
        Err(
            "RiskBudget shop/web: owes no approval called override-approval-web-0001; waiting: override-approval-web-0007"
        )
    )]
    fn what_is_approved(#[case] name: &str, #[case] expected: Result<(), &str>) {
        let all = [
            owed("override-approval-web-0006", "override-approval", "Met"),
            owed("override-approval-web-0007", "override-approval", "Due"),
            owed("post-mortem-web-0007", "post-mortem", "Due"),
        ];
        let found = find("RiskBudget shop/web", &all, name);
        assert_eq!(found.map(|_| ()), expected.map_err(str::to_owned));
    }

    #[rstest]
    #[case::the_policy_s("vp-engineering", true)]
    #[case::its_name_here("cto", true)]
    #[case::another("sre", false)]
    #[case::nobody_s("pope", false)]
    fn whose_role_it_is(#[case] role: &str, #[case] asked: bool) {
        let listed = serde_json::from_value(json!([{"name": "cto", "as": "vp-engineering"}, {"name": "pope"}]));
        let listed: Vec<Listed> = listed.unwrap();
        assert_eq!(asks(&owed("a", "override-approval", "Due"), &listed, role).is_ok(), asked);
    }
}
