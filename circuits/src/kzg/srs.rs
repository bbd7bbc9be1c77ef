//! The reference string: powers of a secret in G1, and three points of G2.
//!
//! The development string comes from a public secret, so every machine generates the same bytes. Its name and its file
//! say DEV, so it cannot pass for a real one. It is generated on first use and stored in a file. Strings of ceremonies
//! are imported from `.ptau` files (docs/keys.md).

use super::SrsError;
use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{scalar_mul::BatchMulPreprocessing, CurveGroup, PrimeGroup};
use ark_ff::{Field, PrimeField};
use sha2::{Digest, Sha256};

/// The text from which the secret of the development string is derived.
const DEV_SECRET: &str = "fairshare DEV srs, anybody knows this secret";
/// log2 of the shortest string.
pub(super) const MIN_LOG2: u32 = 6;
/// log2 of the longest string: no model has so many parameters.
pub(super) const MAX_LOG2: u32 = 22;
/// Points of the development string that are generated at a time.
pub(super) const BATCH: usize = 1 << 15;

/// Progress callback of long work: label, done, total.
pub type Progress<'a> = &'a (dyn Fn(&'static str, usize, usize) + Sync);

/// The points that a verifier of openings needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KzgKey {
    /// `[x]_1`.
    pub x1: G1Affine,
    /// `[1]_2, [x]_2, [x^2]_2`.
    pub g2: [G2Affine; 3],
}

impl KzgKey {
    /// The points of the development string, whatever its length.
    pub fn dev() -> Self {
        let tau = dev_secret();
        let g2 = G2Projective::generator();
        Self {
            x1: (G1Projective::generator() * tau).into_affine(),
            g2: [g2, g2 * tau, g2 * tau.square()].map(|p| p.into_affine()),
        }
    }
}

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

pub(super) fn dev_secret() -> Fr {
    Fr::from_be_bytes_mod_order(&Sha256::digest(DEV_SECRET))
}
