//! A standard Groth16 circuit: no variable of it is committed, so its proofs are those of Groth16 and other provers and
//! verifiers can check them.

use super::keys::{generate, ProvingKey, Secrets};
use super::prove::{commit, prove};
use super::verify::CommittedProof;
use crate::r1cs::{Builder, R1cs};
use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ff::{AdditiveGroup, Field};

/// Public: `y` and `z`. Private: `x` with `x^3 + x + 5 = y`, and ten bits that sum up to `z`.
fn circuit(builder: &mut Builder, public: &[Fr; 2], x: Fr, bits: u64) {
    let [y, z] = public.map(|value| builder.input(value));
    let x = builder.witness(x);
    let square = builder.product(&x, &x);
    let mut sum = builder.product(&square, &x).plus(&x);
    sum.add(&crate::r1cs::LinearCombination::constant(Fr::from(5u64)));
    builder.equal(&sum, &y);
    let mut number = crate::r1cs::LinearCombination::zero();
    for k in 0..10 {
        let bit = builder.bit(bits >> k & 1 == 1);
        number.add_scaled(&bit, Fr::from(1u64 << k));
    }
    builder.equal(&number, &z);
}

/// The circuit with its key and one true statement.
pub(crate) struct Standard {
    pub(crate) system: R1cs,
    pub(crate) key: ProvingKey,
    pub(crate) public: [Fr; 2],
    x: Fr,
    bits: u64,
}

pub(crate) fn standard() -> Standard {
    let (x, bits) = (Fr::from(3u64).pow([100]), 0b10_1100_0111);
    let public = [x.pow([3]) + x + Fr::from(5u64), Fr::from(bits)];
    let system = R1cs::new(1, |b| circuit(b, &[Fr::ZERO; 2], Fr::ZERO, 0)).unwrap();
    assert!(system.committed().is_empty());
    let key = generate(&system, &Secrets::dev("the secret of a standard circuit")).unwrap();
    Standard { system, key, public, x, bits }
}

impl Standard {
    /// The proof under this blinding. The commitment is to nothing and not blinded: infinity.
    pub(crate) fn prove(&self, blinding: [Fr; 2]) -> CommittedProof {
        let run = |builder: &mut Builder| circuit(builder, &self.public, self.x, self.bits);
        let commitment = commit(&self.key, &self.system, run, Fr::ZERO).unwrap();
        prove(&self.key, &self.system, &commitment, run, blinding).unwrap()
    }

    pub(crate) fn assignment(&self) -> Vec<Fr> {
        let mut builder = self.system.assigning();
        circuit(&mut builder, &self.public, self.x, self.bits);
        builder.assignment().unwrap()
    }

    /// The key in the form of arkworks.
    pub(crate) fn arkworks_key(&self) -> ark_groth16::ProvingKey<Bn254> {
        let key = &self.key;
        let variables = self.system.variables();
        let mut b_g1_query = vec![G1Affine::identity(); variables];
        let mut b_g2_query = vec![G2Affine::identity(); variables];
        for (index, place) in key.b_places.iter().enumerate() {
            b_g1_query[*place as usize] = key.b_g1[index];
            b_g2_query[*place as usize] = key.b_g2[index];
        }
        ark_groth16::ProvingKey {
            vk: key.vk.groth16.clone(),
            beta_g1: key.beta_g1,
            delta_g1: key.delta_g1,
            a_query: key.a.clone(),
            b_g1_query,
            b_g2_query,
            h_query: key.h.clone(),
            l_query: key.private.clone(),
        }
    }
}
