//! Who may do what: a small authorizer. Everybody may do everything, except what a rule denies; the last rule that fits
//! decides.

pub use crate::cel::AccessCheck;
use crate::sandbox::user::User;

/// The group whose members may do everything, as in every cluster.
const MASTERS: &str = "system:masters";
/// In a rule: any.
const ANY: &str = "*";

#[derive(Debug, Clone)]
struct Rule {
    allow: bool,
    user: String,
    verb: String,
    group: String,
    resource: String,
}

impl Rule {
    fn fits(&self, user: &User, check: &AccessCheck<'_>) -> bool {
        let fits = |pattern: &str, text: &str| pattern == ANY || pattern == text;
        (fits(&self.user, &user.name) || user.groups.contains(&self.user))
            && fits(&self.verb, check.verb)
            && fits(&self.group, check.group)
            && fits(&self.resource, check.resource)
    }
}

/// The rules.
#[derive(Debug, Clone)]
pub struct Access {
    rules: Vec<Rule>,
}

impl Default for Access {
    /// Everything but passing the gate and taking away what others said about a release, or a budget or a record with what it
    /// remembers: that has to be granted.
    fn default() -> Self {
        let mut access = Self { rules: Vec::new() };
        access.add(false, ANY, "bypass", "tidegate.io", "gatedreleases");
        access.add(false, ANY, "purge", "tidegate.io", "attestations");
        access.add(false, ANY, "purge", "tidegate.io", "riskbudgets");
        access.add(false, ANY, "purge", "tidegate.io", "releaserecords");
        access
    }
}

impl Access {
    /// Adds a rule; `*` stands for any user, verb, group or resource. `user` may also be a group of users.
    pub fn add(&mut self, allow: bool, user: &str, verb: &str, group: &str, resource: &str) {
        let [user, verb, group, resource] = [user, verb, group, resource].map(str::to_owned);
        self.rules.push(Rule { allow, user, verb, group, resource });
    }

    /// Whether this user may.
    pub fn allows(&self, user: &User, check: &AccessCheck<'_>) -> bool {
        user.groups.iter().any(|group| group == MASTERS)
            || self.rules.iter().rev().find(|rule| rule.fits(user, check)).is_none_or(|rule| rule.allow)
    }
}
