//! Migrations of Rails.

use super::{at_least_additive, breaking, not_new};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;
use crate::policy::Category::{SchemaMigrationAdditive, SchemaMigrationBreaking};

pub fn rails(file: &ChangedFile) -> Vec<Seen> {
    if let Some(seen) = not_new(file) {
        return seen;
    }
    let Some((_, text)) = file.texts() else { return breaking("a migration that is no text") };
    let mut seen = Vec::new();
    // Whether lines stand in the way back, or in the block of a new table.
    let (mut down, mut table) = (false, false);
    for (line, text) in joined(text) {
        let word = text.split([' ', '(', '\t']).next().unwrap_or_default();
        if text.contains(';') || word == "def" && text.contains(" = ") {
            let says = "several statements on a line: cannot tell what they do, which counts as breaking".to_owned();
            seen.push(Seen { category: SchemaMigrationBreaking, line: Some(line), says });
        }
        if word == "def" {
            down = text.split_whitespace().nth(1) == Some("down");
        }
        if down {
            continue;
        }
        if word == "end" {
            table = false;
            continue;
        }
        let Some((additive, says)) = operation(word, &text, table) else { continue };
        table |= word == "create_table" && text.contains(" do");
        let category = if additive { SchemaMigrationAdditive } else { SchemaMigrationBreaking };
        seen.push(Seen { category, line: Some(line), says });
    }
    at_least_additive(seen)
}

/// Lines without comments, each with those that it goes on in.
fn joined(text: &str) -> Vec<(u32, String)> {
    let mut all: Vec<(u32, String)> = Vec::new();
    for (number, line) in (1u32..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match all.last_mut().filter(|(_, before)| before.ends_with([',', '(', '\\'])) {
            Some((_, before)) => {
                before.push(' ');
                before.push_str(line);
            }
            None => all.push((number, line.to_owned())),
        }
    }
    all
}

/// Whether a line only adds, and what it is; None where it does nothing to the schema.
fn operation(word: &str, text: &str, table: bool) -> Option<(bool, String)> {
    let has = |sign: &str| text.replace(": ", ":").contains(sign);
    let must_have = has("null:false") && !has("default:");
    Some(match word {
        "class" | "def" | "disable_ddl_transaction!" | ")" => return None,
        _ if table && (word.starts_with("t.") || text.starts_with("t.")) => return None,
        "add_column" | "add_reference" | "add_belongs_to" if must_have => {
            (false, format!("{word} that must not be empty, without a default"))
        }
        "add_index" if has("unique:true") => {
            (false, "add_index, unique: refuses rows that the former version may write".to_owned())
        }
        // A table that is made by force takes the place of another.
        "create_table" if has("force:") => (false, "create_table, force".to_owned()),
        "create_table" | "add_column" | "add_reference" | "add_belongs_to" | "add_index" | "create_join_table"
        | "enable_extension" => (true, word.to_owned()),
        "remove_column" | "remove_columns" | "drop_table" | "rename_column" | "rename_table" | "change_column"
        | "remove_reference" | "change_column_null" | "remove_index" | "drop_join_table" => (false, word.to_owned()),
        _ => (false, format!("{}: cannot tell what it does, which counts as breaking", name(word))),
    })
}

/// A word that is a name, and nothing else of the text.
fn name(word: &str) -> &str {
    if word.chars().all(|c| c.is_alphanumeric() || "_.!?".contains(c)) { word } else { "a statement" }
}
