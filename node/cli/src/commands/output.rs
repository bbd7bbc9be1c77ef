//! Tables, spinners and texts that several commands print.

use std::io::{stderr, IsTerminal};
use std::path::Path;
use std::time::Duration;

use comfy_table::{presets, ContentArrangement, Table};
use fairshare_circuits::{ReferenceString, SrsError};
use fairshare_client::service::DataArgs;
use indicatif::{ProgressBar, ProgressStyle};

/// An aligned table without borders.
pub(super) fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    table
}

/// A spinner with a message on stderr; hidden where stderr is not a terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn start(message: &str) -> Self {
        let bar = if stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Changes the message.
    pub(super) fn say(&self, message: &str) {
        self.0.set_message(message.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A progress bar for the work on a reference string, on stderr; hidden where stderr is no terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn start() -> Self {
        let bar = if stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {percent} % ({elapsed})")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    pub(super) fn say(&self, what: &'static str, done: usize, all: usize) {
        self.0.set_message(what);
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The development string for models of `dimension` parameters, created once if missing; `progress` shows the percentage.
pub(super) fn reference_string(
    data: &DataArgs,
    dimension: usize,
    progress: &Progress,
) -> Result<ReferenceString, SrsError> {
    let part = |what: &'static str, done: usize, all: usize| {
        progress.say(&format!("{what}, {} %", 100 * done / all.max(1)));
    };
    ReferenceString::open_dev_with(&data.folder(), dimension, &part)
}

/// A path as text, for JSON.
pub(super) fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A duration as text: `1 h 5 min`, `40 s`.
pub(super) fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// A hash or a word, in hexadecimal.
pub(super) fn hash(bytes: &[u8; 32]) -> String {
    format!("0x{}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        for (seconds, text) in
            [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3900, "1 h 5 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(duration(seconds), text);
        }
    }
}
