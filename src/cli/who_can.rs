//! `tidegate who-can`: who may approve a release, by what the RiskBudget lists and by what the cluster's roles grant.

use std::collections::BTreeSet;

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role as NamespacedRole, RoleBinding};
use kube::api::PostParams;
use kube::{Api, Client};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::claim::subject::left_out;
use super::claim::voice::RoleName;
use super::claim::{Tell, budget, subject, whoami};
use super::rights::{Holder, Right, holders};
use super::{Failure, client, pages, say, why};
use crate::api::risk_budget::Role as Listed;
use crate::api::{GROUP, GatedReleaseStatus};
use crate::policy::Role;
use crate::policy::loosening::{AGREE_TO_MORE, DECLARES_FREEZE};

const EXAMPLES: &str = "\
For each role that the release asks for now (for all roles where it asks for none): who is listed in spec.roles of its \
RiskBudget, who holds the verb `approve` on `releaseroles.tidegate.io` there, and whether you may. An approval needs both. \
Service accounts and other machines may hold the verb by a wildcard; admission refuses their approvals all the same. \
With --budget: the same for those who agree to what a RiskBudget would allow more, and to what ran past its gate.

Examples:
  tidegate who-can checkout -n shop
  tidegate who-can checkout -n shop --role sre
  tidegate who-can --budget checkout -n shop";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The GatedRelease.
    #[arg(value_name = "NAME", required_unless_present = "budget", conflicts_with = "budget")]
    name: Option<String>,
    /// The RiskBudget instead, whose loosening people agree to.
    #[arg(long, value_name = "NAME")]
    budget: Option<String>,
    /// Its namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
    /// Only this role. Default: those that are asked for now.
    #[arg(long, value_name = "ROLE", value_parser = RoleName)]
    role: Option<String>,
}

pub(super) async fn run(args: &Args) -> Result<(), Failure> {
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    run_with(&client, &namespace, args, &mut say).await
}

/// Whom it is asked about: who is listed, and the roles that are looked at.
struct Question {
    /// `spec.roles` as they are in force; why they are not known otherwise.
    listed: Result<Vec<Listed>, String>,
    intro: String,
    wanted: Vec<String>,
}

pub(super) async fn run_with(client: &Client, namespace: &str, args: &Args, tell: Tell<'_>) -> Result<(), Failure> {
    let question = match (&args.budget, &args.name) {
        (Some(budget), _) => about_budget(client, namespace, budget, args.role.as_deref()).await?,
        (None, name) => about_release(client, namespace, name.as_deref().unwrap_or_default(), args).await?,
    };
    let Question { listed, intro, wanted } = question;
    let who = whoami(client).await?;
    let rights = Rights::look(client, namespace).await;
    let mut out = intro;
    if let Err(why) = &listed {
        out.push_str(&format!("Who is listed could not be looked at: {why}\n"));
    }
    let listed = listed.ok();
    out.extend(rights.unseen.iter().map(|why| format!("Not all who hold the verb are known: {why}\n")));
    for role in names(listed.as_deref(), &wanted) {
        let mine = may_i(client, namespace, &role).await;
        let not_in = left_out(listed.as_deref().unwrap_or_default(), &role, &who.name, &who.groups).is_some();
        out.push_str(&block(listed.as_deref(), &rights, &role, &you(&who.name, mine, not_in)));
    }
    tell(&out)
}

async fn about_release(client: &Client, namespace: &str, name: &str, args: &Args) -> Result<Question, Failure> {
    let subject = subject::find(client, namespace, name).await?;
    let (intro, wanted) = match &args.role {
        Some(role) => {
            subject.check_role(role)?;
            (String::new(), vec![role.clone()])
        }
        None => match subject.release.status.as_ref().map(asked).filter(|asked| !asked.is_empty()) {
            Some(asked) => (format!("{namespace}/{name} asks for {}\n", asked.join(", ")), asked),
            None => (
                format!("{namespace}/{name} asks for nobody now; all roles:\n"),
                Role::ALL.iter().map(ToString::to_string).collect(),
            ),
        },
    };
    Ok(Question { listed: subject.roles, intro, wanted })
}

