//! Sending to a chain that loses, refuses and forks.

use ethers::signers::LocalWallet;

use super::*;
use crate::chain::fake::{FakeChain, Sent};
use crate::chain::Wallet;

async fn chain() -> (FakeChain, Chain) {
    let fake = FakeChain::start().await;
    let signer: LocalWallet = format!("{:064x}", 7).parse().unwrap();
    let chain = Chain::connect(&fake.address, Some(Wallet { signer }), None).await.unwrap();
    (fake, chain)
}

/// Sends a call, and does `act` with the chain every 50 ms meanwhile.
async fn send(
    fake: &FakeChain,
    chain: &Chain,
    deadline: Option<u64>,
    mut act: impl FnMut(&FakeChain),
) -> Result<Mined, ChainError> {
    let mut sending =
        std::pin::pin!(chain.send("the reveal", Some(Address([1; 20])), Bytes::default(), 0, deadline));
    loop {
        tokio::select! {
            result = &mut sending => return result,
            () = tokio::time::sleep(Duration::from_millis(50)) => act(fake),
        }
    }
}

fn mine(fake: &FakeChain) {
    fake.with(|state| state.mine());
}

#[tokio::test]
async fn a_transaction_is_sent_once_where_nothing_is_lost() {
    let (fake, chain) = chain().await;
    send(&fake, &chain, Some(1_060), mine).await.unwrap();
    let sent = fake.with(|state| state.sent.clone());
    assert_eq!(sent.iter().map(|sent| (sent.nonce, sent.max_fee)).collect::<Vec<_>>(), [(0, 208)]);
}

#[tokio::test]
async fn a_broadcast_that_is_cut_off_is_made_again() {
    let (fake, chain) = chain().await;
    fake.with(|state| state.resets = 3);
    send(&fake, &chain, Some(1_060), mine).await.unwrap();
    assert_eq!(fake.with(|state| state.sent.len()), 1);
}

#[tokio::test]
async fn a_transaction_that_the_node_forgot_is_sent_again_as_it_was() {
    let (fake, chain) = chain().await;
    fake.with(|state| state.swallow = 2);
    let mined = send(&fake, &chain, Some(1_020), |fake| {
        if fake.with(|state| state.sent.len() == 3) {
            mine(fake);
        }
    });
    mined.await.unwrap();
    let sent = fake.with(|state| state.sent.clone());
    assert_eq!(sent, [sent[0]; 3]);
}

#[tokio::test]
async fn a_fee_that_the_base_fee_passed_is_raised_at_the_same_nonce() {
    let (fake, chain) = chain().await;
    let mut risen = false;
    let mined = send(&fake, &chain, Some(1_600), |fake| {
        fake.with(|state| {
            if !risen && !state.pool.is_empty() {
                (state.base_fee, risen) = (5_000, true);
            }
            if risen {
                state.mine();
            }
        });
    });
    mined.await.unwrap();
    let sent: Vec<Sent> = fake.with(|state| state.sent.clone());
    let newest = sent.last().unwrap();
    assert!(sent.iter().all(|sent| sent.nonce == 0), "{sent:?}");
    assert!(newest.max_fee > 10_000 && sent[0].max_fee == 208, "{sent:?}");
    assert_eq!(fake.with(|state| state.used), 1, "one of them was mined");
}

#[tokio::test]
async fn a_node_that_fails_while_a_fee_is_raised_does_not_end_the_wait() {
    let (fake, chain) = chain().await;
    // The base fee passes ours while the transaction waits.
    fake.with(|state| {
        state.failures.insert("eth_getBalance", 2);
    });
    let mined = send(&fake, &chain, Some(1_600), |fake| {
        fake.with(|state| {
            if !state.sent.is_empty() {
                state.base_fee = 5_000;
                state.mine();
            }
        });
    });
    mined.await.unwrap();
    assert_eq!(fake.with(|state| (state.failures["eth_getBalance"], state.used)), (0, 1));

    // The node wants more than the first offer at once: another program's transaction has our nonce.
    let (fake, chain) = self::chain().await;
    let theirs = Sent { nonce: 0, max_fee: 250, hash: Default::default() };
    fake.with(|state| {
        state.pool.insert(0, theirs);
        state.failures.insert("eth_getBalance", 1);
    });
    let mined = send(&fake, &chain, Some(1_008), |fake| {
        fake.with(|state| {
            if state.pool.get(&0).is_some_and(|waits| *waits != theirs) {
                state.mine();
            }
        });
    });
    mined.await.unwrap();
    let sent = fake.with(|state| state.sent.clone());
    assert!(sent[0].max_fee == 208 && sent.last().unwrap().max_fee > 275, "{sent:?}");
    assert_eq!(fake.with(|state| (state.failures["eth_getBalance"], state.used)), (0, 1));
}

