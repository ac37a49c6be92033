//! Which records of a GatedRelease may go: the oldest, and nothing that anybody still needs.
//!
//! Here belongs the decision alone, as the number of the attempt with which the chain begins from now on: records go from its
//! beginning, so that what is left is one unbroken chain. What must never enter: deleting one.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::release_record::Outcome;
use crate::api::{Span, Time};

/// So many of a GatedRelease's newest records always stay.
pub const RECORDS_MIN: usize = 20;
/// Records beyond the newest so many go as soon as their window is closed and counted, also before two more windows have
/// passed: what these came to stands in `RiskBudget.status.windows`.
pub const RECORDS_MAX: usize = 200;
/// The longest window that a budget can have: a sprint of 90 days.
const WINDOW_MAX: Span = Span::days(90);
/// Records of a budget that is gone are old after the time of three such windows, the present one and two before.
const GONE_FOR: Span = Span::days(270);
/// So many go in one pass at most.
pub const PASS_MAX: u32 = 20;

/// A record, as far as it matters whether it may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// Its name.
    pub name: String,
    /// The number of its attempt, from 1.
    pub attempt: u32,
    /// How it ended; none while it goes on.
    pub outcome: Option<Outcome>,
    /// The last moment that it tells of: when it was charged or when it ended; none while it goes on.
    pub last: Option<Time>,
    /// The number of its charge; none where users never met it.
    pub charge: Option<u64>,
    /// The RiskBudget that it is charged to.
    pub budget: String,
}

/// What a RiskBudget has counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The first moment of the present window.
    pub present: Time,
    /// The first moment of the second window before it; none where fewer windows are known.
    pub second_before: Option<Time>,
    /// The last number of the windows before the present one.
    pub folded: u64,
}

/// What is known.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// All records of the GatedRelease, in any order.
    pub records: &'a [Shelved],
    /// Budgets that are counted, by name; a record of one that is there and not counted stays.
    pub budgets: &'a BTreeMap<String, Counted>,
    /// Budgets that are gone: nobody counts what was charged to them any more.
    pub gone: &'a BTreeSet<String>,
    /// Now.
    pub now: Time,
    /// Names that some status still says: the last record, promises, charges on their way, obligations.
    pub named: &'a BTreeSet<String>,
    /// The last attempt that was exported, where only what was exported may go; 0 where nothing was.
    pub exported: Option<u32>,
}

/// The number of the attempt with which the chain begins once this pass is through: everything before it may go. It is the
/// oldest's own where nothing may; none where there are no records.
pub fn begins(facts: Facts<'_>) -> Option<u32> {
    let mut records: Vec<&Shelved> = facts.records.iter().collect();
    records.sort_by_key(|record| record.attempt);
    let oldest = records.first()?.attempt;
    let stays = Stays::of(&records, facts);
    let first = records.iter().enumerate().find(|(place, record)| !stays.lets_go(*place, record, facts));
    let first = first.map_or(oldest, |(_, record)| record.attempt);
    Some(first.min(oldest.saturating_add(PASS_MAX)))
}

/// What stays whatever its age.
struct Stays<'a> {
    /// How many records there are.
    count: usize,
    /// The last good one, which tells what stable is.
    good: Option<u32>,
    /// Of each budget the last charge before the present window: numbers are counted on from it when the budget's status is
    /// lost.
    anchors: BTreeMap<&'a str, u64>,
}

