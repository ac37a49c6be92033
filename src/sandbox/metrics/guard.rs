//! What is kept from the parser of PromQL, because it would panic there or come out wrong.
//!
//! promql-parser reads durations with `Duration::from_secs_f64`, which panics for what is no length of time, takes apart
//! escapes byte by byte, and drops a number of units that is too large. Each such query is one that Prometheus refuses too.

use promql_parser::parser::Expr;

/// The longest query, in bytes: the parser's work grows with the square of it.
const LENGTH_MAX: usize = 4 * 1024;
/// How deep expressions may stand in each other.
const DEPTH_MAX: usize = 100;
/// The most digits that a duration or a number of units may have: so much is 31,000 years of seconds.
const DIGITS_MAX: usize = 12;
/// The most digits of a number in front of a unit that the parser does not drop.
const UNITS_MAX: usize = 9;

/// The query without its comments, or why it is refused.
pub(super) fn checked(query: &str) -> Result<String, String> {
    if query.trim().is_empty() {
        return Err("no expression found in input".to_owned());
    }
    if query.len() > LENGTH_MAX {
        return Err(format!("the query is longer than {LENGTH_MAX} bytes"));
    }
    let mut code = String::with_capacity(query.len());
    // The same length as `code`, with blanks for what stands between quotes.
    let mut bare = String::with_capacity(query.len());
    let mut chars = query.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' => {
                chars.by_ref().find(|c| *c == '\n');
                code.push('\n');
                bare.push('\n');
            }
            '"' | '\'' | '`' => {
                code.push(c);
                bare.push('"');
                quoted(c, &mut chars, &mut code)?;
                bare.push('"');
            }
            _ => {
                code.push(c);
                bare.push(c);
            }
        }
    }
    durations(&bare.to_lowercase())?;
    Ok(code)
}

/// Copies a string literal up to and with its closing quote.
fn quoted(quote: char, chars: &mut std::str::Chars<'_>, code: &mut String) -> Result<(), String> {
    while let Some(c) = chars.next() {
        code.push(c);
        if c == quote {
            return Ok(());
        }
        if c == '\n' && quote != '`' {
            break;
        }
        if c == '\\' && quote != '`' {
            match chars.next() {
                Some(next) if next.is_ascii() => code.push(next),
                _ => return Err("unknown escape sequence in a string".to_owned()),
            }
        }
    }
    Err("unterminated quoted string".to_owned())
}

/// Looks at every word of digits and letters, and at what stands in brackets or behind `offset`.
fn durations(bare: &str) -> Result<(), String> {
    let of_word = |c: char| c.is_alphanumeric() || c == '.' || c == '_' || c == ':';
    let refused = |text: &str| Err(format!("not a valid duration string: {text:?}"));
    let (mut brackets, mut behind_offset, mut rest) = (0_usize, false, bare);
    while let Some(c) = rest.chars().next() {
        let length = rest.find(|c| !of_word(c)).unwrap_or(rest.len()).max(if of_word(c) { 0 } else { c.len_utf8() });
        let (word, after) = rest.split_at(length);
        rest = after;
        match c {
            '[' => brackets += 1,
            ']' => brackets = brackets.saturating_sub(1),
            _ if c.is_whitespace() || c == '-' || c == '+' => continue,
            _ if of_word(c) => {
                if too_many_units(word) {
                    return Err("duration out of range".to_owned());
                }
                let number = c.is_ascii_digit() || c == '.' || word == "inf" || word == "nan";
                if (brackets > 0 || (behind_offset && number)) && !plain_duration(word) {
                    return refused(word);
                }
            }
            _ => {}
        }
        behind_offset = word == "offset";
    }
    Ok(())
}

/// Whether a number in front of a unit has more digits than the parser reads.
fn too_many_units(word: &str) -> bool {
    let mut digits = 0;
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().any(|c| {
            let before = digits;
            digits = if c.is_ascii_digit() { before + 1 } else { 0 };
            before > UNITS_MAX && "ywdhms".contains(c)
        })
}

/// Whether a word can only be a length of time, or two of a subquery: digits, points, units.
fn plain_duration(word: &str) -> bool {
    let mut digits = 0;
    word.chars().all(|c| {
        digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
        digits <= DIGITS_MAX && (c.is_ascii_digit() || ".:ywdhms".contains(c))
    })
}

/// Refuses what stands too deep to be evaluated on one stack.
pub(super) fn shallow(expr: &Expr) -> Result<(), String> {
    if depth(expr, 0) > DEPTH_MAX {
        Err(format!("expressions stand more than {DEPTH_MAX} deep in each other"))
    } else {
        Ok(())
    }
}

fn depth(expr: &Expr, above: usize) -> usize {
    let here = above + 1;
    let deeper = |expr: &Expr| depth(expr, here);
    if here > DEPTH_MAX {
        return here;
    }
    match expr {
        Expr::Aggregate(inner) => deeper(&inner.expr).max(inner.param.as_ref().map_or(0, |param| deeper(param))),
        Expr::Unary(inner) => deeper(&inner.expr),
        Expr::Binary(inner) => deeper(&inner.lhs).max(deeper(&inner.rhs)),
        Expr::Paren(inner) => deeper(&inner.expr),
        Expr::Subquery(inner) => deeper(&inner.expr),
        Expr::Call(inner) => inner.args.args.iter().map(|arg| deeper(arg)).max().unwrap_or(here),
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::Extension(_) => here,
    }
}
