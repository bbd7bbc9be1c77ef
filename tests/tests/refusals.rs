//! What an aggregator that cheats can send, and that the contract takes none of it; and what the contract cannot see,
//! and that the audit names it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use fairshare_aggregator::{assess_round, round_terms, AssessedRound, Prover, RoundContext, RoundTerms};
use fairshare_circuits::{AssessmentKeys, PinnedKeys, ReferenceString};
use fairshare_client::{
    collect, fetch_model, fetch_specification, read_password, Chain, ContentId, ContentStore, Phase, Project,
    Settlement, Wallet,
};
use fairshare_protocol::{encode_model, Address, Specification};
use fairshare_tests::{Background, Market, Options};

const SOON: Duration = Duration::from_secs(90);
/// Order of the scalar field and modulus of the base field, big-endian.
const R: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
const Q: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

/// A round that is attested and not settled, in the hands of its aggregator.
struct Attested {
    market: Market,
    trainers: Vec<Background>,
    project: Project,
    store: ContentStore,
    spec: Specification,
    prover: Prover,
    context: RoundContext,
    terms: RoundTerms,
    model: Vec<i64>,
    assessed: AssessedRound,
    updates: Vec<(u8, Vec<i16>)>,
    _folder: tempfile::TempDir,
}

impl Attested {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let market =
            Market::open(&Options::small(&["sign-flip"]), folder.path(), |toml| toml, &mut |_| {}).unwrap();
        let (keystore, password) = market.aggregator_wallet();
        let wallet = Wallet::open(keystore, &read_password(Some(password)).unwrap()).unwrap();
        let payee = wallet.address();
        let chain = Chain::connect(&market.rpc, Some(wallet), Some(31337)).await.unwrap();
        let address = market.project.parse().unwrap();
        let project = Project::open(&chain, address).await.unwrap();
        project.place_bond().await.unwrap();
        let trainers: Vec<_> = (0..market.trainers.len()).map(|i| market.start_trainer(i).unwrap()).collect();
        let end = Instant::now() + SOON;
        let status = loop {
            let status = project.status().await.unwrap();
            if status.phase == Phase::Aggregate {
                break status;
            }
            assert!(Instant::now() < end, "the round is not attested in time: {status:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };

        let store = ContentStore::new(&market.ipfs, Duration::from_secs(20)).unwrap();
        let spec = fetch_specification(&project, &store).await.unwrap();
        let terms = project.terms();
        let round = round_terms(terms).unwrap();
        let data = fairshare_circuits::default_data_folder();
        let srs = ReferenceString::open_dev(&data, terms.dimension as usize).unwrap();
        let keys = AssessmentKeys::open_dev(&data, round.policy.for_round(5).rule(), terms.slots).unwrap();
        let model =
            fetch_model(&project, &store, &spec, &status.model, status.model_cid, &srs).await.unwrap();
        let collected = collect(&project, &store, &spec, &srs, status.round).await.unwrap();
        let updates: Vec<(u8, Vec<i16>)> =
            collected.into_iter().map(|entry| (entry.slot, entry.update.unwrap())).collect();
        let borrowed: Vec<(u8, &[i16])> = updates.iter().map(|(slot, u)| (*slot, u.as_slice())).collect();
        let assessed = assess_round(&round, &model, &borrowed).unwrap();
        let context = RoundContext {
            chain_id: chain.chain_id(),
            project: project.address(),
            round: status.round,
            payee,
            dimension: terms.dimension,
            slots: terms.slots,
            model: status.model,
            committed: project
                .committed(status.round)
                .await
                .unwrap()
                .into_iter()
                .map(|c| (c.trainer, c.commitment))
                .collect(),
            outlier_penalty: terms.outlier_penalty != 0,
        };
        let prover =
            Prover { srs: Arc::new(srs), keys: Arc::new(keys), committed: Arc::new(PinnedKeys::load()) };
        Self {
            market,
            trainers,
            project,
            store,
            spec,
            prover,
            context,
            terms: round,
            model,
            assessed,
            updates,
            _folder: folder,
        }
    }

    fn settlement(&self, model_cid: [u8; 32]) -> Settlement {
        let updates: Vec<(u8, &[i16])> = self.updates.iter().map(|(slot, u)| (*slot, u.as_slice())).collect();
        let proved = self.prover.prove(&self.context, &self.assessed, &updates, model_cid).unwrap();
        self.context.settlement(&proved)
    }

    /// An honest proof of the round as if a trainer had not taken part, with the file of that model.
    async fn settlement_without(&self, left_out: u8) -> Settlement {
        let updates: Vec<(u8, &[i16])> = self.updates.iter().map(|(slot, u)| (*slot, u.as_slice())).collect();
        let others: Vec<_> = updates.into_iter().filter(|(slot, _)| *slot != left_out).collect();
        let assessed = assess_round(&self.terms, &self.model, &others).unwrap();
        let cid = self.store.add(&file_of(&self.spec, &assessed.model)).await.unwrap();
        let proved = self.prover.prove(&self.context, &assessed, &others, cid.digest()).unwrap();
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
async fn aggregator_can_bend_no_word_nor_leave_an_honest_trainer_out_and_the_true_settlement_is_taken() {
    let round = Attested::new().await;
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
        ("the commitment to the Gram matrix", |s| s.proof.committed.rotate_left(2)),
        ("the inner product", |s| s.proof.sigma = plus_one(s.proof.sigma)),
        ("the model's file", |s| s.model_cid[5] ^= 1),
        ("the claimed model", |s| s.proof.model = s.proof.quotient),
    ] {
        let mut bad = good.clone();
        bend(&mut bad);
        round.refused(what, &bad, proof_fails).await;
    }
    for bent in [word(R), word(Q), [0; 32], plus_one([0; 32])] {
        for at in 0..16 {
            let mut bad = good.clone();
            let p = &mut bad.proof;
            let words =
                p.groth16.iter_mut().chain(&mut p.quotient).chain(&mut p.reversed).chain(&mut p.values);
            *words.into_iter().nth(at).unwrap() = bent;
            round.refused(&format!("proof word {at}"), &bad, proof_fails).await;
        }
    }
    // Which trainers are active is theirs to say: a proof of the round without one of them is true, and serves nothing.
    let kept = (0..6).find(|slot| round.assessed.assessment.kept.contains(*slot)).unwrap();
    let smaller = round.settlement_without(kept).await;
    round.refused("an honest trainer left out", &smaller, proof_fails).await;
    let mut bad = good.clone();
    bad.round += 1;
    round.refused("another round", &bad, &["WrongRound"]).await;
    let mut bad = good.clone();
    bad.payee = Address([7; 20]);
    round.refused("another payee", &bad, &["NotTheAggregator"]).await;
    let mut bad = good.clone();
    bad.commitments.swap(0, 1);
    round.refused("slots in another order", &bad, &["WrongCommitments"]).await;
    let mut bad = good.clone();
    bad.outliers.push(Address([7; 20]));
    round.refused("another outlier", &bad, &["WrongOutliers"]).await;

    round.project.settle(&good).await.unwrap();
    let again = round.project.settle(&good).await.unwrap_err().to_string();
    assert!(again.contains("WrongPhase") || again.contains("WrongRound"), "{again}");
    let (market, _folder) = round.end();
    assert_eq!(market.audit().unwrap()["audit"], "pass");
}

#[tokio::test]
async fn model_file_with_one_weight_changed_by_one_earns_nothing_and_a_trainer_publishes_the_true_one() {
    let round = Attested::new().await;
    let true_model = round.assessed.model.clone();
    let (mut model, spec) = (true_model.clone(), round.spec.clone());
    model[10 + 17] += 1; // after the ten biases: fc.weight, entry 17
    let file = file_of(&round.spec, &model);
    let model_cid: ContentId = round.store.add(&file).await.unwrap();
    // The prover compares file and proof by the true model: only the CID is another's.
    round.project.settle(&round.settlement(model_cid.digest())).await.unwrap();
    let (market, folder) = round.end();
    assert_eq!(market.audit().unwrap()["audit"], "pass", "the trainers' own file is the proved model's");
    assert_eq!(market.withdraw("aggregator").unwrap(), 0, "neither fee nor bond is the aggregator's");

    // The file that was published in its place is what everybody fetches.
    let path = folder.path().join("fetched.safetensors");
    let mut fetch = market.command("fairshare", &["model", "fetch", "--fixed-point"]).unwrap();
    let output = fairshare_tests::run_raw(fetch.arg("--out").arg(&path)).unwrap();
    assert!(output.status.success(), "{output:?}");
    let true_file = file_of(&spec, &true_model);
    assert_eq!(std::fs::read(&path).unwrap(), true_file);
}
