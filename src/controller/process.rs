//! One process from its start to its end: waits for leadership, works while it lasts, gives it back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{Context, run};
use crate::cluster::leader::{Keeper, Role};

/// How long giving the Lease back may take.
pub(super) const GIVE_BACK_WITHIN: Duration = Duration::from_secs(8);

/// Why a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to.
    Asked,
    /// It led and does not any more, or its work ended by itself: it begins anew as a standby.
    LostLeadership,
}

/// Waits for leadership, works while it lasts, and gives it back when `stop` becomes true.
pub async fn lead(keeper: Keeper, context: Context, stop: watch::Receiver<bool>) -> Ended {
    let mut role = keeper.role();
    let (metrics, cluster) = (context.metrics.clone(), context.cluster.clone());
    // The Lease is given back last, when nothing is written any more.
    let (give_back, given_back) = watch::channel(false);
    let keeping = tokio::spawn(keeper.run(cluster, asked(given_back)));
    let leading = tokio::select! {
        biased;
        leading = reached(&mut role, Role::Leading) => leading,
        () = asked(stop.clone()) => false,
    };
    let mut lost = false;
    if leading {
        metrics.leads(true);
        let mut role = role.clone();
        let work = run(Arc::new(context.begun()), asked(stop.clone()));
        tokio::select! {
            biased;
            () = work => lost = !*stop.borrow(),
            // The work under way is dropped: what it would write is refused by the deadline anyway.
            _ = reached(&mut role, Role::Lost) => lost = true,
        }
        metrics.leads(false);
    }
    give_back.send_replace(true);
    drop(tokio::time::timeout(GIVE_BACK_WITHIN, keeping).await);
    if lost || *role.borrow() == Role::Lost {
        tracing::error!("the process ends, to begin anew as a standby");
        return Ended::LostLeadership;
    }
    Ended::Asked
}

/// Waits until this process is `wanted`; false where that cannot happen any more.
async fn reached(role: &mut watch::Receiver<Role>, wanted: Role) -> bool {
    role.wait_for(|now| *now == wanted).await.is_ok()
}

/// Waits until `stop` becomes true; for ever where nobody can ask any more.
pub async fn asked(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|asked| *asked).await.is_err() {
        std::future::pending::<()>().await;
    }
}
