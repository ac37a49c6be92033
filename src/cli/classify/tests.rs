//! The command on a repository that is made for the test, and edits of manifests.

use std::path::{Path, PathBuf};

use clap::Parser;
use gix::objs::tree::EntryKind;
use serde_json::Value;

use super::annotate::annotate;
use super::{Args, attest, json, look, markdown, page, run};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tidegate-classify-{name}-{}", std::process::id()));
        drop(std::fs::remove_dir_all(&path));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// A repository whose commits are made by hand.
struct World {
    folder: Folder,
    repository: gix::Repository,
}

impl World {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let repository = gix::init_bare(&folder.0).unwrap();
        Self { folder, repository }
    }

    fn path(&self) -> &Path {
        &self.folder.0
    }

    /// A commit of these files on a branch; files of the parent stay, one without text goes.
    fn commit(
        &self,
        branch: &str,
        parent: Option<gix::ObjectId>,
        message: &str,
        files: &[(&str, Option<&str>)],
    ) -> gix::ObjectId {
        let tree = match parent {
            Some(parent) => self.repository.find_commit(parent).unwrap().tree_id().unwrap().detach(),
            None => self.repository.empty_tree().id,
        };
        let mut entries: std::collections::BTreeMap<String, gix::ObjectId> = std::collections::BTreeMap::new();
        self.walk(tree, "", &mut entries);
        for (path, text) in files {
            entries.remove(*path);
            if let Some(text) = text {
                entries.insert((*path).to_owned(), self.repository.write_blob(text).unwrap().detach());
            }
        }
        let tree = self.tree(&entries, "");
        let who = gix::actor::SignatureRef {
            name: "Dana".into(),
            email: "dana@example.org".into(),
            time: "1700000000 +0000",
        };
        let reference = format!("refs/heads/{branch}");
        // A branch begins where its parent is.
        if let Some(parent) = parent {
            self.repository
                .reference(reference.as_str(), parent, gix::refs::transaction::PreviousValue::Any, "begin")
                .unwrap();
        }
        self.repository.commit_as(who, who, reference.as_str(), message, tree, parent).unwrap().detach()
    }

    fn walk(&self, tree: gix::ObjectId, prefix: &str, entries: &mut std::collections::BTreeMap<String, gix::ObjectId>) {
        for entry in self.repository.find_tree(tree).unwrap().iter() {
            let entry = entry.unwrap();
            let path = format!("{prefix}{}", entry.filename());
            if entry.mode().is_tree() {
                self.walk(entry.object_id(), &format!("{path}/"), entries);
            } else {
                entries.insert(path, entry.object_id());
            }
        }
    }

    fn tree(&self, entries: &std::collections::BTreeMap<String, gix::ObjectId>, prefix: &str) -> gix::ObjectId {
        let mut all: std::collections::BTreeMap<String, gix::objs::tree::Entry> = std::collections::BTreeMap::new();
        for (path, id) in entries {
            let Some(rest) = path.strip_prefix(prefix) else { continue };
            match rest.split_once('/') {
                Some((folder, _)) if all.contains_key(&format!("{folder}/")) => {}
                Some((folder, _)) => {
                    let oid = self.tree(entries, &format!("{prefix}{folder}/"));
                    let entry = gix::objs::tree::Entry { mode: EntryKind::Tree.into(), filename: folder.into(), oid };
                    all.insert(format!("{folder}/"), entry);
                }
                None => {
                    let entry =
                        gix::objs::tree::Entry { mode: EntryKind::Blob.into(), filename: rest.into(), oid: *id };
                    all.insert(rest.to_owned(), entry);
                }
            }
        }
        self.repository.write_object(&gix::objs::Tree { entries: all.into_values().collect() }).unwrap().detach()
    }

    /// The arguments as they are typed, for this repository.
    fn args(&self, words: &[&str]) -> Args {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: Args,
        }
        let repository = self.path().display().to_string();
        let words = ["classify", "--repo", &repository].into_iter().chain(words.iter().copied());
        Line::try_parse_from(words).map(|line| line.args).unwrap()
    }

    fn fails(&self, words: &[&str]) -> String {
        look(&self.args(words)).err().unwrap()
    }
}

