//! What was found in one change, and where it was seen.

use std::collections::BTreeMap;
use std::fmt;

use super::item::DiffItem;
use super::list::Category;
use crate::api::RiskClass;
use crate::policy::gate::Gate;

/// Who found a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The change says so of itself, where nobody else vouches for it: it adds, and explains nothing.
    Written,
    /// Somebody says so whose word is taken for what is in an image.
    Claimed,
    /// The controller saw it between two pod templates.
    Seen,
}

/// A category, and what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The category.
    pub category: Category,
    /// Who found it.
    pub origin: Origin,
    /// What shows it, such as `spec.containers[app].image: tag 1.4 → 1.5`. Never a secret.
    pub evidence: String,
}

/// Everything that a change touches: what is claimed joined with what is seen, never less than either.
///
/// Holds at least one category: where nobody found anything, that is [`Category::UnclassifiedCode`]. The same stands
/// for a new image that no claim explains, and goes once one does: a claim of `core-logic` says what is in the image,
/// a claim of `docs` does not, nor what is merely written beside the change. A claim of `unclassified-code` stays: it says that there is code of which nobody said
/// what it is, whatever else is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification(BTreeMap<Category, Vec<Finding>>);

impl Classification {
    /// Joins findings; the same category found twice keeps both pieces of evidence.
    pub fn new(findings: impl IntoIterator<Item = Finding>) -> Self {
        let mut found: BTreeMap<Category, Vec<Finding>> = BTreeMap::new();
        for finding in findings {
            found.entry(finding.category).or_default().push(finding);
        }
        let mut claimed = found.values().flatten().filter(|finding| finding.origin == Origin::Claimed);
        if claimed.any(|finding| finding.category.explains_code())
            && let Some(mut unknown) = found.remove(&Category::UnclassifiedCode)
        {
            unknown.retain(|finding| finding.origin != Origin::Seen);
            if !unknown.is_empty() {
                found.insert(Category::UnclassifiedCode, unknown);
            }
        }
        if found.is_empty() {
            let category = Category::UnclassifiedCode;
            let evidence = "nobody said what changed".to_owned();
            found.insert(category, vec![Finding { category, origin: Origin::Seen, evidence }]);
        }
        Self(found)
    }

    /// The categories, by scope.
    pub fn categories(&self) -> impl Iterator<Item = Category> + '_ {
        self.0.keys().copied()
    }

    /// Whether the change touches this.
    pub fn has(&self, category: Category) -> bool {
        self.0.contains_key(&category)
    }

    /// Whether the change touches any of these.
    pub fn has_any(&self, categories: &[Category]) -> bool {
        categories.iter().any(|category| self.has(*category))
    }

    /// What shows a category; nothing where it was not found.
    pub fn findings(&self, category: Category) -> &[Finding] {
        self.0.get(&category).map_or(&[], Vec::as_slice)
    }

    /// The items of the price list, each once, with the categories that fall under it.
    pub fn items(&self) -> BTreeMap<DiffItem, Vec<Category>> {
        let mut items: BTreeMap<DiffItem, Vec<Category>> = BTreeMap::new();
        for category in self.categories() {
            items.entry(category.item()).or_default().push(category);
        }
        items
    }

    /// The category with the highest floor, the first of equals.
    pub fn strictest(&self) -> Option<Category> {
        self.categories().reduce(|strictest, next| if next.floor() > strictest.floor() { next } else { strictest })
    }

    /// The gate that the categories demand at least.
    pub fn floor(&self) -> Gate {
        self.strictest().map_or(Gate::G0, Category::floor)
    }

    /// How much error budget must be left for this change: the highest class of its categories (`001_…`, Deployment
    /// Risk Assessment).
    pub fn risk_class(&self) -> RiskClass {
        self.categories().map(Category::risk_class).max().unwrap_or(RiskClass::Low)
    }
}

impl fmt::Display for Classification {
    /// `core-logic, authentication`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.categories().map(Category::as_str).collect();
        f.write_str(&words.join(", "))
    }
}
