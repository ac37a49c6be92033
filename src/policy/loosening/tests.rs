//! What loosens each field, what holds instead, and who agrees.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::api::condition::Truth;
use crate::api::{AttestationSpec, RiskBudgetStatus};
use crate::policy::Attested;

const NOW: &str = "2026-06-15T12:00:00Z";

fn at(text: &str) -> Time {
    Time(text.parse().unwrap())
}

/// A budget of the fields that a case is about.
fn spec(fields: &Value) -> RiskBudgetSpec {
    let mut whole = json!({"tier": 2, "slos": [{"name": "a", "objective": 99.5, "availability": {"service": "web"}}]});
    for (key, value) in fields.as_object().unwrap() {
        whole[key] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

fn slo(more: Value) -> Value {
    let mut slo = json!({"name": "a", "objective": 99.5, "availability": {"service": "web"}});
    json_patch::merge(&mut slo, &more);
    json!({"slos": [slo]})
}

fn latency(threshold: &str, service: &str) -> Value {
    slo(json!({"availability": null, "latency": {"service": service, "threshold": threshold}}))
}

fn and_name(mut one: Value, name: &str) -> Value {
    one["slos"][0]["name"] = json!(name);
    one
}

fn restricted(windows: &[(&str, &str, &str)]) -> Value {
    let window = |(name, from, to): &(&str, &str, &str)| json!({"name": name, "from": format!("2026-{from}T00:00:00Z"), "to": format!("2026-{to}T00:00:00Z")});
    json!({"restrictedWindows": windows.iter().map(window).collect::<Vec<_>>()})
}

fn weekly(days: &[&str], from: &str, to: &str) -> Value {
    json!({"restrictedWindows": [{"name": "w", "weekly": {"days": days, "from": from, "to": to}}]})
}

fn yearly(first: &str, last: &str) -> Value {
    json!({"restrictedWindows": [{"name": "y", "yearly": {"firstDay": first, "lastDay": last}}]})
}

/// Both, and the second under another name.
fn and(mut one: Value, other: &Value) -> Value {
    one["restrictedWindows"]
        .as_array_mut()
        .unwrap()
        .extend(other["restrictedWindows"].as_array().unwrap().iter().cloned());
    one
}

fn in_zone(mut one: Value, zone: &str) -> Value {
    one["restrictedWindows"][0]["timeZone"] = json!(zone);
    one
}

fn freeze(status: &str, until: Option<&str>) -> Value {
    let mut freeze = json!({"status": status, "reason": "incident 7"});
    if let Some(until) = until {
        freeze["until"] = json!(format!("2026-{until}T00:00:00Z"));
    }
    json!({"freeze": freeze})
}

fn waived(name: &str, until: Option<&str>) -> Value {
    let mut waiver = json!({"name": name, "reason": "none"});
    if let Some(until) = until {
        waiver["until"] = json!(format!("2026-{until}T00:00:00Z"));
    }
    json!({"requirements": {"waived": [waiver]}})
}

fn roles(entries: &[(&str, Option<&str>, &[&str])]) -> Value {
    let entry = |(name, stands_for, users): &(&str, Option<&str>, &[&str])| {
        let mut role = json!({"name": name, "users": users});
        if let Some(of) = stands_for {
            role["as"] = json!(of);
        }
        role
    };
    json!({"roles": entries.iter().map(entry).collect::<Vec<_>>()})
}

/// From the documents: tiers and points 000 §5.1 and §5.2, windows §5.2, reward §5.6, restricted windows §5.3, what a change
/// must show §6.2, roles §4; objectives and freezes 001.
#[rstest]
#[case::tier_down(json!({"tier": 3}), json!({"tier": 1}), &["spec.tier: 3 → 1"])]
#[case::tier_up(json!({"tier": 1}), json!({"tier": 3}), &[])]
#[case::more_points(json!({}), json!({"riskPoints": 121}), &["spec.riskPoints: 120 → 121"])]
#[case::as_many_points(json!({}), json!({"riskPoints": 120}), &[])]
#[case::fewer_points(json!({"riskPoints": 200}), json!({"riskPoints": 150}), &[])]
#[case::back_to_the_tiers_points(json!({"riskPoints": 100}), json!({}), &["spec.riskPoints: 100 → 120"])]
#[case::points_of_a_lower_tier_that_does_not_hold(json!({"tier": 3}), json!({"tier": 0}), &["spec.tier: 3 → 0"])]
#[case::a_higher_tier_that_keeps_its_points(json!({"tier": 1}), json!({"tier": 3, "riskPoints": 200}), &[])]
#[case::other_signals(json!({}), json!({"signals": "quiet"}), &["spec.signals: default → quiet"])]
#[case::reviews_of_quiet_times_left_out(json!({"obligations": {"regularReviews": true}}), json!({}), &["spec.obligations.regularReviews: true → false"])]
#[case::reviews_of_quiet_times(json!({}), json!({"obligations": {"regularReviews": true}}), &[])]
#[case::an_obligation_waived(json!({}), json!({"obligations": {"waived": [{"name": "daily-standup", "reason": "two people"}]}}), &["spec.obligations.waived[daily-standup]: asked for → waived"])]
#[case::another_source(json!({}), json!({"metrics": "other"}), &["spec.metrics: default → other"])]
#[case::sprints(json!({}), json!({"window": {"kind": "Sprint", "sprintStart": "2026-01-05", "sprintDays": 14}}),
    &["spec.window: the month in UTC → sprints of 14 days from 2026-01-05 in UTC"])]
