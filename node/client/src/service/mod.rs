//! What the programs share: command-line arguments, events on stdout, waiting, moving a project on, and the exit code.

mod advance;
mod args;
mod backoff;
mod clock;
#[cfg(test)]
mod fixture;
mod reporter;
mod run;
mod session;
mod shutdown;

pub use advance::Advance;
pub use args::{DataArgs, NetworkArgs, OutputArgs, ProjectArgs, WalletArgs};
pub use backoff::Backoff;
pub use clock::Clock;
pub use reporter::{add_amounts, print_json, print_line, Reporter};
pub use run::run_main;
pub use session::{Session, SessionError};
pub use shutdown::Stop;
