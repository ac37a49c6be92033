use std::collections::BTreeSet;

use super::classification;
use crate::api::RiskClass::{self, *};
use crate::policy::category::{Category::*, *};
use crate::policy::gate::Gate::{self, *};
use proptest::prelude::*;
use rstest::rstest;

/// `000_…` §5.3 (points), §6.1 (scope), §6.2 and §10.2 (floor); `001_…`, Deployment Risk Assessment (class). Written by
/// hand from the documents.
#[rustfmt::skip]
const TABLE: &[(&str, &str, u32, Gate, RiskClass)] = &[
    ("docs",                             "code",       1, G0, Low),
    ("metadata",                         "code",       1, G0, Low),
    ("non-executed-code",                "code",       1, G1, Low),
    ("telemetry",                        "code",       1, G1, Low),
    ("telemetry-removal",                "code",       3, G2, Medium),
    ("ui",                               "code",       3, G1, Low),
    ("non-core-logic",                   "code",       3, G1, Low),
    ("tested-refactor",                  "code",       3, G1, Low),
    ("unclassified-code",                "code",       6, G2, Medium),
    ("customer-facing-logic",            "code",       6, G2, Medium),
    ("core-logic",                       "code",       6, G3, High),
    ("hot-path",                         "code",       6, G2, Medium),
    ("correctness-sensitive",            "code",       6, G3, High),
    ("concurrency",                      "code",      15, G3, High),
    ("payments",                         "code",      15, G3, High),
    ("major-refactor",                   "code",       6, G3, High),
    ("dependency-minor",                 "code",       6, G2, Medium),
    ("dependency-major",                 "code",       6, G2, High),
    ("schema-migration-additive",        "data",      10, G3, Medium),
    ("schema-migration-expand-contract", "data",      10, G3, Medium),
    ("schema-migration-breaking",        "data",      10, G4, High),
    ("backfill",                         "data",      10, G3, High),
    ("data-model",                       "data",      10, G3, High),
    ("data-retention",                   "data",      10, G3, High),
    ("pii",                              "data",      10, G3, High),
    ("authentication",                   "security",  10, G3, High),
    ("authorization",                    "security",  10, G3, High),
    ("permissions",                      "security",  10, G3, High),
    ("secrets",                          "security",  15, G3, High),
    ("key-handling",                     "security",  15, G3, High),
    ("encryption",                       "security",  15, G3, High),
    ("vulnerable-dependency",            "security",   6, G3, High),
    ("infrastructure",                   "infra",     15, G3, High),
    ("networking",                       "infra",     15, G3, High),
    ("load-balancer",                    "infra",     15, G3, High),
    ("dns",                              "infra",     15, G3, High),
    ("autoscaling",                      "infra",     15, G3, High),
    ("runtime-config",                   "infra",      6, G2, Low),
    ("feature-flag",                     "infra",      6, G2, Low),
    ("queue",                            "infra",     15, G3, High),
    ("platform-wide",                    "infra",     15, G4, High),
    ("api-compatible",                   "interface",  6, G2, Medium),
    ("api-new-endpoint",                 "interface",  6, G2, Medium),
    ("api-breaking",                     "interface",  6, G3, High),
    ("payload-compatible",               "interface",  6, G2, Medium),
    ("payload-breaking",                 "interface",  6, G3, High),
    ("client-version",                   "interface",  6, G3, High),
];

#[test]
fn every_category_has_its_figures() {
    let seen: Vec<_> = Category::ALL
        .iter()
        .map(|c| (c.as_str(), c.scope().as_str(), c.item().points().get(), c.floor(), c.risk_class()))
        .collect();
    assert_eq!(seen, TABLE);
}

