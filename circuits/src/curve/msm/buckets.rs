//! Sums of many points by key: the points of a key are added in pairs, in affine coordinates, all with one inversion.
//!
//! Points are fetched in the order of their keys into a buffer that stays in the second-level cache, and every round of
//! additions over that buffer shares one inversion. The sums of all keys are weighted by rows and columns: a key is `hi
//! 2^h + lo`, so that `sum (key + 1) B_key = 2^h sum hi Row_hi + sum (lo + 1) Column_lo`, and rows and columns are sums
//! by key once more.
//!
//! A denominator is never zero, or the shared inversion would spoil a whole group: two points of one `x` are equal or
//! opposite, equal ones have `2 y` with `y != 0` as the group's order is odd, and opposite ones put a one in its place.

use crate::curve::unreduced::Unreduced;
use ark_bn254::{FqConfig, G1Affine, G1Projective};
use ark_ec::VariableBaseMSM;
use ark_ff::AdditiveGroup;

type Bucket = <G1Projective as VariableBaseMSM>::Bucket;
type Coordinate = Unreduced<FqConfig>;

/// Points that are reduced together, unless one key has more: with their prefixes they fit the second-level cache, and
/// are enough that the inversions do not count.
const GROUP: usize = 8192;
/// Up to so many keys are weighted by running sums in projective coordinates.
const FEW_KEYS: usize = 256;

/// A point of the curve that is not infinity.
#[derive(Clone, Copy)]
struct Point {
    x: Coordinate,
    y: Coordinate,
}

impl Point {
    fn affine(&self) -> G1Affine {
        G1Affine::new_unchecked(self.x.reduced(), self.y.reduced())
    }
}

impl From<&G1Affine> for Point {
    #[inline(always)]
    fn from(point: &G1Affine) -> Self {
        Self { x: Unreduced::from(&point.x), y: Unreduced::from(&point.y) }
    }
}

/// `sum_i digits_i * points_i` with `|digits_i| <= buckets`. Points at infinity have the digit zero.
///
/// # Panics
/// Beyond `2^31` points, whose places do not fit an entry.
pub(super) fn weighted_sum(points: &[G1Affine], digits: &[i32], buckets: usize) -> G1Projective {
    assert!(points.len() <= 1 << 31, "a place and a sign in 32 bits");
    let keyed = digits.iter().zip(0u32..).filter(|(digit, _)| **digit != 0);
    let keyed = keyed.map(|(digit, at)| (digit.unsigned_abs() - 1, at << 1 | u32::from(*digit < 0)));
    sum_by_place(&Sorted::new(keyed, buckets).sums(|at| Point::from(&points[at])))
}

/// `sum_k (k + 1) * sums_k`.
fn sum_by_place(sums: &[Option<Point>]) -> G1Projective {
    if sums.len() <= FEW_KEYS {
        return running_sum(sums);
    }
    let shift = sums.len().ilog2() / 2;
    let (columns, rows) = (1usize << shift, sums.len().div_ceil(1 << shift));
    let present = || sums.iter().zip(0u32..).filter_map(|(sum, at)| sum.is_some().then_some(at));
    let point = |at: usize| sums[at].expect("only those that are there");
    let of_rows = Sorted::new(present().map(|at| (at >> shift, at << 1)), rows).sums(point);
    let of_columns =
        Sorted::new(present().map(|at| (at & (columns as u32 - 1), at << 1)), columns).sums(point);
    let mut total = running_sum(&of_rows[1..]);
    (0..shift).for_each(|_| {
        total.double_in_place();
    });
    total + running_sum(&of_columns)
}

/// `sum_k (k + 1) * sums_k`, all of them added one by one.
fn running_sum(sums: &[Option<Point>]) -> G1Projective {
    let (mut running, mut total) = (Bucket::ZERO, Bucket::ZERO);
    for sum in sums.iter().rev() {
        if let Some(point) = sum {
            running += &point.affine();
        }
        total += &running;
    }
    total.into()
}

/// Points in the order of their keys.
struct Sorted {
    /// Twice the place of a point, and one more where its negative is meant.
    entries: Vec<u32>,
    /// Where the entries of each key start, and behind them all the number of entries.
    starts: Vec<usize>,
}

