use rstest::rstest;

use super::{RULES, found, words};
use crate::classify::{ChangedFile, Content};

const OPENAPI: &str = "openapi: 3.0.3
info: {title: Shop, version: '1'}
security: [{key: []}]
paths:
  /items:
    get:
      operationId: items
      parameters:
      - {name: limit, in: query, schema: {type: integer}}
      responses:
        '200':
          description: all
          content: {application/json: {schema: {$ref: '#/components/schemas/Item'}}}
components:
  schemas:
    Item:
      type: object
      required: [id]
      properties:
        id: {type: string}
        note: {type: string, description: a note}
";

#[rstest]
#[case::a_description("description: all", "description: all of them", "docs")]
#[case::info("version: '1'", "version: '2'", "docs")]
#[case::an_operation(
    "  /items:\n",
    "  /items:\n    post: {responses: {'201': {description: made}}}\n",
    "api-new-endpoint"
)]
#[case::a_path(
    "paths:\n",
    "paths:\n  /users:\n    get: {responses: {'200': {description: all}}}\n",
    "api-new-endpoint"
)]
#[case::a_path_gone("  /items:", "  /things:", "api-new-endpoint,api-breaking")]
#[case::an_operation_gone("    get:", "    put:", "api-new-endpoint,api-breaking")]
#[case::a_parameter(
    "parameters:\n",
    "parameters:\n      - {name: page, in: query, schema: {type: integer}}\n",
    "api-compatible"
)]
#[case::a_parameter_that_must_be(
    "parameters:\n",
    "parameters:\n      - {name: page, in: query, required: true, schema: {type: integer}}\n",
    "api-breaking"
)]
#[case::a_parameter_of_another_type(
    "name: limit, in: query, schema: {type: integer}",
    "name: limit, in: query, schema: {type: string}",
    "api-breaking"
)]
#[case::a_field("        note:", "        extra: {type: string}\n        note:", "api-compatible")]
#[case::a_field_that_must_be("required: [id]", "required: [id, note]", "api-breaking")]
#[case::a_field_that_need_not_be("required: [id]", "required: []", "api-breaking")]
#[case::a_field_gone("        note: {type: string, description: a note}\n", "", "api-breaking")]
#[case::a_field_of_another_type("id: {type: string}", "id: {type: integer}", "api-breaking")]
#[case::who_may_call("security: [{key: []}]", "security: []", "authorization,api-breaking")]
#[case::another_status("        '200':", "        '204':", "api-compatible,api-breaking")]
#[case::what_cannot_be_told("operationId: items", "operationId: list", "api-breaking")]
#[case::broken("paths:", "paths: [", "api-breaking")]
fn openapi(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    assert!(OPENAPI.contains(from));
    assert_eq!(found("api/openapi.yaml", Some(OPENAPI), Some(&OPENAPI.replace(from, to))), expected);
}

#[rstest]
#[case::another_folder("web/public/shop.yaml", OPENAPI, "api-breaking")]
#[case::json("src/shop.json", "{\"openapi\": \"3.0.3\", \"paths\": {\"/items\": {}}}", "api-breaking")]
#[case::swagger("src/shop.yml", "swagger: '2.0'\npaths: {/items: {}}\n", "api-breaking")]
#[case::a_number("src/shop.yml", "swagger: 2.0\npaths: {/items: {}}\n", "api-breaking")]
#[case::configuration_too("config/shop.yaml", OPENAPI, "runtime-config,api-breaking")]
#[case::the_name_alone("config/openapi.yaml", "paths: {/items: {}}\n", "runtime-config")]
#[case::a_field_below("src/shop.yaml", "a:\n  openapi: 3.0.0\npaths: {/items: {}}\n", "unclassified-code")]
#[case::values_of_a_chart("src/shop.yaml", "swagger: {enabled: true}\npaths: {/items: {}}\n", "unclassified-code")]
fn openapi_is_known_by_what_it_says(#[case] path: &str, #[case] text: &str, #[case] expected: &str) {
    assert_eq!(
        found(path, Some(text), Some(&text.replace("/items", "/things"))).replace("api-new-endpoint,", ""),
        expected
    );
}

