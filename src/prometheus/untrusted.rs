//! What must hold for any bytes that come back from a metrics source, for the fuzzer in `fuzz/` and for the tests here.

use serde_json::Value;

use super::range::{self, steps};
use super::reply::{Nan, Reply, Undated, parse};
use crate::analysis::Evidence;
use crate::api::{Span, Time};

/// Reads bytes as both kinds of answers that came with an HTTP status. The error says which figure came out of them though
/// nobody answered it.
pub fn read(code: u16, body: &[u8]) -> Result<(), String> {
    let answered = success(code, body);
    let reply = parse(code, body);
    if let Reply::Series { warning, .. } = &reply {
        let Some(warned) = answered else { return Err(format!("series from no success: {reply:?}")) };
        if warned != warning.is_some() {
            return Err(format!("warnings were lost: {reply:?}"));
        }
    }
    for evidence in [
        reply.single(Nan::NoData),
        reply.single(Nan::Invalid),
        reply.of_arm("service", "web", Nan::Invalid),
        Undated::new(reply.clone()).of(EPOCH, Span::seconds(1)).single(Nan::Invalid),
    ] {
        figure(&reply, &evidence)?;
    }
    match range::parse(code, body) {
        Ok(rows) if answered != Some(false) => Err(format!("ranges from no whole success: {rows:?}")),
        Ok(rows) => match steps(&rows, None, EPOCH, Span::minutes(1), 10) {
            Ok(values) if values.iter().flatten().any(|value| !value.is_finite()) => {
                Err(format!("a figure that is no number: {values:?}"))
            }
            Ok(_) | Err(_) => Ok(()),
        },
        Err(_) => Ok(()),
    }
}

const EPOCH: Time = Time(jiff::Timestamp::UNIX_EPOCH);

/// Whether an answer says of itself, under a status that agrees, that it is one, and then whether it warns.
fn success(code: u16, body: &[u8]) -> Option<bool> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let said = body.get("status").and_then(Value::as_str) == Some("success");
    let warned = body.get("warnings").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
    let warns = warned || body.get("isPartial").and_then(Value::as_bool).unwrap_or(false);
    (said && (200..300).contains(&code)).then_some(warns)
}

fn figure(reply: &Reply, evidence: &Evidence<f64>) -> Result<(), String> {
    match (reply, evidence) {
        (Reply::Series { warning: None, .. }, Evidence::Value(value)) if value.is_finite() => Ok(()),
        (_, Evidence::Value(value)) => Err(format!("the figure {value} from {reply:?}")),
        (_, Evidence::Partial { value: Some(value), .. }) if !value.is_finite() => {
            Err(format!("the figure {value} from {reply:?}"))
        }
        (_, Evidence::NoData(_) | Evidence::Partial { .. } | Evidence::Invalid(_) | Evidence::Unreachable(_)) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// Good answers of both kinds, and each way in which one is none.
    const SEEDS: [&str; 7] = [
        include_str!("../../fuzz/seeds/reply/vector.json"),
        include_str!("../../fuzz/seeds/reply/scalar.json"),
        include_str!("../../fuzz/seeds/reply/matrix.json"),
        include_str!("../../fuzz/seeds/reply/partial.json"),
        include_str!("../../fuzz/seeds/reply/partial-victoriametrics.json"),
        include_str!("../../fuzz/seeds/reply/not-numbers.json"),
        include_str!("../../fuzz/seeds/reply/error.json"),
    ];

    fn status() -> impl Strategy<Value = u16> {
        prop_oneof![Just(200_u16), Just(400), Just(422), Just(429), Just(500), Just(503), any::<u16>()]
    }

    /// Any JSON, of the words that stand in answers and of others.
    fn any_json() -> impl Strategy<Value = Value> {
        let word = prop::sample::select(vec![
            "status",
            "success",
            "error",
            "data",
            "resultType",
            "result",
            "vector",
            "matrix",
            "scalar",
            "string",
            "metric",
            "value",
            "values",
            "histogram",
            "warnings",
            "isPartial",
            "service",
            "web",
            "NaN",
            "+Inf",
            "-Inf",
            "1e999",
            "3",
            "",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            word.clone().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 48, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((word.clone(), inner), 0..5)
                    .prop_map(|pairs| pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            ]
        })
    }

    #[test]
    fn the_seeds_are_read() {
        let series = |body: &str| matches!(parse(200, body.as_bytes()), Reply::Series { .. });
        assert_eq!(SEEDS.map(series), [true, true, false, true, true, true, false]);
        for body in SEEDS {
            assert_eq!(read(200, body.as_bytes()), Ok(()), "{body}");
        }
    }

    #[test]
    fn bytes_that_are_no_json_are_no_answer_where_nobody_reads_them_either() {
        let head = br#"{"status":"success","data":{"resultType":"scalar","result":[0,"3"]},"infos":[""#;
        for skipped in [b"\x80".as_slice(), br"\ud800"] {
            let body = [head.as_slice(), skipped, b"\"]}"].concat();
            assert_eq!(parse(200, &body).single(Nan::Invalid).value(), None, "{skipped:?}");
        }
        assert_eq!(parse(200, &[head.as_slice(), b"\"]}"].concat()).single(Nan::Invalid).value(), Some(&3.0));
    }

    #[test]
    fn a_success_under_a_status_that_denies_it_is_none() {
        for code in [301, 400, 429, 500, 503] {
            let evidence = parse(code, SEEDS[1].as_bytes()).single(Nan::Invalid);
            assert_eq!(evidence.value(), None, "{code}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read(code in status(), body in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(read(code, &body), Ok(()));
        }

        #[test]
        fn any_json_is_read(code in status(), body in any_json()) {
            prop_assert_eq!(read(code, body.to_string().as_bytes()), Ok(()));
        }

        #[test]
        fn any_data_of_a_success_are_read(kind in prop::sample::select(vec!["vector", "matrix", "scalar", "string"]), result in any_json(), warnings in any_json(), partial in any::<bool>()) {
            let mut body = json!({"status": "success", "data": {"resultType": kind, "result": result}, "warnings": warnings});
            prop_assert_eq!(read(200, body.to_string().as_bytes()), Ok(()));
            body["isPartial"] = partial.into();
            prop_assert_eq!(read(200, body.to_string().as_bytes()), Ok(()));
        }

        #[test]
        fn a_good_answer_with_other_bytes_in_it_is_read(
            code in status(),
            seed in prop::sample::select(SEEDS.to_vec()),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 0..8),
        ) {
            let mut body = seed.as_bytes().to_vec();
            for (at, byte, how) in changes {
                let at = at.index(body.len() + 1);
                match how {
                    0 => body.insert(at, byte),
                    1 if at < body.len() => body[at] = byte,
                    1 => {}
                    _ => body.truncate(at),
                }
            }
            prop_assert_eq!(read(code, &body), Ok(()));
        }
    }
}
