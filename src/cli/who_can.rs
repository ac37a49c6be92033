//! `tidegate who-can`: who may approve a release, by what the RiskBudget lists and by what the cluster's roles grant.

use std::collections::BTreeSet;

use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role as NamespacedRole, RoleBinding};
use kube::api::PostParams;
use kube::{Api, Client};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::claim::Tell;
use super::claim::subject::{Subject, find};
use super::claim::voice::RoleName;
use super::claim::whoami;
use super::rights::{Holder, Right, holders};
use super::{Failure, client, pages, say, why};
use crate::api::condition::Truth;
use crate::api::{GROUP, GatedReleaseStatus};
use crate::policy::Role;
use crate::policy::requirement::{CATALOGUE, Means};

const EXAMPLES: &str = "\
For each role that the release asks for now (for all roles where it asks for none): who is listed in spec.roles of its
RiskBudget, who holds the verb `approve` on `releaseroles.tidegate.io` there, and whether you may. An approval needs both.
Service accounts and other machines may hold the verb by a wildcard; admission refuses their approvals all the same.

Examples:
  tidegate who-can checkout -n shop
  tidegate who-can checkout -n shop --role sre";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The GatedRelease.
    name: String,
    /// Its namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
    /// Only this role. Default: those that the release asks for now.
    #[arg(long, value_name = "ROLE", value_parser = RoleName)]
    role: Option<String>,
}

pub(super) async fn run(args: &Args) -> Result<(), Failure> {
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    run_with(&client, &namespace, args, &mut say).await
}

pub(super) async fn run_with(client: &Client, namespace: &str, args: &Args, tell: Tell<'_>) -> Result<(), Failure> {
    let subject = find(client, namespace, &args.name).await?;
    let who = whoami(client).await?;
    let (intro, wanted) = match &args.role {
        Some(role) => {
            subject.check_role(role)?;
            (String::new(), vec![role.clone()])
        }
        None => match subject.release.status.as_ref().map(asked).filter(|asked| !asked.is_empty()) {
            Some(asked) => (format!("{namespace}/{} asks for {}\n", args.name, asked.join(", ")), asked),
            None => (
                format!("{namespace}/{} asks for nobody now; all roles:\n", args.name),
                Role::ALL.iter().map(ToString::to_string).collect(),
            ),
        },
    };
    let rights = Rights::look(client, namespace).await;
    let mut out = intro;
    if let Err(why) = &subject.roles {
        out.push_str(&format!("Who is listed could not be looked at: {why}\n"));
    }
    out.extend(rights.unseen.iter().map(|why| format!("Not all who hold the verb are known: {why}\n")));
    for role in names(&subject, &wanted) {
        let mine = may_i(client, namespace, &role).await;
        let left_out = subject.left_out(&role, &who.name, &who.groups).is_some();
        out.push_str(&block(&subject, &rights, &role, &you(&who.name, mine, left_out)));
    }
    tell(&out)
}

/// The roles, each followed by those of the RiskBudget's own that stand for it.
fn names(subject: &Subject, wanted: &[String]) -> Vec<String> {
    let listed = subject.roles.as_deref().unwrap_or_default();
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

/// The roles that are missing now: those of the requirements that are not met, and those that a hold names.
fn asked(status: &GatedReleaseStatus) -> Vec<String> {
    let missing = status.risk.iter().flat_map(|risk| &risk.missing).filter_map(|line| line.split(':').next());
    let means =
        missing.flat_map(|name| CATALOGUE.iter().filter(move |entry| entry.name == name)).flat_map(|entry| entry.means);
    let mut all: Vec<String> = Vec::new();
    let mut add = |role: String| {
        if !all.contains(&role) {
            all.push(role);
        }
    };
    for means in means {
        match means {
            Means::Approvals(seats) => seats.iter().flat_map(|seat| seat.iter()).for_each(|role| add(role.to_string())),
            Means::Controller { .. } | Means::Attestation(_) | Means::Fresh(_, _) | Means::Document(_) => {}
        }
    }
    let held = status.conditions.iter().filter(|one| one.kind == "Held" && one.status == Truth::True);
    for text in held.map(|one| one.message.as_str()) {
        let named = text.split("--role ").skip(1).filter_map(|rest| {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
            Some(rest[..end].to_owned()).filter(|role| !role.is_empty())
        });
        named.for_each(&mut add);
    }
    all
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

fn block(subject: &Subject, rights: &Rights, role: &str, you: &str) -> String {
    let entry = subject.roles.as_deref().unwrap_or_default().iter().find(|one| one.name == role);
    let stands_for = entry.and_then(|one| one.stands_for).filter(|of| of.as_str() != role);
    let title = stands_for.map(|of| format!(" (stands for {of})")).unwrap_or_default();
    let listed = match entry.filter(|one| !one.users.is_empty() || !one.groups.is_empty()) {
        Some(one) => {
            let users = (!one.users.is_empty()).then(|| format!("users {}", one.users.join(", ")));
            let groups = (!one.groups.is_empty()).then(|| format!("groups {}", one.groups.join(", ")));
            users.into_iter().chain(groups).collect::<Vec<_>>().join("; ")
        }
        None if subject.roles.is_ok() => "nobody in particular: open to everybody who holds the verb".to_owned(),
        None => "not known".to_owned(),
    };
    let right = Right { verb: "approve", resource: "releaseroles", name: role, namespace: &rights.namespace };
    let found = holders(&rights.roles, &rights.bindings, &right);
    let mut out = format!("{role}{title}\n  listed   {listed}\n");
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
    use serde_json::json;

    fn status(missing: &[&str], held: &str) -> GatedReleaseStatus {
        serde_json::from_value(json!({
            "risk": {"score": "", "gate": "G3", "why": "", "missing": missing},
            "conditions": [{"type": "Held", "status": "True", "reason": "ApprovalMissing", "message": held,
                "lastTransitionTime": "2026-01-01T10:00:00Z"}],
        }))
        .unwrap()
    }

    #[rstest]
    #[case::a_requirement(&["release-captain: missing before the start (000 §6.2, G3): an approval as …"], "", &["release-captain", "on-call"])]
    #[case::no_approval(&["sast: missing before the start: kubectl tidegate attest"], "", &[])]
    #[case::a_hold(&[], "Missing: sre: kubectl tidegate approve web -n shop --role sre; vp-engineering: … --role vp-engineering.", &["sre", "vp-engineering"])]
    #[case::both_once(&["risk-review: missing"], "--role sre", &["product-manager", "development-manager", "security", "sre"])]
    #[case::unknown_requirement(&["more: missing"], "", &[])]
    fn the_roles_that_are_missing(#[case] missing: &[&str], #[case] held: &str, #[case] expected: &[&str]) {
        assert_eq!(asked(&status(missing, held)), expected);
    }

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
