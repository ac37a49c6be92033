//! Statements of SQL, as far as a migration needs them: what adds, what moves data, and everything else.

use super::Seen;
use crate::policy::Category::{self, Backfill, SchemaMigrationAdditive, SchemaMigrationBreaking};

/// A statement without comments: its words and signs in upper case, texts as `''`, quoted names as `"NAME"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The line on which it begins, from 1.
    pub line: u32,
    /// Its words and signs.
    pub words: Vec<String>,
    /// Which of the words stand first on a line.
    pub firsts: Vec<usize>,
}

/// The statements of a text; None where a text or a comment has no end, so that nothing can be told.
pub fn statements(text: &str) -> Option<Vec<Statement>> {
    let (mut all, mut words, mut word) = (Vec::new(), Vec::<String>::new(), String::new());
    let (mut line, mut begins) = (1, 1);
    let (mut fresh, mut firsts) = (true, Vec::new());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        // A line that says GO parts statements of SQL Server.
        let parts = fresh
            && !next.is_whitespace()
            && rest.lines().next().is_some_and(|line| line.trim().eq_ignore_ascii_case("go"));
        let starts_word = word.is_empty() && !next.is_whitespace();
        if fresh && starts_word {
            firsts.push(words.len());
        }
        if words.is_empty() && word.is_empty() {
            begins = line;
        }
        let taken = if rest.starts_with("--") {
            flush(&mut word, &mut words);
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            flush(&mut word, &mut words);
            // What MySQL runs although it looks like a comment cannot be told.
            if rest.starts_with("/*!") || rest.starts_with("/*+") {
                return None;
            }
            rest.find("*/")? + 2
        } else if let Some(tag) = dollar(rest).filter(|_| word.is_empty()) {
            words.push("''".to_owned());
            rest[tag.len()..].find(tag)? + 2 * tag.len()
        } else if matches!(next, '\'' | '"' | '`') {
            flush(&mut word, &mut words);
            let end = closing(rest, next)?;
            words.push(if next == '\'' { "''".to_owned() } else { rest[..end].to_uppercase() });
            end
        } else if next == ';' || parts {
            flush(&mut word, &mut words);
            let firsts = std::mem::take(&mut firsts);
            if !words.is_empty() {
                all.push(Statement { line: begins, words: std::mem::take(&mut words), firsts });
            }
            if parts { 2 } else { 1 }
        } else if next.is_alphanumeric() || next == '_' || next == '.' {
            word.extend(next.to_uppercase());
            next.len_utf8()
        } else {
            flush(&mut word, &mut words);
            if !next.is_whitespace() {
                words.push(next.to_string());
            }
            next.len_utf8()
        };
        fresh = rest[..taken].ends_with('\n') || fresh && next.is_whitespace();
        line += u32::try_from(rest[..taken].matches('\n').count()).unwrap_or(u32::MAX);
        rest = &rest[taken..];
    }
    flush(&mut word, &mut words);
    if !words.is_empty() {
        all.push(Statement { line: begins, words, firsts });
    }
    Some(all)
}

fn flush(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// `$$` or `$tag$` of PostgreSQL.
fn dollar(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('$')?;
    let end = inner.find('$')?;
    let tag = &inner[..end];
    let name = tag.chars().all(|c| c.is_alphanumeric() || c == '_') && !tag.starts_with(|c: char| c.is_ascii_digit());
    name.then(|| &text[..end + 2])
}

/// Where a quoted text ends, behind its sign; a doubled sign stands for itself. A backslash before the sign means one
/// thing to MySQL and another to PostgreSQL: then nothing can be told.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut at = 1;
    loop {
        let end = at + text[at..].find(quote)?;
        if text[at..end].ends_with('\\') {
            return None;
        }
        if !text[end + 1..].starts_with(quote) {
            return Some(end + 1);
        }
        at = end + 2;
    }
}

const CANNOT_TELL: &str = "cannot tell what it does, which counts as breaking";

