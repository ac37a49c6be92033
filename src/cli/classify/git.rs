//! Reads a range of commits from a repository.

use std::collections::BTreeMap;
use std::path::Path;

use gix::ObjectId;
use gix::diff::tree::recorder::Change;
use gix::objs::TreeRefIter;

use crate::classify::trailer::Message;
use crate::classify::{ChangedFile, Content};
use crate::cli::Failure;

pub(super) use gix::Repository;

/// A file longer than this, in bytes, is not read: nothing is told of it but its path.
const READ_MAX: u64 = 8 * 1024 * 1024;

const SHALLOW: &str = "the clone is shallow. Fetch the history: git fetch --unshallow; in GitHub Actions give actions/checkout \
    `fetch-depth: 0`, in GitLab set GIT_DEPTH: 0";

/// What lies between two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// As it was asked for.
    pub shown: String,
    /// The commit whose files are the former ones.
    pub base: ObjectId,
    /// The commit whose files are the present ones.
    pub head: ObjectId,
}

impl Range {
    /// The end's id, shortened.
    pub fn head_short(&self) -> String {
        short(self.head)
    }

    /// The beginning's id, shortened.
    pub fn base_short(&self) -> String {
        short(self.base)
    }
}

fn short(id: ObjectId) -> String {
    id.to_hex_with_len(7).to_string()
}

/// A commit of the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id, shortened.
    pub id: String,
    /// Who wrote it: `Dana <dana@example.org>`.
    pub author: String,
    /// Its whole message.
    pub text: String,
}

impl Commit {
    pub(super) fn message(&self) -> Message {
        Message { id: self.id.clone(), text: self.text.clone() }
    }
}

/// The repository that a folder is in.
pub fn open(path: &Path) -> Result<Repository, Failure> {
    gix::discover(path).map_err(|_| format!("--repo {}: is in no git repository that can be read", path.display()))
}

/// The commits that a range names.
pub fn range(repository: &Repository, text: Option<&str>) -> Result<Range, Failure> {
    let Some(text) = text else {
        let default = default_branch(repository)?;
        return merged(repository, &default, "HEAD", format!("{default}...HEAD"));
    };
    let side = |side: &str| if side.is_empty() { "HEAD".to_owned() } else { side.to_owned() };
    if let Some((from, to)) = text.split_once("...") {
        return merged(repository, &side(from), &side(to), text.to_owned());
    }
    let Some((from, to)) = text.split_once("..") else {
        return Err(format!("range {text:?}: write A...B, as origin/main...HEAD, or A..B, as v1.4..v1.5"));
    };
    let (base, head) = (commit(repository, &side(from))?, commit(repository, &side(to))?);
    Ok(Range { shown: text.to_owned(), base, head })
}

fn merged(repository: &Repository, from: &str, to: &str, shown: String) -> Result<Range, Failure> {
    let (start, head) = (commit(repository, from)?, commit(repository, to)?);
    let base = repository.merge_base(start, head).ok().flatten();
    let base =
        base.ok_or_else(|| format!("range {shown}: {from} and {to} have no commit in common{}", hint(repository)))?;
    Ok(Range { shown, base: base.detach(), head })
}

fn hint(repository: &Repository) -> String {
    if repository.is_shallow().unwrap_or(false) { format!(": {SHALLOW}") } else { String::new() }
}

fn commit(repository: &Repository, name: &str) -> Result<ObjectId, Failure> {
    let wrong = || {
        let advice = if repository.is_shallow().unwrap_or(false) { SHALLOW } else { "Fetch it, or correct the name" };
        format!("range: {name:?} is no commit of this repository. {advice}")
    };
    let id = repository.rev_parse_single(format!("{name}^{{commit}}").as_str()).map_err(|_| wrong())?;
    Ok(id.detach())
}

/// The remote's default branch: what its HEAD names, else main or master; origin before other remotes.
fn default_branch(repository: &Repository) -> Result<String, Failure> {
    let mut remotes: Vec<String> = repository.remote_names().into_iter().map(|name| name.to_string()).collect();
    remotes.sort_by_key(|name| (name != "origin", name.clone()));
    for remote in &remotes {
        let head = repository.try_find_reference(format!("refs/remotes/{remote}/HEAD").as_str()).ok().flatten();
        let target = head.and_then(|head| head.target().try_name().map(|name| name.shorten().to_string()));
        let guesses = [format!("{remote}/main"), format!("{remote}/master")];
        let candidates = target.into_iter().chain(guesses);
        for name in candidates {
            if repository.try_find_reference(format!("refs/remotes/{name}").as_str()).ok().flatten().is_some() {
                return Ok(name);
            }
        }
    }
    Err("there is no remote whose default branch is known. Name the range, such as main...HEAD".to_owned())
}

/// The commits of a range, the newest first.
pub fn commits(repository: &Repository, range: &Range) -> Result<Vec<Commit>, Failure> {
    let failed = |why: String| format!("range {}: its commits cannot be read: {why}{}", range.shown, hint(repository));
    let walk = repository.rev_walk([range.head]).with_hidden([range.base]).all();
    let mut all = Vec::new();
    for info in walk.map_err(|why| failed(why.to_string()))? {
        let info = info.map_err(|why| failed(why.to_string()))?;
        let commit = info.object().map_err(|why| failed(why.to_string()))?;
        let author = commit.author().map_err(|why| failed(why.to_string()))?;
        let text = commit.message_raw().map_err(|why| failed(why.to_string()))?;
        all.push(Commit {
            id: short(info.id),
            author: format!("{} <{}>", author.name, author.email),
            text: text.to_string(),
        });
    }
    Ok(all)
}

