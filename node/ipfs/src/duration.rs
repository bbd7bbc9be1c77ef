//! Durations as Go writes them, which Kubo's RPC takes for its timeouts.

use std::time::Duration;

/// A duration in the syntax of Go: `1h`, `1m30s`, `250ms`, `2s500ns`.
pub fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|&n| n > 0)?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let nanoseconds: u64 = match &rest[..unit] {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" | "µs" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        total = total.checked_add(Duration::from_nanos(number.checked_mul(nanoseconds)?))?;
        rest = &rest[unit..];
    }
    (!text.is_empty()).then_some(total)
}
