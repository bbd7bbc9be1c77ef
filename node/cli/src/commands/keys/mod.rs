//! `fairshare keys`.

mod inventory;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use fairshare_circuits::{AssessmentKeys, Import, ReferenceString};
use fairshare_client::service::{print_json, print_line, DataArgs, OutputArgs};
use fairshare_protocol::RuleName;
use serde_json::{json, Value};

use super::output::{text, Bar, Progress};
use inventory::{string_json, ListArgs, VerifyArgs, DEV};

/// `fairshare keys ..`
#[derive(Subcommand, Debug)]
pub(super) enum KeysCommand {
    /// Create development keys, whose secret is public, so that the first round need not wait for them
    #[command(after_help = "\
Example:
  fairshare keys make --dimension 21840 --slots 16

Intact existing files are kept. All keys that this creates are DEV: anyone can forge payments with them, and contracts
refuse them outside test chains.")]
    Make(MakeArgs),
    /// Import a ceremony's powers of tau (.ptau, bn128) as a reference string, after a check of every point used
    #[command(after_help = "\
Example:
  fairshare keys import powersOfTau28_hez_final_21.ptau --name hermez --sha256 1c43..

This checks that the points are the powers of one secret, not that the secret is unknown: compare the file's digest with the
published one, and see `snarkjs powersoftau verify` for the contributions.")]
    Import(ImportArgs),
    /// List the keys and reference strings of the data folder
    #[command(after_help = "Example:\n  fairshare keys list --json")]
    List(ListArgs),
    /// Verify every point of the keys and reference strings of the data folder
    #[command(after_help = "\
Example:
  fairshare keys verify
  fairshare keys verify ~/.local/share/fairshare/DEV-srs-16.bin

A proving key must have the sha256 that this build pins; a reference string must hold the consecutive powers of one
secret. Exit code 1 when a file fails.")]
    Verify(VerifyArgs),
}

#[derive(Args, Debug)]
#[group(id = "what", required = true, multiple = true, args = ["dimension", "slots"])]
pub(super) struct MakeArgs {
    /// Create the reference string for models with this many parameters
    #[arg(long, value_name = "D")]
    dimension: Option<usize>,
    /// Create the proving key of the circuit with this many slots; may be given several times
    #[arg(long, value_name = "N")]
    slots: Vec<u8>,
    /// Rule of those circuits; there are keys for agreement alone
    #[arg(long, value_name = "RULE", default_value = "agreement")]
    rule: RuleName,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// The .ptau file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the string: lower case letters, digits and hyphens; its file is srs-NAME.bin
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Refuse the file unless it has this sha256
    #[arg(long, value_name = "HEX", value_parser = parse_digest)]
    sha256: Option<[u8; 32]>,
    /// Take at most 2^K of its points
    #[arg(long, value_name = "K", default_value_t = 22, value_parser = clap::value_parser!(u32).range(6..=22))]
    max_log2: u32,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl KeysCommand {
    pub(super) fn run(self) -> eyre::Result<()> {
        match self {
            Self::Make(args) => args.run(),
            Self::Import(args) => args.run(),
            Self::List(args) => args.run(),
            Self::Verify(args) => args.run(),
        }
    }
}

impl MakeArgs {
    fn run(self) -> eyre::Result<()> {
        let folder = self.data.folder();
        let mut made = vec![];
        let mut report = |words: String, json: Value| {
            made.push(json);
            if self.output.json {
                Ok(())
            } else {
                print_line(&format!("{words}, in {} ({DEV})", folder.display()))
            }
        };
        if let Some(dimension) = self.dimension {
            let bar = Bar::start();
            let say = |what: &'static str, done: usize, all: usize| bar.say(what, done, all);
            let points = ReferenceString::open_dev_with(&folder, dimension, &say)?.g1.len();
            drop(bar);
            let json = json!({"kind": "reference string", "dev": true, "points": points});
            report(format!("reference string of {points} points"), json)?;
        }
        for slots in &self.slots {
            let rule = self.rule;
            let progress =
                Progress::start(&format!("opening or creating the DEV key for {rule}, {slots} slots"));
            let constraints = AssessmentKeys::open_dev(&folder, rule, *slots)?.constraints();
            drop(progress);
            let json = json!({
                "kind": "proving key", "dev": true, "rule": rule, "slots": slots, "constraints": constraints,
            });
            report(format!("proving key for {rule}, {slots} slots, {constraints} constraints"), json)?;
        }
        if self.output.json {
            print_json(&json!({"folder": text(&folder), "made": made}))?;
        }
        Ok(())
    }
}

impl ImportArgs {
    fn run(self) -> eyre::Result<()> {
        let import =
            Import { file: &self.file, name: &self.name, max_log2: self.max_log2, sha256: self.sha256 };
        let bar = Bar::start();
        let imported = ReferenceString::import_ptau(&self.data.folder(), &import, &|what, done, all| {
            bar.say(what, done, all)
        })?;
        drop(bar);
        if self.output.json {
            print_json(&string_json(&imported))?;
        } else {
            print_line(&format!("imported {} points as {}", imported.points, imported.path.display()))?;
            if let Some(source) = &imported.source {
                print_line(&format!("sha256 of the .ptau file: {}", hex::encode(source)))?;
            }
            print_line(
                "compare it with the digest that the ceremony published, unless you gave it as --sha256",
            )?;
        }
        Ok(())
    }
}

fn parse_digest(text: &str) -> Result<[u8; 32], String> {
    let mut digest = [0; 32];
    let text = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(text, &mut digest)
        .map_err(|error| format!("{error}; expected 64 hexadecimal digits"))?;
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser, Debug)]
    struct All {
        #[command(subcommand)]
        command: KeysCommand,
    }

    #[test]
    fn defaults_are_the_defaults() {
        let all = All::parse_from(["x", "import", "f.ptau", "--name", "n"]);
        let KeysCommand::Import(args) = all.command else { panic!("not import") };
        assert_eq!((args.sha256, args.max_log2), (None, 22));
    }

    #[test]
    fn making_nothing_and_text_that_is_no_digest_are_refused() {
        assert!(All::try_parse_from(["x", "make"]).is_err());
        assert!(All::try_parse_from(["x", "make", "--slots", "8", "--slots", "16"]).is_ok());
        assert!(All::try_parse_from(["x", "import", "f", "--name", "n", "--max-log2", "23"]).is_err());
        let refused = All::try_parse_from(["x", "import", "f", "--name", "n", "--sha256", "12"]).unwrap_err();
        assert!(refused.to_string().contains("64 hexadecimal digits"), "{refused}");
        assert_eq!(parse_digest(&format!("0x{}", "ab".repeat(32))), Ok([0xab; 32]));
    }
}