async fn about_budget(client: &Client, namespace: &str, name: &str, role: Option<&str>) -> Result<Question, Failure> {
    let budget::Agrees { listed, asked, owed } =
        budget::agrees(client, namespace, name, jiff::Timestamp::now().into()).await?;
    let id = format!("RiskBudget {namespace}/{name}");
    let (mut intro, mut all): (String, Vec<String>) = match asked.is_empty() {
        false => (format!("{id} would allow more, and asks for {}\n", asked.join(", ")), asked),
        true => {
            let both: Vec<String> = AGREE_TO_MORE.iter().map(ToString::to_string).collect();
            let intro = format!(
                "{id} is in force as it stands, and asks for nobody now. What would allow more takes {} (to lift a freeze {DECLARES_FREEZE} alone will do):\n",
                both.join(" and ")
            );
            (intro, both.into_iter().chain([DECLARES_FREEZE.to_string()]).collect())
        }
    };
    for (obligation, role) in owed {
        intro.push_str(&format!("{id} owes {obligation}: {role} approves or rejects it (--obligation)\n"));
        if !all.contains(&role) {
            all.push(role);
        }
    }
    let Some(role) = role else { return Ok(Question { listed: Ok(listed), intro, wanted: all }) };
    let counts = listed.iter().find(|one| one.name == role).and_then(|one| one.stands_for);
    let counts = counts.map_or_else(|| role.to_owned(), |of| of.to_string());
    match all.contains(&counts) {
        true => Ok(Question { listed: Ok(listed), intro: String::new(), wanted: vec![role.to_owned()] }),
        false => Err(format!("--role {role}: nobody asks for this role here. One of {}", all.join(", "))),
    }
}

/// The roles, each followed by those of the RiskBudget's own that stand for it.
fn names(listed: Option<&[Listed]>, wanted: &[String]) -> Vec<String> {
    let listed = listed.unwrap_or_default();
    let mut all: Vec<String> = Vec::new();
    for role in wanted {
        let for_it = listed.iter().filter(|one| one.stands_for.is_some_and(|of| of.as_str() == role));
        for name in std::iter::once(role).chain(for_it.map(|one| &one.name)) {
            if !all.contains(name) {
                all.push(name.clone());
            }
        }
    }
    all
}

/// The roles that are missing now, as the controller says them.
fn asked(status: &GatedReleaseStatus) -> Vec<String> {
    status.risk.iter().flat_map(|risk| &risk.asks).map(ToString::to_string).collect()
}

/// What could be seen of the cluster's roles.
struct Rights {
    namespace: String,
    roles: Vec<Value>,
    bindings: Vec<Value>,
    unseen: Vec<String>,
}

impl Rights {
    async fn look(client: &Client, namespace: &str) -> Self {
        let mut unseen = Vec::new();
        let mut of = |looked: Result<Vec<Value>, String>| {
            looked.unwrap_or_else(|why| {
                unseen.push(why);
                Vec::new()
            })
        };
        let mut roles = of(list(Api::<ClusterRole>::all(client.clone()), "ClusterRole").await);
        roles.extend(of(list(Api::<NamespacedRole>::namespaced(client.clone(), namespace), "Role").await));
        let mut bindings = of(list(Api::<ClusterRoleBinding>::all(client.clone()), "ClusterRoleBinding").await);
        bindings.extend(of(list(Api::<RoleBinding>::namespaced(client.clone(), namespace), "RoleBinding").await));
        Self { namespace: namespace.to_owned(), roles, bindings, unseen }
    }
}

async fn list<K>(api: Api<K>, kind: &str) -> Result<Vec<Value>, String>
where
    K: Clone + DeserializeOwned + Serialize + std::fmt::Debug,
{
    let all = pages::all(&api, &format!("{kind}s")).await?;
    let raw = |item: K| {
        let mut value = serde_json::to_value(item).map_err(|error| format!("{kind}s: {error}"))?;
        value["kind"] = kind.into();
        Ok(value)
    };
    all.into_iter().map(raw).collect()
}

