//! Deals a data set out to trainers: a stratified held-out share first, then uneven shards, class by class from a
//! Dirichlet distribution (Hsu, Qi, Brown 2019, "Measuring the effects of non-identical data distribution").

use rand::seq::SliceRandom;
use rand::Rng;
use rand_distr::{Distribution, Gamma, Open01};

use super::Dataset;
use crate::error::TrainerError;
use crate::seed::stream;

/// The fewest samples of a shard: with less, a trainer has no two steps an epoch at the usual batch size.
pub const MIN_SHARD: usize = 20;

/// How to deal a data set out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SplitPlan {
    /// Number of shards, at least 1.
    pub shards: usize,
    /// Concentration of the Dirichlet distribution, above 0: near 0 a class goes to one shard, 100 is nearly even.
    pub alpha: f64,
    /// Share of every class that no shard gets, 0 to below 1.
    pub held_out: f64,
    /// Names the split: the same seed gives the same one.
    pub seed: u64,
}

/// A data set dealt out. Every sample is in exactly one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// One a trainer, at least [`MIN_SHARD`] samples each, in random order.
    pub shards: Vec<Dataset>,
    /// For measuring; may be empty.
    pub held_out: Dataset,
}

/// Deals `data` out.
///
/// # Errors
/// [`TrainerError::Split`] names the option that cannot be.
pub fn split(data: &Dataset, plan: &SplitPlan) -> Result<Split, TrainerError> {
    let (shards, held_out) = split_indices(data.labels(), plan)?;
    Ok(Split {
        shards: shards.iter().map(|indices| data.select(indices)).collect(),
        held_out: data.select(&held_out),
    })
}

fn split_indices(labels: &[i64], plan: &SplitPlan) -> Result<(Vec<Vec<usize>>, Vec<usize>), TrainerError> {
    check(
        "alpha",
        plan.alpha,
        plan.alpha.is_finite() && plan.alpha > 0.0,
        "a finite number above 0, such as 0.5",
    )?;
    check(
        "held-out",
        plan.held_out,
        (0.0..1.0).contains(&plan.held_out),
        "a share from 0 to below 1, such as 0.2",
    )?;
    check("trainers", plan.shards, plan.shards > 0, "at least 1")?;

    let mut rng = stream("data split", &[&plan.seed.to_be_bytes()]);
    let mut classes: Vec<i64> = labels.to_vec();
    classes.sort_unstable();
    classes.dedup();
    let mut held_out = Vec::new();
    let mut shards = vec![Vec::new(); plan.shards];
    for class in classes {
        let mut members: Vec<usize> = (0..labels.len()).filter(|i| labels[*i] == class).collect();
        members.shuffle(&mut rng);
        let aside = (members.len() as f64 * plan.held_out).round() as usize;
        held_out.extend(members.drain(..aside.min(members.len())));
        let portions = dirichlet(&mut rng, plan.alpha, plan.shards);
        deal(&members, &portions, &mut shards);
    }

    let total: usize = shards.iter().map(Vec::len).sum();
    let most = total / MIN_SHARD;
    let expected = format!("at most {most}, so that each of them has {MIN_SHARD} of the {total} samples");
    check("trainers", plan.shards, plan.shards <= most, &expected)?;
    shards.iter_mut().for_each(|shard| shard.shuffle(&mut rng));
    fill_up(&mut shards);
    shards.iter_mut().for_each(|shard| shard.shuffle(&mut rng));
    held_out.shuffle(&mut rng);
    Ok((shards, held_out))
}

/// Cuts `members` at the running sums of `portions`, so that none is lost to rounding.
fn deal(members: &[usize], portions: &[f64], shards: &mut [Vec<usize>]) {
    let (mut sum, mut from) = (0.0, 0);
    let last = portions.len() - 1;
    for (i, (portion, shard)) in portions.iter().zip(shards).enumerate() {
        sum += portion;
        let to = if i == last {
            members.len()
        } else {
            ((members.len() as f64 * sum) as usize).clamp(from, members.len())
        };
        shard.extend_from_slice(&members[from..to]);
        from = to;
    }
}

/// Moves samples from the largest shard to the smallest until every one has [`MIN_SHARD`]. There must be enough.
fn fill_up(shards: &mut [Vec<usize>]) {
    loop {
        // Ties go to the first, so that the split depends on nothing but its seed.
        let smallest = (0..shards.len()).min_by_key(|i| shards[*i].len()).expect("at least one shard");
        let largest = (0..shards.len()).rev().max_by_key(|i| shards[*i].len()).expect("at least one shard");
        if shards[smallest].len() >= MIN_SHARD {
            return;
        }
        let moved = shards[largest].pop().expect("the largest shard is not empty");
        shards[smallest].push(moved);
    }
}

