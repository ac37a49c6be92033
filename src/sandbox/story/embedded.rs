//! The scenarios that come with Tidegate.

/// Name and text, in the order in which they are listed.
const SCENARIOS: [(&str, &str); 11] = [
    ("good", include_str!("scenarios/good.yaml")),
    ("bad", include_str!("scenarios/bad.yaml")),
    ("slow", include_str!("scenarios/slow.yaml")),
    ("late", include_str!("scenarios/late.yaml")),
    ("freeze", include_str!("scenarios/freeze.yaml")),
    ("break-glass", include_str!("scenarios/break-glass.yaml")),
    ("no-metrics", include_str!("scenarios/no-metrics.yaml")),
    ("supersede", include_str!("scenarios/supersede.yaml")),
    ("by-count", include_str!("scenarios/by-count.yaml")),
    ("no-way-back", include_str!("scenarios/no-way-back.yaml")),
    ("stateful-set", include_str!("scenarios/stateful-set.yaml")),
];

/// The text of a scenario that comes with Tidegate.
pub fn embedded(name: &str) -> Option<&'static str> {
    SCENARIOS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of the scenarios that come with Tidegate.
pub fn names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|(name, _)| *name)
}
