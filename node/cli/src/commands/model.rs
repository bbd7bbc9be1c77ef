//! `fairshare model`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use eyre::{ensure, eyre, WrapErr};
use fairshare_circuits::G1Affine;
use fairshare_client::files::replace;
use fairshare_client::rebuild::recompute_model;
use fairshare_client::service::{print_json, print_line, DataArgs, Session};
use fairshare_client::{fetch_model, format_point, ContentId, Project};
use fairshare_protocol::{encode_export, encode_model, model_to_f32, FileKind};
use serde_json::json;

use super::open::{ReadArgs, SendArgs};
use super::output::{hash, reference_string, text, Progress};

/// `fairshare model ..`
#[derive(Subcommand, Debug)]
pub(super) enum ModelCommand {
    /// Fetch a project's model from IPFS and check it against its commitment on the chain
    #[command(after_help = "\
Example:
  fairshare model fetch --project 0x.. --out model.safetensors
  fairshare model fetch --project 0x.. --out first.safetensors --round 0

The file holds the model's tensors as F32, for any reader of safetensors; with --fixed-point it is the I64 file whose
bytes the chain commits to. Nothing is written unless the commitment matches.")]
    Fetch(FetchArgs),
    /// Recompute a withheld model from its updates, add it to IPFS, and publish that on the chain
    #[command(after_help = "\
Example:
  fairshare model publish --project 0x.. --wallet me.json --password-file password

For the model of the last settled round, while its fee is open (phases commit, reveal and closing). This wallet earns the fee
when more than half of the trainers attest that they fetched its file. Keep the IPFS node running.")]
    Publish(PublishArgs),
}

#[derive(Args, Debug)]
pub(super) struct PublishArgs {
    #[command(flatten)]
    send: SendArgs,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Args, Debug)]
pub(super) struct FetchArgs {
    /// The file to write; an existing one is replaced
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The model after this round; 0 is the first model [default: the newest]
    #[arg(long, value_name = "ROUND")]
    round: Option<u64>,
    /// Write the fixed-point file itself
    #[arg(long)]
    fixed_point: bool,
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    data: DataArgs,
}

impl ModelCommand {
    pub(super) async fn run(self) -> eyre::Result<()> {
        match self {
            Self::Fetch(args) => args.run().await,
            Self::Publish(args) => args.run().await,
        }
    }
}

impl PublishArgs {
    async fn run(self) -> eyre::Result<()> {
        let Session { project, store, specification: spec } = self.send.session().await?;
        let open = project.open_model().await?;
        ensure!(open.round != 0, "no fee of a model file is open, so there is nothing to publish");
        let status = project.status().await?;
        let progress = Progress::start("opening the reference string");
        let srs = reference_string(&self.data, spec.model.dimension(), &progress)?;
        progress.say("recomputing the model from the updates and checking its commitment");
        let model = recompute_model(&project, &store, &spec, &srs, &status).await?;
        let id = store.add(&encode_model(&spec.model, &model)?).await?;
        drop(progress);
        let receipt = project.publish_model(id.digest()).await?;
        let (transaction, gas, round) = (hash(&receipt.transaction), receipt.gas_used, open.round);
        if self.send.read.output.json {
            print_json(
                &json!({"transaction": transaction, "gas": gas, "cid": id.to_string(), "round": round}),
            )?;
        } else {
            let fee = project.terms().money(open.fee);
            print_line(&format!(
                "the model after round {round} is on IPFS as {id}; the fee of {fee} is paid when more than half of the trainers attest it (transaction {transaction}, {gas} gas)"
            ))?;
        }
        Ok(())
    }
}

impl FetchArgs {
    async fn run(self) -> eyre::Result<()> {
        let Session { project, store, specification: spec } = self.read.session().await?;
        let (round, commitment, cid) = which(&project, self.round).await?;
        let progress = Progress::start("opening the reference string");
        let srs = reference_string(&self.data, spec.model.dimension(), &progress)?;
        progress.say("fetching the model and checking its commitment");
        let model = fetch_model(&project, &store, &spec, &commitment, cid, &srs).await?;
        drop(progress);
        let file = encode_model(&spec.model, &model)?;
        let id = ContentId::from_digest(cid, file.len());
        let file = if self.fixed_point {
            file
        } else {
            encode_export(&spec.model, &model_to_f32(&model, spec.quantisation.scale_log2))?
        };
        write(&self.out, &file).wrap_err_with(|| format!("{} cannot be written", self.out.display()))?;
        let commitment = format_point(&commitment);
        if self.read.output.json {
            let path = text(&self.out);
            print_json(
                &json!({"path": path, "cid": id.to_string(), "commitment": commitment, "round": round}),
            )?;
        } else {
            let form = if self.fixed_point { FileKind::Model } else { FileKind::Export };
            let numbers = if form == FileKind::Model { "I64 fixed point" } else { "F32" };
            let what =
                if round == 0 { "the first model".into() } else { format!("the model after round {round}") };
            print_line(&format!("{}: {what}, {} parameters, {numbers}", self.out.display(), model.len()))?;
            print_line(&format!("its commitment matches the chain: {commitment}"))?;
        }
        Ok(())
    }
}

/// Round, commitment and CID's digest of the model after `round`, or of the newest.
async fn which(project: &Project, round: Option<u64>) -> eyre::Result<(u64, G1Affine, [u8; 32])> {
    if round == Some(0) {
        let terms = project.terms();
        return Ok((0, terms.model, terms.model_cid));
    }
    let settled = project.settlements().await?;
    match round {
        None => {
            let status = project.status().await?;
            let newest =
                settled.iter().rev().find(|s| s.model == status.model && s.model_cid == status.model_cid);
            Ok((newest.map_or(0, |s| s.round), status.model, status.model_cid))
        }
        Some(round) => {
            let rounds: Vec<_> = settled.iter().map(|s| s.round.to_string()).collect();
            let rounds = if rounds.is_empty() { "none".into() } else { rounds.join(", ") };
            let found = settled.iter().find(|s| s.round == round);
            let found = found.ok_or_else(|| {
                eyre!("round {round} has no model; settled rounds: {rounds}; 0 is the first model")
            })?;
            Ok((round, found.model, found.model_cid))
        }
    }
}

/// Writes the file and creates its folder if missing.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    replace(path, bytes)
}
