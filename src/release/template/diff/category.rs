//! What differences imply (`000_…` §6.1).

use crate::policy::Category::{self, *};
use crate::policy::category::{Finding, Origin};

use super::image::major;
use super::{Difference, Matter, Part};

/// What the differences imply, each with the difference that shows it.
pub fn findings(differences: &[Difference]) -> Vec<Finding> {
    let finding = |difference: &Difference, category: Category| Finding {
        category,
        origin: Origin::Seen,
        evidence: difference.to_string(),
    };
    differences
        .iter()
        .flat_map(|difference| categories(difference).iter().map(move |category| finding(difference, *category)))
        .collect()
}

impl Difference {
    /// The categories that it implies, at least one.
    pub fn categories(&self) -> &'static [Category] {
        categories(self)
    }
}

fn categories(difference: &Difference) -> &'static [Category] {
    let foreign = matches!(difference.part, Some(Part::Side | Part::Init));
    match difference.matter {
        // A program from elsewhere is another supplier's, whatever its tag says.
        Matter::ImageSource if foreign => &[DependencyMajor],
        Matter::ImageSource => &[UnclassifiedCode, DependencyMajor],
        Matter::ImageTag if foreign => by_version(difference),
        Matter::ImageDigest if foreign => &[DependencyMinor],
        Matter::Container if foreign => &[DependencyMajor],
        Matter::ImageTag | Matter::ImageDigest | Matter::Container | Matter::Command | Matter::Script => {
            &[UnclassifiedCode]
        }
        Matter::Secret => &[Secrets],
        Matter::Args
        | Matter::Env
        | Matter::Resources
        | Matter::Probe
        | Matter::Volume
        | Matter::Runtime
        | Matter::Metadata => &[RuntimeConfig],
        Matter::Port => &[Networking],
        Matter::ServiceAccount | Matter::SecurityContext | Matter::HostAccess => &[Permissions],
        Matter::HostNetwork => &[Permissions, Networking],
        Matter::Dns => &[Dns],
        Matter::Storage | Matter::Placement | Matter::Unknown => &[Infrastructure],
        Matter::Information => &[Category::Metadata],
    }
}

/// A new major version, or a tag that is no version, counts as major.
fn by_version(difference: &Difference) -> &'static [Category] {
    let version = |tag: &Option<String>| tag.as_deref().and_then(major);
    match (version(&difference.before), version(&difference.after)) {
        (Some(before), Some(after)) if before == after => &[DependencyMinor],
        _ => &[DependencyMajor],
    }
}