#[case::another_zone(json!({}), json!({"window": {"timeZone": "Asia/Tokyo"}}), &["spec.window: the month in UTC → the month in Asia/Tokyo"])]
#[case::a_day_that_a_month_does_not_have(json!({}), json!({"window": {"sprintDays": 14}}), &[])]
#[case::lower_objective(slo(json!({})), slo(json!({"objective": 99})), &["spec.slos[a].objective: 99.5 % → 99 %"])]
#[case::higher_objective(slo(json!({})), slo(json!({"objective": 99.9})), &[])]
#[case::shorter_window(slo(json!({})), slo(json!({"window": "7d"})), &["spec.slos[a].window: 30d → 7d"])]
#[case::longer_window(slo(json!({})), slo(json!({"window": "60d"})), &["spec.slos[a].window: 30d → 60d"])]
#[case::slower(latency("300ms", "web"), latency("500ms", "web"), &["spec.slos[a].latency.threshold: 300ms → 500ms"])]
#[case::faster(latency("300ms", "web"), latency("250ms", "web"), &[])]
#[case::measured_elsewhere(slo(json!({})), slo(json!({"availability": {"service": "other"}})),
    &["spec.slos[a]: measured at Service web → measured at Service other"])]
#[case::latency_elsewhere(latency("300ms", "web"), latency("300ms", "other"),
    &["spec.slos[a]: requests of Service web within 300ms → requests of Service other within 300ms"])]
#[case::objective_gone(slo(json!({})), slo(json!({"name": "b", "availability": {"service": "other"}})), &["spec.slos[a]: 99.5 % in 30d → removed"])]
#[case::objective_added(slo(json!({})), json!({"slos": [{"name": "a", "objective": 99.5, "availability": {"service": "web"}},
    {"name": "b", "objective": 90, "availability": {"service": "web"}}]}), &[])]
#[case::audit(json!({}), json!({"requirements": {"mode": "Audit"}}), &["spec.requirements.mode: Enforce → Audit"])]
#[case::enforce(json!({"requirements": {"mode": "Audit"}}), json!({}), &[])]
#[case::explained_by_whoever_edits(json!({"tier": 3}), json!({"tier": 3, "requirements": {"explainedBy": "Annotation"}}),
    &["spec.requirements.explainedBy: Attestation → Annotation"])]
#[case::explained_as_before(json!({"tier": 1}), json!({"tier": 1, "requirements": {"explainedBy": "Annotation"}}), &[])]
#[case::no_longer_attested(json!({"tier": 1, "requirements": {"explainedBy": "Attestation"}}), json!({"tier": 1}),
    &["spec.requirements.explainedBy: Attestation → Annotation"])]
#[case::attested_from_now_on(json!({"tier": 1}), json!({"tier": 1, "requirements": {"explainedBy": "Attestation"}}), &[])]
#[case::owner_no_longer_asked(json!({"requirements": {"ownerApproval": "Asked"}}), json!({}), &["spec.requirements.ownerApproval: Asked → Manifest"])]
#[case::owner_asked(json!({}), json!({"requirements": {"ownerApproval": "Asked"}}), &[])]
#[case::waived(json!({}), waived("sast", None), &["spec.requirements.waived[sast]: asked for → waived"])]
#[case::waived_longer(waived("sast", Some("07-01")), waived("sast", Some("08-01")),
    &["spec.requirements.waived[sast]: waived until 1 Jul 00:00:00 UTC → waived until 1 Aug 00:00:00 UTC"])]
