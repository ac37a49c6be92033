use super::*;
use crate::api::risk_budget::{ChainStatus, LedgerStatus, PendingCharge, ReservationStatus, Tightening};
use crate::policy::{Band, RiskPoints};
use rstest::rstest;

#[test]
fn a_window_counts_what_was_charged_in_it() {
    let entries = [charged(1, 10, 1.0), charged(2, 30, 2.0), exception(charged(3, 20, 3.0))];
    let counted = windows(&[(0, &entries)]);
    let risk = &counted.risk;
    assert_eq!((risk.allocated, risk.consumed, risk.remaining, risk.band), (120, 60, 60, Band::Yellow));
    assert_eq!((risk.releases, risk.exceptions, risk.sequence), (3, 1, 3));
    assert_eq!(risk.remaining_percent, 50.0);
    assert_eq!((counted.missing.len(), counted.windows.len()), (0, 0));
}

#[test]
fn a_second_look_at_the_same_records_says_the_same() {
    let entries = [charged(1, 10, 1.0), came_back(charged(2, 30, 2.0), Trigger::Latency, 2.1, 4)];
    let once = windows(&[(0, &entries)]);
    assert_eq!(windows(&[(0, &entries), (0, &entries)]), once);
}

/// `000_…` §5.6, "Budgets replenish on the window boundary".
#[test]
fn a_window_that_turns_is_folded_and_the_next_begins_whole() {
    let of_the_first = came_back(charged(1, 100, 1.0), Trigger::ErrorRate, 1.1, 12);
    let of_the_second = charged(2, 7, 31.0);
    let first = [of_the_first.clone()];
    let both = [of_the_first, of_the_second];
    let counted = windows(&[(0, &first), (1, &both)]);
    assert_eq!((counted.risk.consumed, counted.risk.remaining, counted.risk.band), (7, 113, Band::Green));
    assert_eq!((counted.ledger.before, counted.ledger.sequence), (1, 2));
    let closed = &counted.windows[0];
    assert_eq!((closed.window.as_str(), closed.allocated, closed.consumed, closed.sequence), ("w0", 120, 100, 1));
    assert_eq!((closed.releases, closed.failed, closed.exceptions, closed.mttr), (1, 1, 0, Span::minutes(12)));
    assert_eq!(counted.missing, vec![]);
}

/// While the spec's window cannot be cut, or what is in force is not known, nothing is counted.
#[rstest]
#[case::and_closes_meanwhile(1, 1, 0)]
#[case::and_goes_on(0, 0, 40)]
fn a_window_that_is_suspended_is_folded_once_it_can_be(
    #[case] number: u32,
    #[case] folded: usize,
    #[case] consumed: u32,
) {
    let entries = [charged(1, 40, 1.0)];
    let mut suspended = status(&windows(&[(0, &entries)]));
    suspended.suspend();
    suspended.suspend();
    assert_eq!(suspended.risk, None);
    let counted = count(&rules(), &suspended, &entries, &period(number), day(f64::from(number) * 30.0 + 29.5));
    assert_eq!((counted.windows.len(), counted.risk.consumed, counted.missing), (folded, consumed, vec![]));
    assert!(counted.windows.iter().all(|window| (window.window.as_str(), window.consumed) == ("w0", 40)));
}

#[test]
fn a_release_that_ends_in_the_next_window_is_charged_in_the_first_and_fails_in_the_next() {
    let met = charged(1, 10, 29.5);
    let back = came_back(met.clone(), Trigger::Crashed, 30.5, 3);
    let counted = windows(&[(0, &[met]), (1, std::slice::from_ref(&back)), (2, std::slice::from_ref(&back))]);
    let [second, first] = &counted.windows[..] else { panic!("{:?}", counted.windows) };
    assert_eq!((first.consumed, first.releases, first.failed), (10, 0, 0));
    assert_eq!((second.consumed, second.releases, second.failed), (0, 1, 1));
}

