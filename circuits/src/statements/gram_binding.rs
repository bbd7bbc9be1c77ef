//! Binds a Gram matrix to the transcript: its hash `h`, and `sigma`, the one number the Gram argument proves of it
//! (docs/protocol.md sections 5, 12 and 13.3).

use super::proof::AssessmentError;
use crate::gadgets::builder::{as_integer, signed, Builder, Wire};
use crate::gadgets::packing::{pack, pack_wires};
use crate::gadgets::poseidon;
use crate::gadgets::range::range_inclusive;
use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use fairshare_protocol::GramMatrix;

/// Entries lie within `2^52`, the offset that makes them positive.
const OFFSET: i128 = 1 << 52;
/// `0 ..= 2^53` after the offset: 53 bits and the bound itself.
const OFFSET_RANGE_LOG: usize = 53;
/// Width of an entry in the packing.
const ENTRY_BITS: usize = 54;
/// Entries in a field element: `4 * 54 = 216` bits.
const ENTRIES_PER_ELEMENT: usize = 4;

/// Entries of the upper triangle of a matrix of `slots` slots.
pub(crate) fn triangle(slots: usize) -> usize {
    slots * (slots + 1) / 2
}

/// Where `G_ij` stands in the upper triangle, row by row.
pub(crate) fn position(slots: usize, i: usize, j: usize) -> usize {
    let (i, j) = (i.min(j), i.max(j));
    i * slots + j - i * (i + 1) / 2
}

/// The matrix's upper triangle in the field.
pub(crate) fn entries(gram: &GramMatrix) -> Vec<Fr> {
    gram.upper().iter().map(|entry| signed(i128::from(*entry))).collect()
}

/// The matrix of field elements, if they are those of one.
///
/// # Errors
/// An entry beyond 64 bits, or another number of entries than a matrix of `slots` slots has.
pub(crate) fn matrix_of(slots: usize, entries: &[Fr]) -> Result<GramMatrix, AssessmentError> {
    let entry = |value: &Fr| as_integer(*value).and_then(|v| i64::try_from(v).ok());
    let upper: Option<Vec<i64>> = entries.iter().map(entry).collect();
    let upper = upper.ok_or(AssessmentError::Mismatch { value: "gram entry" })?;
    Ok(GramMatrix::from_upper(slots, upper)?)
}

/// `h`: Poseidon over the upper triangle, each entry as `G_ij + 2^52` in 54 bits, four to a field element.
pub fn gram_hash(gram: &GramMatrix) -> Fr {
    hash_entries(&entries(gram))
}

/// [`gram_hash`] of entries in the field.
pub(crate) fn hash_entries(entries: &[Fr]) -> Fr {
    let shifted: Vec<Fr> = entries.iter().map(|entry| *entry + signed(OFFSET)).collect();
    let elements: Vec<Fr> =
        shifted.chunks(ENTRIES_PER_ELEMENT).map(|chunk| pack(chunk, ENTRY_BITS)).collect();
    poseidon::hash(&elements)
}

/// `sigma = sum_{i,j} rho_i rho_j G_ij` over all slots, with `rho_i = rho^(2^i)`.
pub fn sigma(gram: &GramMatrix, rho: Fr) -> Fr {
    sigma_entries(gram.slots(), &entries(gram), rho)
}

/// [`sigma`] of entries in the field.
pub(crate) fn sigma_entries(slots: usize, entries: &[Fr], rho: Fr) -> Fr {
    let powers: Vec<Fr> =
        std::iter::successors(Some(rho), |power| Some(power.square())).take(slots).collect();
    let row = |i: usize| {
        let others: Fr = (i + 1..slots).map(|j| powers[j] * entries[position(slots, i, j)]).sum();
        powers[i] * (powers[i] * entries[position(slots, i, i)] + others.double())
    };
    (0..slots).map(row).sum()
}

/// Every entry off the diagonal is in `-2^52 ..= 2^52`, exactly: 55 constraints each. The diagonal's range comes from
/// [`range_diagonal`], or from square roots where a rule takes them. Without the ranges the packing could be bent: one
/// entry more by `2^54`, the next less by one.
fn range_entries(builder: &mut Builder, slots: usize, entries: &[Wire]) {
    let offset = Wire::constant(signed(OFFSET));
    for i in 0..slots {
        for j in i + 1..slots {
            range_inclusive(builder, &entries[position(slots, i, j)].plus(&offset), OFFSET_RANGE_LOG);
        }
    }
}

/// Every entry on the diagonal is in `0 ..= 2^52`, exactly: 54 constraints each.
fn range_diagonal(builder: &mut Builder, slots: usize, entries: &[Wire]) {
    for i in 0..slots {
        range_inclusive(builder, &entries[position(slots, i, i)], OFFSET_RANGE_LOG - 1);
    }
}

/// What says that the diagonal's entries are not negative.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Diagonal {
    /// Their square roots, which the rule takes.
    Rooted,
    /// Ranges of their own.
    Ranged,
}

/// The entries are fixed before `rho`: by bits `binding` is their hash `h`, and their ranges are constrained for its packing.
/// With lookups they are committed variables themselves, each a whole field element, and `binding` is the challenge that
/// the commitment gives; `sigma` and the proofs of form then say that they are products of updates, in range.
pub(crate) fn bind_entries(
    builder: &mut Builder,
    slots: usize,
    entries: &[Wire],
    diagonal: Diagonal,
    binding: &Wire,
) {
    if builder.lookups().is_some() {
        return;
    }
    builder.section("gram entries");
    range_entries(builder, slots, entries);
    if diagonal == Diagonal::Ranged {
        range_diagonal(builder, slots, entries);
    }
    builder.section("gram hash");
    bind_hash(builder, entries, binding);
}