/// What a statement of a migration is. Only what is known to leave the former version whole is additive.
pub fn judge(statement: &Statement) -> Option<Seen> {
    let words: Vec<&str> = statement.words.iter().map(String::as_str).collect();
    let seen = |category: Category, says: String| Some(Seen { category, line: Some(statement.line), says });
    let additive = |says: &str| seen(SchemaMigrationAdditive, says.to_owned());
    let breaking = |says: String| seen(SchemaMigrationBreaking, says);
    if let Some(verb) = second_verb(&statement.firsts, &words) {
        return breaking(format!("{verb} behind another statement without a semicolon, which counts as breaking"));
    }
    // `OR REPLACE` and the like take something's place.
    match words.as_slice() {
        words if changes_nothing(words) => None,
        ["CREATE", "OR", ..] => breaking("CREATE OR REPLACE takes the place of what is there".to_owned()),
        ["CREATE", "UNIQUE", ..] => {
            breaking("CREATE UNIQUE INDEX refuses rows that the former version may write".to_owned())
        }
        ["CREATE", "TRIGGER" | "RULE" | "POLICY" | "CONSTRAINT", ..] => {
            breaking(format!("CREATE {} changes what the former version's writes do", words[1]))
        }
        [
            "CREATE",
            "TABLE" | "INDEX" | "TYPE" | "SCHEMA" | "SEQUENCE" | "VIEW" | "EXTENSION" | "DOMAIN" | "MATERIALIZED",
            ..,
        ] => additive(&format!("CREATE {}", words[1])),
        ["COMMENT", "ON", ..] => additive("COMMENT ON"),
        ["INSERT", ..] | ["UPDATE", ..] | ["MERGE", ..] | ["COPY", ..] => {
            seen(Backfill, format!("{} writes data", words[0]))
        }
        ["ALTER", "TYPE", .., "ADD", "VALUE", _] => additive("ALTER TYPE … ADD VALUE"),
        ["ALTER", "TABLE", rest @ ..] => match alter_table(rest) {
            Ok(()) => additive("ALTER TABLE … ADD COLUMN"),
            Err(why) => breaking(why),
        },
        ["DROP" | "TRUNCATE" | "DELETE" | "ALTER" | "RENAME" | "REVOKE", ..] => breaking(two(&words)),
        // Of a DO block, a GRANT, a CALL or a dialect's own word nobody can tell what it does.
        _ => breaking(format!("{}: {CANNOT_TELL}", two(&words))),
    }
}

/// A verb that begins another statement: one that takes away wherever it stands, another at the beginning of a line.
fn second_verb<'a>(firsts: &[usize], words: &[&'a str]) -> Option<&'a str> {
    const TAKE: [&str; 2] = ["DROP", "TRUNCATE"];
    const BEGIN: [&str; 11] =
        ["CREATE", "ALTER", "DELETE", "UPDATE", "INSERT", "MERGE", "GRANT", "REVOKE", "RENAME", "EXEC", "EXECUTE"];
    let judged_by_itself = matches!(words.first(), Some(&("ALTER" | "DROP" | "TRUNCATE")));
    let second = |(at, word): &(usize, &&str)| {
        *at > 0 && (!judged_by_itself && TAKE.contains(*word) || firsts.contains(at) && BEGIN.contains(*word))
    };
    words.iter().enumerate().find(second).map(|(_, word)| *word)
}

fn two(words: &[&str]) -> String {
    let shown: Vec<&str> =
        words.iter().take(2).copied().filter(|word| word.chars().all(|c| c.is_ascii_alphabetic())).collect();
    if shown.is_empty() { "a statement".to_owned() } else { shown.join(" ") }
}

/// Whether a statement as a whole begins or ends a transaction, or sets something for the session alone.
fn changes_nothing(words: &[&str]) -> bool {
    match words {
        ["BEGIN" | "COMMIT" | "END"]
        | ["BEGIN" | "COMMIT" | "END", "TRANSACTION" | "TRAN" | "WORK"]
        | ["BEGIN", "DEFERRED" | "IMMEDIATE" | "EXCLUSIVE"]
        | ["START", "TRANSACTION"]
        | ["ANALYZE"]
        | ["USE" | "ANALYZE", _]
        | ["ANALYZE", "TABLE" | "VERBOSE", _] => true,
        ["SET", "PASSWORD", ..] => false,
        ["SET", "LOCAL" | "SESSION", _, "=" | "TO", values @ ..]
        | ["SET", _, "=" | "TO", values @ ..]
        | ["SET", _, values @ ..] => {
            let plain =
                |word: &&str| *word == "''" || word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
            values.split(|word| *word == ",").all(|value| value.len() == 1 && value.iter().all(plain))
        }
        _ => false,
    }
}

/// Whether an ALTER TABLE does nothing but add columns that the former version need not know, and plain indices.
fn alter_table(words: &[&str]) -> Result<(), String> {
    let cannot = || format!("ALTER TABLE: {CANNOT_TELL}");
    for (index, action) in top_level(words).ok_or_else(cannot)?.into_iter().enumerate() {
        // Before the first stands the table's name.
        let add =
            if index == 0 { action.iter().skip(1).position(|word| *word == "ADD").map(|at| at + 1) } else { Some(0) };
        match (add.map(|at| action.split_at(at)), action) {
            (Some((table, ["ADD", column @ ..])), _) if is_name(table) => added(column)?,
            // How MySQL goes about it.
            (_, ["ALGORITHM" | "LOCK", _] | ["ALGORITHM" | "LOCK", "=", _]) if index > 0 => {}
            _ => {
                let verb = action.iter().find(|word| VERBS.contains(word));
                return Err(verb.map_or_else(cannot, |verb| format!("ALTER TABLE … {verb}")));
            }
        }
    }
    Ok(())
}

/// Verbs of an ALTER TABLE that are shown.
const VERBS: [&str; 11] =
    ["DROP", "RENAME", "MODIFY", "CHANGE", "ALTER", "ATTACH", "DETACH", "DISABLE", "ENABLE", "REPLACE", "VALIDATE"];

