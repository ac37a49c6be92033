//! Parses arguments and runs a command.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = tidegate::cli::Cli::parse();
    match tidegate::cli::run(cli).await {
        Ok(code) => code,
        Err(why) => {
            // Where even this cannot be written, nobody can be told.
            drop(writeln!(std::io::stderr(), "tidegate: {why}"));
            ExitCode::FAILURE
        }
    }
}
