//! Whether nothing but comments and blank lines differs.
//!
//! A line counts as a comment only where it is one as a whole, so that nothing has to be known of the language but how
//! its comments and its strings over several lines begin and end. A comment that a tool obeys (`//go:build`,
//! `# type: ignore`, `#!`) is code. What cannot be told is code.

use super::change::ChangedFile;

/// How a language writes comments, and texts that go on over lines.
struct Language {
    /// What begins a comment that ends with its line.
    line: &'static [&'static str],
    /// What begins and ends a comment over several lines.
    block: Option<(&'static str, &'static str)>,
    /// Whether such comments may stand in one another.
    nested: bool,
    /// What begins and ends a text over several lines, and whether `\` takes the next character's meaning away.
    long: &'static [(&'static str, &'static str, bool)],
    /// What begins and ends a text that ends with its line at the latest.
    short: &'static [char],
    /// A text in the file by which it cannot be read so simply.
    unless: &'static [&'static str],
}

const C_LIKE: Language = Language {
    line: &["//"],
    block: Some(("/*", "*/")),
    nested: false,
    long: &[("\"\"\"", "\"\"\"", true)],
    short: &['"', '\''],
    unless: &["R\"", "@\"", "\"\"\"\"", "\\\n//", "\\\r\n//"],
};
/// An escape of Java is a sign before anything else is read: one may end a comment.
const JAVA: Language = Language { unless: &["R\"", "@\"", "\"\"\"\"", "\\\n//", "\\\r\n//", "\\u"], ..C_LIKE };
const RUST: Language = Language {
    nested: true,
    long: &[("r##\"", "\"##", false), ("r#\"", "\"#", false), ("r\"", "\"", false), ("\"", "\"", true)],
    short: &[],
    unless: &["r###\"", "'\"'", "b'\"'", "'\\\"'"],
    ..C_LIKE
};
/// The comment before an import of C, by itself or among others, is a program.
const GO: Language = Language { long: &[("`", "`", false)], unless: &["\"C\"", "`C`"], ..C_LIKE };
const KOTLIN: Language = Language { nested: true, ..C_LIKE };
const PYTHON: Language = Language {
    line: &["#"],
    block: None,
    nested: false,
    long: &[("\"\"\"", "\"\"\"", true), ("'''", "'''", true)],
    short: &['"', '\''],
    unless: &[],
};
const SHELL: Language = Language {
    line: &["#"],
    block: None,
    nested: false,
    long: &[("\"", "\"", true), ("'", "'", false)],
    short: &[],
    unless: &["<<", "$'"],
};
const DOCKERFILE: Language = Language { long: &[], short: &[], ..SHELL };
const HCL: Language = Language {
    line: &["#", "//"],
    block: Some(("/*", "*/")),
    long: &[],
    short: &['"'],
    unless: &["<<"],
    nested: false,
};

// In JSX a line of text may begin like a comment, in Ruby and PHP too much may be a text: they are not read.
fn language(path: &str) -> Option<&'static Language> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name == "Dockerfile" || name.starts_with("Dockerfile.") || name.ends_with(".dockerfile") {
        return Some(&DOCKERFILE);
    }
    Some(match name.rsplit_once('.')?.1 {
        "rs" => &RUST,
        "go" => &GO,
        "kt" | "kts" | "swift" | "scala" => &KOTLIN,
        "java" => &JAVA,
        "c" | "h" | "cc" | "cpp" | "hpp" | "cs" | "js" | "mjs" | "cjs" | "ts" => &C_LIKE,
        "py" => &PYTHON,
        "sh" | "bash" => &SHELL,
        "tf" | "hcl" | "tfvars" => &HCL,
        _ => return None,
    })
}

