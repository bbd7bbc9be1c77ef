//! Binds the Gram matrix to the transcript by `sigma`, the one number that the Gram argument proves of it
//! (docs/protocol.md section 5). The entries are committed variables, each a whole field element; `sigma` and the range
//! proofs of the updates imply that they are products of updates, in range.

#[cfg(test)]
use crate::r1cs::linear_combination::as_integer;
use crate::r1cs::linear_combination::signed;
use crate::r1cs::{Builder, LinearCombination};
use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use fairshare_protocol::GramMatrix;

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

/// The matrix of field elements, if they are the entries of one.
#[cfg(test)]
pub(crate) fn matrix_of(slots: usize, entries: &[Fr]) -> Option<GramMatrix> {
    let entry = |value: &Fr| as_integer(*value).and_then(|v| i64::try_from(v).ok());
    let upper: Option<Vec<i64>> = entries.iter().map(entry).collect();
    GramMatrix::from_upper(slots, upper?).ok()
}

/// `sigma = sum_{i,j} rho_i rho_j G_ij` over all slots, with `rho_i = rho^(2^i)`.
pub(crate) fn sigma(gram: &GramMatrix, rho: Fr) -> Fr {
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

/// `sigma` is the sum over all slots, active or not. The Gram argument has no term for an inactive slot, so `sigma`
/// agrees only if the entries of such a slot are zero. `N (N + 1) / 2 + 2 N` constraints.
pub(crate) fn bind_sigma(
    builder: &mut Builder,
    slots: usize,
    entries: &[LinearCombination],
    rho: &LinearCombination,
    sigma: &LinearCombination,
) {
    let mut powers = vec![rho.clone()];
    for i in 1..slots {
        let next = builder.product(&powers[i - 1], &powers[i - 1]);
        powers.push(next);
    }
    let mut total = LinearCombination::zero();
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
    use crate::r1cs::system::check;
    use ark_ff::Zero;

    fn gram(slots: usize) -> GramMatrix {
        let upper =
            (0..triangle(slots) as i64).map(|k| (k * k * 7919 - 40_000) * if k % 3 == 0 { -1 } else { 1 });
        GramMatrix::from_upper(slots, upper.collect()).unwrap()
    }

    fn bound(slots: usize, entries: &[Fr], rho: Fr, sigma: Fr) -> (bool, usize) {
        check(|builder| {
            let [rho, sigma] = [rho, sigma].map(|v| builder.input(v));
            let combinations: Vec<LinearCombination> =
                entries.iter().map(|e| builder.committed(*e)).collect();
            bind_sigma(builder, slots, &combinations, &rho, &sigma);
        })
    }

    #[test]
    fn the_matrix_is_bound() {
        let rho = Fr::from(123_456_789u64).square();
        for slots in [3, 8] {
            let gram = gram(slots);
            let (s, g) = (sigma(&gram, rho), entries(&gram));
            assert_eq!(bound(slots, &g, rho, s), (true, triangle(slots) + 2 * slots));
            assert!(!bound(slots, &g, rho, s + Fr::ONE).0, "wrong sigma");
            assert!(!bound(slots, &g, rho + Fr::ONE, s).0, "wrong rho");
            for place in 0..g.len() {
                let mut wrong = g.clone();
                wrong[place] += Fr::ONE;
                assert!(!bound(slots, &wrong, rho, s).0, "wrong entry {place}");
            }
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
}
