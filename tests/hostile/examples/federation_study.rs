//! Accuracy per round and who is kept, over seeds of the data, with and without attackers: the figures behind the
//! default hyper-parameters.
//!
//! `cargo run --release -p fairshare-hostile --example federation_study -- --seeds 10`

use clap::Parser;
use eyre::Result;
use fairshare_hostile::Behaviour;
use fairshare_protocol::{Decimal, Model, Specification};
use fairshare_trainer::{digits, simulate, split, Conduct, Honest, Participant, SimulatedRound, SplitPlan};

/// Simulates eight honest trainers of ten with a sign flip and noise, and the same without the two.
#[derive(Parser)]
struct Args {
    /// Data seeds 1 to this
    #[arg(long, default_value_t = 10)]
    seeds: u64,
    /// Rounds
    #[arg(long, default_value_t = 5)]
    rounds: u16,
    /// Concentration of the Dirichlet distribution
    #[arg(long, default_value_t = 0.5)]
    alpha: f64,
    /// First learning rate
    #[arg(long)]
    rate: Option<Decimal>,
    /// Passes over the local data in a round
    #[arg(long)]
    epochs: Option<u16>,
    /// Samples of a step
    #[arg(long)]
    batch: Option<u32>,
    /// Factor on the learning rate after a round
    #[arg(long)]
    decay: Option<Decimal>,
    /// Power of two of the scale
    #[arg(long)]
    scale: Option<u8>,
    /// Hidden units
    #[arg(long, default_value_t = 128)]
    hidden: u32,
    /// The two attackers
    #[arg(long, value_delimiter = ',', default_value = "sign-flip,noise")]
    attackers: Vec<Behaviour>,
    /// One line a seed and no more
    #[arg(long)]
    brief: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let specification = specification(&args)?;
    let (mut least, mut widest, mut clamped) = (1.0f64, f64::NEG_INFINITY, 0.0f64);
    let (mut attackers_kept, mut honest_dropped, mut honest_unpaid) = (0, 0, 0);
    for seed in 1..=args.seeds {
        let parts = split(&digits(), &SplitPlan { shards: 10, alpha: args.alpha, held_out: 0.2, seed })?;
        let honest_count = 10usize.saturating_sub(args.attackers.len());
        let conduct =
            |i: usize| match i.checked_sub(honest_count).and_then(|attacker| args.attackers.get(attacker)) {
                Some(attacker) => attacker as &dyn Conduct,
                None => &Honest,
            };
        let all: Vec<Participant<'_>> = parts
            .shards
            .iter()
            .enumerate()
            .map(|(i, data)| Participant { data, conduct: conduct(i), seed: i as u64 })
            .collect();
        let honest: Vec<Participant<'_>> = all.iter().take(honest_count).cloned().collect();
        let attacked = simulate(&specification, &all, &parts.held_out)?;
        let clean = simulate(&specification, &honest, &parts.held_out)?;
        let count = |hostile: bool, kept: bool| -> usize {
            attacked
                .iter()
                .flat_map(|r| r.kept.iter().enumerate())
                .filter(|(i, k)| (*i >= honest_count) == hostile && **k == kept)
                .count()
        };
        let unpaid = (0..honest_count).filter(|i| attacked.iter().all(|r| r.shares[*i] == 0)).count();
        let (last, last_clean) = (accuracy(attacked.last()), accuracy(clean.last()));
        let clamped_here = attacked.iter().map(|r| r.clamped_share).fold(0.0, f64::max);
        println!(
            "seed {seed:2}: attacked {} clean {} gap {:+.3} attackers kept {} honest dropped {} unpaid {unpaid} clamped \
             {:.4} %",
            line(&attacked),
            line(&clean),
            last_clean - last,
            count(true, true),
            count(false, false),
            100.0 * clamped_here
        );
        if !args.brief {
            let sizes: Vec<usize> = parts.shards.iter().map(|s| s.len()).collect();
            println!("         samples {sizes:?}");
            for r in &attacked {
                let shares: Vec<f64> = r.shares.iter().map(|s| (f64::from(*s) / 655.36).round()).collect();
                println!(
                    "         round {} shares % {shares:?} coherence {:.3} rate {}",
                    r.round,
                    f64::from(r.coherence) / 65_536.0,
                    r.learning_rate
                );
            }
        }
        least = least.min(last);
        widest = widest.max(last_clean - last);
        clamped = clamped.max(clamped_here);
        attackers_kept += count(true, true);
        honest_dropped += count(false, false);
        honest_unpaid += unpaid;
    }
    println!(
        "least accuracy {least:.4}, widest gap {widest:+.4}, attackers kept {attackers_kept}, honest dropped \
         {honest_dropped}, honest never paid {honest_unpaid}, most clamped {:.4} %",
        100.0 * clamped
    );
    Ok(())
}

fn accuracy(round: Option<&SimulatedRound>) -> f64 {
    round.map_or(0.0, |r| r.accuracy)
}

fn line(rounds: &[SimulatedRound]) -> String {
    rounds.iter().map(|r| format!("{:.3}", r.accuracy)).collect::<Vec<_>>().join(" ")
}

fn specification(args: &Args) -> Result<Specification> {
    let mut specification = Specification::from_toml(
        r#"
        name = "study"
        model = { kind = "mlp", inputs = 64, hidden = 128, classes = 10 }
        participation = { min_trainers = 5, max_trainers = 10, stake = "0.1 ether", bond = "1 ether" }
        reward = { rounds = 5, per_round = "1 ether", aggregator_fee = "0.05 ether" }
        "#,
    )?;
    specification.model = Model::Mlp { inputs: 64, hidden: args.hidden, classes: 10 };
    specification.reward.rounds = args.rounds;
    let training = &mut specification.training;
    training.learning_rate = args.rate.unwrap_or(training.learning_rate);
    training.local_epochs = args.epochs.unwrap_or(training.local_epochs);
    training.batch_size = args.batch.unwrap_or(training.batch_size);
    training.decay = args.decay.unwrap_or(training.decay);
    specification.quantisation.scale_log2 = args.scale.unwrap_or(specification.quantisation.scale_log2);
    specification.validate()?;
    Ok(specification)
}
