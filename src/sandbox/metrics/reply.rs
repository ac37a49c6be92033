//! Answers in the words of Prometheus's HTTP API.

use super::labels::Labels;
use super::points::Point;

/// What `/api/v1/query` answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status: 200, 400 for a query that cannot be read, 422 for one that cannot be executed.
    pub code: u16,
    /// The JSON.
    pub body: Vec<u8>,
}

/// Why a query has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// It cannot be read: `bad_data`.
    BadData(String),
    /// It can be read but not evaluated: `execution`.
    Execution(String),
}

/// The value of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Scalar(f64),
    Text(String),
    Vector(Vec<Sample>),
    Matrix(Vec<(Labels, Vec<Point>)>),
}

/// One number with its labels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) labels: Labels,
    pub(super) value: f64,
}

impl Reply {
    /// A query that has a value at a time, in milliseconds since 1970.
    pub(super) fn success<'a>(at: i64, value: &Value, warnings: impl IntoIterator<Item = &'a str>) -> Self {
        let at = timestamp(at);
        let list = |items: Vec<String>| format!("[{}]", items.join(","));
        let (kind, result) = match value {
            Value::Scalar(value) => ("scalar", format!("[{at},\"{}\"]", number(*value))),
            Value::Text(text) => ("string", format!("[{at},{}]", quoted(text))),
            Value::Vector(samples) => {
                let sample = |sample: &Sample| {
                    format!("{{\"metric\":{},\"value\":[{at},\"{}\"]}}", metric(&sample.labels), number(sample.value))
                };
                ("vector", list(samples.iter().map(sample).collect()))
            }
            Value::Matrix(series) => {
                let point = |point: &Point| format!("[{},\"{}\"]", timestamp(point.at), number(point.value));
                let one = |(labels, points): &(Labels, Vec<Point>)| {
                    format!("{{\"metric\":{},\"values\":{}}}", metric(labels), list(points.iter().map(point).collect()))
                };
                ("matrix", list(series.iter().map(one).collect()))
            }
        };
        let warnings: Vec<_> = warnings.into_iter().map(quoted).collect();
        let warnings = if warnings.is_empty() { String::new() } else { format!(",\"warnings\":{}", list(warnings)) };
        let body =
            format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"{kind}\",\"result\":{result}}}{warnings}}}");
        Self { code: 200, body: body.into_bytes() }
    }

    /// A query without one.
    pub(super) fn refused(why: &Problem) -> Self {
        match why {
            Problem::BadData(why) => Self::error(400, "bad_data", &format!("invalid parameter \"query\": {why}")),
            Problem::Execution(why) => Self::error(422, "execution", why),
        }
    }

    /// An answer that says that there is none.
    pub(super) fn error(code: u16, kind: &str, why: &str) -> Self {
        let body = format!("{{\"status\":\"error\",\"errorType\":{},\"error\":{}}}", quoted(kind), quoted(why));
        Self { code, body: body.into_bytes() }
    }
}

fn metric(labels: &Labels) -> String {
    let pairs: Vec<_> = labels.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

/// A JSON string as Go writes it, which keeps `<`, `>` and `&` out of web pages.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Seconds, with the milliseconds behind a point where there are any.
fn timestamp(millis: i64) -> String {
    let (sign, millis) = (if millis < 0 { "-" } else { "" }, millis.unsigned_abs());
    match (millis / 1_000, millis % 1_000) {
        (seconds, 0) => format!("{sign}{seconds}"),
        (seconds, rest) => format!("{sign}{seconds}.{rest:03}"),
    }
}

/// The shortest text that reads back as the number, with an exponent where Prometheus writes one.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        if size >= 1e21 { text.replace('e', "e+") } else { text }
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0.0, "0")]
    #[case(-0.0, "-0")]
    #[case(950.5, "950.5")]
    #[case(0.1 + 0.2, "0.30000000000000004")]
    #[case(1e20, "100000000000000000000")]
    #[case(1e21, "1e+21")]
    #[case(1.5e300, "1.5e+300")]
    #[case(0.000001, "0.000001")]
    #[case(0.0000001, "1e-7")]
    #[case(f64::NAN, "NaN")]
    #[case(f64::INFINITY, "+Inf")]
    #[case(f64::NEG_INFINITY, "-Inf")]
    fn numbers_are_written_as_prometheus_does(#[case] value: f64, #[case] text: &str) {
        assert_eq!(number(value), text);
    }

    #[rstest]
    #[case(1_700_000_000_000, "1700000000")]
    #[case(1_700_000_000_050, "1700000000.050")]
    #[case(-1_500, "-1.500")]
    fn times_are_seconds(#[case] millis: i64, #[case] text: &str) {
        assert_eq!(timestamp(millis), text);
    }

    #[test]
    fn the_bodies_are_those_of_the_api() {
        let labels = Labels::new(&[("service", "web"), ("path", "<a>\"")]);
        let vector = Value::Vector(vec![Sample { labels, value: 0.5 }]);
        let text = |reply: Reply| String::from_utf8(reply.body).unwrap();
        assert_eq!(
            text(Reply::success(1_000, &vector, ["store a is away"])),
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"path":"\u003ca\u003e\"","service":"web"},"value":[1,"0.5"]}]},"warnings":["store a is away"]}"#
        );
        assert_eq!(
            text(Reply::success(1_500, &Value::Scalar(3.0), [])),
            r#"{"status":"success","data":{"resultType":"scalar","result":[1.500,"3"]}}"#
        );
        let refused = Reply::refused(&Problem::BadData("parse error: no".to_owned()));
        assert_eq!(refused.code, 400);
        assert_eq!(
            text(refused),
            r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": parse error: no"}"#
        );
    }
}
