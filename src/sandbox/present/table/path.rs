//! The JSONPath of a printer column, in the dialect of Kubernetes: `.a.b`, `.labels.x\.y`, `['a.b']`, `[0]`, `[-1]`, `[*]`
//! and filters such as `[?(@.type=="Ready")]`. It is not that of RFC 9535 (no `$` is needed, dots are escaped).

use serde_json::Value;

/// A parsed path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Field(String),
    Index(i64),
    All,
    /// Elements in which the path has the value, or any value where none is asked for.
    Filter {
        path: Path,
        compare: Option<(bool, Value)>,
    },
}

impl Path {
    /// Reads a path. Unions, ranges, recursive descent and ordering filters (`<`, `>`) are refused.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        rest = rest.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(rest);
        rest = rest.strip_prefix(['$', '@']).unwrap_or(rest);
        let mut steps = Vec::new();
        while let Some(first) = rest.chars().next() {
            let (step, left) = match first {
                '[' => bracket(rest)?,
                '.' if rest.starts_with("..") => return Err(format!("{text}: recursive descent is not supported")),
                '.' => field(rest.get(1..).unwrap_or_default()),
                _ if steps.is_empty() => field(rest),
                _ => return Err(format!("{text}: expected `.` or `[` at `{rest}`")),
            };
            steps.extend(step);
            rest = left;
        }
        Ok(Self(steps))
    }

    /// The first value that it finds.
    pub(super) fn first<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        find(&self.0, value)
    }
}

/// A name up to the next unescaped `.` or `[`; none for the empty name, as in `.[0]`.
fn field(text: &str) -> (Option<Step>, &str) {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => name.extend(chars.next().map(|(_, escaped)| escaped)),
            '.' | '[' => return (step(name), text.get(at..).unwrap_or_default()),
            other => name.push(other),
        }
    }
    (step(name), "")
}

fn step(name: String) -> Option<Step> {
    match name.as_str() {
        "" => None,
        "*" => Some(Step::All),
        _ => Some(Step::Field(name)),
    }
}

fn bracket(text: &str) -> Result<(Option<Step>, &str), String> {
    let end = closing(text).ok_or_else(|| format!("`{text}` is not closed"))?;
    let inner = text.get(1..end).unwrap_or_default().trim();
    let rest = text.get(end + 1..).unwrap_or_default();
    let step = if let Some(filter) = inner.strip_prefix("?(").and_then(|inner| inner.strip_suffix(')')) {
        self::filter(filter)?
    } else if let Some(name) = quoted(inner) {
        Step::Field(name)
    } else if inner == "*" {
        Step::All
    } else {
        Step::Index(inner.parse().map_err(|_| format!("`[{inner}]` is neither an index, a name, `*` nor a filter"))?)
    };
    Ok((Some(step), rest))
}

/// Where the bracket that the text begins with ends, quotes and inner brackets left alone.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (Some(open), _) if open == char => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(char),
            (None, '[') => depth += 1,
            (None, ']') if depth == 1 => return Some(at),
            (None, ']') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    None
}

fn quoted(text: &str) -> Option<String> {
    let inner = ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))?;
    Some(inner.replace("\\.", "."))
}

fn filter(text: &str) -> Result<Step, String> {
    for (sign, equal) in [("==", true), ("!=", false)] {
        if let Some((path, value)) = text.split_once(sign) {
            let value = value.trim();
            let literal = quoted(value).map(Value::String).map_or_else(|| serde_json::from_str(value), Ok);
            let literal = literal.map_err(|_| format!("`{value}` is not a literal"))?;
            return Ok(Step::Filter { path: Path::parse(path)?, compare: Some((equal, literal)) });
        }
    }
    if text.contains(['<', '>']) {
        return Err(format!("`{text}`: only == and != are supported"));
    }
    Ok(Step::Filter { path: Path::parse(text)?, compare: None })
}

fn find<'v>(steps: &[Step], value: &'v Value) -> Option<&'v Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match step {
        Step::Field(name) => find(rest, value.get(name)?),
        Step::Index(at) => {
            let all = value.as_array()?;
            let at = if *at < 0 { i64::try_from(all.len()).ok()? + at } else { *at };
            find(rest, all.get(usize::try_from(at).ok()?)?)
        }
        Step::All => match value {
            Value::Array(all) => all.iter().find_map(|value| find(rest, value)),
            Value::Object(all) => all.values().find_map(|value| find(rest, value)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        },
        Step::Filter { path, compare } => {
            let keep = |candidate: &&Value| match (path.first(candidate), compare) {
                (Some(found), Some((equal, wanted))) => (found == wanted) == *equal,
                (found, None) => found.is_some(),
                (None, Some(_)) => false,
            };
            value.as_array()?.iter().filter(keep).find_map(|value| find(rest, value))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(".spec.tier", Some(json!(2)))]
    #[case("$.spec.tier", Some(json!(2)))]
    #[case("{.spec.tier}", Some(json!(2)))]
    #[case("spec.tier", Some(json!(2)))]
    #[case(r".metadata.labels.a\.b/c", Some(json!("dotted")))]
    #[case(".metadata.labels['a.b/c']", Some(json!("dotted")))]
    #[case(r".metadata.labels['a\.b/c']", Some(json!("dotted")))]
    #[case(".list[0]", Some(json!(1)))]
    #[case(".list[-1]", Some(json!(3)))]
    #[case(".list[7]", None)]
    #[case(".list", Some(json!([1, 2, 3])))]
    #[case(".status.conditions[*].type", Some(json!("Stalled")))]
    #[case(r#".status.conditions[?(@.type=="Ready")].status"#, Some(json!("True")))]
    #[case(r#".status.conditions[?(@.type == 'Ready')].status"#, Some(json!("True")))]
    #[case(r#".status.conditions[?(@.type!="Stalled")].status"#, Some(json!("True")))]
    #[case(r#".status.conditions[?(@.reason)].type"#, Some(json!("Ready")))]
    #[case(r#".status.conditions[?(@.type=="None")].status"#, None)]
    #[case(".missing.deep", None)]
    #[case(".spec.tier.deeper", None)]
    fn paths_find_what_a_column_shows(#[case] path: &str, #[case] wanted: Option<Value>) {
        let object = json!({
            "metadata": {"labels": {"a.b/c": "dotted"}},
            "spec": {"tier": 2}, "list": [1, 2, 3],
            "status": {"conditions": [
                {"type": "Stalled", "status": "False"}, {"type": "Ready", "status": "True", "reason": "Fine"},
            ]},
        });
        assert_eq!(Path::parse(path).unwrap().first(&object), wanted.as_ref());
    }

    #[rstest]
    #[case("..name")]
    #[case(".a[")]
    #[case(".a[x]")]
    #[case(".a[0:2]")]
    #[case(".a[?(@.b>1)]")]
    #[case(".a[0]b")]
    fn what_is_not_supported_is_refused(#[case] path: &str) {
        assert!(Path::parse(path).is_err(), "{path}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in r"[.\[\]'?@()=a\\0*é-]{0,24}") {
            let _ = Path::parse(&text).map(|path| path.first(&serde_json::json!({"a": [{"a": 1}]})).cloned());
        }
    }
}
