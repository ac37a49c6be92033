//! What Prometheus's API answered, made typed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::analysis::{Evidence, NotYet};
use crate::api::{Span, Time};

/// A reply to an instant query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// It was evaluated.
    Series {
        /// What came, without stale markers.
        series: Vec<Series>,
        /// What the source warns of: the answer may be partial.
        warning: Option<String>,
    },
    /// The query was refused, or the answer was not understood.
    Invalid(String),
    /// It is an answer for another moment than was asked for.
    Stale(String),
    /// There was no answer.
    Unreachable(String),
}

/// A reply of which nobody has asked yet for which moment it is. Whatever comes from a source is one, so that no figure of
/// another moment can be taken for one of now by somebody who forgot to ask.
#[derive(Debug, Clone)]
pub(super) struct Undated(Reply);

/// One number with its labels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) labels: BTreeMap<String, String>,
    /// For which moment, in seconds since 1970.
    pub(super) at: f64,
    pub(super) value: f64,
}

#[derive(Deserialize)]
struct Body {
    status: String,
    #[serde(default)]
    data: Option<Data>,
    #[serde(default)]
    error: Option<String>,
    /// How Prometheus and Thanos say that the answer may be partial.
    #[serde(default)]
    warnings: Vec<String>,
    /// How VictoriaMetrics says it.
    #[serde(default, rename = "isPartial")]
    is_partial: bool,
}

