//! Field arithmetic for the inner loops: Montgomery form, `R = 2^256`, values kept below `2 q` instead of below `q`,
//! and no branch anywhere.
//!
//! Both orders of BN254 are below `2^254`, so `4 q < R`. For `a, b < 2 q` Montgomery's reduction, with its `k < R`,
//! gives `(a b + k q) / R < (4 q^2 + R q) / R < 2 q`: no product needs a subtraction at its end. Sums and differences
//! are brought back below `2 q` by a mask. The field's own type compares and branches after each step, on bits as good
//! as random, which a processor guesses wrongly half of the time.
//!
//! Every operation takes values below `2 q` and gives one below `2 q`; the bounds of what lies between stand beside the
//! code. Sums of limbs are formed by wrapping operations because their bounds are proved there, not because they may
//! wrap.

use crate::curve::field::Limbs4;
use ark_ff::{BigInt, Fp, MontBackend, MontConfig};
use std::marker::PhantomData;

/// An element of the field of `C`: below `2 q`, congruent to its Montgomery form.
pub(crate) struct Unreduced<C>(Limbs4, PhantomData<C>);

impl<C> Clone for Unreduced<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Unreduced<C> {}

impl<C: MontConfig<4>> From<&Fp<MontBackend<C, 4>, 4>> for Unreduced<C> {
    #[inline(always)]
    fn from(value: &Fp<MontBackend<C, 4>, 4>) -> Self {
        Self(value.0 .0, PhantomData)
    }
}

impl<C: MontConfig<4>> Unreduced<C> {
    const Q: Limbs4 = C::MODULUS.0;
    const TWICE_Q: Limbs4 = {
        assert!(C::MODULUS.0[3] >> 62 == 0, "4 q < 2^256");
        let q = C::MODULUS.0;
        [q[0] << 1, q[1] << 1 | q[0] >> 63, q[2] << 1 | q[1] >> 63, q[3] << 1 | q[2] >> 63]
    };
    pub(crate) const ZERO: Self = Self([0; 4], PhantomData);
    pub(crate) const ONE: Self = Self(C::R.0, PhantomData);

    /// The element in the field's own form, below `q`.
    #[inline(always)]
    pub(crate) fn reduced(self) -> Fp<MontBackend<C, 4>, 4> {
        let (difference, borrow) = subtract(&self.0, &Self::Q);
        Fp::new_unchecked(BigInt::new(select(borrow, &self.0, &difference)))
    }

    /// Whether it is 0 or `q`, the two representations of zero below `2 q`.
    #[inline(always)]
    pub(crate) fn is_zero(self) -> bool {
        let differing = |other: &Limbs4| {
            self.0[0] ^ other[0] | self.0[1] ^ other[1] | self.0[2] ^ other[2] | self.0[3] ^ other[3]
        };
        differing(&[0; 4]) == 0 || differing(&Self::Q) == 0
    }

    #[inline(always)]
    pub(crate) fn plus(self, other: Self) -> Self {
        let (sum, _) = sum(&self.0, &other.0); // below 4 q < 2^256: no carry
        let (less, borrow) = subtract(&sum, &Self::TWICE_Q);
        Self(select(borrow, &sum, &less), PhantomData)
    }

    #[inline(always)]
    pub(crate) fn minus(self, other: Self) -> Self {
        // Between -2 q and 2 q; where it is negative, 2 q is added modulo 2^256.
        let (difference, borrow) = subtract(&self.0, &other.0);
        let (sum, _) = sum(&difference, &masked(borrow, &Self::TWICE_Q));
        Self(sum, PhantomData)
    }

    /// The negative where `negate` is, the element itself where not.
    #[inline(always)]
    pub(crate) fn negated_if(self, negate: bool) -> Self {
        let negative = Self::ZERO.minus(self);
        Self(select(u64::from(negate).wrapping_neg(), &negative.0, &self.0), PhantomData)
    }