#[test]
fn what_a_deleted_record_cost_is_not_given_back_when_the_window_closes() {
    let entries = [charged(1, 40, 1.0), charged(2, 5, 2.0)];
    let counted = windows(&[(0, &entries), (0, &entries[..1]), (1, &[])]);
    assert_eq!((counted.windows[0].consumed, counted.windows[0].sequence), (45, 2));
    assert_eq!((counted.risk.consumed, counted.missing), (0, vec![]));
}

/// Looks of one window at these records, each of 10 points times its number, and at their deletion; what is spent after each.
#[rstest]
#[case::the_newest("1 2 3, 1 2", &[60, 60], (1, 30))]
#[case::in_the_middle("1 2 3, 1 3", &[60, 60], (1, 20))]
#[case::one_after_another("1 2 3, 1 3, 1", &[60, 60, 60], (2, 50))]
#[case::all("1 2 3,", &[60, 60], (3, 60))]
#[case::and_what_is_charged_since_counts_too("1 2, 1, 1 3", &[30, 30, 60], (1, 20))]
#[case::in_the_same_look("1 2, 1 3", &[30, 60], (1, 20))]
#[case::one_is_put_back("1 2 3, 1, 1 3", &[60, 60, 60], (1, 20))]
#[case::all_are_put_back("1 2 3, 1, 1 2 3", &[60, 60, 60], (0, 0))]
#[case::of_which_no_status_knew("1 3", &[40], (1, 0))]
fn what_a_deleted_record_cost_stays_spent(
    #[case] looks: &str,
    #[case] spent: &[u32],
    #[case] (charges, points): (u32, u32),
) {
    let mut before = RiskBudgetStatus::default();
    for (there, spent) in looks.split(',').zip(spent) {
        let numbers = there.split_whitespace().map(|number| number.parse::<u32>().unwrap());
        let entries: Vec<Entry> = numbers.map(|number| charged(u64::from(number), 10 * number, 1.0)).collect();
        for _ in 0..2 {
            let counted = count(&rules(), &before, &entries, &period(0), day(2.0));
            assert_eq!(counted.risk.consumed, *spent, "{there:?}");
            assert_eq!(counted.risk.remaining, 120 - i64::from(*spent), "{there:?}");
            before = status(&counted);
        }
    }
    let lost = before.risk.as_ref().unwrap().lost.unwrap_or_default();
    assert_eq!((lost.charges, lost.points), (charges, points));
    let turned = count(&rules(), &before, &[], &period(1), day(31.0));
    let last = spent[spent.len() - 1];
    assert_eq!((turned.windows[0].consumed, turned.risk.consumed, turned.risk.lost), (last, 0, None));
}

/// Half as much again is due of what was let go past its gate: that covers for no record that is gone, and repeated exceptions
/// stay repeated.
#[test]
fn a_charge_that_grows_and_an_exception_that_is_gone() {
    let first = [charged(1, 10, 1.0), exception(charged(2, 30, 2.0)), exception(charged(3, 9, 2.5))];
    let grown = exception(charged(1, 15, 1.0));
    let counted = windows(&[(0, &first), (0, &first[..1]), (0, std::slice::from_ref(&grown))]);
    assert_eq!((counted.risk.consumed, counted.risk.exceptions), (54, 3));
    assert_eq!(counted.risk.tightened_by, [Tightening::RepeatedExceptions]);
    let next = windows(&[(0, &first), (0, &first[..1]), (1, &first[..1])]);
    assert_eq!((next.windows[0].exceptions, next.windows[0].consumed), (2, 49));
}

/// A promise that ends gives its points back, whatever record is gone.
#[test]
fn a_promise_ends_while_a_record_is_missing() {
    let entries = [charged(1, 40, 1.0), charged(2, 5, 2.0)];
    let mut before = status(&windows(&[(0, &entries)]));
    before.ledger.reservations = vec![ReservationStatus { record: "web-0003".into(), points: 10 }];
    let waits = Entry { record: "web-0003".into(), charge: None, ..charged(3, 0, 1.0) };
    let with = count(&rules(), &before, &[entries[1].clone(), waits], &period(0), day(3.0));
    assert_eq!((with.risk.consumed, with.risk.reserved, with.risk.remaining), (45, 10, 65));
    let without = count(&rules(), &status(&with), &entries[1..], &period(0), day(3.0));
    assert_eq!((without.risk.consumed, without.risk.reserved, without.risk.remaining), (45, 0, 75));
}

