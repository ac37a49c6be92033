//! Traffic that was recorded on a real cluster (`e2e/run record-traces`), as the rules take it.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use tidegate::analysis::compare::Counts;

use super::traces::Sample;

/// What was recorded of one release.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recorded {
    /// What happened, in a sentence.
    pub what: String,
    /// Where and when it was recorded, in words.
    pub origin: String,
    /// Seconds from one row to the next.
    pub step_seconds: f64,
    /// Requests per second of both versions.
    pub requests_per_second: f64,
    /// How much of the traffic the canary was to get, in percent.
    pub canary_percent: f64,
    /// Seconds after its first request from which on the canary was worse than stable; none where it never was.
    pub turns_bad_after: Option<f64>,
    /// Stable by itself before the release, oldest first: requests and bad ones of them.
    pub before: Vec<(f64, f64)>,
    /// The release: requests and bad ones of the canary, then of stable.
    pub release: Vec<(f64, f64, f64, f64)>,
}

impl Recorded {
    /// Reads what the recorder wrote. The error names what cannot be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|why| why.to_string())?;
        if !(read.step_seconds >= 1.0 && read.requests_per_second > 0.0) {
            return Err("stepSeconds is at least 1, and requestsPerSecond above 0".to_owned());
        }
        if read.before.is_empty() || read.release.is_empty() {
            return Err("before and release have a row each at least".to_owned());
        }
        read.history()?;
        read.samples().map(|_| read)
    }

    /// Stable's past.
    pub fn history(&self) -> Result<Vec<Option<Counts>>, String> {
        let rows = self.before.iter().enumerate();
        rows.map(|(row, (requests, bad))| counts(*requests, *bad, "before", row).map(Some)).collect()
    }

    /// The release.
    pub fn samples(&self) -> Result<Vec<Sample>, String> {
        let rows = self.release.iter().enumerate();
        rows.map(|(row, (requests, bad, of_stable, bad_of_stable))| {
            let canary = counts(*requests, *bad, "release", row)?;
            let stable = counts(*of_stable, *bad_of_stable, "release", row)?;
            Ok(Sample { canary, stable })
        })
        .collect()
    }

    /// Stable's share of bad requests before the release.
    pub fn base(&self) -> f64 {
        let sum = self.before.iter().fold((0.0, 0.0), |sum, (requests, bad)| (sum.0 + requests, sum.1 + bad));
        if sum.0 > 0.0 { sum.1 / sum.0 } else { 0.0 }
    }

    /// The first row in which the canary is worse.
    pub fn onset(&self) -> Option<usize> {
        self.turns_bad_after.map(|seconds| (seconds / self.step_seconds).floor() as usize)
    }
}

fn counts(requests: f64, bad: f64, what: &str, row: usize) -> Result<Counts, String> {
    Counts::new(requests, bad).map_err(|why| format!("{what}, row {row}: {why}"))
}

/// All that lies in a folder, by name; none where there is no such folder.
pub fn all(folder: &Path) -> Result<Vec<(String, Recorded)>, String> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let refused = |why: String| format!("{}: {why}", path.display());
        let text = fs::read_to_string(&path).map_err(|why| refused(why.to_string()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        found.push((name, Recorded::parse(&text).map_err(refused)?));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}
