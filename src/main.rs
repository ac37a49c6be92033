//! Parses arguments and runs a command.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

// Simulated worlds are JSON that comes and goes: a fifth of their time goes into memory otherwise.
#[cfg(feature = "sandbox")]
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
