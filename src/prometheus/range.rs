//! The answer of a query for every step of a range.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::reply::{Data, Opened, open};
use crate::analysis::NotYet;
use crate::api::{Span, Time};

/// The rows of an answer, or why there are none.
pub(super) type Range = Result<Vec<Row>, NotYet>;

/// One series.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Row {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    /// Moments in seconds since 1970, and the values there.
    #[serde(default)]
    values: Vec<(f64, String)>,
}

/// Reads an answer; a partial one is none, because a day with holes in it that nobody sees looks calm.
pub(super) fn parse(code: u16, body: &[u8]) -> Range {
    let Opened { data, warning } = open(code, body)?;
    if let Some(warning) = warning {
        return Err(NotYet::Partial(warning));
    }
    match data {
        Some(Data::Matrix(rows)) => Ok(rows),
        Some(Data::Vector(_) | Data::Scalar(_) | Data::String(_)) => {
            Err(NotYet::Invalid("the answer has no ranges".to_owned()))
        }
        None => Err(NotYet::Invalid("the answer has no data".to_owned())),
    }
}

/// The values of the one row of an arm at `count` steps from `start`; None where there is no number. `arm` is a label and
/// its value; where it is None there must be one row in all.
pub(super) fn steps(
    rows: &[Row],
    arm: Option<(&str, &str)>,
    start: Time,
    step: Span,
    count: usize,
) -> Result<Vec<Option<f64>>, NotYet> {
    let is = |row: &&Row| arm.is_none_or(|(label, value)| row.metric.get(label).is_some_and(|have| have == value));
    let mut found = rows.iter().filter(is);
    let mut out = vec![None; count];
    let Some(row) = found.next() else { return Ok(out) };
    if found.next().is_some() {
        return Err(NotYet::Invalid("several series answer where one is needed".to_owned()));
    }
    let begins = start.0.as_millisecond() as f64 / 1_000.0;
    for (at, text) in &row.values {
        let index = ((at - begins) / step.as_secs_f64()).round();
        let value = text.parse().ok().filter(|value: &f64| value.is_finite());
        if let Some(place) = (index >= 0.0).then(|| out.get_mut(index as usize)).flatten() {
            *place = value;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"service":"web"},"values":[[1000,"5"],[1060,"NaN"],[1180,"7.5"],[1240,"+Inf"]]},
        {"metric":{"service":"web-canary"},"values":[[1000,"1"]]}]}}"#;

    fn start() -> Time {
        Time(jiff::Timestamp::from_second(1000).unwrap())
    }

    #[test]
    fn each_step_has_its_number_or_none() {
        let rows = parse(200, TWO.as_bytes()).unwrap();
        let web = steps(&rows, Some(("service", "web")), start(), Span::minutes(1), 6).unwrap();
        assert_eq!(web, [Some(5.0), None, None, Some(7.5), None, None]);
        let none = steps(&rows, Some(("service", "other")), start(), Span::minutes(1), 2).unwrap();
        assert_eq!(none, [None, None]);
        assert!(matches!(steps(&rows, None, start(), Span::minutes(1), 2), Err(NotYet::Invalid(_))), "two rows");
    }

    #[test]
    fn what_lies_outside_is_left_out() {
        let rows = parse(200, TWO.as_bytes()).unwrap();
        let later = start().plus(Span::minutes(2));
        assert_eq!(steps(&rows, Some(("service", "web")), later, Span::minutes(1), 1).unwrap(), [None]);
    }

    #[test]
    fn a_partial_or_other_answer_is_none() {
        let partial = TWO.replacen("\"data\"", "\"warnings\":[\"store a is away\"],\"data\"", 1);
        assert_eq!(parse(200, partial.as_bytes()), Err(NotYet::Partial("store a is away".into())));
        let of_victoria_metrics = TWO.replacen("\"data\"", "\"isPartial\":true,\"data\"", 1);
        assert!(matches!(parse(200, of_victoria_metrics.as_bytes()), Err(NotYet::Partial(_))));
        let vector = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;
        assert!(matches!(parse(200, vector.as_bytes()), Err(NotYet::Invalid(_))));
        assert!(matches!(parse(503, b"busy"), Err(NotYet::Unreachable(_))));
        assert!(matches!(parse(422, br#"{"status":"error","error":"too many points"}"#), Err(NotYet::Invalid(_))));
    }
}
