//! Files that hold a shard: safetensors with `features` F32 `[m, k]` and `labels` I64 `[m]`, nothing else.

use std::path::Path;

use fairshare_protocol::Model;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::Dataset;
use crate::error::TrainerError;

const REMEDY: &str = "make it again, for example with `fairshare-trainer data split`";
const SHAPE_REMEDY: &str = "use data of the project's shape, or join a project whose model fits the data";

/// The bytes of a shard file.
pub fn encode_shard(data: &Dataset) -> Vec<u8> {
    let features: Vec<u8> = data.features().iter().flat_map(|v| v.to_le_bytes()).collect();
    let labels: Vec<u8> = data.labels().iter().flat_map(|v| v.to_le_bytes()).collect();
    let view =
        |dtype, shape, bytes| TensorView::new(dtype, shape, bytes).expect("the shape is that of the bytes");
    let tensors = [
        ("features", view(Dtype::F32, vec![data.len(), data.inputs()], features.as_slice())),
        ("labels", view(Dtype::I64, vec![data.len()], labels.as_slice())),
    ];
    safetensors::serialize(tensors, None).expect("two well-formed tensors are always written")
}

/// Writes a shard file.
///
/// # Errors
/// [`TrainerError::File`].
pub fn write_shard(path: &Path, data: &Dataset) -> Result<(), TrainerError> {
    std::fs::write(path, encode_shard(data)).map_err(|e| TrainerError::file(path, "be written", e))
}

/// Reads a shard file and checks that `model` can be trained on it.
///
/// # Errors
/// [`TrainerError::File`], or [`TrainerError::Data`] with what was found, what was expected, and what to do.
pub fn read_shard(path: &Path, model: &Model) -> Result<Dataset, TrainerError> {
    let bytes = std::fs::read(path).map_err(|e| TrainerError::file(path, "be read", e))?;
    decode_shard(path, &bytes, model)
}

/// As [`read_shard`], of bytes that came from `path`.
///
/// # Errors
/// [`TrainerError::Data`].
pub fn decode_shard(path: &Path, bytes: &[u8], model: &Model) -> Result<Dataset, TrainerError> {
    let refuse = |found: String, expected: &str, remedy| {
        Err(TrainerError::Data { path: path.to_owned(), found, expected: expected.into(), remedy })
    };
    let file = match SafeTensors::deserialize(bytes) {
        Ok(file) => file,
        Err(error) => return refuse(format!("not a safetensors file ({error})"), "a shard file", REMEDY),
    };
    let mut names = file.names();
    names.sort_unstable();
    if names != ["features", "labels"] {
        return refuse(format!("tensors {names:?}"), "exactly \"features\" and \"labels\"", REMEDY);
    }
    let (features, labels) = match (file.tensor("features"), file.tensor("labels")) {
        (Ok(features), Ok(labels)) => (features, labels),
        (Err(error), _) | (_, Err(error)) => return refuse(error.to_string(), "two tensors", REMEDY),
    };
    for (name, tensor, dtype) in [("features", &features, Dtype::F32), ("labels", &labels, Dtype::I64)] {
        if tensor.dtype() != dtype {
            return refuse(format!("{name} of type {:?}", tensor.dtype()), &format!("{dtype:?}"), REMEDY);
        }
    }
    let (samples, inputs) = match *features.shape() {
        [samples, inputs] => (samples, inputs),
        ref other => {
            return refuse(format!("features of shape {other:?}"), "[samples, features of a sample]", REMEDY)
        }
    };
    if *labels.shape() != [samples] {
        let found = format!("labels of shape {:?}", labels.shape());
        return refuse(found, &format!("[{samples}], one for every row of features"), REMEDY);
    }
    if samples == 0 {
        return refuse(
            "no sample".into(),
            "at least one",
            "give the trainer data of its own; an empty shard earns nothing",
        );
    }
    let wanted = model.inputs() as usize;
    if inputs != wanted {
        let found = format!("{inputs} features a sample");
        return refuse(found, &format!("{wanted}, what the project's model takes"), SHAPE_REMEDY);
    }
    let values = numbers(features.data(), f32::from_le_bytes);
    if let Some(at) = values.iter().position(|v| !v.is_finite()) {
        let found = format!("feature {} of sample {} is {}", at % inputs, at / inputs, values[at]);
        return refuse(found, "finite numbers", "clean the data: drop the sample or fill the gap");
    }
    let classes = i64::from(model.classes());
    let labels = numbers(labels.data(), i64::from_le_bytes);
    if let Some(at) = labels.iter().position(|l| !(0..classes).contains(l)) {
        let found = format!("the label of sample {at} is {}", labels[at]);
        return refuse(
            found,
            &format!("0 to {}, the classes of the project's model", classes - 1),
            SHAPE_REMEDY,
        );
    }
    Ok(Dataset::new(values, labels, inputs).expect("the shapes were compared"))
}