/// What a comment begins with that a tool obeys, after its marker.
const OBEYED: &[&str] = &[
    "go:",
    "export ",
    "+build",
    "line ",
    "!",
    "type:",
    "noqa",
    "pragma",
    "pylint",
    "mypy",
    "ruff",
    "fmt:",
    "pyright",
    "-*-",
    "vim:",
    "coding",
    "frozen_string_literal",
    "syntax=",
    "escape=",
    "check=",
    "shellcheck",
    "eslint",
    "@ts-",
    "@jsx",
    "@flow",
    "#",
    "prettier",
    "nolint",
    "noinspection",
    "webpack",
    "istanbul",
    "c8",
    "v8",
    "vite",
    "swiftlint",
    "clang",
    "language=",
    "/ <reference",
    "/ <amd",
    "deno-",
    "biome",
    "ktlint",
    "tflint",
    "nosec",
    "sourceMappingURL",
];

/// Whether both texts are the same but for comments and blank lines. False where that cannot be told.
pub fn only(file: &ChangedFile) -> bool {
    let (true, true, Some((before, after))) = (file.was_there(), file.is_there(), file.texts()) else { return false };
    if file.before_path.is_some() || before == after {
        return false;
    }
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("yaml" | "yml") => {
            return same_values::<serde_json::Value>(before, after, |text| serde_saphyr::from_multiple(text).ok());
        }
        Some("toml") => {
            return same_values::<serde_json::Value>(before, after, |text| Some(vec![toml::from_str(text).ok()?]));
        }
        Some(_) | None => {}
    }
    let texts = |text| code(&file.path, text).map(|lines| lines.iter().map(|line| line.text).collect::<Vec<_>>());
    matches!((texts(before), texts(after)), (Some(before), Some(after)) if before == after)
}

/// The same values, and the same lines but for those that begin with `#`: neither alone is enough, as a `#` may stand
/// in a text over lines, and a quotation mark may be what makes a text of a number for an older reader.
fn same_values<T: PartialEq>(before: &str, after: &str, read: impl Fn(&str) -> Option<Vec<T>>) -> bool {
    let lines = |text: &str| -> Vec<String> {
        let kept = text
            .lines()
            .filter(|line| !line.trim().is_empty() && (!line.trim_start().starts_with('#') || obeyed(line)));
        kept.map(str::to_owned).collect()
    };
    lines(before) == lines(after)
        && matches!((read(before), read(after)), (Some(before), Some(after)) if before == after)
}

fn obeyed(comment: &str) -> bool {
    let text = comment.trim_start();
    // What documents a Rust module is no `#!`.
    if text.starts_with("//!") {
        return false;
    }
    let text =
        text.strip_prefix("//").or_else(|| text.strip_prefix("/*")).or_else(|| text.strip_prefix('#')).unwrap_or(text);
    let text = text.trim_start_matches(['*', ' ', '\t']);
    OBEYED.iter().any(|word| text.starts_with(word))
}

/// Where a line begins.
#[derive(Clone, Copy)]
enum State {
    Code,
    /// A comment that began at the beginning of a line, so deep.
    Comment(usize),
    /// A comment that began behind code: its lines are kept.
    Tail(usize),
    /// A text, until this; the flag as in [`Language::long`].
    Text(&'static str, bool),
}

/// A line that is no comment.
pub(super) struct Line<'a> {
    /// From 1.
    pub number: u32,
    pub text: &'a str,
    /// Whether it begins outside of texts and comments.
    pub outside: bool,
    /// How many brackets are open where it begins.
    pub depth: usize,
}

