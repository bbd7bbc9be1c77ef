//! Proving and verifying an assessment: `cargo bench -p fairshare-circuits --bench assessment`.
//!
//! `FAIRSHARE_BENCH_SIZES` names the sizes, `8,16` where it is not set; 64 takes minutes and 3 GB.

use criterion::{criterion_group, criterion_main, Criterion};
use fairshare_circuits::{
    default_data_folder, prove_agreement, verify_agreement, AgreementPublic, AssessmentKeys, Fr,
};
use fairshare_protocol::{assess, GramMatrix};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// A round of `size` active slots: updates of one direction with noise.
fn round(size: usize) -> (GramMatrix, AgreementPublic) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let base: Vec<i16> = (0..9600).map(|_| rng.gen_range(-3000..3000)).collect();
    let updates: Vec<Vec<i16>> =
        (0..size).map(|_| base.iter().map(|b| b + rng.gen_range(-2000..2000)).collect()).collect();
    let slots: Vec<Option<&[i16]>> = updates.iter().map(|update| Some(update.as_slice())).collect();
    let gram = GramMatrix::compute(&slots).expect("updates of one length");
    let (active, trim_count) = ((1 << size) - 1, size as u32 * 52 / 256);
    let assessment = assess(&gram, active, 32, trim_count).expect("a real gram matrix");
    let public = AgreementPublic::new(&gram, Fr::from(77u64), active, 32, trim_count, &assessment);
    (gram, public)
}

fn assessment(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("assessment");
    group.sample_size(10);
    let sizes = std::env::var("FAIRSHARE_BENCH_SIZES").unwrap_or_else(|_| "8,16".to_owned());
    for size in sizes.split(',').map(|size| size.parse::<u8>().expect("sizes as in 8,16")) {
        let keys = AssessmentKeys::open_dev(&default_data_folder(), size).expect("DEV keys");
        let (gram, public) = round(usize::from(size));
        let mut rng = ChaCha20Rng::seed_from_u64(2);
        let proof = prove_agreement(&keys, &public, &gram, &mut rng).expect("an honest round");
        group.bench_function(format!("prove {size}"), |bencher| {
            bencher.iter(|| prove_agreement(&keys, &public, &gram, &mut rng).expect("an honest round"));
        });
        group.bench_function(format!("verify {size}"), |bencher| {
            bencher.iter(|| verify_agreement(keys.verifying_key(), &public, &proof).expect("a true proof"));
        });
        group.bench_function(format!("open keys {size}"), |bencher| {
            bencher.iter(|| AssessmentKeys::open_dev(&default_data_folder(), size).expect("DEV keys"));
        });
    }
    group.finish();
}

criterion_group!(benches, assessment);
criterion_main!(benches);
