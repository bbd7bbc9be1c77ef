//! Published model files, and the checks of a model file.

use fairshare_circuits::{G1Affine, ReferenceString};
use fairshare_client::{ContentError, ContentId, ContentStore};
use fairshare_protocol::{decode_model, encoded_len, FileKind, Model, Specification, TensorError};

use super::error::AuditError;
use super::text::point_text;

/// How many names of one model file are tried: each may cost a timeout.
const MOST_NAMES: usize = 8;

/// A model that is known to match its commitment on the chain.
pub(super) type Known = Option<Vec<i64>>;

/// Faults of a model file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// No peer provides it.
    #[error("model file: not available: {0}")]
    NotAvailable(String),
    /// It is longer than any file of the project's model.
    #[error("model file: {0}")]
    TooLong(String),
    /// It does not fit the project's model.
    #[error("{0}")]
    Malformed(TensorError),
    /// An entry differs.
    #[error("model file: parameter {parameter}[{index}]: expected {expected}, found {found}{}", others(*.more))]
    Entry {
        /// The parameter's name.
        parameter: &'static str,
        /// Position in the parameter, row-major.
        index: usize,
        /// The recomputed value.
        expected: i64,
        /// The value in the file.
        found: i64,
        /// How many entries differ beside this one.
        more: usize,
    },
    /// Its commitment differs from the chain, and without the updates nobody can tell which entry is wrong.
    #[error("model file: its commitment is {found}, the chain has {expected}")]
    Commitment {
        /// On chain.
        expected: String,
        /// Of the file.
        found: String,
    },
}

fn others(more: usize) -> String {
    if more == 0 {
        String::new()
    } else {
        format!(" (and {more} more entries differ)")
    }
}

/// Where published model files are fetched, and what they are checked with.
#[derive(Clone, Copy)]
pub(super) struct ModelFiles<'a> {
    pub(super) store: &'a ContentStore,
    pub(super) srs: &'a ReferenceString,
    pub(super) spec: &'a Specification,
}

impl ModelFiles<'_> {
    /// Checks the published model file, which has several `names`, against the recomputed model or, without one, against
    /// the commitment. Returns the model that is known from either, and the fault of the first name when every name fails.
    pub(super) async fn check(
        &self,
        recomputed: Known,
        commitment: G1Affine,
        names: &[[u8; 32]],
    ) -> Result<(Known, Option<FileFault>), AuditError> {
        let mut first = None;
        for cid in names.iter().take(MOST_NAMES) {
            let (found, fault) = self.file(recomputed.as_deref(), commitment, *cid).await?;
            match fault {
                None => return Ok((recomputed.or(found), None)),
                Some(fault) => first = first.or(Some(fault)),
            }
        }
        Ok((recomputed, first))
    }

    async fn file(
        &self,
        recomputed: Option<&[i64]>,
        commitment: G1Affine,
        cid: [u8; 32],
    ) -> Result<(Known, Option<FileFault>), AuditError> {
        let length = encoded_len(&self.spec.model, FileKind::Model)?;
        let file = match self.store.fetch(&ContentId::from_digest(cid, length), length).await {
            Ok(file) => file,
            Err(error) if error.is_node_fault() => return Err(error.into()),
            Err(error @ ContentError::TooLarge { .. }) => {
                return Ok((None, Some(FileFault::TooLong(error.to_string()))))
            }
            Err(error) => return Ok((None, Some(FileFault::NotAvailable(error.to_string())))),
        };
        if let Some(expected) = recomputed {
            return Ok((None, check_model_file(expected, &file, &self.spec.model).err()));
        }
        let found = match decode_model(&self.spec.model, &file) {
            Ok(found) => found,
            Err(error) => return Ok((None, Some(FileFault::Malformed(error)))),
        };
        let of_file = self.srs.commit_model(&found)?;
        if of_file == commitment {
            return Ok((Some(found), None));
        }
        let (expected, found) = (point_text(&commitment), point_text(&of_file));
        Ok((None, Some(FileFault::Commitment { expected, found })))
    }
}

/// Checks that the bytes of a model file are those of `expected`, `d` entries.
///
/// # Errors
/// [`FileFault::Malformed`], or [`FileFault::Entry`] with the first entry that differs and the number of further ones.
pub fn check_model_file(expected: &[i64], bytes: &[u8], model: &Model) -> Result<(), FileFault> {
    let found = decode_model(model, bytes).map_err(FileFault::Malformed)?;
    check_model(expected, &found, model)
}

/// Compares two models entry by entry.
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