/// A default branch, and a branch that left it before its last commit.
fn shop(name: &str) -> World {
    let world = World::new(name);
    let first = [
        ("src/a.rs", Some("fn a() {}\n")),
        ("src/auth/b.rs", Some("fn b() {}\n")),
        ("docs/old.md", Some("# Old\n")),
        (".tidegate.yaml", Some("owners:\n- {paths: [db/**], owners: [team-data]}\nswitchedOff: [ui]\n")),
    ];
    let base = world.commit("main", None, "begin", &first);
    world.commit("main", Some(base), "feat: later", &[("src/later.rs", Some("fn c() {}\n"))]);
    let fix = world.commit(
        "fix",
        Some(base),
        "fix: a thing\n\nTidegate-Severity: P1\n",
        &[("db/migrations/7.sql", Some("CREATE TABLE a (b int);\nDROP TABLE c;\n"))],
    );
    let changed = [
        ("docs/old.md", None),
        ("docs/new.md", Some("# Old\n")),
        ("src/a.rs", Some("// what it does\nfn a() {}\n")),
        ("src/auth/b.rs", Some("fn b() { c() }\n")),
        // Rules of its own do not count for a change.
        (".tidegate.yaml", Some("switchedOff: [sql-migrations]\n")),
    ];
    world.commit("fix", Some(fix), "docs: @everyone | <b>", &changed);
    world
}

#[test]
fn a_range_with_three_dots_begins_where_the_branch_left() {
    let world = shop("three");
    let told = look(&world.args(&["main...fix"])).unwrap();
    let paths: Vec<&str> = told.report.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, [".tidegate.yaml", "db/migrations/7.sql", "docs/new.md", "src/a.rs", "src/auth/b.rs"]);
    assert_eq!(told.report.files[2].before_path.as_deref(), Some("docs/old.md"));
    assert_eq!(
        told.report.words(),
        "docs,schema-migration-additive,schema-migration-breaking,authentication,infrastructure"
    );
    assert_eq!((told.commits.len(), told.report.switched_off.as_slice()), (2, &["ui".to_owned()][..]));
    assert_eq!(told.report.lines(), (5, 4));
    // Two dots compare the ends: what main has and the branch has not goes.
    let told = look(&world.args(&["main..fix"])).unwrap();
    assert!(told.report.files.iter().any(|file| file.path == "src/later.rs" && file.lines_removed == 1));
}

#[test]
fn the_range_is_by_default_what_head_adds_to_the_remotes_branch() {
    let world = shop("default");
    assert!(world.fails(&[]).starts_with("there is no remote whose default branch is known"));
    let main = world.repository.rev_parse_single("main").unwrap().detach();
    let any = gix::refs::transaction::PreviousValue::Any;
    world.repository.reference("refs/remotes/origin/main", main, any, "fetched").unwrap();
    let config = world.path().join("config");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}[remote \"origin\"]\n\turl = https://example.org/shop\n")).unwrap();
    std::fs::write(world.path().join("HEAD"), "ref: refs/heads/fix\n").unwrap();
    let told = look(&world.args(&[])).unwrap();
    assert_eq!((told.range.shown.as_str(), told.commits.len()), ("origin/main...HEAD", 2));
}

#[test]
fn what_cannot_be_read_says_why_and_what_to_do() {
    let world = shop("wrong");
    world.commit("other", None, "begin", &[("a", Some("a"))]);
    assert!(world.fails(&["nowhere...fix"]).contains("\"nowhere\" is no commit of this repository. Fetch it"));
    assert!(world.fails(&["main"]).contains("write A...B"));
    assert!(world.fails(&["other...fix"]).contains("have no commit in common"));
    assert!(world.fails(&["main...fix", "--rules", "/nowhere.yaml"]).starts_with("--rules /nowhere.yaml: "));
    let elsewhere = Folder::new("elsewhere");
    let mut args = world.args(&["main...fix"]);
    args.repo = elsewhere.0.join("nothing");
    assert!(look(&args).err().unwrap().contains("no git repository"));
}

