//! The tables of docs/classify.md say what the code says.

use crate::classify::Rules;
use crate::classify::read::Reader;
use crate::classify::rules::{Decides, Rule};
use crate::policy::Category;

const PAGE: &str = include_str!("../../../docs/classify.md");

fn row(rule: &Rule) -> String {
    let words = |all: &[Category]| all.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
    let finds = match &rule.decides {
        Decides::Path(categories) => words(categories),
        Decides::Lines(lines, categories) if lines.every => format!("{}, if every line is such", words(categories)),
        Decides::Lines(_, categories) => format!("{}, by line", words(categories)),
        Decides::Reader(reader) => format!("reads `{reader}`"),
    };
    format!("| `{}` | {} | {finds} |", rule.name, rule.says)
}

#[test]
fn the_page_lists_every_default_rule_as_it_is() {
    let rules = Rules::shipped().unwrap();
    let expected: Vec<String> = rules.all().map(row).collect();
    let listed: Vec<&str> = PAGE
        .lines()
        .skip_while(|line| !line.starts_with("| rule |"))
        .skip(2)
        .take_while(|line| line.starts_with("| `"))
        .collect();
    assert_eq!(listed, expected, "docs/classify.md should hold:\n{}", expected.join("\n"));
}

#[test]
fn the_page_names_every_reader() {
    for reader in Reader::ALL {
        assert!(PAGE.contains(&format!("`{reader}`")), "{reader}");
    }
}