#[tokio::test]
async fn the_last_fault_of_the_node_is_named_when_the_wait_is_over() {
    let (fake, chain) = chain().await;
    fake.with(|state| {
        state.failures.insert("eth_getBalance", u32::MAX);
    });
    let lost = send(&fake, &chain, Some(1_600), |fake| {
        fake.with(|state| {
            if !state.sent.is_empty() {
                state.base_fee = 5_000;
            }
            if state.failures["eth_getBalance"] < u32::MAX {
                state.timestamp = 1_600;
            }
        });
    });
    let error = lost.await.err().unwrap();
    let ChainError::NotMined { fault, .. } = &error else { panic!("{error}") };
    assert!(fault.as_ref().is_some_and(|fault| fault.contains("being pruned")), "{error}");
}

#[tokio::test]
async fn a_transaction_that_nobody_mines_is_given_up_at_its_deadline_and_its_nonce_used_again() {
    let (fake, chain) = chain().await;
    let lost = send(&fake, &chain, Some(1_004), |fake| {
        fake.with(|state| {
            if !state.pool.is_empty() {
                state.timestamp = 1_004;
            }
        });
    });
    let error = lost.await.err().unwrap();
    assert!(matches!(&error, ChainError::NotMined { .. }), "{error}");
    assert!(error.is_node_fault(), "the same may succeed later");
    send(&fake, &chain, None, mine).await.unwrap();
    let sent = fake.with(|state| state.sent.clone());
    let (first, last) = (sent.first().unwrap(), sent.last().unwrap());
    assert_eq!((first.nonce, last.nonce), (0, 0));
    assert!(last.max_fee > first.max_fee, "{sent:?}");
    assert_eq!(fake.with(|state| state.used), 1);
}

#[tokio::test]
async fn a_nonce_that_another_process_takes_is_given_up_for_the_next_one() {
    let (fake, chain) = chain().await;
    let mut taken = false;
    let mined = send(&fake, &chain, Some(1_600), |fake| {
        fake.with(|state| match taken {
            false if !state.pool.is_empty() => {
                state.pool.clear();
                (state.used, taken) = (1, true);
            }
            false => {}
            true => state.mine(),
        });
    });
    mined.await.unwrap();
    let nonces: Vec<u64> = fake.with(|state| state.sent.iter().map(|sent| sent.nonce).collect());
    assert_eq!((nonces.first(), nonces.last()), (Some(&0), Some(&1)), "{nonces:?}");
    assert_eq!(fake.with(|state| state.used), 2);
}

#[tokio::test]
async fn a_transaction_behind_one_that_a_fork_took_back_is_given_up_for_it() {
    let (fake, chain) = chain().await;
    fake.with(|state| state.used = 1);
    let mut forked = false;
    let lost = send(&fake, &chain, Some(1_600), |fake| {
        fake.with(|state| {
            if !forked && !state.pool.is_empty() {
                (state.used, forked) = (0, true);
            }
            state.mine();
        });
    });
    let error = lost.await.err().unwrap();
    assert!(matches!(&error, ChainError::NotMined { .. }) && error.to_string().contains("fork"), "{error}");
    send(&fake, &chain, None, mine).await.unwrap();
    let nonces: Vec<u64> = fake.with(|state| state.sent.iter().map(|sent| sent.nonce).collect());
    assert_eq!((nonces.first(), nonces.last()), (Some(&1), Some(&0)), "{nonces:?}");
    assert_eq!(fake.with(|state| state.used), 2, "and the one that waited behind it is mined as well");
}

#[tokio::test]
async fn what_another_process_did_meanwhile_is_not_done_twice() {
    let (fake, chain) = chain().await;
    let mut taken = false;
    let refused = send(&fake, &chain, Some(1_600), |fake| {
        fake.with(|state| {
            if !taken && !state.pool.is_empty() {
                state.pool.clear();
                (state.used, state.refuses, taken) = (1, true, true);
            }
        });
    });
    let error = refused.await.err().unwrap();
    assert!(matches!(error, ChainError::Refused { .. }), "{error}");
    assert!(fake.with(|state| state.pool.is_empty() && state.used == 1));
}

#[tokio::test]
async fn a_node_that_falters_is_asked_again() {
    let (fake, chain) = chain().await;
    fake.with(|state| state.pages = 4);
    assert_eq!(chain.now().await.unwrap(), 1_000);
    assert_eq!(fake.with(|state| state.pages), 0);
}