/// A number whose record was sealed without it cost nobody anything.
#[test]
fn a_number_that_is_given_up_is_missed_and_costs_nothing() {
    let charge = ChargeRecord { sequence: 2, points: 8, ..charged(2, 8, 1.0).charge.unwrap() };
    let goes_on = Entry { record: "web-0002".into(), charge: None, ..charged(2, 0, 1.0) };
    let mut begun = before(LedgerStatus {
        sequence: 2,
        pending: vec![PendingCharge { record: "web-0002".into(), charge }],
        ..LedgerStatus::default()
    });
    begun = status(&count(&rules(), &begun, &[charged(1, 5, 1.0), goes_on.clone()], &period(0), day(1.001)));
    assert_eq!(begun.risk.as_ref().unwrap().consumed, 13);
    let over = ended(goes_on, Outcome::Superseded, 1.0);
    for look in [2.0, 3.0] {
        let counted = count(&rules(), &begun, &[charged(1, 5, 1.0), over.clone()], &period(0), day(look));
        assert_eq!((counted.risk.consumed, &counted.missing), (5, &vec![2..=2]));
        begun = status(&counted);
    }
}

#[rstest]
#[case::whole(&[1, 2, 3], &[])]
#[case::one_deleted(&[1, 3], &[(2, 2)])]
#[case::first_of_two(&[2], &[(1, 1)])]
fn a_number_that_no_record_carries_is_missed(#[case] there: &[u64], #[case] gaps: &[(u64, u64)]) {
    let entries: Vec<Entry> = there.iter().map(|number| charged(*number, 1, 1.0)).collect();
    let missing: Vec<_> = windows(&[(0, &entries)]).missing.iter().map(|gap| (*gap.start(), *gap.end())).collect();
    assert_eq!(missing, gaps);
}

/// How far the chain of charges goes is remembered beside its records.
#[test]
fn the_end_of_the_chain_stays_known_when_its_records_are_gone() {
    let link = |attempts: u32| Some(ChainStatus { attempts, head: format!("sha256:{attempts}") });
    let one = |number: u32| Entry { link: link(number), ..charged(u64::from(number), 5, 1.0) };
    let entries = [one(1), one(2), charged(3, 5, 1.0)];
    let chain = |looks: &[(u32, &[Entry])]| windows(looks).ledger.chain;
    assert_eq!(chain(&[(0, &entries[2..])]), None);
    assert_eq!(chain(&[(0, &entries)]), link(2));
    assert_eq!(chain(&[(0, &entries), (0, &entries[..1])]), link(2));
    assert_eq!(chain(&[(0, &entries), (0, &[]), (1, &[])]), link(2));
    assert_eq!(chain(&[(0, &entries), (0, &[]), (0, &[one(3)])]), link(3));
    let forged = Some(ChainStatus { attempts: 2, head: "sha256:forged".to_owned() });
    assert_eq!(chain(&[(0, &entries), (0, &[Entry { link: forged, ..entries[1].clone() }])]), link(2));
}

/// What a record that is gone had cost stays spent beside one whose charge is still on its way.
#[test]
fn a_charge_on_its_way_covers_for_none_that_is_gone() {
    let pending = vec![PendingCharge { record: "web-0002".into(), charge: charge_of(2, 8, 1.0) }];
    let begun = before(LedgerStatus { sequence: 2, pending, ..LedgerStatus::default() });
    let waits = Entry { record: "web-0002".into(), charge: None, ..charged(2, 0, 1.0) };
    let both = count(&rules(), &begun, &[charged(1, 5, 1.0), waits.clone()], &period(0), day(1.001));
    assert_eq!(both.risk.consumed, 13);
    let one = count(&rules(), &status(&both), &[waits], &period(0), day(1.002));
    let lost = one.risk.lost.unwrap_or_default();
    assert_eq!((one.risk.consumed, lost.charges, lost.points), (13, 1, 5));
}

