//! Quantisation: between floating point and the integers of the proofs (docs/protocol.md 2).

/// The global model has this many fraction bits more than an update.
pub const MODEL_FRACTION_BITS: u8 = 16;

/// A quantised update, and how many entries were clamped.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantised {
    /// `u`, entries in `[-2^15, 2^15)`.
    pub update: Vec<i16>,
    /// Entries that were clamped, and entries that were NaN and became 0.
    pub clamped: usize,
}

impl Quantised {
    /// Share of clamped entries, in `[0, 1]`. Above 0.001 the project's scale is too large for the training.
    pub fn clamped_share(&self) -> f64 {
        self.clamped as f64 / self.update.len().max(1) as f64
    }
}

/// `round((local - global) * 2^scale_log2)`, half to even as `torch.round`, clamped to 16 bits.
///
/// `local` and `global` have the same length `d`; if not, the result has the shorter length.
pub fn quantise_update(local: &[f32], global: &[f32], scale_log2: u8) -> Quantised {
    let scale = f64::from(1u32 << scale_log2);
    let mut clamped = 0;
    let update = local
        .iter()
        .zip(global)
        .map(|(&l, &g)| {
            let value = ((f64::from(l) - f64::from(g)) * scale).round_ties_even();
            if !(f64::from(i16::MIN)..=f64::from(i16::MAX)).contains(&value) {
                clamped += 1;
            }
            value as i16 // saturates; NaN becomes 0
        })
        .collect();
    Quantised { update, clamped }
}

/// The fixed-point model as floating point: `T / 2^(scale_log2 + 16)`.
pub fn model_to_f32(model: &[i64], scale_log2: u8) -> Vec<f32> {
    let scale = f64::from(1u32 << scale_log2) * f64::from(1u32 << MODEL_FRACTION_BITS);
    model.iter().map(|&t| (t as f64 / scale) as f32).collect()
}

/// `T + sum_i w_i u_i`; `None` when an entry overflows 64 bits or the lengths differ.
pub fn apply_step(model: &[i64], updates: &[(&[i16], u32)]) -> Option<Vec<i64>> {
    let mut next = model.to_vec();
    for (update, weight) in updates {
        if update.len() != next.len() {
            return None;
        }
        for (t, &u) in next.iter_mut().zip(*update) {
            *t = t.checked_add(i64::from(u) * i64::from(*weight))?;
        }
    }
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_half_to_even_and_clamps() {
        let local = [0.5, 1.5, -0.5, -1.5, 40000.0, -40000.0, f32::NAN, 32767.0, -32768.0];
        let q = quantise_update(&local, &[0.0; 9], 0);
        assert_eq!(q.update, [0, 2, 0, -2, i16::MAX, i16::MIN, 0, i16::MAX, i16::MIN]);
        assert_eq!(q.clamped, 3);
        assert!((q.clamped_share() - 3.0 / 9.0).abs() < 1e-12);
    }

    #[test]
    fn a_step_is_exact_and_refuses_overflow_and_other_lengths() {
        assert_eq!(apply_step(&[5, -5], &[(&[1, -2], 3), (&[10, 10], 65536)]), Some(vec![655_368, 655_349]));
        assert_eq!(apply_step(&[i64::MAX], &[(&[1], 1)]), None);
        assert_eq!(apply_step(&[0], &[(&[1, 2], 1)]), None);
    }

    #[test]
    fn the_model_comes_back_as_floating_point() {
        assert_eq!(model_to_f32(&[1 << 30, -(1 << 29)], 14), [1.0, -0.5]);
    }
}
