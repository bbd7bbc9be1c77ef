//! What is measured, one line of the table each. A line runs in a process of its own.

use crate::baseline_direct;
use crate::clock::{measure, Measured, Method};
use ark_bn254::{Fr, G1Projective};
use ark_ec::VariableBaseMSM;
use ark_ff::UniformRand;
use fairshare_circuits::{
    default_data_folder, fr_from_i64, key_circuits, msm, msm_integers, prove_range, prove_round,
    AssessmentCircuit, AssessmentKeys, G1Affine, GramArgument, RangeStatement, RangeTable, ReferenceString,
    RoundStatement, KEY_SIZES,
};
use fairshare_protocol::{
    assess, AgreementPolicy, Assessment, GramMatrix, ProjectPolicy, RoundPolicy, RuleName, SlotMask,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// The default policy for so many trainers.
fn policy(trainers: usize) -> RoundPolicy {
    ProjectPolicy::Agreement(AgreementPolicy { theta: 32, trim: 52 }).for_round(trainers as u32)
}

/// Parameters of the model that most goals are set for.
pub(crate) const LARGE: usize = 1 << 20;
/// Twice as many: where memory is looked at.
const LARGEST: usize = 1 << 21;
/// Trainers and parameters of the baseline, and of the round proof beside it.
pub(crate) const BASELINE: (usize, usize) = (10, 1000);
/// Parameters of the rounds that the assessments are measured in: so few that the Gram argument is a few milliseconds
/// of it.
const FEW: usize = 256;

/// Sizes of the multiplications, as powers of two.
pub(crate) const MULTIPLICATIONS: [u32; 4] = [14, 16, 18, 20];

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
    /// A round of few parameters with every slot taken: the circuit, and next to nothing beside it. Its proof begins
    /// with a commitment in the round's transcript, so it exists only within a round.
    Assessment { circuit: AssessmentCircuit },
    /// A trainer's commitment.
    Commit { dimension: usize },
    /// A trainer's range proof, with the check that the commitment is the update's and that the proof verifies.
    RangeProof { dimension: usize },
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
    pub(crate) goal_cpu_s: Option<f64>,
    /// MB of memory to stay under.
    pub(crate) goal_peak_mb: Option<f64>,
    pub(crate) method: Method,
    pub(crate) work: Work,
    /// Part of `--quick`.
    pub(crate) quick: bool,
}

impl Line {
    fn new(id: String, what: impl Into<String>, at: String, method: Method, work: Work) -> Self {
        Self { id, what: what.into(), at, goal_cpu_s: None, goal_peak_mb: None, method, work, quick: false }
    }

    fn below(self, cpu_s: f64) -> Self {
        Self { goal_cpu_s: Some(cpu_s), ..self }
    }

    fn within(self, peak_mb: f64) -> Self {
        Self { goal_peak_mb: Some(peak_mb), ..self }
    }

    fn quick_if(self, quick: bool) -> Self {
        Self { quick, ..self }
    }
}

/// Every line.
pub(crate) fn all() -> Vec<Line> {
    let round = |trainers: usize, dimension: usize, method| {
        Line::new(
            format!("round-{trainers}-{dimension}"),
            "round proof without fetch",
            format!("n = {trainers}, d = {dimension}"),
            method,
            Work::Round { trainers, dimension },
        )
    };
    let mut lines = vec![
        round(BASELINE.0, BASELINE.1, Method::Criterion).quick_if(true),
        round(10, 21_840, Method::Criterion).below(1.5),
        round(10, LARGE, Method::Runs(3)).below(16.0).within(2000.0),
        round(100, LARGE, Method::Runs(3)).below(20.0).within(2000.0),
        round(10, LARGEST, Method::Runs(1)).within(8000.0),
    ];
    lines.extend([10, 100].map(|trainers| {
        Line::new(
            format!("argument-{trainers}-{LARGE}"),
            "of it, Gram matrix and argument",
            format!("n = {trainers}, d = {LARGE}"),
            Method::Runs(3),
            Work::Argument { trainers, dimension: LARGE },
        )
    }));
    let rule = RuleName::Agreement;
    lines.extend([(8, None), (16, Some(0.8)), (32, None), (64, Some(3.0)), (128, Some(9.0))].map(
        |(size, goal)| {
            let method = if size <= 16 { Method::Criterion } else { Method::Runs(3) };
            let line = Line::new(
                format!("assessment-{rule}-{size}"),
                format!("assessment circuit, {rule}"),
                format!("N = {size}"),
                method,
                Work::Assessment { circuit: AssessmentCircuit { rule, size } },
            );
            Line { goal_cpu_s: goal, ..line }.quick_if(size <= 16)
        },
    ));
    let commit = Line::new(
        format!("commit-{LARGE}"),
        "commit to an update",
        "d = 2^20".to_owned(),
        Method::Criterion,
        Work::Commit { dimension: LARGE },
    );
    lines.push(commit.below(0.6));
    let range_proof = |log2: u32, method| {
        Line::new(
            format!("range-proof-2^{log2}"),
            "range proof",
            format!("d = 2^{log2}"),
            method,
            Work::RangeProof { dimension: 1 << log2 },
        )
    };
    lines.extend([
        range_proof(14, Method::Criterion).below(0.6).quick_if(true),
        range_proof(16, Method::Runs(3)).below(2.2),
        range_proof(20, Method::Runs(3)).below(25.0),
        range_proof(21, Method::Runs(1)).within(8000.0),
    ]);
    for log2 in MULTIPLICATIONS {
        for (which, scalars, whose) in [
            (Multiplication::FullOwn, "full scalars", "own"),
            (Multiplication::FullArkworks, "full scalars", "arkworks"),
            (Multiplication::SmallOwn, "16-bit integers", "own"),
            (Multiplication::SmallArkworks, "16-bit integers", "arkworks"),
        ] {
            let line = Line::new(
                format!("msm-2^{log2}-{which:?}"),
                format!("multiplication, {scalars}, {whose}"),
                format!("2^{log2} points"),
                if log2 <= 16 { Method::Criterion } else { Method::Runs(5) },
                Work::Multiply { log2, which },
            );
            lines.push(line.quick_if(log2 == 14));
        }
    }
    let (trainers, dimension) = BASELINE;
    lines.push(Line::new(
        format!("baseline-direct-{trainers}-{dimension}"),
        "baseline: one Groth16 circuit over the updates",
        format!("n = {trainers}, d = {dimension}"),
        Method::Runs(1),
        Work::Direct { trainers, dimension },
    ));
    lines
}

