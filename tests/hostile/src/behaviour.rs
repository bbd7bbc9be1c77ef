//! What hostile trainers do.

use std::borrow::Cow;

use fairshare_circuits::{G1Affine, RangeError, RangeProofWords, RangeStatement, ReferenceString};
use fairshare_protocol::{encode_update, Model, SlotMask, TensorError};
use fairshare_trainer::{Conduct, Dataset, Duty, Honest, RoundSeed};
use rand::Rng;
use rand_distr::StandardNormal;

use crate::field_elements::field_elements;

/// How a hostile trainer cheats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Behaviour {
    /// Posts its update negated
    SignFlip,
    /// Posts its update times -4
    ScaledFlip,
    /// Posts gaussian noise of its honest update's norm
    Noise,
    /// Trains on `classes - 1 - label` (9 - label for digits)
    LabelFlip,
    /// Does not train and posts a tiny random update
    FreeRider,
    /// Posts a file that does not match its commitment
    WrongBytes,
    /// Posts the file of another model
    WrongShape,
    /// Posts a file that is larger than an update can be
    Oversized,
    /// Reveals, and never puts the file on IPFS
    WithholdBytes,
    /// Commits to field elements that are not small integers, which change no product of updates
    FieldElements,
    /// Attests nothing
    AttestNothing,
    /// Leaves two honest slots out of its attestation and claims files that it could not fetch
    AttestFalsely,
    /// Joins and never commits
    Silent,
    /// Commits and never reveals
    NoReveal,
    /// Commits another trainer's commitment, and reveals that trainer's CID as its own
    Copycat,
}

/// Entries of a free rider's update lie in `-FREE_RIDE..=FREE_RIDE`.
const FREE_RIDE: i16 = 3;
/// Bytes that an oversized file has beyond the length of an update's file.
const OVERSIZE: usize = 1 << 20;

impl Conduct for Behaviour {
    fn training_data<'a>(&self, data: &'a Dataset, model: &Model) -> Cow<'a, Dataset> {
        match self {
            Self::LabelFlip => Cow::Owned(data.relabelled(|label| i64::from(model.classes()) - 1 - label)),
            _ => Cow::Borrowed(data),
        }
    }

    fn committed_update(&self, trained: Vec<i16>, seed: &RoundSeed) -> Vec<i16> {
        match self {
            Self::SignFlip => trained.iter().map(|u| u.saturating_neg()).collect(),
            Self::ScaledFlip => trained.iter().map(|u| u.saturating_mul(-4)).collect(),
            Self::Noise => noise_like(&trained, &mut seed.stream("noise")),
            Self::FreeRider => {
                let mut rng = seed.stream("free rider");
                trained.iter().map(|_| rng.gen_range(-FREE_RIDE..=FREE_RIDE)).collect()
            }
            _ => trained,
        }
    }

    fn posted_file(&self, model: &Model, update: &[i16]) -> Result<Vec<u8>, TensorError> {
        match self {
            Self::WrongBytes => {
                let mut other = update.to_vec();
                if let Some(first) = other.first_mut() {
                    *first = first.wrapping_add(1);
                }
                encode_update(model, &other)
            }
            Self::WrongShape => {
                let other = Model::Logistic { inputs: model.inputs() + 1, classes: model.classes() };
                encode_update(&other, &vec![1; other.dimension()])
            }
            Self::Oversized => {
                let mut file = encode_update(model, update)?;
                file.resize(file.len() + OVERSIZE, 0);
                Ok(file)
            }
            _ => encode_update(model, update),
        }
    }

    fn commitment(
        &self,
        reference: &ReferenceString,
        statement: RangeStatement,
        update: &[i16],
    ) -> Result<Option<(G1Affine, RangeProofWords)>, RangeError> {
        match self {
            Self::FieldElements => field_elements(reference, statement, update).map(Some),
            _ => Honest.commitment(reference, statement, update),
        }
    }

    fn attested_mask(&self, revealed: SlotMask, good: SlotMask, own: SlotMask) -> SlotMask {
        match self {
            Self::AttestFalsely => {
                let left_out: SlotMask = (good - own).iter().take(2).collect();
                (revealed - left_out) | own
            }
            _ => Honest.attested_mask(revealed, good, own),
        }
    }

    fn refuses(&self, duty: Duty) -> Option<&'static str> {
        match (self, duty) {
            (Self::Silent, Duty::Commit) => Some("this trainer is silent on purpose (--behaviour silent)"),
            (Self::NoReveal, Duty::Reveal) => {
                Some("this trainer does not reveal, on purpose (--behaviour no-reveal)")
            }
            (Self::WithholdBytes, Duty::PostFile) => {
                Some("this trainer withholds its file, on purpose (--behaviour withhold-bytes)")
            }
            (Self::AttestNothing, Duty::Attest) => {
                Some("this trainer attests nothing, on purpose (--behaviour attest-nothing)")
            }
            (Self::AttestFalsely, Duty::NameSource) => {
                Some("this trainer names no source, on purpose (--behaviour attest-falsely)")
            }
            _ => None,
        }
    }
}

