//! A commitment to field elements that are not small integers.
//!
//! With `i^2 = -1` in the field, adding `(x, i x)` in two coordinates leaves an update's square as it was; in two
//! updates of accomplices it leaves every product of the round as it was. No assessment sees it, so the range proof
//! must.

use fairshare_circuits::{
    msm, prove_range_unchecked, scalar_from_word, Fr, G1Affine, RangeError, RangeProofWords, RangeStatement,
    RangeTable, RangeWitness, ReferenceString,
};

/// A square root of -1 in the scalar field, big endian.
const ROOT_OF_MINUS_ONE: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0x04, 0x8b, 0x6e, 0x19, 0x3f, 0xd8, 0x41, 0x04, 0x5c,
    0xea, 0x24, 0xf6, 0xfd, 0x73, 0x6b, 0xec, 0x23, 0x12, 0x04, 0x70, 0x8f, 0x70, 0x36, 0x36,
];
/// What is added to the first coordinate.
const HIDDEN: u64 = 1 << 40;

/// The commitment to `update` with `(x, i x)` added in its first two coordinates, and the best range proof there is
/// for it: it is true of everything but those two entries.
pub(crate) fn field_elements(
    reference: &ReferenceString,
    statement: RangeStatement,
    update: &[i16],
) -> Result<(G1Affine, RangeProofWords), RangeError> {
    let hidden = hidden_pair()?;
    let commitment =
        (msm(reference.powers(hidden.len())?, &hidden) + reference.commit_update(update)?).into();
    let statement = RangeStatement { commitment, ..statement };
    let mut witness = RangeWitness::of_update(statement.table, update);
    let column = match statement.table {
        RangeTable::Limbs8 => 1, // the low limbs
        RangeTable::Bits16 => 0,
    };
    for (entry, more) in witness.columns[column].iter_mut().zip(hidden) {
        *entry += more;
    }
    let proof = prove_range_unchecked(reference, &statement, witness)?;
    Ok((commitment, proof.words()))
}

fn hidden_pair() -> Result<[Fr; 2], RangeError> {
    let x = Fr::from(HIDDEN);
    Ok([x, x * scalar_from_word(&ROOT_OF_MINUS_ONE)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairshare_circuits::{verify_range, RangeProof};

    #[test]
    fn hidden_entries_change_no_square_and_no_verifier_takes_them() {
        let [x, y] = hidden_pair().unwrap();
        assert_eq!(x * x + y * y, Fr::from(0u64));
        let reference = ReferenceString::generate_dev(256);
        let update: Vec<i16> = (0..20).map(|j| j * 11 - 100).collect();
        let table = RangeTable::Limbs8;
        let statement = RangeStatement {
            chain_id: 31_337,
            project: [1; 20],
            round: 1,
            trainer: [2; 20],
            dimension: 20,
            table,
            keys_hash: [3; 32],
            commitment: G1Affine::identity(),
        };
        let (commitment, words) = field_elements(&reference, statement.clone(), &update).unwrap();
        assert_ne!(commitment, reference.commit_update(&update).unwrap());
        let proof = RangeProof::from_words(table, &words).unwrap();
        let refused = verify_range(&reference.kzg_key(), &RangeStatement { commitment, ..statement }, &proof)
            .unwrap_err();
        assert!(matches!(refused, RangeError::RangeIdentityFailed), "{refused}");
    }
}
