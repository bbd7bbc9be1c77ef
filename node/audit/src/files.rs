//! A published model against the one that must have been published.

use fairshare_protocol::{decode_model, Model};

use super::failure::FileFault;

/// Whether the bytes of a model file are those of `expected`, `d` entries.
///
/// # Errors
/// [`FileFault::Malformed`], or [`FileFault::Entry`] with the first entry that differs and the number of others.
pub fn check_model_file(expected: &[i64], bytes: &[u8], model: &Model) -> Result<(), FileFault> {
    let found = decode_model(model, bytes).map_err(FileFault::Malformed)?;
    check_model(expected, &found, model)
}

/// Whether two models are the same, entry by entry.
///
/// # Errors
/// [`FileFault::Entry`].
pub fn check_model(expected: &[i64], found: &[i64], model: &Model) -> Result<(), FileFault> {
    let mut differing = expected.iter().zip(found).enumerate().filter(|(_, (e, f))| e != f);
    let Some((position, (&expected, &found))) = differing.next() else { return Ok(()) };
    let (parameter, index) = locate(model, position);
    Err(FileFault::Entry { parameter, index, expected, found, more: differing.count() })
}

/// The parameter that holds the entry at `position` of the flattened model, and the place within it.
fn locate(model: &Model, position: usize) -> (&'static str, usize) {
    let mut index = position;
    for parameter in model.parameters() {
        if index < parameter.len() {
            return (parameter.name, index);
        }
        index -= parameter.len();
    }
    ("(beyond the model)", index)
}

#[cfg(test)]
mod tests {
    use fairshare_protocol::encode_model;

    use super::*;

    fn model() -> Model {
        Model::Mlp { inputs: 6, hidden: 5, classes: 3 }
    }

    #[test]
    fn one_weight_that_is_off_by_one_is_named() {
        let expected = model().initial(7, 14);
        let mut found = expected.clone();
        check_model_file(&expected, &encode_model(&model(), &found).unwrap(), &model()).unwrap();
        found[5 + 17] += 1; // behind fc1.bias, which has 5 entries
        let file = encode_model(&model(), &found).unwrap();
        let fault = check_model_file(&expected, &file, &model()).unwrap_err();
        assert_eq!(
            fault.to_string(),
            format!(
                "model file: parameter fc1.weight[17]: expected {}, found {}",
                expected[22],
                expected[22] + 1
            )
        );
        found[0] -= 1;
        found[model().dimension() - 1] -= 1;
        let fault = check_model(&expected, &found, &model()).unwrap_err().to_string();
        assert!(
            fault.contains("parameter fc1.bias[0]:") && fault.ends_with("(and 2 more entries differ)"),
            "{fault}"
        );
    }

    #[test]
    fn a_file_of_another_model_is_named_as_such() {
        let other = Model::Logistic { inputs: 6, classes: 3 };
        let file = encode_model(&other, &other.initial(1, 14)).unwrap();
        let fault = check_model_file(&model().initial(1, 14), &file, &model()).unwrap_err().to_string();
        assert!(fault.starts_with("the model file has") && fault.contains("fc1.bias"), "{fault}");
    }
}
