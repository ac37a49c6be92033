//! Variables in queries.

use crate::api::{Percent, Span};
use crate::release::PodNames;

/// What the variables stand for.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables<'a> {
    /// `$namespace`.
    pub(super) namespace: &'a str,
    /// `$budget`: the RiskBudget, where one is asked for.
    pub(super) budget: &'a str,
    /// `$service`: the user's Service.
    pub(super) service: &'a str,
    /// `$services`: the two Services that are compared, as a regular expression.
    pub(super) services: Vec<String>,
    /// `$workloads`: the Deployments of the two versions, as a regular expression.
    pub(super) workloads: Vec<String>,
    /// `$pods`: the pods of the one version that is asked about, as a regular expression; empty where none is.
    pub(super) pods: &'a str,
    /// `$window`, as PromQL writes a range.
    pub(super) window: Span,
    /// `$quantile`, 0 to 1.
    pub(super) quantile: Option<Percent>,
    /// `$threshold`, in seconds; and the bound of its bucket as a regular expression, in seconds (`$le`) and in milliseconds
    /// (`$leMillis`).
    pub(super) threshold: Option<Span>,
}

const KNOWN: [&str; 11] = [
    "namespace",
    "budget",
    "services",
    "service",
    "workloads",
    "pods",
    "window",
    "quantile",
    "threshold",
    "le",
    "leMillis",
];

/// Puts the values in. A variable that is not known stays as it is: it may belong to PromQL's own text.
pub(super) fn filled(query: &str, variables: &Variables<'_>) -> String {
    let any = |names: &[String]| names.iter().map(|name| escaped(&regex(name))).collect::<Vec<_>>().join("|");
    let seconds = variables.threshold.map(Span::as_secs_f64);
    let value = |name: &str| match name {
        "namespace" => Some(escaped(variables.namespace)),
        "budget" => Some(escaped(variables.budget)),
        "service" => Some(escaped(variables.service)),
        "services" => Some(any(&variables.services)),
        "workloads" => Some(any(&variables.workloads)),
        "pods" => Some(escaped(variables.pods)),
        "window" => Some(variables.window.promql()),
        "threshold" => seconds.map(|seconds| seconds.to_string()),
        "le" => seconds.map(|seconds| escaped(&bound(seconds))),
        "leMillis" => seconds.map(|seconds| escaped(&bound(seconds * 1_000.0))),
        "quantile" => variables.quantile.map(|quantile| trimmed(quantile.get() / 100.0)),
        _ => None,
    };
    let mut out = String::with_capacity(query.len() + 64);
    let mut rest = query;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        let name = name_at(after);
        out.push_str(before);
        match value(name) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&after[..1 + name.len()]),
        }
        rest = &after[1 + name.len()..];
    }
    out + rest
}

/// Refuses a variable that is not known, which is most likely misspelt.
pub(super) fn check(query: &str) -> Result<(), String> {
    check_for(query, &KNOWN)
}

/// The same, where these variables alone are filled in.
pub(super) fn check_for(query: &str, known: &[&str]) -> Result<(), String> {
    if query.trim().is_empty() {
        return Err("the query is empty".to_owned());
    }
    let mut rest = query;
    while let Some(at) = rest.find('$') {
        let name = name_at(&rest[at..]);
        if !name.is_empty() && !known.contains(&name) {
            return Err(format!("${name} is not known; there are ${}", known.join(", $")));
        }
        rest = &rest[at + 1 + name.len()..];
    }
    Ok(())
}

/// Whether a query names a variable.
pub(super) fn uses(query: &str, variable: &str) -> bool {
    query.match_indices('$').any(|(at, _)| name_at(&query[at..]) == variable)
}

/// The pods of one version as a regular expression; none where there is no pod, because an empty expression would match
/// every series that has no such label.
pub(super) fn pods(names: &[PodNames]) -> Option<String> {
    let all: Vec<_> = names
        .iter()
        .map(|name| match name {
            PodNames::Pod(name) => regex(name),
            PodNames::OfReplicaSet(name) => {
                // The API server cuts a name that it makes to leave room for its own five letters.
                let stem: String = format!("{name}-").chars().take(STEM_MAX).collect();
                format!("{}[a-z0-9]{{5}}", regex(&stem))
            }
        })
        .collect();
    (!all.is_empty()).then(|| all.join("|"))
}

/// The longest beginning of a name that the API server makes.
const STEM_MAX: usize = 58;