#[rstest]
#[case::yaml("openapi: 3.0.0\npaths: [\n", "api-breaking")]
#[case::json("{\n  \"swagger\": \"2.0\",\n  \"paths\": [\n", "api-breaking")]
#[case::on_one_line("{\"a\": [], \"openapi\":\"3.0.0\", ", "api-breaking")]
#[case::the_second_document("a: 1\n---\nopenapi: 3.0.0\n", "api-breaking")]
#[case::a_template("a: {{ b }}\nc:\n  swagger: {{ d }}\n  e: [\n", "unclassified-code")]
fn openapi_that_cannot_be_read(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(found("src/shop.yaml", None, Some(text)), expected);
}

#[rstest]
#[case("api/shop.yaml", "api-breaking")]
#[case("src/Swagger.json", "api-breaking")]
#[case("src/shop.json", "unclassified-code")]
fn openapi_that_is_no_text(#[case] path: &str, #[case] expected: &str) {
    let mut file = ChangedFile::of_texts(path, None, None);
    file.after = Content::Opaque;
    assert_eq!(RULES.with(|rules| words(rules, &[file])), expected);
}

#[test]
fn a_file_in_api_that_is_no_openapi_is_not_taken_for_one() {
    assert_eq!(found("api/other.yaml", Some("a: 1"), Some("a: 2")), "unclassified-code");
    assert_eq!(found("api/other.yaml", None, Some("a: 2")), "unclassified-code");
    assert_eq!(found("api/openapi.yaml", Some(OPENAPI), None), "authorization,api-breaking");
}

const PROTO: &str = "syntax = \"proto3\";
package shop;
message Item {
  string id = 1;
  oneof kind { string a = 2; string b = 3; }
  reserved 9;
}
enum Color { RED = 0; }
service Shop { rpc Get (Item) returns (Item); }
";

#[rstest]
#[case::a_comment("message Item {", "// what it is\nmessage Item {", "docs")]
#[case::a_field("reserved 9;", "reserved 9; string note = 4;", "payload-compatible")]
#[case::a_field_gone("  string id = 1;\n", "", "payload-breaking")]
#[case::another_number("id = 1", "id = 5", "payload-compatible,payload-breaking")]
#[case::another_name("string id", "string key", "payload-breaking")]
#[case::another_type("string id", "int64 id", "payload-breaking")]
#[case::repeated("string id", "repeated string id", "payload-breaking")]
#[case::a_case_of_a_oneof("string b = 3;", "string b = 3; string c = 4;", "payload-breaking")]
#[case::a_number_is_free_again("  reserved 9;\n", "", "payload-breaking")]
#[case::a_value("RED = 0;", "RED = 0; BLUE = 1;", "payload-compatible")]
#[case::a_value_gone("RED = 0;", "BLUE = 0;", "payload-compatible,payload-breaking")]
#[case::a_method("rpc Get", "rpc Put (Item) returns (Item); rpc Get", "api-new-endpoint")]
#[case::a_method_gone("rpc Get (Item) returns (Item);", "", "api-breaking")]
#[case::a_stream("returns (Item)", "returns (stream Item)", "api-breaking")]
#[case::deprecated("string id = 1;", "string id = 1 [deprecated = true];", "docs")]
#[case::another_package("package shop;", "package store;", "payload-breaking")]
#[case::broken("message Item {", "message {", "payload-breaking")]
fn protobuf(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    assert!(PROTO.contains(from));
    assert_eq!(found("proto/shop.proto", Some(PROTO), Some(&PROTO.replacen(from, to, 1))), expected);
}

const GRAPHQL: &str = "type Query { item(id: ID!): Item }
type Item { id: ID! note: String }
input New { id: ID! }
enum Color { RED }
";