#[case::waived_shorter(waived("sast", None), waived("sast", Some("08-01")), &[])]
#[case::waived_in_the_past(json!({}), waived("sast", Some("06-01")), &[])]
#[case::no_longer_waived(waived("sast", None), json!({}), &[])]
#[case::more_reward(json!({}), json!({"reward": {"budgetPercent": 20}}), &["spec.reward: 10 % more points → 20 % more points"])]
#[case::the_least_reward(json!({"reward": {"budgetPercent": 20}}), json!({}), &[])]
#[case::another_reward(json!({}), json!({"reward": {"relaxedCategories": ["ui-change"]}}),
    &["spec.reward: 10 % more points → one gate less for ui-change"])]
#[case::more_categories(json!({"reward": {"relaxedCategories": ["a"]}}), json!({"reward": {"relaxedCategories": ["a", "b"]}}),
    &["spec.reward: one gate less for a → one gate less for a, b"])]
#[case::fewer_categories(json!({"reward": {"relaxedCategories": ["a", "b"]}}), json!({"reward": {"relaxedCategories": ["b"]}}), &[])]
#[case::freeze_lifted(freeze("Critical", None), json!({}), &["spec.freeze: Critical until it is removed → lifted"])]
#[case::freeze_ends_earlier(freeze("Critical", Some("07-01")), freeze("Critical", Some("06-20")),
    &["spec.freeze: Critical until 1 Jul 00:00:00 UTC → Critical until 20 Jun 00:00:00 UTC"])]
#[case::freeze_gets_an_end(freeze("Critical", None), freeze("Critical", Some("07-01")),
    &["spec.freeze: Critical until it is removed → Critical until 1 Jul 00:00:00 UTC"])]
#[case::freeze_milder(freeze("Emergency", None), freeze("Warning", None),
    &["spec.freeze: Emergency until it is removed → Warning until it is removed"])]
#[case::freeze_stricter(freeze("Warning", Some("07-01")), freeze("Critical", None), &[])]
#[case::freeze_that_is_over(freeze("Critical", Some("06-01")), json!({}), &[])]
#[case::restricted_time_opened(restricted(&[("Black Friday", "11-26", "11-30")]), json!({}),
    &["spec.restrictedWindows[Black Friday]: 26 Nov 00:00:00 UTC to 30 Nov 00:00:00 UTC → open from 26 Nov 00:00:00 UTC"])]
#[case::restricted_time_shortened(restricted(&[("Black Friday", "11-26", "11-30")]), restricted(&[("Black Friday", "11-26", "11-28")]),
    &["spec.restrictedWindows[Black Friday]: 26 Nov 00:00:00 UTC to 30 Nov 00:00:00 UTC → open from 28 Nov 00:00:00 UTC"])]
#[case::restricted_time_under_other_names(restricted(&[("a", "11-26", "11-30")]), restricted(&[("b", "11-25", "11-28"), ("c", "11-28", "12-01")]), &[])]
#[case::restricted_time_that_is_over(restricted(&[("a", "05-01", "05-02")]), json!({}), &[])]
#[case::restricted_time_that_goes_on(restricted(&[("a", "06-01", "06-20")]), restricted(&[("a", "06-15", "06-20")]), &[])]
#[case::objective_renamed(slo(json!({})), slo(json!({"name": "requests"})), &[])]
#[case::objective_renamed_and_stricter(latency("300ms", "web"), and_name(latency("200ms", "web"), "quick"), &[])]
#[case::objective_renamed_and_slower(latency("300ms", "web"), and_name(latency("400ms", "web"), "quick"),
    &["spec.slos[a]: 99.5 % in 30d → removed"])]
#[case::weekly_gone(weekly(&["Friday"], "16:00", "24:00"), json!({}),
    &["spec.restrictedWindows[w]: Friday 16:00 to 24:00 in UTC → open from Friday 16:00"])]
#[case::weekly_shorter(weekly(&["Friday"], "16:00", "24:00"), weekly(&["Friday"], "16:00", "22:00"),
    &["spec.restrictedWindows[w]: Friday 16:00 to 24:00 in UTC → open from Friday 22:00"])]
#[case::weekly_a_day_less(weekly(&["Friday", "Saturday"], "00:00", "24:00"), weekly(&["Friday"], "00:00", "24:00"),
    &["spec.restrictedWindows[w]: Friday, Saturday 00:00 to 24:00 in UTC → open from Saturday 00:00"])]
#[case::weekly_longer(weekly(&["Friday"], "16:00", "22:00"), weekly(&["Friday", "Sunday"], "15:00", "24:00"), &[])]
#[case::weekly_by_two_others(weekly(&["Sunday"], "22:00", "06:00"),
    and(weekly(&["Sunday"], "20:00", "24:00"), &weekly(&["Monday"], "00:00", "07:00")), &[])]
#[case::weekly_without_its_morning(weekly(&["Sunday"], "22:00", "06:00"), weekly(&["Sunday"], "22:00", "24:00"),
    &["spec.restrictedWindows[w]: Sunday 22:00 to 06:00 in UTC → open from Monday 00:00"])]
