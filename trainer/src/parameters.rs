//! Between the flat vector of parameters, which is committed and proved, and tensors.
//!
//! Flat means: parameters in the order of their names, each row-major (docs/protocol.md, section 12).

use fairshare_protocol::Model;
use tch::{Kind, TchError, Tensor};

use crate::error::TrainerError;

/// The parameters as tensors of the model's shapes, in the order of [`Model::parameters`].
///
/// # Errors
/// [`TrainerError::WrongDimension`] unless `flat` has `d` entries.
pub fn to_tensors(model: &Model, flat: &[f32]) -> Result<Vec<Tensor>, TrainerError> {
    if flat.len() != model.dimension() {
        return Err(TrainerError::WrongDimension { expected: model.dimension(), got: flat.len() });
    }
    let mut rest = flat;
    let mut tensors = Vec::new();
    for parameter in model.parameters() {
        let (values, after) = rest.split_at(parameter.len());
        rest = after;
        let shape: Vec<i64> = parameter.shape.iter().map(|s| *s as i64).collect();
        tensors.push(Tensor::f_from_slice(values)?.f_reshape(shape)?);
    }
    Ok(tensors)
}

/// The flat vector of tensors that [`to_tensors`] gave or that training made of them.
///
/// # Errors
/// What libtorch refuses, such as tensors of another kind of number.
pub fn to_flat(tensors: &[Tensor]) -> Result<Vec<f32>, TchError> {
    let mut flat = Vec::new();
    for tensor in tensors {
        let row = tensor.f_detach()?.f_contiguous()?.f_view([-1])?.f_to_kind(Kind::Float)?;
        flat.extend(Vec::<f32>::try_from(&row)?);
    }
    Ok(flat)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::forward;

    fn models() -> [Model; 3] {
        [
            Model::Logistic { inputs: 4, classes: 3 },
            Model::Mlp { inputs: 4, hidden: 5, classes: 3 },
            Model::Cnn { inputs: 16, channels: 2, classes: 3 },
        ]
    }

    #[test]
    fn the_flat_vector_comes_back() {
        for model in models() {
            let flat: Vec<f32> = (0..model.dimension()).map(|i| i as f32 - 7.5).collect();
            let tensors = to_tensors(&model, &flat).unwrap();
            assert_eq!(to_flat(&tensors).unwrap(), flat);
            // A tensor that lies otherwise in memory is flattened by its rows all the same.
            let turned: Vec<Tensor> = tensors
                .iter()
                .map(|t| if t.dim() == 2 { t.tr().contiguous().tr() } else { t.shallow_clone() })
                .collect();
            assert_eq!(to_flat(&turned).unwrap(), flat);
            let short = to_tensors(&model, &flat[1..]).unwrap_err();
            assert!(matches!(short, TrainerError::WrongDimension { got, .. } if got == flat.len() - 1));
        }
    }

    #[test]
    fn places_in_the_flat_vector_are_those_of_name_order_row_major() {
        // logistic: fc.bias (3), then fc.weight (3 x 4) row by row: scores_c = bias_c + sum_k weight_ck x_k.
        let model = Model::Logistic { inputs: 4, classes: 3 };
        let mut flat = vec![0.0; model.dimension()];
        flat[1] = 10.0; // bias of class 1
        flat[3 + 2 * 4 + 3] = 5.0; // weight of class 2, feature 3
        let x = Tensor::from_slice(&[1.0f32, 2.0, 3.0, 4.0]).view([1, 4]);
        let scores = forward(&model, &to_tensors(&model, &flat).unwrap(), &x).unwrap();
        assert_eq!(Vec::<f32>::try_from(scores.view([-1])).unwrap(), [0.0, 10.0, 20.0]);

        // mlp: fc1.bias (5), fc1.weight (5 x 4), fc2.bias (3), fc2.weight (3 x 5).
        let model = Model::Mlp { inputs: 4, hidden: 5, classes: 3 };
        let mut flat = vec![0.0; model.dimension()];
        flat[4] = -1.0; // bias of hidden unit 4
        flat[5 + 4 * 4 + 1] = 2.0; // its weight of feature 1: relu(2 * 2 - 1) = 3
        flat[5 + 3 * 4] = -9.0; // hidden unit 3 is cut off by the rectifier
        flat[25] = 0.5; // fc2.bias of class 0
        flat[28 + 2 * 5 + 4] = 7.0; // fc2.weight of class 2, unit 4
        flat[28 + 5 + 3] = 100.0; // of class 1, unit 3: sees 0
        let scores = forward(&model, &to_tensors(&model, &flat).unwrap(), &x).unwrap();
        assert_eq!(Vec::<f32>::try_from(scores.view([-1])).unwrap(), [0.5, 0.0, 21.0]);

        // cnn: conv.bias (2), conv.weight (2 x 1 x 3 x 3), fc.bias (3), fc.weight (3 x 8): channel, row, column.
        let model = Model::Cnn { inputs: 16, channels: 2, classes: 3 };
        let mut flat = vec![0.0; model.dimension()];
        flat[2 + 9 + 5] = 1.0; // channel 1 looks at the pixel to the right
        flat[20] = 0.25; // fc.bias of class 0
        flat[23 + 8 + 4 + 2] = 1.0; // class 1, channel 1, pooled row 1, column 0
        let image: Vec<f32> = (0..16).map(|v| v as f32).collect();
        let x = Tensor::from_slice(&image).view([1, 16]);
        let scores = forward(&model, &to_tensors(&model, &flat).unwrap(), &x).unwrap();
        // Rows 2 and 3, columns 0 and 1, each showing its right neighbour: the greatest is pixel (3, 2) = 14.
        assert_eq!(Vec::<f32>::try_from(scores.view([-1])).unwrap(), [0.25, 14.0, 0.0]);
        assert!(forward(&model, &[], &x).is_err());
    }
}
