//! `tidegate obligations`: what people owe by the policy, and by when.

use kube::api::ListParams;
use kube::{Api, ResourceExt};

use super::{Failure, client, say, why};
use crate::api::RiskBudget;
use crate::api::obligation::{ObligationState, ObligationStatus};
use crate::policy::obligation::{DEMANDS, Demand, Trigger};

const EXAMPLES: &str = "\
Met with: tidegate meet BUDGET NAME --facts-file FILE. No release is held up by an obligation.

Examples:
  tidegate obligations -n shop                 every RiskBudget there
  tidegate obligations checkout -n shop
  tidegate obligations --catalogue             what the documents demand, and when";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The RiskBudget; all of the namespace where none is given.
    budget: Option<String>,
    /// The namespace; by default that of the kubeconfig.
    #[arg(short, long)]
    namespace: Option<String>,
    /// List what the documents demand by a time instead.
    #[arg(long, conflicts_with_all = ["budget", "namespace"])]
    catalogue: bool,
}

pub(super) async fn run(args: &Args) -> Result<(), Failure> {
    if args.catalogue {
        return say(&catalogue());
    }
    let (client, namespace) = client(args.namespace.as_deref()).await?;
    let api = Api::<RiskBudget>::namespaced(client, &namespace);
    let budgets = match &args.budget {
        Some(name) => {
            let one = api.get(name).await;
            vec![one.map_err(|error| format!("RiskBudget {namespace}/{name}: {}", why(&error)))?]
        }
        None => {
            let all = api.list(&ListParams::default()).await;
            all.map_err(|error| format!("RiskBudgets in {namespace}: {}", why(&error)))?.items
        }
    };
    if budgets.is_empty() {
        return say(&format!("{namespace}: there are no RiskBudgets\n"));
    }
    budgets.iter().try_for_each(|budget| say(&page(&namespace, budget)))
}

/// What one budget owes.
fn page(namespace: &str, budget: &RiskBudget) -> String {
    let name = budget.name_any();
    let Some(status) = &budget.status else {
        return format!(
            "{namespace}/{name}: not looked at yet. Does the controller run? tidegate doctor -n {namespace}\n"
        );
    };
    if status.obligations.is_empty() {
        return format!("{namespace}/{name}: nothing is owed.\n");
    }
    let mut out = format!("{namespace}/{name}:\n");
    for one in &status.obligations {
        out.push_str(&lines(one));
    }
    let further = &status.further_obligations;
    if !further.is_empty() {
        out.push_str(&format!("and {} more, without words:\n", further.len()));
    }
    for one in further {
        out.push_str(&format!("{:<8} {}: by {}\n", word(one.state), one.name, one.due.clock()));
    }
    let open = status.obligations.iter().find(|one| one.state != ObligationState::Met);
    if let Some(open) = open {
        out.push_str(&format!(
            "Met with: tidegate meet {name} -n {namespace} {} --facts-file FILE (the form: --fields)\n",
            open.name
        ));
    }
    out
}

const fn word(state: ObligationState) -> &'static str {
    match state {
        ObligationState::Overdue => "OVERDUE",
        ObligationState::Due => "due",
        ObligationState::Met => "met",
    }
}

fn lines(one: &ObligationStatus) -> String {
    let word = word(one.state);
    let when = match (&one.met, one.state) {
        (Some(met), ObligationState::Met) => format!("{} by {} ({})", met.at.clock(), met.by, met.attestation),
        (last, ObligationState::Met | ObligationState::Due | ObligationState::Overdue) => {
            let last = last.as_ref().map(|met| format!(", last {} by {}", met.at.clock(), met.by)).unwrap_or_default();
            let roles: Vec<&str> = one.owed_by.iter().map(|role| role.as_str()).collect();
            format!("by {}, owed by {}{last}", one.due.clock(), roles.join(" or "))
        }
    };
    let problem = if one.problem.is_empty() { String::new() } else { format!("         {}\n", one.problem) };
    format!("{word:<8} {}: {when}\n         {} ({})\n{problem}", one.name, one.about, one.source)
}

fn trigger(demand: &Demand) -> String {
    match demand.on {
        Trigger::Level(level) => format!("error budget {level} or worse"),
        Trigger::Exception => "exception, or past the gate".to_owned(),
        Trigger::Bypass => "past the gate without an exception".to_owned(),
        Trigger::Unapproved => "past the gate, no executive asked".to_owned(),
        Trigger::Rollback => "rollback that users met".to_owned(),
        Trigger::Tightened => "tightened budget or gates".to_owned(),
        Trigger::Calendar => "spec.obligations.regularReviews".to_owned(),
    }
}