/// In how many brackets each word stands, a bracket in itself as well; None where brackets do not match.
fn depths(words: &[&str]) -> Option<Vec<usize>> {
    let mut open = 0_usize;
    let depth = |word: &&str| {
        let before = open;
        match *word {
            "(" => open += 1,
            ")" => open = open.checked_sub(1)?,
            _ => {}
        }
        Some(open.max(before))
    };
    let depths = words.iter().map(depth).collect::<Option<Vec<usize>>>()?;
    (open == 0).then_some(depths)
}

/// The parts between commas that stand in no brackets; None where brackets do not match.
fn top_level<'a, 'b>(words: &'a [&'b str]) -> Option<Vec<&'a [&'b str]>> {
    let depths = depths(words)?;
    let (mut parts, mut begins) = (Vec::new(), 0);
    for at in (0..words.len()).filter(|at| words[*at] == "," && depths[*at] == 0) {
        parts.push(&words[begins..at]);
        begins = at + 1;
    }
    parts.push(&words[begins..]);
    Some(parts)
}

/// Whether these are no more than the name of a table.
fn is_name(words: &[&str]) -> bool {
    let plain = |at: usize| words[at].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let bracket = |at: usize| at.checked_sub(1).is_some_and(|before| words[before] == "[");
    let known = |at: usize| matches!(words[at], "ONLY" | "IF" | "EXISTS");
    (0..words.len()).filter(|at| plain(*at) && !bracket(*at) && !known(*at)).count() <= 1
}

/// Whether what is added is a column that the former version need not know, or a plain index.
fn added(words: &[&str]) -> Result<(), String> {
    let cannot = || format!("ALTER TABLE … ADD: {CANNOT_TELL}");
    if let ["(", columns @ .., ")"] = words {
        return top_level(columns).ok_or_else(cannot)?.into_iter().try_for_each(column);
    }
    match words {
        ["INDEX" | "KEY", "(", columns @ .., ")"] | ["INDEX" | "KEY", _, "(", columns @ .., ")"]
            if !columns.contains(&"(") =>
        {
            Ok(())
        }
        ["PARTITION" | "PERIOD" | "FULLTEXT" | "SPATIAL", ..] => Err(cannot()),
        ["COLUMN", "IF", "NOT", "EXISTS", rest @ ..] | ["IF", "NOT", "EXISTS", rest @ ..] | ["COLUMN", rest @ ..] => {
            column(rest)
        }
        _ => column(words),
    }
}

/// Whether a column may be empty or has a default, and is nothing that is not known.
fn column(words: &[&str]) -> Result<(), String> {
    const REFUSES: [&str; 7] = ["CONSTRAINT", "UNIQUE", "CHECK", "PRIMARY", "FOREIGN", "REFERENCES", "EXCLUDE"];
    const KNOWN: [&str; 31] = [
        "NOT",
        "NULL",
        "DEFAULT",
        "COLLATE",
        "COMMENT",
        "AFTER",
        "FIRST",
        "GENERATED",
        "ALWAYS",
        "BY",
        "AS",
        "STORED",
        "VIRTUAL",
        "PERSISTED",
        "IDENTITY",
        "PRECISION",
        "VARYING",
        "WITH",
        "WITHOUT",
        "TIME",
        "LOCAL",
        "ZONE",
        "VALUES",
        "UNSIGNED",
        "CHARACTER",
        "CHARSET",
        "SET",
        "INTERVAL",
        "ON",
        "UPDATE",
        "CURRENT_TIMESTAMP",
    ];
    let cannot = || format!("ALTER TABLE … ADD: {CANNOT_TELL}");
    let depths = depths(words).ok_or_else(cannot)?;
    let outside: Vec<&str> = words.iter().zip(depths).filter(|(_, depth)| *depth == 0).map(|(word, _)| *word).collect();
    if let Some(word) = outside.iter().find(|word| REFUSES.contains(word)) {
        return Err(format!("ALTER TABLE … ADD {word} refuses rows that the former version may write"));
    }
    let pair = |first: &str, second: &str| outside.windows(2).any(|pair| pair == [first, second]);
    let filled =
        outside.iter().any(|word| matches!(*word, "DEFAULT" | "GENERATED" | "IDENTITY")) && !pair("DEFAULT", "NULL");
    if pair("NOT", "NULL") && !filled {
        return Err(
            "ALTER TABLE … ADD NOT NULL without a default refuses rows that the former version writes".to_owned()
        );
    }
    // Its name, its type, what is known, and the words that belong to it.
    let known = |at: usize| {
        let word = outside[at];
        at < 2
            || !word.starts_with(|c: char| c.is_alphabetic() || c == '_')
            || KNOWN.contains(&word)
            || matches!(outside[at - 1], "DEFAULT" | "COLLATE" | "AFTER" | "SET" | "CHARSET" | ":" | "[")
            || at == 3 && outside[0] == "["
    };
    if outside.len() < 2 || !(0..outside.len()).all(known) {
        return Err(cannot());
    }
    Ok(())
}
