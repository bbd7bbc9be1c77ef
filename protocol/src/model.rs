//! Models: their parameters, the order of the parameters, their first values.
//!
//! The order of the parameters is the order of their names; each is flattened row-major. That order is the order of an
//! update's coefficients (docs/protocol.md 12.3).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bounds::{DIMENSION_LIMIT, MAX_LAYER};
use crate::quantise::MODEL_FRACTION_BITS;

/// A model that a project trains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Model {
    /// Multinomial logistic regression.
    Logistic {
        /// Features of a sample.
        inputs: u32,
        /// Classes.
        classes: u32,
    },
    /// One hidden layer with rectified linear units.
    Mlp {
        /// Features of a sample.
        inputs: u32,
        /// Hidden units.
        hidden: u32,
        /// Classes.
        classes: u32,
    },
    /// One 3x3 convolution (padding 1), rectified linear units, a 2x2 maximum pool, one linear layer. For square images
    /// of one channel.
    Cnn {
        /// Features of a sample: the side of the image, squared.
        inputs: u32,
        /// Channels of the convolution.
        channels: u32,
        /// Classes.
        classes: u32,
    },
}

/// A parameter of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as in the model's file.
    pub name: &'static str,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Inputs of one output, which scales the first values.
    fan_in: u32,
}