#[case::weekly_elsewhere(weekly(&["Friday"], "16:00", "24:00"), in_zone(weekly(&["Friday"], "16:00", "24:00"), "Asia/Tokyo"),
    &["spec.restrictedWindows[w]: Friday 16:00 to 24:00 in UTC → open from Friday 16:00"])]
#[case::weekly_with_its_zone_written_out(weekly(&["Friday"], "16:00", "24:00"), in_zone(weekly(&["Friday"], "16:00", "24:00"), "UTC"), &[])]
#[case::weekly_is_no_reason_to_open_a_time_that_comes_once(restricted(&[("a", "06-19", "06-20")]), weekly(&["Friday"], "00:00", "24:00"),
    &["spec.restrictedWindows[a]: 19 Jun 00:00:00 UTC to 20 Jun 00:00:00 UTC → open from 19 Jun 00:00:00 UTC"])]
#[case::weekly_beside_a_time_that_comes_once(restricted(&[("a", "06-19", "06-20")]),
    and(restricted(&[("a", "06-19", "06-20")]), &weekly(&["Friday"], "00:00", "24:00")), &[])]
#[case::yearly_gone(yearly("12-20", "01-02"), json!({}),
    &["spec.restrictedWindows[y]: 12-20 to 01-02 in UTC → open from 12-20"])]
#[case::yearly_shorter_in_january(yearly("12-20", "01-02"), yearly("12-18", "01-01"),
    &["spec.restrictedWindows[y]: 12-20 to 01-02 in UTC → open from 01-02"])]
#[case::yearly_shorter_by_the_29th(yearly("02-20", "02-29"), yearly("02-20", "02-28"),
    &["spec.restrictedWindows[y]: 02-20 to 02-29 in UTC → open from 02-29"])]
#[case::yearly_by_two_others(yearly("12-20", "01-02"), and(yearly("12-01", "12-31"), &yearly("01-01", "01-06")), &[])]
#[case::role_opened(roles(&[("sre", None, &["sam"])]), json!({}),
    &["spec.roles[sre]: sre by users sam → sre by everybody who holds the verb"])]
#[case::role_emptied(roles(&[("sre", None, &["sam"])]), roles(&[("sre", None, &[])]),
    &["spec.roles[sre]: sre by users sam → sre by everybody who holds the verb"])]
#[case::somebody_more(roles(&[("sre", None, &["sam"])]), roles(&[("sre", None, &["sam", "kim"])]),
    &["spec.roles[sre]: sre by users sam → sre by users sam, kim"])]
#[case::somebody_less(roles(&[("sre", None, &["sam", "kim"])]), roles(&[("sre", None, &["kim"])]), &[])]
#[case::role_closed(json!({}), roles(&[("sre", None, &["sam"])]), &[])]
#[case::another_name_for_it(json!({}), roles(&[("platform", Some("sre"), &["kim"])]),
    &["spec.roles[platform]: no role of the policy → sre by users kim"])]
#[case::a_name_that_counts_as_another(roles(&[("platform", Some("sre"), &["kim"])]), roles(&[("platform", Some("product-manager"), &["kim"])]),
    &["spec.roles[platform]: sre by users kim → product-manager by users kim"])]
#[case::a_name_that_nobody_asks_for(json!({}), roles(&[("gatekeeper", None, &["kim"])]), &[])]
#[case::another_name_gone(roles(&[("platform", Some("sre"), &["kim"])]), json!({}), &[])]
fn what_allows_more(#[case] former: Value, #[case] wanted: Value, #[case] expected: &[&str]) {
    let (former, wanted) = (spec(&former), spec(&wanted));
    let merged = merge(&former, &wanted, at(NOW));
    let told: Vec<String> = merged.loosened.iter().map(ToString::to_string).collect();
    assert_eq!(told, expected);
    if expected.is_empty() {
        assert_eq!(merged.spec, wanted, "what loosens nothing takes effect as it is");
    } else {
        assert_ne!(merged.spec, wanted);
    }
    holds(&former, &wanted);
}

/// What is promised of every merge.
fn holds(former: &RiskBudgetSpec, wanted: &RiskBudgetSpec) {
    let merged = merge(former, wanted, at(NOW));
    let again = merge(&merged.spec, wanted, at(NOW));
    assert_eq!(again.spec, merged.spec, "merging again changes nothing");
    let fields = |all: &[Loosened]| all.iter().map(|one| one.field.clone()).collect::<Vec<_>>();
    assert_eq!(fields(&again.loosened), fields(&merged.loosened), "the same waits for approval");
    let from_former = merge(former, &merged.spec, at(NOW));
    assert_eq!(from_former.loosened, [], "what is in force never allows more than the former");
    assert_eq!(merged.loosened.is_empty(), merged.spec == *wanted);
}

