//! Migrations of schemas, by the tool that runs them. Additive is only what is on a list of operations after which the
//! version before still works; everything else counts as breaking.

mod liquibase;
mod python;
mod rails;

pub(super) use liquibase::liquibase;
pub(super) use python::{alembic, django};
pub(super) use rails::rails;

use super::{Seen, sql as statements};
use crate::classify::change::ChangedFile;
use crate::policy::Category::{SchemaMigrationAdditive, SchemaMigrationBreaking};

/// What a migration is that is no new file: one that may have run already.
fn not_new(file: &ChangedFile) -> Option<Vec<Seen>> {
    let says = if !file.is_there() {
        "a migration was removed: where it ran, nobody runs it back"
    } else if file.before_path.is_some() {
        "a migration was renamed: where it ran under its former name, it runs again"
    } else if file.was_there() {
        "a migration that was there already was edited: where it ran, the edit never runs"
    } else {
        return None;
    };
    Some(breaking(says))
}

fn breaking(says: &str) -> Vec<Seen> {
    vec![Seen::whole(SchemaMigrationBreaking, says)]
}

/// What was seen, or that the migration does nothing, which is additive too.
fn at_least_additive(seen: Vec<Seen>) -> Vec<Seen> {
    if seen.is_empty() { vec![Seen::whole(SchemaMigrationAdditive, "a migration that changes nothing")] } else { seen }
}

/// A file that runs when things are taken back, such as `7.down.sql` or `U7__name.sql`.
fn takes_back(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let undo = name
        .strip_prefix('U')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains("__"));
    undo || name.ends_with(".down.sql") || name == "down.sql"
}

pub(super) fn sql(file: &ChangedFile) -> Vec<Seen> {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    // Flyway runs these again whenever they change.
    let repeatable = name.starts_with("R__");
    if takes_back(&file.path) && !file.was_there() {
        return vec![Seen::whole(SchemaMigrationAdditive, "what takes a migration back; it does not run forward")];
    }
    if let Some(seen) = not_new(file).filter(|_| !repeatable) {
        return seen;
    }
    let Some((_, text)) = file.texts() else {
        return breaking("a migration that is no text: cannot tell, which counts as breaking");
    };
    sql_text(upward(text))
}

/// SQL of which the path does not say that it is a migration: one where a statement changes a schema, or may do so.
pub(super) fn other_sql(file: &ChangedFile) -> Vec<Seen> {
    const CHANGE: [&str; 8] = ["CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "DO", "EXEC", "EXECUTE"];
    let changes = |text: &str| match statements::statements(text) {
        Some(all) => all.iter().any(|one| one.words.iter().any(|word| CHANGE.contains(&word.as_str()))),
        None => text.split(|c: char| !c.is_alphanumeric()).any(|word| CHANGE.contains(&word.to_uppercase().as_str())),
    };
    match file.texts() {
        Some((before, after)) if !changes(before) && !changes(after) => Vec::new(),
        _ => sql(file),
    }
}

/// What stands before the part that takes a migration back, in the files of goose, dbmate and sql-migrate: behind the one mark of
/// the way up. Where there is another order of them the whole text is judged.
fn upward(text: &str) -> &str {
    let marks = [
        ("-- +goose Up", "-- +goose Down"),
        ("-- migrate:up", "-- migrate:down"),
        ("-- +migrate Up", "-- +migrate Down"),
    ];
    let at = |mark: &str| {
        let lines = text.split_inclusive('\n').scan(0, |end, line| {
            *end += line.len();
            Some((*end - line.len(), line))
        });
        lines.filter(|(_, line)| line.trim_start().starts_with(mark)).map(|(at, _)| at).collect::<Vec<_>>()
    };
    let down = marks.iter().find_map(|(up, down)| match (at(up).as_slice(), at(down).as_slice()) {
        ([up], [down, ..]) if up < down => Some(*down),
        _ => None,
    });
    down.map_or(text, |end| &text[..end])
}

fn sql_text(text: &str) -> Vec<Seen> {
    let Some(all) = statements::statements(text) else {
        return breaking("SQL that cannot be told apart into statements, which counts as breaking");
    };
    at_least_additive(all.iter().filter_map(statements::judge).collect())
}
