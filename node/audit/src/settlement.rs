//! Checks a settlement against the updates, the proof and the previous model.

use fairshare_circuits::{model_step, point_words, verify_words, G1Affine, PinnedKeys, RoundStatement};
use fairshare_client::{CommittedUpdate, SettledRound, Settlement, Terms};
use fairshare_protocol::{assess, pack17, Address, Assessment, GramMatrix, RoundPolicy, SlotMask, Word};

use super::round_fault::RoundFault;
use super::text::{point_text, word};

/// Compares the event of a settlement with its transaction, and the transaction's commitments and outliers with the log.
/// `penalty`: whether the terms have one for outliers.
pub fn check_call(
    settled: &SettledRound,
    call: &Settlement,
    committed: &[CommittedUpdate],
    penalty: bool,
) -> Vec<RoundFault> {
    let mut faults = Vec::new();
    let mut same = |field: &'static str, found: String, expected: String| {
        if found != expected {
            faults.push(RoundFault::Call { field, expected, found });
        }
    };
    let number = |value: u128| fairshare_protocol::word_from_u128(value);
    let packed = |values: &[u32]| pack17(values).map(|words| list(&words)).unwrap_or_default();
    same("round", settled.round.to_string(), call.round.to_string());
    same("payee", settled.payee.to_string(), call.payee.to_string());
    same("model file", word(&settled.model_cid), word(&call.model_cid));
    same("kept mask", word(&number(settled.kept.bits())), word(&call.proof.kept_mask));
    same("coherence", word(&number(settled.coherence.into())), word(&call.proof.coherence));
    same("pay shares", packed(&settled.shares), list(&call.proof.shares));
    same("model weights", packed(&settled.weights), list(&call.proof.weights));
    same("model's commitment", list(&point_words(&settled.model)), list(&call.proof.model));
    let joined = |texts: Vec<String>| texts.join(" ");
    let logged = committed.iter().map(|update| point_text(&update.commitment)).collect();
    let called = call.commitments.iter().map(point_text).collect();
    same("list of commitments", joined(logged), joined(called));
    let dropped = if penalty { settled.active - settled.kept } else { SlotMask::EMPTY };
    let outliers = committed
        .iter()
        .filter(|update| dropped.contains(update.slot))
        .map(|update| update.trainer.to_string())
        .collect();
    let named = call.outliers.iter().map(ToString::to_string).collect();
    same("list of outliers", joined(outliers), joined(named));
    faults
}

fn list(words: &[Word]) -> String {
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// The statement that the round's proof must prove, built from the contract and its logs alone. `before` is the model's
/// commitment before the round.
///
/// # Errors
/// [`RoundFault::Rule`] when the terms name a rule that this version does not know.
pub fn statement(
    chain_id: u64,
    project: Address,
    terms: &Terms,
    keys_hash: Word,
    before: G1Affine,
    settled: &SettledRound,
    committed: &[CommittedUpdate],
) -> Result<RoundStatement, RoundFault> {
    let active = committed.iter().filter(|update| settled.active.contains(update.slot));
    Ok(RoundStatement {
        chain_id,
        project: project.0,
        round: settled.round,
        payee: settled.payee.0,
        dimension: terms.dimension,
        slots: terms.slots,
        policy: policy(terms, settled.active)?,
        keys_hash,
        active: settled.active,
        model_cid: settled.model_cid,
        model: before,
        commitments: active.map(|update| (update.slot, update.commitment)).collect(),
    })
}

/// The rule with a round's parameters.
fn policy(terms: &Terms, active: SlotMask) -> Result<RoundPolicy, RoundFault> {
    let policy = terms.policy().map_err(|error| RoundFault::Rule(error.to_string()))?;
    Ok(policy.for_round(active.count()))
}

/// Verifies Groth16 proof and Gram argument again, natively.
///
/// # Errors
/// [`RoundFault::Proof`] with the contract's reason.
pub fn check_proof(
    keys: &PinnedKeys,
    statement: &RoundStatement,
    call: &Settlement,
) -> Result<(), RoundFault> {
    verify_words(keys, statement, &call.proof).map_err(|error| RoundFault::Proof(error.to_string()))
}

/// Compares the new model's commitment with the previous one plus the weighted commitments.
///
/// # Errors
/// [`RoundFault::ModelStep`].
pub fn check_step(
    before: G1Affine,
    statement: &RoundStatement,
    settled: &SettledRound,
) -> Result<(), RoundFault> {
    let expected = model_step(before, &statement.commitments, &settled.weights);
    if expected == settled.model {
        return Ok(());
    }
    Err(RoundFault::ModelStep { expected: point_text(&expected), found: point_text(&settled.model) })
}

/// Applies the rule again to the updates of the active slots; `updates` has one entry for each slot of the circuit.
///
/// # Errors
/// [`RoundFault::Rule`] when the rule refuses them.
pub fn reassess(
    terms: &Terms,
    active: SlotMask,
    updates: &[Option<&[i16]>],
) -> Result<Assessment, RoundFault> {
    let gram = GramMatrix::compute(updates).map_err(|error| RoundFault::Rule(error.to_string()))?;
    assess(&gram, active, policy(terms, active)?).map_err(|error| RoundFault::Rule(error.to_string()))
}

/// Compares a settlement with the result of the rule; every difference comes with its trainer and field.
pub fn check_assessment(
    assessment: &Assessment,
    settled: &SettledRound,
    committed: &[CommittedUpdate],
) -> Vec<RoundFault> {
    let mut faults = Vec::new();
    let kept = |mask: SlotMask, slot: u8| if mask.contains(slot) { "kept" } else { "dropped" };
    let at =
        |values: &[u32], slot: u8| values.get(usize::from(slot)).copied().unwrap_or_default().to_string();
    let highest = u8::try_from(assessment.shares.len().max(settled.shares.len())).unwrap_or(128).min(128);
    for slot in 0..highest {
        let trainer = committed
            .iter()
            .find(|update| update.slot == slot)
            .map_or(Address::ZERO, |update| update.trainer);
        let mut same = |field: &'static str, expected: String, found: String| {
            if expected != found {
                faults.push(RoundFault::Assessment { slot, trainer, field, expected, found });
            }
        };
        same("verdict", kept(assessment.kept, slot).into(), kept(settled.kept, slot).into());
        same("share", at(&assessment.shares, slot), at(&settled.shares, slot));
        same("weight", at(&assessment.weights, slot), at(&settled.weights, slot));
    }
    if assessment.coherence != settled.coherence {
        faults.push(RoundFault::Coherence { expected: assessment.coherence, found: settled.coherence });
    }
    faults
}
