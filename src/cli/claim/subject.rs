//! What a claim is about: the release, its attempt, and who is listed for its roles.

use kube::{Api, Client};

use super::{Failure, why};
use crate::api::condition::Truth;
use crate::api::risk_budget::Role as Listed;
use crate::api::{GatedRelease, ReleaseRecord, RiskBudget};
use crate::policy::Role;
use crate::policy::loosening::in_force;
use crate::release::template;

/// A release as far as a claim about it needs to know it.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Subject {
    pub(in crate::cli) namespace: String,
    pub(in crate::cli) name: String,
    pub(in crate::cli) release: GatedRelease,
    /// The last attempt.
    pub(in crate::cli) record: Option<ReleaseRecord>,
    /// `spec.roles` of its RiskBudget; why they are not known otherwise.
    pub(in crate::cli) roles: Result<Vec<Listed>, String>,
}

pub(in crate::cli) async fn find(client: &Client, namespace: &str, name: &str) -> Result<Subject, Failure> {
    let release = Api::<GatedRelease>::namespaced(client.clone(), namespace).get(name).await;
    let release = release.map_err(|error| format!("GatedRelease {namespace}/{name}: {}", why(&error)))?;
    let record = match release.status.as_ref().and_then(|status| status.record.as_ref()) {
        Some(record) => Api::<ReleaseRecord>::namespaced(client.clone(), namespace)
            .get_opt(record)
            .await
            .map_err(|error| format!("ReleaseRecord {namespace}/{record}: {}", why(&error)))?,
        None => None,
    };
    let budget = &release.spec.risk_budget_ref.name;
    let roles = match Api::<RiskBudget>::namespaced(client.clone(), namespace).get(budget).await {
        // Who speaks is decided by the roles that are in force.
        Ok(RiskBudget { spec, status, .. }) => {
            let merged = in_force(&spec, &status.unwrap_or_default(), jiff::Timestamp::now().into());
            merged.map(|merged| merged.spec.roles).map_err(|why| format!("RiskBudget {namespace}/{budget}: {why}"))
        }
        Err(error) => Err(format!("RiskBudget {namespace}/{budget}: {}", why(&error))),
    };
    Ok(Subject { namespace: namespace.to_owned(), name: name.to_owned(), release, record, roles })
}

impl Subject {
    /// `shop/checkout`.
    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// `checkout -n shop`, for commands.
    pub(in crate::cli) fn place(&self) -> String {
        format!("{} -n {}", self.name, self.namespace)
    }

    /// The attempt that is going on.
    pub(in crate::cli) fn going(&self) -> Option<&ReleaseRecord> {
        let is_open = |record: &&ReleaseRecord| record.status.as_ref().is_none_or(|status| status.outcome.is_none());
        self.record.as_ref().filter(is_open)
    }

    /// The revision that is meant: the one that is named, if only by its beginning as events show it, or the one that is
    /// being released now.
    pub(super) fn revision(&self, named: Option<&str>) -> Result<String, Failure> {
        if let Some(named) = named {
            let status = self.release.status.as_ref();
            let seen = status.and_then(|status| status.workload.as_ref()).map(|workload| &workload.revision);
            let shown = status.and_then(|status| status.revision.as_ref());
            let last = self.record.as_ref().map(|record| &record.spec.revision);
            let whole = [last, shown, seen].into_iter().flatten().find(|known| template::is_named(known, named));
            return Ok(whole.map_or(named, String::as_str).to_owned());
        }
        if let Some(record) = self.going() {
            return Ok(record.spec.revision.clone());
        }
        let because = match (&self.release.status, &self.record) {
            (None, _) => {
                return Err(format!(
                    "{}: not looked at yet. Does the controller run? tidegate doctor -n {}",
                    self.id(),
                    self.namespace
                ));
            }
            (Some(_), Some(record)) => {
                let status = record.status.as_ref();
                let ended = status.and_then(|status| status.outcome.zip(status.ended_at));
                let ended =
                    ended.map(|(outcome, at)| format!(" ended {} as {outcome}", at.clock())).unwrap_or_default();
                format!("the release of revision {}{ended}", record.spec.revision)
            }
            (Some(_), None) => "no change is being released".to_owned(),
        };
        Err(format!(
            "{}: nothing is waiting: {because}. For another revision: --revision REVISION (kubectl get releaserecords -n {} -o wide)",
            self.id(),
            self.namespace
        ))
    }