impl Body {
    /// Why the answer may be partial; None where it is whole.
    fn warning(&self) -> Option<String> {
        let partial = self.is_partial.then_some("isPartial: a part of the store did not answer");
        let all: Vec<&str> = self.warnings.iter().map(String::as_str).chain(partial).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// No answer, in its own words, without what `NotYet` puts before them.
pub(super) fn refused(why: NotYet) -> Reply {
    match why {
        NotYet::Unreachable(why) => Reply::Unreachable(why),
        NotYet::Invalid(why) | NotYet::Partial(why) | NotYet::NoData(why) => Reply::Invalid(why),
        other @ (NotYet::Breached { .. }
        | NotYet::TooLittle { .. }
        | NotYet::OtherShare(_)
        | NotYet::Undecided { .. }
        | NotYet::Baking { .. }) => Reply::Invalid(other.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum Data {
    Vector(Vec<Sample>),
    Scalar((f64, String)),
    Matrix(Vec<super::range::Row>),
    String(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
pub(super) struct Sample {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    value: Option<(f64, String)>,
}

/// An answer without its envelope.
pub(super) struct Opened {
    pub(super) data: Option<Data>,
    /// What the source warns of: the answer may be partial.
    pub(super) warning: Option<String>,
}

/// Opens an answer, or says why there is none. Of a failure the body tells more than the HTTP status, which proxies invent; a
/// success needs both.
pub(super) fn open(code: u16, body: &[u8]) -> Result<Opened, NotYet> {
    // As a whole first: a reader that skips what it does not know would take bytes for an answer that are no JSON.
    let body: Body = match serde_json::from_slice::<Value>(body).and_then(serde_json::from_value) {
        Ok(body) => body,
        Err(_) if code >= 500 || code == 429 => return Err(NotYet::Unreachable(format!("HTTP {code}"))),
        Err(_) if code >= 400 => return Err(NotYet::Invalid(format!("HTTP {code}"))),
        Err(why) => return Err(NotYet::Invalid(format!("the answer was not understood: {why}"))),
    };
    if body.status != "success" || !(200..300).contains(&code) {
        let why = body.error.unwrap_or_else(|| "no reason given".to_owned());
        // 503 is a query that timed out or was cancelled; 422 cannot be executed; 400 cannot be read.
        return Err(if code >= 500 || code == 429 {
            NotYet::Unreachable(format!("HTTP {code}: {why}"))
        } else {
            NotYet::Invalid(why)
        });
    }
    Ok(Opened { warning: body.warning(), data: body.data })
}

/// Reads the answer of an instant query.
pub(super) fn parse(code: u16, body: &[u8]) -> Reply {
    let Opened { data, warning } = match open(code, body) {
        Ok(opened) => opened,
        Err(why) => return refused(why),
    };
    let samples = match data {
        Some(Data::Vector(samples)) => samples,
        Some(Data::Scalar(value)) => vec![Sample { metric: BTreeMap::new(), value: Some(value) }],
        Some(Data::Matrix(_)) => return Reply::Invalid("the query answers ranges, not numbers".to_owned()),
        Some(Data::String(_)) => return Reply::Invalid("the query answers a text, not numbers".to_owned()),
        None => return Reply::Invalid("the answer has no data".to_owned()),
    };
    let mut series = Vec::with_capacity(samples.len());
    for sample in samples {
        let Some((at, text)) = sample.value else {
            return Reply::Invalid("the query answers histograms, not numbers".to_owned());
        };
        let Ok(value) = text.parse() else { return Reply::Invalid(format!("{text:?} is not a number")) };
        series.push(Series { labels: sample.metric, at, value });
    }
    Reply::Series { series, warning }
}

/// What NaN means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nan {
    /// The quantile of an empty histogram: there were no requests.
    NoData,
    /// A mistake in the query.
    Invalid,
}

impl Undated {
    pub(super) const fn new(reply: Reply) -> Self {
        Self(reply)
    }

    /// The reply where it is one for that moment, give or take; a figure of another moment says nothing of it.
    pub(super) fn of(self, moment: Time, give_or_take: Span) -> Reply {
        let asked = moment.0.as_millisecond() as f64 / 1_000.0;
        // Not the other way round: a moment that is no number is far from every other.
        let near = |at: f64| (at - asked).abs() <= give_or_take.as_secs_f64();
        match self.0 {
            Reply::Series { ref series, .. } if !series.iter().all(|series| near(series.at)) => Reply::Stale(
                "stale: the answer is of another moment than was asked for; something before Prometheus keeps old answers, or the two clocks differ".to_owned(),
            ),
            other @ (Reply::Series { .. } | Reply::Invalid(_) | Reply::Stale(_) | Reply::Unreachable(_)) => other,
        }
    }
}

impl Reply {
    /// Whether it is a whole answer with figures: one that needs not be asked for again soon.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Series { series, warning: None } => {
                !series.is_empty() && series.iter().all(|series| series.value.is_finite())
            }
            Self::Series { warning: Some(_), .. } | Self::Invalid(_) | Self::Stale(_) | Self::Unreachable(_) => false,
        }
    }

    /// The number of one arm.
    pub(super) fn of_arm(&self, label: &str, arm: &str, nan: Nan) -> Evidence<f64> {
        if let Self::Series { series, .. } = self
            && !series.is_empty()
            && series.iter().all(|series| !series.labels.contains_key(label))
        {
            return Evidence::Invalid(format!(
                "no series has the label {label:?}, which tells the versions apart: the query must keep it, as in `sum by ({label}) (…)`"
            ));
        }
        self.evidence(
            |series| series.labels.get(label).map(String::as_str) == Some(arm),
            &format!("{label}={arm:?}"),
            nan,
        )
    }

    /// The one number.
    pub(super) fn single(&self, nan: Nan) -> Evidence<f64> {
        self.evidence(|_| true, "the query", nan)
    }

    fn evidence(&self, which: impl Fn(&Series) -> bool, what: &str, nan: Nan) -> Evidence<f64> {
        let (series, warning) = match self {
            Self::Series { series, warning } => (series, warning),
            Self::Invalid(why) | Self::Stale(why) => return Evidence::Invalid(why.clone()),
            Self::Unreachable(why) => return Evidence::Unreachable(why.clone()),
        };
        let mut found = series.iter().filter(|series| which(series));
        let value = found.next().map(|series| series.value);
        if found.next().is_some() {
            return Evidence::Invalid(format!("several series answer for {what}, where one number is needed"));
        }
        match (value, warning) {
            (Some(value), _) if value.is_nan() && nan == Nan::Invalid => Evidence::Invalid(format!("NaN for {what}")),
            (Some(value), _) if value.is_infinite() => Evidence::Invalid(format!("infinity for {what}")),
            (value, Some(why)) => Evidence::Partial { value: value.filter(|value| !value.is_nan()), why: why.clone() },
            (Some(value), None) if value.is_nan() => Evidence::NoData(format!("no requests for {what}")),
            (Some(value), None) => Evidence::Value(value),
            (None, None) => Evidence::NoData(format!("no samples for {what}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn vector(result: &str) -> String {
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":{result}}}}}"#)
    }

    const TWO: &str = r#"[{"metric":{"service":"web"},"value":[1700000000.1,"950.5"]},{"metric":{"service":"web-canary"},"value":[1700000000.1,"50"]}]"#;

    #[test]
    fn each_arm_has_its_number() {
        let reply = parse(200, vector(TWO).as_bytes());
        assert_eq!(reply.of_arm("service", "web-canary", Nan::Invalid), Evidence::Value(50.0));
        assert_eq!(reply.of_arm("service", "web", Nan::Invalid), Evidence::Value(950.5));
        assert!(matches!(reply.of_arm("service", "web-previous", Nan::Invalid), Evidence::NoData(_)));
        assert!(matches!(reply.single(Nan::Invalid), Evidence::Invalid(_)));
    }

    #[rstest]
    #[case::empty(200, vector("[]"), Evidence::NoData("no samples for the query".into()))]
    #[case::nan(200, vector(r#"[{"metric":{},"value":[1,"NaN"]}]"#), Evidence::NoData("no requests for the query".into()))]
    #[case::infinite(200, vector(r#"[{"metric":{},"value":[1,"+Inf"]}]"#), Evidence::Invalid("infinity for the query".into()))]
    #[case::scalar(200, r#"{"status":"success","data":{"resultType":"scalar","result":[1,"3"]}}"#.into(), Evidence::Value(3.0))]
    #[case::partial(200, r#"{"status":"success","warnings":["store a is away"],"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"3"]}]}}"#.into(),
        Evidence::Partial { value: Some(3.0), why: "store a is away".into() })]
    #[case::partial_and_empty(200, r#"{"status":"success","warnings":["store a is away"],"data":{"resultType":"vector","result":[]}}"#.into(),
        Evidence::Partial { value: None, why: "store a is away".into() })]
    #[case::partial_by_victoria_metrics(200, r#"{"status":"success","isPartial":true,"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"3"]}]},"stats":{"seriesFetched":"1","executionTimeMsec":2}}"#.into(),
        Evidence::Partial { value: Some(3.0), why: "isPartial: a part of the store did not answer".into() })]
    #[case::whole_by_victoria_metrics(200, r#"{"status":"success","isPartial":false,"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"3"]}]},"stats":{"seriesFetched":"1","executionTimeMsec":2}}"#.into(), Evidence::Value(3.0))]
    #[case::partial_by_both(200, r#"{"status":"success","isPartial":true,"warnings":["store a is away"],"data":{"resultType":"vector","result":[]}}"#.into(),
        Evidence::Partial { value: None, why: "store a is away; isPartial: a part of the store did not answer".into() })]
    #[case::neither_partial_nor_whole(200, r#"{"status":"success","isPartial":"yes","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"3"]}]}}"#.into(),
        Evidence::Invalid("the answer was not understood: invalid type: string \"yes\", expected a boolean".into()))]
    #[case::infos_are_no_warnings(200, r#"{"status":"success","infos":["metric might not be a counter"],"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"3"]}]}}"#.into(), Evidence::Value(3.0))]
    #[case::refused(400, r#"{"status":"error","errorType":"bad_data","error":"1:1: parse error"}"#.into(), Evidence::Invalid("1:1: parse error".into()))]
    #[case::not_executed(422, r#"{"status":"error","errorType":"execution","error":"many-to-many"}"#.into(), Evidence::Invalid("many-to-many".into()))]
    #[case::timed_out(503, r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#.into(), Evidence::Unreachable("HTTP 503: query timed out".into()))]
    #[case::minus_infinite(200, vector(r#"[{"metric":{},"value":[1,"-Inf"]}]"#), Evidence::Invalid("infinity for the query".into()))]
    #[case::several(200, vector(TWO), Evidence::Invalid("several series answer for the query, where one number is needed".into()))]
    #[case::too_many_requests(429, r#"{"status":"error","error":"slow down"}"#.into(), Evidence::Unreachable("HTTP 429: slow down".into()))]
    #[case::too_many_requests_of_a_proxy(429, "slow down".into(), Evidence::Unreachable("HTTP 429".into()))]
    #[case::internal(500, r#"{"status":"error","errorType":"internal","error":"boom"}"#.into(), Evidence::Unreachable("HTTP 500: boom".into()))]
    #[case::a_proxy(502, "<html>Bad gateway</html>".into(), Evidence::Unreachable("HTTP 502".into()))]
    #[case::forbidden(403, "no".into(), Evidence::Invalid("HTTP 403".into()))]
    #[case::a_matrix(200, r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#.into(), Evidence::Invalid("the query answers ranges, not numbers".into()))]
    #[case::a_histogram(200, r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}"#.into(), Evidence::Invalid("the query answers histograms, not numbers".into()))]
    fn an_answer_becomes_evidence(#[case] code: u16, #[case] body: String, #[case] wanted: Evidence<f64>) {
        assert_eq!(parse(code, body.as_bytes()).single(Nan::NoData), wanted);
    }

    #[test]
    fn a_mistake_is_nan_where_it_is_no_empty_histogram() {
        let reply = parse(200, vector(r#"[{"metric":{},"value":[1,"NaN"]}]"#).as_bytes());
        assert_eq!(reply.single(Nan::Invalid), Evidence::Invalid("NaN for the query".into()));
    }

    #[test]
    fn series_that_lost_the_label_of_the_versions_are_no_figures() {
        let reply = parse(
            200,
            vector(r#"[{"metric":{"envoy_cluster_name":"httproute/shop/web/rule/0"},"value":[1,"3"]}]"#).as_bytes(),
        );
        let Evidence::Invalid(why) = reply.of_arm("service", "web", Nan::Invalid) else { panic!("{reply:?}") };
        assert!(why.contains("no series has the label \"service\""), "{why}");
    }

    #[rstest]
    #[case::of_that_moment(1_700_000_000_000, true)]
    #[case::a_clock_behind(1_700_000_055_000, true)]
    #[case::a_clock_before(1_699_999_945_000, true)]
    #[case::kept_for_minutes(1_700_000_300_000, false)]
    #[case::of_the_future(1_699_999_000_000, false)]
    fn an_answer_is_for_the_moment_that_was_asked_for(#[case] asked: i64, #[case] taken: bool) {
        let moment = Time(jiff::Timestamp::from_millisecond(asked).unwrap());
        let reply = Undated::new(parse(200, vector(TWO).as_bytes())).of(moment, Span::minutes(1));
        let evidence = reply.of_arm("service", "web", Nan::Invalid);
        assert_eq!(evidence.value().is_some(), taken, "{evidence:?}");
    }

    #[test]
    fn a_truncated_answer_is_no_figure() {
        let whole = vector(TWO);
        for end in 0..whole.len() {
            let reply = parse(200, &whole.as_bytes()[..end]);
            assert!(matches!(reply, Reply::Invalid(_)), "{reply:?}");
        }
    }

    #[test]
    fn nonsense_is_invalid_and_never_a_number() {
        for body in [
            "",
            "null",
            "{}",
            "[1]",
            r#"{"status":"success"}"#,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"x"]}]}}"#,
        ] {
            assert!(matches!(parse(200, body.as_bytes()).single(Nan::NoData), Evidence::Invalid(_)), "{body}");
        }
    }
}
