//! What holds for every list of files.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::RULES;
use crate::classify::{ChangedFile, Rules, classify};
use crate::policy::Category;

const PATHS: &[&str] = &[
    "README.md",
    "src/a.rs",
    "src/auth/a.py",
    "db/migrations/1.sql",
    "api/openapi.yaml",
    "a.proto",
    "Cargo.lock",
    "package.json",
    "deploy/a.yaml",
    "tests/a.go",
    "web/a.css",
    "schema.graphql",
    "events/a.avsc",
    "src/kafka/a.go",
    ".env",
    "src/x.go",
    "x",
];

const TEXTS: &[&str] = &[
    "",
    "a",
    "// a\nb()\n",
    "b()\n",
    "DROP TABLE a;",
    "CREATE TABLE a (b int);",
    "openapi: 3.0.0\npaths: {}\n",
    "{}",
    "syntax = \"proto3\"; message A { string b = 1; }",
    "log.Info(\"a\")\n",
    "{\"dependencies\": {\"a\": \"1.0.0\"}}",
    "type A { b: Int }",
    "# a\nkind: NetworkPolicy\n",
    "[[package]]\nname = \"a\"\nversion = \"1.0\"\n",
    "\u{0}",
    "é ` ' \" /* <<",
];

fn file() -> impl Strategy<Value = ChangedFile> {
    let text =
        || proptest::option::of(prop_oneof![proptest::sample::select(TEXTS).prop_map(str::to_owned), any::<String>()]);
    (proptest::sample::select(PATHS), text(), text())
        .prop_filter("a changed file is there on a side", |(_, before, after)| before.is_some() || after.is_some())
        .prop_map(|(path, before, after)| ChangedFile::of_texts(path, before.as_deref(), after.as_deref()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// More files never mean fewer categories, nor a lower gate or class; and each file shows something.
    #[test]
    fn more_files_never_mean_less(files in proptest::collection::vec(file(), 1..5), more in file()) {
        let rules = RULES.with(Rules::clone);
        let found = |files: &[ChangedFile]| classify(&rules, files).by_category().into_keys().collect::<BTreeSet<Category>>();
        let fewer = found(&files);
        let mut all = files.clone();
        all.push(more.clone());
        let both = found(&all);
        prop_assert!(both.is_superset(&fewer) && both.is_superset(&found(std::slice::from_ref(&more))));
        prop_assert!(!found(&[more]).is_empty());
        let (fewer, both) = (classify(&rules, &files).classification().unwrap(), classify(&rules, &all).classification().unwrap());
        prop_assert!(both.floor() >= fewer.floor() && both.risk_class() >= fewer.risk_class());
        // As the policy counts them: nothing that was found is lost on the way.
        prop_assert_eq!(both.categories().collect::<BTreeSet<_>>(), found(&all));
    }

    /// No text makes a reader stop.
    #[test]
    fn any_text_is_read(before in ".{0,80}", after in ".{0,80}") {
        let rules = RULES.with(Rules::clone);
        for path in ["a.sql", "db/migrations/1.sql", "alembic/versions/1.py", "a/migrations/0001.py", "db/migrate/1.rb", "changelog/a.xml",
            "changelog/a.sql", "yarn.lock", "go.mod", "go.sum", "requirements.txt", "pom.xml", "gradle.lockfile", "Gemfile.lock", "pnpm-lock.yaml",
            "a.py", "a.rs", "a.sh", "a.ts", "a.tf", "Dockerfile", "a.kt"] {
            let report = classify(&rules, &[ChangedFile::of_texts(path, Some(&before), Some(&after))]);
            prop_assert!(!report.evidence.is_empty());
        }
    }
}

#[test]
fn nothing_changed_is_no_classification() {
    assert_eq!(classify(&Rules::shipped().unwrap(), &[]).classification(), None);
}