    #[inline(always)]
    pub(crate) fn times(self, other: Self) -> Self {
        let (a, b) = (&self.0, &other.0);
        // A step makes (r + a b_i + k q) / 2^64 of r, k < 2^64. With r < 3 q and a < 2 q that is below
        // (3 q + (2^64 - 1) 2 q + (2^64 - 1) q) / 2^64 = 3 q again, so four limbs hold r and both carries at its top.
        let mut r = [0u64; 4];
        for b in b {
            let (low, mut carry) = multiply_add(r[0], a[0], *b, 0);
            let k = low.wrapping_mul(C::INV);
            let (_, mut carry_of_q) = multiply_add(low, k, Self::Q[0], 0);
            for j in 1..4 {
                let (limb, next) = multiply_add(r[j], a[j], *b, carry);
                carry = next;
                (r[j - 1], carry_of_q) = multiply_add(limb, k, Self::Q[j], carry_of_q);
            }
            r[3] = carry.wrapping_add(carry_of_q);
        }
        Self(r, PhantomData)
    }

    #[inline(always)]
    pub(crate) fn square(self) -> Self {
        let a = &self.0;
        let mut r = [0u64; 8];
        // Products of different limbs, then twice them and the squares: a^2 < 2^512 bounds each sum on the way.
        for i in 0..3 {
            let mut carry = 0;
            for j in i + 1..4 {
                (r[i + j], carry) = multiply_add(r[i + j], a[i], a[j], carry);
            }
            r[i + 4] = carry;
        }
        r[7] = r[6] >> 63;
        for k in (2..7).rev() {
            r[k] = r[k] << 1 | r[k - 1] >> 63;
        }
        r[1] <<= 1;
        let mut carry = 0u64;
        for i in 0..4 {
            (r[2 * i], carry) = multiply_add(r[2 * i], a[i], a[i], carry);
            (r[2 * i + 1], carry) = add_carry(r[2 * i + 1], carry, 0);
        }
        // a^2 + k q < 4 q^2 + R q < 2 q R < 2^512: nothing is left above the eighth limb.
        let mut above = 0u64;
        for i in 0..4 {
            let k = r[i].wrapping_mul(C::INV);
            let (_, mut carry) = multiply_add(r[i], k, Self::Q[0], 0);
            for j in 1..4 {
                (r[i + j], carry) = multiply_add(r[i + j], k, Self::Q[j], carry);
            }
            (r[i + 4], above) = add_carry(r[i + 4], carry, above);
        }
        Self([r[4], r[5], r[6], r[7]], PhantomData)
    }

    /// The inverse; zero for zero.
    pub(crate) fn inverse_or_zero(self) -> Self {
        C::inverse(&self.reduced()).map_or(Self::ZERO, |inverse| Self::from(&inverse))
    }
}

/// `a + b c + carry`: its low and its high limb. With `m = 2^64 - 1` it is at most `m^2 + 2 m = 2^128 - 1`.
#[inline(always)]
fn multiply_add(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    let product = u128::from(b).wrapping_mul(u128::from(c));
    let sum = product.wrapping_add(u128::from(a)).wrapping_add(u128::from(carry));
    (sum as u64, (sum >> 64) as u64)
}

/// `a + b + carry`: its low limb, and its carry, which is at most 2.
#[inline(always)]
fn add_carry(a: u64, b: u64, carry: u64) -> (u64, u64) {
    let sum = u128::from(a).wrapping_add(u128::from(b)).wrapping_add(u128::from(carry));
    (sum as u64, (sum >> 64) as u64)
}

/// `a + b` and the carry.
#[inline(always)]
fn sum(a: &Limbs4, b: &Limbs4) -> (Limbs4, u64) {
    let (mut sum, mut carry) = ([0; 4], 0);
    for k in 0..4 {
        (sum[k], carry) = add_carry(a[k], b[k], carry);
    }
    (sum, carry)
}

/// `a - b`, and all ones where that is negative, else zero.
#[inline(always)]
fn subtract(a: &Limbs4, b: &Limbs4) -> (Limbs4, u64) {
    let (mut difference, mut borrow) = ([0; 4], 0i128);
    for k in 0..4 {
        let limb = i128::from(a[k]).wrapping_sub(i128::from(b[k])).wrapping_add(borrow);
        difference[k] = limb as u64;
        borrow = limb >> 64;
    }
    (difference, borrow as u64)
}

#[inline(always)]
fn masked(mask: u64, a: &Limbs4) -> Limbs4 {
    a.map(|limb| limb & mask)
}