fn catalogue() -> String {
    let kinds = DEMANDS.iter().map(|demand| demand.kind().len()).max().unwrap_or(0);
    let mut out = format!("{:<kinds$}  {:<34}  {:<26}  THE DOCUMENTS' WORDS (SOURCE)\n", "TYPE", "WHEN", "OWED");
    for demand in DEMANDS {
        out.push_str(&format!(
            "{:<kinds$}  {:<34}  {:<26}  {} ({})\n",
            demand.kind(),
            trigger(demand),
            demand.due.to_string(),
            demand.says,
            demand.source
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_page_tells_what_is_owed_by_when_and_how_it_is_met() {
        let one = |name: &str, kind: &str, state: &str, met: serde_json::Value| {
            let mut one = json!({"name": name, "type": kind, "state": state, "about": "Feature git:1 (web-0007) came back",
                "owedBy": ["development-manager", "service-owner"], "source": "003, Module 6",
                "since": "2026-11-20T10:00:00Z", "due": "2026-11-28T00:00:00Z"});
            if !met.is_null() {
                one["met"] = met;
            }
            one
        };
        let met = json!({"by": "dana", "at": "2026-11-21T09:00:00Z", "attestation": "web-post-mortem-x"});
        let budget: RiskBudget = serde_json::from_value(json!({
            "apiVersion": "tidegate.io/v1alpha1", "kind": "RiskBudget", "metadata": {"name": "web"},
            "spec": {"tier": 1, "slos": [{"name": "a", "objective": 99.5, "promql": {"bad": "0", "total": "1"}}]},
            "status": {"obligations": [
                one("post-mortem-web-0007", "post-mortem", "Overdue", serde_json::Value::Null),
                one("executive-update", "executive-update", "Due", met.clone()),
                one("post-mortem-web-0005", "post-mortem", "Met", met),
            ]},
        }))
        .unwrap();
        insta::assert_snapshot!(page("shop", &budget), @"
        shop/web:
        OVERDUE  post-mortem-web-0007: by 28 Nov 00:00:00 UTC, owed by development-manager or service-owner
                 Feature git:1 (web-0007) came back (003, Module 6)
        due      executive-update: by 28 Nov 00:00:00 UTC, owed by development-manager or service-owner, last 21 Nov 09:00:00 UTC by dana
                 Feature git:1 (web-0007) came back (003, Module 6)
        met      post-mortem-web-0005: 21 Nov 09:00:00 UTC by dana (web-post-mortem-x)
                 Feature git:1 (web-0007) came back (003, Module 6)
        Met with: tidegate meet web -n shop post-mortem-web-0007 --facts-file FILE (the form: --fields)
        ");
    }

    /// Whoever adds a line adds its row and its right.
    #[test]
    fn docs_and_chart_name_every_demand() {
        let read = |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let (docs, chart) = (read("docs/risk-budget.md"), read("charts/tidegate/templates/rbac-users.yaml"));
        let (_, role) = chart.split_once("-obligations\n").unwrap();
        let (_, names) = role.split_once("resourceNames:\n").unwrap();
        let (names, _) = names.split_once("  verbs:").unwrap();
        let granted: std::collections::BTreeSet<&str> =
            names.lines().map(|line| line.trim_start_matches("  - ")).collect();
        let attested = DEMANDS.iter().filter(|demand| !demand.is_approval());
        let kinds: std::collections::BTreeSet<&str> = attested.map(Demand::kind).collect();
        assert_eq!(granted, kinds);
        for demand in DEMANDS {
            let row =
                docs.lines().find(|line| line.starts_with(&format!("| `{}` |", demand.kind()))).unwrap_or_default();
            let due = demand.due.to_string().replace("within 1d", "within 24h");
            let roles: Vec<&str> = demand.owed_by.iter().map(|role| role.as_str()).collect();
            for wanted in [due, roles.join(", ")] {
                assert!(row.contains(&format!("| {wanted} |")), "{}: {wanted}: {row:?}", demand.kind());
            }
        }
    }

    #[test]
    fn the_catalogue_has_a_line_for_each_demand() {
        let text = catalogue();
        assert_eq!(text.lines().count(), DEMANDS.len() + 1);
        insta::assert_snapshot!(text.lines().nth(2).unwrap_or_default(), @"freeze-announcement        error budget Critical or worse      within 15m                  Immediate: Post freeze announcement in #engineering (001, Critical, Mandatory Actions; Requirements)");
    }
}
