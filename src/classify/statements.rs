//! Whether the lines that came are statements of their own.
//!
//! A line may look like a statement and be the body of an `if` without braces, a part of an expression or of a text over
//! lines: then it takes the place of what stood there. What cannot be told is none of its own.

use std::collections::BTreeSet;

use super::change::{ChangedFile, Lines};
use super::comments::{self, Line};

/// Whether every line of code that came is a statement of its own, and all else is as it was. Only of lines that are a
/// call each, and only in languages in which no block gives the value of its last line unseen.
pub(super) fn came(file: &ChangedFile, lines: &Lines<'_>) -> bool {
    let (true, None, Some((before, after))) = (file.was_there(), &file.before_path, file.texts()) else { return false };
    let (Some(before), Some(after)) = (comments::code(&file.path, before), comments::code(&file.path, after)) else {
        return false;
    };
    let added: BTreeSet<u32> = lines.added.iter().map(|(number, _)| *number).collect();
    let new = |line: &Line<'_>| added.contains(&line.number);
    let own = |at: usize| {
        let next = after.get(at + 1).map_or("}", |line| line.text.trim_start());
        // Another sign may carry the line on, and a text may mean something as the first in its block.
        after[at].outside
            && next.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '}')
            && at.checked_sub(1).is_some_and(|before| ended(&file.path, &after[before], &after[at]))
    };
    let rest = after.iter().filter(|line| !new(line)).map(|line| line.text);
    rest.eq(before.iter().map(|line| line.text)) && (0..after.len()).filter(|at| new(&after[*at])).all(own)
}

/// Whether no statement is open behind a line of code.
fn ended(path: &str, line: &Line<'_>, next: &Line<'_>) -> bool {
    let text = line.text.trim_end();
    // A sign in a comment ends nothing.
    let commented = ["//", "/*", "*/"].iter().any(|mark| text.contains(mark));
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("py") => next.depth == 0 && !text.ends_with('\\'),
        // Go ends a statement with its line, and has no body without braces.
        Some("go") => !commented && text.ends_with(|c: char| c.is_alphanumeric() || "_)]}{;\"`".contains(c)),
        Some("java" | "js" | "ts" | "rs" | "cs") => !commented && text.ends_with([';', '{', '}']),
        Some(_) | None => false,
    }
}
