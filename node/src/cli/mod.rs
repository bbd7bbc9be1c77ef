//! The parts of a command line that all programs share, and the commands of `fairshare`.

mod args;
mod audit;
mod command;
#[cfg(feature = "embedded")]
mod devnet;
#[cfg(feature = "embedded")]
mod ipfs;
mod join;
mod keys;
mod model;
mod output;
mod project;
mod project_create;
mod project_show;
mod run;
mod shutdown;
mod wallet;
mod withdraw;

pub use args::{DataArgs, NetworkArgs, OutputArgs, ProjectArgs, WalletArgs};
pub use command::Fairshare;
pub use output::{print_json, print_line, table, Progress, Reporter};
pub use run::run_main;
pub use shutdown::Stop;
