//! Records as JSON lines.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::Value;

use super::source::{Which, find};
use crate::cli::{Failure, say};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// Where to write; by default standard output. An existing file is not overwritten.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let found = find(&args.which).await?;
    let lines = lines(found.records.into_values().flatten().collect());
    match &args.output {
        None => say(&lines)?,
        Some(path) => {
            let place = path.display();
            let failed = |why: std::io::Error| format!("--output {place}: {why}");
            let mut file = std::fs::File::create_new(path).map_err(failed)?;
            file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            say(&format!("{} records written to {place}\n", lines.lines().count()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(mut records: Vec<Value>) -> String {
    let key = |record: &Value| {
        let text = |place: &str| record.pointer(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("/metadata/namespace"), text("/spec/release"), record.pointer("/spec/attempt").and_then(Value::as_u64))
    };
    records.sort_by_key(key);
    records.iter().map(|record| format!("{record}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_oldest_come_first_and_each_has_a_line() {
        let record = |attempt: u32| json!({"kind": "ReleaseRecord", "metadata": {"namespace": "shop"}, "spec": {"release": "web", "attempt": attempt}});
        let all = lines(vec![record(10), record(9), record(1)]);
        let attempts: Vec<_> = all
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["spec"]["attempt"].as_u64().unwrap())
            .collect();
        assert_eq!(attempts, [1, 9, 10]);
    }
}
