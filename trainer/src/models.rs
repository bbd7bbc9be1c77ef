//! What the models of `fairshare_protocol::Model` compute, in libtorch.

use fairshare_protocol::Model;
use tch::{TchError, Tensor};

/// Scores before the softmax, `[m, classes]`, for `input` of shape `[m, inputs]`. `parameters` come in the order of
/// [`Model::parameters`].
///
/// # Errors
/// What libtorch refuses: parameters or input of another shape.
pub fn forward(model: &Model, parameters: &[Tensor], input: &Tensor) -> Result<Tensor, TchError> {
    match (model, parameters) {
        (Model::Logistic { .. }, [bias, weight]) => input.f_linear(weight, Some(bias)),
        (Model::Mlp { .. }, [bias1, weight1, bias2, weight2]) => {
            input.f_linear(weight1, Some(bias1))?.f_relu()?.f_linear(weight2, Some(bias2))
        }
        (Model::Cnn { .. }, [bias1, weight1, bias2, weight2]) => {
            let side = i64::from(model.image_side());
            let channels = input.f_view([-1, 1, side, side])?.f_conv2d(
                weight1,
                Some(bias1),
                [1, 1],
                [1, 1],
                [1, 1],
                1,
            )?;
            let pooled = channels.f_relu()?.f_max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)?;
            pooled.f_flatten(1, -1)?.f_linear(weight2, Some(bias2))
        }
        _ => {
            Err(TchError::Shape(format!("{} tensors are not the parameters of {model:?}", parameters.len())))
        }
    }
}
