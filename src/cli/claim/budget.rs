//! What is said about the loosening of a RiskBudget: the same commands with `--budget`.

use kube::{Api, Client};

use super::send::{Draft, attestation, make, whoami};
use super::{Failure, Tell, said, why};
use crate::api::attestation::{ClaimOutcome, SubjectRef};
use crate::api::loosening::LooseningStatus;
use crate::api::obligation::ObligationState;
use crate::api::risk_budget::Role as Listed;
use crate::api::{RiskBudget, Time};
use crate::policy::loosening::in_force;
use crate::policy::obligation::{Demand, known};
use crate::policy::requirement::claim::APPROVAL;
use crate::policy::requirement::heard;

/// What waits for approval.
struct Waiting {
    namespace: String,
    name: String,
    generation: i64,
    loosening: LooseningStatus,
    /// Who is in which role, as it is in force.
    roles: Vec<Listed>,
}

async fn find(client: &Client, namespace: &str, name: &str, now: Time) -> Result<Waiting, Failure> {
    let id = format!("RiskBudget {namespace}/{name}");
    let budget = Api::<RiskBudget>::namespaced(client.clone(), namespace).get(name).await;
    let budget = budget.map_err(|error| format!("{id}: {}", why(&error)))?;
    let (generation, status) = (budget.metadata.generation.unwrap_or(0), budget.status.unwrap_or_default());
    if status.observed_generation != generation {
        return Err(format!(
            "{id}: its last edit was not looked at yet. Try again in a moment; does the controller run? tidegate doctor -n {namespace}"
        ));
    }
    let Some(loosening) = status.loosening.clone() else {
        return Err(format!(
            "{id}: nothing is waiting: its spec is in force as it stands. What was approved before: kubectl get riskbudget {name} -n {namespace} -o yaml (status.loosened)"
        ));
    };
    let roles = in_force(&budget.spec, &status, now).map_err(|why| format!("{id}: {why}"))?.spec.roles;
    Ok(Waiting { namespace: namespace.to_owned(), name: name.to_owned(), generation, loosening, roles })
}

/// Who agrees to what a RiskBudget would allow more.
pub(in crate::cli) struct Agrees {
    /// Who is in which role, as it is in force.
    pub(in crate::cli) listed: Vec<Listed>,
    /// The roles that are asked now; none where nothing waits.
    pub(in crate::cli) asked: Vec<String>,
    /// What an executive's approval is owed for, and the role.
    pub(in crate::cli) owed: Vec<(String, String)>,
}

/// Who agrees to it, whether or not something waits.
pub(in crate::cli) async fn agrees(client: &Client, namespace: &str, name: &str, now: Time) -> Result<Agrees, Failure> {
    let id = format!("RiskBudget {namespace}/{name}");
    let budget = Api::<RiskBudget>::namespaced(client.clone(), namespace).get(name).await;
    let budget = budget.map_err(|error| format!("{id}: {}", why(&error)))?;
    let status = budget.status.unwrap_or_default();
    let listed = in_force(&budget.spec, &status, now).map_err(|why| format!("{id}: {why}"))?.spec.roles;
    let approvals = known(&status).into_iter().filter(|one| one.state != ObligationState::Met);
    let owed = approvals.filter(|one| Demand::named(&one.kind).is_some_and(Demand::is_approval));
    let owed = owed.flat_map(|one| one.owed_by.into_iter().map(move |role| (one.name.clone(), role.to_string())));
    let owed = owed.collect();
    let asked = status.loosening.map(|waits| waits.roles.into_iter().chain(waits.or_role).collect());
    Ok(Agrees { listed, asked: asked.unwrap_or_default(), owed })
}

impl Waiting {
    /// What would be allowed, for whoever agrees to it.
    fn page(&self) -> String {
        let LooseningStatus { revision: _, since, roles, or_role, fields } = &self.loosening;
        let alone = or_role.as_ref().map(|role| format!(", or {role} alone")).unwrap_or_default();
        let mut lines = vec![format!(
            "RiskBudget {}/{}: generation {} would allow more since {}",
            self.namespace,
            self.name,
            self.generation,
            since.clock()
        )];
        lines.extend(fields.iter().map(|one| format!("  {}: {} → {}", one.field, one.from, one.to)));
        lines.push(format!("  takes      {}{alone}", roles.join(" and ")));
        lines.join("\n") + "\n"
    }

