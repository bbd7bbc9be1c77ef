//! Commitments to updates and models, and the check of a whole round's commitments at once.

use super::error::SrsError;
use super::srs::ReferenceString;
use crate::curve::field::{offset_sums, Limbs4};
use crate::curve::msm::{msm_integers, msm_limbs};
use crate::curve::words::point_words;
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::CurveGroup;
use fairshare_protocol::{absorb, word_from_u128, Word};
use sha2::{Digest, Sha256};

/// Up to this many updates are committed to one by one: 16-bit scalars, so ten of them cost one check with weights of
/// 128 bits.
const ONE_BY_ONE: usize = 8;

impl ReferenceString {
    /// `C(u) = sum_j u_j [x^j]_1` of a quantised update.
    ///
    /// # Errors
    /// More entries than the string has points.
    pub fn commit_update(&self, u: &[i16]) -> Result<G1Affine, SrsError> {
        Ok(msm_integers(self.powers(u.len())?, u).into_affine())
    }

    /// The same of a model in fixed point.
    ///
    /// # Errors
    /// More entries than the string has points.
    pub fn commit_model(&self, t: &[i64]) -> Result<G1Affine, SrsError> {
        Ok(msm_integers(self.powers(t.len())?, t).into_affine())
    }
}

/// Positions, ascending, of the updates that do not give the commitment beside them.
///
/// All together are checked as one random combination with weights of 128 bits, which are hashed from all commitments
/// and all data: who makes both cannot know the weights before. Where a combination fails, its halves are checked.
///
/// # Errors
/// Updates of different lengths, or longer than the string.
pub fn mismatching_commitments(
    srs: &ReferenceString,
    updates: &[(&[i16], G1Affine)],
) -> Result<Vec<usize>, SrsError> {
    let expected = updates.first().map_or(0, |(data, _)| data.len());
    srs.powers(expected)?;
    if let Some((index, (data, _))) = updates.iter().enumerate().find(|(_, (data, _))| data.len() != expected)
    {
        return Err(SrsError::LengthMismatch { index, expected, found: data.len() });
    }
    let weights = weights(updates);
    let mut mismatching = vec![];
    bisect(srs, updates, &weights, 0, &mut mismatching)?;
    Ok(mismatching)
}

fn bisect(
    srs: &ReferenceString,
    updates: &[(&[i16], G1Affine)],
    weights: &[u128],
    first: usize,
    mismatching: &mut Vec<usize>,
) -> Result<(), SrsError> {
    if updates.len() <= ONE_BY_ONE {
        for (index, (data, commitment)) in updates.iter().enumerate() {
            if srs.commit_update(data)? != *commitment {
                mismatching.push(first + index);
            }
        }
        return Ok(());
    }
    // A mask is 128 bits wide, so a round's updates never fill more than half of what one sum can hold.
    if updates.len() > 256 || !combination_holds(srs, updates, weights)? {
        let half = updates.len() / 2;
        bisect(srs, &updates[..half], &weights[..half], first, mismatching)?;
        bisect(srs, &updates[half..], &weights[half..], first + half, mismatching)?;
    }
    Ok(())
}

/// Whether `sum w_i C_i = C(sum w_i u_i)`. The right side is formed over the integers from `u_ij + 2^15`, so that its
/// scalars stay about 150 bits long; what that adds, `2^15 sum w_i` a coordinate, is a known multiple of all points'
/// sum.
fn combination_holds(
    srs: &ReferenceString,
    updates: &[(&[i16], G1Affine)],
    weights: &[u128],
) -> Result<bool, SrsError> {
    let limbs: Vec<Limbs4> = weights.iter().map(|w| [*w as u64, (*w >> 64) as u64, 0, 0]).collect();
    let data: Vec<&[i16]> = updates.iter().map(|(data, _)| *data).collect();
    // 128 bits of weight, 16 of entry and 8 of count: the fifth limb stays empty.
    let sums: Vec<Limbs4> = offset_sums(&limbs, &data).iter().map(|s| [s[0], s[1], s[2], s[3]]).collect();
    let powers = srs.powers(sums.len())?;
    let commitments: Vec<G1Affine> = updates.iter().map(|(_, commitment)| *commitment).collect();
    let all_points: G1Projective = msm_integers(powers, &vec![1i64; powers.len()]);
    let added = weights.iter().map(|w| Fr::from(*w)).sum::<Fr>() * Fr::from(1u64 << 15);
    Ok(msm_limbs(powers, &sums) - all_points * added == msm_limbs(&commitments, &limbs))
}

