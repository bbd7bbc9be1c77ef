//! The handwritten digits of the UCI repository ("Optical Recognition of Handwritten Digits", 1797 images of 8x8).
//!
//! They come inside the crate `smartcore`, so nothing is downloaded. Its `target_names` belong to another data set
//! and are not read: the targets are the digits themselves.

use super::Dataset;

/// Classes of the digits: 0 to 9.
pub const DIGITS_CLASSES: u32 = 10;

/// Grey levels are counted from 0 to this.
const DARKEST: f32 = 16.0;

/// All 1797 images, 64 features each in `[0, 1]`, labels 0 to 9.
pub fn digits() -> Dataset {
    let raw = smartcore::dataset::digits::load_dataset();
    let features = raw.data.iter().map(|level| level / DARKEST).collect();
    let labels = raw.target.iter().map(|digit| *digit as i64).collect();
    Dataset::new(features, labels, raw.num_features).expect("the crate's data set is whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_the_published_data_set() {
        let data = digits();
        assert_eq!((data.len(), data.inputs()), (1797, 64));
        // The class counts that the data set's description gives.
        assert_eq!(data.class_counts(10), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
        assert!(data.features().iter().all(|v| (0.0..=1.0).contains(v)));
        assert!(data.features().contains(&1.0) && data.features().contains(&0.0));
        // The first image, a zero: its second row.
        let row: Vec<f32> = data.features()[8..16].iter().map(|v| v * DARKEST).collect();
        assert_eq!((data.labels()[0], row), (0, vec![0.0, 0.0, 13.0, 15.0, 10.0, 15.0, 5.0, 0.0]));
    }
}