impl<'a> Stays<'a> {
    fn of(records: &[&'a Shelved], facts: Facts<'_>) -> Self {
        let good = records
            .iter()
            .rev()
            .find(|record| record.outcome.is_some_and(Outcome::took_over))
            .map(|record| record.attempt);
        let mut anchors = BTreeMap::new();
        for record in records {
            let before = facts.budgets.get(&record.budget).is_some_and(|counted| record.last < Some(counted.present));
            if let Some(number) = record.charge.filter(|_| before) {
                let highest: &mut u64 = anchors.entry(record.budget.as_str()).or_default();
                *highest = number.max(*highest);
            }
        }
        Self { count: records.len(), good, anchors }
    }

    /// Whether a record may go; `place` counts from the oldest.
    fn lets_go(&self, place: usize, record: &Shelved, facts: Facts<'_>) -> bool {
        let newer = self.count - place - 1;
        let Some(over) = record.outcome.and(record.last) else { return false };
        let (old, closed) = match facts.budgets.get(&record.budget) {
            Some(counted) => {
                let counted_in = record.charge.is_none_or(|number| number <= counted.folded);
                let anchor =
                    record.charge.is_some() && self.anchors.get(record.budget.as_str()).copied() == record.charge;
                let old = counted.second_before.is_some_and(|from| over < from);
                (old, over < counted.present && counted_in && !anchor)
            }
            // Its windows are not known any more, and no number is counted on from its charges.
            None if facts.gone.contains(&record.budget) => {
                let ago = facts.now.since(over);
                (ago > GONE_FOR, ago > WINDOW_MAX)
            }
            None => return false,
        };
        newer >= RECORDS_MIN
            && (old || newer >= RECORDS_MAX)
            && closed
            && self.good != Some(record.attempt)
            && !facts.named.contains(&record.name)
            && facts.exported.is_none_or(|exported| record.attempt <= exported)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn day(day: i64) -> Time {
        Time(jiff::Timestamp::from_second(day * 86_400).unwrap())
    }

    /// One record a day, charged with its own number; the windows have 30 days and `today` lies in the third or later.
    fn shelf(today: i64, a_day: i64) -> Vec<Shelved> {
        let one = |number: i64| Shelved {
            name: format!("web-{number:04}"),
            attempt: u32::try_from(number).unwrap(),
            outcome: Some(Outcome::Succeeded),
            last: Some(day((number - 1) / a_day)),
            charge: Some(number.unsigned_abs()),
            budget: "web".into(),
        };
        (1..=today * a_day).map(one).collect()
    }

    fn counted(today: i64, records: &[Shelved]) -> BTreeMap<String, Counted> {
        let present = today / 30 * 30;
        let before = records.iter().filter(|record| record.last < Some(day(present)));
        let counted = Counted {
            present: day(present),
            second_before: (present >= 60).then(|| day(present - 60)),
            folded: before.filter_map(|record| record.charge).max().unwrap_or(0),
        };
        [("web".to_owned(), counted)].into()
    }

    /// With which attempt the chain begins after as many passes as it takes.
    fn settled(
        records: Vec<Shelved>,
        budgets: &BTreeMap<String, Counted>,
        named: &[&str],
        exported: Option<u32>,
    ) -> u32 {
        settled_at(records, budgets, named, exported, day(0))
    }

    fn settled_at(
        mut records: Vec<Shelved>,
        budgets: &BTreeMap<String, Counted>,
        named: &[&str],
        exported: Option<u32>,
        now: Time,
    ) -> u32 {
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        let gone = ["gone".to_owned()].into();
        loop {
            let before = records[0].attempt;
            let facts = Facts { records: &records, budgets, gone: &gone, now, named: &named, exported };
            let begins = begins(facts).unwrap();
            assert!(begins >= before && begins - before <= PASS_MAX, "{before} to {begins}");
            if begins == before {
                return begins;
            }
            records.retain(|record| record.attempt >= begins);
        }
    }

    #[rstest]
    #[case::the_third_window(75, 1, 1)]
    #[case::the_second_window_before_stays(100, 1, 31)]
    #[case::later(190, 1, 121)]
    #[case::more_than_200_in_three_windows(100, 5, 301)]
    #[case::never_of_the_present_window(119, 10, 900)]
    fn the_present_and_two_windows_before_stay_up_to_200_records(
        #[case] today: i64,
        #[case] a_day: i64,
        #[case] begins: u32,
    ) {
        let records = shelf(today, a_day);
        let budgets = counted(today, &records);
        assert_eq!(settled(records, &budgets, &[], None), begins);
    }

    #[test]
    fn twenty_stay_however_old_they_are() {
        let records = shelf(30, 1);
        let budgets = counted(900, &records);
        assert_eq!(settled(records, &budgets, &[], None), 11);
    }

    type Shelf = Vec<Shelved>;
    type Budgets = BTreeMap<String, Counted>;
    type Change = fn(&mut Shelf, &mut Budgets);

    /// Without the case, the chain of 190 days begins with attempt 121.
    #[rstest]
    #[case::goes_on(|all: &mut Shelf, _: &mut Budgets| (all[49].outcome, all[49].last) = (None, None), 50)]
    #[case::of_a_budget_that_is_not_known(|all: &mut Shelf, _: &mut Budgets| all[49].budget = "other".into(), 50)]
    #[case::not_folded_yet(|_: &mut Shelf, budgets: &mut Budgets| budgets.get_mut("web").unwrap().folded = 49, 50)]
    #[case::no_window_before(|_: &mut Shelf, budgets: &mut Budgets| budgets.get_mut("web").unwrap().second_before = None, 1)]
    #[case::the_last_good_one(|all: &mut Shelf, _: &mut Budgets| for record in &mut all[50..] { record.outcome = Some(Outcome::RolledBack) }, 50)]
    #[case::the_last_charge_before_the_window(|all: &mut Shelf, _: &mut Budgets| for record in &mut all[50..] { record.charge = None }, 50)]
    #[case::ended_late(|all: &mut Shelf, _: &mut Budgets| all[49].last = Some(day(189)), 50)]
    fn what_is_still_needed_stays_and_all_after_it(#[case] change: Change, #[case] begins: u32) {
        let mut records = shelf(190, 1);
        let mut budgets = counted(190, &records);
        change(&mut records, &mut budgets);
        assert_eq!(settled(records, &budgets, &[], None), begins);
    }

    /// Of 250 days with a record a day, all of one budget that is gone; `now` is so many days after the first.
    #[rstest]
    #[case::while_one_of_its_windows_may_go_on(80, 1)]
    #[case::beyond_the_newest_200_after_the_longest_window(250, 51)]
    #[case::of_three_such_windows(290, 51)]
    #[case::older(400, 131)]
    #[case::twenty_stay(4_000, 231)]
    fn what_was_charged_to_a_budget_that_is_gone_goes_by_time(#[case] now: i64, #[case] begins: u32) {
        let mut records = shelf(250, 1);
        for record in &mut records {
            record.budget = "gone".into();
        }
        assert_eq!(settled_at(records, &BTreeMap::new(), &[], None, day(now)), begins);
    }

    #[test]
    fn records_of_a_budget_that_is_gone_do_not_hold_up_those_behind_them() {
        let mut records = shelf(400, 1);
        for record in &mut records[..50] {
            record.budget = "gone".into();
        }
        let budgets = counted(400, &records);
        assert_eq!(settled_at(records, &budgets, &[], None, day(400)), 331);
    }

    #[rstest]
    #[case::named_by_a_status(&["web-0040"], None, 40)]
    #[case::exported_so_far(&[], Some(60), 61)]
    #[case::nothing_exported(&[], Some(0), 1)]
    #[case::all_exported(&[], Some(190), 121)]
    fn what_a_status_names_and_what_was_not_exported_stays(
        #[case] named: &[&str],
        #[case] exported: Option<u32>,
        #[case] begins: u32,
    ) {
        let records = shelf(190, 1);
        let budgets = counted(190, &records);
        assert_eq!(settled(records, &budgets, named, exported), begins);
    }

    #[test]
    fn without_records_there_is_nothing_to_decide() {
        let (budgets, none) = (BTreeMap::new(), BTreeSet::new());
        let facts = Facts { records: &[], budgets: &budgets, gone: &none, now: day(0), named: &none, exported: None };
        assert_eq!(begins(facts), None);
    }

    fn any_shelf() -> impl Strategy<Value = Vec<Shelved>> {
        let one = (
            proptest::option::weighted(0.97, proptest::sample::select(Outcome::ALL)),
            0_i64..4,
            proptest::bool::weighted(0.7),
            proptest::bool::weighted(0.95),
        );
        proptest::collection::vec(one, 1..320).prop_map(|all| {
            let (mut now, mut number) = (0, 0);
            let mut records = Vec::new();
            for (attempt, (outcome, days, charged, here)) in (1_u32..).zip(all) {
                now += days;
                let charge = charged.then(|| {
                    number += 1;
                    number
                });
                let budget = if here { "web" } else { "other" }.to_owned();
                let last = outcome.map(|_| day(now));
                records.push(Shelved { name: format!("web-{attempt:04}"), attempt, outcome, last, charge, budget });
            }
            records
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_goes_that_must_stay(records in any_shelf(), today in 0_i64..700, exported in proptest::option::of(0_u32..320)) {
            let mut budgets = counted(today, &records);
            if today % 2 == 0 {
                let other = budgets["web"].clone();
                budgets.insert("other".into(), other);
            }
            let named: BTreeSet<String> = ["web-0100".to_owned()].into();
            let begins = settled(records.clone(), &budgets, &["web-0100"], exported);
            let (gone, left): (Vec<&Shelved>, Vec<&Shelved>) = records.iter().partition(|record| record.attempt < begins);
            prop_assert!(gone.is_empty() || left.len() >= RECORDS_MIN);
            // Naive, from the other side: each that went, on its own.
            for record in &gone {
                let counted = &budgets[&record.budget];
                prop_assert!(record.outcome.is_some() && record.last.unwrap() < counted.present);
                prop_assert!(record.charge.is_none_or(|number| number <= counted.folded));
                prop_assert!(!named.contains(&record.name));
                prop_assert!(exported.is_none_or(|exported| record.attempt <= exported));
                let newer = records.len() - record.attempt as usize;
                prop_assert!(counted.second_before.is_some_and(|from| record.last.unwrap() < from) || newer >= RECORDS_MAX);
            }
            let good = records.iter().rev().find(|record| record.outcome.is_some_and(Outcome::took_over));
            prop_assert!(good.is_none_or(|good| good.attempt >= begins));
        }

        /// Also where the budget's status was lost, so that only the records that are left tell of its numbers.
        #[test]
        fn the_ledger_misses_nothing_that_went(a_day in 1_i64..6, today in 60_i64..300, lost in proptest::bool::ANY) {
            use crate::api::RiskBudgetStatus;
            use crate::api::release_record::ChargeRecord;
            use crate::policy::ledger::{Entry, Rules, count};
            use crate::policy::window::Period;

            let mut records = shelf(today, a_day);
            let budgets = counted(today, &records);
            let begins = settled(records.clone(), &budgets, &[], None);
            let last = records.len() as u64;
            records.retain(|record| record.attempt >= begins);
            let entry = |record: &Shelved| {
                let charge: ChargeRecord = serde_json::from_value(serde_json::json!({
                    "sequence": record.charge, "points": 1, "at": record.last.unwrap(),
                }))
                .unwrap();
                Entry { record: record.name.clone(), charge: Some(charge), outcome: record.outcome, waits: false, ended_at: record.last, recovered: None, rollback: None, shown_short: false, diff_lines: None }
            };
            let entries: Vec<Entry> = records.iter().map(entry).collect();
            let mut status = RiskBudgetStatus::default();
            if !lost {
                (status.ledger.sequence, status.ledger.before) = (last, budgets["web"].folded);
            }
            let present = today / 30 * 30;
            let period = Period { key: format!("{present}"), from: day(present), until: day(present + 30) };
            let rules = Rules { tier: crate::policy::Tier::T1, points: None, reward: None };
            let counted = count(&rules, &status, &entries, &period, day(today));
            prop_assert_eq!(counted.missing, vec![]);
        }
    }
}
