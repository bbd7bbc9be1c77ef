//! What is measured, one line of the table each. A line runs in a process of its own.

use crate::baseline_direct;
use crate::clock::{measure, Measured, Method};
use ark_bn254::{Fr, G1Projective};
use ark_ec::VariableBaseMSM;
use ark_ff::UniformRand;
use fairshare_circuits::{
    default_data_folder, fr_from_i64, key_circuits, msm, msm_integers, prove_assessment, prove_form,
    prove_round, AssessmentCircuit, AssessmentKeys, AssessmentPublic, FormStatement, FormTable, G1Affine,
    GramArgument, ReferenceString, RoundStatement, KEY_SIZES,
};
use fairshare_protocol::{
    assess, AgreementPolicy, Assessment, GramMatrix, MultiKrumPolicy, Policy, RuleName, RulePolicy,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// The default policy of each rule for so many trainers.
fn policy(rule: RuleName, trainers: usize) -> Policy {
    let policy = match rule {
        RuleName::Agreement => RulePolicy::Agreement(AgreementPolicy { theta: 32, trim: 52 }),
        RuleName::MultiKrum => RulePolicy::MultiKrum(MultiKrumPolicy { byzantine: 52, selected: 179 }),
    };
    policy.for_round(trainers as u32)
}

/// Most parameters of a model in the table.
const LARGEST: usize = 1 << 20;

/// Which multiplication, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Multiplication {
    FullOwn,
    FullArkworks,
    SmallOwn,
    SmallArkworks,
}

/// What a line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Gram matrix, assessment, Gram argument, circuit, and the check of the finished proof.
    Round { trainers: usize, dimension: usize },
    /// Gram matrix and Gram argument: what depends on the model's size.
    Argument { trainers: usize, dimension: usize },
    /// The circuit alone.
    Assessment { circuit: AssessmentCircuit },
    /// A trainer's commitment.
    Commit { dimension: usize },
    /// A trainer's proof of form, with the check that the commitment is the update's and that the proof verifies.
    Form { dimension: usize },
    /// Points times scalars.
    Multiply { log2: u32, which: Multiplication },
    /// One circuit over the updates themselves.
    Direct { trainers: usize, dimension: usize },
}

/// A line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) what: String,
    pub(crate) at: String,
    /// CPU seconds to stay under.
    pub(crate) reach: Option<f64>,
    pub(crate) method: Method,
    pub(crate) work: Work,
    /// Part of `--quick`.
    pub(crate) quick: bool,
}

/// Slots of the smallest circuit that so many trainers fit into.
fn slots_for(trainers: usize) -> Option<u8> {
    KEY_SIZES.into_iter().find(|size| usize::from(*size) >= trainers)
}

/// Every line that there are keys for.
pub(crate) fn all() -> Vec<Line> {
    let mut lines = vec![];
    for (trainers, dimension, reach, method) in [
        (10, 21_840, 1.5, Method::Criterion),
        (10, LARGEST, 16.0, Method::Runs(1)),
        (100, LARGEST, 20.0, Method::Runs(1)),
    ] {
        if slots_for(trainers).is_some() {
            lines.push(Line {
                id: format!("round-{trainers}-{dimension}"),
                what: "round proof without fetch".to_owned(),
                at: format!("n = {trainers}, d = {dimension}"),
                reach: Some(reach),
                method,
                work: Work::Round { trainers, dimension },
                quick: false,
            });
        }
    }
    for trainers in [10, 100] {
        lines.push(Line {
            id: format!("argument-{trainers}-{LARGEST}"),
            what: "of it, Gram matrix and argument".to_owned(),
            at: format!("n = {trainers}, d = {LARGEST}"),
            reach: None,
            method: Method::Runs(1),
            work: Work::Argument { trainers, dimension: LARGEST },
            quick: false,
        });
    }
    for (rule, sizes) in [
        (RuleName::Agreement, [(16, 0.8), (64, 3.0), (128, 9.0)]),
        (RuleName::MultiKrum, [(16, 0.6), (64, 2.0), (128, 6.0)]),
    ] {
        for (size, reach) in sizes {
            let circuit = AssessmentCircuit { rule, size };
            if !key_circuits().any(|known| known == circuit) {
                continue;
            }
            lines.push(Line {
                id: format!("assessment-{rule}-{size}"),
                what: format!("assessment circuit, {rule}"),
                at: format!("N = {size}"),
                reach: Some(reach),
                method: if size <= 16 { Method::Criterion } else { Method::Runs(2) },
                work: Work::Assessment { circuit },
                quick: size <= 16,
            });
        }
    }
    lines.push(Line {
        id: format!("commit-{LARGEST}"),
        what: "commit to an update".to_owned(),
        at: "d = 2^20".to_owned(),
        reach: Some(0.6),
        method: Method::Criterion,
        work: Work::Commit { dimension: LARGEST },
        quick: false,
    });
    for (log2, reach, method) in
        [(14, 0.6, Method::Criterion), (16, 2.2, Method::Runs(3)), (20, 25.0, Method::Runs(1))]
    {
        lines.push(Line {
            id: format!("form-2^{log2}"),
            what: "proof of form".to_owned(),
            at: format!("d = 2^{log2}"),
            reach: Some(reach),
            method,
            work: Work::Form { dimension: 1 << log2 },
            quick: log2 == 14,
        });
    }
    for log2 in [14, 16, 18, 20] {
        for (which, scalars, whose) in [
            (Multiplication::FullOwn, "full scalars", "own"),
            (Multiplication::FullArkworks, "full scalars", "arkworks"),
            (Multiplication::SmallOwn, "16-bit integers", "own"),
            (Multiplication::SmallArkworks, "16-bit integers", "arkworks"),
        ] {
            lines.push(Line {
                id: format!("msm-2^{log2}-{which:?}"),
                what: format!("multiplication, {scalars}, {whose}"),
                at: format!("2^{log2} points"),
                reach: None,
                method: if log2 <= 16 { Method::Criterion } else { Method::Runs(3) },
                work: Work::Multiply { log2, which },
                quick: log2 == 14,
            });
        }
    }
    lines.push(Line {
        id: "baseline-direct-10-1000".to_owned(),
        what: "baseline: one Groth16 circuit over the updates".to_owned(),
        at: "n = 10, d = 1000".to_owned(),
        reach: None,
        method: Method::Runs(1),
        work: Work::Direct { trainers: 10, dimension: 1000 },
        quick: false,
    });
    lines
}

