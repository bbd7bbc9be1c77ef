//! Runs a program and maps its result to an exit code.

use std::future::Future;
use std::process::ExitCode;

/// Starts logging and the runtime, runs `work`, and prints an error to stderr. The exit code is 0, or 1 when the work
/// failed. (Wrong arguments end the program earlier, with code 2.)
pub fn run_main(work: impl Future<Output = eyre::Result<()>>) -> ExitCode {
    crate::telemetry::init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the asynchronous runtime does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(work);
    // The work is done: do not wait for background tasks.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            eprintln!("error: {}", in_words(&report));
            ExitCode::FAILURE
        }
    }
}

/// The error and its causes, each of them once.
fn in_words(report: &eyre::Report) -> String {
    let mut words = String::new();
    for cause in report.chain() {
        let text = cause.to_string();
        if !words.contains(&text) {
            let separator = if words.is_empty() { "" } else { ": " };
            words = format!("{words}{separator}{text}");
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_said_once() {
        let report = eyre::eyre!("the disk is full")
            .wrap_err("model.bin cannot be written: the disk is full")
            .wrap_err("fetching");
        assert_eq!(in_words(&report), "fetching: model.bin cannot be written: the disk is full");
    }
}