/// A sealed record says how far its chain goes; one that goes on does not.
#[test]
fn a_sealed_record_is_a_link_of_its_chain() {
    let record = |digest: Option<&str>| -> crate::api::ReleaseRecordStatus {
        let phase_since = day(1.0);
        serde_json::from_value(serde_json::json!({"phase": "Complete", "phaseSince": phase_since, "digest": digest}))
            .unwrap()
    };
    let link = |digest| charged(1, 5, 1.0).in_chain(7, Some(&record(digest))).link;
    assert_eq!(link(Some("sha256:7")), Some(ChainStatus { attempts: 7, head: "sha256:7".to_owned() }));
    assert_eq!(link(None), None);
}

#[test]
fn the_newest_record_is_missed_too() {
    let entries = [charged(1, 1, 1.0), charged(2, 1, 2.0)];
    assert_eq!(windows(&[(0, &entries), (0, &entries[..1])]).missing, vec![2..=2]);
}

#[test]
fn thirteen_windows_are_kept() {
    let looks: Vec<(u32, &[Entry])> = (0..20).map(|number| (number, &[][..])).collect();
    let kept: Vec<String> = windows(&looks).windows.into_iter().map(|window| window.window).collect();
    let wanted: Vec<String> = (6..19).rev().map(|number| format!("w{number}")).collect();
    assert_eq!(kept, wanted);
}

/// Twenty releases of one window, so many of which came back after so many minutes.
fn shown(number: u32, failed: u64, minutes: u64) -> Vec<Entry> {
    let at = f64::from(number) * 30.0 + 1.0;
    (0..20)
        .map(|one| {
            let entry = charged(u64::from(number) * 20 + one + 1, 1, at);
            match one < failed {
                true => came_back(entry, Trigger::ErrorRate, at + 0.1, minutes),
                false => ended(entry, Outcome::Succeeded, at + 1.0),
            }
        })
        .collect()
}

/// `000_…` §5.6 and §8, from records through three windows to the fourth.
#[rstest]
#[case::better_twice([(4, 60), (3, 40), (2, 30)], 132, false)]
#[case::worse_twice([(2, 30), (3, 40), (4, 60)], 96, true)]
#[case::the_same([(3, 30), (3, 30), (3, 30)], 120, false)]
fn three_windows_adjust_the_fourth(#[case] figures: [(u64, u64); 3], #[case] allocated: u32, #[case] tightened: bool) {
    let mut all: Vec<Vec<Entry>> = Vec::new();
    for (number, (failed, minutes)) in (0..).zip(figures) {
        let mut entries = all.last().cloned().unwrap_or_default();
        entries.extend(shown(number, failed, minutes));
        all.push(entries);
    }
    let last = all.last().cloned().unwrap();
    let looks: Vec<(u32, &[Entry])> = (0..).zip(all.iter().map(Vec::as_slice)).chain([(3, &last[..])]).collect();
    let risk = windows(&looks).risk;
    assert_eq!((risk.allocated, !risk.tightened_by.is_empty()), (allocated, tightened), "{:?}", risk.adjustments);
}

/// `000_…` §7: repeated exceptions tighten at once, those of the window before count with them.
#[rstest]
#[case::one(&[31.0], false)]
#[case::two_here(&[31.0, 32.0], true)]
#[case::one_before_and_one_here(&[1.0, 31.0], true)]
#[case::two_windows_ago_counts_no_more(&[-29.0, 31.0], false)]
fn repeated_exceptions_tighten(#[case] at: &[f64], #[case] tightened: bool) {
    let entries: Vec<Entry> = (1..).zip(at).map(|(number, at)| exception(charged(number, 3, at + 30.0))).collect();
    let seen = |until: f64| -> Vec<Entry> {
        entries.iter().filter(|entry| entry.charge.as_ref().unwrap().at < day(until)).cloned().collect()
    };
    let counted = windows(&[(0, &seen(30.0)), (1, &seen(60.0)), (2, &seen(90.0))]);
    assert_eq!(!counted.risk.tightened_by.is_empty(), tightened, "{:?}", counted.risk.adjustments);
}

