//! What holds for any object, however odd.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::sandbox::schema::Schemas;

const KINDS: [&str; 4] = ["GatedRelease", "RiskBudget", "ReleaseRecord", "Attestation"];

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-200_i64..200).prop_map(Value::from),
        (-200.0..200.0).prop_map(Value::from),
        "[a-zA-Z0-9 .:-]{0,12}".prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "spec",
        "status",
        "metadata",
        "name",
        "strategy",
        "stages",
        "weight",
        "bake",
        "rollback",
        "errorRatePercent",
        "slos",
        "objective",
        "traffic",
        "service",
        "httpRoutes",
        "analysis",
        "window",
        "kind",
        "change",
        "outcome",
        "odd",
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let fields = prop::collection::vec((name.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            fields.prop_map(|fields| Value::Object(
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

fn object(spec: Value, status: Value) -> Value {
    let mut object = Map::new();
    object.insert("metadata".to_owned(), json!({"name": "a"}));
    object.insert("spec".to_owned(), spec);
    object.insert("status".to_owned(), status);
    Value::Object(object)
}

proptest! {
    #[test]
    fn defaulting_and_pruning_twice_is_as_once_and_leaves_nothing_unknown(spec in anything(), status in anything()) {
        let schemas = Schemas::tidegate().unwrap();
        for kind in KINDS {
            let mut once = object(spec.clone(), status.clone());
            schemas.default_and_prune("tidegate.io", kind, &mut once);
            let mut twice = once.clone();
            schemas.default_and_prune("tidegate.io", kind, &mut twice);
            prop_assert_eq!(&once, &twice);
            prop_assert_eq!(schemas.unknown_fields("tidegate.io", kind, &once), Vec::<String>::new());
        }
    }

    #[test]
    fn anything_is_judged_the_same_every_time_and_nothing_that_stayed(spec in anything(), status in anything()) {
        let schemas = Schemas::tidegate().unwrap();
        for kind in KINDS {
            let object = object(spec.clone(), status.clone());
            let errors = schemas.validate("tidegate.io", kind, &object, None);
            prop_assert_eq!(&errors, &schemas.validate("tidegate.io", kind, &object, None));
            prop_assert!(schemas.validate("tidegate.io", kind, &object, Some(&object)).is_empty());
        }
    }
}