/// Makes the files that the lines read, so that none of them makes one while it is measured.
pub(crate) fn prepare(lines: &[Line]) {
    let needed = |line: &Line| match line.work {
        Work::Round { trainers, .. } => slots_for(trainers).map(agreement),
        Work::Assessment { circuit } => Some(circuit),
        _ => None,
    };
    let needed: Vec<AssessmentCircuit> = lines.iter().filter_map(needed).collect();
    key_circuits().filter(|circuit| needed.contains(circuit)).for_each(|circuit| drop(keys(circuit)));
    let points = |line: &Line| match line.work {
        Work::Round { dimension, .. } | Work::Argument { dimension, .. } | Work::Commit { dimension } => {
            dimension
        }
        Work::Form { dimension } => FormTable::for_dimension(dimension as u32).points(dimension as u32),
        Work::Multiply { log2, .. } => 1 << log2,
        Work::Assessment { .. } | Work::Direct { .. } => 1,
    };
    let mut lengths: Vec<usize> = lines.iter().map(|line| points(line).next_power_of_two()).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths.into_iter().for_each(|length| drop(string(length)));
}

/// Runs a line.
pub(crate) fn run(line: &Line) -> Measured {
    let id = line.id.as_str();
    match line.work {
        Work::Round { trainers, dimension } => round(id, line.method, trainers, dimension),
        Work::Argument { trainers, dimension } => argument(id, line.method, trainers, dimension),
        Work::Assessment { circuit } => assessment(id, line.method, circuit),
        Work::Commit { dimension } => {
            let (srs, update) = (string(dimension), updates(1, dimension).remove(0));
            measure(id, line.method, || srs.commit_update(&update).expect("it fits"))
        }
        Work::Form { dimension } => form(id, line.method, dimension),
        Work::Multiply { log2, which } => multiply(id, line.method, log2, which),
        Work::Direct { trainers, dimension } => {
            let rows = updates(trainers, dimension);
            let prover = baseline_direct::Prover::new(&rows);
            measure(id, line.method, || prover.prove())
        }
    }
}

/// Updates of `n` trainers around one direction.
fn updates(n: usize, d: usize) -> Vec<Vec<i16>> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let base: Vec<i16> = (0..d).map(|_| rng.gen_range(-3000..3000)).collect();
    (0..n).map(|_| base.iter().map(|b| b + rng.gen_range(-2000..2000)).collect()).collect()
}

fn string(points: usize) -> ReferenceString {
    ReferenceString::open_dev(&default_data_folder(), points).expect("a data folder that can be written")
}

fn agreement(size: u8) -> AssessmentCircuit {
    AssessmentCircuit { rule: RuleName::Agreement, size }
}

fn keys(circuit: AssessmentCircuit) -> AssessmentKeys {
    AssessmentKeys::open_dev(&default_data_folder(), circuit.rule, circuit.size).expect("the DEV keys")
}