#[test]
fn the_type_comes_from_the_flag_or_the_commits() {
    let world = shop("type");
    let told = look(&world.args(&["main...fix"])).unwrap();
    assert_eq!(page::said(&told).split(" of commit").next(), Some("type BugFix (fix:"));
    assert_eq!(told.severity.as_ref().map(|said| said.value.as_str()), Some("P1"));
    let told = look(&world.args(&["main...fix", "--type", "IncidentFix", "--severity", "P0"])).unwrap();
    assert_eq!(page::said(&told), "type IncidentFix (the flag), severity P0 (the flag)");
}

#[test]
fn the_page_and_the_comment_show_gate_and_evidence() {
    let world = shop("pages");
    let told = look(&world.args(&["main...fix", "--tier", "2"])).unwrap();
    let page = page::page(&told);
    assert!(page.contains("db/migrations/7.sql:2: DROP TABLE (rule sql-migrations)"), "{page}");
    assert!(page.contains("gate of the categories: at least G4 (schema-migration-breaking"), "{page}");
    assert!(page.contains("owners: ") || !told.report.owners().is_empty(), "{page}");
    assert!(page.contains("42 RP = 6 base + 36 diff + 0 context - 0 mitigations"), "{page}");
    assert!(page.contains("gate: 42 RP → G4") && page.contains("The controller adds"), "{page}");
    assert!(page.contains("default rules that the project switched off: ui"), "{page}");
    let comment = markdown::markdown(&told);
    assert!(comment.starts_with("### Tidegate: gate G4 (very high risk), 42 RP\n"), "{comment}");
    assert!(
        comment.contains(
            "| `schema-migration-breaking` | G4 | 10 | db/migrations/7.sql:2: DROP TABLE (rule sql-migrations) |"
        ),
        "{comment}"
    );
    assert_eq!(comment.matches("<details>").count(), comment.matches("</details>").count());
    let value: Value = serde_json::from_str(&json::json(&told).unwrap()).unwrap();
    assert_eq!(
        (&value["score"]["points"], &value["score"]["gate"], &value["floor"]),
        (&42.into(), &"G4".into(), &"G4".into())
    );
    assert_eq!(value["files"][1]["owners"][0], "team-data");
    assert_eq!(value["commits"].as_array().map(Vec::len), Some(2));
}

#[test]
fn words_of_others_do_not_format_the_comment() {
    let world = World::new("words");
    let base = world.commit("main", None, "begin", &[("a", Some("a"))]);
    world.commit("x", Some(base), "x", &[("<img src=x>|`@team`.rs", Some("a"))]);
    let comment = markdown::markdown(&look(&world.args(&["main...x"])).unwrap());
    assert!(!comment.contains("<img") && !comment.contains("@team"), "{comment}");
    assert!(comment.contains("&lt;img src=x&gt;\\|\\`"), "{comment}");
}

#[test]
fn an_empty_range_says_that_nothing_differs() {
    let world = shop("empty");
    let told = look(&world.args(&["fix..fix", "--tier", "1"])).unwrap();
    assert!(page::page(&told).ends_with("no file differs\n"));
    assert!(markdown::markdown(&told).starts_with("### Tidegate: no file differs"));
    let about = attest::About { release: "a", revision: "r", author: "ci", namespace: None };
    assert!(attest::manifest(&told, &about).unwrap_err().contains("nothing to attest"));
}

#[test]
fn an_attestation_carries_the_facts() {
    let world = shop("attest");
    let told = look(&world.args(&["main...fix"])).unwrap();
    let about = attest::About { release: "checkout", revision: "7d9f", author: "ci", namespace: Some("shop") };
    let value: Value = serde_saphyr::from_str(&attest::manifest(&told, &about).unwrap()).unwrap();
    let typed: crate::api::Attestation = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(
        (typed.spec.kind.as_str(), typed.spec.revision.as_str(), typed.spec.author.as_str()),
        ("classification", "7d9f", "ci")
    );
    assert_eq!(typed.metadata.name, Some(format!("checkout-classification-{}", told.range.head_short())));
    let facts = &value["spec"]["facts"];
    assert_eq!(facts["change-authors"], "Dana <dana@example.org>");
    assert_eq!(
        (&facts["files"], &facts["lines-added"], &facts["owners"]),
        (&"5".into(), &"5".into(), &"team-data".into())
    );
    assert_eq!((&facts["change-type"], &facts["change-severity"]), (&"BugFix".into(), &"P1".into()));
}

