//! `fairshare-trainer data split`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use eyre::{bail, WrapErr};
use fairshare_client::service::{print_json, print_line, OutputArgs};
use serde_json::{json, Value};

use crate::data::{digits, split, write_shard, Dataset, SplitPlan, DIGITS_CLASSES};

/// `fairshare-trainer data ..`
#[derive(Subcommand, Debug)]
pub(super) enum DataCommand {
    /// Deal a data set out to trainers, unevenly as in life, with a held-out share for measuring
    Split(SplitArgs),
}

/// Data sets that come with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DatasetName {
    /// UCI handwritten digits: 1797 images of 8x8, 10 classes
    Digits,
}

/// `fairshare-trainer data split`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare-trainer data split --dataset digits --trainers 10 --alpha 0.5 --seed 7 --held-out 0.2 --out data

Writes data/shard-1.safetensors to data/shard-10.safetensors and data/held-out.safetensors: `features` F32 [m, 64] and
`labels` I64 [m]. The same options give the same files. Your own data goes into a file of the same form.")]
pub(super) struct SplitArgs {
    /// Which data set
    #[arg(long, value_enum, default_value = "digits")]
    dataset: DatasetName,
    /// Number of shards
    #[arg(long, default_value_t = 10)]
    trainers: usize,
    /// How uneven the classes are: near 0 each goes to one shard, 100 is nearly even
    #[arg(long, default_value_t = 0.5)]
    alpha: f64,
    /// The same seed gives the same split
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Share of every class that no shard gets
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    held_out: f64,
    /// Folder to write into; made where it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

impl DataCommand {
    pub(super) fn run(self) -> eyre::Result<()> {
        match self {
            Self::Split(args) => args.run(),
        }
    }
}

impl SplitArgs {
    fn run(self) -> eyre::Result<()> {
        let (data, classes) = match self.dataset {
            DatasetName::Digits => (digits(), DIGITS_CLASSES),
        };
        let plan =
            SplitPlan { shards: self.trainers, alpha: self.alpha, held_out: self.held_out, seed: self.seed };
        let parts = split(&data, &plan)?;
        let mut files: Vec<(String, &Dataset)> = parts
            .shards
            .iter()
            .enumerate()
            .map(|(i, s)| (format!("shard-{}.safetensors", i + 1), s))
            .collect();
        files.push(("held-out.safetensors".into(), &parts.held_out));

        std::fs::create_dir_all(&self.out)
            .wrap_err_with(|| format!("{} cannot be made", self.out.display()))?;
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        refuse_leftovers(&self.out, &names)?;
        let mut described = Vec::new();
        for (name, part) in &files {
            let path = self.out.join(name);
            write_shard(&path, part)?;
            described.push(json!({
                "path": path.display().to_string(),
                "samples": part.len(),
                "classes": part.class_counts(classes as usize),
            }));
        }
        let held_out = described.pop();
        if self.output.json {
            print_json(&json!({ "shards": described, "held_out": held_out }))?;
            return Ok(());
        }
        for part in described.iter().chain(&held_out) {
            print_line(&line(part))?;
        }
        Ok(())
    }
}

/// A shard of another split may hold samples that this one holds out.
fn refuse_leftovers(folder: &Path, names: &[&str]) -> eyre::Result<()> {
    for entry in std::fs::read_dir(folder).wrap_err_with(|| format!("{} cannot be read", folder.display()))? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".safetensors") && !names.contains(&name.as_ref()) {
            bail!(
                "{} holds {name}, which is no part of this split: choose an empty folder with --out",
                folder.display()
            );
        }
    }
    Ok(())
}

fn line(part: &Value) -> String {
    let counts: Vec<String> =
        part["classes"].as_array().into_iter().flatten().map(ToString::to_string).collect();
    let path = part["path"].as_str().unwrap_or_default();
    format!("{path}  {} samples, by class: {}", part["samples"], counts.join(" "))
}
