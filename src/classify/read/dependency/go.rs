//! Go modules.

use super::{Manifest, Written, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;

pub fn go_mod(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Exact, |text| {
        let mut manifest = Manifest::default();
        let mut block = String::new();
        for line in text.lines() {
            let line = line.split("//").next().unwrap_or_default().trim();
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [")"] => block.clear(),
                [directive, "("] => block = (*directive).to_owned(),
                [directive, rest @ ..] if block.is_empty() => entry(directive, rest, &mut manifest),
                all => entry(&block, all, &mut manifest),
            }
        }
        Some(manifest)
    })
}

fn entry(directive: &str, words: &[&str], manifest: &mut Manifest) {
    match (directive, words) {
        ("require" | "tool", [module, version, ..]) => manifest.add(*module, *version, ""),
        ("tool", [module]) => manifest.add(format!("{module} (tool)"), "0", ""),
        // What the compiler promises for 1.x.
        ("go" | "toolchain", [version]) => manifest.add(directive, version.trim_start_matches("go"), ""),
        ("replace", all) => manifest.add(format!("replace {}", all.first().unwrap_or(&"")), "0", all.join(" ")),
        // A version that must not be taken; it takes none.
        ("exclude" | "retract", _) => {}
        (other, all) => {
            manifest.rest.push_str(&format!("{other} {}\n", all.join(" ")));
        }
    }
}

/// The sums of modules: a new sum of a known version is another content under the same name.
pub fn go_sum(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Written::Exact, |text| {
        let mut manifest = Manifest::default();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let mut words = line.split_whitespace();
            let (module, version, sum) = (words.next()?, words.next()?, words.next()?);
            manifest.sum(module, version, sum);
            // The manifest of a module is read without the module being used.
            if !version.ends_with("/go.mod") {
                manifest.add(module, version, "");
            }
        }
        Some(manifest)
    })
}
