//! Update and model files: safetensors with exactly the model's tensors (docs/protocol.md 12.3).
//!
//! Model and kind of file determine the header, so a reader compares the first bytes of a file with that header and
//! parses nothing of an untrusted file. Only the error message looks into a wrong header, with bounded work.

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::model::Model;

/// Longest header, in bytes.
pub const MAX_HEADER: usize = 64 * 1024;

/// The kind of a file, which determines the type of its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A trainer's update, I16.
    Update,
    /// The fixed-point global model, I64.
    Model,
    /// The model as people use it, F32.
    Export,
}

impl FileKind {
    fn dtype(self) -> Dtype {
        match self {
            Self::Update => Dtype::I16,
            Self::Model => Dtype::I64,
            Self::Export => Dtype::F32,
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Update => 2,
            Self::Model => 8,
            Self::Export => 4,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Model => "model",
            Self::Export => "exported model",
        }
    }
}

/// A file that does not match the project's model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TensorError {
    /// The number of values is not the model's dimension.
    #[error("{got} values for a model of {expected} parameters")]
    WrongDimension {
        /// `d`.
        expected: usize,
        /// Values given.
        got: usize,
    },
    /// The file's length is not that of the model's files.
    #[error("the {kind} file has {got} bytes; expected {expected}{hint}")]
    WrongLength {
        /// Which file.
        kind: &'static str,
        /// The length of the model's files.
        expected: usize,
        /// The length found.
        got: usize,
        /// What is wrong with the header, when it can be read.
        hint: String,
    },
    /// The length is right and the header is wrong.
    #[error("the {kind} file's header is not that of the project's model{hint}")]
    WrongHeader {
        /// Which file.
        kind: &'static str,
        /// What is wrong with the header, when it can be read.
        hint: String,
    },
    /// safetensors refuses the model's tensors.
    #[error("no safetensors header for this model: {0}")]
    NoHeader(String),
}

/// The length of a file of this kind for this model, in bytes.
///
/// # Errors
/// [`TensorError::NoHeader`] when the model has no valid header.
pub fn encoded_len(model: &Model, kind: FileKind) -> Result<usize, TensorError> {
    Ok(header(model, kind)?.len() + model.dimension() * kind.width())
}

/// The update file of `u`, `d` entries.
///
/// # Errors
/// [`TensorError::WrongDimension`].
pub fn encode_update(model: &Model, update: &[i16]) -> Result<Vec<u8>, TensorError> {
    encode(model, FileKind::Update, update.len(), update.iter().flat_map(|v| v.to_le_bytes()))
}

/// The file of the fixed-point model `T`, `d` entries.
///
/// # Errors
/// [`TensorError::WrongDimension`].
pub fn encode_model(model: &Model, values: &[i64]) -> Result<Vec<u8>, TensorError> {
    encode(model, FileKind::Model, values.len(), values.iter().flat_map(|v| v.to_le_bytes()))
}

/// The model as floating point, `d` entries.
///
/// # Errors
/// [`TensorError::WrongDimension`].
pub fn encode_export(model: &Model, values: &[f32]) -> Result<Vec<u8>, TensorError> {
    encode(model, FileKind::Export, values.len(), values.iter().flat_map(|v| v.to_le_bytes()))
}

/// The `d` entries of an update file.
///
/// # Errors
/// [`TensorError::WrongLength`] or [`TensorError::WrongHeader`], with what is wrong.
pub fn decode_update(model: &Model, file: &[u8]) -> Result<Vec<i16>, TensorError> {
    let data = data(model, FileKind::Update, file)?;
    Ok(data.chunks_exact(2).map(|c| i16::from_le_bytes(c.try_into().expect("two bytes"))).collect())
}

/// The `d` entries of a model file.
///
/// # Errors
/// [`TensorError::WrongLength`] or [`TensorError::WrongHeader`], with what is wrong.
pub fn decode_model(model: &Model, file: &[u8]) -> Result<Vec<i64>, TensorError> {
    let data = data(model, FileKind::Model, file)?;
    Ok(data.chunks_exact(8).map(|c| i64::from_le_bytes(c.try_into().expect("eight bytes"))).collect())
}

/// The `d` entries of an exported model file.
///
/// # Errors
/// [`TensorError::WrongLength`] or [`TensorError::WrongHeader`], with what is wrong.
pub fn decode_export(model: &Model, file: &[u8]) -> Result<Vec<f32>, TensorError> {
    let data = data(model, FileKind::Export, file)?;
    Ok(data.chunks_exact(4).map(|c| f32::from_le_bytes(c.try_into().expect("four bytes"))).collect())
}

fn encode(
    model: &Model,
    kind: FileKind,
    got: usize,
    data: impl Iterator<Item = u8>,
) -> Result<Vec<u8>, TensorError> {
    if got != model.dimension() {
        return Err(TensorError::WrongDimension { expected: model.dimension(), got });
    }
    let mut file = header(model, kind)?;
    file.extend(data);
    Ok(file)
}

