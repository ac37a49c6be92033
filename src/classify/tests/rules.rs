//! The default rules: for each a path or a content that it finds, and neighbours that it leaves alone.

use std::collections::BTreeSet;

use rstest::rstest;

use super::found;
use crate::classify::{ChangedFile, Rules, classify};

/// One line a case: a rule of the default set, a new file, its text (`\n` ends a line of it), and all the categories of
/// that file.
const TABLE: &str = r##"
docs | docs/guide.md | # Guide | docs
docs | LICENSE | text | docs
docs | docs/notes.txt | prose | docs
repository-metadata | .gitignore | target | metadata
tests | src/auth/login_test.go | package auth | non-executed-code
tests | tests/api.rs | fn main() {} | non-executed-code
tests | app/src/test/java/A.java | class A {} | non-executed-code
tests | src/shop/tests/test_login.py | run() | non-executed-code
tests | app/conftest.py | run() | non-executed-code
tests | src/auth/__tests__/login.ts | run() | non-executed-code
tests | src/auth/login.spec.ts | run() | non-executed-code
tests | src/auth/tests/login.rs | fn a() {} | non-executed-code
tests | src/snapshots/auth.snap | a | non-executed-code
tests | shop/src/it/java/LoginTest.java | class A {} | non-executed-code
tests | src/Shop.Tests/LoginTests.cs | class A {} | non-executed-code
tests | app/spec/models/user_spec.rb | run | non-executed-code
tests | internal/auth/testdata/a.go | package a | non-executed-code
test-folders | tests/helpers/auth.py | run() | non-executed-code
test-folders | test/fixtures/auth.js | run() | non-executed-code
test-folders | services/shop/tests/auth.ts | run() | non-executed-code
test-folders | spec/support/auth.rb | run | non-executed-code
sql-migrations | db/migrations/0001_users.sql | CREATE TABLE users (id int); | schema-migration-additive
sql-migrations | db/V3__x.sql | DROP TABLE users; | schema-migration-breaking
sql-migrations | prisma/migrations/2026_x/migration.sql | UPDATE users SET a = 1; | backfill
alembic-migrations | alembic/versions/1_a.py | def upgrade():\n    op.drop_column('a', 'b')\n | schema-migration-breaking
django-migrations | shop/migrations/0002_a.py | operations = [migrations.CreateModel(name='A')] | schema-migration-additive
rails-migrations | db/migrate/1_a.rb | class A\n  def change\n    add_column :a, :b, :string\n  end\nend\n | schema-migration-additive
liquibase-changelogs | src/db/changelog/1.yaml | databaseChangeLog:\n- changeSet: {id: 1, author: a, changes: [{dropTable: {tableName: a}}]}\n | schema-migration-breaking
other-migrations | migrations/20260101_a.js | exports.up = (knex) => knex.schema.createTable('a') | schema-migration-breaking
other-migrations | internal/migration/7_a.go | package migration | schema-migration-breaking
other-migrations | src/Migrations/20260101_A.cs | class A {} | schema-migration-breaking
other-migrations | migrations/env.py | run() | schema-migration-breaking
other-migrations | shop/migrations/add_a.py | run() | schema-migration-breaking
other-sql | db/deploy/a.sql | CREATE TABLE a (b int); | schema-migration-additive
other-sql | db/deploy/a.sql | ALTER TABLE a OWNER TO b; | schema-migration-breaking
other-sql | sql/a.sql | DO $$ BEGIN EXECUTE 'x'; END $$; | schema-migration-breaking
data-models | app/models/user.rb | class User\nend | data-model
batch-jobs | jobs/backfill/users.py | run() | backfill
data-retention | app/retention_policy.py | DAYS = 30 | data-retention
personal-data | src/gdpr/export.py | run() | pii
personal-data-lines | src/x.py | a = user.date_of_birth | unclassified-code,pii
authentication | src/auth/token.rs | fn a() {} | authentication
authorization | policies/shop.rego | package shop | authorization
permission-checks | src/x.py | if has_permission(user): | unclassified-code,permissions
secrets | ops/sealed-secrets/a.yaml | kind: SealedSecret | secrets
key-handling | src/kms/rotate.go | package kms | key-handling
encryption | src/crypto/seal.rs | fn a() {} | encryption
encryption-lines | src/x.go | mac := hmac.New(h, key) | unclassified-code,encryption
payments | src/payments/capture.py | run() | payments
queues | src/kafka/reader.go | package kafka | queue
queue-lines | src/x.js | channel.prefetch(10) | unclassified-code,queue
concurrency-lines | src/x.rs | let a = Mutex::new(1); | unclassified-code,concurrency
terraform | infra/main.tf | locals {} | infrastructure
other-iac | Pulumi.yaml | name: a | infrastructure
helm | charts/shop/templates/a.yaml | a: {{ .Values.a }} | infrastructure
kubernetes | deploy/app.yaml | kind: Deployment | infrastructure
containers | Dockerfile | CMD ["a"] | infrastructure
base-image | Dockerfile | FROM alpine:3 | dependency-major,infrastructure
ci | .github/workflows/ci.yml | on: push | infrastructure
ci | .tidegate.yaml | switchedOff: [ui] | infrastructure
networking | ops/networkpolicy.yaml | a: b | networking
networking-lines | k8s/a.yaml | kind: NetworkPolicy | infrastructure,networking
load-balancers | ops/nginx.conf | server {} | load-balancer
load-balancer-lines | k8s/svc.yaml | spec:\n  type: LoadBalancer | infrastructure,load-balancer
dns | ops/coredns.yaml | a: b | dns
dns-lines | main.tf | resource "aws_route53_record" "a" {} | infrastructure,dns
autoscaling | ops/hpa.yaml | a: b | autoscaling
autoscaling-lines | k8s/a.yaml |   maxReplicas: 4 | infrastructure,autoscaling
cluster-permissions | ops/rbac.yaml | a: b | authorization,permissions
cluster-permission-lines | k8s/a.yaml | kind: ClusterRole | permissions,infrastructure
platform-wide | crds/a.yaml | a: b | platform-wide
platform-wide-lines | k8s/a.yaml | kind: StorageClass | infrastructure,platform-wide
runtime-config | src/main/resources/application.yml | a: b | runtime-config
feature-flags | ops/flags/shop.json | {} | feature-flag
feature-flag-lines | src/x.ts | if (useFlag('a')) b() | unclassified-code,feature-flag
openapi | api/openapi.yaml | openapi: 3.1.0\npaths:\n  /a: {get: {responses: {'200': {description: a}}}}\n | api-compatible,api-new-endpoint
protobuf | proto/a.proto | syntax = "proto3"; message A { string b = 1; } | payload-compatible
graphql | src/schema.graphql | type A { b: Int } | api-compatible
json-schemas | schemas/a.schema.json | {"$schema": "x", "type": "object"} | payload-compatible
avro | events/a.avsc | {"type": "record", "name": "A", "fields": []} | payload-compatible
other-interfaces | api/a.thrift | struct A {} | payload-breaking
cargo-manifest | Cargo.toml | [dependencies]\na = "1"\n | dependency-major
toml-locks | poetry.lock | [[package]]\nname = "a"\nversion = "1.0"\n | dependency-major
npm-manifest | package.json | {"dependencies": {"a": "^1.0.0"}} | dependency-major
npm-lock | package-lock.json | {"packages": {"node_modules/a": {"version": "1.0.0"}}} | dependency-major
pnpm-lock | pnpm-lock.yaml | packages:\n  a@1.0.0: {}\n | dependency-major
yarn-lock | yarn.lock | a@^1.0.0:\n  version "1.0.0"\n  resolved "https://r/a.tgz"\n | dependency-major
go-modules | go.mod | module a\nrequire b v1.0.0\n | dependency-major
go-sums | go.sum | b v1.0.0 h1:x=\n | dependency-major
pip-requirements | requirements.txt | a==1.0\n | dependency-major
pyproject | pyproject.toml | [project]\ndependencies = ["a==1.0"]\n | dependency-major
maven | pom.xml | <project><dependencies><dependency><groupId>a</groupId><artifactId>b</artifactId><version>1.0</version></dependency></dependencies></project> | dependency-major
gradle-locks | gradle.lockfile | a:b:1.0=runtimeClasspath\n | dependency-major
gradle-catalogs | gradle/libs.versions.toml | [libraries]\na = "g:a:1.0"\n | dependency-major
gemfile-lock | Gemfile.lock | GEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0)\n | dependency-major
composer-manifest | composer.json | {"require": {"a/b": "^1.0"}} | dependency-major
composer-lock | composer.lock | {"packages": [{"name": "a/b", "version": "1.0"}], "packages-dev": []} | dependency-major
other-dependencies | Gemfile | gem 'a' | dependency-major
vendored | vendor/a/b.c | int a; | dependency-major
build-script-dependencies | build.gradle | implementation 'a:b:1' | unclassified-code,dependency-major
ui | web/app.css | a {} | ui
dashboards-and-alerts | grafana/a.json | {} | telemetry
"##;

