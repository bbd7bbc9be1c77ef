//! `fairshare-setup`: makes development keys and pins them.

use clap::{Parser, Subcommand};
use eyre::{ensure, Result, WrapErr};
use fairshare_circuits::{default_data_folder, pin, AssessmentKeys, KEY_SIZES};
use std::path::PathBuf;
use std::time::Instant;

/// Makes and pins the Groth16 keys of the assessment circuits. All keys made here are DEV keys: anybody knows their
/// secret, and contracts refuse them outside test chains.
#[derive(Debug, Parser)]
#[command(name = "fairshare-setup", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes the DEV proving keys, where they are not there yet, so that the first round need not wait for them.
    Keys {
        /// Slots of the circuit: 8, 16, 32 or 64. May be given several times; all when it is not given.
        #[arg(long, value_name = "N")]
        size: Vec<u8>,
        /// Where the keys are kept. Default: the environment's FAIRSHARE_DATA, else the user's data folder.
        #[arg(long, value_name = "PATH")]
        folder: Option<PathBuf>,
    },
    /// Makes all DEV keys anew and writes what pins them: circuits/keys/ and contracts/src/verifiers/AgreementKey<N>.sol.
    /// Takes minutes. Needed when the circuit has changed; contracts must then be deployed anew.
    Pin {
        /// The repository.
        #[arg(long, value_name = "PATH", default_value = ".")]
        root: PathBuf,
    },
}

fn main() -> Result<()> {
    match Args::parse().command {
        Command::Keys { size, folder } => {
            let folder = folder.unwrap_or_else(default_data_folder);
            let sizes = if size.is_empty() { KEY_SIZES.to_vec() } else { size };
            sizes.into_iter().try_for_each(|size| make_keys(&folder, size))
        }
        Command::Pin { root } => write_pins(&root),
    }
}

fn make_keys(folder: &std::path::Path, size: u8) -> Result<()> {
    let started = Instant::now();
    eprintln!("DEV keys for {size} slots: opening or making them in {}", folder.display());
    let keys = AssessmentKeys::open_dev(folder, size)?;
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("DEV keys for {size} slots: {} constraints, ready after {seconds:.1} s", keys.constraints());
    Ok(())
}

fn write_pins(root: &std::path::Path) -> Result<()> {
    ensure!(
        root.join("circuits/keys").is_dir() && root.join("contracts/src").is_dir(),
        "{} is not the repository: run this in its root, or name it with --root",
        root.display()
    );
    let started = Instant::now();
    let files = pin(|size| {
        eprintln!("[{:6.1} s] making the DEV keys for {size} slots", started.elapsed().as_secs_f64());
    })?;
    for file in files {
        let path = root.join(&file.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).wrap_err_with(|| format!("folder {}", folder.display()))?;
        }
        std::fs::write(&path, &file.contents).wrap_err_with(|| format!("file {}", path.display()))?;
        println!("{}", file.path);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Args::command().debug_assert();
        let args = Args::parse_from(["fairshare-setup", "pin"]);
        assert!(matches!(args.command, Command::Pin { root } if root.as_os_str() == "."));
        let args = Args::parse_from(["fairshare-setup", "keys", "--size", "8", "--size", "16"]);
        assert!(matches!(args.command, Command::Keys { size, folder: None } if size == [8, 16]));
    }
}