const MANIFEST: &str = "# the shop
apiVersion: v1
kind: Service
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment  # the program
metadata:
  name: shop
  annotations:
    # who asked
    example.org/team: a  # us
    tidegate.io/change-severity: P0   # of the last one
    \"tidegate.io/change\": git:0000000

  labels: {tidegate.io/gated: 'true'}
spec:
  template:
    metadata:
      annotations: {a: b}
";

#[test]
fn annotations_are_written_and_nothing_else_changes() {
    let wanted = [
        ("tidegate.io/change", Some("git:4f2c9e1".to_owned())),
        ("tidegate.io/change-type", Some("BugFix".to_owned())),
        ("tidegate.io/change-severity", None),
        ("tidegate.io/change-categories", Some("docs,ui".to_owned())),
    ];
    let edited = annotate(MANIFEST, None, &wanted).unwrap();
    let expected = MANIFEST
        .replace("    tidegate.io/change-severity: P0   # of the last one\n", "")
        .replace("    \"tidegate.io/change\": git:0000000\n", "    tidegate.io/change: git:4f2c9e1\n    tidegate.io/change-type: BugFix\n    tidegate.io/change-categories: docs,ui\n");
    assert_eq!(edited, expected);
    assert_eq!(annotate(&edited, Some("shop"), &wanted).unwrap(), edited, "a second time changes nothing");
}

#[test]
fn annotations_come_where_there_were_none() {
    let wanted = [("tidegate.io/change", Some("a: b".to_owned()))];
    let text = "kind: StatefulSet\r\nmetadata:\r\n    name: db\r\nspec: {}";
    let edited = annotate(text, None, &wanted).unwrap();
    assert_eq!(
        edited,
        "kind: StatefulSet\r\nmetadata:\r\n    name: db\r\n    annotations:\r\n      tidegate.io/change: \"a: b\"\r\nspec: {}\r\n"
    );
    let empty = "kind: Deployment\nmetadata:\n  annotations: {}\n  name: a\n";
    assert_eq!(
        annotate(empty, None, &wanted).unwrap(),
        "kind: Deployment\nmetadata:\n  annotations:\n    tidegate.io/change: \"a: b\"\n  name: a\n"
    );
    let last = "kind: Deployment\nmetadata:\n  name: a\n  annotations:\n    tidegate.io/change: x\n";
    assert_eq!(
        annotate(last, None, &[("tidegate.io/change", None)]).unwrap(),
        "kind: Deployment\nmetadata:\n  name: a\n"
    );
}

#[test]
fn a_manifest_that_cannot_be_edited_is_refused() {
    let wanted = [("tidegate.io/change", Some("git:1".to_owned()))];
    let why = |text: &str, name: Option<&str>| annotate(text, name, &wanted).unwrap_err();
    assert!(why("kind: Deployment\nmetadata: {name: a}\n", None).contains("flow style"));
    assert!(
        why("kind: Deployment\nmetadata:\n  name: a\n  annotations: {b: c}\n", None)
            .contains("set by hand: tidegate.io/change: git:1")
    );
    assert!(why("kind: Service\n", None).contains("there is: none"));
    assert!(why("kind: Deployment\nmetadata:\n  name: {{ .Values.a }}\n", None).contains("a template is no manifest"));
    let two = "kind: Deployment\nmetadata:\n  name: a\n---\nkind: Deployment\nmetadata:\n  name: b\n";
    assert!(why(two, None).contains("several workloads in it: a, b. Name one with --deployment"));
    assert!(why(two, Some("c")).contains("no Deployment or StatefulSet \"c\" in it; there is: a, b"));
    assert!(
        annotate(two, Some("b"), &wanted)
            .unwrap()
            .ends_with("  name: b\n  annotations:\n    tidegate.io/change: git:1\n")
    );
}

#[test]
fn the_command_writes_the_manifest() {
    let world = shop("command");
    let path = world.path().join("deploy.yaml");
    std::fs::write(&path, MANIFEST).unwrap();
    run(&world.args(&["main...fix", "--output", "json", "--annotate", &path.display().to_string()])).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("    tidegate.io/change-severity: P1 # of the last one\n"), "{text}");
    assert!(text.contains("    tidegate.io/change-categories: docs,schema-migration-additive,schema-migration-breaking,authentication,infrastructure\n"), "{text}");
}
