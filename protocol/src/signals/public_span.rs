//! The span of the public steps of the model, and the projection of a vector off it.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, Zero};

/// Fraction bits of the projection's coefficients.
pub(super) const FRACTION_BITS: u32 = 48;
/// A row counts only where at least `2^-DROP_BITS` of its squared length is outside the span of the rows before it:
/// a 256th of its length. What remains of a row below that is mostly rounding.
const DROP_BITS: u32 = 16;

/// A basis of the span of public rows `h_1, .., h_K`, orthogonal up to rounding. It knows the rows by their inner
/// products alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicSpan {
    /// `H[k][l] = <h_k, h_l>`.
    products: Vec<Vec<BigInt>>,
    basis: Vec<BasisRow>,
}

/// `g = sum_k coefficients[k] h_k`, a row less its projection on the basis rows before it, times `2^48`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct BasisRow {
    coefficients: Vec<BigInt>,
    /// `<g, h_k>` for every row.
    with_rows: Vec<BigInt>,
    /// `|g|^2`.
    square: BigInt,
}

impl PublicSpan {
    /// The span of rows with the inner products `products`, a symmetric `K x K` matrix. Rows count in order: one that is
    /// zero, or of which less than a 256th is outside the span of those before it, adds nothing.
    ///
    /// # Panics
    /// When `products` is not square.
    pub fn new(products: &[Vec<i128>]) -> Self {
        assert!(products.iter().all(|row| row.len() == products.len()), "a square matrix");
        let products: Vec<Vec<BigInt>> =
            products.iter().map(|row| row.iter().copied().map(BigInt::from).collect()).collect();
        let mut span = Self { products, basis: Vec::new() };
        for k in 0..span.products.len() {
            let mut coefficients = vec![BigInt::zero(); span.products.len()];
            coefficients[k] = BigInt::from(1) << FRACTION_BITS;
            let nothing = vec![BigInt::zero(); span.products.len()];
            span.reduce(&mut coefficients, &nothing);
            let with_rows = span.with_rows(&coefficients);
            let square = dot(&coefficients, &with_rows);
            let whole = &span.products[k][k] << (2 * FRACTION_BITS);
            if whole.is_positive() && (&square << DROP_BITS) >= whole {
                span.basis.push(BasisRow { coefficients, with_rows, square });
            }
        }
        span
    }

    /// How many rows count.
    pub fn rank(&self) -> usize {
        self.basis.len()
    }

    /// `X` with `2^48 v + sum_k X_k h_k` orthogonal to the span, up to rounding, for a vector with the products
    /// `with_rows[k] = <v, h_k>`.
    ///
    /// # Panics
    /// When there is not one product for every row.
    pub fn project(&self, with_rows: &[i128]) -> Vec<BigInt> {
        assert_eq!(with_rows.len(), self.products.len(), "a product for every row");
        let scaled: Vec<BigInt> = with_rows.iter().map(|b| BigInt::from(*b) << FRACTION_BITS).collect();
        let mut coefficients = vec![BigInt::zero(); self.products.len()];
        self.reduce(&mut coefficients, &scaled);
        coefficients
    }

    /// `|2^48 v + sum_k X_k h_k|^2`, for `square = |v|^2` and the products of `v` with the rows.
    pub fn square_beyond(&self, square: i128, with_rows: &[i128], projection: &[BigInt]) -> BigInt {
        let mixed: BigInt = projection.iter().zip(with_rows).map(|(x, b)| x * b).sum();
        let own = dot(projection, &self.with_rows(projection));
        (BigInt::from(square) << (2 * FRACTION_BITS)) + (mixed << (FRACTION_BITS + 1)) + own
    }

    /// Subtracts from `w + sum_k coefficients[k] h_k` its projection on every basis row in turn; `fixed[k] = <w, h_k>`.
    fn reduce(&self, coefficients: &mut [BigInt], fixed: &[BigInt]) {
        for row in &self.basis {
            // <w, g> + <sum c_k h_k, g>
            let product = dot(fixed, &row.coefficients) + dot(coefficients, &row.with_rows);
            let share = (product << FRACTION_BITS).div_floor(&row.square);
            for (coefficient, of_row) in coefficients.iter_mut().zip(&row.coefficients) {
                *coefficient -= (&share * of_row) >> FRACTION_BITS;
            }
        }
    }

    /// `<sum_k c_k h_k, h_l>` for every `l`.
    fn with_rows(&self, coefficients: &[BigInt]) -> Vec<BigInt> {
        self.products.iter().map(|row| dot(coefficients, row)).collect()
    }
}

