//! Which writes concern a policy.

use k8s_openapi::api::admissionregistration::v1::{MatchResources, NamedRuleWithOperations};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::review::Review;

/// `matchConstraints` of a policy.
#[derive(Debug)]
pub(super) struct Constraints {
    rules: Vec<NamedRuleWithOperations>,
    objects: LabelSelector,
}

impl Constraints {
    /// Reads them; refuses what is not evaluated here.
    pub(super) fn read(given: Option<&MatchResources>) -> Result<Self, String> {
        let given = given.ok_or("spec.matchConstraints: Required value")?;
        if given.namespace_selector.as_ref().is_some_and(|selector| *selector != LabelSelector::default()) {
            return Err("spec.matchConstraints.namespaceSelector: not supported".to_owned());
        }
        if given.exclude_resource_rules.as_ref().is_some_and(|rules| !rules.is_empty()) {
            return Err("spec.matchConstraints.excludeResourceRules: not supported".to_owned());
        }
        Ok(Self {
            rules: given.resource_rules.clone().unwrap_or_default(),
            objects: given.object_selector.clone().unwrap_or_default(),
        })
    }

    /// Whether a write concerns the policy; the labels of the new or of the old object decide.
    pub(super) fn concern(&self, review: &Review<'_>, object: Option<&Value>) -> bool {
        self.rules.iter().any(|rule| fits(rule, review))
            && [object, review.old].into_iter().flatten().any(|object| selects(&self.objects, object))
    }
}

fn fits(rule: &NamedRuleWithOperations, review: &Review<'_>) -> bool {
    let names =
        |list: &Option<Vec<String>>, name: &str| list.iter().flatten().any(|listed| listed == "*" || listed == name);
    let resource = |listed: &String| match (listed.split_once('/'), review.subresource) {
        (None, None) => listed == "*" || listed == review.resource,
        (Some((resource, sub)), Some(subresource)) => {
            (resource == "*" || resource == review.resource) && (sub == "*" || sub == subresource)
        }
        (Some((resource, "*")), None) => resource == "*" || resource == review.resource,
        (_, _) => false,
    };
    let scope = match rule.scope.as_deref() {
        Some("Namespaced") => !review.namespace.is_empty(),
        Some("Cluster") => review.namespace.is_empty(),
        _ => true,
    };
    scope
        && names(&rule.operations, review.operation.as_str())
        && names(&rule.api_groups, review.group)
        && names(&rule.api_versions, review.version)
        && rule.resources.iter().flatten().any(resource)
        && rule
            .resource_names
            .as_ref()
            .is_none_or(|named| named.is_empty() || named.iter().any(|name| name == review.name))
}

fn selects(selector: &LabelSelector, object: &Value) -> bool {
    let labels = object.pointer("/metadata/labels");
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
    let equal = selector.match_labels.iter().flatten().all(|(key, value)| label(key) == Some(value));
    equal
        && selector.match_expressions.iter().flatten().all(|wanted| {
            let listed = |value: &str| wanted.values.iter().flatten().any(|listed| listed == value);
            match wanted.operator.as_str() {
                "Exists" => label(&wanted.key).is_some(),
                "DoesNotExist" => label(&wanted.key).is_none(),
                "In" => label(&wanted.key).is_some_and(listed),
                "NotIn" => !label(&wanted.key).is_some_and(listed),
                _ => false,
            }
        })
}
