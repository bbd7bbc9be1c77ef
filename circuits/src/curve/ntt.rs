//! Products of polynomials by evaluation at roots of unity.
//!
//! A transform of size `n` halves `A mod (X^m - c^2)` into `A mod (X^(m/2) - c)` and `A mod (X^(m/2) + c)` until one
//! coefficient each is left, so the values come out with the bits of their places reversed: place `p` holds
//! `A(w^reverse(p))`. The inverse takes them in that order, and nothing is ever sorted. All blocks of one length read
//! their `c` from the beginning of one table, and two halvings are done in one pass over the memory.

use crate::curve::unreduced::Unreduced;
use ark_bn254::{Fr, FrConfig};
use ark_ff::{FftField, Field};
use rayon::prelude::*;

/// A value or a coefficient on its way.
pub(crate) type Value = Unreduced<FrConfig>;

/// Values that one task transforms to the end: they stay in the second-level cache.
const CACHED: usize = 1 << 13;
/// Values that one task of a longer pass works on.
const TASK: usize = 1 << 12;

/// Transforms of one size.
pub(crate) struct Transform {
    size: usize,
    generator: Fr,
}

impl Transform {
    /// Of the smallest power of two that is `length` or more.
    ///
    /// # Panics
    /// Beyond the field's `2^28` roots of unity, which is far beyond the longest model.
    pub(crate) fn new(length: usize) -> Self {
        let size = length.next_power_of_two().max(2);
        Self { size, generator: Fr::get_root_of_unity(size as u64).expect("below 2^28") }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Values at all roots, bits of their places reversed, of a polynomial with at most `size` coefficients.
    ///
    /// # Panics
    /// With more coefficients than that.
    pub(crate) fn forward(&self, coefficients: &[Fr]) -> Vec<Value> {
        assert!(coefficients.len() <= self.size, "more coefficients than roots");
        let mut values = Vec::with_capacity(self.size);
        values.extend(coefficients.iter().map(Value::from));
        values.resize(self.size, Value::ZERO);
        self.forward_in_place(&mut values);
        values
    }

    fn forward_in_place(&self, values: &mut [Value]) {
        assert_eq!(values.len(), self.size);
        let roots = self.roots(self.generator);
        let mut length = self.size;
        if self.size.ilog2() % 2 == 1 {
            let (low, high) = values.split_at_mut(length / 2);
            low.par_chunks_mut(TASK).zip(high.par_chunks_mut(TASK)).for_each(|(low, high)| {
                for (low, high) in low.iter_mut().zip(high) {
                    (*low, *high) = (low.plus(*high), low.minus(*high));
                }
            });
            length /= 2;
        }
        while length > CACHED {
            let tasks = (length / 4).min(TASK);
            values.par_chunks_mut(length).enumerate().for_each(|(index, block)| {
                let root = BlockRoots::new(&roots, index);
                in_quarters(block, tasks, |quarters| root.split(quarters));
            });
            length /= 4;
        }
        values.par_chunks_mut(CACHED.min(self.size)).enumerate().for_each(|(task, cached)| {
            let mut length = length.min(cached.len());
            while length > 1 {
                let first = task * (cached.len() / length);
                for (index, block) in cached.chunks_exact_mut(length).enumerate() {
                    BlockRoots::new(&roots, first + index).split(quarters(block));
                }
                length /= 4;
            }
        });
    }

    /// Coefficients from the values of [`Self::forward`], all `size` times too large: [`Self::scale`] mends it.
    pub(crate) fn inverse_in_place(&self, values: &mut [Value]) {
        assert_eq!(values.len(), self.size);
        let roots = self.roots(self.generator.inverse().expect("a root is not 0"));
        let odd = self.size.ilog2() % 2 == 1;
        let last = if odd { self.size / 2 } else { self.size };
        // The longest block of four quarters that a task joins by itself.
        let cached = std::iter::successors(Some(1), |length| Some(length * 4))
            .take_while(|length| *length <= last.min(CACHED))
            .last()
            .expect("1 is");
        values.par_chunks_mut(cached).enumerate().for_each(|(task, part)| {
            let mut length = 4;
            while length <= part.len() {
                let first = task * (part.len() / length);
                for (index, block) in part.chunks_exact_mut(length).enumerate() {
                    BlockRoots::new(&roots, first + index).join(quarters(block));
                }
                length *= 4;
            }
        });
        let mut length = cached * 4;
        while length <= last {
            let tasks = (length / 4).min(TASK);
            values.par_chunks_mut(length).enumerate().for_each(|(index, block)| {
                let root = BlockRoots::new(&roots, index);
                in_quarters(block, tasks, |quarters| root.join(quarters));
            });
            length *= 4;
        }
        if odd {
            let (low, high) = values.split_at_mut(last);
            low.par_chunks_mut(TASK).zip(high.par_chunks_mut(TASK)).for_each(|(low, high)| {
                for (low, high) in low.iter_mut().zip(high) {
                    (*low, *high) = (low.plus(*high), low.minus(*high));
                }
            });
        }
    }

    /// `1 / size`.
    pub(crate) fn scale(&self) -> Value {
        Value::from(&Fr::from(self.size as u64).inverse().expect("a power of two is not 0"))
    }

    /// `root^reverse(b)` for the block `b`, of so many bits as there are blocks: half as many as there are values.
    fn roots(&self, generator: Fr) -> Vec<Value> {
        let mut roots = Vec::with_capacity((self.size / 2).max(2));
        roots.push(Value::ONE);
        // Bit k of a place stands for size / 2^(k + 2) in the exponent.
        let mut steps: Vec<Fr> = std::iter::successors(Some(generator), |step| Some(step.square()))
            .take(self.size.ilog2().saturating_sub(1) as usize)
            .collect();
        while let Some(step) = steps.pop() {
            let step = Value::from(&step);
            let more: Vec<Value> = roots.par_iter().with_min_len(TASK).map(|root| root.times(step)).collect();
            roots.extend(more);
        }
        roots
    }
}

/// `values_p *= others_q`, `q` the place of the inverse of the root of `p`.
///
/// An inverse has the same lowest bit in its exponent, and all higher ones turned: with bits reversed, the places from
/// `2^h` up to `2^(h+1)` are each others' inverses from both ends.
pub(crate) fn multiply_mirrored(values: &mut [Value], others: &[Value]) {
    assert_eq!(values.len(), others.len(), "values of one transform");
    values[0] = values[0].times(others[0]);
    let mut from = 1;
    while from < values.len() {
        let (values, others) = (&mut values[from..2 * from], &others[from..2 * from]);
        values.par_chunks_mut(TASK).zip(others.par_rchunks(TASK)).for_each(|(values, others)| {
            for (value, other) in values.iter_mut().zip(others.iter().rev()) {
                *value = value.times(*other);
            }
        });
        from *= 2;
    }
}

/// The same with the values themselves: `A(X) A(1/X)`.
pub(crate) fn multiply_by_own_mirror(values: &mut [Value]) {
    values[0] = values[0].square();
    values[1] = values[1].square();
    let mut from = 2;
    while from < values.len() {
        let (low, high) = values[from..2 * from].split_at_mut(from / 2);
        low.par_chunks_mut(TASK).zip(high.par_rchunks_mut(TASK)).for_each(|(low, high)| {
            for (low, high) in low.iter_mut().zip(high.iter_mut().rev()) {
                *low = low.times(*high);
                *high = *low;
            }
        });
        from *= 2;
    }
}

/// `c^2`, and the `c` of both halves, for a block modulo `X^m - c^4`.
struct BlockRoots {
    first: Value,
    second: [Value; 2],
    /// The first block: both are one, and need no product.
    is_first: bool,
}

impl BlockRoots {
    #[inline(always)]
    fn new(roots: &[Value], block: usize) -> Self {
        Self { first: roots[block], second: [roots[2 * block], roots[2 * block + 1]], is_first: block == 0 }
    }