impl Parameter {
    fn new(name: &'static str, shape: &[u32], fan_in: u32) -> Self {
        Self { name, shape: shape.iter().map(|&s| s as usize).collect(), fan_in }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// True when the parameter has no entry; a valid model has no such parameter.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An invalid model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// A size is out of its range.
    #[error("model.{field} is {value}; expected {expected}")]
    Size {
        /// The field of the specification.
        field: &'static str,
        /// The value given.
        value: u32,
        /// The valid range.
        expected: &'static str,
    },
    /// More parameters than the proofs allow.
    #[error("the model has {0} parameters; expected fewer than 4194304 (2^22): make a layer smaller")]
    TooLarge(u64),
}

impl Model {
    /// Features of a sample.
    pub fn inputs(&self) -> u32 {
        match self {
            Self::Logistic { inputs, .. } | Self::Mlp { inputs, .. } | Self::Cnn { inputs, .. } => *inputs,
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> u32 {
        match self {
            Self::Logistic { classes, .. } | Self::Mlp { classes, .. } | Self::Cnn { classes, .. } => {
                *classes
            }
        }
    }

    /// Side of the image of a [`Model::Cnn`], whose `inputs` must be its square.
    pub fn image_side(&self) -> u32 {
        self.inputs().isqrt()
    }

    /// Checks every size.
    ///
    /// # Errors
    /// [`ModelError`] names the field, or says that the model is too large.
    pub fn validate(&self) -> Result<(), ModelError> {
        let in_range = |field, value: u32, least: u32, expected| {
            if (least..=MAX_LAYER).contains(&value) {
                Ok(())
            } else {
                Err(ModelError::Size { field, value, expected })
            }
        };
        in_range("inputs", self.inputs(), 1, "1 to 65536")?;
        in_range("classes", self.classes(), 2, "2 to 65536")?;
        match self {
            Self::Logistic { .. } => {}
            Self::Mlp { hidden, .. } => in_range("hidden", *hidden, 1, "1 to 65536")?,
            Self::Cnn { inputs, channels, .. } => {
                in_range("channels", *channels, 1, "1 to 65536")?;
                let side = self.image_side();
                if side * side != *inputs || !side.is_multiple_of(2) {
                    let expected = "the square of an even number (a square image), such as 64 or 784";
                    return Err(ModelError::Size { field: "inputs", value: *inputs, expected });
                }
            }
        }
        let dimension: u64 =
            self.parameters().iter().map(|p| p.shape.iter().map(|&s| s as u64).product::<u64>()).sum();
        if dimension >= u64::from(DIMENSION_LIMIT) {
            Err(ModelError::TooLarge(dimension))
        } else {
            Ok(())
        }
    }

    /// The parameters in the order of their names.
    pub fn parameters(&self) -> Vec<Parameter> {
        let new = Parameter::new;
        match *self {
            Self::Logistic { inputs, classes } => {
                vec![new("fc.bias", &[classes], inputs), new("fc.weight", &[classes, inputs], inputs)]
            }
            Self::Mlp { inputs, hidden, classes } => vec![
                new("fc1.bias", &[hidden], inputs),
                new("fc1.weight", &[hidden, inputs], inputs),
                new("fc2.bias", &[classes], hidden),
                new("fc2.weight", &[classes, hidden], hidden),
            ],
            Self::Cnn { inputs, channels, classes } => {
                let flat = channels * (inputs / 4);
                vec![
                    new("conv.bias", &[channels], 9),
                    new("conv.weight", &[channels, 1, 3, 3], 9),
                    new("fc.bias", &[classes], flat),
                    new("fc.weight", &[classes, flat], flat),
                ]
            }
        }
    }

    /// `d`, the number of parameters. Meaningful for a model that [`Model::validate`] accepts.
    pub fn dimension(&self) -> usize {
        self.parameters().iter().map(Parameter::len).sum()
    }

    /// The first model `T_0` in fixed point: every entry uniform in `[-1/sqrt(fan_in), 1/sqrt(fan_in)]`, the usual
    /// start of a linear layer, drawn from SHA-256 of the seed and a counter, so that anyone can recompute it.
    pub fn initial(&self, seed: u64, scale_log2: u8) -> Vec<i64> {
        let mut values = Vec::with_capacity(self.dimension());
        let mut stream = Stream::new(seed);
        let one = f64::from(1u32 << scale_log2) * f64::from(1u32 << MODEL_FRACTION_BITS);
        for parameter in self.parameters() {
            let bound = one / f64::from(parameter.fan_in).sqrt();
            values.extend(
                (0..parameter.len()).map(|_| (stream.next_signed_unit() * bound).round_ties_even() as i64),
            );
        }
        values
    }
}

struct Stream {
    seed: u64,
    block: u64,
    words: Vec<u64>,
}

impl Stream {
    fn new(seed: u64) -> Self {
        Self { seed, block: 0, words: Vec::new() }
    }

    /// Uniform in `[-1, 1)` on a grid of `2^-52`.
    fn next_signed_unit(&mut self) -> f64 {
        if self.words.is_empty() {
            let mut hash = Sha256::new_with_prefix(b"fairshare initial model v1");
            hash.update(self.seed.to_be_bytes());
            hash.update(self.block.to_be_bytes());
            self.block += 1;
            let digest = hash.finalize();
            self.words
                .extend(digest.chunks_exact(8).map(|c| c.iter().fold(0u64, |a, &b| a << 8 | u64::from(b))));
        }
        let word = self.words.pop().expect("refilled above");
        (word >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mlp() -> Model {
        Model::Mlp { inputs: 64, hidden: 128, classes: 10 }
    }

    #[test]
    fn parameters_come_in_the_order_of_their_names() {
        let cnn = Model::Cnn { inputs: 64, channels: 8, classes: 10 };
        for model in [mlp(), cnn, Model::Logistic { inputs: 64, classes: 10 }] {
            let names: Vec<_> = model.parameters().iter().map(|p| p.name).collect();
            let mut sorted = names.clone();
            sorted.sort_unstable();
            assert_eq!(names, sorted);
        }
        assert_eq!(mlp().dimension(), 64 * 128 + 128 + 128 * 10 + 10);
    }

    #[test]
    fn the_first_model_is_reproducible_spread_out_and_bounded() {
        let (a, b) = (mlp().initial(7, 14), mlp().initial(7, 14));
        assert_eq!(a, b);
        assert_ne!(a, mlp().initial(8, 14));
        let bound = (1i64 << 30) / 8;
        let weights = &a[128..128 + 64 * 128];
        assert!(weights.iter().all(|v| v.abs() <= bound));
        let mean = weights.iter().sum::<i64>() as f64 / weights.len() as f64;
        assert!(mean.abs() < bound as f64 * 0.05);
        assert!(weights.iter().any(|v| v.abs() > bound * 9 / 10));
    }

    #[test]
    fn impossible_sizes_are_named() {
        let message = |m: Model| m.validate().unwrap_err().to_string();
        assert!(message(Model::Logistic { inputs: 0, classes: 10 }).contains("model.inputs is 0"));
        assert!(message(Model::Mlp { inputs: 64, hidden: 0, classes: 10 }).contains("model.hidden is 0"));
        assert!(message(Model::Cnn { inputs: 65, channels: 4, classes: 10 }).contains("square"));
        assert!(message(Model::Mlp { inputs: 65536, hidden: 65536, classes: 2 }).contains("parameters"));
        assert_eq!(mlp().validate(), Ok(()));
    }
}
