//! What single fields of a schema do.

use rstest::rstest;
use serde_json::{Value, json};

use crate::sandbox::schema::Schemas;

/// A kind `Thing` whose `spec` has this schema.
fn things(spec: Value) -> Result<Schemas, String> {
    let mut schemas = Schemas::default();
    let root = json!({"type": "object", "properties": {"spec": spec}});
    schemas.install(&json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "things.a.io"},
        "spec": {
            "group": "a.io", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": root}}],
        },
    }))?;
    Ok(schemas)
}

fn thing(spec: Value) -> Value {
    json!({"apiVersion": "a.io/v1", "kind": "Thing", "metadata": {"name": "a", "labels": {"x": "y"}}, "spec": spec})
}

fn answer(schema: Value, spec: Value, old: Option<Value>) -> String {
    let errors = things(schema).unwrap().validate("a.io", "Thing", &thing(spec), old.map(thing).as_ref());
    errors.iter().map(|error| format!("{}: {}", error.field, error.message)).collect::<Vec<_>>().join("\n")
}

#[rstest]
#[case::a_type(json!({"type": "integer"}), json!("5"), r#"spec: Invalid value: "string": spec in body must be of type integer: "string""#)]
#[case::a_fraction(json!({"type": "integer"}), json!(1.5), r#"spec: Invalid value: "number": spec in body must be of type integer: "number""#)]
#[case::a_whole_double(json!({"type": "integer"}), json!(5.0), "")]
#[case::null(json!({"type": "string"}), json!(null), r#"spec: Invalid value: "null": spec in body must be of type string: "null""#)]
#[case::null_where_it_may(json!({"type": "string", "nullable": true}), json!(null), "")]
#[case::required(json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}), json!({}), "spec.a: Required value")]
#[case::too_few(json!({"type": "array", "items": {"type": "string"}, "minItems": 2}), json!(["a"]), "spec: Invalid value: 1: spec in body should have at least 2 items")]
#[case::too_many(json!({"type": "array", "items": {"type": "string"}, "maxItems": 1}), json!(["a", "b"]), "spec: Too many: 2: must have at most 1 item")]
#[case::too_short(json!({"type": "string", "minLength": 1}), json!(""), r#"spec: Invalid value: "": spec in body should be at least 1 chars long"#)]
#[case::letters_not_bytes(json!({"type": "string", "maxLength": 3}), json!("äöü"), "")]
#[case::too_long(json!({"type": "string", "maxLength": 2}), json!("abc"), "spec: Too long: may not be more than 2 bytes")]
#[case::above(json!({"type": "number", "minimum": 0, "exclusiveMinimum": true}), json!(0), "spec: Invalid value: 0: spec in body should be greater than 0")]
#[case::below(json!({"type": "number", "maximum": 1}), json!(1.5), "spec: Invalid value: 1.5: spec in body should be less than or equal to 1")]
#[case::multiple(json!({"type": "integer", "multipleOf": 5}), json!(7), "spec: Invalid value: 7: spec in body should be a multiple of 5")]
#[case::date_time(json!({"type": "string", "format": "date-time"}), json!("yesterday"), r#"spec: Invalid value: "yesterday": spec in body must be of type date-time: "yesterday""#)]
#[case::set(json!({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}), json!(["a", "a"]), r#"spec[1]: Duplicate value: "a""#)]
#[case::map_of_numbers(json!({"type": "object", "additionalProperties": {"type": "integer"}}), json!({"a": 1, "b": "x"}), r#"spec[b]: Invalid value: "string": spec[b] in body must be of type integer: "string""#)]
#[case::int_or_string(json!({"x-kubernetes-int-or-string": true}), json!(true), r#"spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean""#)]
#[case::int_or_string_fits(json!({"x-kubernetes-int-or-string": true}), json!("25%"), "")]
#[case::one_of(json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}), json!({}), r#"spec: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found none valid"#)]
#[case::any_of(json!({"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"required": ["a"]}]}), json!({"a": "x"}), "")]
#[case::not(json!({"type": "string", "not": {"enum": ["a"]}}), json!("a"), r#"spec: Invalid value: "": "spec" must not validate the schema (not)"#)]
#[case::rule(json!({"type": "integer", "x-kubernetes-validations": [{"rule": "self > 5"}]}), json!(3), "spec: Invalid value: 3: failed rule: self > 5")]
#[case::message_expression(json!({"type": "integer", "x-kubernetes-validations": [{"rule": "self > 5", "messageExpression": "'not ' + string(self)"}]}), json!(3), "spec: Invalid value: 3: not 3")]
#[case::broken_message(json!({"type": "integer", "x-kubernetes-validations": [{"rule": "self > 5", "message": "more", "messageExpression": "self.x"}]}), json!(3), "spec: Invalid value: 3: more")]
#[case::reason_and_path(json!({"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-validations": [{"rule": "has(self.a)", "message": "give it", "reason": "FieldValueRequired", "fieldPath": ".a"}]}), json!({}), "spec.a: Required value: give it")]
#[case::rule_with_an_error(json!({"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-validations": [{"rule": "self.a == 'x'"}]}), json!({}), r#"spec: Invalid value: "object": no such key: a evaluating rule: self.a == 'x'"#)]
fn a_value_is_judged(#[case] schema: Value, #[case] spec: Value, #[case] expected: &str) {
    assert_eq!(answer(schema, spec, None), expected);
}