#[rstest]
#[case::a_description("type Item", "\"what it is\" type Item", "docs")]
#[case::a_field("note: String", "note: String more: Int", "api-compatible")]
#[case::an_entry("type Query {", "type Query { items: [Item]", "api-new-endpoint")]
#[case::a_field_gone("note: String", "", "api-breaking")]
#[case::another_type("note: String", "note: Int", "api-breaking")]
#[case::an_argument("id: ID!)", "id: ID! at: Int)", "api-compatible")]
#[case::an_argument_that_must_be("id: ID!)", "id: ID! at: Int!)", "api-breaking")]
#[case::with_a_default("id: ID!)", "id: ID! at: Int! = 1)", "api-compatible")]
#[case::an_input_that_must_be("input New {", "input New { a: Int!", "api-breaking")]
#[case::a_value("RED", "RED BLUE", "api-breaking")]
#[case::a_directive("note: String", "note: String @auth", "api-breaking")]
#[case::deprecated("note: String", "note: String @deprecated(reason: \"x\")", "docs")]
#[case::a_type("input New", "type Other { a: Int } input New", "api-compatible")]
#[case::broken("type Item {", "type {", "api-breaking")]
fn graphql(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    assert!(GRAPHQL.contains(from));
    assert_eq!(found("src/schema.graphql", Some(GRAPHQL), Some(&GRAPHQL.replacen(from, to, 1))), expected);
}

const JSON: &str = r#"{"$schema": "x", "type": "object", "required": ["id"], "additionalProperties": true,
  "properties": {"id": {"type": "string", "enum": ["a"]}, "list": {"type": "array", "items": {"type": "string"}}}}"#;

#[rstest]
#[case::described(r#""type": "string", "enum""#, r#""description": "x", "type": "string", "enum""#, "docs")]
#[case::a_property(r#""properties": {"#, r#""properties": {"b": {"type": "string"}, "#, "payload-compatible")]
#[case::a_property_that_is_called_description(
    r#""properties": {"#,
    r#""properties": {"description": {"type": "string"}, "#,
    "payload-compatible"
)]
#[case::another_value(r#"["a"]"#, r#"["a", "b"]"#, "payload-breaking")]
#[case::items(r#""items": {"type": "string"}"#, r#""items": {"type": "integer"}"#, "payload-breaking")]
#[case::required(r#"["id"]"#, r#"["id", "list"]"#, "payload-breaking")]
#[case::closed(r#""additionalProperties": true"#, r#""additionalProperties": false"#, "payload-breaking")]
fn json_schema(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    assert!(JSON.contains(from));
    assert_eq!(found("schemas/a.json", Some(JSON), Some(&JSON.replacen(from, to, 1))), expected);
}

#[test]
fn a_closed_object_takes_no_new_property() {
    let closed = JSON.replace(r#""additionalProperties": true"#, r#""additionalProperties": false"#);
    let more = closed.replace(r#""properties": {"#, r#""properties": {"b": {"type": "string"}, "#);
    assert_eq!(found("schemas/a.json", Some(&closed), Some(&more)), "payload-breaking");
}

const AVRO: &str = r#"{"type": "record", "name": "A", "fields": [{"name": "id", "type": "string"}]}"#;

#[rstest]
#[case::documented(r#""name": "A""#, r#""doc": "x", "name": "A""#, "docs")]
#[case::with_a_default("[{", r#"[{"name": "b", "type": "int", "default": 0}, {"#, "payload-compatible")]
#[case::without("[{", r#"[{"name": "b", "type": "int"}, {"#, "payload-breaking")]
#[case::another_type(r#""type": "string""#, r#""type": "bytes""#, "payload-breaking")]
#[case::another_name(r#""name": "A""#, r#""name": "B""#, "payload-breaking")]
#[case::gone(r#"{"name": "id", "type": "string"}"#, "", "payload-breaking")]
fn avro(#[case] from: &str, #[case] to: &str, #[case] expected: &str) {
    assert_eq!(found("events/a.avsc", Some(AVRO), Some(&AVRO.replacen(from, to, 1))), expected);
}
