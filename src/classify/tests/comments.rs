use rstest::rstest;

use super::found;
use crate::classify::{ChangedFile, comments};

fn only(path: &str, before: &str, after: &str) -> bool {
    comments::only(&ChangedFile::of_texts(path, Some(before), Some(after)))
}

#[rstest]
#[case::a_line("a.rs", "fn a() {}\n", "// what it does\nfn a() {}\n")]
#[case::a_document("a.rs", "fn a() {}\n", "/// What it does.\n\nfn a() {}\n")]
#[case::of_a_module("a.rs", "fn a() {}\n", "//! What it is for.\nfn a() {}\n")]
#[case::a_block("a.java", "int a;\n", "/*\n * What\n it is\n */\nint a;\n")]
#[case::nested("a.rs", "fn a() {}\n", "/* a /* b */\n c */\nfn a() {}\n")]
#[case::go("a.go", "var a = `\n// text\n`\n", "// a\nvar a = `\n// text\n`\n")]
#[case::python("a.py", "def a():\n    pass\n", "def a():\n    # nothing\n    pass\n")]
#[case::shell("a.sh", "echo a # don't\n", "# it's\necho a # don't\n")]
#[case::yaml("a.yaml", "a: 1\n", "# one\na: 1\n")]
#[case::toml("a.toml", "a = 1\n", "# one\na = 1\n")]
#[case::dockerfile("Dockerfile", "FROM a\n", "# why\nFROM a\n")]
#[case::hcl("main.tf", "a = \"http://b\"\n", "# why\n// why\na = \"http://b\"\n")]
#[case::typescript("a.ts", "const a = `x//y`;\n", "// a\nconst a = `x//y`;\n")]
fn a_comment_came(#[case] path: &str, #[case] before: &str, #[case] after: &str) {
    assert!(only(path, before, after), "{path}");
    assert!(only(path, after, before), "{path}, back");
    assert_eq!(found(path, Some(before), Some(after)), "docs");
}

#[rstest]
#[case::code("a.rs", "fn a() {}\n", "fn b() {}\n")]
#[case::code_after_a_comment("a.c", "a();\n", "/* a */ b();\na();\n")]
#[case::code_became_a_comment("a.go", "a()\nb()\n", "// a()\nb()\n")]
#[case::in_a_text("a.go", "var a = `\n`\n", "var a = `\n// text\n`\n")]
#[case::in_a_text_of_rust("a.rs", "let a = \"\n\";\n", "let a = \"\n// text\n\";\n")]
#[case::in_a_raw_text("a.rs", "let a = r#\"\n\"#;\n", "let a = r#\"\n// \"text\n\"#;\n")]
#[case::a_document_of_python("a.py", "\"\"\"a\n\"\"\"\n", "\"\"\"a\n# b\n\"\"\"\n")]
#[case::a_blank_line_in_a_text("a.py", "a = '''\n'''\n", "a = '''\n\n'''\n")]
#[case::indentation("a.py", "if a:\n    b()\n    c()\n", "if a:\n    b()\nc()\n")]
#[case::obeyed_by_go("a.go", "package a\n", "//go:build linux\npackage a\n")]
#[case::obeyed_by_python("a.py", "a = b\n", "# type: ignore\na = b\n")]
#[case::obeyed_by_the_kernel("a.sh", "echo\n", "#!/bin/sh\necho\n")]
#[case::here_document("a.sh", "cat <<E\nE\n", "cat <<E\n# a\nE\n")]
#[case::template("a.ts", "const a = `\n`;\n", "const a = `\n// b\n`;\n")]
#[case::carried_on("a.c", "a();\n", "// a \\\na();\n")]
#[case::cgo("a.go", "import \"C\"\n", "// int a;\nimport \"C\"\n")]
#[case::cgo_among_others("a.go", "import (\n\t\"C\"\n)\n", "import (\n\t// int a;\n\t\"C\"\n)\n")]
#[case::cgo_in_a_block(
    "a.go",
    "import (\n\t_ \"a\"\n\t\"C\"\n)\n",
    "import (\n\t_ \"a\"\n\t/*\nint a;\n*/\n\t\"C\"\n)\n"
)]
#[case::cgo_with_backticks("a.go", "import `C`\n", "// int a;\nimport `C`\n")]
#[case::block_scalar("a.yaml", "a: |\n  b\n", "a: |\n  # c\n  b\n")]
#[case::a_number_became_a_text("a.yaml", "a: 1\n", "a: \"1\"\n")]
#[case::quotes_that_old_readers_need("a.yaml", "a: \"yes\"\n", "a: yes\n")]
#[case::toml_text("a.toml", "a = '''\n'''\n", "a = '''\n# b\n'''\n")]
#[case::parser_directive("Dockerfile", "FROM a\n", "# syntax=a/b\nFROM a\n")]
#[case::jsx_text("a.tsx", "<a>\n</a>\n", "<a>\n// b\n</a>\n")]
#[case::unknown_language("a.zig", "a\n", "// b\na\n")]
#[case::never_closed("a.c", "a();\n", "/* b\na();\n")]
fn more_than_a_comment(#[case] path: &str, #[case] before: &str, #[case] after: &str) {
    assert!(!only(path, before, after), "{path}");
    assert!(!only(path, after, before), "{path}, back");
}

#[test]
fn a_new_file_and_an_equal_one_are_no_comments() {
    assert!(!comments::only(&ChangedFile::of_texts("a.rs", None, Some("// a\n"))));
    assert!(!comments::only(&ChangedFile::of_texts("a.rs", Some("// a\n"), None)));
    assert!(!only("a.rs", "// a\n", "// a\n"), "only its mode differs");
}
