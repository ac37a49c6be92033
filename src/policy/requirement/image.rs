//! Whether what is attested speaks of everything that a change brings: each image that comes new, or the revision as a whole.
//!
//! A word about one image says nothing of another, and the latest of them nothing of the others. What is said of the revision is said of
//! all. Where no image comes new, only those count of which something was said.

use std::collections::{BTreeMap, BTreeSet};

use super::claim::{Claim, Claims};
use super::word::{Spoken, Word};

/// An image that comes with a change: its template runs it, and stable's does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImage {
    /// As sentences name it, such as `proxy:1.4@sha256:0b0b0b0b0b0b`.
    pub name: String,
    /// The digest that its container names; none where that names a tag alone, of which evidence about an image never speaks.
    pub digest: Option<String>,
}

/// What something must be said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// The revision, and whatever image was spoken of.
    All,
    /// An image that was spoken of, by its digest.
    Spoken(&'a str),
    /// An image that comes new.
    New(&'a NewImage),
}

impl<'a> Part<'a> {
    /// All that something must be said of where these images come new; the revision where none does.
    pub(super) fn of(images: &'a [NewImage]) -> Vec<Self> {
        if images.is_empty() { vec![Self::All] } else { images.iter().map(Self::New).collect() }
    }

    /// Whether a claim speaks of it.
    pub(super) fn hears(self, claim: &Claim) -> bool {
        let Some(about) = claim.about.as_deref() else { return true };
        match self {
            Self::All => true,
            Self::Spoken(digest) => digest == about,
            Self::New(image) => image.digest.as_deref() == Some(about),
        }
    }

    fn name(self) -> String {
        match self {
            Self::All => "the revision".to_owned(),
            Self::Spoken(digest) => digest.to_owned(),
            Self::New(NewImage { name, digest: Some(_) }) => name.clone(),
            Self::New(NewImage { name, digest: None }) => format!("{name} (without a sha256 digest)"),
        }
    }
}

impl<'a> Claims<'a> {
    /// What a type must be said of.
    pub(super) fn parts(&self, kind: &str) -> Vec<Part<'a>> {
        if !self.images.is_empty() {
            return Part::of(self.images);
        }
        let of_kind = self.all.iter().filter(|claim| claim.kind == kind && self.is_said(claim));
        let standing = of_kind.filter_map(|claim| {
            let digest = claim.about.as_deref()?;
            self.stands(claim, Part::Spoken(digest)).then_some(digest)
        });
        let spoken: BTreeSet<&str> = standing.collect();
        if spoken.is_empty() { vec![Part::All] } else { spoken.into_iter().map(Part::Spoken).collect() }
    }

    /// Of which of several images a claim speaks: ` for proxy@sha256:0b0b0b0b0b0b`; empty where there is no doubt.
    pub(super) fn which(&self, claim: &Claim) -> String {
        let about = |image: &&NewImage| image.digest.is_some() && image.digest == claim.about;
        let one = self.images.iter().find(about).filter(|_| self.images.len() > 1);
        one.map(|image| format!(" for {}", image.name)).unwrap_or_default()
    }
}

/// The words about all parts as one: the latest against speaks for the whole, and one part of which nothing is said leaves it unsaid.
pub(super) fn joined<'a>(mut words: Vec<(Part<'a>, Word<'a>)>) -> Word<'a> {
    if words.len() == 1 {
        return words.remove(0).1;
    }
    let (mut spoken, mut silent): (Vec<&'a Claim>, Vec<(Part<'a>, String)>) = (Vec::new(), Vec::new());
    let mut against: Option<&'a Claim> = None;
    for (part, word) in words {
        match word {
            Word::For(said) => {
                for claim in said.all() {
                    // One that is said of the revision stands for every part.
                    if !spoken.iter().any(|known| std::ptr::eq(*known, claim)) {
                        spoken.push(claim);
                    }
                }
            }
            Word::Against(claim) => against = against.into_iter().chain([claim]).max_by_key(|claim| claim.at),
            Word::Silent { because } => silent.push((part, because)),
        }
    }
    match (against, silent.is_empty(), Spoken::new(spoken)) {
        (Some(claim), _, _) => Word::Against(claim),
        (None, true, Some(said)) => Word::For(said),
        (None, _, said) => Word::Silent { because: unsaid(&silent, said.is_some()) },
    }
}

/// How many images a sentence names.
const NAMED: usize = 3;

/// Why a type is not said of the whole, where it may be said of some of it.
fn unsaid(silent: &[(Part<'_>, String)], partly: bool) -> String {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (part, because) in silent {
        reasons.entry(because).or_default().push(part.name());
    }
    if let (false, 1, Some((because, _))) = (partly, reasons.len(), reasons.first_key_value()) {
        return (*because).to_owned();
    }
    let listed = |names: &[String]| {
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", names.get(..NAMED).unwrap_or(names).join(", "))
    };
    let reason = |(because, names): (&str, Vec<String>)| match because.is_empty() {
        true => {
            format!("nobody says it of {}, new with this change; said of the revision it is of all", listed(&names))
        }
        false => format!("{because} (of {})", listed(&names)),
    };
    reasons.into_iter().map(reason).collect::<Vec<_>>().join("; ")
}