/// `000_…` §7 and §8: what exceptions tightened ends with them. It is nothing that figures showed, whatever came of the releases.
#[test]
fn what_exceptions_tightened_is_not_carried_on_as_if_figures_had() {
    let entries = [1, 2].map(|number| exception(charged(number, 3, f64::from(number as u32))));
    let look = |until: u32| {
        let all: Vec<(u32, &[Entry])> = (0..=until).map(|number| (number, &entries[..])).collect();
        windows(&all)
    };
    let by_exceptions = [Tightening::RepeatedExceptions];
    for (window, causes) in [(0, &by_exceptions[..]), (1, &by_exceptions), (2, &[]), (3, &[])] {
        let counted = look(window);
        assert_eq!(counted.risk.tightened_by, causes, "w{window}: {:?}", counted.risk.adjustments);
        assert_eq!(counted.risk.allocated, 120, "w{window}: {:?}", counted.risk.adjustments);
    }
    let closed: Vec<Vec<Tightening>> = look(3).windows.into_iter().map(|window| window.tightened_by).collect();
    assert_eq!(closed, [vec![], by_exceptions.to_vec(), by_exceptions.to_vec()], "the latest first");
}

/// What figures tightened lasts, through a window in which nothing was released, until one shows that stability is back.
#[test]
fn what_figures_tightened_lasts_through_an_empty_window() {
    let mut all: Vec<Vec<Entry>> = Vec::new();
    for (number, figures) in [Some((2, 30)), Some((3, 40)), Some((4, 60)), None, Some((1, 30))].into_iter().enumerate()
    {
        let mut entries = all.last().cloned().unwrap_or_default();
        entries.extend(figures.into_iter().flat_map(|(failed, minutes)| shown(number as u32, failed, minutes)));
        all.push(entries);
    }
    all.push(all.last().cloned().unwrap());
    let causes: Vec<Vec<Tightening>> = (1..=all.len())
        .map(|looks| windows(&(0..).zip(all[..looks].iter().map(Vec::as_slice)).collect::<Vec<_>>()).risk.tightened_by)
        .collect();
    let worse = vec![Tightening::WorseFigures];
    assert_eq!(causes, [vec![], vec![], vec![], worse.clone(), worse, vec![]]);
}

fn before(ledger: LedgerStatus) -> RiskBudgetStatus {
    RiskBudgetStatus { ledger, ..RiskBudgetStatus::default() }
}

#[test]
fn a_promise_ends_when_its_release_is_charged_or_over_or_gone() {
    let promise = |record: &str| ReservationStatus { record: record.to_owned(), points: 10 };
    let ledger = LedgerStatus {
        sequence: 1,
        reservations: ["web-0001", "web-0002", "web-0003", "gone"].map(promise).into(),
        ..LedgerStatus::default()
    };
    let waits = Entry { record: "web-0003".into(), charge: None, ..charged(3, 0, 1.0) };
    let over = ended(Entry { record: "web-0002".into(), ..waits.clone() }, Outcome::Expired, 1.0);
    let counted = count(&rules(), &before(ledger), &[charged(1, 5, 1.0), over, waits], &period(0), day(2.0));
    assert_eq!(counted.ledger.reservations, [promise("web-0003")]);
    assert_eq!((counted.risk.consumed, counted.risk.reserved, counted.risk.remaining), (5, 10, 105));
}

