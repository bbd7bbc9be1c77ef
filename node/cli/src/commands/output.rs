//! What the programs print: results on stdout, progress on stderr.

use std::fmt::Display;
use std::io::{self, stderr, IsTerminal, Write};
use std::time::Duration;

use comfy_table::{presets, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;

/// Prints one JSON object on a line of stdout.
///
/// # Errors
/// When stdout is closed.
pub fn print_json(value: &Value) -> io::Result<()> {
    print_line(&value.to_string())
}

/// Prints a line on stdout and sends it off.
///
/// # Errors
/// When stdout is closed.
pub fn print_line(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Prints the events of a service on stdout, one a line.
#[derive(Clone, Copy, Debug)]
pub struct Reporter {
    /// As JSON objects; else in words.
    pub json: bool,
}

impl Reporter {
    /// Prints one event. A reader that went away is no reason to stop the service.
    pub fn report<E: Serialize + Display>(&self, event: &E) {
        let _ = print_line(&self.line(event));
    }

    fn line<E: Serialize + Display>(&self, event: &E) -> String {
        if self.json {
            serde_json::to_string(event).expect("strings and numbers are always written")
        } else {
            event.to_string()
        }
    }
}

/// An aligned table without lines, for people.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if !header.is_empty() {
        table.set_header(header.to_vec());
    }
    table
}

/// A turning wheel with words on stderr while something takes long; silent where stderr is no terminal.
pub struct Progress(ProgressBar);

impl Progress {
    /// Starts turning.
    pub fn start(words: &str) -> Self {
        let bar = if stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(words.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Goes on with other words.
    pub fn say(&self, words: &str) {
        self.0.set_message(words.to_owned());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A span of time for people: `1 h 5 min`, `40 s`.
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
    fn events_are_lines_for_people_or_for_programs() {
        assert_eq!(Reporter { json: true }.line(&"two \"words\""), r#""two \"words\"""#);
        assert_eq!(Reporter { json: false }.line(&"two words"), "two words");
    }

    #[test]
    fn spans_are_short() {
        for (seconds, text) in
            [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3900, "1 h 5 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(duration(seconds), text);
        }
    }
}
