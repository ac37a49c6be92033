//! Patterns of names, in which `*` stands for anything.

use std::fmt;

/// A pattern that a name fits as a whole: `*` stands for any characters, `/` included, or none; everything else for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The longest one, in characters.
    const LENGTH_MAX: usize = 256;

    /// A pattern. One that begins with `*` is refused: an issuer such as GitHub signs for everybody, so that a pattern says
    /// at least whose.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "" => Err("is empty".to_owned()),
            long if long.len() > Self::LENGTH_MAX => {
                Err(format!("has {} characters, at most {} are taken", long.len(), Self::LENGTH_MAX))
            }
            open if open.starts_with('*') => Err(format!(
                "{open:?} begins with `*` and would fit names that are anybody's; begin it with whose they are, such as acme/*"
            )),
            good => Ok(Self(good.to_owned())),
        }
    }

    /// Whether a name fits.
    pub fn fits(&self, name: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return name == self.0 };
        let Some(mut left) = name.strip_prefix(first) else { return false };
        let mut parts = rest.split('*').peekable();
        while let Some(part) = parts.next() {
            // The last part ends the name, each other one is taken where it first occurs.
            let after = match parts.peek() {
                None => return left.ends_with(part),
                Some(_) => left.find(part).map(|at| &left[at + part.len()..]),
            };
            let Some(after) = after else { return false };
            left = after;
        }
        true
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