/// A charge has its number before it stands in its record: it counts at once, however long that takes, and is missed where its
/// record was sealed without it. Ten minutes of an error budget that is not measured, or without a controller, lose nothing.
#[rstest]
#[case::on_its_way(goes_on(), 1.001, 8, vec![])]
#[case::not_measured_for_a_day(goes_on(), 2.0, 8, vec![])]
#[case::its_record_is_still_to_be_made(None, 2.0, 8, vec![])]
#[case::sealed_just_now(goes_on().map(|entry| ended(entry, Outcome::Superseded, 1.0)), 1.001, 8, vec![])]
#[case::sealed_without_it(goes_on().map(|entry| ended(entry, Outcome::Superseded, 1.0)), 1.1, 0, vec![1..=1])]
fn a_charge_on_its_way_counts(
    #[case] record: Option<Entry>,
    #[case] now: f64,
    #[case] consumed: u32,
    #[case] missing: Vec<std::ops::RangeInclusive<u64>>,
) {
    let charge = charge_of(1, 8, 1.0);
    let pending = vec![PendingCharge { record: "web-0001".into(), charge }];
    let ledger = LedgerStatus { sequence: 1, pending, ..LedgerStatus::default() };
    let entries: Vec<Entry> = record.into_iter().collect();
    let counted = count(&rules(), &before(ledger), &entries, &period(0), day(now));
    assert_eq!((counted.risk.consumed, counted.missing), (consumed, missing));
}

fn goes_on() -> Option<Entry> {
    Some(Entry { record: "web-0001".into(), charge: None, ..charged(1, 0, 1.0) })
}

/// It counted in its window; a day into the next one nothing attested before it is charged any more, so that its number can go.
#[rstest]
#[case::at_the_turn(29.5, 1, 0)]
#[case::of_long_before(28.9, 0, 0)]
fn a_charge_that_waits_past_its_window_stays_there(#[case] at: f64, #[case] waits: usize, #[case] consumed: u32) {
    let charge = charge_of(1, 8, at);
    let ledger = LedgerStatus {
        sequence: 1,
        pending: vec![PendingCharge { record: "web-charge-1".into(), charge }],
        ..LedgerStatus::default()
    };
    let first = count(&rules(), &before(ledger), &[], &period(0), day(29.9));
    assert_eq!(first.risk.consumed, 8);
    let closed = RiskBudgetStatus { risk: Some(first.risk), ledger: first.ledger, ..RiskBudgetStatus::default() };
    let next = count(&rules(), &closed, &[], &period(1), day(30.1));
    assert_eq!((next.ledger.pending.len(), next.risk.consumed, next.missing), (waits, consumed, vec![]));
    assert_eq!(next.windows[0].consumed, 8);
}

/// To one decimal, and 0 where nothing was given: there is nothing that could be left.
#[rstest]
#[case::untouched(None, 0, 100.0)]
#[case::a_twelfth(None, 10, 91.7)]
#[case::overspent(None, 150, -25.0)]
#[case::nothing_was_given(Some(0), 10, 0.0)]
#[case::nothing_was_given_or_spent(Some(0), 0, 0.0)]
fn what_is_left_in_percent(#[case] given: Option<u32>, #[case] spent: u32, #[case] percent: f64) {
    let rules = Rules { points: given.map(RiskPoints::new), ..rules() };
    let counted = count(&rules, &RiskBudgetStatus::default(), &[charged(1, spent, 1.0)], &period(0), day(2.0));
    assert_eq!(counted.risk.remaining_percent, percent);
}

#[test]
fn what_was_charged_before_a_budget_was_first_counted_is_no_gap_and_costs_nothing() {
    let entries = [charged(1, 10, 1.0), charged(2, 30, 2.0), charged(3, 7, 30.0)];
    let counted = windows(&[(1, &entries)]);
    assert_eq!((counted.ledger.before, counted.risk.consumed, counted.missing), (2, 7, vec![]));
    assert_eq!(counted.windows, vec![]);
}

/// A budget whose windows are cut otherwise begins no window that lies before the one it is in, nor one that begins with it.
#[test]
fn only_a_window_that_begins_later_folds_the_one_before() {
    let entries = [charged(1, 10, 1.0)];
    assert_eq!(windows(&[(1, &[]), (0, &entries)]).windows, vec![]);
    let month = windows(&[(0, &entries)]);
    let sprint = Period { key: "1970-01-01".into(), from: day(0.0), until: day(14.0) };
    assert_eq!(count(&rules(), &status(&month), &entries, &sprint, day(2.0)).windows, vec![]);
    let zone_changed = Period { from: day(0.5), ..period(0) };
    assert_eq!(count(&rules(), &status(&month), &entries, &zone_changed, day(2.0)).windows, vec![]);
}