/// Gaussian noise of the norm of `update`, up to rounding.
fn noise_like(update: &[i16], rng: &mut impl Rng) -> Vec<i16> {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let wanted = norm(&mut update.iter().map(|u| f64::from(*u)));
    let draws: Vec<f64> = update.iter().map(|_| rng.sample(StandardNormal)).collect();
    let factor = wanted / norm(&mut draws.iter().copied()).max(f64::MIN_POSITIVE);
    // The conversion saturates: noise cannot leave 16 bits.
    draws.iter().map(|d| (d * factor).round_ties_even() as i16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;
    use fairshare_protocol::{decode_update, encoded_len, FileKind, Specification};
    use fairshare_trainer::{digits, local_update, HyperParameters};

    const MODEL: Model = Model::Mlp { inputs: 6, hidden: 5, classes: 3 };
    const SEED: RoundSeed = RoundSeed { seed: 1, project: [2; 20], round: 3 };

    fn trained() -> Vec<i16> {
        (0..MODEL.dimension() as i16).map(|i| i * 41 - 700).collect()
    }

    fn squares(update: &[i16]) -> f64 {
        update.iter().map(|u| f64::from(*u).powi(2)).sum()
    }

    #[test]
    fn flips_point_the_other_way_and_do_not_overflow() {
        assert_eq!(Behaviour::SignFlip.committed_update(vec![5, -7, i16::MIN], &SEED), [-5, 7, i16::MAX]);
        assert_eq!(
            Behaviour::ScaledFlip.committed_update(vec![5, -7, i16::MIN, 9000], &SEED),
            [-20, 28, i16::MAX, i16::MIN]
        );
        let data = Dataset::new(vec![0.0; 3], vec![0, 1, 2], 1).unwrap();
        assert_eq!(Behaviour::LabelFlip.training_data(&data, &MODEL).labels(), [2, 1, 0]);
        assert_eq!(Behaviour::SignFlip.training_data(&data, &MODEL).labels(), [0, 1, 2]);
    }

    #[test]
    fn noise_has_the_honest_norm_and_no_direction() {
        let honest: Vec<i16> = (0..4000).map(|i| (i % 601) as i16 - 300).collect();
        let noise = Behaviour::Noise.committed_update(honest.clone(), &SEED);
        assert!((squares(&noise) / squares(&honest) - 1.0).abs() < 0.01);
        let product: f64 = noise.iter().zip(&honest).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        assert!((product / squares(&honest)).abs() < 0.06);
        assert_eq!(noise, Behaviour::Noise.committed_update(honest.clone(), &SEED));
        assert_ne!(noise, Behaviour::Noise.committed_update(honest, &RoundSeed { round: 4, ..SEED }));
        assert_eq!(Behaviour::Noise.committed_update(vec![0; 8], &SEED), [0; 8]);
    }

    #[test]
    fn a_free_rider_posts_little() {
        let update = Behaviour::FreeRider.committed_update(trained(), &SEED);
        assert_eq!(update.len(), MODEL.dimension());
        assert!(update.iter().all(|u| u.abs() <= 3) && update.iter().any(|u| *u != 0));
    }

    #[test]
    fn wrong_files_are_wrong_in_the_way_that_they_are_named_for() {
        let file = |behaviour: Behaviour| behaviour.posted_file(&MODEL, &trained()).unwrap();
        assert_eq!(decode_update(&MODEL, &file(Behaviour::SignFlip)).unwrap(), trained());
        let other = decode_update(&MODEL, &file(Behaviour::WrongBytes)).unwrap();
        assert_eq!((other[0], &other[1..]), (trained()[0] + 1, &trained()[1..]));
        assert!(decode_update(&MODEL, &file(Behaviour::WrongShape)).is_err());
        assert!(
            file(Behaviour::Oversized).len() > encoded_len(&MODEL, FileKind::Update).unwrap() + 1_000_000
        );
        // The other behaviours misbehave elsewhere; their files are in order.
        for behaviour in Behaviour::value_variants() {
            if !matches!(behaviour, Behaviour::WrongBytes | Behaviour::WrongShape | Behaviour::Oversized) {
                assert!(decode_update(&MODEL, &file(*behaviour)).is_ok(), "{behaviour:?}");
            }
        }
    }

    #[test]
    fn a_false_attestation_leaves_two_honest_slots_out_and_claims_what_was_withheld() {
        let [revealed, good, own, zero] = [0b11_1110, 0b01_1110, 0b00_0100, 1].map(SlotMask::from_bits);
        assert_eq!(Behaviour::Noise.attested_mask(revealed, good, own), good);
        assert_eq!(Behaviour::AttestFalsely.attested_mask(revealed, good, own), 0b11_0100);
        assert_eq!(Behaviour::AttestFalsely.attested_mask(zero, zero, zero), zero, "nobody else revealed");
    }

    #[test]
    fn sign_flip_is_the_honest_update_negated_and_another_labelling_gives_another_update() {
        let specification = Specification::from_toml(
            r#"
            name = "digits"
            model = { kind = "mlp", inputs = 64, hidden = 16, classes = 10 }
            participation = { min_trainers = 5, max_trainers = 10, stake = "0 wei", bond = "1 wei" }
            reward = { rounds = 1, per_round = "1 wei", aggregator_fee = "0 wei" }
            "#,
        )
        .unwrap();
        let data = digits().select(&(0..100).collect::<Vec<_>>());
        let global = specification.model.initial(1, 14);
        let hyper = HyperParameters { learning_rate: 100_000, local_epochs: 2 };
        let update = |conduct: &dyn Conduct| {
            local_update(&specification, &global, &data, hyper, conduct, &SEED).unwrap().update
        };
        let honest = update(&Honest);
        assert!(honest.iter().zip(&update(&Behaviour::SignFlip)).all(|(a, b)| *a == -*b));
        assert_ne!(honest, update(&Behaviour::LabelFlip));
    }
}
