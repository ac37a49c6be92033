//! `tidegate sandbox`: Tidegate on a simulated cluster.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use super::{Failure, say};
use crate::api::Span;
use crate::sandbox::player::{self, Show, Speed};
use crate::sandbox::present::kubeconfig;
use crate::sandbox::simulate::campaign::{Summary, Until, run_many};
use crate::sandbox::simulate::run::{Options, run as run_world};
use crate::sandbox::simulate::schedule::Mix;
use crate::sandbox::simulate::shrink::{command, smallest};
use crate::sandbox::story::{self, Story};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// What is played: a name from --list, or a file of your own (docs/sandbox.md).
    #[arg(long, default_value = "good")]
    scenario: String,
    /// Simulated seconds in a real one, 0.1 to 3600; or max: as fast as it goes, without a picture. By default the
    /// scenario's own.
    #[arg(long, value_name = "N|max", value_parser = speed)]
    speed: Option<Speed>,
    /// The seed of everything that is left to chance. With --speed max the same seed tells the same lines; at any other
    /// speed real time plays a part.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Deploy, revert, resume, freeze and so on by keys, on the scenario's cluster and without its steps. Needs a terminal.
    #[arg(long, conflicts_with = "plain")]
    interactive: bool,
    /// Tell lines, also on a terminal.
    #[arg(long)]
    plain: bool,
    /// Serve the simulated API here, such as 127.0.0.1:8001, for kubectl; the cluster then stays until Ctrl-C.
    #[arg(long)]
    serve: Option<SocketAddr>,
    /// List the scenarios that come with Tidegate.
    #[arg(long)]
    list: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run seeded worlds with faults and check the invariants in each.
    Simulate(Simulate),
    /// Print a kubeconfig for a sandbox that is served.
    Kubeconfig {
        /// The address given to --serve.
        #[arg(long, default_value = "127.0.0.1:8001")]
        server: SocketAddr,
    },
}

/// Arguments of `simulate`.
#[derive(Debug, clap::Args)]
struct Simulate {
    /// The seed of one world, or the first of many.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many worlds. Without this and --for: the one of --seed.
    #[arg(long, conflicts_with = "span", value_parser = clap::value_parser!(u64).range(1..))]
    worlds: Option<u64>,
    /// Run worlds for so long.
    #[arg(long = "for")]
    span: Option<Span>,
    /// Threads. By default one a core.
    #[arg(long)]
    jobs: Option<usize>,
    /// What happens in the worlds, such as calm, people, faults, wild or around.
    #[arg(long, default_value_t = Mix::WILD)]
    mix: Mix,
    /// Items of the world that are left out, by their number.
    #[arg(long, value_delimiter = ',')]
    without: Vec<usize>,
    /// Print every change of one world.
    #[arg(long)]
    trace: bool,
    /// Look for the smallest world in which the same rule is broken.
    #[arg(long)]
    shrink: bool,
    /// Stop at the first world that breaks a rule.
    #[arg(long)]
    first: bool,
    /// Print what was reached of all that can be, and what never was.
    #[arg(long)]
    coverage: bool,
}

pub(super) fn run(args: &Args) -> Result<ExitCode, Failure> {
    match &args.command {
        Some(Command::Simulate(args)) => simulate(args),
        Some(Command::Kubeconfig { server }) => {
            say(&kubeconfig(*server))?;
            Ok(ExitCode::SUCCESS)
        }
        None if args.list => list(),
        None => play(args),
    }
}