#[test]
fn every_word_reads_back_and_is_kebab_case() {
    let mut words = BTreeSet::new();
    for category in Category::ALL {
        let word = category.as_str();
        assert_eq!(word.parse(), Ok(*category));
        assert!(word.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{word}");
        assert!(words.insert(word), "{word} stands twice");
        assert!(!category.floor_says().is_empty());
    }
}

#[test]
fn one_wrong_word_hides_no_other_and_lists_the_words() {
    let (known, unknown) = parse_list(" authentication, Auth ,pii,,");
    assert_eq!(known, [Authentication, Pii]);
    let [error] = unknown.as_slice() else { panic!("{unknown:?}") };
    let text = error.to_string();
    assert!(text.starts_with("\"Auth\" is no category of a change; the words are docs, metadata, "), "{text}");
    assert!(Category::ALL.iter().all(|category| text.contains(category.as_str())), "{text}");
    assert_eq!(parse_list(""), (vec![], vec![]));
}

fn finding(category: Category, origin: Origin) -> Finding {
    Finding { category, origin, evidence: String::new() }
}

#[rstest]
#[case::nobody_said_anything(&[], &[], "unclassified-code")]
#[case::a_claim_says_what_is_in_the_image(&[CoreLogic], &[UnclassifiedCode], "core-logic")]
#[case::a_claim_beside_it_does_not(&[Docs, FeatureFlag], &[UnclassifiedCode], "docs, unclassified-code, feature-flag")]
#[case::what_is_seen_explains_nothing(&[], &[UnclassifiedCode, Secrets], "unclassified-code, secrets")]
#[case::claims_never_hide_what_is_seen(&[Docs], &[Permissions], "docs, permissions")]
#[case::a_claim_that_code_is_unknown_stays(&[CoreLogic, UnclassifiedCode], &[UnclassifiedCode], "unclassified-code, core-logic")]
#[case::once_each(&[Secrets], &[Secrets], "secrets")]
fn claims_and_sight_are_joined(#[case] claimed: &[Category], #[case] seen: &[Category], #[case] expected: &str) {
    let claimed = claimed.iter().map(|c| finding(*c, Origin::Claimed));
    let all = Classification::new(claimed.chain(seen.iter().map(|c| finding(*c, Origin::Seen))));
    assert_eq!(all.to_string(), expected);
}

/// What is written beside a change, and nobody vouches for, adds.
#[rstest]
#[case::beside_an_image(&[Telemetry], &[], &[UnclassifiedCode], "telemetry, unclassified-code")]
#[case::what_somebody_vouches_for_explains(&[Telemetry], &[CoreLogic], &[UnclassifiedCode], "telemetry, core-logic")]
#[case::that_code_is_unknown_stays(&[UnclassifiedCode], &[CoreLogic], &[UnclassifiedCode], "unclassified-code, core-logic")]
#[case::alone(&[Telemetry], &[], &[], "telemetry")]
fn what_is_only_written_explains_nothing(
    #[case] written: &[Category],
    #[case] claimed: &[Category],
    #[case] seen: &[Category],
    #[case] expected: &str,
) {
    let of = |all: &[Category], origin| all.iter().map(|one| finding(*one, origin)).collect::<Vec<_>>();
    let all = [of(written, Origin::Written), of(claimed, Origin::Claimed), of(seen, Origin::Seen)].concat();
    assert_eq!(Classification::new(all).to_string(), expected);
}

#[test]
fn an_item_is_paid_once_and_the_highest_class_and_floor_hold() {
    let all = classification(&[Authentication, Permissions, SchemaMigrationAdditive, Docs]);
    let items: Vec<_> = all.items().into_keys().collect();
    assert_eq!(items, [DiffItem::Docs, DiffItem::SchemaMigration, DiffItem::Auth]);
    assert_eq!((all.floor(), all.strictest(), all.risk_class()), (G3, Some(SchemaMigrationAdditive), High));
    assert_eq!(classification(&[Docs]).risk_class(), Low);
}

/// `000_…` §6.2, in its own words where it has some.
#[rstest]
#[case(Category::Docs, "docs-only, comments-only")]
#[case(Category::Ui, "non-core UI changes")]
#[case(Category::Concurrency, "non-trivial concurrency/queue semantics changes")]
#[case(Category::SchemaMigrationBreaking, "breaking is disallowed without explicit G4 approval")]
fn a_floor_says_why(#[case] category: Category, #[case] says: &str) {
    assert_eq!(category.floor_says(), says);
}

proptest! {
    /// More that is found never makes a change look smaller.
    #[test]
    fn another_category_never_lowers(
        some in proptest::collection::vec(proptest::sample::select(Category::ALL), 1..6),
        one in proptest::sample::select(Category::ALL),
    ) {
        let fewer = classification(&some);
        let more = classification(&[some.as_slice(), &[one]].concat());
        prop_assert!(more.floor() >= fewer.floor() && more.risk_class() >= fewer.risk_class());
        prop_assert!(more.items().len() >= fewer.items().len());
    }
}
