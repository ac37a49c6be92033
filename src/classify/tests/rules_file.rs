//! A project's file of rules.

use rstest::rstest;

use super::words;
use crate::classify::{ChangedFile, Rules, classify};

fn project(text: &str) -> Rules {
    Rules::with_project(".tidegate.yaml", text).unwrap()
}

fn file(path: &str) -> ChangedFile {
    ChangedFile::of_texts(path, None, Some("x"))
}

#[test]
fn a_project_adds_rules_modules_and_owners() {
    let rules = project(
        "core: [src/orders/**]
nonCore: [tools/**]
hotPaths: ['src/orders/price*']
owners:
- {paths: [src/**], owners: [team-shop]}
- {paths: ['src/orders/**'], owners: [dana, team-shop]}
rules:
- name: wire-format
  says: our own wire format
  paths: [src/wire/**]
  categories: [payload-breaking]
- name: legal-texts
  paths: [docs/legal/**]
  categories: [pii]
- name: retries
  paths: ['src/**/*.zig']
  lines: ['\\bretry\\b']
  categories: [correctness-sensitive]
",
    );
    assert_eq!(words(&rules, &[file("src/orders/price.zig")]), "core-logic,hot-path");
    assert_eq!(words(&rules, &[file("tools/a.zig")]), "non-core-logic");
    assert_eq!(words(&rules, &[file("src/wire/a.zig")]), "payload-breaking");
    assert_eq!(words(&rules, &[file("docs/legal/a.md")]), "docs,pii");
    assert_eq!(words(&rules, &[file("src/orders/README.md")]), "docs");
    let retry = ChangedFile::of_texts("src/a.zig", None, Some("retry(3)"));
    assert_eq!(words(&rules, &[retry]), "unclassified-code,correctness-sensitive");
    let report = classify(&rules, &[file("src/orders/a.zig"), file("other")]);
    assert_eq!(report.owners().into_iter().collect::<Vec<_>>(), ["dana", "team-shop"]);
}

#[test]
fn a_default_rule_is_switched_off_by_name_and_the_answer_says_so() {
    let rules = project("switchedOff: [ui]\n");
    let report = classify(&rules, &[file("web/app.css")]);
    assert_eq!(
        (report.words().as_str(), report.switched_off.as_slice()),
        ("unclassified-code", &["ui".to_owned()][..])
    );
}

#[rstest]
#[case("")]
#[case("# nothing yet\n")]
#[case("{}")]
fn an_empty_file_adds_nothing(#[case] text: &str) {
    assert_eq!(project(text).all().count(), Rules::shipped().unwrap().all().count());
}

#[rstest]
#[case(
    "rules:\n- name: a\n  paths: [x]\n  categories: [auht]\n",
    ".tidegate.yaml:4: rules[a].categories[0]: \"auht\" is no category of a change; the words are docs, "
)]
#[case(
    "rules:\n- name: a\n  paths:\n  - x\n  - 'b[*'\n  categories: [ui]\n",
    ".tidegate.yaml:5: rules[a].paths[1]: \"b[*\" is no glob: "
)]
#[case(
    "rules:\n- name: a\n  paths: [/x]\n  categories: [ui]\n",
    ".tidegate.yaml:3: rules[a].paths[0]: \"/x\" is no glob from the root"
)]
#[case(
    "rules:\n- name: a\n  paths: [x]\n  lines: ['(']\n  categories: [ui]\n",
    ".tidegate.yaml:4: rules[a].lines[0]: \"(\" is no regular expression: "
)]
#[case(
    "rules:\n- name: a\n  paths: [x]\n  reads: cobol\n",
    ".tidegate.yaml:4: rules[a].reads: \"cobol\" is no reader; the readers are sql-migration, "
)]
#[case(
    "rules:\n- name: a\n  paths: [x]\n",
    ".tidegate.yaml:2: rules[a].categories: is missing, and so is reads: give one of them"
)]
#[case(
    "rules:\n- name: a\n  paths: [x]\n  reads: avro\n  categories: [ui]\n",
    ".tidegate.yaml:2: rules[a].reads: a reader finds the categories itself"
)]
#[case(
    "rules:\n- name: a\n  paths: [x]\n  every: true\n  categories: [ui]\n",
    ".tidegate.yaml:2: rules[a].every: speaks of lines"
)]
#[case(
    "rules:\n- name: a\n  paths: [x]\n  statements: true\n  lines: [x]\n  categories: [ui]\n",
    ".tidegate.yaml:2: rules[a].statements: speaks of every line that came"
)]
#[case(
    "rules:\n- name: a\n  paths: [x]\n  settles: true\n  categories: [ui]\n",
    ".tidegate.yaml:2: rules[a].settles: a project's rules only add"
)]
#[case(
    "rules:\n- name: ui\n  paths: [x]\n  categories: [ui]\n",
    ".tidegate.yaml:2: rules[ui].name: there is a rule of this name already"
)]
#[case(
    "rules:\n- name: A b\n  paths: [x]\n  categories: [ui]\n",
    ".tidegate.yaml:2: rules[A b].name: \"A b\" is no name"
)]
#[case(
    "\nswitchedOff: [uii]\n",
    ".tidegate.yaml:2: switchedOff: \"uii\" is no default rule, or stands here twice; the default rules are docs, "
)]
#[case("core: ['a[*']\n", ".tidegate.yaml:1: core[0]: \"a[*\" is no glob: ")]
#[case("a: 1\n", ".tidegate.yaml:1: ")]
#[case("core:\n- a\nrules:\n- nam: a\n", ".tidegate.yaml:4: ")]
#[case("core: [\n", ".tidegate.yaml:")]
fn what_is_wrong_names_line_field_and_remedy(#[case] text: &str, #[case] expected: &str) {
    let why = Rules::with_project(".tidegate.yaml", text).unwrap_err().to_string();
    assert!(why.starts_with(expected), "{why}");
    assert!(!why.contains('\n'), "{why}");
}
