//! The routes, as their owner applies them.

use serde_json::Value;

use super::People;
use super::calls::{REFUSED, ROUTES, apply, apply_with};
use crate::sandbox::api::ApiServer;
use crate::sandbox::simulate::routes::routes;
use crate::sandbox::simulate::schedule::Workload;
use crate::sandbox::simulate::stewards::Stewards;

impl People {
    /// The routes as Git has them.
    pub(super) fn routes(&self) -> Vec<Value> {
        let mut all = routes(self.git.edits, self.git.turns, self.several, self.git.away);
        let rules = self.stewards.iter().flat_map(Stewards::rules);
        if let Some(first) = all.first_mut().and_then(|route| route["spec"]["rules"].as_array_mut()) {
            first.extend(rules);
        }
        all.extend(self.owned.route(self.git.away));
        all
    }

    /// The routes lead to the workload again, where they did not.
    pub fn bring_back(&mut self, api: &mut ApiServer) {
        if std::mem::take(&mut self.git.away) {
            self.apply_routes(api);
        }
    }

    /// Applies all routes as Git has them; the worst HTTP status that came of it.
    pub(super) fn apply_routes(&self, api: &mut ApiServer) -> u16 {
        let all = self.routes();
        all.iter().map(|route| self.apply_route(api, route)).max().unwrap_or(0)
    }

    /// Who applies without force and is refused, because Tidegate has just written, insists.
    fn apply_route(&self, api: &mut ApiServer, route: &Value) -> u16 {
        match self.careful.then(|| apply_with(api, &self.flux, ROUTES, route, "")) {
            None | Some(REFUSED) => apply(api, &self.flux, ROUTES, route),
            Some(code) => code,
        }
    }

    /// Whether an edit of the routes without force would be refused for a conflict. Nothing is written.
    pub fn refused(&self, api: &mut ApiServer) -> bool {
        let edited = routes(self.git.edits + 1, self.git.turns, self.several, self.git.away);
        let refused = |route: &Value| apply_with(api, &self.flux, ROUTES, route, "&dryRun=All") == REFUSED;
        self.workload == Workload::Routed && edited.iter().any(refused)
    }
}
