//! Keys and frames, from a thread of their own: a runtime whose time is led must never wait for a terminal.

use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{Event, poll, read};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::key::Key;

/// Real time from one frame to the next.
const FRAME: Duration = Duration::from_millis(125);
/// So many beats wait at most; frames beyond are left out.
const WAITING: usize = 16;

/// Something to do for whoever holds the terminal.
#[derive(Debug)]
pub enum Beat {
    /// Another frame is due.
    Frame,
    /// A key was pressed.
    Pressed(Key),
    /// No keys can be read any more.
    Lost(io::Error),
}

/// Reads keys while it is there. Its thread ends within one frame after it.
pub struct Keyboard {
    beats: mpsc::Receiver<Beat>,
}

impl Keyboard {
    /// Begins to read the keys of a terminal in raw mode. Errors where no thread can be started.
    pub fn open() -> io::Result<Self> {
        let (sender, beats) = mpsc::channel(WAITING);
        std::thread::Builder::new().name("keyboard".to_owned()).spawn(move || listen(&sender))?;
        Ok(Self { beats })
    }

    /// The next beat; never, after the last.
    pub async fn beat(&mut self) -> Beat {
        match self.beats.recv().await {
            Some(beat) => beat,
            None => std::future::pending().await,
        }
    }
}

fn listen(beats: &mpsc::Sender<Beat>) {
    loop {
        let heard = match next() {
            Ok(Some(key)) => beats.blocking_send(Beat::Pressed(key)).is_ok(),
            Ok(None) => !matches!(beats.try_send(Beat::Frame), Err(TrySendError::Closed(_))),
            Err(why) => {
                // Whoever held the terminal may be gone as well.
                drop(beats.blocking_send(Beat::Lost(why)));
                false
            }
        };
        if !heard {
            return;
        }
    }
}

/// The next key that means something, or none where a frame is due.
fn next() -> io::Result<Option<Key>> {
    if !poll(FRAME)? {
        return Ok(None);
    }
    Ok(match read()? {
        Event::Key(key) => Key::of(&key),
        Event::FocusGained | Event::FocusLost | Event::Mouse(_) | Event::Paste(_) | Event::Resize(..) => None,
    })
}
