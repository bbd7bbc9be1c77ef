//! Whole federated runs without a chain: real data, real training, the rule of the protocol.
//!
//! Many attacks and rules: `fairshare-study`.

use fairshare_hostile::Behaviour;
use fairshare_protocol::Specification;
use fairshare_trainer::{digits, simulate, split, Conduct, Honest, Participant, SimulatedRound, SplitPlan};

const SPECIFICATION: &str = r#"
    name = "digits"
    model = { kind = "mlp", inputs = 64, hidden = 128, classes = 10 }
    participation = { min_trainers = 5, max_trainers = 10, stake = "0 wei", bond = "1 wei" }
    reward = { rounds = 5, per_round = "1 wei", aggregator_fee = "0 wei" }
    training = { learning_rate = "0.3", batch_size = 8, local_epochs = 5 }
"#;

/// The run with two attackers, and the run of the eight honest trainers alone, on the split that `seed` names.
fn runs(seed: u64, attackers: [Behaviour; 2]) -> (Vec<SimulatedRound>, Vec<SimulatedRound>) {
    let specification = Specification::from_toml(SPECIFICATION).expect("the specification is sound");
    let parts =
        split(&digits(), &SplitPlan { shards: 10, alpha: 0.5, held_out: 0.2, seed }).expect("it is split");
    let conducts =
        [&Honest as &dyn Conduct; 8].into_iter().chain(attackers.iter().map(|a| a as &dyn Conduct));
    let all: Vec<Participant<'_>> = parts
        .shards
        .iter()
        .zip(conducts)
        .enumerate()
        .map(|(i, (data, conduct))| Participant { data, conduct, seed: seed + i as u64 })
        .collect();
    let attacked = simulate(&specification, &all, &parts.held_out).expect("it runs");
    let clean = simulate(&specification, &all[..8], &parts.held_out).expect("it runs");
    (attacked, clean)
}

fn assert_attackers_earn_nothing(rounds: &[SimulatedRound]) {
    for round in rounds {
        assert_eq!((&round.kept[8..], &round.shares[8..10]), (&[false, false][..], &[0, 0][..]), "{round:?}");
    }
}

#[test]
fn sign_flip_and_noise_are_dropped_in_every_round_and_the_model_learns_all_the_same() {
    for seed in [1, 2, 7] {
        let (attacked, clean) = runs(seed, [Behaviour::SignFlip, Behaviour::Noise]);
        assert_eq!(attacked.len(), 5);
        assert_attackers_earn_nothing(&attacked);
        let (last, last_clean) = (&attacked[4], &clean[4]);
        assert!(last.accuracy >= 0.92, "seed {seed}: {last:?}");
        assert!((last.accuracy - last_clean.accuracy).abs() <= 0.02, "seed {seed}: {last:?} {last_clean:?}");
        assert!(attacked[0].accuracy < last.accuracy, "it learns over the rounds");
        assert!(
            (0..8).all(|i| attacked.iter().any(|round| round.shares[i] > 0)),
            "seed {seed}: an honest trainer is unpaid"
        );
        assert!(attacked.iter().all(|round| round.clamped_share <= 0.001));
        assert!(attacked.iter().all(|round| round.shares.iter().sum::<u32>() <= 1 << 16));
    }
}

#[test]
fn scaled_flips_and_free_riders_are_not_paid() {
    let (attacked, clean) = runs(7, [Behaviour::ScaledFlip, Behaviour::FreeRider]);
    assert_attackers_earn_nothing(&attacked);
    assert!((attacked[4].accuracy - clean[4].accuracy).abs() <= 0.02);
}

#[test]
fn a_run_is_the_same_every_time() {
    let once = runs(3, [Behaviour::Noise, Behaviour::LabelFlip]);
    assert_eq!(once, runs(3, [Behaviour::Noise, Behaviour::LabelFlip]));
}