    /// Two halvings.
    #[inline(always)]
    fn split(&self, [a, b, c, d]: [&mut [Value]; 4]) {
        let [even, odd] = self.second;
        for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
            let (cs, ds) = if self.is_first { (*c, *d) } else { (c.times(self.first), d.times(self.first)) };
            let (p, q, r, s) = (a.plus(cs), b.plus(ds), a.minus(cs), b.minus(ds));
            let (q, s) = (if self.is_first { q } else { q.times(even) }, s.times(odd));
            (*a, *b, *c, *d) = (p.plus(q), p.minus(q), r.plus(s), r.minus(s));
        }
    }

    /// Undoes [`Self::split`] with the roots' inverses, four times too large.
    #[inline(always)]
    fn join(&self, [a, b, c, d]: [&mut [Value]; 4]) {
        let [even, odd] = self.second;
        for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
            let (p, q, r, s) = (a.plus(*b), a.minus(*b), c.plus(*d), c.minus(*d));
            let (q, s) = (if self.is_first { q } else { q.times(even) }, s.times(odd));
            let (pr, qs) = (p.minus(r), q.minus(s));
            let (pr, qs) =
                if self.is_first { (pr, qs) } else { (pr.times(self.first), qs.times(self.first)) };
            (*a, *b, *c, *d) = (p.plus(r), q.plus(s), pr, qs);
        }
    }
}

