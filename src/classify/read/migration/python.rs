//! Migrations in Python: Alembic and Django.

use super::{at_least_additive, breaking, not_new};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;
use crate::policy::Category::{self, Backfill, SchemaMigrationAdditive, SchemaMigrationBreaking};

/// A call `name(arguments)`.
struct Call<'a> {
    line: u32,
    name: &'a str,
    arguments: &'a str,
}

/// Every call in a text, those in the arguments of others too. Calls in texts and comments are among them: they can only
/// make a migration look worse.
fn calls(text: &str) -> Vec<Call<'_>> {
    let mut all = Vec::new();
    for (open, _) in text.match_indices('(') {
        let before = &text[..open];
        let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let begins = before.char_indices().rev().take_while(|(_, c)| word(*c)).last().map_or(open, |(at, _)| at);
        let name = &before[begins..];
        if name.is_empty()
            || before[..begins].trim_end().ends_with("def")
            || before[..begins].trim_end().ends_with("class")
        {
            continue;
        }
        let line = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1);
        all.push(Call { line, name, arguments: arguments(&text[open..]) });
    }
    all
}

/// What stands between a parenthesis and the one that closes it.
fn arguments(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[1..at];
        }
    }
    text
}

fn seen(call: &Call<'_>, category: Category, says: String) -> Option<Seen> {
    Some(Seen { category, line: Some(call.line), says })
}

pub fn alembic(file: &ChangedFile) -> Vec<Seen> {
    if let Some(seen) = not_new(file) {
        return seen;
    }
    let Some((_, text)) = file.texts() else { return breaking("a migration that is no text") };
    if !text.contains("def upgrade") {
        return breaking("no def upgrade: cannot tell what it does, which counts as breaking");
    }
    // The way back does not run forward; what stands behind it may be called from the way up.
    let down = text.find("\ndef downgrade");
    let (head, tail) = down.map_or((text, ""), |at| text.split_at(at));
    if tail[tail.len().min(1)..].contains("\ndef ") {
        return breaking("functions behind def downgrade: cannot tell what they do, which counts as breaking");
    }
    at_least_additive(calls(head).iter().filter_map(operation).collect())
}

/// Modules whose calls only describe types and columns.
const DESCRIBE: &[&str] =
    &["sa.", "sqlalchemy.", "postgresql.", "mysql.", "sqlite.", "mssql.", "op.f", "batch_op.f", "sqlmodel."];

fn operation(call: &Call<'_>) -> Option<Seen> {
    if DESCRIBE
        .iter()
        .any(|module| if module.ends_with('.') { call.name.starts_with(module) } else { call.name == *module })
    {
        // Text that is run would stand in op.execute, which is judged.
        return None;
    }
    let Some(name) = call.name.strip_prefix("op.").or_else(|| call.name.strip_prefix("batch_op.")) else {
        return seen(
            call,
            SchemaMigrationBreaking,
            format!("{}(): cannot tell what it does, which counts as breaking", call.name),
        );
    };
    let has = |sign: &str| call.arguments.replace(' ', "").contains(sign);
    match name {
        "batch_alter_table" => None,
        "add_column" if has("nullable=False") && !has("server_default=") => {
            seen(call, SchemaMigrationBreaking, "add_column that must not be empty, without server_default".to_owned())
        }
        "create_index" if has("unique=True") => seen(
            call,
            SchemaMigrationBreaking,
            "create_index, unique: refuses rows that the former version may write".to_owned(),
        ),
        "create_table" | "add_column" | "create_index" | "create_table_comment" => {
            seen(call, SchemaMigrationAdditive, name.to_owned())
        }
        "bulk_insert" => seen(call, Backfill, "bulk_insert writes data".to_owned()),
        "execute" => seen(
            call,
            SchemaMigrationBreaking,
            "op.execute: cannot tell what it runs, which counts as breaking".to_owned(),
        ),
        _ => seen(call, SchemaMigrationBreaking, format!("op.{name}")),
    }
}

