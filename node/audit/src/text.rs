//! Points and words as failures print them.

use fairshare_circuits::{point_words, G1Affine};

/// Both coordinates of a point, since two points may share their `x`.
pub(super) fn point_text(point: &G1Affine) -> String {
    let [x, y] = point_words(point);
    format!("{},{}", word(&x), word(&y))
}

/// A word in hexadecimal.
pub(super) fn word(word: &[u8; 32]) -> String {
    format!("0x{}", hex::encode(word))
}
