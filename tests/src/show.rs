//! A run as tables, for people.

use comfy_table::{presets::UTF8_HORIZONTAL_ONLY, CellAlignment, Table};

use crate::report::Report;

/// Prints the report to standard output.
pub fn print_report(report: &Report) {
    let mut trainers = table(&["trainer", "behaviour", "kept", "share", "paid (ether)", "samples"], 2);
    for t in &report.trainers {
        trainers.add_row([
            t.name.clone(),
            t.behaviour.clone(),
            format!("{} of {}", t.rounds_kept, report.rounds.len()),
            format!("{:.1} %", 100.0 * t.share),
            ether(&t.paid_wei),
            t.samples.to_string(),
        ]);
    }
    println!("\nTrainers\n{trainers}");

    let mut rounds = table(
        &["round", "held-out accuracy", "kept", "proving (s)", "aggregator (s)", "gas of settlement"],
        0,
    );
    if let Some(first) = report.accuracy.first() {
        rounds.add_row(["start", &format!("{first:.3}"), "", "", "", ""]);
    }
    for (r, accuracy) in report.rounds.iter().zip(report.accuracy.iter().skip(1)) {
        rounds.add_row([
            r.round.to_string(),
            format!("{accuracy:.3}"),
            r.kept.len().to_string(),
            format!("{:.2}", r.proving_ms as f64 / 1e3),
            format!("{:.2}", r.aggregator_ms as f64 / 1e3),
            grouped(r.settle_gas),
        ]);
    }
    println!("\nRounds\n{rounds}");

    let mut gas = table(&["transaction", "count", "mean gas", "largest gas"], 1);
    for t in &report.transactions {
        gas.add_row([t.kind.clone(), t.count.to_string(), grouped(t.mean_gas), grouped(t.max_gas)]);
    }
    println!("\nTransactions\n{gas}");

    println!("\nMoney (ether): deposit {}", ether(&report.deposit_wei));
    println!("  to trainers   {}", ether(&report.paid_wei));
    println!("  to aggregator {}", ether(&report.fees_wei));
    println!("  back to owner {}", ether(&report.escrow_left_wei));
    match report.audit.as_str() {
        Some("pass") => println!("\nAudit: pass (from chain and IPFS alone)"),
        _ => println!("\nAudit: FAILED\n{:#}", report.audit),
    }
    println!("Final held-out accuracy: {:.3}", report.final_accuracy);
    println!("Project {}; everything is in {}; {:.0} s", report.project, report.folder, report.elapsed_s);
}

/// A table whose columns from `numbers` on are right-aligned.
fn table(header: &[&str], numbers: usize) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header.to_vec());
    for column in table.column_iter_mut().skip(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Wei as ether, exact: trailing zeros are left out.
fn ether(wei: &str) -> String {
    let digits = format!("{wei:0>19}");
    let (whole, part) = digits.split_at(digits.len() - 18);
    let part = part.trim_end_matches('0');
    if part.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{part}")
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_shown_to_the_wei() {
        assert_eq!(ether("0"), "0");
        assert_eq!(ether("1"), "0.000000000000000001");
        assert_eq!(ether("5250000000000000000"), "5.25");
        assert_eq!(ether("12000000000000000000"), "12");
    }

    #[test]
    fn gas_is_grouped() {
        assert_eq!(
            (grouped(7), grouped(1234), grouped(1_234_567)),
            ("7".into(), "1,234".into(), "1,234,567".into())
        );
    }
}