#[test]
fn tightening_takes_effect_at_once_beside_a_loosening_that_waits() {
    let former = spec(&json!({"tier": 2, "riskPoints": 100, "roles": [{"name": "sre", "users": ["sam", "kim"]}]}));
    let wanted = spec(&json!({"tier": 3, "riskPoints": 300, "roles": [{"name": "sre", "users": ["sam"]}]}));
    let merged = merge(&former, &wanted, at(NOW));
    assert_eq!((merged.spec.tier, merged.spec.risk_points), (3, Some(100)));
    assert_eq!(merged.spec.roles[0].users, ["sam"]);
    assert_eq!(merged.loosened.len(), 1);
    holds(&former, &wanted);
}

#[test]
fn however_often_an_objective_is_renamed_it_is_one() {
    let mut in_force = spec(&slo(json!({})));
    for name in ["b", "c", "d"] {
        in_force = merge(&in_force, &spec(&slo(json!({"name": name}))), at(NOW)).spec;
    }
    assert_eq!(in_force.slos.iter().map(|slo| slo.name.as_str()).collect::<Vec<_>>(), ["d"]);
}

#[test]
fn of_a_freeze_made_stricter_and_shorter_the_stricter_of_both_holds() {
    let (former, wanted) = (spec(&freeze("Critical", Some("08-01"))), spec(&freeze("Emergency", Some("07-01"))));
    let merged = merge(&former, &wanted, at(NOW)).spec.freeze.unwrap();
    assert_eq!((merged.status.to_string(), merged.until), ("Emergency".into(), Some(at("2026-08-01T00:00:00Z"))));
    holds(&former, &wanted);
}

#[test]
fn a_second_entry_of_a_role_does_not_take_the_place_of_one_that_is_held_back() {
    let former = spec(&json!({}));
    let wanted = spec(&roles(&[("platform", Some("sre"), &["kim"]), ("platform", Some("sre"), &["eve"])]));
    assert_eq!(merge(&former, &wanted, at(NOW)).spec.roles, []);
}

/// Fields of a budget, a few values each, so that every pair of neighbours is met.
fn any_spec() -> impl Strategy<Value = RiskBudgetSpec> {
    let until = || proptest::option::of(proptest::sample::select(vec!["06-01", "07-01", "08-01"]));
    let day = || 10_u32..28;
    let people = || proptest::sample::subsequence(vec!["ann", "bob", "kim"], 0..=3);
    let role = (proptest::sample::select(vec!["sre", "product-manager", "platform", "own"]), 0..3_usize, people());
    let window = (day(), 1_u32..4);
    (
        (0_u8..4, proptest::option::of(50_u32..350), proptest::bool::ANY, 0_usize..3),
        (proptest::option::of((0_usize..3, until())), proptest::collection::vec(window, 0..3)),
        proptest::collection::vec(role, 0..4),
        (proptest::option::of((proptest::sample::select(vec!["sast", "sca"]), until())), proptest::bool::ANY),
        (proptest::sample::select(vec![95_u32, 99]), proptest::sample::select(vec!["7d", "30d"]), 0_usize..3),
        proptest::option::of(10_u32..21),
    )
        .prop_map(|((tier, points, other, window), (frozen, calendar), entries, (waiver, audit), slo, reward)| {
            let mut fields = json!({"tier": tier, "metrics": if other { "other" } else { "default" }});
            fields["window"] = [
                json!({}),
                json!({"timeZone": "Asia/Tokyo"}),
                json!({"kind": "Sprint", "sprintStart": "2026-01-05", "sprintDays": 14}),
            ][window]
                .clone();
            let source = [
                json!({"availability": {"service": "web"}}),
                json!({"latency": {"service": "web", "threshold": "300ms"}}),
                json!({"latency": {"service": "web", "threshold": "200ms"}}),
            ][slo.2]
                .clone();
            let mut objective = json!({"name": if slo.2 == 0 { "a" } else { "b" }, "objective": slo.0, "window": slo.1});
            json_patch::merge(&mut objective, &source);
            fields["slos"] = json!([objective]);
            if let Some(points) = points {
                fields["riskPoints"] = json!(points);
            }
            if let Some((status, until)) = frozen {
                json_patch::merge(&mut fields, &freeze(["Warning", "Critical", "Emergency"][status], until));
            }
            let times: Vec<Value> = calendar
                .iter()
                .map(|(from, days)| json!({"name": "w", "from": format!("2026-06-{from}T00:00:00Z"), "to": format!("2026-06-{}T00:00:00Z", from + days.min(&2))}))
                .collect();
            fields["restrictedWindows"] = json!(times);
            // What comes every week or year goes by the length of the others, so that neighbours are met.
            for (from, days) in &calendar {
                let more = match from % 3 {
                    0 => weekly(&["Friday", "Sunday"][..1 + (*days as usize % 2)], "22:00", ["24:00", "06:00"][*days as usize % 2]),
                    1 => yearly("12-20", ["12-31", "01-02"][*days as usize % 2]),
                    _ => continue,
                };
                fields = and(fields, &more);
            }
            let stands = [None, Some("sre"), Some("product-manager")];
            let borrowed: Vec<(&str, Option<&str>, &[&str])> =
                entries.iter().map(|(name, of, users)| (*name, stands[*of], users.as_slice())).collect();
            json_patch::merge(&mut fields, &roles(&borrowed));
            if let Some((name, until)) = waiver {
                json_patch::merge(&mut fields, &waived(name, until));
            }
            if audit {
                fields["requirements"]["mode"] = json!("Audit");
            }
            if let Some(percent) = reward {
                fields["reward"] = json!({"budgetPercent": percent});
            }
            spec(&fields)
        })
}