/// The cases of [`TABLE`].
fn cases() -> impl Iterator<Item = (&'static str, &'static str, String, &'static str)> {
    TABLE.lines().filter(|line| !line.is_empty()).map(|line| {
        let [rule, path, text, expected] = line.split(" | ").collect::<Vec<_>>().try_into().unwrap();
        (rule, path, text.replace("\\n", "\n"), expected)
    })
}

#[test]
fn each_default_rule_finds_what_it_is_for() {
    let rules = Rules::shipped().unwrap();
    for (rule, path, text, expected) in cases() {
        let report = classify(&rules, &[ChangedFile::of_texts(path, None, Some(&text))]);
        assert!(report.evidence.iter().any(|one| one.rule == rule), "{rule} did not see {path}: {:?}", report.evidence);
        assert_eq!(report.words(), expected, "{path}: {:?}", report.evidence);
    }
}

#[test]
fn each_default_rule_is_in_the_table() {
    let tried: BTreeSet<&str> = cases().map(|(rule, ..)| rule).collect();
    let elsewhere = BTreeSet::from(["telemetry-only", "telemetry-removal", "dashboards-and-alerts-removal"]);
    let rules = Rules::shipped().unwrap();
    let missing: Vec<&str> = rules
        .all()
        .map(|rule| rule.name.as_str())
        .filter(|name| !tried.contains(name) && !elsewhere.contains(name))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[rstest]
#[case::go("src/x.go", "func a() {\n\tb(c)\n", "\tlog.Info(\"a\", b)\n", "\td()\n}\n")]
#[case::go_after_a_brace("src/x.go", "func a() {\n", "\tlog.Info(\"a\")\n", "\td()\n}\n")]
#[case::java("A.java", "  if (x) {\n", "    log.info(\"a\");\n", "    b();\n  }\n")]
#[case::java_after_a_comment("A.java", "  b();\n  // if (x)\n\n", "  log.info(\"a\");\n", "}\n")]
#[case::several("a.ts", "b();\n", "console.log('a');\n\nconsole.log('c');\n", "d();\n")]
#[case::rust("src/x.rs", "fn a() {\n    b();\n", "    log::info!(\"a\");\n", "    c()\n}\n")]
#[case::python("x.py", "def a():\n    b(\n        c,\n    )\n", "    log.info('a')\n", "    return c\n")]
#[case::python_at_the_end("x.py", "if a:\n    b()\n", "    log.info('a')\n", "")]
fn a_log_line_that_is_a_statement_of_its_own(
    #[case] path: &str,
    #[case] head: &str,
    #[case] line: &str,
    #[case] tail: &str,
) {
    assert_eq!(found(path, Some(&[head, tail].concat()), Some(&[head, line, tail].concat())), "telemetry");
}

#[rstest]
#[case::body_of_an_if("A.java", "if (x)\n", "log.info(\"a\");\n", "b();\n")]
#[case::body_of_an_if_with_a_comment("A.java", "if (x) // b;\n", "log.info(\"a\");\n", "b();\n")]
#[case::body_of_an_if_before_a_comment("A.java", "if (x)\n// b;\n\n", "log.info(\"a\");\n", "b();\n")]
#[case::body_of_an_else("a.js", "if (x) {\n} else\n", "console.log('a');\n", "b();\n")]
#[case::body_of_a_for("a.ts", "for (const x of y)\n", "console.log('a');\n", "b(x);\n")]
#[case::head_of_a_for("a.js", "for (b();\n", "console.log('a')\n", "; ) c();\n")]
#[case::body_in_csharp("A.cs", "using (x)\n", "log.Info(\"a\");\n", "b();\n")]
#[case::called_by_the_next_line("a.js", "b();\n", "console.log('a')\n", "(function () {})();\n")]
#[case::before_a_directive("a.js", "function a() {\n", "console.log('a');\n", "'use strict';\n}\n")]
#[case::in_a_template("a.js", "const a = `\nb;\n", "console.log('a');\n", "`;\n")]
#[case::in_a_text_of_go("src/x.go", "var a = `\nb()\n", "log.Info(\"a\")\n", "b()\n`\n")]
#[case::operand_in_go("src/x.go", "a := b() + // c\n", "log.Info(\"a\")\n", "d()\n")]
#[case::value_in_ruby("a.rb", "def a\n  b;\n", "  logger.info(\"a\")\n", "end\n")]
#[case::value_in_scala("A.scala", "def a = {\n  { 1 }\n", "  log.info(\"a\")\n", "}\n")]
#[case::value_in_kotlin("A.kt", "b.map {\n  { 1 }\n", "  log.info(\"a\")\n", "}\n")]
#[case::text_in_php("a.php", "<?php b(); ?> {c}\n", "logger.info(\"a\")\n", "<?php d();\n")]
#[case::python_in_brackets("x.py", "a = (\n", "    log.info('a')\n", "    or b)\n")]
#[case::python_argument("x.py", "a(\n", "    log.info('a')\n", ")\n")]
#[case::python_carried_on("x.py", "a = b + \\\n", "log.info('a')\n", "c()\n")]
#[case::python_text("x.py", "a = '''\n", "log.info('a')\n", "b'''\n")]
#[case::python_document("x.py", "def a():\n", "    log.info('a')\n", "    'what it does'\n")]
fn a_log_line_that_may_take_the_place_of_something(
    #[case] path: &str,
    #[case] head: &str,
    #[case] line: &str,
    #[case] tail: &str,
) {
    let (without, with) = ([head, tail].concat(), [head, line, tail].concat());
    assert_eq!(found(path, Some(&without), Some(&with)), "unclassified-code");
    // Nor is it one that goes.
    let back = found(path, Some(&with), Some(&without));
    assert!(back.contains("unclassified-code"), "{back}");
}

#[test]
fn a_log_line_beside_something_else_is_code() {
    let text = "b();\nconsole.log('a');\n";
    assert_eq!(found("a.js", None, Some("console.log('a');\n")), "unclassified-code");
    let mut file = ChangedFile::of_texts("b.js", Some("b();\n"), Some(text));
    let more = "b();\nlog.info('a')\nc = '''\n\n'''\n";
    assert_eq!(found("x.py", Some("b();\nc = '''\n'''\n"), Some(more)), "unclassified-code");
    file.before_path = Some("a.txt".to_owned());
    assert_eq!(super::words(&Rules::shipped().unwrap(), &[file]), "unclassified-code");
}

#[rstest]
#[case::a_log_line_went("src/x.go", "log.Info(\"a\")\nb()\n", "b()\n", "telemetry-removal,unclassified-code")]
#[case::an_alert_went("alerts/a.yaml", "a: 1\nb: 2\n", "a: 1\n", "telemetry,telemetry-removal")]
#[case::a_log_line_that_does_something("src/x.go", "b()\n", "log.Info(charge())\nb()\n", "unclassified-code")]
#[case::a_log_line_and_more("src/x.go", "b()\n", "log.Info(\"a\")\nb()\nc()\n", "unclassified-code")]
#[case::what_no_rule_knows("src/x.zig", "a", "b", "unclassified-code")]
#[case::sql_that_asks("src/a.sql", "SELECT 1;", "SELECT 2; -- drop this", "unclassified-code")]
#[case::sql_that_changes_a_schema(
    "src/a.sql",
    "SELECT 1;",
    "SELECT 1; CREATE TABLE a (b int);",
    "schema-migration-breaking"
)]
#[case::sql_of_a_test("tests/a.sql", "DROP TABLE a;", "DROP TABLE b;", "unclassified-code")]
#[case::sql_that_cannot_be_read("src/a.sql", "SELECT 1;", "SELECT 'a\\'; DROP TABLE b", "schema-migration-breaking")]
#[case::the_package_of_migrations("shop/migrations/__init__.py", "a\n", "b\n", "unclassified-code")]
#[case::a_comment_in_a_migration("migrations/7.js", "a();\n", "// b\na();\n", "docs")]
#[case::text_that_may_be_a_list_of_rights("conf/acl.txt", "deny all\n", "allow all\n", "unclassified-code")]
#[case::prose_with_a_program("web/a.mdx", "a\n", "export const x = 1\n", "unclassified-code")]
fn lines_that_differ(#[case] path: &str, #[case] before: &str, #[case] after: &str, #[case] expected: &str) {
    let set = |words: &str| words.split(',').map(str::to_owned).collect::<BTreeSet<String>>();
    assert_eq!(set(&found(path, Some(before), Some(after))), set(expected));
}

