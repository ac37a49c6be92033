use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use rstest::rstest;

use super::*;
use crate::api::condition::Truth;
use crate::api::release_record::{Outcome, Phase};
use crate::api::{BudgetStatus, Span, Weight};
use crate::sandbox::story::Weights;

/// The picture as text.
fn picture(view: &View, columns: u16, rows: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(frame, view)).unwrap();
    let buffer = terminal.backend().buffer();
    let lines = buffer.content.chunks(usize::from(columns.max(1)));
    let lines = lines.map(|line| line.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

fn stage(weight: u8, state: StageState) -> StageView {
    StageView { weight: Weight::whole(weight), bake: Span::minutes(1), state, verdict: String::new() }
}

fn arm(name: &'static str, image: &str, pods: u32, rate: f64, errors: f64) -> ArmView {
    ArmView {
        name,
        image: image.to_owned(),
        ready: pods,
        wanted: pods,
        rate,
        errors: Some(errors),
        p95: Some(Span::from_millis(210)),
    }
}

fn event(number: u64, at: u64, warning: bool, reason: &str, note: &str) -> EventView {
    EventView { number, at: Span::seconds(at), warning, reason: reason.to_owned(), note: note.to_owned() }
}

fn condition(kind: &str, status: Truth, reason: &str) -> ConditionView {
    ConditionView { kind: kind.to_owned(), status, reason: reason.to_owned() }
}

fn split(stable: u8, canary: u8) -> Weights {
    Weights { stable: Weight::whole(stable), canary: Weight::whole(canary), previous: Weight::ZERO }
}

fn mid_release() -> View {
    let mut history = History::default();
    for second in 0..60_u8 {
        let canary = (second >= 20).then(|| f64::from(second % 7) * 0.1);
        let weight = if second < 20 {
            0
        } else if second < 40 {
            5
        } else {
            25
        };
        history.push(Sample { stable: Some(0.1), canary, weight });
    }
    View {
        now: Span::seconds(150),
        speed: 20.0,
        title: "A good change ships".to_owned(),
        says: "25 % of the requests go to v2. The weight rises only with a passing verdict.".to_owned(),
        phase: Phase::Release,
        message: "git:4f2c9e1 has 25 % of the traffic and is watched until 1 Jan 00:03:10 UTC.".to_owned(),
        stage: Some(2),
        stages: vec![
            stage(5, StageState::Done),
            stage(25, StageState::Now),
            stage(50, StageState::ToCome),
            stage(100, StageState::ToCome),
        ],
        weights: split(75, 25),
        arms: vec![arm("stable", "shop:v1", 3, 74.8, 0.1), arm("canary", "shop:v2", 1, 25.3, 0.3)],
        budget: Some(BudgetView {
            status: BudgetStatus::Healthy,
            remaining: 90.0,
            decided_by: "availability".to_owned(),
        }),
        conditions: vec![
            condition("Ready", Truth::True, "InForce"),
            condition("Progressing", Truth::True, "Baking"),
            condition("Held", Truth::False, "NotHeld"),
            condition("Released", Truth::Unknown, "InProgress"),
        ],
        events: vec![
            event(1, 0, false, "Bootstrap", "Revision 5d8f: found running."),
            event(
                2,
                31,
                false,
                "Planned",
                "Attempt 2: Feature git:4f2c9e1 by flux, revision 77aa, is held and judged.",
            ),
            event(
                3,
                42,
                false,
                "CanaryReady",
                "git:4f2c9e1 is ready and known to the router; it takes its first traffic.",
            ),
            event(
                4,
                110,
                false,
                "StagePassed",
                "Stage 1/4 at 5 % passed: 0 % of 302 requests failed, limit 1 % (stable 0 %)",
            ),
        ],
        tally: Tally { requests: 15_012, failed: 12 },
        history,
        ..View::default()
    }
}

fn held() -> View {
    View {
        title: "The error budget is nearly spent".to_owned(),
        says: "Held: in Critical a Feature may not ship. No pod of it runs.".to_owned(),
        phase: Phase::Plan,
        stage: None,
        stages: Vec::new(),
        weights: Weights::HOME,
        arms: vec![arm("stable", "shop:v1", 3, 100.1, 0.0)],
        budget: Some(BudgetView {
            status: BudgetStatus::Critical,
            remaining: 18.0,
            decided_by: "availability".to_owned(),
        }),
        hold: Some(HoldView {
            reason: "BudgetFreeze".to_owned(),
            message: "Feature git:fea7e42 not started: 18 % left is Critical: \"Feature releases: BLOCKED\"."
                .to_owned(),
            remedy: "It starts when more than 30 % are left.".to_owned(),
            deadline: Span::seconds(640),
        }),
        keys: Key::ALL,
        ..mid_release()
    }
}

fn rolled_back() -> View {
    let mut view = View {
        title: "A bad change comes back".to_owned(),
        says: "Back. The Deployment stays paused with the bad template, so Git and the cluster agree.".to_owned(),
        phase: Phase::Rollback,
        stage: None,
        stages: vec![stage(5, StageState::Failed), stage(25, StageState::ToCome), stage(100, StageState::ToCome)],
        weights: Weights::HOME,
        arms: vec![arm("stable", "shop:v1", 3, 99.2, 0.0)],
        outcome: Some((
            Outcome::RolledBack,
            "git:bad5eed rolled back from 5 %: ErrorRate: 8.1 % of 74 requests, limit 1 %.".to_owned(),
        )),
        speed: 0.0,
        keys: Key::OF_TIME,
        ..mid_release()
    };
    view.events.push(event(5, 140, true, "RollingBack", "git:bad5eed goes back from 5 %: ErrorRate: 8.1 %."));
    for _ in 0..30 {
        view.history.push(Sample { stable: Some(0.1), canary: Some(8.1), weight: 5 });
    }
    for _ in 0..30 {
        view.history.push(Sample { stable: Some(0.1), canary: None, weight: 0 });
    }
    view
}

#[rstest]
#[case::mid_release("mid_release", mid_release())]
#[case::held("held", held())]
#[case::rolled_back("rolled_back", rolled_back())]
fn a_view_is_a_picture(#[case] name: &str, #[case] view: View) {
    for (columns, rows) in [(60, 20), (80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("{name}_{columns}x{rows}"), picture(&view, columns, rows));
    }
}

#[test]
fn all_that_matters_fits_into_a_small_terminal() {
    let small = picture(&View { keys: Key::ALL, arms: three_arms(), ..mid_release() }, 60, 20);
    for word in
        ["stage 2 of 4", "canary 25 %", "Healthy", "previous", "15,012 requests", "StagePassed", "q quit", "2:30"]
    {
        assert!(small.contains(word), "{word} is missing:\n{small}");
    }
    let held = picture(&held(), 60, 20);
    assert!(held.contains("Held/BudgetFreeze until 00:10:40"), "{held}");
}

fn three_arms() -> Vec<ArmView> {
    vec![
        arm("stable", "shop:v2", 3, 100.0, 0.0),
        arm("canary", "shop:v2", 3, 0.0, 0.0),
        arm("previous", "shop:v1", 3, 0.0, 0.0),
    ]
}

#[test]
fn nothing_is_said_by_colour_alone() {
    let bad = picture(&rolled_back(), 80, 24);
    for word in ["✗ 5 %", "RolledBack:", "! RollingBack", "paused"] {
        assert!(bad.contains(word), "{word} is missing:\n{bad}");
    }
}

#[test]
fn a_history_keeps_the_newest() {
    let mut history = History::default();
    for number in 0..1_000_u16 {
        history.push(Sample { stable: Some(f64::from(number)), ..Sample::default() });
    }
    assert_eq!(history.last(2_000).len(), History::MOST);
    assert_eq!(history.last(2).map(|sample| sample.stable).collect::<Vec<_>>(), [Some(998.0), Some(999.0)]);
}

proptest! {
    #[test]
    fn no_size_and_no_figure_makes_it_stumble(
        columns in 0_u16..150, rows in 0_u16..60, left in proptest::num::f64::ANY, errors in proptest::num::f64::ANY,
        text in ".{0,300}", weights in (0_u8..=100, 0_u8..=100), stages in 0_usize..25, which in 0_usize..3,
    ) {
        let mut view = [mid_release(), held(), rolled_back()][which].clone();
        view.says.clone_from(&text);
        view.message.clone_from(&text);
        view.title.clone_from(&text);
        view.stages = vec![stage(50, StageState::Now); stages];
        view.weights = Weights { previous: Weight::FULL, ..split(weights.0, weights.1) };
        view.budget = Some(BudgetView { status: BudgetStatus::Emergency, remaining: left, decided_by: text.clone() });
        view.history.push(Sample { stable: Some(errors), canary: Some(errors), weight: 200 });
        view.arms = three_arms();
        view.arms[0].errors = Some(errors);
        view.events.push(event(9, 1, true, &text, &text));
        drop(picture(&view, columns, rows));
    }
}

#[rstest]
#[case('g', Some(Key::Good))]
#[case('S', Some(Key::Slow))]
#[case(' ', Some(Key::Pause))]
#[case('=', Some(Key::Faster))]
#[case('-', Some(Key::Slower))]
#[case('q', Some(Key::Quit))]
#[case('z', None)]
fn keys_are_what_the_help_says(#[case] pressed: char, #[case] wanted: Option<Key>) {
    assert_eq!(Key::of(&KeyEvent::new(KeyCode::Char(pressed), KeyModifiers::NONE)), wanted);
}

#[test]
fn every_key_can_be_pressed_and_control_c_quits() {
    for key in Key::ALL {
        let sign = if *key == Key::Pause { ' ' } else { key.help().0.chars().next().unwrap() };
        assert_eq!(Key::of(&KeyEvent::new(KeyCode::Char(sign), KeyModifiers::NONE)), Some(*key));
    }
    let control = |sign| Key::of(&KeyEvent::new(KeyCode::Char(sign), KeyModifiers::CONTROL));
    assert_eq!((control('c'), control('g')), (Some(Key::Quit), None));
    assert_eq!(Key::of(&KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)), Some(Key::Quit));
    assert_eq!(Key::of(&KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE)), None);
}