/// The lines that are no comments; None where the file cannot be read so simply.
pub(super) fn code<'a>(path: &str, text: &'a str) -> Option<Vec<Line<'a>>> {
    let language = language(path)?;
    if language.unless.iter().any(|sign| text.contains(sign)) {
        return None;
    }
    let script = [".js", ".mjs", ".cjs", ".ts"].iter().any(|ending| path.ends_with(ending));
    // A backtick without its other one on the line: a text over lines, or one in a regular expression.
    let odd = |line: &str| !line.trim_start().starts_with("//") && line.matches('`').count() % 2 == 1;
    if script && text.lines().any(odd) {
        return None;
    }
    let (mut kept, mut state, mut depth) = (Vec::new(), State::Code, 0);
    for (number, line) in (1..).zip(text.lines()) {
        let mut keep = |state: &State, depth| {
            kept.push(Line { number, text: line, outside: matches!(state, State::Code), depth });
        };
        let start = line.trim_start();
        if matches!(state, State::Code) {
            if start.is_empty() {
                continue;
            }
            if language.line.iter().any(|mark| start.starts_with(mark)) {
                // A comment that a backslash carries on into the next line is no simple one.
                if line.ends_with('\\') {
                    return None;
                }
                if obeyed(line) {
                    keep(&state, depth);
                }
                continue;
            }
        }
        let whole = match state {
            State::Code => language.block.is_some_and(|(open, _)| start.starts_with(open)) && !obeyed(line),
            State::Comment(_) => !obeyed(line),
            State::Tail(_) | State::Text(..) => false,
        };
        let open = depth;
        let (next, after_comment) = scan(language, line, state, whole, &mut depth);
        if !whole || after_comment {
            keep(&state, open);
        }
        state = next;
    }
    matches!(state, State::Code).then_some(kept)
}

/// Where the next line begins, and whether code stands behind a comment's end on this line. `whole` says that the line
/// is a comment from its beginning; `brackets` are those that are open.
fn scan(language: &'static Language, line: &str, mut state: State, whole: bool, brackets: &mut usize) -> (State, bool) {
    let (mut rest, mut code_seen) = (line, false);
    while let Some(next) = rest.chars().next() {
        let width = next.len_utf8();
        match state {
            State::Comment(depth) | State::Tail(depth) => {
                let (open, close) = language.block.unwrap_or(("", ""));
                let tail = matches!(state, State::Tail(_));
                let (deeper, by) = if language.nested && rest.starts_with(open) {
                    (depth + 1, open.len())
                } else if rest.starts_with(close) {
                    (depth - 1, close.len())
                } else {
                    (depth, width)
                };
                rest = &rest[by..];
                state = match (deeper, tail) {
                    (0, _) => State::Code,
                    (deeper, true) => State::Tail(deeper),
                    (deeper, false) => State::Comment(deeper),
                };
            }
            State::Text(close, escapes) => {
                if escapes && next == '\\' {
                    rest = rest.get(width..).map_or("", skip_one);
                } else if let Some(after) = rest.strip_prefix(close) {
                    rest = after;
                    state = State::Code;
                } else {
                    rest = &rest[width..];
                }
            }
            State::Code => {
                if let Some((open, _)) = language.block.filter(|(open, _)| rest.starts_with(open)) {
                    state = if whole && !code_seen { State::Comment(1) } else { State::Tail(1) };
                    rest = &rest[open.len()..];
                    continue;
                }
                let long = language.long.iter().find(|(open, ..)| rest.starts_with(open));
                let comment =
                    language.line.iter().any(|mark| rest.starts_with(mark)) && (next != '#' || boundary(line, rest));
                if let Some((open, close, escapes)) = long {
                    code_seen = true;
                    state = State::Text(close, *escapes);
                    rest = &rest[open.len()..];
                } else if comment {
                    return (State::Code, code_seen);
                } else if language.short.contains(&next) {
                    code_seen = true;
                    rest = after_short(&rest[width..], next);
                } else {
                    match next {
                        '(' | '[' | '{' => *brackets += 1,
                        ')' | ']' | '}' => *brackets = brackets.saturating_sub(1),
                        _ => {}
                    }
                    code_seen |= !next.is_whitespace();
                    rest = if next == '\\' { skip_one(&rest[width..]) } else { &rest[width..] };
                }
            }
        }
    }
    (state, code_seen)
}

/// Whether `#` begins a comment here: at the beginning, or after a blank.
fn boundary(line: &str, rest: &str) -> bool {
    let before = &line[..line.len() - rest.len()];
    before.chars().next_back().is_none_or(char::is_whitespace)
}

fn skip_one(text: &str) -> &str {
    text.chars().next().map_or("", |c| &text[c.len_utf8()..])
}

/// What stands behind a text that ends with its line at the latest.
fn after_short(text: &str, quote: char) -> &str {
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        if next == '\\' {
            rest = skip_one(rest);
        } else if next == quote {
            return rest;
        }
    }
    ""
}
