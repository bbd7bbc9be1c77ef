//! `fairshare keys`.

use std::io::{stderr, IsTerminal};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use eyre::ensure;
use fairshare_circuits::{
    data_files, describe_string, verify_proving_key, verify_string, AssessmentKeys, CommittedKeys, DataFile,
    DataKind, Import, ReferenceString, StringFile,
};
use fairshare_client::service::{print_json, print_line, DataArgs, OutputArgs};
use fairshare_protocol::RuleName;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{json, Value};

use super::output::{hash, table, text, Progress};

/// What stands beside every development key.
const DEV: &str = "DEV: anybody knows its secret, for test chains only";

/// `fairshare keys ..`
#[derive(Subcommand, Debug)]
pub(super) enum KeysCommand {
    /// Make development keys, whose secret anybody knows, so that the first round need not wait for them
    #[command(after_help = "\
Example:
  fairshare keys make --dimension 21840 --slots 16

Files that are there and whole are kept. Everything that this makes is DEV: anybody can forge pay under it, and contracts
refuse it outside test chains.")]
    Make(MakeArgs),
    /// Import a ceremony's powers of tau (.ptau, bn128) as a reference string, after checking every point that is used
    #[command(after_help = "\
Example:
  fairshare keys import powersOfTau28_hez_final_21.ptau --name hermez --sha256 1c43..

This checks that the points are the powers of one secret, not that nobody knows it: compare the file's digest with the
published one, and see `snarkjs powersoftau verify` for the contributions.")]
    Import(ImportArgs),
    /// List the keys and reference strings of the data folder
    #[command(after_help = "Example:\n  fairshare keys list --json")]
    List(ListArgs),
    /// Check the keys and reference strings of the data folder, every point of them
    #[command(after_help = "\
Example:
  fairshare keys verify
  fairshare keys verify ~/.local/share/fairshare/DEV-srs-16.bin

A proving key must have the sha256 that this build pins; a reference string must hold the consecutive powers of one
secret. Exit code 1 when any does not.")]
    Verify(VerifyArgs),
}

#[derive(Args, Debug)]
#[group(id = "what", required = true, multiple = true, args = ["dimension", "slots"])]
pub(super) struct MakeArgs {
    /// Make the reference string for models of so many parameters
    #[arg(long, value_name = "D")]
    dimension: Option<usize>,
    /// Make the proving key of the circuit with so many slots; may be given several times
    #[arg(long, value_name = "N")]
    slots: Vec<u8>,
    /// Rule of those circuits: agreement or multi-krum
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
    /// Name of the string: lower case letters, digits and hyphens; it is kept as srs-NAME.bin
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Refuse the file unless this is its sha256
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

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// Files to check [default: all keys and reference strings of the data folder]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
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
        let mut tell = |words: String, json: Value| {
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
            tell(format!("reference string of {points} points"), json)?;
        }
        for slots in &self.slots {
            let rule = self.rule;
            let progress =
                Progress::start(&format!("opening or making the DEV key for {rule}, {slots} slots"));
            let constraints = AssessmentKeys::open_dev(&folder, rule, *slots)?.constraints();
            drop(progress);
            let json = json!({
                "kind": "proving key", "dev": true, "rule": rule, "slots": slots, "constraints": constraints,
            });
            tell(format!("proving key for {rule}, {slots} slots, {constraints} constraints"), json)?;
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
                "compare it with the one that the ceremony published, unless you gave it as --sha256",
            )?;
        }
        Ok(())
    }
}

impl ListArgs {
    fn run(self) -> eyre::Result<()> {
        let folder = self.data.folder();
        let files = data_files(&folder)?;
        let described: Vec<_> = files.iter().map(describe).collect();
        if self.output.json {
            let files: Vec<_> = described.into_iter().map(|(_, json)| json).collect();
            return Ok(print_json(&json!({"folder": text(&folder), "files": files}))?);
        }
        print_line(&folder.display().to_string())?;
        let mut rows = table(&["file", "size", "what"]);
        let mut total = 0;
        for (file, (words, _)) in files.iter().zip(&described) {
            rows.add_row([file_name(&file.path), size(file.bytes), words.clone()]);
            total += file.bytes;
        }
        rows.add_row(["all".to_owned(), size(total), String::new()]);
        print_line(&rows.to_string())?;
        Ok(())
    }
}

impl VerifyArgs {
    fn run(self) -> eyre::Result<()> {
        let paths = if self.files.is_empty() {
            let keys =
                data_files(&self.data.folder())?.into_iter().filter(|file| file.kind != DataKind::Other);
            keys.map(|file| file.path).collect()
        } else {
            self.files
        };
        // The keys that are compiled in: the manifest pins each verifying key and all of them together.
        let committed = CommittedKeys::try_load()?;
        let (mut faults, mut checked) = (0, vec![]);
        for path in &paths {
            let (fault, words) = match verify(path) {
                Ok(words) => (None, words),
                Err(error) => {
                    faults += 1;
                    (Some(error.to_string()), format!("REFUSED: {error}"))
                }
            };
            if !self.output.json {
                print_line(&format!("{}: {words}", file_name(path)))?;
            }
            checked.push(json!({"file": text(path), "good": fault.is_none(), "fault": fault}));
        }
        if self.output.json {
            print_json(&json!({"keys_hash": hash(&committed.hash()), "dev": true, "files": checked}))?;
        } else {
            print_line(&format!(
                "verifying keys of this build: pinned, keys hash {} ({DEV})",
                hash(&committed.hash())
            ))?;
        }
        ensure!(faults == 0, "{faults} of {} files are refused", paths.len());
        Ok(())
    }
}

