//! What an aggregator that cheats can send, and that the contract takes none of it; and what the contract cannot see,
//! and that the audit names it.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fairshare_aggregator::{assess_round, AssessedRound, Prover, RoundContext, RoundTerms};
use fairshare_circuits::{AssessmentKeys, CommittedKeys, ReferenceString};
use fairshare_node::{
    collect, fetch_model, fetch_specification, read_password, Chain, ContentId, ContentStore, Phase, Project,
    Settlement, Wallet,
};
use fairshare_protocol::{encode_model, AgreementPolicy, Specification};
use fairshare_tests::{Background, Market, Options};

const SOON: Duration = Duration::from_secs(90);
/// Order of the scalar field and modulus of the base field, big-endian.
const R: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
const Q: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

/// A round that is revealed and not settled, in the hands of its aggregator.
struct Revealed {
    market: Market,
    trainers: Vec<Background>,
    project: Project,
    store: ContentStore,
    spec: Specification,
    prover: Prover,
    context: RoundContext,
    assessed: AssessedRound,
    updates: Vec<(u8, Vec<i16>)>,
    _folder: tempfile::TempDir,
}

impl Revealed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let market =
            Market::open(&Options::small(&["sign-flip"]), folder.path(), |toml| toml, &mut |_| {}).unwrap();
        let (keystore, password) = market.aggregator_wallet();
        let wallet = Wallet::open(keystore, &read_password(Some(password)).unwrap()).unwrap();
        let payee = wallet.address();
        let chain = Chain::connect(&market.rpc, Some(wallet), Some(31337)).await.unwrap();
        let address = fairshare_node::parse_address(&market.project).unwrap();
        let project = Project::open(&chain, address).await.unwrap();
        project.place_bond().await.unwrap();
        let trainers: Vec<_> = (0..market.trainers.len()).map(|i| market.start_trainer(i).unwrap()).collect();
        let end = Instant::now() + SOON;
        let status = loop {
            let status = project.status().await.unwrap();
            if status.phase == Phase::Aggregate {
                break status;
            }
            assert!(Instant::now() < end, "the round is not revealed in time: {status:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };

        let store = ContentStore::new(&market.ipfs, Duration::from_secs(20)).unwrap();
        let spec = fetch_specification(&project, &store).await.unwrap();
        let terms = project.terms();
        let data = fairshare_circuits::default_data_folder();
        let srs = ReferenceString::open_dev(&data, terms.dimension as usize).unwrap();
        let keys = AssessmentKeys::open_dev(&data, terms.slots).unwrap();
        let model =
            fetch_model(&project, &store, &spec, &status.model, status.model_cid, &srs).await.unwrap();
        let collected = collect(&project, &store, &spec, &srs, status.round).await.unwrap();
        let updates: Vec<(u8, Vec<i16>)> =
            collected.into_iter().map(|entry| (entry.slot, entry.update.unwrap())).collect();
        let round = RoundTerms {
            slots: terms.slots,
            policy: AgreementPolicy { theta: terms.theta, trim: terms.trim },
            min_active: terms.min_active,
            max_excluded: terms.max_excluded,
        };
        let borrowed: Vec<(u8, &[i16])> = updates.iter().map(|(slot, u)| (*slot, u.as_slice())).collect();
        let assessed = assess_round(&round, &model, &borrowed).unwrap();
        let context = RoundContext {
            chain_id: chain.chain_id(),
            project: project.address(),
            round: status.round,
            payee,
            dimension: terms.dimension,
            slots: terms.slots,
            rule: terms.rule,
            theta: terms.theta,
            model: status.model,
            commitments: project
                .committed(status.round)
                .await
                .unwrap()
                .into_iter()
                .map(|c| c.commitment)
                .collect(),
        };
        let prover =
            Prover { srs: Arc::new(srs), keys: Arc::new(keys), committed: Arc::new(CommittedKeys::load()) };
        Self { market, trainers, project, store, spec, prover, context, assessed, updates, _folder: folder }
    }

    fn settlement(&self, model_cid: [u8; 32]) -> Settlement {
        let updates: Vec<(u8, &[i16])> = self.updates.iter().map(|(slot, u)| (*slot, u.as_slice())).collect();
        let proved = self.prover.prove(&self.context, &self.assessed, &updates, model_cid).unwrap();
        self.context.settlement(&proved)
    }

    /// The settlement is refused, nothing is spent, and the message holds one of `reasons`.
    async fn refused(&self, what: &str, settlement: &Settlement, reasons: &[&str]) {
        let before = self.project.chain().balance(self.context.payee).await.unwrap();
        let message = match self.project.settle(settlement).await {
            Ok(receipt) => panic!("{what} was taken: {receipt:?}"),
            Err(error) => error.to_string(),
        };
        assert!(reasons.iter().any(|reason| message.contains(reason)), "{what}: {message}");
        assert_eq!(self.project.chain().balance(self.context.payee).await.unwrap(), before, "{what}");
    }

    fn end(mut self) -> (Market, tempfile::TempDir) {
        for trainer in &mut self.trainers {
            assert!(trainer.wait_end(SOON).unwrap());
        }
        (self.market, self._folder)
    }
}

