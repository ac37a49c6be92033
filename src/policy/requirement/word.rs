//! What the claims of one type say.

use super::claim::{Claim, Claims};
use super::image::{Part, joined};
use crate::api::Span;

/// What the claims of one type say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word<'a> {
    /// Nothing, or nothing any more, or nothing of an image that comes new.
    Silent {
        /// What is left of an earlier claim, or what it is not said of, in words; empty where there was none.
        because: String,
    },
    /// The latest speaks for the revision, of each image that comes new.
    For(Spoken<'a>),
    /// The latest speaks against it, of one of them at least.
    Against(&'a Claim),
}

/// What speaks for a change: one claim, or several where each speaks of another image, or two people are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken<'a> {
    first: &'a Claim,
    rest: Vec<&'a Claim>,
}

impl<'a> Spoken<'a> {
    /// What one claim says.
    pub(super) const fn one(claim: &'a Claim) -> Self {
        Self { first: claim, rest: Vec::new() }
    }

    /// What two people say.
    pub(super) fn two(first: &'a Claim, second: &'a Claim) -> Self {
        Self { first, rest: vec![second] }
    }

    /// What these say; none where there are none.
    pub(super) fn new(claims: Vec<&'a Claim>) -> Option<Self> {
        let mut claims = claims.into_iter();
        Some(Self { first: claims.next()?, rest: claims.collect() })
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &'a Claim> + '_ {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }

    /// The one that was said first: what they say together is as old as that.
    pub fn oldest(&self) -> &'a Claim {
        self.rest.iter().copied().fold(self.first, |oldest, claim| if claim.at < oldest.at { claim } else { oldest })
    }

    /// `ci:shop (2 Jan 10:00:00 UTC)`, of several one after the other.
    pub fn by(&self) -> String {
        self.all().map(Claim::by).collect::<Vec<_>>().join(", ")
    }
}

impl<'a> Claims<'a> {
    /// What is said about a requirement: of each image that comes new the latest claim decides that is about it or about the revision. The
    /// API server's times are whole seconds, so that one and its correction may have the same: of equals the one against decides, then the
    /// one that says more. With `fresh`, one that is older says nothing.
    pub fn word(&self, kind: &str, fresh: Option<Span>) -> Word<'a> {
        let of_part = |part| (part, self.word_of(part, kind, fresh));
        joined(self.parts(kind).into_iter().map(of_part).collect())
    }

    /// The latest that speaks for any part, whatever is said of the others.
    pub fn each(&self, kind: &str) -> Vec<&'a Claim> {
        let words = self.parts(kind).into_iter().map(|part| self.word_of(part, kind, None));
        let mut all: Vec<&'a Claim> = Vec::new();
        for word in words {
            if let Word::For(said) = word
                && !all.iter().any(|known| std::ptr::eq(*known, said.first))
            {
                all.push(said.first);
            }
        }
        all
    }

    fn word_of(&self, part: Part<'a>, kind: &str, fresh: Option<Span>) -> Word<'a> {
        let standing = self.made(part, kind).filter(|claim| self.stands(claim, part));
        let Some(latest) = standing.max_by_key(|claim| (claim.at, !claim.passed, claim.facts.len())) else {
            return Word::Silent { because: String::new() };
        };
        if !latest.passed {
            return Word::Against(latest);
        }
        if let Some(until) = latest.until.filter(|until| *until <= self.now) {
            return Word::Silent { because: format!("that of {} lapsed {}", latest.by(), until.clock()) };
        }
        match fresh {
            Some(span) if self.now.since(latest.at) > span => {
                Word::Silent { because: format!("that of {} is older than {span}", latest.by()) }
            }
            Some(_) | None => Word::For(Spoken::one(latest)),
        }
    }

    /// Whether its author has not taken it back since: then it says nothing.
    pub(super) fn stands(&self, claim: &Claim, part: Part<'a>) -> bool {
        let mut made = self.made(part, &claim.kind);
        !claim.withdrawn && !made.any(|other| other.withdrawn && other.author == claim.author && other.at >= claim.at)
    }

    /// What was said of a type until now, about one part.
    fn made(&self, part: Part<'a>, kind: &str) -> impl Iterator<Item = &'a Claim> {
        let counts = move |claim: &&Claim| {
            let since = self.since.is_none_or(|since| claim.at.0.as_second() >= since.0.as_second());
            claim.kind == kind && self.is_said(claim) && since && part.hears(claim)
        };
        self.all.iter().filter(counts)
    }
}
