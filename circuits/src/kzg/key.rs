//! The points that a verifier needs, and the bounds of all reference strings.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{Field, PrimeField};
use sha2::{Digest, Sha256};

/// The text from which the secret of the development string is derived.
const DEV_SECRET: &str = "fairshare DEV srs, anybody knows this secret";
/// log2 of the shortest string.
pub(super) const MIN_LOG2: u32 = 6;
/// log2 of the longest string: no model has so many parameters.
pub(super) const MAX_LOG2: u32 = 22;
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

pub(super) fn dev_secret() -> Fr {
    Fr::from_be_bytes_mod_order(&Sha256::digest(DEV_SECRET))
}
