//! Samples with their labels, in memory.

/// Samples of `inputs` features each, row by row, and a label for every one.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    features: Vec<f32>,
    labels: Vec<i64>,
    inputs: usize,
}

/// How large the features of a data set are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureRange {
    /// The least feature.
    pub least: f32,
    /// The greatest feature.
    pub greatest: f32,
    /// The root of the mean square of all features.
    pub rms: f32,
}

impl Dataset {
    /// `features` holds `labels.len() * inputs` numbers; `None` when it does not, or when `inputs` is 0.
    pub fn new(features: Vec<f32>, labels: Vec<i64>, inputs: usize) -> Option<Self> {
        let fits = inputs > 0 && labels.len().checked_mul(inputs) == Some(features.len());
        fits.then_some(Self { features, labels, inputs })
    }

    /// All features, sample by sample.
    pub fn features(&self) -> &[f32] {
        &self.features
    }

    /// The label of every sample.
    pub fn labels(&self) -> &[i64] {
        &self.labels
    }

    /// Features of a sample.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True without a sample.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The range of all features; zeros without a sample.
    pub fn feature_range(&self) -> FeatureRange {
        let least = self.features.iter().copied().reduce(f32::min).unwrap_or_default();
        let greatest = self.features.iter().copied().reduce(f32::max).unwrap_or_default();
        let squares: f64 = self.features.iter().map(|f| f64::from(*f).powi(2)).sum();
        let rms = (squares / self.features.len().max(1) as f64).sqrt() as f32;
        FeatureRange { least, greatest, rms }
    }

    /// The samples at `indices`, in that order.
    ///
    /// # Panics
    /// When an index is not below [`Self::len`], like indexing a slice.
    pub fn select(&self, indices: &[usize]) -> Self {
        let row = |i: &usize| &self.features[i * self.inputs..(i + 1) * self.inputs];
        Self {
            features: indices.iter().flat_map(row).copied().collect(),
            labels: indices.iter().map(|i| self.labels[*i]).collect(),
            inputs: self.inputs,
        }
    }

    /// The same samples under other labels.
    pub fn relabelled(&self, label: impl Fn(i64) -> i64) -> Self {
        Self { labels: self.labels.iter().map(|l| label(*l)).collect(), ..self.clone() }
    }

    /// How many samples each of the labels `0..classes` has. Other labels are not counted.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for label in &self.labels {
            if let Some(count) = usize::try_from(*label).ok().and_then(|l| counts.get_mut(l)) {
                *count += 1;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_keep_their_labels() {
        assert_eq!(Dataset::new(vec![1.0; 5], vec![0, 1], 2), None);
        assert_eq!(Dataset::new(vec![], vec![], 0), None);
        let data = Dataset::new(vec![0.0, 0.1, 1.0, 1.1, 2.0, 2.1], vec![7, 8, 9], 2).unwrap();
        let picked = data.select(&[2, 0]);
        assert_eq!((picked.features(), picked.labels()), (&[2.0, 2.1, 0.0, 0.1][..], &[9, 7][..]));
        assert_eq!(data.relabelled(|l| 9 - l).labels(), [2, 1, 0]);
        assert_eq!(data.class_counts(9), [0, 0, 0, 0, 0, 0, 0, 1, 1]);
        let data = Dataset::new(vec![3.0, -4.0], vec![0], 2).unwrap();
        let range = data.feature_range();
        assert_eq!((range.least, range.greatest), (-4.0, 3.0));
        assert!((range.rms - 12.5f32.sqrt()).abs() < 1e-6);
    }
}
