//! The reference string: powers of a secret in G1, and three points of G2.
//!
//! The development string comes from a public secret, so every machine generates the same bytes. Its name and its file
//! say DEV, so it cannot pass for a real one. It is generated on first use and stored in a file. Strings of ceremonies
//! are imported from `.ptau` files (docs/keys.md).

use super::error::SrsError;
use super::key::{dev_secret, KzgKey, Progress};
use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{scalar_mul::BatchMulPreprocessing, PrimeGroup};
use ark_ff::Field;

/// Points of the development string that are generated at a time.
pub(super) const BATCH: usize = 1 << 15;

/// `[1]_1, [x]_1, .., [x^D]_1` and the points of G2.
#[derive(Debug, Clone)]
pub struct ReferenceString {
    /// Powers of the secret in G1, a power of two of them.
    pub g1: Vec<G1Affine>,
    /// `[1]_2, [x]_2, [x^2]_2`.
    pub g2: [G2Affine; 3],
}

impl ReferenceString {
    /// The development string with `points` powers, without a file.
    pub fn generate_dev(points: usize) -> Self {
        Self::generate_dev_with(points, &|_, _, _| {})
    }

    /// The same, a batch at a time: beside the points only one batch is in memory.
    pub(super) fn generate_dev_with(points: usize, progress: Progress) -> Self {
        let tau = dev_secret();
        let table = BatchMulPreprocessing::new(G1Projective::generator(), points.clamp(1, BATCH));
        let mut g1 = Vec::with_capacity(points);
        let mut power = Fr::ONE;
        while g1.len() < points {
            let powers: Vec<Fr> = std::iter::successors(Some(power), |p| Some(*p * tau))
                .take((points - g1.len()).min(BATCH))
                .collect();
            power = powers[powers.len() - 1] * tau;
            g1.extend(table.batch_mul(&powers));
            progress("generating the DEV reference string", g1.len(), points);
        }
        Self { g1, g2: KzgKey::dev().g2 }
    }

    /// What a verifier needs of this string.
    pub fn kzg_key(&self) -> KzgKey {
        KzgKey { x1: self.g1[1], g2: self.g2 }
    }

    /// The first `entries` powers.
    ///
    /// # Errors
    /// More entries than the string has points.
    pub fn powers(&self, entries: usize) -> Result<&[G1Affine], SrsError> {
        self.g1.get(..entries).ok_or(SrsError::TooLong { entries, points: self.g1.len() })
    }
}
