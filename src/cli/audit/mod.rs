//! `tidegate audit`: walks along the records of GatedReleases, and copies them out.

mod export;
mod page;
mod source;
mod verify;

use std::process::ExitCode;

use super::Failure;

const EXAMPLES: &str = "\
Examples:
  tidegate audit verify -n shop
  tidegate audit verify -n shop --release checkout --head sha256:61c2…   as it was published
  tidegate audit verify -n shop --release charges_checkout   what tidegate charge had charged
  tidegate audit export -A > records.jsonl
  tidegate audit verify --file records.jsonl                 without a cluster";

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say whether every record is there and says what it was sealed with; name the first link that does not hold.
    ///
    /// The digests tell of an edit of any record but the newest ones of a chain that was rewritten as a whole: compare the
    /// head with what was published when it was sealed, a line of the controller's log and the metric tidegate_record_head.
    /// Exit code 1 where a link is broken or a head is another.
    #[command(after_help = EXAMPLES)]
    Verify(verify::Args),
    /// Write records as JSON lines, one each, the oldest first; `verify --file` reads them again.
    #[command(after_help = EXAMPLES)]
    Export(export::Args),
}

pub(super) async fn run(args: &Args) -> Result<ExitCode, Failure> {
    match &args.command {
        Command::Verify(args) => verify::run(args).await,
        Command::Export(args) => export::run(args).await,
    }
}
