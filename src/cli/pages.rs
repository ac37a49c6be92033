//! Lists of which nobody knows how long they are: read page by page.

use std::fmt::Debug;

use kube::Api;
use kube::api::ListParams;
use serde::de::DeserializeOwned;

use super::{Failure, why};

/// So many objects come with one answer.
const PAGE: u32 = 500;

/// All objects of a kind; `what` names them where they cannot be listed.
pub(super) async fn all<K>(api: &Api<K>, what: &str) -> Result<Vec<K>, Failure>
where
    K: Clone + Debug + DeserializeOwned,
{
    let mut params = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = api.list(&params).await.map_err(|error| format!("{what}: {}", why(&error)))?;
        all.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(all),
        }
    }
}
