//! What a round costs: `cargo bench -p fairshare-circuits`. Own and library multiplications run side by side.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::VariableBaseMSM;
use ark_ff::UniformRand;
use criterion::{criterion_group, criterion_main, Criterion};
use fairshare_circuits::{
    default_data_folder, fr_from_i64, mismatching_commitments, msm, msm_integers, prove_round,
    AssessmentKeys, GramArgument, ReferenceString, RoundStatement,
};
use fairshare_protocol::{assess, AgreementPolicy, GramMatrix, AGREEMENT_RULE};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::hint::black_box;
use std::time::Duration;

const POLICY: AgreementPolicy = AgreementPolicy { theta: 32, trim: 52 };

/// Updates of `n` trainers around one direction.
fn updates(n: usize, d: usize) -> Vec<Vec<i16>> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let base: Vec<i16> = (0..d).map(|_| rng.gen_range(-3000..3000)).collect();
    (0..n).map(|_| base.iter().map(|b| b + rng.gen_range(-2000..2000)).collect()).collect()
}

fn string(d: usize) -> ReferenceString {
    ReferenceString::open_dev(&default_data_folder(), d).expect("a data folder that can be written")
}

/// Ten updates in the circuit of sixteen slots: everything an aggregator does between fetching and sending.
fn round(c: &mut Criterion, d: usize) {
    let mut group = c.benchmark_group(format!("round of 10 updates, d = {d}"));
    group.sample_size(10).measurement_time(Duration::from_secs(4)).warm_up_time(Duration::from_secs(1));
    let srs = string(d);
    let keys = AssessmentKeys::open_dev(&default_data_folder(), 16).expect("the DEV keys of size 16");
    let rows = updates(10, d);
    let committed: Vec<(&[i16], G1Affine)> =
        rows.iter().map(|row| (row.as_slice(), srs.commit_update(row).expect("it fits"))).collect();
    let mut slots: Vec<Option<&[i16]>> = rows.iter().map(|row| Some(row.as_slice())).collect();
    slots.resize(16, None);
    let by_slot: Vec<(u8, &[i16])> = (0u8..).zip(rows.iter().map(Vec::as_slice)).collect();
    let (numbers, views): (Vec<u8>, Vec<&[i16]>) = by_slot.iter().copied().unzip();
    let statement = RoundStatement {
        chain_id: 31_337,
        project: [1; 20],
        round: 1,
        payee: [2; 20],
        dimension: d as u32,
        slots: 16,
        rule: AGREEMENT_RULE,
        theta: POLICY.theta,
        trim_count: POLICY.trim_count(10),
        keys_hash: [3; 32],
        active: (1 << 10) - 1,
        model_cid: [4; 32],
        commitments: (0u8..).zip(committed.iter().map(|(_, point)| *point)).collect(),
    };
    let assessed = || {
        let gram = GramMatrix::compute(&slots).expect("ten slots");
        let assessment =
            assess(&gram, statement.active, statement.theta, statement.trim_count).expect("a round");
        (gram, assessment)
    };
    group.bench_function("check commitments", |b| {
        b.iter(|| mismatching_commitments(&srs, black_box(&committed)).expect("it fits"));
    });
    group.bench_function("gram and assess", |b| b.iter(assessed));
    group.bench_function("gram argument", |b| {
        b.iter(|| GramArgument::prove(&srs, &numbers, black_box(&views), [5; 32]).expect("it fits"));
    });
    group.bench_function("check, assess, prove and verify", |b| {
        b.iter(|| {
            assert!(mismatching_commitments(&srs, &committed).expect("it fits").is_empty());
            let (gram, assessment) = assessed();
            prove_round(&srs, &keys, &statement, &by_slot, &gram, &assessment).expect("a proof")
        });
    });
    group.finish();
}

fn rounds(c: &mut Criterion) {
    round(c, 9_600);
    round(c, 21_840);
}

fn commitment(c: &mut Criterion) {
    let d = 1 << 16;
    let srs = string(d);
    let update = updates(1, d).remove(0);
    let mut group = c.benchmark_group("commit d = 2^16");
    group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_secs(1));
    group.bench_function("update", |b| b.iter(|| srs.commit_update(black_box(&update)).expect("it fits")));
    group.finish();
}

fn multiplications(c: &mut Criterion) {
    for log2 in [14, 16] {
        let n = 1 << log2;
        let bases = string(n).g1;
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let scalars: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
        let small: Vec<i16> = (0..n).map(|_| rng.gen()).collect();
        let small_as_scalars: Vec<Fr> = small.iter().map(|v| fr_from_i64((*v).into())).collect();
        let mut group = c.benchmark_group(format!("multiplication of 2^{log2} points"));
        group.sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_secs(1));
        group.bench_function("scalars, own", |b| b.iter(|| msm(&bases, black_box(&scalars))));
        group.bench_function("scalars, arkworks", |b| {
            b.iter(|| G1Projective::msm_unchecked(&bases, black_box(&scalars)));
        });
        group.bench_function("16-bit integers, own", |b| b.iter(|| msm_integers(&bases, black_box(&small))));
        group.bench_function("16-bit integers, arkworks", |b| {
            b.iter(|| G1Projective::msm_unchecked(&bases, black_box(&small_as_scalars)));
        });
        group.finish();
    }
}

criterion_group!(benches, multiplications, commitment, rounds);
criterion_main!(benches);
