//! The terminal, taken over for a while and given back in every case.

use std::io::{self, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::DefaultTerminal;
use ratatui::crossterm::terminal::{Clear, ClearType};
use ratatui::crossterm::{cursor, execute};

use super::draw::draw;
use super::view::View;

/// Whether something panicked, which gave the terminal back: a picture would be painted over what the panic told.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// A terminal in raw mode with a screen of its own. It is given back when this is dropped, and before a panic is told, so
/// also where a panic ends the process. Keys are read by [`super::Keyboard`].
pub struct Terminal {
    inner: DefaultTerminal,
}

impl Terminal {
    /// Takes the terminal over. At most once at a time in a process. Errors where standard output is none.
    pub fn open() -> io::Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICKED.store(true, Ordering::SeqCst);
            drop(execute!(stdout(), cursor::Show));
            before(panic);
        }));
        match ratatui::try_init() {
            Ok(inner) => {
                // First, so that it is given back where what follows fails.
                let terminal = Self { inner };
                // Not every terminal has a second, empty screen. Ratatui's own way asks where the cursor is, which not every
                // terminal answers.
                execute!(stdout(), Clear(ClearType::All))?;
                Ok(terminal)
            }
            Err(why) => {
                // It may have failed half way.
                drop(ratatui::try_restore());
                Err(why)
            }
        }
    }

    /// Shows a view. Only what changed is written. Errors where the terminal is gone, and once something panicked.
    pub fn show(&mut self, view: &View) -> io::Result<()> {
        if PANICKED.load(Ordering::SeqCst) {
            return Err(io::Error::other("a part of the sandbox panicked"));
        }
        self.inner.draw(|frame| draw(frame, view)).map(drop)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(ratatui::try_restore());
        drop(self.inner.show_cursor());
    }
}