/// One draw of the symmetric Dirichlet distribution: gamma draws divided by their sum. In logarithms and by
/// `gamma(a) = gamma(a + 1) * U^(1/a)`: with a small alpha every draw itself may be below the least positive number.
fn dirichlet(rng: &mut impl Rng, alpha: f64, parts: usize) -> Vec<f64> {
    let gamma = Gamma::new(alpha + 1.0, 1.0).expect("alpha is above 0 and finite");
    let logs: Vec<f64> =
        (0..parts).map(|_| gamma.sample(rng).ln() + rng.sample::<f64, _>(Open01).ln() / alpha).collect();
    let greatest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let draws: Vec<f64> = logs.iter().map(|log| (log - greatest).exp()).collect();
    let sum: f64 = draws.iter().sum();
    draws.iter().map(|draw| draw / sum).collect()
}

fn check(field: &'static str, value: impl ToString, holds: bool, expected: &str) -> Result<(), TrainerError> {
    if holds {
        return Ok(());
    }
    Err(TrainerError::Split { field, value: value.to_string(), expected: expected.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;

    fn plan(shards: usize, alpha: f64, seed: u64) -> SplitPlan {
        SplitPlan { shards, alpha, held_out: 0.2, seed }
    }

    #[test]
    fn every_sample_is_in_exactly_one_place() {
        let data = digits();
        for (shards, alpha, seed) in
            [(10, 0.5, 1), (10, 0.1, 2), (1, 0.5, 3), (60, 0.01, 4), (7, 100.0, 5), (10, 1e-4, 6)]
        {
            let (parts, held_out) = split_indices(data.labels(), &plan(shards, alpha, seed)).unwrap();
            assert_eq!(parts.len(), shards);
            assert!(parts.iter().all(|p| p.len() >= MIN_SHARD), "{alpha}");
            let mut all: Vec<usize> = parts.concat();
            all.extend(&held_out);
            all.sort_unstable();
            assert_eq!(all, (0..data.len()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_held_out_share_is_stratified_and_the_seed_decides() {
        let data = digits();
        let first = split(&data, &plan(10, 0.5, 7)).unwrap();
        assert_eq!(first, split(&data, &plan(10, 0.5, 7)).unwrap());
        assert_ne!(first, split(&data, &plan(10, 0.5, 8)).unwrap());
        for (all, held) in data.class_counts(10).iter().zip(first.held_out.class_counts(10)) {
            assert_eq!((*all as f64 * 0.2).round() as usize, held);
        }
    }

    #[test]
    fn alpha_decides_how_uneven_the_shards_are() {
        let data = digits();
        // The mean share of a shard's most frequent class.
        let skew = |alpha| {
            let parts = split(&data, &plan(10, alpha, 9)).unwrap().shards;
            let top = |s: &Dataset| *s.class_counts(10).iter().max().unwrap() as f64 / s.len() as f64;
            parts.iter().map(top).sum::<f64>() / 10.0
        };
        let (uneven, middling, even) = (skew(0.1), skew(0.5), skew(1000.0));
        assert!(
            uneven > 0.5 && uneven > middling && middling > 0.2 && even < 0.15,
            "{uneven} {middling} {even}"
        );
    }

    #[test]
    fn portions_have_the_mean_and_variance_of_their_alpha() {
        let mut rng = stream("test", &[]);
        for alpha in [0.1, 0.5, 1.0, 4.0] {
            let draws: Vec<Vec<f64>> = (0..20_000).map(|_| dirichlet(&mut rng, alpha, 5)).collect();
            assert!(draws.iter().all(|portions| (portions.iter().sum::<f64>() - 1.0).abs() < 1e-9));
            let mean = draws.iter().map(|portions| portions[1]).sum::<f64>() / 20_000.0;
            let variance = draws.iter().map(|portions| (portions[1] - mean).powi(2)).sum::<f64>() / 20_000.0;
            let expected = 0.2 * 0.8 / (5.0 * alpha + 1.0);
            assert!(
                (mean / 0.2 - 1.0).abs() < 0.05 && (variance / expected - 1.0).abs() < 0.1,
                "{alpha}: {mean} {variance}"
            );
        }
    }

    #[test]
    fn a_tiny_alpha_gives_everything_to_one_shard_and_a_huge_one_the_same_to_all() {
        let mut rng = stream("test", &[]);
        let mut favoured = [0; 3];
        for _ in 0..100 {
            let portions = dirichlet(&mut rng, 1e-4, 3);
            favoured[(0..3).find(|shard| portions[*shard] > 0.99).unwrap()] += 1;
        }
        assert!(favoured.iter().all(|times| *times > 10), "{favoured:?}");
        for portion in dirichlet(&mut rng, f64::MAX, 4) {
            assert!((portion - 0.25).abs() < 1e-9, "{portion}");
        }
    }

    #[test]
    fn impossible_plans_are_named() {
        let data = digits();
        let refuse = |plan: SplitPlan| split(&data, &plan).unwrap_err().to_string();
        assert!(refuse(plan(0, 0.5, 1)).contains("trainers is 0"));
        assert!(refuse(plan(100, 0.5, 1)).contains("trainers is 100; expected at most 71"));
        assert!(refuse(plan(10, 0.0, 1)).contains("alpha is 0"));
        assert!(refuse(plan(10, f64::NAN, 1)).contains("alpha is NaN"));
        assert!(refuse(SplitPlan { held_out: 1.0, ..plan(10, 0.5, 1) }).contains("held-out is 1"));
    }
}