#[rstest]
#[case("src/test_mode.py", "unclassified-code")]
#[case("src/ab_test.py", "unclassified-code")]
#[case("app/models/ab_test.rb", "data-model")]
#[case("app/models/job_spec.rb", "data-model")]
#[case("src/load_test.rs", "unclassified-code")]
#[case("app/fixtures/prices.py", "unclassified-code")]
#[case("fixtures/prices.py", "unclassified-code")]
#[case("testdata/prices.py", "unclassified-code")]
#[case("spec/auth/login.py", "authentication")]
#[case("src/spec/parser.ts", "unclassified-code")]
#[case("lib/spec/parser.rb", "unclassified-code")]
#[case("src/it/messages.ts", "unclassified-code")]
#[case("src/test/mode.ts", "unclassified-code")]
#[case("src/quiz/tests/grade.ts", "unclassified-code")]
#[case("src/quiz/tests/grade.py", "unclassified-code")]
#[case("src/image.snap", "unclassified-code")]
fn what_is_only_named_like_a_test_is_code(#[case] path: &str, #[case] expected: &str) {
    assert_eq!(found(path, None, Some("run()\n")), expected);
}

#[test]
fn a_file_that_moved_is_what_it_was_and_what_it_is() {
    let rules = Rules::shipped().unwrap();
    let mut file = ChangedFile::of_texts("src/other/a.rs", Some("fn a() {}"), Some("fn a() {}"));
    file.before_path = Some("src/auth/a.rs".to_owned());
    assert_eq!(super::words(&rules, &[file]), "authentication");
    // Code that was a test before is none now.
    let mut file = ChangedFile::of_texts("src/a.rs", Some("fn a() {}"), Some("fn a() {}"));
    file.before_path = Some("tests/a.rs".to_owned());
    assert_eq!(super::words(&rules, &[file]), "unclassified-code");
}

#[test]
fn evidence_never_shows_a_line() {
    let rules = Rules::shipped().unwrap();
    let text = "password = 'hunter2'; a = hmac('hunter2'); INSERT INTO a VALUES ('hunter2');";
    for path in ["src/x.py", "db/migrations/1.sql", ".env", "Cargo.toml", "package.json", "api/openapi.yaml"] {
        let report = classify(&rules, &[ChangedFile::of_texts(path, None, Some(text))]);
        assert!(report.evidence.iter().all(|one| !one.to_string().contains("hunter2")), "{:?}", report.evidence);
    }
}