impl Sorted {
    /// From pairs of a key below `keys` and an entry.
    fn new(keyed: impl Iterator<Item = (u32, u32)> + Clone, keys: usize) -> Self {
        let mut starts = vec![0usize; keys + 1];
        for (key, _) in keyed.clone() {
            starts[key as usize] += 1;
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        // Each start is where its key ends as yet; it moves down with every entry.
        let mut entries = vec![0u32; total];
        for (key, entry) in keyed {
            let place = &mut starts[key as usize];
            *place -= 1;
            entries[*place] = entry;
        }
        Self { entries, starts }
    }

    /// For each key the sum of its points; `None` is infinity. `point` gives a point by its place.
    fn sums(&self, point: impl Fn(usize) -> Point) -> Vec<Option<Point>> {
        let keys = self.starts.len() - 1;
        let mut sums = Vec::with_capacity(keys);
        let mut group = Group::default();
        let mut from = 0;
        while from < keys {
            let first = self.starts[from];
            let mut to = from + 1;
            while to < keys && self.starts[to + 1] - first <= GROUP {
                to += 1;
            }
            group.points.clear();
            let entries = &self.entries[first..self.starts[to]];
            // Fetched first, negated then: the shorter a fetch, the more of them a processor has under way.
            group.points.extend(entries.iter().map(|entry| point((entry >> 1) as usize)));
            for (point, entry) in group.points.iter_mut().zip(entries) {
                point.y = point.y.negated_if(entry & 1 == 1);
            }
            group.runs.clear();
            group.runs.extend(
                self.starts[from..=to]
                    .windows(2)
                    .map(|at| Run { start: at[0] - first, length: at[1] - at[0] }),
            );
            while group.halve() {}
            sums.extend(group.runs.iter().map(|run| (run.length == 1).then(|| group.points[run.start])));
            from = to;
        }
        sums
    }
}

/// Points of one key.
struct Run {
    start: usize,
    length: usize,
}

/// Points that are added in the same rounds.
#[derive(Default)]
struct Group {
    points: Vec<Point>,
    runs: Vec<Run>,
    /// Scratch: for each addition, from the last to the first, the product of what those before it divide by.
    prefixes: Vec<Coordinate>,
}

impl Group {
    /// Adds the points of every run in pairs, all with one inversion. False when no run held two.
    ///
    /// The products run in two chains that take turns, since a processor works on two products in less than twice the
    /// time.
    fn halve(&mut self) -> bool {
        self.prefixes.clear();
        let (mut this, mut other) = (Coordinate::ONE, Coordinate::ONE);
        for run in self.runs.iter().rev() {
            for pair in self.points[run.start..run.start + run.length].chunks_exact(2).rev() {
                self.prefixes.push(this);
                (this, other) = (other, this.times(run_of_slope(&pair[0], &pair[1])));
            }
        }
        if self.prefixes.is_empty() {
            return false;
        }
        let inverse = this.times(other).inverse_or_zero();
        (this, other) = (inverse.times(other), inverse.times(this));
        for run in &mut self.runs {
            let points = &mut self.points[run.start..run.start + run.length];
            let mut written = 0; // never ahead of what is read
            for pair in 0..run.length / 2 {
                let (p, q) = (points[2 * pair], points[2 * pair + 1]);
                let prefix = self.prefixes.pop().expect("one an addition");
                let sum = sum_with_inverse(&p, &q, other.times(prefix));
                (this, other) = (other.times(run_of_slope(&p, &q)), this);
                if let Some(sum) = sum {
                    points[written] = sum;
                    written += 1;
                }
            }
            if run.length % 2 == 1 {
                points[written] = points[run.length - 1];
                written += 1;
            }
            run.length = written;
        }
        true
    }
}

/// What the slope through `p` and `q` is divided by; one where they cancel. Never zero: no point of the curve has `y =
/// 0`.
#[inline(always)]
fn run_of_slope(p: &Point, q: &Point) -> Coordinate {
    let run = q.x.minus(p.x);
    if !run.is_zero() {
        run
    } else if p.y.minus(q.y).is_zero() {
        p.y.plus(p.y)
    } else {
        Coordinate::ONE
    }
}

/// `p + q` given the inverse of [`run_of_slope`]; `None` is infinity.
#[inline(always)]
fn sum_with_inverse(p: &Point, q: &Point, inverse: Coordinate) -> Option<Point> {
    let mut rise = q.y.minus(p.y);
    if q.x.minus(p.x).is_zero() {
        if !rise.is_zero() {
            return None;
        }
        let square = p.x.square();
        rise = square.plus(square).plus(square);
    }
    let slope = rise.times(inverse);
    let x = slope.square().minus(p.x).minus(q.x);
    Some(Point { x, y: slope.times(p.x.minus(x)).minus(p.y) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::Fr;
    use ark_ec::{AffineRepr, CurveGroup};
    use ark_ff::{UniformRand, Zero};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    /// Numbers of keys around those where rows and columns begin, no power of two among them, and more points of one
    /// key than a group holds: all against plain sums.
    #[test]
    fn weighted_sums_are_the_plain_ones() {
        let mut rng = ChaCha20Rng::seed_from_u64(31);
        let points: Vec<G1Projective> = (0..40).map(|_| G1Projective::rand(&mut rng)).collect();
        let mut points = G1Projective::normalize_batch(&points);
        points.extend((0..20).map(|k| -points[k]).collect::<Vec<_>>());
        for buckets in [1usize, 2, 3, 255, 256, 257, 300, 512, 1000, 4096] {
            for count in [0usize, 1, 100, GROUP + 1000] {
                let bases: Vec<G1Affine> = (0..count).map(|_| points[rng.gen_range(0..60)]).collect();
                let most = buckets as i32;
                let spread: Vec<i32> = (0..count).map(|_| rng.gen_range(-most..=most)).collect();
                for digits in [spread, vec![most; count], vec![-1; count]] {
                    let mut factors = [0i64; 60];
                    for (base, digit) in bases.iter().zip(&digits) {
                        factors[points.iter().position(|p| p == base).unwrap()] += i64::from(*digit);
                    }
                    let expected: G1Projective =
                        points.iter().zip(factors).map(|(p, factor)| *p * Fr::from(factor)).sum();
                    assert_eq!(
                        weighted_sum(&bases, &digits, buckets),
                        expected,
                        "{buckets} keys, {count} points"
                    );
                }
            }
        }
    }

    #[test]
    fn opposite_points_leave_nothing() {
        let p = (G1Affine::generator() * Fr::from(7u64)).into_affine();
        for digits in [[3, 3], [1, 1]] {
            assert!(weighted_sum(&[p, -p], &digits, 4).is_zero());
        }
        let mut sums = Sorted::new([(1u32, 0u32), (1, 1)].into_iter(), 3).sums(|_| Point::from(&p));
        assert!(sums.len() == 3 && sums.drain(..).all(|sum| sum.is_none()));
    }
}