/// The full check of a file; what it is, in words.
fn verify(path: &Path) -> eyre::Result<String> {
    if path.extension().is_some_and(|extension| extension == "pk") {
        let (rule, slots) = verify_proving_key(path)?;
        return Ok(format!("the pinned proving key for {rule}, {slots} slots ({DEV})"));
    }
    let bar = Bar::start();
    Ok(string_words(&verify_string(path, &|what, done, all| bar.say(what, done, all))?))
}

fn describe(file: &DataFile) -> (String, Value) {
    let other = |kind: &str| json!({"file": text(&file.path), "kind": kind, "bytes": file.bytes});
    match file.kind {
        DataKind::ReferenceString => match describe_string(&file.path) {
            Ok(string) => (string_words(&string), string_json(&string)),
            Err(error) => {
                let mut json = other("reference string");
                json["fault"] = error.to_string().into();
                ("damaged or outdated: see `fairshare keys verify`".to_owned(), json)
            }
        },
        DataKind::ProvingKey => {
            let dev = file_name(&file.path).starts_with("DEV-");
            let mut json = other("proving key");
            json["dev"] = dev.into();
            (if dev { format!("proving key ({DEV})") } else { "proving key".to_owned() }, json)
        }
        DataKind::Other => ("no key".to_owned(), other("other")),
    }
}

fn string_words(string: &StringFile) -> String {
    let points = string.points;
    match &string.source {
        None => format!("reference string of {points} points ({DEV})"),
        Some(source) => format!(
            "reference string of {points} points, from a .ptau file with sha256 {}",
            hex::encode(source)
        ),
    }
}

fn string_json(string: &StringFile) -> Value {
    json!({
        "file": text(&string.path),
        "kind": "reference string",
        "dev": string.dev,
        "points": string.points,
        "bytes": string.bytes,
        "digest": hex::encode(string.digest),
        "source_sha256": string.source.map(hex::encode),
    })
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

fn parse_digest(text: &str) -> Result<[u8; 32], String> {
    let mut digest = [0; 32];
    let text = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(text, &mut digest)
        .map_err(|error| format!("{error}; expected 64 hexadecimal digits"))?;
    Ok(digest)
}

/// How far the work on a reference string is, on stderr; silent where that is no terminal.
struct Bar(ProgressBar);

impl Bar {
    fn start() -> Self {
        let bar = if stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {percent} % ({elapsed})")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self(bar)
    }

    fn say(&self, what: &'static str, done: usize, all: usize) {
        self.0.set_message(what);
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
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
    fn making_nothing_and_a_digest_that_is_none_are_refused() {
        assert!(All::try_parse_from(["x", "make"]).is_err());
        assert!(All::try_parse_from(["x", "make", "--slots", "8", "--slots", "16"]).is_ok());
        assert!(All::try_parse_from(["x", "import", "f", "--name", "n", "--max-log2", "23"]).is_err());
        let refused = All::try_parse_from(["x", "import", "f", "--name", "n", "--sha256", "12"]).unwrap_err();
        assert!(refused.to_string().contains("64 hexadecimal digits"), "{refused}");
        assert_eq!(parse_digest(&format!("0x{}", "ab".repeat(32))), Ok([0xab; 32]));
    }

    #[test]
    fn what_is_made_is_listed_and_verified_and_what_is_damaged_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("DEV-srs-6.bin");
        ReferenceString::open_dev(folder.path(), 10).unwrap();
        std::fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        let files = data_files(folder.path()).unwrap();
        assert_eq!(files.len(), 2);
        let (words, json) = describe(&files[0]);
        assert!(words.contains("64 points") && words.contains("DEV"), "{words}");
        assert_eq!((json["points"].as_u64(), json["dev"].as_bool()), (Some(64), Some(true)));
        assert!(verify(&path).unwrap().contains("64 points"));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[700] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(verify(&path).unwrap_err().to_string().contains("differ from their digest"));
        let command = All::parse_from(["x", "verify", "--data-folder", &text(folder.path())]).command;
        assert_eq!(command.run().unwrap_err().to_string(), "1 of 1 files are refused");
        std::fs::write(folder.path().join("agreement-8.pk"), "a key of somebody").unwrap();
        assert!(verify(&folder.path().join("agreement-8.pk"))
            .unwrap_err()
            .to_string()
            .contains("no key of this name"));
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(
            [12, 1_500, 134_218_240, 2_000_000_000].map(size),
            ["12 B", "1.5 kB", "134.2 MB", "2.00 GB"]
        );
    }
}