#[inline(always)]
fn quarters(block: &mut [Value]) -> [&mut [Value]; 4] {
    let quarter = block.len() / 4;
    let (low, high) = block.split_at_mut(2 * quarter);
    let ((a, b), (c, d)) = (low.split_at_mut(quarter), high.split_at_mut(quarter));
    [a, b, c, d]
}

/// The quarters of a block in parts of `length`.
fn in_quarters(block: &mut [Value], length: usize, work: impl Fn([&mut [Value]; 4]) + Sync) {
    let [a, b, c, d] = quarters(block);
    let (ab, cd) = (
        a.par_chunks_mut(length).zip(b.par_chunks_mut(length)),
        c.par_chunks_mut(length).zip(d.par_chunks_mut(length)),
    );
    ab.zip(cd).for_each(|((a, b), (c, d))| work([a, b, c, d]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{One, UniformRand};
    use ark_poly::{univariate::DensePolynomial, EvaluationDomain, Radix2EvaluationDomain};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    fn random(n: usize, seed: u64) -> Vec<Fr> {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        (0..n).map(|_| Fr::rand(&mut rng)).collect()
    }

    fn reversed(place: usize, size: usize) -> usize {
        place.reverse_bits() >> (usize::BITS - size.ilog2())
    }

    /// Sizes on both sides of what a task holds, of odd and even logarithms, full and padded.
    #[test]
    fn values_and_coefficients_are_those_of_the_domain() {
        for log2 in 1..=16 {
            let size = 1usize << log2;
            let transform = Transform::new(size);
            let domain = Radix2EvaluationDomain::<Fr>::new(size).unwrap();
            assert_eq!((transform.size(), domain.group_gen()), (size, transform.generator));
            for length in [1, size / 2 + 1, size] {
                let coefficients = random(length, log2);
                let mut values = transform.forward(&coefficients);
                let expected = domain.fft(&coefficients);
                for (place, value) in values.iter().enumerate() {
                    assert_eq!(value.reduced(), expected[reversed(place, size)], "place {place} of {size}");
                }
                transform.inverse_in_place(&mut values);
                let scale = transform.scale();
                let back: Vec<Fr> = values.iter().map(|v| v.times(scale).reduced()).collect();
                assert!(
                    back[..length] == coefficients && back[length..].iter().all(|c| *c == Fr::from(0u64))
                );
            }
        }
    }

    #[test]
    fn mirrored_products_are_those_at_the_inverse_roots() {
        for log2 in [1u32, 2, 3, 8, 14] {
            let size = 1usize << log2;
            let (a, b) = (random(size, 5), random(size, 6));
            let as_values = |all: &[Fr]| all.iter().map(Value::from).collect::<Vec<_>>();
            let (mut product, mut own) = (as_values(&a), as_values(&a));
            multiply_mirrored(&mut product, &as_values(&b));
            multiply_by_own_mirror(&mut own);
            for place in 0..size {
                let inverse = reversed((size - reversed(place, size)) % size, size);
                assert_eq!(product[place].reduced(), a[place] * b[inverse], "place {place} of {size}");
                assert_eq!(own[place].reduced(), a[place] * a[inverse], "place {place} of {size}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// `A(X) B(1/X)` of any lengths is `A(X) X^(m-1) B(1/X)`, which the domain's own product gives, shifted.
        #[test]
        fn products_of_any_lengths(m in 1usize..700, n in 1usize..700, seed in any::<u64>()) {
            let (a, b) = (random(m, seed), random(n, !seed));
            let transform = Transform::new(m + n - 1);
            let mut product = transform.forward(&a);
            multiply_mirrored(&mut product, &transform.forward(&b));
            transform.inverse_in_place(&mut product);
            let reversed: Vec<Fr> = b.iter().rev().copied().collect();
            let expected = &DensePolynomial { coeffs: a } * &DensePolynomial { coeffs: reversed };
            let (size, scale) = (transform.size(), transform.scale());
            for (power, coefficient) in expected.coeffs.iter().enumerate() {
                let place = (size + power - (n - 1)) % size;
                prop_assert_eq!(product[place].times(scale).reduced(), *coefficient);
            }
        }
    }

    #[test]
    #[should_panic = "more coefficients than roots"]
    fn more_coefficients_than_roots_are_refused() {
        Transform::new(4).forward(&[Fr::one(); 5]);
    }

    #[test]
    fn the_smallest_has_two_values() {
        assert_eq!(Transform::new(0).size(), 2);
        assert_eq!(Transform::new(1).forward(&[Fr::one()]).len(), 2);
    }
}