    /// Which of the roles asked for a name counts as.
    fn asks(&self, name: &str) -> Result<(), Failure> {
        let listed = self.roles.iter().find(|role| role.name == name).and_then(|role| role.stands_for);
        let counts = listed.map_or_else(|| name.to_owned(), |role| role.to_string());
        let asked: Vec<&str> = self.loosening.roles.iter().chain(&self.loosening.or_role).map(String::as_str).collect();
        match asked.contains(&counts.as_str()) {
            true => Ok(()),
            false => Err(format!("--role {name}: nobody asks for this role here. One of {}", asked.join(", "))),
        }
    }
}

/// Approves or rejects in a role; an empty `draft.revision` is filled in.
pub(super) async fn say(
    client: &Client,
    (namespace, name): (&str, &str),
    draft: Draft,
    dry_run: bool,
    now: Time,
    tell: Tell<'_>,
) -> Result<(), Failure> {
    let waiting = find(client, namespace, name, now).await?;
    let role = draft.role.clone().unwrap_or_default();
    waiting.asks(&role)?;
    let draft = Draft { revision: waiting.loosening.revision.clone(), kind: APPROVAL.to_owned(), ..draft };
    let (outcome, until) = (draft.outcome, draft.expires_at);
    let who = whoami(client).await?;
    let made = attestation(SubjectRef::budget(name), &who, draft);
    // A voice that would not be heard is not raised.
    heard(&waiting.roles, &made.spec, now).map_err(|why| format!("--role {role}: {why} and would not be heard"))?;
    tell(&waiting.page())?;
    let object = make(client, namespace, &made, dry_run).await?;
    let what = match outcome {
        ClaimOutcome::Passed => "approved",
        ClaimOutcome::Failed => "rejected",
        ClaimOutcome::Withdrawn => "withdrawn",
    };
    let until = until.map(|until| format!(" until {}", until.clock())).unwrap_or_default();
    tell(&match dry_run {
        true => format!("{what} as {role} by {}{until}: would be taken; nothing was made (--dry-run)\n", who.name),
        false => format!("{what} as {role} by {}{until}: attestation {object}\n", who.name),
    })
}

/// The role in which one spoke about what is waiting: the one that is named, or the only one that stands.
pub(super) async fn spoken(
    client: &Client,
    (namespace, name): (&str, &str),
    role: Option<&str>,
    now: Time,
) -> Result<String, Failure> {
    let waiting = find(client, namespace, name, now).await?;
    let who = whoami(client).await?;
    let mut said = said::about(client, namespace, &SubjectRef::budget(name)).await?;
    // Of one second, a withdrawal is the later: nobody takes back what they have yet to say.
    said.sort_by_key(|one| (one.at, one.spec.outcome == ClaimOutcome::Withdrawn));
    let mine = said.iter().filter(|one| one.spec.author == who.name && one.spec.revision == waiting.loosening.revision);
    let mut stands: Vec<&str> = Vec::new();
    for one in mine {
        let spoken = one.spec.role.as_deref().unwrap_or_default();
        stands.retain(|known| *known != spoken);
        if one.spec.outcome != ClaimOutcome::Withdrawn {
            stands.push(spoken);
        }
    }
    let found = stands.iter().filter(|known| role.is_none_or(|role| role == **known)).copied().collect::<Vec<_>>();
    let id = format!("RiskBudget {namespace}/{name}: {}", who.name);
    match (found.as_slice(), stands.is_empty()) {
        ([one], _) => Ok((*one).to_owned()),
        (_, true) => Err(format!("{id} said nothing about its loosening that stands")),
        ([], false) => Err(format!("{id} said nothing in that role; what stands: {}", stands.join(", "))),
        (_, false) => Err(format!("{id} spoke in more than one role; name it with --role: {}", stands.join(", "))),
    }
}