impl Work {
    /// The circuit whose keys it needs.
    fn circuit(self) -> Option<AssessmentCircuit> {
        match self {
            Self::Round { trainers, .. } => {
                let slots = KEY_SIZES.into_iter().find(|size| usize::from(*size) >= trainers);
                Some(AssessmentCircuit {
                    rule: RuleName::Agreement,
                    size: slots.expect("at most 128 trainers"),
                })
            }
            Self::Assessment { circuit } => Some(circuit),
            _ => None,
        }
    }
}

/// Makes the files that the lines read, so that none of them makes one while it is measured.
pub(crate) fn prepare(lines: &[Line]) {
    let needed: Vec<AssessmentCircuit> = lines.iter().filter_map(|line| line.work.circuit()).collect();
    key_circuits().filter(|circuit| needed.contains(circuit)).for_each(|circuit| drop(keys(circuit)));
    let points = |line: &Line| match line.work {
        Work::Round { dimension, .. } | Work::Argument { dimension, .. } | Work::Commit { dimension } => {
            dimension
        }
        Work::RangeProof { dimension } => {
            RangeTable::for_dimension(dimension as u32).points(dimension as u32)
        }
        Work::Multiply { log2, .. } => 1 << log2,
        Work::Assessment { .. } => FEW,
        Work::Direct { .. } => 1,
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
        Work::Round { trainers, dimension } => {
            round(line, line.work.circuit().expect("a round has one"), trainers, dimension)
        }
        Work::Assessment { circuit } => round(line, circuit, circuit.size.into(), FEW),
        Work::Argument { trainers, dimension } => argument(id, line.method, trainers, dimension),
        Work::Commit { dimension } => {
            let (srs, update) = (string(dimension), updates(1, dimension).remove(0));
            measure(id, line.method, || srs.commit_update(&update).expect("it fits"))
        }
        Work::RangeProof { dimension } => range_proof(id, line.method, dimension),
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

fn keys(circuit: AssessmentCircuit) -> AssessmentKeys {
    AssessmentKeys::open_dev(&default_data_folder(), circuit.rule, circuit.size).expect("the DEV keys")
}

/// Updates by slot, as the Gram matrix of a circuit of `slots` takes them.
fn by_slot(rows: &[Vec<i16>], slots: usize) -> Vec<Option<&[i16]>> {
    let mut all: Vec<Option<&[i16]>> = rows.iter().map(|row| Some(row.as_slice())).collect();
    all.resize(slots, None);
    all
}

fn assessed(rows: &[Vec<i16>], circuit: AssessmentCircuit) -> (GramMatrix, Assessment) {
    let gram = GramMatrix::compute(&by_slot(rows, usize::from(circuit.size))).expect("updates of one length");
    let policy = policy(rows.len());
    let assessment = assess(&gram, SlotMask::lowest(rows.len() as u32), policy).expect("a round");
    (gram, assessment)
}

fn round(line: &Line, circuit: AssessmentCircuit, trainers: usize, dimension: usize) -> Measured {
    let (srs, keys, rows) = (string(dimension), keys(circuit), updates(trainers, dimension));
    let commitments: Vec<(u8, G1Affine)> =
        (0u8..).zip(&rows).map(|(slot, row)| (slot, srs.commit_update(row).expect("it fits"))).collect();
    let statement = RoundStatement {
        chain_id: 31_337,
        project: [1; 20],
        round: 1,
        payee: [2; 20],
        dimension: dimension as u32,
        slots: circuit.size,
        policy: policy(trainers),
        keys_hash: [3; 32],
        active: SlotMask::lowest(trainers as u32),
        model_cid: [4; 32],
        model: srs.g1[1],
        commitments,
    };
    let views: Vec<(u8, &[i16])> = (0u8..).zip(rows.iter().map(Vec::as_slice)).collect();
    measure(&line.id, line.method, || {
        let (gram, assessment) = assessed(&rows, circuit);
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

fn range_proof(id: &str, method: Method, dimension: usize) -> Measured {
    let table = RangeTable::for_dimension(dimension as u32);
    let srs = string(table.points(dimension as u32));
    let update = updates(1, dimension).remove(0);
    let statement = RangeStatement {
        chain_id: 31_337,
        project: [1; 20],
        round: 1,
        trainer: [2; 20],
        dimension: dimension as u32,
        table,
        keys_hash: [3; 32],
        commitment: srs.commit_update(&update).expect("it fits"),
    };
    measure(id, method, || prove_range(&srs, &statement, &update).expect("a true update"))
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
