use rstest::rstest;
use serde_json::json;

use super::{AccessCheck, Program, Scope, Val};

fn eval(text: &str) -> String {
    let object = json!({
        "metadata": {"name": "shop", "labels": {"a-b": "c"}, "namespace": "prod"},
        "spec": {"weights": [5, 25, 100], "limit": 99.5, "at": "2026-01-05T00:00:00Z", "nothing": null},
    });
    let program = match Program::parse(text) {
        Ok(program) => program,
        Err(why) => return why.to_string(),
    };
    let variables = [
        ("one".to_owned(), Program::parse("1").unwrap()),
        ("broken".to_owned(), Program::parse("object.nowhere").unwrap()),
        ("round".to_owned(), Program::parse("variables.round + 1").unwrap()),
    ];
    let may = |check: &AccessCheck<'_>| check.verb == "bypass" && check.namespace == "prod";
    let scope = Scope::new(vec![("object", Val::from(&object))]).with_variables(&variables).with_authorizer(&may);
    match scope.eval(&program).and_then(|value| value.to_json()) {
        Ok(value) => value.to_string(),
        Err(why) => why.to_string(),
    }
}

#[rstest]
#[case::select("object.metadata.name", r#""shop""#)]
#[case::missing("object.metadata.annotations", "no such key: annotations")]
#[case::optional("object.metadata.?annotations.orValue({})", "{}")]
#[case::optional_chain("object.metadata.?annotations[?'x'].orValue('none')", r#""none""#)]
#[case::optional_deep("object.metadata.?labels[?'a-b'].orValue('none')", r#""c""#)]
#[case::optional_then_plain("object.?metadata.name.orValue('')", r#""shop""#)]
#[case::optionals_are_compared("object.?status == object.?nowhere && object.?spec != object.?status", "true")]
#[case::has("has(object.spec) && !has(object.status)", "true")]
#[case::and_absorbs_errors("object.nowhere == 1 && false", "false")]
#[case::or_absorbs_errors("object.nowhere == 1 || true", "true")]
#[case::and_tells_errors("object.nowhere == 1 && true", "no such key: nowhere")]
#[case::numbers_by_value("1 == 1.0 && object.spec.limit > 99 && 100 in [100.0]", "true")]
#[case::arithmetic("7 / 2 + 7 % 2 - 2 * 3", "-2")]
#[case::negative("-object.spec.limit", "-99.5")]
#[case::no_division_by_zero("1 / 0", "division by zero")]
#[case::overflow("9223372036854775807 + 1", "integer overflow")]
#[case::index("object.spec.weights[2]", "100")]
#[case::out_of_bounds("object.spec.weights[3]", "index out of bounds: 3")]
#[case::in_map("'a-b' in object.metadata.labels", "true")]
#[case::all("object.spec.weights.all(w, w > 0)", "true")]
#[case::all_with_index("object.spec.weights.all(i, w, i == 0 || object.spec.weights[i - 1] < w)", "true")]
#[case::exists_with_key("object.metadata.labels.exists(k, v, k == 'a-b' && v == 'c')", "true")]
#[case::exists_one("object.spec.weights.exists_one(w, w > 5)", "false")]
#[case::map_and_filter("object.spec.weights.map(w, w * 2).filter(w, w > 10)", "[50,200]")]
#[case::nested("[1, 2].map(a, [10, 20].map(b, a * b))", "[[10,20],[20,40]]")]
#[case::keys_in_order("{'b': 1, 'a': 2}.map(k, k)", r#"["a","b"]"#)]
#[case::index_of("object.spec.weights.indexOf(25)", "1")]
#[case::structs(
    "[JSONPatch{op: 'add', path: '/a/' + jsonpatch.escapeKey('b/c'), value: {}}]",
    r#"[{"op":"add","path":"/a/b~1c","value":{}}]"#
)]
#[case::unknown_struct("Thing{a: 1}", "undeclared reference to 'Thing'")]
#[case::matches("object.metadata.name.matches('^s[a-z]+p$')", "true")]
#[case::timestamps("timestamp(object.spec.at) < timestamp('2026-01-06T00:00:00Z')", "true")]
#[case::dates_are_timestamps(
    "object.spec.at + '' == object.spec.at && timestamp('2026-01-06T00:00:00Z') > object.spec.at",
    "true"
)]
#[case::later("timestamp(object.spec.at) + duration('24h') == timestamp('2026-01-06T00:00:00Z')", "true")]
#[case::library_of_kubernetes("quantity('1Gi').isGreaterThan(quantity('500Mi')) && [1, 2].isSorted()", "true")]
#[case::library_with_qualified_name("sets.contains([1, 2, 3], [1, 2])", "true")]
#[case::text("'%s-%d'.format(['a', 1]) + string(3) + 'A'.lowerAscii()", r#""a-13a""#)]
#[case::variables("variables.one + variables.one", "2")]
#[case::lazily("false && variables.broken", "false")]
#[case::broken_variable("variables.broken", "composited variable \"broken\" fails to evaluate: no such key: nowhere")]
#[case::authorizer(
    "authorizer.group('g').resource('r').namespace(object.metadata.namespace).check('bypass').allowed()",
    "true"
)]
#[case::not_authorized("authorizer.group('g').resource('r').check('bypass').allowed()", "false")]
#[case::undeclared("thing", "undeclared reference to 'thing'")]
#[case::unknown_function("frobnicate(1)", "Undeclared reference to 'frobnicate'")]
fn an_expression_has_its_value(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(eval(text), expected, "{text}");
}

#[test]
fn a_circle_of_variables_ends() {
    assert!(eval("variables.round").contains("defined by itself"));
}

#[test]
fn a_syntax_error_is_told() {
    assert!(eval("1 +").starts_with("1 +: "), "{}", eval("1 +"));
}

#[test]
fn escaped_fields_are_found() {
    let object = json!({"namespace": 1, "a-b": 2, "c.d": 3, "e__f": 4});
    let program =
        Program::parse("[self.__namespace__, self.a__dash__b, self.c__dot__d, self.e__underscores__f]").unwrap();
    let scope = Scope::new(vec![("self", Val::from(&object))]).with_escaped_fields();
    assert_eq!(scope.eval(&program).unwrap().to_json().unwrap(), json!([1, 2, 3, 4]));
}