/// `h` is the hash of the entries, whose ranges must be constrained elsewhere.
fn bind_hash(builder: &mut Builder, entries: &[Wire], h: &Wire) {
    let offset = Wire::constant(signed(OFFSET));
    let shifted: Vec<Wire> = entries.iter().map(|entry| entry.plus(&offset)).collect();
    let elements: Vec<Wire> =
        shifted.chunks(ENTRIES_PER_ELEMENT).map(|chunk| pack_wires(chunk, ENTRY_BITS)).collect();
    let hash = poseidon::hash_wires(builder, &elements);
    builder.equal(&hash, h);
}

/// `sigma` is the sum over all slots, active or not: the Gram argument has no part for a slot that is not active, so
/// that `sigma` agrees only if such a slot's entries are zero. `N (N + 1) / 2 + 2 N` constraints.
pub(crate) fn bind_sigma(builder: &mut Builder, slots: usize, entries: &[Wire], rho: &Wire, sigma: &Wire) {
    let mut powers = vec![rho.clone()];
    for i in 1..slots {
        let next = builder.product(&powers[i - 1], &powers[i - 1]);
        powers.push(next);
    }
    let mut total = Wire::zero();
    for i in 0..slots {
        let mut row = builder.product(&powers[i], &entries[position(slots, i, i)]);
        for j in i + 1..slots {
            let product = builder.product(&powers[j], &entries[position(slots, i, j)]);
            row.add_scaled(&product, Fr::from(2u64));
        }
        total.add(&builder.product(&powers[i], &row));
    }
    builder.equal(&total, sigma);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadgets::system::check;
    use ark_ff::Zero;

    fn gram(slots: usize) -> GramMatrix {
        let upper =
            (0..triangle(slots) as i64).map(|k| (k * k * 7919 - 40_000) * if k % 3 == 0 { -1 } else { 1 });
        GramMatrix::from_upper(slots, upper.collect()).unwrap()
    }

    fn bound(slots: usize, entries: &[Fr], rho: Fr, h: Fr, sigma: Fr) -> (bool, usize) {
        check(|builder| {
            let [h, rho, sigma] = [h, rho, sigma].map(|v| builder.input(v));
            let wires: Vec<Wire> = entries.iter().map(|e| builder.witness(*e)).collect();
            range_entries(builder, slots, &wires);
            bind_hash(builder, &wires, &h);
            bind_sigma(builder, slots, &wires, &rho, &sigma);
        })
    }

    #[test]
    fn the_matrix_is_bound() {
        let rho = Fr::from(123_456_789u64).square();
        for slots in [3, 8] {
            let gram = gram(slots);
            let (h, s, g) = (gram_hash(&gram), sigma(&gram, rho), entries(&gram));
            let off_diagonal = slots * (slots - 1) / 2;
            let hash = triangle(slots).div_ceil(ENTRIES_PER_ELEMENT).div_ceil(8) * 405 + 1;
            let sums = triangle(slots) + 2 * slots;
            assert_eq!(bound(slots, &g, rho, h, s), (true, off_diagonal * 55 + hash + sums));
            assert!(!bound(slots, &g, rho, h + Fr::ONE, s).0, "wrong h");
            assert!(!bound(slots, &g, rho, h, s + Fr::ONE).0, "wrong sigma");
            assert!(!bound(slots, &g, rho + Fr::ONE, h, s).0, "wrong rho");
            let mut wrong = g.clone();
            wrong[1] += Fr::ONE;
            assert!(!bound(slots, &wrong, rho, h, s).0, "wrong entry");
        }
    }

    #[test]
    fn sigma_is_the_full_double_sum() {
        let (gram, rho) = (gram(5), Fr::from(31u64));
        let power = |i: usize| rho.pow([1u64 << i]);
        let mut sum = Fr::zero();
        for i in 0..5 {
            for j in 0..5 {
                sum += power(i) * power(j) * signed(gram.get(i, j).into());
            }
        }
        assert_eq!(sigma(&gram, rho), sum);
    }

    #[test]
    fn entries_reach_both_bounds_and_no_further() {
        for (value, inside) in [(OFFSET, true), (-OFFSET, true), (OFFSET + 1, false), (-OFFSET - 1, false)] {
            let g = [Fr::ZERO, signed(value), Fr::ZERO];
            let run = bound(2, &g, Fr::from(3u64), hash_entries(&g), sigma_entries(2, &g, Fr::from(3u64)));
            assert_eq!(run.0, inside, "{value}");
        }
    }

    /// Two matrices with one hash: the packing alone would take either.
    #[test]
    fn a_bent_packing_is_refused() {
        let g = [Fr::ZERO, Fr::from(5u64), Fr::ZERO, Fr::from(9u64), Fr::from(1u64), Fr::ZERO];
        let mut bent = g;
        bent[1] += signed(1 << 54);
        bent[2] -= Fr::ONE;
        assert_eq!(hash_entries(&g), hash_entries(&bent));
        let rho = Fr::from(3u64);
        assert!(bound(3, &g, rho, hash_entries(&g), sigma_entries(3, &g, rho)).0);
        assert!(!bound(3, &bent, rho, hash_entries(&bent), sigma_entries(3, &bent, rho)).0);
    }
}