fn word(hex_digits: &str) -> [u8; 32] {
    hex::decode(hex_digits).unwrap().try_into().unwrap()
}

/// The word plus one, as an integer.
fn plus_one(mut word: [u8; 32]) -> [u8; 32] {
    for byte in word.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    word
}

fn file_of(spec: &Specification, model: &[i64]) -> Vec<u8> {
    encode_model(&spec.model, model).unwrap()
}

#[tokio::test]
async fn tampered_weight_mask_share_and_every_proof_word_are_refused_and_the_true_one_is_taken() {
    let round = Revealed::new().await;
    let file = file_of(&round.spec, &round.assessed.model);
    let model_cid = round.store.add(&file).await.unwrap().digest();
    let good = round.settlement(model_cid);
    let proof_fails: &[&str] =
        &["PairingFailed", "LaurentIdentityFailed", "ScalarOutOfRange", "InvalidPoint"];

    for (what, bend) in [
        ("a weight", (|s| s.proof.weights[0] = plus_one(s.proof.weights[0])) as fn(&mut Settlement)),
        ("a pay share", |s| s.proof.shares[0] = plus_one(s.proof.shares[0])),
        ("the kept mask", |s| s.proof.kept_mask[31] ^= 1),
        ("the coherence", |s| s.proof.coherence = plus_one(s.proof.coherence)),
        ("the Gram matrix's hash", |s| s.proof.h = plus_one(s.proof.h)),
        ("the inner product", |s| s.proof.sigma = plus_one(s.proof.sigma)),
        ("the model's file", |s| s.model_cid[5] ^= 1),
        ("a slot less", |s| s.active &= s.active - 1),
    ] {
        let mut bad = good.clone();
        bend(&mut bad);
        round.refused(what, &bad, proof_fails).await;
    }
    for bent in [word(R), word(Q), [0; 32], plus_one([0; 32])] {
        for at in 0..16 {
            let mut bad = good.clone();
            let p = &mut bad.proof;
            let words = p.groth16.iter_mut().chain(&mut p.s).chain(&mut p.r).chain(&mut p.values);
            *words.into_iter().nth(at).unwrap() = bent;
            round.refused(&format!("proof word {at}"), &bad, proof_fails).await;
        }
    }
    let mut bad = good.clone();
    bad.round += 1;
    round.refused("another round", &bad, &["WrongRound"]).await;
    let mut bad = good.clone();
    bad.payee = [7; 20];
    round.refused("another payee", &bad, &["NotTheAggregator"]).await;
    let mut bad = good.clone();
    bad.commitments.swap(0, 1);
    round.refused("commitments in another order", &bad, &["WrongCommitments"]).await;

    round.project.settle(&good).await.unwrap();
    let again = round.project.settle(&good).await.unwrap_err().to_string();
    assert!(again.contains("WrongPhase") || again.contains("WrongRound"), "{again}");
    let (market, _folder) = round.end();
    assert_eq!(market.audit().unwrap()["audit"], "pass");
}

#[tokio::test]
async fn model_file_with_one_weight_changed_by_one_is_named_by_the_audit() {
    let round = Revealed::new().await;
    let mut model = round.assessed.model.clone();
    model[10 + 17] += 1; // after the ten biases: fc.weight, entry 17
    let file = file_of(&round.spec, &model);
    let model_cid: ContentId = round.store.add(&file).await.unwrap();
    // The prover compares file and proof by the true model: only the CID is another's.
    round.project.settle(&round.settlement(model_cid.digest())).await.unwrap();
    let (market, folder) = round.end();
    let audit = market.audit().unwrap();
    let failures = audit["audit"].to_string();
    assert!(failures.contains("fc.weight[17]"), "{failures}");
    assert!(failures.contains("round 1"), "{failures}");

    // The owner's own fetch refuses the file too.
    let path = folder.path().join("fetched.safetensors");
    let mut fetch = market.command("fairshare", &["model", "fetch"]).unwrap();
    let output = fairshare_tests::run_raw(fetch.arg("--out").arg(&path)).unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("commitment"), "{output:?}");
    assert!(!Path::exists(&path));
}
