//! `fairshare keys list` and `fairshare keys verify`.

use std::path::{Path, PathBuf};

use clap::Args;
use eyre::ensure;
use fairshare_circuits::{
    data_files, describe_string, verify_proving_key, verify_string, DataFile, DataKind, PinnedKeys,
    StringFile,
};
use fairshare_client::service::{print_json, print_line, DataArgs, OutputArgs};
use serde_json::{json, Value};

use super::super::output::{hash, table, text, Bar};

/// Printed beside every development key.
pub(super) const DEV: &str = "DEV: its secret is public, for test chains only";

#[derive(Args, Debug)]
pub(in crate::commands) struct ListArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args, Debug)]
pub(in crate::commands) struct VerifyArgs {
    /// Files to check [default: all keys and reference strings of the data folder]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl ListArgs {
    pub(super) fn run(self) -> eyre::Result<()> {
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
    pub(super) fn run(self) -> eyre::Result<()> {
        let paths = if self.files.is_empty() {
            let keys =
                data_files(&self.data.folder())?.into_iter().filter(|file| file.kind != DataKind::Other);
            keys.map(|file| file.path).collect()
        } else {
            self.files
        };
        // The compiled-in keys: the manifest pins each verifying key and all of them together.
        let committed = PinnedKeys::try_load()?;
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

/// Checks a file in full and describes it.
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
        DataKind::Other => ("not a key".to_owned(), other("other")),
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

pub(super) fn string_json(string: &StringFile) -> Value {
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use fairshare_circuits::ReferenceString;

    #[derive(Parser)]
    struct Verify {
        #[command(flatten)]
        args: VerifyArgs,
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
        let verify_all = Verify::parse_from(["verify", "--data-folder", &text(folder.path())]).args;
        assert_eq!(verify_all.run().unwrap_err().to_string(), "1 of 1 files are refused");
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