/// The name behind a `$`.
fn name_at(text: &str) -> &str {
    let name = &text[1..];
    &name[..name.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(name.len())]
}

/// For a place between quotes in PromQL. Names of Kubernetes need none of it; it holds all the same.
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\'', "\\'").replace('\n', "\\n")
}

/// As a regular expression that matches just this text.
pub(super) fn regex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_ascii_alphanumeric() && c != '-' && c != '_' {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The bound of a bucket as a regular expression: Prometheus 2 keeps `le="1"` as it is exposed, Prometheus 3 makes `le="1.0"`
/// of it.
pub(super) fn bound(number: f64) -> String {
    let text = trimmed(number);
    let whole = if text.contains('.') { String::new() } else { format!("|{text}\\.0") };
    format!("{}{whole}", regex(&text))
}

/// A number without trailing zeros, as Prometheus writes bounds: `0.3`, `1`, `0.95`.
fn trimmed(number: f64) -> String {
    let text = format!("{number:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "x{namespace=\"$namespace\",service=~\"$services\"}[$window]",
        "x{namespace=\"shop\",service=~\"web|web-canary\"}[120s]"
    )]
    #[case("$service$services", "webweb|web-canary")]
    #[case("histogram_quantile($quantile, a)", "histogram_quantile(0.95, a)")]
    #[case("a{b=~\"x$\"}", "a{b=~\"x$\"}")]
    #[case("a{deployment=~\"$workloads\"}", "a{deployment=~\"web-api|web-api-canary\"}")]
    #[case(
        "label_replace(a, \"arm\", \"$1\", \"b\", \"$namespace_($services)_.+\")",
        "label_replace(a, \"arm\", \"$1\", \"b\", \"shop_(web|web-canary)_.+\")"
    )]
    #[case("$threshold le=~\"$le\" le=~\"$leMillis\"", "0.3 le=~\"0\\\\.3\" le=~\"300|300\\\\.0\"")]
    #[case("$other $", "$other $")]
    fn variables_are_filled_in(#[case] query: &str, #[case] wanted: &str) {
        let variables = Variables {
            namespace: "shop",
            budget: "",
            service: "web",
            services: vec!["web".to_owned(), "web-canary".to_owned()],
            workloads: vec!["web-api".to_owned(), "web-api-canary".to_owned()],
            pods: "",
            window: Span::minutes(2),
            quantile: Some(Percent::whole(95)),
            threshold: Some(Span::from_millis(300)),
        };
        assert_eq!(filled(query, &variables), wanted);
    }

    #[test]
    fn pods_are_named_by_their_replica_set_or_one_by_one() {
        let of = |name: &str| PodNames::OfReplicaSet(name.to_owned());
        let two = [of("web-canary-5f6d"), PodNames::Pod("db-3".to_owned())];
        assert_eq!(pods(&two).unwrap(), "web-canary-5f6d-[a-z0-9]{5}|db-3");
        let long = pods(&[of(&"x".repeat(70))]).unwrap();
        assert_eq!(long.matches('x').count(), 58, "as the API server cuts it");
        assert_eq!(pods(&[]), None);
        assert!(uses("a{pod=~\"$pods\"}", "pods") && !uses("a{pod=~\"$podsy\"}", "pods"));
    }

    #[test]
    fn nothing_gets_out_of_its_quotes() {
        let variables = Variables { namespace: "a\"} or vector(1) #\\", ..Variables::default() };
        assert_eq!(filled("x{n=\"$namespace\"}", &variables), "x{n=\"a\\\"} or vector(1) #\\\\\"}");
        assert_eq!(regex("a.b|c"), "a\\.b\\|c");
    }

    #[rstest]
    #[case(0.3, "0\\.3")]
    #[case(2.5, "2\\.5")]
    #[case(1.0, "1|1\\.0")]
    #[case(10.0, "10|10\\.0")]
    fn a_bound_is_found_as_either_prometheus_writes_it(#[case] number: f64, #[case] text: &str) {
        assert_eq!(bound(number), text);
    }

    #[rstest]
    #[case(0.3, "0.3")]
    #[case(1.0, "1")]
    #[case(0.025, "0.025")]
    #[case(10.0, "10")]
    fn bounds_are_written_as_prometheus_does(#[case] number: f64, #[case] text: &str) {
        assert_eq!(trimmed(number), text);
    }
}