fn dot(a: &[BigInt], b: &[BigInt]) -> BigInt {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_traits::ToPrimitive;
    use proptest::prelude::*;

    fn products(rows: &[Vec<i64>]) -> Vec<Vec<i128>> {
        let dot = |a: &[i64], b: &[i64]| a.iter().zip(b).map(|(x, y)| i128::from(*x) * i128::from(*y)).sum();
        rows.iter().map(|a| rows.iter().map(|b| dot(a, b)).collect()).collect()
    }

    /// `2^48 v + sum X_k h_k` in full, and `X`.
    fn beyond(rows: &[Vec<i64>], v: &[i64]) -> (PublicSpan, Vec<BigInt>, Vec<i128>, Vec<BigInt>) {
        let span = PublicSpan::new(&products(rows));
        let with_rows: Vec<i128> = rows
            .iter()
            .map(|r| r.iter().zip(v).map(|(x, y)| i128::from(*x) * i128::from(*y)).sum())
            .collect();
        let x = span.project(&with_rows);
        let vector = (0..v.len())
            .map(|e| {
                let moved: BigInt = x.iter().zip(rows).map(|(x, row)| x * row[e]).sum();
                (BigInt::from(v[e]) << FRACTION_BITS) + moved
            })
            .collect();
        (span, vector, with_rows, x)
    }

    fn length(v: &[BigInt]) -> f64 {
        dot(v, v).to_f64().unwrap().sqrt()
    }

    proptest! {
        /// The sizes of a project: steps up to 2^31, the sum of all steps up to 2^41, updates of 16 bits.
        #[test]
        fn what_remains_is_orthogonal_to_every_row(
            rows in prop::collection::vec(prop::collection::vec(-(1i64 << 31)..1 << 31, 12), 0..5),
            v in prop::collection::vec(-32_768i64..32_768, 12),
        ) {
            let mut rows = rows;
            // The sum of all rows, as the model less its start is: dropped, unless it is the only row.
            let sum = (0..12).map(|e| rows.iter().map(|r| r[e]).sum()).collect();
            let apart = rows.len();
            rows.push(sum);
            let (span, rest, with_rows, x) = beyond(&rows, &v);
            prop_assert_eq!(span.rank(), apart);
            for row in &rows {
                let row: Vec<BigInt> = row.iter().map(|e| BigInt::from(*e)).collect();
                if row.iter().any(|e| !e.is_zero()) {
                    let cosine = dot(&rest, &row).to_f64().unwrap() / length(&row) / (length(&rest) + 1.0);
                    prop_assert!(cosine.abs() < 1e-6, "{cosine}");
                }
            }
            let square: i128 = v.iter().map(|e| i128::from(*e) * i128::from(*e)).sum();
            prop_assert_eq!(span.square_beyond(square, &with_rows, &x), dot(&rest, &rest));
        }

        /// Of a vector in the span next to nothing remains: less than a 2^-30th of its length.
        #[test]
        fn nothing_remains_of_a_vector_in_the_span(
            rows in prop::collection::vec(prop::collection::vec(-(1i64 << 20)..1 << 20, 9), 1..5),
            mix in prop::collection::vec(-8i64..8, 5),
        ) {
            let v: Vec<i64> = (0..9).map(|e| rows.iter().zip(&mix).map(|(r, m)| r[e] * m).sum()).collect();
            let (_, rest, _, _) = beyond(&rows, &v);
            let whole = v.iter().map(|e| (*e as f64).powi(2)).sum::<f64>().sqrt() * 2f64.powi(48);
            prop_assert!(length(&rest) <= whole * 2f64.powi(-30) + 2f64.powi(40), "{}", length(&rest) / whole);
        }
    }

    #[test]
    fn rows_that_are_zero_or_nearly_parallel_do_not_count() {
        let rank = |rows: &[Vec<i64>]| PublicSpan::new(&products(rows)).rank();
        assert_eq!(rank(&[]), 0);
        assert_eq!(rank(&[vec![0, 0, 0]]), 0);
        assert_eq!(rank(&[vec![0, 0], vec![3, 4], vec![6, 8], vec![-3, -4], vec![3, 5]]), 2);
        // The remainder is just below and just above a 256th of the row's length.
        assert_eq!(rank(&[vec![1, 0], vec![25_600, 99]]), 1);
        assert_eq!(rank(&[vec![1, 0], vec![25_600, 101]]), 2);
    }

    #[test]
    fn without_rows_a_vector_stays_whole() {
        let span = PublicSpan::new(&[]);
        assert!(span.project(&[]).is_empty());
        assert_eq!(span.square_beyond(25, &[], &[]), BigInt::from(25) << 96);
    }
}
