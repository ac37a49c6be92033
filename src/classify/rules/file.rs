//! Files of rules: their fields, and what may be wrong with them.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{DEFAULT_RULES, Decides, Globs, Group, LinePatterns, Owned, Rule, Rules};
use crate::classify::find::{COMMENTS, UNKNOWN};
use crate::classify::read::Reader;
use crate::policy::Category;

/// What is wrong with a file of rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}:{line}: {field}{says}")]
pub struct RulesError {
    /// The file.
    pub place: String,
    /// The line, from 1.
    pub line: u64,
    /// The field and a colon, such as `rules[auth].paths[0]: `; empty where the text is no YAML.
    pub field: String,
    /// What is wrong and what to write instead.
    pub says: String,
}

/// The default set.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefaultFile {
    rules: Vec<Written>,
}

/// A project's `.tidegate.yaml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ProjectFile {
    #[serde(default)]
    switched_off: Vec<Spanned<String>>,
    #[serde(default)]
    core: Vec<Spanned<String>>,
    #[serde(default)]
    non_core: Vec<Spanned<String>>,
    #[serde(default)]
    hot_paths: Vec<Spanned<String>>,
    #[serde(default)]
    owners: Vec<WrittenOwners>,
    #[serde(default)]
    rules: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenOwners {
    paths: Vec<Spanned<String>>,
    owners: Vec<String>,
}

/// A rule as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Spanned<String>,
    #[serde(default)]
    says: Option<String>,
    paths: Vec<Spanned<String>>,
    #[serde(default)]
    except: Vec<Spanned<String>>,
    #[serde(default)]
    added: Vec<Spanned<String>>,
    #[serde(default)]
    removed: Vec<Spanned<String>>,
    #[serde(default)]
    lines: Vec<Spanned<String>>,
    #[serde(default)]
    every: bool,
    #[serde(default)]
    statements: bool,
    #[serde(default)]
    categories: Vec<Spanned<String>>,
    #[serde(default)]
    reads: Option<Spanned<String>>,
    #[serde(default)]
    settles: bool,
}

/// Where errors are.
struct At<'a> {
    place: &'a str,
    field: String,
}

impl At<'_> {
    fn error<T>(&self, what: &Spanned<T>, field: &str, says: String) -> RulesError {
        let field = format!("{}{field}: ", self.field);
        RulesError { place: self.place.to_owned(), line: what.referenced.line(), field, says }
    }
}

pub(super) fn shipped() -> Result<Rules, RulesError> {
    let place = "default-rules.yaml";
    let read: DefaultFile = parse(place, DEFAULT_RULES)?;
    let rules = read.rules.into_iter().map(|written| rule(place, written, Group::Default)).collect::<Result<_, _>>()?;
    Ok(Rules { rules, owned: Vec::new(), switched_off: Vec::new() })
}

pub(super) fn with_project(place: &str, text: &str) -> Result<Rules, RulesError> {
    let mut rules = shipped()?;
    // A file of comments alone is an empty one.
    let read: Option<ProjectFile> = parse(place, text)?;
    let read = read.unwrap_or_default();
    for written in read.rules {
        let name = written.name.clone();
        let at = At { place, field: format!("rules[{}].", name.value) };
        if rules.rules.iter().any(|rule| rule.name == name.value) || [COMMENTS, UNKNOWN].contains(&name.value.as_str())
        {
            let says = "there is a rule of this name already, perhaps a default one; names are unique: choose another"
                .to_owned();
            return Err(at.error(&name, "name", says));
        }
        rules.rules.push(rule(place, written, Group::Project)?);
    }
    let modules: [(&str, Vec<Spanned<String>>, Category, &str); 3] = [
        ("core", read.core, Category::CoreLogic, "a core module"),
        ("nonCore", read.non_core, Category::NonCoreLogic, "outside core modules"),
        ("hotPaths", read.hot_paths, Category::HotPath, "a path where latency counts"),
    ];
    for (field, written, category, says) in modules {
        let at = At { place, field: String::new() };
        if written.is_empty() {
            continue;
        }
        rules.rules.push(Rule {
            name: field.to_owned(),
            says: format!("{says}, as {place} says"),
            decides: Decides::Path(vec![category]),
            settles: false,
            group: Group::Modules,
            paths: globs(&at, field, &written)?,
            except: Globs::default(),
        });
    }
    for (index, written) in read.owners.into_iter().enumerate() {
        let at = At { place, field: format!("owners[{index}].") };
        let paths = globs(&at, "paths", &written.paths)?;
        rules.owned.push(Owned { paths, owners: written.owners.into_iter().collect() });
    }
    for name in read.switched_off {
        let known = rules.rules.iter().position(|rule| rule.group == Group::Default && rule.name == name.value);
        let Some(index) = known else {
            let names: Vec<String> = shipped()?.rules.into_iter().map(|rule| rule.name).collect();
            let at = At { place, field: String::new() };
            let says = format!(
                "{:?} is no default rule, or stands here twice; the default rules are {}",
                name.value,
                names.join(", ")
            );
            return Err(at.error(&name, "switchedOff", says));
        };
        rules.rules.remove(index);
        rules.switched_off.push(name.value);
    }
    Ok(rules)
}

