//! The labels of a series.

use std::sync::Arc;

/// The label that holds the name of the metric.
pub(super) const NAME: &str = "__name__";
/// The label that holds the upper bound of a bucket.
pub(super) const LE: &str = "le";

/// Labels, sorted by name, each name once and no value empty: for Prometheus an empty label is one that is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels(Vec<(Arc<str>, Arc<str>)>);

impl Labels {
    /// Labels from pairs in any order; of a name that comes twice the last counts.
    pub fn new(pairs: &[(&str, &str)]) -> Self {
        let mut labels = Self::default();
        for (name, value) in pairs {
            labels.set(name, value);
        }
        labels
    }

    /// The labels of a metric: `pairs` and its name.
    pub fn of_metric(metric: &str, pairs: &[(&str, &str)]) -> Self {
        let mut labels = Self::new(pairs);
        labels.set(NAME, metric);
        labels
    }

    /// The value of a label, empty where it is not there.
    pub fn get(&self, name: &str) -> &str {
        match self.find(name) {
            Ok(at) => self.0.get(at).map_or("", |(_, value)| value),
            Err(_) => "",
        }
    }

    /// Sets a label; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) {
        match (self.find(name), value.is_empty()) {
            (Ok(at), true) => drop(self.0.remove(at)),
            (Ok(at), false) => {
                if let Some((_, old)) = self.0.get_mut(at) {
                    *old = value.into();
                }
            }
            (Err(_), true) => {}
            (Err(at), false) => self.0.insert(at, (name.into(), value.into())),
        }
    }

    /// All pairs, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Without the name of the metric, as after any calculation.
    pub(super) fn nameless(&self) -> Self {
        self.without(|_| false)
    }

    /// Only the labels that `keep` names.
    pub(super) fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, _)| keep(name)).cloned().collect())
    }

    /// Without the labels that `drop` names, and without the name of the metric.
    pub(super) fn without(&self, drop: impl Fn(&str) -> bool) -> Self {
        self.only(|name| name != NAME && !drop(name))
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.as_ref().cmp(name))
    }
}

impl std::fmt::Display for Labels {
    /// As Prometheus writes them in messages: `{__name__="up", job="a"}`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("{")?;
        for (at, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{name}={value:?}", if at == 0 { "" } else { ", " })?;
        }
        f.write_str("}")
    }
}
