//! What happens around a workload: to what its pods read and need, to its namespace, to what others made for it.

use std::fmt;

use super::{Act, Item, Mix, Workload, count, seconds};
use crate::api::Span;

/// One thing that happens around the workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Around {
    /// Somebody edits the ConfigMap that the pods read, in place.
    EditConfig,
    /// A quota leaves room for so many pods more than there are; none takes it away.
    Quota(Option<u32>),
    /// Somebody deletes the namespace.
    DeleteNamespace,
    /// It is made anew, with all that Git has in it.
    CreateNamespace,
    /// Somebody scales a ReplicaSet of the workload that has no pods; none scales it back to nothing.
    ScaleOldSet(Option<u32>),
    /// Somebody sets `revisionHistoryLimit` to 0: what has no pods is deleted.
    NoHistory,
    /// He takes that back.
    History,
    /// KEDA gets hold of the workload, for two pods up to that many; none takes it away.
    Keda(Option<u32>),
    /// The network is closed but for what is allowed to the workload's pods.
    NetworkPolicy,
    /// It is open again.
    NoNetworkPolicy,
    /// The network of a database is closed but for the workload's pods, or open again.
    DatabasePolicy(bool),
    /// Another Service leads to the workload's pods, or none does.
    OtherService(bool),
    /// Somebody deletes the definitions of Tidegate's kinds.
    RemoveDefinitions,
    /// They are installed again, and what Git has of their kinds is applied.
    InstallDefinitions,
    /// The webhook does not answer.
    WebhookDown,
    /// It answers again.
    WebhookUp,
}

impl Around {
    /// One word, for coverage.
    pub const fn word(self) -> &'static str {
        match self {
            Self::EditConfig => "edit-config",
            Self::Quota(Some(_)) => "quota",
            Self::Quota(None) => "no-quota",
            Self::DeleteNamespace => "delete-namespace",
            Self::CreateNamespace => "create-namespace",
            Self::ScaleOldSet(Some(_)) => "scale-old-set",
            Self::ScaleOldSet(None) => "scale-old-set-back",
            Self::NoHistory => "no-history",
            Self::History => "history",
            Self::Keda(Some(_)) => "keda",
            Self::Keda(None) => "no-keda",
            Self::NetworkPolicy => "network-policy",
            Self::NoNetworkPolicy => "no-network-policy",
            Self::DatabasePolicy(true) => "database-policy",
            Self::DatabasePolicy(false) => "no-database-policy",
            Self::OtherService(true) => "other-service",
            Self::OtherService(false) => "no-other-service",
            Self::RemoveDefinitions => "remove-definitions",
            Self::InstallDefinitions => "install-definitions",
            Self::WebhookDown => "webhook-down",
            Self::WebhookUp => "webhook-up",
        }
    }

    /// Every word that there is.
    pub const WORDS: [&'static str; 21] = [
        "edit-config",
        "quota",
        "no-quota",
        "delete-namespace",
        "create-namespace",
        "scale-old-set",
        "scale-old-set-back",
        "no-history",
        "history",
        "keda",
        "no-keda",
        "network-policy",
        "no-network-policy",
        "database-policy",
        "no-database-policy",
        "other-service",
        "no-other-service",
        "remove-definitions",
        "install-definitions",
        "webhook-down",
        "webhook-up",
    ];

    /// Whether something fails from now on, and not only people do something.
    pub const fn fails(self) -> bool {
        matches!(self, Self::WebhookDown | Self::RemoveDefinitions)
    }
}

impl fmt::Display for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quota(Some(more)) => write!(f, "a quota leaves room for {more} pods more"),
            Self::ScaleOldSet(Some(pods)) => write!(f, "a ReplicaSet without pods is scaled to {pods} by hand"),
            Self::Keda(Some(most)) => write!(f, "KEDA scales from 2 to {most}"),
            Self::Keda(None)
            | Self::NoHistory
            | Self::History
            | Self::NetworkPolicy
            | Self::NoNetworkPolicy
            | Self::DatabasePolicy(_)
            | Self::OtherService(_)
            | Self::RemoveDefinitions
            | Self::InstallDefinitions
            | Self::WebhookDown
            | Self::WebhookUp
            | Self::Quota(None)
            | Self::ScaleOldSet(None)
            | Self::EditConfig
            | Self::DeleteNamespace
            | Self::CreateNamespace => f.write_str(self.word()),
        }
    }
}

/// What happens around the workload of a world, in pairs where something comes and goes.
pub(super) fn of_seed(seed: u64, mix: Mix) -> Vec<Item> {
    let mut dice = fastrand::Rng::with_seed(seed ^ 0xa40d);
    let within = u32::try_from(mix.within.as_millis() / 1000).unwrap_or(u32::MAX);
    let mut items = Vec::new();
    for _ in 0..count(&mut dice, mix.around) {
        let (at, span) = (seconds(&mut dice, 3, within), seconds(&mut dice, 10, 60));
        let mut at_and_after = |here: Around, after: Option<Around>| {
            items.push(item(at, here));
            items.extend(after.map(|after| item(Span::from_millis(at.as_millis() + span.as_millis()), after)));
        };
        match dice.u32(0..14) {
            0..3 => at_and_after(Around::EditConfig, None),
            3..6 => at_and_after(Around::Quota(Some(dice.u32(0..=3))), Some(Around::Quota(None))),
            6 => at_and_after(Around::DeleteNamespace, Some(Around::CreateNamespace)),
            7..9 => {
                let pods = dice.u32(1..=2);
                at_and_after(Around::ScaleOldSet(Some(pods)), Some(Around::ScaleOldSet(None)));
            }
            9..11 => at_and_after(Around::Keda(Some(dice.u32(3..=6))), Some(Around::Keda(None))),
            11..13 => at_and_after(Around::NetworkPolicy, Some(Around::NoNetworkPolicy)),
            _ => at_and_after(Around::RemoveDefinitions, Some(Around::InstallDefinitions)),
        }
    }
    // Dice of its own: the rest of a world is what it was before there was a choice.
    let mut own = fastrand::Rng::with_seed(seed ^ 0x4157);
    if mix.around > 0 && mix.workload != Workload::Stateful && own.u32(0..3) == 0 {
        items.extend(without_history(&mut own, within));
    }
    if mix.webhook {
        for _ in 0..count(&mut dice, 2) {
            let (at, span) = (seconds(&mut dice, 1, within), seconds(&mut dice, 3, 40));
            items.push(item(at, Around::WebhookDown));
            items.push(item(Span::from_millis(at.as_millis() + span.as_millis()), Around::WebhookUp));
        }
    }
    items
}

/// A workload without history is scaled to nothing and, mostly, up again: what was held then has lost stable.
fn without_history(dice: &mut fastrand::Rng, within: u32) -> Vec<Item> {
    let at = seconds(dice, 3, within);
    let after = |span: Span| Span::from_millis(at.as_millis() + span.as_millis());
    let (down, up, over) = (seconds(dice, 1, 30), seconds(dice, 31, 60), seconds(dice, 61, 120));
    let mut items = vec![item(at, Around::NoHistory), Item { at: after(down), act: Act::Scale(0) }];
    if dice.u32(0..4) > 0 {
        items.push(Item { at: after(up), act: Act::Scale(dice.u32(1..=4)) });
    }
    items.push(item(after(over), Around::History));
    items
}

fn item(at: Span, around: Around) -> Item {
    Item { at, act: Act::Around(around) }
}
