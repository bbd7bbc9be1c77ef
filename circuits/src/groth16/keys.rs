//! Keys of a circuit with committed variables.

use crate::r1cs::R1cs;
use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::scalar_mul::BatchMulPreprocessing;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{Field, UniformRand, Zero};
use ark_groth16::VerifyingKey;
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::SynthesisError;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

/// The toxic values of a setup. Whoever knows one of `alpha, beta, delta, tau` can forge proofs. `sigma` makes a proof
/// of knowledge for any commitment, and so forges proofs as well. `eta` hides: knowing it proves nothing more than
/// `delta` does, but lets its owner move a share between `D` and `C`.
pub(crate) struct Secrets {
    alpha: Fr,
    beta: Fr,
    delta: Fr,
    eta: Fr,
    sigma: Fr,
    tau: Fr,
}

impl Secrets {
    /// Development secrets, derived from a public text.
    pub(crate) fn dev(text: &str) -> Self {
        let mut rng = ChaCha20Rng::from_seed(Sha256::digest(text).into());
        let [alpha, beta, delta, eta, sigma, tau] = std::array::from_fn(|_| Fr::rand(&mut rng));
        Self { alpha, beta, delta, eta, sigma, tau }
    }
}

/// What a verifier needs. `groth16.gamma_g2` is `[1]_2`.
#[derive(Debug, Clone, PartialEq, CanonicalSerialize, CanonicalDeserialize)]
pub struct CircuitKey {
    /// The key of the circuit itself.
    pub groth16: VerifyingKey<Bn254>,
    /// `[sigma]_2`, for the proof of knowledge of the commitment.
    pub sigma_g2: G2Affine,
}

/// What a prover needs. With `y_i = beta a_i(tau) + alpha b_i(tau) + c_i(tau)`:
#[derive(Debug, Clone, PartialEq, CanonicalSerialize, CanonicalDeserialize)]
pub(crate) struct ProvingKey {
    pub(crate) vk: CircuitKey,
    pub(super) beta_g1: G1Affine,
    pub(crate) delta_g1: G1Affine,
    /// `[a_i(tau)]_1` of every variable.
    pub(super) a: Vec<G1Affine>,
    /// The variables that occur in `B`, ascending.
    pub(super) b_places: Vec<u64>,
    /// `[b_i(tau)]_1` and `[b_i(tau)]_2` of those.
    pub(super) b_g1: Vec<G1Affine>,
    pub(super) b_g2: Vec<G2Affine>,
    /// `[tau^i Z(tau) / delta]_1`.
    pub(super) h: Vec<G1Affine>,
    /// `[y_i / delta]_1` of the private variables that are not committed.
    pub(super) private: Vec<G1Affine>,
    /// `[y_i]_1` and `[sigma y_i]_1` of the committed variables.
    pub(super) committed: Vec<G1Affine>,
    pub(super) committed_sigma: Vec<G1Affine>,
    /// `[eta]_1, [sigma eta]_1, [eta / delta]_1`: blind the commitment, and are taken out of `C` again.
    pub(super) eta: [G1Affine; 3],
}

/// The keys of a system under these secrets.
///
/// # Errors
/// A circuit that is too large, or secrets that no key may have.
pub(crate) fn generate(system: &R1cs, secrets: &Secrets) -> Result<ProvingKey, SynthesisError> {
    let Secrets { alpha, beta, delta, eta, sigma, tau } = *secrets;
    let inputs = system.inputs();
    let domain = GeneralEvaluationDomain::<Fr>::new(system.constraints() + inputs)
        .ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
    let vanishing = domain.evaluate_vanishing_polynomial(tau);
    if vanishing.is_zero() {
        return Err(SynthesisError::DivisionByZero); // tau is one of the points of interpolation
    }
    let by_delta = delta.inverse().ok_or(SynthesisError::DivisionByZero)?;
    let [a, b, c] = columns(system, &domain.evaluate_all_lagrange_coefficients(tau));
    let y: Vec<Fr> = (0..a.len()).map(|i| beta * a[i] + alpha * b[i] + c[i]).collect();

    let committed: Vec<Fr> = system.committed().iter().map(|place| y[*place]).collect();
    let mut private = Vec::with_capacity(y.len() - inputs - committed.len());
    private.extend(private_places(system).map(|place| y[place] * by_delta));
    let powers = std::iter::successors(Some(vanishing * by_delta), |power| Some(*power * tau));
    let h: Vec<Fr> = powers.take(domain.size() - 1).collect();
    let b_places: Vec<usize> = (0..b.len()).filter(|i| !b[*i].is_zero()).collect();
    let b: Vec<Fr> = b_places.iter().map(|place| b[*place]).collect();

    let in_g2 = BatchMulPreprocessing::new(G2Projective::generator(), b.len());
    let b_g2 = in_g2.batch_mul(&b);
    drop(in_g2);
    let one = G1Projective::generator();
    let table = BatchMulPreprocessing::new(one, a.len() + b.len() + h.len() + y.len() + committed.len());
    let times = |scalars: &[Fr]| table.batch_mul(scalars);
    let g1 = |scalar: Fr| (one * scalar).into_affine();
    let g2 = |scalar: Fr| (G2Projective::generator() * scalar).into_affine();
    let with_sigma: Vec<Fr> = committed.iter().map(|y| sigma * y).collect();
    Ok(ProvingKey {
        vk: CircuitKey {
            groth16: VerifyingKey {
                alpha_g1: g1(alpha),
                beta_g2: g2(beta),
                gamma_g2: g2(Fr::from(1u64)),
                delta_g2: g2(delta),
                gamma_abc_g1: times(&y[..inputs]),
            },
            sigma_g2: g2(sigma),
        },
        beta_g1: g1(beta),
        delta_g1: g1(delta),
        a: times(&a),
        b_places: b_places.iter().map(|place| *place as u64).collect(),
        b_g1: times(&b),
        b_g2,
        h: times(&h),
        private: times(&private),
        committed: times(&committed),
        committed_sigma: times(&with_sigma),
        eta: [g1(eta), g1(sigma * eta), g1(eta * by_delta)],
    })
}

/// The private variables that are not committed, ascending.
pub(super) fn private_places(system: &R1cs) -> impl Iterator<Item = usize> + '_ {
    let mut committed = system.committed().iter().peekable();
    (system.inputs()..system.variables()).filter(move |place| {
        let is_committed = committed.peek() == Some(&place);
        if is_committed {
            committed.next();
        }
        !is_committed
    })
}

/// `a_i(tau), b_i(tau), c_i(tau)` of every variable; the public inputs have rows of their own in `A`, behind the
/// constraints.
fn columns(system: &R1cs, lagrange: &[Fr]) -> [Vec<Fr>; 3] {
    let mut columns = [(); 3].map(|()| vec![Fr::zero(); system.variables()]);
    for (column, matrix) in columns.iter_mut().zip(system.matrices()) {
        for (row, at) in matrix.iter().zip(lagrange) {
            row.iter().for_each(|(coefficient, variable)| column[*variable] += *coefficient * at);
        }
    }
    for (input, at) in lagrange[system.constraints()..].iter().take(system.inputs()).enumerate() {
        columns[0][input] += at;
    }
    columns
}
