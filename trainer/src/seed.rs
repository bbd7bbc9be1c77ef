//! Randomness that can be made again: every stream is named by what it is for.

use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

/// The stream for a purpose and its circumstances. Parts are hashed with their lengths, so no two lists collide.
pub(crate) fn stream(purpose: &str, parts: &[&[u8]]) -> ChaCha20Rng {
    let mut hash = Sha256::new_with_prefix(b"fairshare trainer v1");
    for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    ChaCha20Rng::from_seed(hash.finalize().into())
}

/// What a round's randomness depends on: the same three give the same update, byte for byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundSeed {
    /// Of the trainer, by `--seed`.
    pub seed: u64,
    /// The project's address.
    pub project: [u8; 20],
    /// The round's id.
    pub round: u64,
}

impl RoundSeed {
    /// The stream for one purpose within the round.
    pub fn stream(&self, purpose: &str) -> ChaCha20Rng {
        stream(purpose, &[&self.seed.to_be_bytes(), &self.project, &self.round.to_be_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    #[test]
    fn streams_differ_by_everything_that_names_them() {
        let first = |purpose: &str, seed, project, round| {
            RoundSeed { seed, project: [project; 20], round }.stream(purpose).next_u64()
        };
        let base = first("order", 1, 1, 1);
        assert_eq!(base, first("order", 1, 1, 1));
        for other in [
            first("noise", 1, 1, 1),
            first("order", 2, 1, 1),
            first("order", 1, 2, 1),
            first("order", 1, 1, 2),
        ] {
            assert_ne!(base, other);
        }
        assert_ne!(stream("a", &[b"bc"]).next_u64(), stream("ab", &[b"c"]).next_u64());
    }
}