fn list() -> Result<ExitCode, Failure> {
    for name in story::names() {
        let story = story::embedded(name).map(story::parse).transpose()?;
        say(&format!("{name:<12}  {}\n", story.map(|story| story.title).unwrap_or_default()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A scenario that comes with Tidegate, or one from a file.
fn read(scenario: &str) -> Result<Story, Failure> {
    let text = match story::embedded(scenario) {
        Some(text) => text.to_owned(),
        None => std::fs::read_to_string(scenario).map_err(|why| {
            let names: Vec<_> = story::names().collect();
            format!("--scenario {scenario}: neither a file ({why}) nor one of {}", names.join(", "))
        })?,
    };
    story::parse(&text).map_err(|why| format!("--scenario {scenario}: {why}"))
}

fn play(args: &Args) -> Result<ExitCode, Failure> {
    let story = read(&args.scenario)?;
    let max = args.speed == Some(Speed::Max);
    if max && (args.interactive || args.serve.is_some()) {
        return Err("--speed max: nobody could follow it; leave out --interactive and --serve".to_owned());
    }
    if args.interactive && !on_terminal() {
        return Err("--interactive: standard output is no terminal; --serve 127.0.0.1:8001 lets kubectl do everything"
            .to_owned());
    }
    let picture = args.interactive || !(args.plain || max) && on_terminal();
    if args.serve.is_some_and(|address| !address.ip().is_loopback()) {
        return Err("--serve: nobody is authenticated; give a loopback address, such as 127.0.0.1:8001".to_owned());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .map_err(|why| format!("no runtime: {why}"))?;
    let unmet = runtime.block_on(async {
        let serve = match args.serve {
            None => None,
            Some(address) => {
                let bound = tokio::net::TcpListener::bind(address).await;
                Some(bound.map_err(|why| format!("--serve {address}: {why}"))?)
            }
        };
        say(&format!("{}\n\n{}\n{SIMULATED}\n", story.title, story.description.trim()))?;
        if let Some(address) = args.serve {
            say(&format!(
                "\nkubectl: tidegate sandbox kubeconfig --server {address} > sandbox.yaml; KUBECONFIG=sandbox.yaml kubectl get gr\n"
            ))?;
        }
        let show = Show {
            speed: args.speed,
            seed: args.seed,
            serve,
            stay: args.serve.is_some(),
            picture,
            interactive: args.interactive,
        };
        let mut closed = None;
        let mut tell = |line: &str| closed = say(&format!("{line}\n")).err();
        let stop = stopped()?;
        player::play(&story, show, &mut tell, stop).await
    })?;
    runtime.shutdown_background();
    if unmet.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for what in &unmet {
        say(&format!("NOT AS EXPECTED: {what}\n"))?;
    }
    Ok(ExitCode::FAILURE)
}

/// A speed as it is typed.
fn speed(text: &str) -> Result<Speed, String> {
    match text.parse() {
        _ if text == "max" => Ok(Speed::Max),
        Ok(times) if (0.1..=3600.0).contains(&times) => Ok(Speed::Times(times)),
        Ok(_) | Err(_) => Err("give 0.1 to 3600 simulated seconds in a real one, or max".to_owned()),
    }
}

/// Whether a picture can be drawn.
fn on_terminal() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Ready when the process is asked to end, by Ctrl-C or SIGTERM.
fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(|why| format!("SIGTERM: {why}"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|why| format!("SIGINT: {why}"))?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// What a sandbox is, said before anything else.
const SIMULATED: &str = "
This is a simulation in one process: API server, Deployment controller, pods, router, users and Prometheus are simulated,
and time runs fast. The controller is the real one; it speaks to the API server as it would in a cluster.";

fn simulate(args: &Simulate) -> Result<ExitCode, Failure> {
    let without: BTreeSet<_> = args.without.iter().copied().collect();
    let options = Options { mix: args.mix, without, traced: args.trace };
    let until = match (args.worlds, args.span) {
        (Some(worlds), _) => Until::Worlds(worlds),
        (None, Some(span)) => Until::Time(span.as_std()),
        (None, None) => return one(args, &options),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let summary =
        run_many(args.seed, until, args.jobs.unwrap_or(cores), &options, &|summary| !args.first || summary.failed == 0);
    tell(args, &options, &summary)
}

/// One world, in detail.
fn one(args: &Simulate, options: &Options) -> Result<ExitCode, Failure> {
    let mut report = run_world(args.seed, options)?;
    let mut options = options.clone();
    if args.shrink
        && let Some(first) = report.violations.first()
    {
        (options, report) = smallest(args.seed, &options, first.rule)?;
    }
    for line in &report.trace {
        say(&format!("{line}\n"))?;
    }
    say(&format!(
        "seed {}: {} of its own time, {} writes, {} attempts ended\n",
        report.seed, report.lasted, report.writes, report.attempts
    ))?;
    for (number, item) in &report.items {
        say(&format!("  {number:>2}  at {:>7}  {}\n", item.at.to_string(), item.act))?;
    }
    for violation in &report.violations {
        say(&format!("BROKEN {} at {}: {}\n", violation.rule, violation.at.clock(), violation.says))?;
    }
    if report.violations.is_empty() {
        say("every invariant held\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("replay: {}\n", command(report.seed, &options)))?;
    Ok(ExitCode::FAILURE)
}

fn tell(args: &Simulate, options: &Options, summary: &Summary) -> Result<ExitCode, Failure> {
    let seconds = summary.took.max(Duration::from_millis(1)).as_secs_f64();
    say(&format!(
        "{} worlds in {seconds:.1} s: {:.1} a second, {} hours of their own time, {} attempts ended, {} writes\n",
        summary.worlds,
        summary.worlds as f64 / seconds,
        summary.virtual_seconds / 3600,
        summary.attempts,
        summary.writes,
    ))?;
    if args.coverage {
        for (sort, name, count) in summary.coverage.counts() {
            say(&format!("  {sort:<8} {name:<28} {count:>9}\n"))?;
        }
        for (sort, name) in summary.coverage.never() {
            say(&format!("  {sort:<8} {name:<28}     never\n"))?;
        }
    }
    for (seed, why) in &summary.errors {
        say(&format!("seed {seed} could not be run: {why}\n"))?;
    }
    for (rule, seeds) in &summary.broken {
        for (seed, says) in seeds {
            say(&format!("BROKEN {rule}: {says}\n  replay: {}\n", command(*seed, options)))?;
        }
    }
    if summary.failed == 0 && summary.errors.is_empty() {
        say("every invariant held in every world\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{} of {} worlds broke an invariant\n", summary.failed, summary.worlds))?;
    Ok(ExitCode::FAILURE)
}