fn data<'f>(model: &Model, kind: FileKind, file: &'f [u8]) -> Result<&'f [u8], TensorError> {
    let header = header(model, kind)?;
    let expected = header.len() + model.dimension() * kind.width();
    let hint = || hint(model, kind, file).map(|h| format!(": {h}")).unwrap_or_default();
    if file.len() != expected {
        return Err(TensorError::WrongLength { kind: kind.name(), expected, got: file.len(), hint: hint() });
    }
    file.strip_prefix(header.as_slice())
        .ok_or_else(|| TensorError::WrongHeader { kind: kind.name(), hint: hint() })
}

/// Length word and JSON header, as the safetensors library writes them.
fn header(model: &Model, kind: FileKind) -> Result<Vec<u8>, TensorError> {
    let error = |e: safetensors::SafeTensorError| TensorError::NoHeader(e.to_string());
    let zeros = vec![0; model.parameters().iter().map(|p| p.len()).max().unwrap_or(0) * kind.width()];
    let views = model
        .parameters()
        .into_iter()
        .map(|p| {
            let data = &zeros[..p.len() * kind.width()];
            Ok((p.name, TensorView::new(kind.dtype(), p.shape, data)?))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(error)?;
    let mut file = safetensors::serialize(views, None).map_err(error)?;
    file.truncate(file.len() - model.dimension() * kind.width());
    debug_assert!(file.len() <= MAX_HEADER);
    Ok(file)
}

/// The first fault of a wrong header, in a few words.
fn hint(model: &Model, kind: FileKind, file: &[u8]) -> Option<String> {
    let length = u64::from_le_bytes(file.get(..8)?.try_into().ok()?);
    if length > MAX_HEADER as u64 {
        return Some(format!("its header claims {length} bytes, more than {MAX_HEADER}"));
    }
    let (_, metadata) = match SafeTensors::read_metadata(file) {
        Ok(read) => read,
        Err(error) => return Some(format!("not a safetensors file ({error})")),
    };
    let found = metadata.tensors();
    for parameter in model.parameters() {
        let Some(info) = found.get(parameter.name) else {
            return Some(format!("tensor {:?} is missing", parameter.name));
        };
        if info.shape != parameter.shape {
            return Some(format!(
                "tensor {:?} has shape {:?}, expected {:?}",
                parameter.name, info.shape, parameter.shape
            ));
        }
        if info.dtype != kind.dtype() {
            return Some(format!(
                "tensor {:?} has type {:?}, expected {:?}",
                parameter.name,
                info.dtype,
                kind.dtype()
            ));
        }
    }
    (found.len() > model.parameters().len()).then(|| "it has tensors that the model does not have".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> Model {
        Model::Mlp { inputs: 6, hidden: 5, classes: 3 }
    }

    #[test]
    fn files_come_back_and_the_library_reads_them() {
        let update: Vec<i16> = (0..model().dimension() as i16).map(|v| v * 500 - 12_000).collect();
        let file = encode_update(&model(), &update).unwrap();
        assert_eq!(decode_update(&model(), &file).unwrap(), update);
        assert_eq!(file.len(), encoded_len(&model(), FileKind::Update).unwrap());
        let read = SafeTensors::deserialize(&file).unwrap();
        assert_eq!(read.tensor("fc1.weight").unwrap().shape(), [5, 6]);
        assert_eq!(&read.tensor("fc1.bias").unwrap().data()[..2], update[0].to_le_bytes());

        let values: Vec<i64> = update.iter().map(|&v| i64::from(v) << 40).collect();
        assert_eq!(decode_model(&model(), &encode_model(&model(), &values).unwrap()).unwrap(), values);
        let export: Vec<f32> = update.iter().map(|&v| f32::from(v) / 3.0).collect();
        assert_eq!(decode_export(&model(), &encode_export(&model(), &export).unwrap()).unwrap(), export);
    }

    #[test]
    fn every_other_file_is_refused_with_its_fault() {
        let file = encode_update(&model(), &vec![1; model().dimension()]).unwrap();
        let refuse = |f: &[u8]| decode_update(&model(), f).unwrap_err().to_string();
        let mut longer = file.clone();
        longer.push(0);
        assert!(refuse(&longer).contains("bytes; expected"));
        assert!(refuse(&file[..file.len() - 1]).contains("bytes; expected"));
        assert!(refuse(&[]).contains("0 bytes"));
        let other = Model::Mlp { inputs: 6, hidden: 7, classes: 3 };
        let wrong_shape = encode_update(&other, &vec![1; other.dimension()]).unwrap();
        assert!(refuse(&wrong_shape).contains("has shape [7], expected [5]"), "{}", refuse(&wrong_shape));
        let wrong_type = encode_model(&model(), &vec![1; model().dimension()]).unwrap();
        assert!(refuse(&wrong_type).contains("has type I64, expected I16"), "{}", refuse(&wrong_type));
        let mut huge_header = file.clone();
        huge_header[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(refuse(&huge_header).contains("header claims"));
        for at in 0..file.len() - model().dimension() * 2 {
            let mut bent = file.clone();
            bent[at] ^= 1;
            assert!(decode_update(&model(), &bent).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_wrong_number_of_values_is_not_encoded() {
        assert_eq!(
            encode_update(&model(), &[1, 2]),
            Err(TensorError::WrongDimension { expected: model().dimension(), got: 2 })
        );
    }
}