#[test]
fn an_objective_measured_elsewhere_keeps_its_source_and_takes_its_higher_figure() {
    let elsewhere = slo(json!({"objective": 99.9, "availability": {"service": "other"}}));
    let merged = merge(&spec(&slo(json!({}))), &spec(&elsewhere), at(NOW)).spec;
    assert_eq!(merged.slos, spec(&slo(json!({"objective": 99.9}))).slos);
}

/// All are named as long as that takes no more lines than to count the rest.
#[rstest]
#[case::all(12, true, "")]
#[case::one_more(13, false, "and 2 fields more")]
fn as_many_fields_as_fit_are_named(#[case] windows: usize, #[case] last: bool, #[case] rest: &str) {
    let one = |n: usize| json!({"name": format!("w{n}"), "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"});
    let former = json!({"restrictedWindows": (1..=windows).map(one).collect::<Vec<_>>()});
    let message = Story::new(&former, &json!({})).settled().told.2;
    assert!(message.contains("spec.restrictedWindows[w11]"), "{message}");
    assert_eq!(message.contains("spec.restrictedWindows[w12]"), last, "{message}");
    assert!(message.contains(rest) && message.contains("fields more") != last, "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_in_force_never_allows_more_and_settles_at_once(former in any_spec(), wanted in any_spec()) {
        holds(&former, &wanted);
    }

    #[test]
    fn what_is_remembered_reads_back(wanted in any_spec()) {
        let status = RiskBudgetStatus {
            in_force: Some(crate::api::loosening::InForce { generation: 1, spec: remember(&wanted).unwrap() }),
            ..RiskBudgetStatus::default()
        };
        let merged = in_force(&wanted, &status, at(NOW)).unwrap();
        prop_assert_eq!((merged.spec, merged.loosened), (wanted, vec![]));
    }
}

/// A budget that was in force as `former` and is now `wanted`, in generation 5.
struct Story {
    wanted: RiskBudgetSpec,
    status: RiskBudgetStatus,
    said: Vec<(AttestationSpec, Time)>,
}

impl Story {
    fn new(former: &Value, wanted: &Value) -> Self {
        let memory = crate::api::loosening::InForce { generation: 4, spec: remember(&spec(former)).unwrap() };
        let status = RiskBudgetStatus { in_force: Some(memory), ..RiskBudgetStatus::default() };
        Self { wanted: spec(wanted), status, said: Vec::new() }
    }

    fn about(&self) -> About<'_> {
        About { namespace: "shop", name: "web", uid: "u", generation: 5 }
    }

    /// `outcome` of somebody in a role, about the spec as it stands.
    fn say(&mut self, minute: u32, author: &str, role: &str, outcome: &str) {
        let revision = revision("u", 5, &self.wanted);
        self.say_of(&revision, minute, author, role, outcome);
    }

    fn say_of(&mut self, revision: &str, minute: u32, author: &str, role: &str, outcome: &str) {
        let spec = serde_json::from_value(json!({
            "releaseRef": {"kind": "RiskBudget", "name": "web"}, "revision": revision, "type": "approval", "role": role,
            "outcome": outcome, "author": author,
        }));
        self.said.push((spec.unwrap(), at(&format!("2026-06-15T11:{minute:02}:00Z"))));
    }

    fn settled(&self) -> Settled {
        let merged = in_force(&self.wanted, &self.status, at(NOW)).unwrap();
        let attested =
            |(spec, at): &(AttestationSpec, Time)| Attested { name: "a".into(), spec: spec.clone(), at: *at };
        let said: Vec<_> = self.said.iter().map(attested).collect();
        settle(self.about(), &self.wanted, merged, &self.status, &said, at(NOW)).unwrap()
    }
}