#[test]
fn another_record_that_is_charged_says_nothing_of_one_on_its_way() {
    let charge = charge_of(2, 8, 1.0);
    let pending = vec![PendingCharge { record: "web-0002".into(), charge }];
    let ledger = LedgerStatus { sequence: 2, pending, ..LedgerStatus::default() };
    let waits = Entry { charge: None, ..charged(2, 0, 1.0) };
    let look =
        |now: Time| count(&rules(), &before(ledger.clone()), &[charged(1, 5, 1.0), waits.clone()], &period(0), now);
    let counted = look(day(1.0).plus(Span::seconds(599)));
    assert_eq!((counted.risk.consumed, counted.missing), (13, vec![]));
    let late = look(day(1.0).plus(Span::minutes(10)));
    assert_eq!((late.risk.consumed, late.missing), (13, vec![]), "however long it waits");
}

/// Numbers that were given out after the last look at a window belong to it, as far as nothing of the next one has them.
#[rstest]
#[case::nothing_yet(3, None, None, 3, 0)]
#[case::a_record_of_the_next(4, Some(31.0), None, 3, 8)]
#[case::on_its_way_in_the_next(4, None, Some(31.0), 3, 8)]
fn a_window_closes_at_its_last_number(
    #[case] given_out: u64,
    #[case] written: Option<f64>,
    #[case] on_its_way: Option<f64>,
    #[case] closed_at: u64,
    #[case] consumed: u32,
) {
    let of_the_first = [charged(1, 10, 1.0), charged(2, 30, 2.0)];
    let mut status = status(&windows(&[(0, &of_the_first)]));
    status.ledger.sequence = given_out;
    let mut entries = of_the_first.to_vec();
    entries.extend(written.map(|at| charged(4, 8, at)));
    status
        .ledger
        .pending
        .extend(on_its_way.map(|at| PendingCharge { record: "web-0004".into(), charge: charge_of(4, 8, at) }));
    // The record of number 3 was charged in the first window, and is gone.
    let counted = count(&rules(), &status, &entries, &period(1), day(31.001));
    assert_eq!((counted.ledger.before, counted.risk.consumed, counted.missing), (closed_at, consumed, vec![]));
}

/// A controller that dies between the number of a charge and its record leaves it on its way, also while the window turns.
#[rstest]
#[case::alone(&[])]
#[case::beside_one_that_is_written(&[charged(2, 5, 10.0)])]
fn a_charge_on_its_way_counts_in_the_window_that_closes_and_in_no_other(#[case] others: &[Entry]) {
    let spent: u32 = others.iter().filter_map(|entry| entry.charge.as_ref()).map(|charge| charge.points).sum();
    let last = 1 + others.len() as u64;
    let beside = |one: &Entry| [std::slice::from_ref(one), others].concat();
    let charge = ChargeRecord { exception: true, ..charge_of(1, 8, 29.9999) };
    let pending = vec![PendingCharge { record: "web-0001".into(), charge: charge.clone() }];
    let before = RiskBudgetStatus {
        ledger: LedgerStatus { sequence: last, pending, ..LedgerStatus::default() },
        ..status(&windows(&[(0, &[])]))
    };
    let waits = Entry { record: "web-0001".into(), charge: None, ..charged(1, 0, 1.0) };
    let turned = count(&rules(), &before, &beside(&waits), &period(1), day(30.0001));
    let closed = &turned.windows[0];
    assert_eq!((closed.consumed, closed.sequence, closed.exceptions), (8 + spent, last, 1));
    assert_eq!((turned.risk.consumed, turned.ledger.before), (0, last));
    let arrived = Entry { charge: Some(charge), ..waits };
    let later = count(&rules(), &status(&turned), &beside(&arrived), &period(1), day(30.0002));
    assert_eq!((later.windows[0].consumed, later.risk.consumed, later.missing.len()), (8 + spent, 0, 0));
}