/// One file on one side.
struct Side {
    id: ObjectId,
    submodule: bool,
}

/// The files that differ between the two ends. A file that went and came with the same content was moved.
pub fn changed_files(repository: &Repository, range: &Range) -> Result<Vec<ChangedFile>, Failure> {
    let failed = |why: String| format!("range {}: its files cannot be compared: {why}", range.shown);
    let tree = |id: ObjectId| {
        let commit = repository.find_commit(id).map_err(|why| failed(why.to_string()))?;
        commit.tree().map_err(|why| failed(why.to_string()))
    };
    let (before, after) = (tree(range.base)?, tree(range.head)?);
    let mut recorder = gix::diff::tree::Recorder::default();
    let kind = repository.object_hash();
    gix::diff::tree(
        TreeRefIter::from_bytes(&before.data, kind),
        TreeRefIter::from_bytes(&after.data, kind),
        gix::diff::tree::State::default(),
        &repository.objects,
        &mut recorder,
    )
    .map_err(|why| failed(why.to_string()))?;
    let mut sides: BTreeMap<String, (Option<Side>, Option<Side>)> = BTreeMap::new();
    for change in recorder.records {
        match change {
            Change::Addition { entry_mode, oid, path, .. } if !entry_mode.is_tree() => {
                sides.entry(path.to_string()).or_default().1 =
                    Some(Side { id: oid, submodule: entry_mode.is_commit() });
            }
            Change::Deletion { entry_mode, oid, path, .. } if !entry_mode.is_tree() => {
                sides.entry(path.to_string()).or_default().0 =
                    Some(Side { id: oid, submodule: entry_mode.is_commit() });
            }
            Change::Modification { previous_entry_mode, previous_oid, entry_mode, oid, path } => {
                let slot = sides.entry(path.to_string()).or_default();
                if !previous_entry_mode.is_tree() {
                    slot.0 = Some(Side { id: previous_oid, submodule: previous_entry_mode.is_commit() });
                }
                if !entry_mode.is_tree() {
                    slot.1 = Some(Side { id: oid, submodule: entry_mode.is_commit() });
                }
            }
            Change::Addition { .. } | Change::Deletion { .. } => {}
        }
    }
    sides.retain(|_, (before, after)| before.is_some() || after.is_some());
    let moved = moved(&sides);
    let gone: Vec<&String> = moved.values().collect();
    let mut files = Vec::new();
    for (path, (before, after)) in &sides {
        if gone.contains(&path) {
            continue;
        }
        let before_path = moved.get(path).cloned();
        let before = match &before_path {
            Some(_) => after.as_ref(),
            None => before.as_ref(),
        };
        files.push(ChangedFile {
            path: path.clone(),
            before_path,
            before: content(repository, before)?,
            after: content(repository, after.as_ref())?,
        });
    }
    Ok(files)
}

/// Where each file was that came with the content of one that went.
fn moved(sides: &BTreeMap<String, (Option<Side>, Option<Side>)>) -> BTreeMap<String, String> {
    let mut went: BTreeMap<ObjectId, Vec<&String>> = BTreeMap::new();
    for (path, side) in sides {
        if let (Some(before), None) = side {
            went.entry(before.id).or_default().push(path);
        }
    }
    let mut all = BTreeMap::new();
    for (path, side) in sides {
        if let (None, Some(after)) = side
            && let Some(from) = went.get_mut(&after.id).and_then(Vec::pop)
        {
            all.insert(path.clone(), from.clone());
        }
    }
    all
}

fn content(repository: &Repository, side: Option<&Side>) -> Result<Content, Failure> {
    let Some(side) = side else { return Ok(Content::Absent) };
    if side.submodule {
        return Ok(Content::Submodule);
    }
    let failed = |why: String| format!("object {}: {why}{}", side.id, hint(repository));
    let header = repository.find_header(side.id).map_err(|why| failed(why.to_string()))?;
    if header.size() > READ_MAX {
        return Ok(Content::Opaque);
    }
    let mut object = repository.find_object(side.id).map_err(|why| failed(why.to_string()))?;
    Ok(match String::from_utf8(std::mem::take(&mut object.data)) {
        Ok(text) if !text.contains('\0') => Content::Text(text),
        Ok(_) | Err(_) => Content::Opaque,
    })
}

/// The text of a file before the range; None where it was not there.
pub fn text_before(repository: &Repository, range: &Range, path: &str) -> Result<Option<String>, Failure> {
    let failed = |why: String| format!("{path} before {}: {why}", range.shown);
    let commit = repository.find_commit(range.base).map_err(|why| failed(why.to_string()))?;
    let tree = commit.tree().map_err(|why| failed(why.to_string()))?;
    let Some(entry) = tree.lookup_entry_by_path(path).map_err(|why| failed(why.to_string()))? else { return Ok(None) };
    let side = Side { id: entry.object_id(), submodule: false };
    match content(repository, Some(&side))? {
        Content::Text(text) => Ok(Some(text)),
        Content::Absent | Content::Opaque | Content::Submodule => Err(failed("is no text".to_owned())),
    }
}
