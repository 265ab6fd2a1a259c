//! The one place that writes to the terminal.
//!
//! Not `print!`: it panics when the reader has gone, as in `thalweg demo | head`, and that is nobody's mistake.

use std::io::{self, IsTerminal, Write};

/// Columns where there is no terminal to ask.
const WIDTH: u16 = 110;

/// Writes to standard output.
pub(crate) fn show(text: &str) {
    // A reader that has gone has seen enough.
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Writes to standard error.
pub(crate) fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// The terminal's width in columns.
pub(crate) fn width() -> u16 {
    if !io::stdout().is_terminal() {
        return WIDTH;
    }
    terminal_size::terminal_size().map_or(WIDTH, |(width, _)| width.0.max(40))
}