#[test]
fn a_new_budget_and_one_of_an_older_version_take_effect_as_they_are() {
    let mut story = Story::new(&json!({}), &json!({"tier": 0}));
    story.status.in_force = None;
    let settled = story.settled();
    assert_eq!((settled.spec.tier, settled.loosening, settled.told.0), (0, None, Truth::False));
    assert_eq!(settled.in_force.spec, remember(&story.wanted).unwrap());
}

#[test]
fn a_loosening_says_field_by_field_what_it_would_allow_and_what_to_type() {
    let settled = Story::new(&json!({"tier": 3}), &json!({"tier": 1, "riskPoints": 90})).settled();
    assert_eq!((settled.spec.tier, settled.spec.risk_points), (3, None), "the former holds");
    let (truth, reason, message) = settled.told;
    assert_eq!((truth, reason), (Truth::True, "ApprovalMissing"));
    insta::assert_snapshot!(message, @"RiskBudget web: generation 5 would allow more: spec.tier: 3 → 1; spec.riskPoints: 80 → 90. The former values of these fields hold, everything else is in force. It takes the agreement of product-manager and development-manager, each another person (000, section 4); missing: product-manager (kubectl tidegate approve --budget web -n shop --role product-manager), development-manager (kubectl tidegate approve --budget web -n shop --role development-manager). Or put the former values back.");
    let waits = settled.loosening.unwrap();
    assert_eq!(
        (waits.roles, waits.or_role),
        (vec!["product-manager".to_owned(), "development-manager".to_owned()], None)
    );
    assert_eq!(waits.fields.len(), 2);
}

#[test]
fn it_takes_effect_when_both_roles_agreed_and_stands_on_record() {
    let mut story = Story::new(&json!({"tier": 3}), &json!({"tier": 1}));
    story.say(1, "ann", "product-manager", "Passed");
    assert_eq!(story.settled().spec.tier, 3, "one of two");
    story.say(2, "bob", "development-manager", "Passed");
    let settled = story.settled();
    assert_eq!((settled.spec.tier, settled.loosening), (1, None));
    assert_eq!(settled.in_force.spec, remember(&story.wanted).unwrap(), "from now on the next spec is held against it");
    let entry = settled.entry.unwrap();
    assert_eq!((entry.generation, entry.at, entry.changes), (5, at(NOW), vec!["spec.tier: 3 → 1".to_owned()]));
    assert_eq!(
        entry.by,
        ["product-manager: ann (15 Jun 11:01:00 UTC)", "development-manager: bob (15 Jun 11:02:00 UTC)"]
    );
}

#[test]
fn one_person_does_not_speak_for_both_roles() {
    let mut story = Story::new(&json!({"tier": 3}), &json!({"tier": 1}));
    story.say(1, "ann", "product-manager", "Passed");
    story.say(2, "ann", "development-manager", "Passed");
    let settled = story.settled();
    assert_eq!(settled.spec.tier, 3);
    let told = "Not counted: ann as development-manager, because ann speaks as product-manager already.";
    assert!(settled.told.2.contains(told), "{}", settled.told.2);
    // In the other role she speaks when she takes the first back, and somebody else in that.
    story.say(3, "ann", "product-manager", "Withdrawn");
    story.say(4, "bob", "product-manager", "Passed");
    assert_eq!(story.settled().spec.tier, 1);
}

#[test]
fn a_rejection_holds_until_it_is_taken_back() {
    let mut story = Story::new(&json!({"tier": 3}), &json!({"tier": 1}));
    for (author, role) in [("ann", "product-manager"), ("bob", "development-manager")] {
        story.say(1, author, role, "Passed");
    }
    story.say(2, "kim", "development-manager", "Failed");
    let (_, reason, message) = story.settled().told;
    assert_eq!(reason, "Rejected");
    assert!(message.contains("development-manager: kim (15 Jun 11:02:00 UTC) rejects it"), "{message}");
    assert!(message.contains("kubectl tidegate withdraw --budget web -n shop --role development-manager"), "{message}");
    story.say(3, "kim", "development-manager", "Withdrawn");
    assert_eq!(story.settled().spec.tier, 1);
}

