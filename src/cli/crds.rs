//! `tidegate crds`: the custom resource definitions, one file a kind.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Failure, say};
use crate::api::custom_resource_definitions;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write them into this folder, one file a kind; may be given more than once. Printed where none is given.
    #[arg(long)]
    dir: Vec<PathBuf>,
    /// Write nothing; fail where a file in the folder differs. Looks into `crds` where none is given.
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let files = files()?;
    if args.dir.is_empty() && !args.check {
        let documents: Vec<_> = files.iter().map(|(_, text)| text.as_str()).collect();
        return say(&documents.join("---\n"));
    }
    let mut differences = String::new();
    let usual = [PathBuf::from("crds")];
    for dir in if args.dir.is_empty() { &usual[..] } else { &args.dir[..] } {
        for (name, text) in &files {
            let path = dir.join(name);
            if !args.check {
                std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
                std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
                continue;
            }
            let stands = std::fs::read_to_string(&path).unwrap_or_default();
            if stands != *text {
                let line = stands
                    .lines()
                    .zip(text.lines())
                    .position(|(a, b)| a != b)
                    .unwrap_or_else(|| stands.lines().count().min(text.lines().count()));
                let at = |text: &str| text.lines().nth(line).unwrap_or("(end of file)").trim().to_owned();
                let _ = write!(
                    differences,
                    "{}:{}: {:?} should be {:?}; ",
                    path.display(),
                    line + 1,
                    at(&stands),
                    at(text)
                );
            }
        }
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(format!("{differences}write them anew: tidegate crds --dir …")),
    }
}

fn files() -> Result<Vec<(String, String)>, Failure> {
    let all = custom_resource_definitions().into_iter().map(|crd| {
        let name = format!("{}.yaml", crd.spec.names.plural);
        // By way of a value, whose keys are in order.
        let value = serde_json::to_value(&crd).map_err(|error| format!("{name}: {error}"))?;
        let text = serde_saphyr::to_string(&value).map_err(|error| format!("{name}: {error}"))?;
        Ok((name, format!("{}\n", text.trim_end())))
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_say_what_the_types_say() {
        for ((name, text), crd) in files().unwrap().iter().zip(custom_resource_definitions()) {
            let read: serde_json::Value = serde_saphyr::from_str(text).unwrap();
            assert_eq!(read, serde_json::to_value(&crd).unwrap(), "{name}");
        }
    }
}
