//! Vectors of floating point numbers, for attackers and measures.

/// An update in floating point.
pub(crate) fn floats(update: &[i16]) -> Vec<f64> {
    update.iter().map(|e| f64::from(*e)).collect()
}

/// The length of a vector.
pub(crate) fn norm(v: &[f64]) -> f64 {
    v.iter().map(|e| e * e).sum::<f64>().sqrt()
}

/// `v` over its length; zeros where that is 0.
pub(crate) fn unit(v: &[f64]) -> Vec<f64> {
    scaled(v, 1.0 / norm(v).max(1e-12))
}

/// `factor v`.
pub(crate) fn scaled(v: &[f64], factor: f64) -> Vec<f64> {
    v.iter().map(|e| factor * e).collect()
}

/// `sum += v`.
pub(crate) fn add(sum: &mut [f64], v: &[f64]) {
    sum.iter_mut().zip(v).for_each(|(s, e)| *s += e);
}

/// The mean of equally long vectors.
pub(crate) fn mean(vectors: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; vectors[0].len()];
    vectors.iter().for_each(|v| add(&mut sum, v));
    scaled(&sum, 1.0 / vectors.len() as f64)
}

/// The standard deviation of every entry of equally long vectors with the mean `average`.
pub(crate) fn deviation(vectors: &[Vec<f64>], average: &[f64]) -> Vec<f64> {
    let of = |e: usize| {
        let squares = vectors.iter().map(|v| (v[e] - average[e]).powi(2)).sum::<f64>();
        (squares / vectors.len() as f64).sqrt()
    };
    (0..average.len()).map(of).collect()
}

/// `v` less its projection on the span of `rows` (modified Gram-Schmidt).
pub(crate) fn project_off(v: &[f64], rows: &[Vec<f64>]) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let off = |v: &[f64], basis: &[Vec<f64>]| {
        let mut rest = v.to_vec();
        for row in basis {
            let along = dot(&rest, row);
            add(&mut rest, &scaled(row, -along));
        }
        rest
    };
    for row in rows {
        let rest = off(row, &basis);
        if dot(&rest, &rest) > 1e-9 * dot(row, row) {
            basis.push(unit(&rest));
        }
    }
    off(v, &basis)
}
