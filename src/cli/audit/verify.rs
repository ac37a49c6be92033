//! Whether the records hold together.

use std::process::ExitCode;

use super::page::{page, report};
use super::source::{Which, find};
use crate::cli::output::Output;
use crate::cli::{Failure, say};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Which,
    /// The digest that the newest sealed record must have, as it was published; needs --release.
    #[arg(long, value_name = "DIGEST", requires = "release", value_parser = digest)]
    head: Option<String>,
    /// As what to print.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// `sha256:` and 64 hexadecimal digits.
fn digest(text: &str) -> Result<String, String> {
    let hex =
        text.strip_prefix("sha256:").filter(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hex.map(|_| text.to_ascii_lowercase()).ok_or_else(|| "a digest is sha256: and 64 hexadecimal digits".to_owned())
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    let found = find(&args.which).await?;
    if let Some(release) = args.which.release.as_ref().filter(|_| found.records.is_empty()) {
        return Err(format!("there are no records of a GatedRelease {release:?}, and no such GatedRelease"));
    }
    let all = report(&found, args.head.as_deref());
    say(&match args.output {
        Output::Text => page(&all),
        Output::Json => format!("{}\n", serde_json::to_string_pretty(&all).map_err(|why| why.to_string())?),
    })?;
    Ok(if all.iter().all(super::page::Line::holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
