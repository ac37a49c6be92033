//! What the keys of the interactive sandbox do in the cluster.

use super::act::Acts;
use crate::api::{BudgetStatus, Change, ChangeType, Percent, Span};
use crate::sandbox::screen::Key;
use crate::sandbox::story::{Action, Direction, Version};
use crate::sandbox::user::User;

/// What a press of [`Key::SpendBudget`] takes, in percent of the budget.
const SPENT: f64 = 20.0;
/// It is never overspent by more, in percent of the budget.
const OVERSPENT: f64 = -100.0;
/// What [`Key::Scale`] adds, and takes away again.
const MORE: u64 = 2;

/// The sorts of versions that keys deploy. An image says of which sort it is: `shop:bad-2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Good,
    Bad,
    Slow,
    Crashing,
}

impl Sort {
    const ALL: [Self; 4] = [Self::Good, Self::Bad, Self::Slow, Self::Crashing];

    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Slow => "slow",
            Self::Crashing => "crashing",
        }
    }

    /// How the version with this image behaves; none where no key deployed it.
    pub(super) fn of_image(image: &str) -> Option<Version> {
        let (word, number) = image.strip_prefix("shop:")?.rsplit_once('-')?;
        let sort = Self::ALL.into_iter().find(|sort| sort.word() == word)?;
        number.parse::<u32>().ok()?;
        let good = Version::good(image);
        Some(match sort {
            Self::Good => good,
            Self::Bad => Version { errors: Percent::whole(8), ..good },
            Self::Slow => Version { latency: Span::from_millis(1_500), ..good },
            Self::Crashing => Version { crashes: true, ..good },
        })
    }
}

/// What a press did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pressed {
    /// Who did what, in a sentence.
    pub(super) says: String,
    /// Why it was refused.
    pub(super) refused: Option<String>,
}

/// Does what a key asks for, as a user or a tool would; none for keys that do nothing in the cluster.
pub(super) fn press(acts: &mut Acts<'_>, key: Key) -> Option<Pressed> {
    let (flux, alice) = (User::service_account("flux-system", "kustomize-controller"), User::person("alice"));
    let (says, done) = match key {
        Key::Good => deploy(acts, &flux, Sort::Good),
        Key::Bad => deploy(acts, &flux, Sort::Bad),
        Key::Slow => deploy(acts, &flux, Sort::Slow),
        Key::Crashing => deploy(acts, &flux, Sort::Crashing),
        Key::Revert => ("Flux applies what was there before.".to_owned(), acts.act(&flux, &Action::Revert)),
        Key::BreakGlass => {
            let reason = "decided at the keyboard by who is on call".to_owned();
            let action = Action::BreakGlass { reason, version: None };
            ("Alice breaks the glass over the newest version.".to_owned(), acts.act(&alice, &action))
        }
        Key::Resume => (format!("Alice {}.", acts.lets_go()), acts.act(&alice, &Action::Resume)),
        Key::Retry => ("Alice runs tidegate retry.".to_owned(), acts.act(&alice, &Action::Retry)),
        Key::Freeze if acts.frozen() => ("SRE takes the freeze back.".to_owned(), acts.act(&alice, &Action::Unfreeze)),
        Key::Freeze => {
            let freeze =
                Action::Freeze { status: BudgetStatus::Critical, reason: "declared at the keyboard".to_owned() };
            ("SRE declares a freeze: Critical.".to_owned(), acts.act(&alice, &freeze))
        }
        Key::SpendBudget => {
            let left = (acts.left() - SPENT).max(OVERSPENT);
            let says = format!("The past gets worse: {left:.0} % of the error budget are left.");
            (says, acts.act(&alice, &Action::ErrorBudget(left)))
        }
        Key::Prometheus if acts.prometheus_down() => {
            ("Prometheus answers again.".to_owned(), acts.act(&alice, &Action::Prometheus(Direction::Up)))
        }
        Key::Prometheus => ("Prometheus goes down.".to_owned(), acts.act(&alice, &Action::Prometheus(Direction::Down))),
        Key::Scale => {
            let (now, first) = acts.replicas();
            let wanted = if now == first { first + MORE } else { first };
            let action = Action::Scale(u32::try_from(wanted).unwrap_or(u32::MAX));
            (format!("Alice runs kubectl scale --replicas={wanted}."), acts.act(&alice, &action))
        }
        Key::Pause | Key::Faster | Key::Slower | Key::Quit => return None,
    };
    Some(Pressed { says, refused: done.err() })
}

/// A version that never was there before, of a sort.
fn deploy(acts: &mut Acts<'_>, by: &User, sort: Sort) -> (String, Result<(), String>) {
    let name = format!("{}-{}", sort.word(), acts.next_number());
    let change =
        Change { reference: format!("git:{name}"), kind: ChangeType::Feature, severity: None, categories: Vec::new() };
    (format!("Flux applies shop:{name}, a Feature."), acts.deploy(by, &format!("shop:{name}"), &change, None))
}
