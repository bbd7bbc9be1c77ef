//! `fairshare-trainer evaluate`.

use std::path::{Path, PathBuf};

use clap::Args;
use eyre::{bail, WrapErr};
use fairshare_client::service::{print_json, print_line, OutputArgs};
use fairshare_protocol::{decode_export, decode_model, encoded_len, model_to_f32, FileKind, Specification};
use serde_json::to_value;

use crate::data::read_shard;
use crate::training::evaluate;

/// `fairshare-trainer evaluate`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare model fetch --project 0x.. --out model.safetensors
  fairshare-trainer evaluate --model model.safetensors --data data/held-out.safetensors --spec project.toml")]
pub(super) struct EvaluateArgs {
    /// Model file: the export (F32) or the fixed-point one (I64)
    #[arg(long, value_name = "FILE")]
    model: PathBuf,
    /// Shard file to measure on
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The project's specification: the owner's TOML, or the canonical JSON from IPFS
    #[arg(long, value_name = "FILE")]
    spec: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

impl EvaluateArgs {
    pub(super) fn run(self) -> eyre::Result<()> {
        let specification = read_specification(&self.spec)?;
        let parameters = read_model(&self.model, &specification)?;
        let data = read_shard(&self.data, &specification.model)?;
        let measured = evaluate(&specification.model, &parameters, &data)?;
        if self.output.json {
            print_json(&to_value(measured)?)?;
        } else {
            let percent = 100.0 * measured.accuracy;
            print_line(&format!(
                "accuracy {percent:.2} %, loss {:.4}, {} samples",
                measured.loss, measured.samples
            ))?;
        }
        Ok(())
    }
}

fn read_specification(path: &Path) -> eyre::Result<Specification> {
    let text =
        std::fs::read_to_string(path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    let read = if text.starts_with('{') {
        Specification::from_canonical_json(text.as_bytes())
    } else {
        Specification::from_toml(&text)
    };
    read.wrap_err_with(|| path.display().to_string())
}

/// The file's length tells the two kinds of model file apart.
fn read_model(path: &Path, specification: &Specification) -> eyre::Result<Vec<f32>> {
    let file = std::fs::read(path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    let model = &specification.model;
    let read = if file.len() == encoded_len(model, FileKind::Model)? {
        decode_model(model, &file).map(|values| model_to_f32(&values, specification.quantisation.scale_log2))
    } else {
        decode_export(model, &file)
    };
    let values =
        read.wrap_err_with(|| format!("{} is no model file of this specification", path.display()))?;
    if !values.iter().all(|value| value.is_finite()) {
        bail!("{} holds parameters that are not finite numbers: fetch the model again", path.display());
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairshare_protocol::{encode_export, encode_model, encode_update, Model};

    const TOML: &str = r#"
        name = "digits"
        model = { kind = "logistic", inputs = 4, classes = 3 }
        participation = { min_trainers = 5, max_trainers = 10, stake = "0 wei", bond = "1 wei" }
        reward = { rounds = 1, per_round = "1 wei", aggregator_fee = "0 wei" }
    "#;

    #[test]
    fn both_kinds_of_model_file_and_of_specification_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str, bytes: &[u8]| {
            std::fs::write(folder.path().join(name), bytes).unwrap();
            folder.path().join(name)
        };
        let specification = read_specification(&path("spec.toml", TOML.as_bytes())).unwrap();
        assert_eq!(
            read_specification(&path("spec.json", &specification.canonical_json())).unwrap(),
            specification
        );
        let model = &specification.model;
        let fixed: Vec<i64> = (0..15).map(|v| (v - 7) << 28).collect();
        let float = model_to_f32(&fixed, 14);
        let i64_file = path("i64", &encode_model(model, &fixed).unwrap());
        let f32_file = path("f32", &encode_export(model, &float).unwrap());
        assert_eq!(read_model(&i64_file, &specification).unwrap(), float);
        assert_eq!(read_model(&f32_file, &specification).unwrap(), float);

        let refuse = |file: PathBuf| format!("{:#}", read_model(&file, &specification).unwrap_err());
        assert!(
            refuse(path("i16", &encode_update(model, &[1; 15]).unwrap())).contains("i16 is no model file")
        );
        assert!(refuse(path("nan", &encode_export(model, &[f32::NAN; 15]).unwrap())).contains("not finite"));
        let other = Model::Logistic { inputs: 5, classes: 3 };
        assert!(refuse(path("other", &encode_export(&other, &[0.0; 18]).unwrap())).contains("shape"));
        assert!(format!("{:#}", read_specification(&path("bad.toml", b"name = 3")).unwrap_err())
            .contains("bad.toml"));
    }
}