#[test]
fn rules_are_left_out_where_the_object_is_wrong() {
    let schema = json!({"type": "object", "required": ["a"], "x-kubernetes-validations": [{"rule": "self.a == 'x'"}],
        "properties": {"a": {"type": "string"}}});
    let told = answer(schema, json!({}), None);
    assert!(
        told.starts_with("spec.a: Required value\n<nil>: Invalid value: null: some validation rules were not checked")
    );
}

#[test]
fn transition_rules_count_at_updates_only() {
    let schema =
        json!({"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "fixed"}]});
    assert_eq!(answer(schema.clone(), json!("a"), None), "");
    assert_eq!(answer(schema.clone(), json!("a"), Some(json!("a"))), "");
    assert_eq!(answer(schema, json!("b"), Some(json!("a"))), r#"spec: Invalid value: "b": fixed"#);
}

#[test]
fn an_optional_old_self_counts_at_creation_too() {
    let rule = "oldSelf.hasValue() ? self >= oldSelf.value() : self == 0";
    let schema = json!({"type": "integer", "x-kubernetes-validations": [{"rule": rule, "message": "up", "optionalOldSelf": true}]});
    assert_eq!(answer(schema.clone(), json!(1), None), "spec: Invalid value: 1: up");
    assert_eq!(answer(schema.clone(), json!(3), Some(json!(2))), "");
    assert_eq!(answer(schema, json!(1), Some(json!(2))), "spec: Invalid value: 1: up");
}

#[test]
fn what_did_not_change_is_not_judged_again() {
    let schema =
        json!({"type": "object", "properties": {"old": {"type": "string", "maxLength": 1}, "new": {"type": "string"}}});
    assert_eq!(
        answer(schema, json!({"old": "too long", "new": "b"}), Some(json!({"old": "too long", "new": "a"}))),
        ""
    );
}

#[test]
fn items_of_keyed_lists_are_compared_with_those_of_their_key() {
    let schema = json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
            "x-kubernetes-validations": [{"rule": "self.size >= oldSelf.size", "message": "grows only"}]}});
    let old = json!([{"name": "a", "size": 1}, {"name": "b", "size": 2}]);
    let new = json!([{"name": "b", "size": 1}, {"name": "a", "size": 1}, {"name": "c", "size": 0}]);
    assert_eq!(answer(schema, new, Some(old)), "spec[0]: Invalid value: grows only");
}

#[test]
fn defaults_are_set_and_unknown_fields_taken_out() {
    let schemas = things(json!({
        "type": "object",
        "properties": {
            "size": {"type": "integer", "default": 3},
            "nullable": {"type": "string", "nullable": true, "default": "x"},
            "plain": {"type": "string"},
            "inner": {"type": "object", "default": {}, "properties": {"deep": {"type": "string", "default": "d"}}},
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "template": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object"}}},
        },
    }))
    .unwrap();
    let mut object = thing(json!({
        "size": null, "nullable": null, "plain": null, "list": [{"b": 1}, {"a": 2}], "free": {"any": {"thing": 1}},
        "labels": {"k": "v"}, "stray": 1,
        "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "status": {}, "spec": {"x": 1}},
    }));
    let unknown = schemas.unknown_fields("a.io", "Thing", &object);
    assert_eq!(unknown, ["spec.list[0].b", "spec.stray", "spec.template.spec.x", "spec.template.status"]);
    schemas.default_and_prune("a.io", "Thing", &mut object);
    assert_eq!(
        object,
        thing(json!({
            "size": 3, "nullable": null, "inner": {"deep": "d"}, "list": [{"a": 1}, {"a": 2}], "free": {"any": {"thing": 1}},
            "labels": {"k": "v"},
            "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}},
        }))
    );
}

#[rstest]
#[case::rule(json!({"type": "string", "x-kubernetes-validations": [{"rule": "self =="}]}), "spec.versions[0].schema.openAPIV3Schema.properties[spec]: Invalid value: self ==: ")]
#[case::pattern(json!({"type": "string", "pattern": "["}), "'[' is no regular expression")]
#[case::a_type(json!({"type": "text"}), "properties[spec].type: Unsupported value: \"text\"")]
fn a_wrong_schema_is_refused(#[case] schema: Value, #[case] expected: &str) {
    let why = things(schema).unwrap_err();
    assert!(why.contains(expected), "{why}");
}

#[test]
fn unknown_kinds_stay_as_they_are() {
    let mut object = thing(json!({"x": 1}));
    Schemas::default().default_and_prune("a.io", "Thing", &mut object);
    assert_eq!(object, thing(json!({"x": 1})));
    assert!(Schemas::default().validate("a.io", "Thing", &object, None).is_empty());
}