/// Weights from everything that is checked: label, lengths, commitments, digests of the data.
fn weights(updates: &[(&[i16], G1Affine)]) -> Vec<u128> {
    let mut items: Vec<Word> = Vec::with_capacity(3 * updates.len());
    for (data, commitment) in updates {
        let mut digest = Sha256::new();
        let bytes: Vec<u8> = data.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        digest.update(&bytes);
        items.extend(point_words(commitment));
        items.push(digest.finalize().into());
    }
    let seed = absorb([0; 32], "fairshare.commitments.v1", &items);
    (0..updates.len())
        .map(|index| {
            let word = absorb(seed, "weight", &[word_from_u128(index as u128)]);
            let (_, low) = word.split_at(16);
            low.iter().fold(0u128, |weight, byte| weight << 8 | u128::from(*byte))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::field::fr_from_i64;
    use ark_ec::{AffineRepr, VariableBaseMSM};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    fn updates(n: usize, d: usize) -> Vec<Vec<i16>> {
        let mut rng = ChaCha20Rng::seed_from_u64(11);
        (0..n).map(|_| (0..d).map(|_| rng.gen()).collect()).collect()
    }

    #[test]
    fn commitments_are_the_definition() {
        let srs = ReferenceString::generate_dev(64);
        let update: Vec<i16> = updates(1, 50).remove(0);
        let scalars: Vec<Fr> = update.iter().map(|v| fr_from_i64((*v).into())).collect();
        let expected = G1Projective::msm_unchecked(&srs.g1[..50], &scalars).into_affine();
        assert_eq!(srs.commit_update(&update).unwrap(), expected);
        let model: Vec<i64> = update.iter().map(|v| i64::from(*v)).collect();
        assert_eq!(srs.commit_model(&model).unwrap(), expected);
        assert!(srs.commit_model(&[0; 64]).unwrap().is_zero());
        assert!(matches!(srs.commit_update(&[1; 65]), Err(SrsError::TooLong { entries: 65, points: 64 })));
    }

    #[test]
    fn the_bad_ones_are_named_whatever_their_number() {
        let srs = ReferenceString::generate_dev(64);
        for n in [0usize, 1, 8, 9, 10, 37] {
            let rows = updates(n, 60);
            let good: Vec<(&[i16], G1Affine)> =
                rows.iter().map(|row| (row.as_slice(), srs.commit_update(row).unwrap())).collect();
            assert_eq!(mismatching_commitments(&srs, &good).unwrap(), Vec::<usize>::new());
            for bad in [vec![0], vec![n.saturating_sub(1)], vec![0, n / 2], (0..n).collect()] {
                let mut all = good.clone();
                let mut expected: Vec<usize> = bad.into_iter().filter(|i| *i < n).collect();
                expected.dedup();
                expected.iter().for_each(|i| all[*i].1 = (all[*i].1 + srs.g1[*i]).into_affine());
                assert_eq!(mismatching_commitments(&srs, &all).unwrap(), expected);
            }
        }
    }

    /// Errors that cancel in a plain sum, two slots swapped, and a single entry off by one.
    #[test]
    fn errors_do_not_cancel() {
        let srs = ReferenceString::generate_dev(64);
        let rows = updates(12, 60);
        let good: Vec<(&[i16], G1Affine)> =
            rows.iter().map(|row| (row.as_slice(), srs.commit_update(row).unwrap())).collect();
        let mut opposite = good.clone();
        opposite[3].1 = (opposite[3].1 + srs.g1[0]).into_affine();
        opposite[9].1 = (opposite[9].1 - srs.g1[0]).into_affine();
        assert_eq!(mismatching_commitments(&srs, &opposite).unwrap(), [3, 9]);
        let mut swapped = good.clone();
        (swapped[0].1, swapped[11].1) = (good[11].1, good[0].1);
        assert_eq!(mismatching_commitments(&srs, &swapped).unwrap(), [0, 11]);
        let mut row = rows[5].clone();
        row[59] ^= 1;
        let mut off = good.clone();
        off[5].0 = &row;
        assert_eq!(mismatching_commitments(&srs, &off).unwrap(), [5]);
        off[5].1 = G1Affine::identity();
        assert_eq!(mismatching_commitments(&srs, &off).unwrap(), [5]);
    }

    #[test]
    fn lengths_are_checked_first() {
        let srs = ReferenceString::generate_dev(64);
        let (a, b, long) = (vec![1i16; 4], vec![1i16; 5], vec![0i16; 65]);
        let c = G1Affine::identity();
        assert!(matches!(
            mismatching_commitments(&srs, &[(&a, c), (&b, c)]),
            Err(SrsError::LengthMismatch { index: 1, expected: 4, found: 5 })
        ));
        assert!(matches!(mismatching_commitments(&srs, &[(&long, c)]), Err(SrsError::TooLong { .. })));
    }

    #[test]
    fn extremes_and_zeros_pass() {
        let srs = ReferenceString::generate_dev(64);
        let rows: Vec<Vec<i16>> = (0..10).map(|i| vec![[0, i16::MIN, i16::MAX][i % 3]; 64]).collect();
        let all: Vec<(&[i16], G1Affine)> =
            rows.iter().map(|row| (row.as_slice(), srs.commit_update(row).unwrap())).collect();
        assert!(mismatching_commitments(&srs, &all).unwrap().is_empty());
    }
}
