//! What the programs share: command-line arguments, events on stdout, waiting, moving a project on, and the exit code.

mod advance;
mod args;
mod backoff;
mod reporter;
mod run;
mod signal;

pub use advance::{unix_time, Advance};
pub use args::{DataArgs, NetworkArgs, OutputArgs, ProjectArgs, WalletArgs};
pub use backoff::Backoff;
pub use reporter::{print_json, print_line, Reporter};
pub use run::run_main;
pub use signal::until_told_to_stop;
