//! Keys of the interactive sandbox.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Deploys a version that behaves.
    Good,
    /// Deploys a version that fails requests.
    Bad,
    /// Deploys a version that is slow.
    Slow,
    /// Deploys a version whose containers crash.
    Crashing,
    /// Git goes back to the version before.
    Revert,
    /// Ships what is held, by break-glass.
    BreakGlass,
    /// Resumes the held Deployment by hand.
    Resume,
    /// Takes 20 points from the error budget.
    SpendBudget,
    /// Asks for another attempt at what was closed.
    Retry,
    /// SRE declares a freeze, or takes it back.
    Freeze,
    /// Replicas are added, or taken away again.
    Scale,
    /// Prometheus goes down or comes back.
    Prometheus,
    /// Time stops or goes on.
    Pause,
    /// Time runs twice as fast.
    Faster,
    /// Time runs half as fast.
    Slower,
    /// The end.
    Quit,
}

impl Key {
    /// Every key, in the order in which they are shown.
    pub const ALL: &'static [Self] = &[
        Self::Good,
        Self::Bad,
        Self::Crashing,
        Self::Slow,
        Self::Revert,
        Self::Resume,
        Self::BreakGlass,
        Self::Freeze,
        Self::SpendBudget,
        Self::Scale,
        Self::Retry,
        Self::Prometheus,
        Self::Pause,
        Self::Faster,
        Self::Slower,
        Self::Quit,
    ];
    /// What may be pressed while a scenario is played, which does the rest by itself.
    pub const OF_TIME: &'static [Self] = &[Self::Pause, Self::Faster, Self::Slower, Self::Quit];

    /// What is pressed for it, and what it does, in a few words.
    pub const fn help(self) -> (&'static str, &'static str) {
        match self {
            Self::Good => ("g", "deploy good"),
            Self::Bad => ("b", "bad"),
            Self::Slow => ("s", "slow"),
            Self::Crashing => ("c", "crashing"),
            Self::Retry => ("t", "retry"),
            Self::Freeze => ("f", "freeze"),
            Self::Scale => ("n", "scale"),
            Self::Revert => ("r", "revert"),
            Self::BreakGlass => ("x", "break-glass"),
            Self::Resume => ("u", "resume"),
            Self::SpendBudget => ("e", "budget -20 %"),
            Self::Prometheus => ("p", "Prometheus"),
            Self::Pause => ("space", "pause"),
            Self::Faster => ("+", "faster"),
            Self::Slower => ("-", "slower"),
            Self::Quit => ("q", "quit"),
        }
    }

    /// What was pressed; none where it means nothing. Ctrl-C quits, because a terminal in raw mode sends no signal.
    pub fn of(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let KeyCode::Char(pressed) = event.code else {
            return (event.code == KeyCode::Esc).then_some(Self::Quit);
        };
        if control {
            return matches!(pressed, 'c' | 'd').then_some(Self::Quit);
        }
        // The same key without shift.
        let pressed = match pressed.to_ascii_lowercase() {
            '=' => '+',
            '_' => '-',
            other => other,
        };
        Self::ALL.iter().copied().find(|key| match key.help().0 {
            "space" => pressed == ' ',
            sign => sign.starts_with(pressed),
        })
    }
}