/// The first so many slots.
fn mask(trainers: usize) -> u128 {
    u128::MAX >> (128 - trainers)
}

/// Updates by slot, as the Gram matrix of a circuit of `slots` takes them.
fn by_slot(rows: &[Vec<i16>], slots: usize) -> Vec<Option<&[i16]>> {
    let mut all: Vec<Option<&[i16]>> = rows.iter().map(|row| Some(row.as_slice())).collect();
    all.resize(slots, None);
    all
}

fn assessed(rows: &[Vec<i16>], circuit: AssessmentCircuit) -> (GramMatrix, Assessment) {
    let gram = GramMatrix::compute(&by_slot(rows, usize::from(circuit.size))).expect("updates of one length");
    let policy = policy(circuit.rule, rows.len());
    let assessment = assess(&gram, mask(rows.len()), policy).expect("a round");
    (gram, assessment)
}

fn round(id: &str, method: Method, trainers: usize, dimension: usize) -> Measured {
    let slots = slots_for(trainers).expect("lines without keys are left out");
    let (srs, keys, rows) = (string(dimension), keys(agreement(slots)), updates(trainers, dimension));
    let commitments: Vec<(u8, G1Affine)> =
        (0u8..).zip(&rows).map(|(slot, row)| (slot, srs.commit_update(row).expect("it fits"))).collect();
    let statement = RoundStatement {
        chain_id: 31_337,
        project: [1; 20],
        round: 1,
        payee: [2; 20],
        dimension: dimension as u32,
        slots,
        policy: policy(RuleName::Agreement, trainers),
        keys_hash: [3; 32],
        active: mask(trainers),
        model_cid: [4; 32],
        model: srs.g1[1],
        commitments,
    };
    let views: Vec<(u8, &[i16])> = (0u8..).zip(rows.iter().map(Vec::as_slice)).collect();
    measure(id, method, || {
        let (gram, assessment) = assessed(&rows, agreement(slots));
        prove_round(&srs, &keys, &statement, &views, &gram, &assessment).expect("a proof")
    })
}

fn argument(id: &str, method: Method, trainers: usize, dimension: usize) -> Measured {
    let (srs, rows) = (string(dimension), updates(trainers, dimension));
    let numbers: Vec<u8> = (0u8..).take(trainers).collect();
    let views: Vec<&[i16]> = rows.iter().map(Vec::as_slice).collect();
    measure(id, method, || {
        let gram = GramMatrix::compute(&by_slot(&rows, trainers)).expect("updates of one length");
        (gram, GramArgument::prove(&srs, &numbers, &views, [5; 32]).expect("it fits"))
    })
}

fn assessment(id: &str, method: Method, circuit: AssessmentCircuit) -> Measured {
    let (keys, trainers) = (keys(circuit), usize::from(circuit.size));
    let (gram, assessment) = assessed(&updates(trainers, 9600), circuit);
    let policy = policy(circuit.rule, trainers);
    let public = AssessmentPublic::new(&gram, [77u64, 78].map(Fr::from), mask(trainers), policy, &assessment);
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    measure(id, method, || prove_assessment(&keys, &public, &gram, &mut rng).expect("an honest round"))
}

fn form(id: &str, method: Method, dimension: usize) -> Measured {
    let table = FormTable::for_dimension(dimension as u32);
    let srs = string(table.points(dimension as u32));
    let update = updates(1, dimension).remove(0);
    let statement = FormStatement {
        chain_id: 31_337,
        project: [1; 20],
        round: 1,
        trainer: [2; 20],
        dimension: dimension as u32,
        table,
        keys_hash: [3; 32],
        commitment: srs.commit_update(&update).expect("it fits"),
    };
    measure(id, method, || prove_form(&srs, &statement, &update).expect("a true update"))
}

fn multiply(id: &str, method: Method, log2: u32, which: Multiplication) -> Measured {
    let n = 1 << log2;
    let bases = string(n).g1;
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let small: Vec<i16> = (0..n).map(|_| rng.gen()).collect();
    let as_scalars = || small.iter().map(|v| fr_from_i64((*v).into())).collect::<Vec<Fr>>();
    match which {
        Multiplication::SmallOwn => measure(id, method, || msm_integers(&bases, &small)),
        Multiplication::SmallArkworks => {
            let scalars = as_scalars();
            measure(id, method, || G1Projective::msm_unchecked(&bases, &scalars))
        }
        Multiplication::FullOwn | Multiplication::FullArkworks => {
            let scalars: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
            if which == Multiplication::FullOwn {
                measure(id, method, || msm(&bases, &scalars))
            } else {
                measure(id, method, || G1Projective::msm_unchecked(&bases, &scalars))
            }
        }
    }
}