    /// What the claim is about, for whoever makes it.
    pub(super) fn page(&self, revision: &str) -> String {
        let status = self.release.status.as_ref();
        let Some(record) = self.record.as_ref().filter(|record| record.spec.revision == revision) else {
            let now = status.and_then(|status| status.revision.as_ref());
            let now = now.map(|now| format!(", not the last one, {now}")).unwrap_or_default();
            return format!("{}: revision {revision}{now}\n", self.id());
        };
        let mut lines = vec![format!("{}: {}, revision {revision}", self.id(), record.spec.change)];
        if !record.spec.changed_by.is_empty() {
            lines.push(format!("  changed by {}", record.spec.changed_by));
        }
        if let Some(status) = status {
            let phase = status.phase.map_or("-", crate::api::release_record::Phase::as_str);
            let stage = status.stage.as_ref().map(|stage| format!(", stage {stage}")).unwrap_or_default();
            let weight = status.weight.map(|weight| format!(", {weight} of the traffic")).unwrap_or_default();
            lines.push(format!("  phase      {phase}{stage}{weight}"));
            if let Some(risk) = &status.risk {
                lines.push(format!("  gate       {} ({})", risk.gate, risk.why));
                lines.push(format!("  score      {}", risk.score));
                let names: Vec<&str> = risk.missing.iter().filter_map(|line| line.split(':').next()).collect();
                let missing = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
                lines.push(format!("  missing    {missing}"));
            }
            let held = status.conditions.iter().find(|one| one.kind == "Held" && one.status == Truth::True);
            lines.extend(held.map(|held| format!("  held       {}: {}", held.reason, held.message)));
        }
        lines.join("\n") + "\n"
    }

    /// Refuses a role that no rule asks for and that the RiskBudget does not name; where that cannot be read, every role
    /// goes through.
    pub(in crate::cli) fn check_role(&self, role: &str) -> Result<(), Failure> {
        let Ok(listed) = &self.roles else { return Ok(()) };
        if Role::named(role).is_some() || listed.iter().any(|one| one.name == role) {
            return Ok(());
        }
        let own = listed.iter().map(|one| one.name.as_str()).filter(|name| Role::named(name).is_none());
        let all: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).chain(own).collect();
        Err(format!(
            "--role {role}: nobody asks for this role. One of {}; roles of your own stand in spec.roles of RiskBudget {}/{}",
            all.join(", "),
            self.namespace,
            self.release.spec.risk_budget_ref.name
        ))
    }

    /// The entry of the RiskBudget by which somebody is not in a role; none where they are, or where it is open to all.
    pub(in crate::cli) fn left_out(&self, role: &str, user: &str, groups: &[String]) -> Option<&Listed> {
        left_out(self.roles.as_deref().ok()?, role, user, groups)
    }
}

/// The entry of these roles by which somebody is not in one; none where they are, or where it is open to all.
pub(in crate::cli) fn left_out<'a>(
    roles: &'a [Listed],
    role: &str,
    user: &str,
    groups: &[String],
) -> Option<&'a Listed> {
    let listed = roles.iter().find(|one| one.name == role)?;
    let open = listed.users.is_empty() && listed.groups.is_empty();
    let member = listed.users.iter().any(|one| one == user) || groups.iter().any(|group| listed.groups.contains(group));
    (!open && !member).then_some(listed)
}