fn parse<T: for<'de> Deserialize<'de>>(place: &str, text: &str) -> Result<T, RulesError> {
    serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        // Its first line says what is wrong; the rest repeats the text.
        let says = error.without_snippet().to_string();
        let says = says.lines().next().unwrap_or_default().to_owned();
        let says = format!("{says}. The fields are described in docs/classify.md");
        RulesError { place: place.to_owned(), line, field: String::new(), says }
    })
}

fn globs(at: &At<'_>, field: &str, written: &[Spanned<String>]) -> Result<Globs, RulesError> {
    let texts: Vec<String> = written.iter().map(|text| text.value.clone()).collect();
    if let Some((index, text)) =
        written.iter().enumerate().find(|(_, text)| text.value.starts_with(['/', '!']) || text.value.is_empty())
    {
        let says = format!(
            "{:?} is no glob from the root of the repository: write it without a leading / or !, as src/auth/** (`except` takes paths out)",
            text.value
        );
        return Err(at.error(text, &format!("{field}[{index}]"), says));
    }
    Globs::of(&texts).map_err(|(index, why)| {
        let text = &written[index];
        let says = format!("{:?} is no glob: {why}. Write it like src/auth/** or **/*.sql", text.value);
        at.error(text, &format!("{field}[{index}]"), says)
    })
}

fn patterns(at: &At<'_>, field: &str, written: &[Spanned<String>]) -> Result<Vec<regex::Regex>, RulesError> {
    let compile = |(index, text): (usize, &Spanned<String>)| {
        regex::Regex::new(&text.value).map_err(|why| {
            let why = why.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            let says = format!(
                "{:?} is no regular expression: {why}. The syntax is that of https://docs.rs/regex",
                text.value
            );
            at.error(text, &format!("{field}[{index}]"), says)
        })
    };
    written.iter().enumerate().map(compile).collect()
}

fn rule(place: &str, written: Written, group: Group) -> Result<Rule, RulesError> {
    let name = written.name.value.clone();
    let at = At { place, field: format!("rules[{name}].") };
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(word) {
        return Err(at.error(
            &written.name,
            "name",
            format!("{name:?} is no name: write lower-case letters, digits and -"),
        ));
    }
    if written.paths.is_empty() {
        return Err(at.error(&written.name, "paths", "is empty; for every file write [\"**\"]".to_owned()));
    }
    if written.settles && group != Group::Default {
        let says = "a project's rules only add; to take something away, name a default rule in switchedOff".to_owned();
        return Err(at.error(&written.name, "settles", says));
    }
    if written.statements && !written.every {
        let says = "speaks of every line that came: give every: true and added too".to_owned();
        return Err(at.error(&written.name, "statements", says));
    }
    let mut categories = Vec::new();
    for (index, word) in written.categories.iter().enumerate() {
        let category = word.value.parse::<Category>();
        categories.push(category.map_err(|why| at.error(word, &format!("categories[{index}]"), why.to_string()))?);
    }
    let mut lines = LinePatterns { every: written.every, statements: written.statements, ..LinePatterns::default() };
    let either = patterns(&at, "lines", &written.lines)?;
    lines.added = [patterns(&at, "added", &written.added)?, either.clone()].concat();
    lines.removed = [patterns(&at, "removed", &written.removed)?, either].concat();
    let by_lines = !(lines.added.is_empty() && lines.removed.is_empty());
    let decides = match (&written.reads, categories.is_empty()) {
        (Some(reads), true) if !by_lines => {
            Decides::Reader(reads.value.parse::<Reader>().map_err(|why| at.error(reads, "reads", why))?)
        }
        (None, false) if by_lines => Decides::Lines(lines, categories),
        (None, false) if !written.every => Decides::Path(categories),
        (None, false) => {
            return Err(at.error(
                &written.name,
                "every",
                "speaks of lines: give added, removed or lines too".to_owned(),
            ));
        }
        (Some(_), _) => {
            let says =
                "a reader finds the categories itself: leave out categories, added, removed and lines".to_owned();
            return Err(at.error(&written.name, "reads", says));
        }
        (None, true) => {
            return Err(at.error(
                &written.name,
                "categories",
                "is missing, and so is reads: give one of them".to_owned(),
            ));
        }
    };
    Ok(Rule {
        says: written.says.unwrap_or_else(|| format!("the rule {name} says so")),
        paths: globs(&at, "paths", &written.paths)?,
        except: globs(&at, "except", &written.except)?,
        settles: written.settles,
        name,
        decides,
        group,
    })
}
