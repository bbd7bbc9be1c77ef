//! `fairshare-setup`: generates all development keys and pins them.

use clap::{Parser, Subcommand};
use eyre::{ensure, Result, WrapErr};
use fairshare_circuits::pin;
use std::path::PathBuf;
use std::time::Instant;

/// Pins the Groth16 keys of the assessment circuits. All keys generated here are DEV keys: their secret is
/// public, and contracts refuse them outside test chains.
#[derive(Debug, Parser)]
#[command(name = "fairshare-setup", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Generates all DEV keys and writes the files that pin them: circuits/keys/ and
    /// contracts/src/verifiers/<Rule>Key<N>.sol. Takes minutes. Needed when the circuit has changed; contracts must
    /// then be deployed again.
    Pin {
        /// The repository.
        #[arg(long, value_name = "PATH", default_value = ".")]
        root: PathBuf,
    },
}

fn main() -> Result<()> {
    match Args::parse().command {
        Command::Pin { root } => write_pins(&root),
    }
}

fn write_pins(root: &std::path::Path) -> Result<()> {
    ensure!(
        root.join("circuits/keys").is_dir() && root.join("contracts/src").is_dir(),
        "{} is not the repository: run this in its root, or name it with --root",
        root.display()
    );
    let started = Instant::now();
    let files = pin(|circuit| {
        eprintln!("[{:6.1} s] generating the DEV keys for {circuit}", started.elapsed().as_secs_f64());
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
    }
}
