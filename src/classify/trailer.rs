//! What commits say of the change: trailers (`Tidegate-Type: BugFix`), then conventional commits (`fix: …`).

use crate::api::{ChangeType, Severity};

/// The trailer that names the change type.
pub const TYPE: &str = "Tidegate-Type";
/// The trailer that names the severity of what is repaired.
pub const SEVERITY: &str = "Tidegate-Severity";

/// What is said of a change, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<T> {
    /// What is said.
    pub value: T,
    /// By what, such as `trailer of 4f2c9e1`.
    pub by: String,
}

/// A commit, as far as it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id, shortened.
    pub id: String,
    /// Its whole message.
    pub text: String,
}

/// Types from the one that ships last to the one that ships first under a low budget. Where commits disagree the first
/// of this list is the change's: what is among other things a feature is a feature.
const LATEST_FIRST: &[ChangeType] = &[
    ChangeType::Experiment,
    ChangeType::Feature,
    ChangeType::Refactor,
    ChangeType::Infrastructure,
    ChangeType::Reliability,
    ChangeType::Config,
    ChangeType::BugFix,
    ChangeType::SecurityFix,
    ChangeType::IncidentFix,
    ChangeType::Rollback,
    ChangeType::Docs,
];

/// What a prefix of a conventional commit means. `chore`, `test`, `build` and other words say nothing about what users get.
const PREFIXES: &[(&str, ChangeType)] = &[
    ("feat", ChangeType::Feature),
    ("fix", ChangeType::BugFix),
    ("hotfix", ChangeType::BugFix),
    ("perf", ChangeType::Reliability),
    ("refactor", ChangeType::Refactor),
    ("docs", ChangeType::Docs),
    ("ci", ChangeType::Infrastructure),
    ("infra", ChangeType::Infrastructure),
    ("config", ChangeType::Config),
    ("security", ChangeType::SecurityFix),
    ("revert", ChangeType::Feature),
];

/// The type that the commits give the change; None where no commit says any. A word that is no type is an error.
pub fn change_type(commits: &[Message]) -> Result<Option<Said<ChangeType>>, String> {
    let mut said = Vec::new();
    for commit in commits {
        said.extend(own_type(commit)?);
    }
    let place = |kind: ChangeType| LATEST_FIRST.iter().position(|other| *other == kind);
    Ok(said.into_iter().min_by_key(|said| place(said.value)))
}

/// The type of one commit: its trailer before its prefix. What a trailer says is said of no other commit.
fn own_type(commit: &Message) -> Result<Option<Said<ChangeType>>, String> {
    let said = trailers::<ChangeType>(std::slice::from_ref(commit), TYPE)?;
    let place = |kind: ChangeType| LATEST_FIRST.iter().position(|other| *other == kind);
    Ok(said.into_iter().min_by_key(|said| place(said.value)).or_else(|| conventional(commit)))
}

/// The severity that the trailers give the change, the least bad of several: a claim lifts no other commit with it. None where a
/// commit that repairs something says none: what it repairs may be less bad.
pub fn severity(commits: &[Message]) -> Result<Option<Said<Severity>>, String> {
    for commit in commits {
        let repairs = own_type(commit)?.is_some_and(|said| {
            matches!(said.value, ChangeType::BugFix | ChangeType::IncidentFix | ChangeType::SecurityFix)
        });
        if repairs && trailers::<Severity>(std::slice::from_ref(commit), SEVERITY)?.is_empty() {
            return Ok(None);
        }
    }
    Ok(trailers::<Severity>(commits, SEVERITY)?.into_iter().max_by_key(|said| said.value))
}

fn trailers<T: std::str::FromStr<Err: std::fmt::Display>>(
    commits: &[Message],
    key: &str,
) -> Result<Vec<Said<T>>, String> {
    let mut all = Vec::new();
    for commit in commits {
        for value in values(&commit.text, key) {
            let read = value
                .parse::<T>()
                .map_err(|why| format!("commit {}: {key}: {why}. Amend the commit, or give the flag", commit.id));
            all.push(Said { value: read?, by: format!("{key} of commit {}", commit.id) });
        }
    }
    Ok(all)
}

/// The values of a trailer: lines `Key: value` in the last paragraph of a message, as git has it.
fn values<'a>(message: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    let message = message.trim_end();
    let paragraph = message.rfind("\n\n").map_or("", |at| &message[at..]);
    paragraph.lines().filter_map(move |line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case(key).then(|| value.trim())
    })
}

/// `fix(api)!: …` is a BugFix. A `!` or another sign does not change the type.
fn conventional(commit: &Message) -> Option<Said<ChangeType>> {
    let subject = commit.text.lines().next()?;
    let (head, _) = subject.split_once(": ")?;
    let word = head.split(['(', '!']).next()?.trim().to_ascii_lowercase();
    let (_, value) = PREFIXES.iter().find(|(prefix, _)| *prefix == word)?;
    Some(Said { value: *value, by: format!("{word}: of commit {}", commit.id) })
}