/// Whether whoever asks holds the verb; why that is not known otherwise.
async fn may_i(client: &Client, namespace: &str, role: &str) -> Result<bool, String> {
    let attributes = ResourceAttributes {
        group: Some(GROUP.to_owned()),
        resource: Some("releaseroles".to_owned()),
        name: Some(role.to_owned()),
        namespace: Some(namespace.to_owned()),
        verb: Some("approve".to_owned()),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
    let review = SelfSubjectAccessReview { spec, ..Default::default() };
    let answer = Api::<SelfSubjectAccessReview>::all(client.clone()).create(&PostParams::default(), &review).await;
    answer.map(|answer| answer.status.is_some_and(|status| status.allowed)).map_err(|error| why(&error))
}

fn you(name: &str, mine: Result<bool, String>, left_out: bool) -> String {
    match (mine, left_out) {
        (Ok(true), false) => format!("{name}: may"),
        (Ok(true), true) => format!("{name}: may not, holds the verb and is not listed"),
        (Ok(false), false) => format!("{name}: may not, does not hold the verb"),
        (Ok(false), true) => format!("{name}: may not, neither holds the verb nor is listed"),
        (Err(why), _) => format!("{name}: whether you hold the verb could not be asked: {why}"),
    }
}

fn block(listed: Option<&[Listed]>, rights: &Rights, role: &str, you: &str) -> String {
    let entry = listed.unwrap_or_default().iter().find(|one| one.name == role);
    let stands_for = entry.and_then(|one| one.stands_for).filter(|of| of.as_str() != role);
    let title = stands_for.map(|of| format!(" (stands for {of})")).unwrap_or_default();
    let people = match entry.filter(|one| !one.users.is_empty() || !one.groups.is_empty()) {
        Some(one) => {
            let users = (!one.users.is_empty()).then(|| format!("users {}", one.users.join(", ")));
            let groups = (!one.groups.is_empty()).then(|| format!("groups {}", one.groups.join(", ")));
            users.into_iter().chain(groups).collect::<Vec<_>>().join("; ")
        }
        None if listed.is_some() => "nobody in particular: open to everybody who holds the verb".to_owned(),
        None => "not known".to_owned(),
    };
    let right = Right { verb: "approve", resource: "releaseroles", name: role, namespace: &rights.namespace };
    let found = holders(&rights.roles, &rights.bindings, &right);
    let mut out = format!("{role}{title}\n  listed   {people}\n");
    let lines: BTreeSet<String> = found.iter().map(holder).collect();
    for line in &lines {
        out.push_str(&format!("  verb     {line}\n"));
    }
    if found.iter().all(|holder| !holder.named || holder.is_machine()) && rights.unseen.is_empty() {
        let command = format!(
            "kubectl create rolebinding approve-{role} -n {} --clusterrole=tidegate-approve-{role} --user=USER",
            rights.namespace
        );
        let how = match Role::named(role) {
            Some(_) => command,
            None => "a ClusterRole that names it, as in examples/approvals/rbac-sre.yaml".to_owned(),
        };
        out.push_str(&format!(
            "  verb     no person by a role that names it; and whoever is in system:masters. To grant it: {how}\n"
        ));
    }
    out.push_str(&format!("  you      {you}\n"));
    out
}

fn holder(holder: &Holder) -> String {
    let how = if holder.named { "" } else { ", by a wildcard" };
    let machine = if holder.is_machine() { "; a machine, which admission refuses" } else { "" };
    let place = if holder.place.is_empty() { "everywhere".to_owned() } else { format!("in {}", holder.place) };
    format!("{} {} ({}, {place}{how}{machine})", holder.kind, holder.name, holder.role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    #[rstest]
    #[case(Ok(true), false, "dana: may")]
    #[case(Ok(true), true, "dana: may not, holds the verb and is not listed")]
    #[case(Ok(false), false, "dana: may not, does not hold the verb")]
    #[case(Ok(false), true, "dana: may not, neither holds the verb nor is listed")]
    #[case(Err("403".to_owned()), false, "dana: whether you hold the verb could not be asked: 403")]
    fn whether_you_may(#[case] mine: Result<bool, String>, #[case] left_out: bool, #[case] expected: &str) {
        assert_eq!(you("dana", mine, left_out), expected);
    }
}