pub fn django(file: &ChangedFile) -> Vec<Seen> {
    if file.path.ends_with("__init__.py") {
        return Vec::new();
    }
    if let Some(seen) = not_new(file) {
        return seen;
    }
    let Some((_, text)) = file.texts() else { return breaking("a migration that is no text") };
    if !text.contains("operations") {
        return breaking("no operations: cannot tell what it does, which counts as breaking");
    }
    if !is_plain_list(text) {
        return breaking(
            "operations is no plain list of migrations.…(): cannot tell what it does, which counts as breaking",
        );
    }
    at_least_additive(calls(text).iter().filter_map(django_operation).collect())
}

/// Whether `operations` stands once, as a list each of whose items is a call of something in `migrations`.
fn is_plain_list(text: &str) -> bool {
    let mut places = text.match_indices("operations").filter(|(at, _)| {
        let before = text[..*at].chars().next_back();
        let after = text[at + "operations".len()..].chars().next();
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !word(before) && !word(after)
    });
    let (Some((at, name)), None) = (places.next(), places.next()) else { return false };
    let rest = text[at + name.len()..].trim_start().strip_prefix('=').map(str::trim_start);
    let Some(items) = rest.and_then(list_items) else { return false };
    items.iter().all(|item| item.starts_with("migrations."))
}

/// The items of the list that a text begins with; None where it begins with no list, has no end, or goes on behind it.
fn list_items(text: &str) -> Option<Vec<String>> {
    let (mut depth, mut items, mut item) = (0_usize, Vec::new(), String::new());
    let mut rest = text;
    if !rest.starts_with('[') {
        return None;
    }
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '\'' | '"' => {
                let long = ["\"\"\"", "'''"].into_iter().find(|quote| rest.starts_with(quote));
                // A backslash in a text makes its end hard to tell.
                let quote = long.map_or(&rest[..1], |quote| quote);
                let end = quote.len() + rest[quote.len()..].find(quote)?;
                if rest[..end].contains('\\') {
                    return None;
                }
                item.push_str("''");
                end + quote.len()
            }
            _ => {
                let opens = matches!(next, '[' | '(' | '{');
                let closes = matches!(next, ']' | ')' | '}');
                depth = if closes { depth - 1 } else { depth };
                if depth == 0 && closes {
                    items.push(std::mem::take(&mut item));
                    let behind = rest[1..].lines().next().unwrap_or_default().trim();
                    items.retain(|item| !item.is_empty());
                    return (behind.is_empty() || behind.starts_with('#')).then_some(items);
                }
                match next {
                    ',' if depth == 1 => items.push(std::mem::take(&mut item)),
                    _ if depth == 0 || depth == 1 && next.is_whitespace() => {}
                    _ => item.push(next),
                }
                depth = if opens { depth + 1 } else { depth };
                next.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    None
}

fn django_operation(call: &Call<'_>) -> Option<Seen> {
    let has = |sign: &str| call.arguments.replace(' ', "").contains(sign);
    let Some(name) = call.name.strip_prefix("migrations.") else {
        // Fields, validators and choices describe; what runs is among the operations.
        return None;
    };
    match name {
        "swappable_dependency" => None,
        // Django takes a Python default away again: the version before would write no value.
        "AddField" if !has("null=True") && !has("db_default=") && !has("ManyToManyField(") => seen(
            call,
            SchemaMigrationBreaking,
            "AddField without null=True or db_default: the former version writes no value".to_owned(),
        ),
        "CreateModel" | "AddField" | "AddIndex" | "AlterModelOptions" | "AlterModelManagers" => {
            seen(call, SchemaMigrationAdditive, name.to_owned())
        }
        "RunPython" | "RunSQL" | "SeparateDatabaseAndState" => {
            seen(call, SchemaMigrationBreaking, format!("{name}: cannot tell what it runs, which counts as breaking"))
        }
        _ => seen(call, SchemaMigrationBreaking, name.to_owned()),
    }
}
