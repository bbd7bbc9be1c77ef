//! Results on stdout, one a line.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

/// Prints one JSON object on a line of stdout.
///
/// # Errors
/// When stdout is closed.
pub fn print_json(value: &Value) -> io::Result<()> {
    print_line(&value.to_string())
}

/// Prints a line on stdout and flushes it.
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
    /// As JSON objects; otherwise as sentences.
    pub json: bool,
}

impl Reporter {
    /// Prints one event. A closed stdout does not stop the service.
    pub fn report<E: Serialize + Display>(&self, event: &E) {
        let _ = print_line(&self.line(event));
    }

    fn line<E: Serialize + Display>(&self, event: &E) -> String {
        if self.json {
            serde_json::to_string(event).expect("events hold strings and numbers, which JSON can write")
        } else {
            event.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines_for_people_or_for_programs() {
        assert_eq!(Reporter { json: true }.line(&"two \"words\""), r#""two \"words\"""#);
        assert_eq!(Reporter { json: false }.line(&"two words"), "two words");
    }
}
