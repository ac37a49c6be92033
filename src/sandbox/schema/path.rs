//! Where one is in an object.

use std::fmt;

/// A place in an object, made on the way down and written only where something is wrong.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    /// The object.
    Root,
    /// A field of an object.
    Field(&'p Path<'p>, &'p str),
    /// An item of a list.
    Item(&'p Path<'p>, usize),
    /// A value of a map.
    Key(&'p Path<'p>, &'p str),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => out.write_str(name),
            Self::Field(parent, name) => write!(out, "{parent}.{name}"),
            Self::Item(parent, index) => write!(out, "{parent}[{index}]"),
            Self::Key(parent, key) => write!(out, "{parent}[{key}]"),
        }
    }
}
