//! How the versions of a simulated world behave, by the quality in their image's tag.

use super::schedule::Quality;
use crate::api::Span;
use crate::sandbox::cluster::Program;
use crate::sandbox::controllers::{Behaviour, End};
use crate::sandbox::traffic::{Latency, Rate, Version};

/// So many requests come per second, evenly.
pub const RATE: Rate = Rate::steady(300.0);

/// And so many where there are two services.
pub const RATE_OF_TWO: Rate = Rate::steady(600.0);

/// The program that an image holds.
pub fn program(image: &str) -> Program {
    let quality = Quality::of_image(image);
    let good = Version::good();
    let failing = |errors: f64| Version { errors, ..Version::good() };
    let users = match quality {
        Quality::Good | Quality::Unready | Quality::Crashes | Quality::Late | Quality::Disliked => good,
        // Nothing shows of them to users.
        Quality::Broken | Quality::Stuck => good,
        Quality::Errors => failing(0.2),
        Quality::Slow => Version { latency: Latency::LogNormal { median: 0.8, p95: 2.0 }, ..good },
    };
    let later = (quality == Quality::Late).then(|| (Span::seconds(60), failing(0.33)));
    let pods = Behaviour {
        ready_after: Span::seconds(2),
        ready: quality != Quality::Unready,
        crash_after: (quality == Quality::Crashes).then_some(Span::seconds(5)),
        flaps: None,
    };
    let complaints = if quality == Quality::Disliked { 2.0 } else { 0.0 };
    let tried = match quality {
        Quality::Good | Quality::Late | Quality::Disliked | Quality::Unready | Quality::Crashes => End::Completes,
        Quality::Errors | Quality::Broken => End::Fails(format!("{image} has no cart")),
        Quality::Slow | Quality::Stuck => End::Never,
    };
    Program { users, later, complaints, pods, tried }
}