/// Little-endian numbers of `N` bytes each.
fn numbers<T, const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.chunks_exact(N).map(|c| read(c.try_into().expect("a chunk of N bytes"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;

    const MODEL: Model = Model::Logistic { inputs: 2, classes: 3 };

    fn refusal(bytes: &[u8]) -> String {
        decode_shard(Path::new("mine.safetensors"), bytes, &MODEL).unwrap_err().to_string()
    }

    fn file(tensors: &[(&str, Dtype, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
        let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
            (*name, TensorView::new(*dtype, shape.clone(), bytes.as_slice()).unwrap())
        });
        safetensors::serialize(views, None).unwrap()
    }

    fn features(values: &[f32]) -> (&'static str, Dtype, Vec<usize>, Vec<u8>) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        ("features", Dtype::F32, vec![values.len() / 2, 2], bytes)
    }

    fn labels(values: &[i64]) -> (&'static str, Dtype, Vec<usize>, Vec<u8>) {
        ("labels", Dtype::I64, vec![values.len()], values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    #[test]
    fn a_shard_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard.safetensors");
        let data = digits().select(&[5, 900, 1796]);
        write_shard(&path, &data).unwrap();
        assert_eq!(read_shard(&path, &Model::Mlp { inputs: 64, hidden: 4, classes: 10 }).unwrap(), data);
        let missing = read_shard(&folder.path().join("none"), &MODEL).unwrap_err().to_string();
        assert!(missing.contains("none: cannot be read"), "{missing}");
    }

    #[test]
    fn every_fault_names_the_file_what_was_expected_and_what_to_do() {
        let good = file(&[features(&[0.0, 1.0, 2.0, 3.0]), labels(&[0, 2])]);
        assert_eq!(decode_shard(Path::new("x"), &good, &MODEL).unwrap().labels(), [0, 2]);

        let mut renamed = features(&[0.0, 1.0]);
        renamed.0 = "pixels";
        let mut flat = features(&[0.0, 1.0]);
        flat.2 = vec![2];
        let mut integers = features(&[0.0, 1.0]);
        integers.1 = Dtype::I32;
        let mut doubles = labels(&[1]);
        doubles.1 = Dtype::F64;
        let mut wide = features(&[0.0; 6]);
        wide.2 = vec![2, 3];
        let extra = ("names", Dtype::U8, vec![1], vec![1]);
        for (bytes, says) in [
            (good[..good.len() - 1].to_vec(), "not a safetensors file"),
            (b"a,b,c\n1,2,3\n".to_vec(), "not a safetensors file"),
            (Vec::new(), "not a safetensors file"),
            (file(&[renamed, labels(&[0])]), "tensors [\"labels\", \"pixels\"]"),
            (file(&[labels(&[0])]), "tensors [\"labels\"]"),
            (file(&[features(&[0.0, 1.0]), labels(&[0]), extra]), "\"names\""),
            (file(&[flat, labels(&[0])]), "features of shape [2]"),
            (file(&[integers, labels(&[0])]), "features of type I32; expected F32"),
            (file(&[features(&[0.0, 1.0]), doubles]), "labels of type F64; expected I64"),
            (file(&[features(&[0.0, 1.0]), labels(&[0, 1])]), "labels of shape [2]; expected [1]"),
            (file(&[features(&[]), labels(&[])]), "no sample; expected at least one"),
            (file(&[wide, labels(&[0, 1])]), "3 features a sample; expected 2"),
            (file(&[features(&[0.0, 1.0, f32::NAN, 1.0]), labels(&[0, 1])]), "feature 0 of sample 1 is NaN"),
            (file(&[features(&[0.0, f32::INFINITY]), labels(&[0])]), "feature 1 of sample 0 is inf"),
            (file(&[features(&[0.0, 1.0]), labels(&[3])]), "label of sample 0 is 3; expected 0 to 2"),
            (file(&[features(&[0.0, 1.0]), labels(&[-1])]), "label of sample 0 is -1"),
        ] {
            let message = refusal(&bytes);
            assert!(message.starts_with("mine.safetensors: ") && message.contains(says), "{says}: {message}");
            assert!(
                message.contains("; expected ") && message.rsplit_once(": ").unwrap().1.len() > 20,
                "{message}"
            );
        }
    }
}
