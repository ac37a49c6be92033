//! Bundler.

use super::{Manifest, Written, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;

pub fn gemfile_lock(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Exact, |text| {
        let mut manifest = Manifest::default();
        let (mut section, mut remote) = ("", String::new());
        for line in text.lines() {
            if !line.starts_with(' ') {
                section = line.trim();
                remote.clear();
            } else if let Some(address) = line.strip_prefix("  remote: ") {
                // The usual place has no name, so that adding another one moves nobody.
                remote = if section == "GEM" && address.contains("rubygems.org") {
                    String::new()
                } else {
                    address.to_owned()
                };
            } else if let Some(gem) = line.strip_prefix("    ").filter(|rest| !rest.starts_with(' ')) {
                let (name, version) = gem.split_once(" (")?;
                manifest.add(name, version.trim_end_matches(')'), remote.clone());
            }
        }
        (!manifest.packages.is_empty()).then_some(manifest)
    })
}
