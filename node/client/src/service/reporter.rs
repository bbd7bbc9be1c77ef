//! Results on stdout, one a line.

use std::fmt::Display;
use std::io::{self, Write};

use fairshare_protocol::Money;
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

/// Adds amounts to a JSON object: `stake` becomes `stake_wei` or, in a project that pays in a token, `stake_units`.
pub fn add_amounts<'n>(object: &mut Value, amounts: impl IntoIterator<Item = (&'n str, Money)>) {
    for (name, amount) in amounts {
        let (field, text) = amount.json_field(name);
        object[field] = text.into();
    }
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
    fn amounts_name_their_unit() {
        let token = fairshare_protocol::Currency::Token { address: [7; 20].into(), decimals: 0 };
        let mut object = serde_json::json!({"gas": 1});
        add_amounts(&mut object, [("stake", Money::wei(2)), ("owed", Money::new(3, token))]);
        assert_eq!(object, serde_json::json!({"gas": 1, "stake_wei": "2", "owed_units": "3"}));
    }

    #[test]
    fn events_are_lines_for_people_or_for_programs() {
        assert_eq!(Reporter { json: true }.line(&"two \"words\""), r#""two \"words\"""#);
        assert_eq!(Reporter { json: false }.line(&"two words"), "two words");
    }
}