#[test]
fn an_approval_is_never_carried_over() {
    let mut story = Story::new(&json!({"tier": 3}), &json!({"tier": 1}));
    let others = [
        revision("u", 4, &story.wanted),
        revision("other", 5, &story.wanted),
        revision("u", 5, &spec(&json!({"tier": 1, "metrics": "other"}))),
    ];
    for other in &others {
        assert_ne!(*other, revision("u", 5, &story.wanted));
        story.say_of(other, 1, "ann", "product-manager", "Passed");
        story.say_of(other, 1, "bob", "development-manager", "Passed");
    }
    assert_eq!(story.settled().spec.tier, 3);
}

#[test]
fn nobody_makes_themselves_a_manager_and_approves_that() {
    let former = roles(&[("product-manager", None, &["ann"]), ("development-manager", None, &["bob"])]);
    let wanted =
        roles(&[("product-manager", None, &["ann", "eve"]), ("development-manager", None, &["bob", "mallory"])]);
    let mut story = Story::new(&former, &wanted);
    story.say(1, "eve", "product-manager", "Passed");
    story.say(1, "mallory", "development-manager", "Passed");
    let settled = story.settled();
    assert_eq!(settled.spec.roles, spec(&former).roles);
    assert!(settled.told.2.contains("Not counted: eve is not in role product-manager"), "{}", settled.told.2);
    story.say(2, "ann", "product-manager", "Passed");
    story.say(2, "bob", "development-manager", "Passed");
    assert_eq!(story.settled().spec.roles, story.wanted.roles);
}

#[rstest]
#[case::sre_lifts_it(json!({}), &[("sam", "sre")], true)]
#[case::both_roles_lift_it(json!({}), &[("ann", "product-manager"), ("bob", "development-manager")], true)]
#[case::one_role_does_not(json!({}), &[("ann", "product-manager")], false)]
#[case::sre_does_not_loosen_more_along_with_it(json!({"tier": 1}), &[("sam", "sre")], false)]
fn a_freeze_is_lifted_by_who_declares_it_or_by_both_roles(
    #[case] wanted: Value,
    #[case] said: &[(&str, &str)],
    #[case] lifted: bool,
) {
    let mut story = Story::new(&freeze("Critical", None), &wanted);
    for (author, role) in said {
        story.say(1, author, role, "Passed");
    }
    let settled = story.settled();
    assert_eq!(settled.spec.freeze.is_none(), lifted, "{}", settled.told.2);
    if !lifted {
        let alone = settled.loosening.unwrap().or_role;
        assert_eq!(alone.as_deref(), (wanted == json!({})).then_some("sre"));
    }
}

#[test]
fn what_waits_keeps_the_moment_at_which_it_was_first_seen() {
    let mut story = Story::new(&json!({"tier": 3}), &json!({"tier": 1}));
    let mut waits = story.settled().loosening.unwrap();
    waits.since = at("2026-06-01T00:00:00Z");
    story.status.loosening = Some(waits.clone());
    assert_eq!(story.settled().loosening, Some(waits));
}

#[test]
fn a_spec_that_is_too_long_to_be_remembered_is_refused_with_the_remedy() {
    let users: Vec<String> = (0..64).map(|user| format!("{user}{}", "x".repeat(5_000))).collect();
    let why = remember(&spec(&json!({"roles": [{"name": "sre", "users": users}]}))).unwrap_err();
    assert!(why.starts_with("spec: ") && why.ends_with("name groups instead"), "{why}");
}

#[test]
fn a_memory_that_cannot_be_read_is_told_with_the_command() {
    let memory = crate::api::loosening::InForce { generation: 1, spec: "{}".into() };
    let status = RiskBudgetStatus { in_force: Some(memory), ..RiskBudgetStatus::default() };
    let why = in_force(&spec(&json!({})), &status, at(NOW)).unwrap_err();
    assert!(
        why.contains("status.inForce.spec") && why.contains("kubectl patch riskbudget NAME --subresource=status"),
        "{why}"
    );
}

#[test]
fn a_status_stays_bounded_however_much_is_loosened() {
    let windows: Vec<Value> = (0..64)
        .map(|n| json!({"name": format!("w{n}{}", "x".repeat(120)), "from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}))
        .collect();
    let mut story = Story::new(&json!({"restrictedWindows": windows}), &json!({}));
    let settled = story.settled();
    let waits = settled.loosening.unwrap();
    assert_eq!(waits.fields.len(), 32);
    assert!(waits.fields.iter().all(|one| one.field.chars().count() <= 160 && one.from.chars().count() <= 256));
    assert!(settled.told.2.chars().count() < 4_000, "{}", settled.told.2.chars().count());
    story.say(1, "ann", "product-manager", "Passed");
    story.say(1, "bob", "development-manager", "Passed");
    let entry = story.settled().entry.unwrap();
    assert_eq!((entry.changes.len(), entry.changes[15].as_str()), (16, "and 49 fields more"));
}