/// `yes` under a mask of ones, `no` under one of zeros.
#[inline(always)]
fn select(mask: u64, yes: &Limbs4, no: &Limbs4) -> Limbs4 {
    std::array::from_fn(|k| no[k] ^ (mask & (yes[k] ^ no[k])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{Fq, FqConfig, Fr, FrConfig};
    use ark_ff::{AdditiveGroup, Field, One, PrimeField, UniformRand, Zero};
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    type Element<C> = Fp<MontBackend<C, 4>, 4>;

    /// Both representatives of an element: below `q`, and from `q` on.
    fn both<C: MontConfig<4>>(value: Element<C>) -> [Unreduced<C>; 2] {
        let (upper, carry) = sum(&value.0 .0, &C::MODULUS.0);
        assert_eq!(carry, 0);
        [Unreduced::from(&value), Unreduced(upper, PhantomData)]
    }

    fn is<C: MontConfig<4>>(lazy: Unreduced<C>, expected: Element<C>) {
        assert!(BigInt::new(lazy.0) < BigInt::new(Unreduced::<C>::TWICE_Q), "below 2 q");
        assert_eq!(lazy.reduced(), expected);
        assert_eq!(lazy.is_zero(), expected.is_zero());
    }

    fn check<C: MontConfig<4>>(values: &[Element<C>]) {
        for a in values {
            for x in both(*a) {
                is(x, *a);
                is(x.square(), a.square());
                is(x.inverse_or_zero(), a.inverse().unwrap_or_default());
                is(x.negated_if(false), *a);
                is(x.negated_if(true), -*a);
                for b in values {
                    for y in both(*b) {
                        is(x.plus(y), *a + b);
                        is(x.minus(y), *a - b);
                        is(x.times(y), *a * b);
                    }
                }
            }
        }
        is(Unreduced::ONE, Element::<C>::one());
        is(Unreduced::ZERO, Element::<C>::zero());
    }

    /// Values at which limbs fill up, in Montgomery form as in plain form, and random ones.
    fn values<C: MontConfig<4>>() -> Vec<Element<C>> {
        let mut rng = ChaCha20Rng::seed_from_u64(17);
        let mut values: Vec<Element<C>> = (0..20).map(|_| Element::<C>::rand(&mut rng)).collect();
        for small in [0u64, 1, 2, 3, u64::MAX] {
            values.extend([Element::<C>::from(small), -Element::<C>::from(small)]);
            values.push(Element::new_unchecked(BigInt::from(small)));
            values.push(-Element::<C>::new_unchecked(BigInt::from(small)));
        }
        // The largest in Montgomery form: with its other representative 2 q - 1, the largest operand there is.
        let mut largest = Element::<C>::MODULUS;
        largest.0[0] -= 1;
        values.push(Element::new_unchecked(largest));
        for limb in 0..4 {
            let mut full = BigInt::new([u64::MAX; 4]);
            full.0[3] = Element::<C>::MODULUS.0[3] - 1;
            full.0[limb] = 0;
            values.push(Element::new_unchecked(full));
        }
        values
    }

    #[test]
    fn it_is_the_fields_arithmetic() {
        check::<FqConfig>(&values());
        check::<FrConfig>(&values());
        assert!(Unreduced::from(&Fq::zero()).is_zero() && !Unreduced::from(&Fr::one()).is_zero());
    }

    proptest! {
        /// Long chains stay below `2 q` and stay equal to the field's, whatever came before.
        #[test]
        fn chains_of_operations(start in any::<[u64; 4]>(), steps in prop::collection::vec((0u8..6, any::<[u64; 4]>()), 1..60)) {
            let field = |limbs: [u64; 4]| Fq::from_bigint(BigInt::new([limbs[0], limbs[1], limbs[2], limbs[3] >> 3])).unwrap();
            let mut plain = field(start);
            let [_, mut lazy] = both(plain);
            for (step, limbs) in steps {
                let by = field(limbs);
                let [_, other] = both(by);
                (plain, lazy) = match step {
                    0 => (plain + by, lazy.plus(other)),
                    1 => (plain - by, lazy.minus(other)),
                    2 => (plain * by, lazy.times(other)),
                    3 => (plain.square(), lazy.square()),
                    4 => (plain.double(), lazy.plus(lazy)),
                    _ => (-plain, lazy.negated_if(true)),
                };
                is(lazy, plain);
            }
        }
    }
}
