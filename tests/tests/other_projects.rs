//! Projects that differ from the demo's: another currency, another size.
#![allow(clippy::unwrap_used)]

use std::process::Command;
use std::time::Instant;

use fairshare_tests::{binary, demo, Market, Options};
use serde_json::{json, Value};

fn wei(text: &str) -> u128 {
    text.parse().unwrap()
}

/// Deploys the plain ERC-20 of the tests and gives every wallet `each`; its address.
fn deploy_token(devnet: &fairshare_tests::Devnet<'_>, each: u128) -> String {
    deploy_token_for(devnet, each, &devnet.addresses())
}

/// The same, for `holders` alone.
fn deploy_token_for(devnet: &fairshare_tests::Devnet<'_>, each: u128, holders: &[String]) -> String {
    let abi: Value = serde_json::from_str(include_str!("../../contracts/abi/TestToken.json")).unwrap();
    let from = devnet.addresses()[0].clone();
    devnet.call("anvil_impersonateAccount", json!([from])).unwrap();
    let send = |to: Option<&str>, data: String| -> Value {
        let mut transaction = json!({"from": from, "data": data});
        if let Some(to) = to {
            transaction["to"] = json!(to);
        }
        let hash = devnet.call("eth_sendTransaction", json!([transaction])).unwrap();
        let end = Instant::now() + std::time::Duration::from_secs(30);
        loop {
            let receipt = devnet.call("eth_getTransactionReceipt", json!([hash])).unwrap();
            if !receipt.is_null() {
                assert_eq!(receipt["status"], "0x1", "{receipt}");
                return receipt;
            }
            assert!(Instant::now() < end, "no receipt of {hash}");
            std::thread::sleep(std::time::Duration::from_millis(50)); // polls a condition with a deadline
        }
    };
    let deployed = send(None, abi["bytecode"].as_str().unwrap().to_owned());
    let token = deployed["contractAddress"].as_str().unwrap().to_owned();
    for address in holders {
        // mint(address,uint256)
        let data = format!("0x40c10f19{:0>64}{each:064x}", address.trim_start_matches("0x").to_lowercase());
        send(Some(&token), data);
    }
    devnet.call("anvil_stopImpersonatingAccount", json!([from])).unwrap();
    token
}

#[tokio::test]
async fn project_in_a_token_pays_stakes_bond_and_shares_to_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::small(&["sign-flip"]);
    let mut token = String::new();
    let market = Market::open_on(
        &options,
        folder.path(),
        |devnet, toml| {
            token = deploy_token(devnet, 10_000_000_000_000_000_000);
            // Amounts of a token are in its least unit.
            let toml = toml
                .replace("0.1 ether", "100000000000000000 units")
                .replace("0.05 ether", "50000000000000000 units")
                .replace("1 ether", "1000000000000000000 units");
            Ok(toml.replace(
                "[reward]",
                &format!("[currency]\ntoken = \"{}\"\n\n[reward]", token.to_lowercase()),
            ))
        },
        &mut |_| {},
    )
    .unwrap();
    // It fails unless pay, fee and what goes back are the deposit to the unit.
    let report = demo::finish(&market, Instant::now(), &mut |_| {}).await.unwrap();
    assert_eq!(report.audit, "pass");
    assert_eq!(
        market.show().unwrap()["terms"]["token"].as_str().unwrap().to_lowercase(),
        token.to_lowercase()
    );
    let balance = |holder: &str| {
        // balanceOf(address)
        let data = format!("0x70a08231{:0>64}", holder.trim_start_matches("0x").to_lowercase());
        let answer = market.call("eth_call", json!([{"to": token, "data": data}, "latest"])).unwrap();
        u128::from_str_radix(answer.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    };
    for trainer in &report.trainers {
        // The stake went in and came back; what is more is the pay.
        assert_eq!(
            balance(&trainer.address),
            10_000_000_000_000_000_000 + wei(&trainer.paid_wei),
            "{trainer:?}"
        );
        assert_eq!(wei(&trainer.paid_wei) > 0, trainer.behaviour == "honest", "{trainer:?}");
    }
    assert_eq!(balance(&market.project), 0, "nothing is left in the project");
}

/// Issue 9: the aggregator compared its ether with a bond in units of the token, which a bond of 1e18 units hid. Of a
/// token with six decimals a bond is a small number.
#[tokio::test]
async fn aggregator_without_the_token_of_its_bond_is_refused_at_its_start_and_works_once_it_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut token = String::new();
    let mut aggregator = String::new();
    let market = Market::open_on(
        &Options::small(&[]),
        folder.path(),
        |devnet, toml| {
            let mut holders = devnet.addresses();
            aggregator = holders.remove(1); // after the owner
            token = deploy_token_for(devnet, 10_000_000_000, &holders);
            let toml = toml
                .replace("0.1 ether", "25000000 units")
                .replace("0.05 ether", "5000000 units")
                .replace("1 ether", "250000000 units");
            let currency = format!("[currency]\ntoken = \"{}\"\n\n[reward]", token.to_lowercase());
            Ok(toml.replace("[reward]", &currency))
        },
        &mut |_| {},
    )
    .unwrap();
    let mut refused = market.start_aggregator().unwrap();
    assert!(!refused.wait_end(std::time::Duration::from_secs(60)).unwrap());
    let message = refused.tail();
    for part in ["250000000 units", "bond", "nothing was sent"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(message.to_lowercase().contains(&token.to_lowercase()), "{message}");

    // The owner gives it exactly the bond: transfer(address,uint256).
    let owner = market.show().unwrap()["terms"]["owner"].as_str().unwrap().to_owned();
    market.call("anvil_impersonateAccount", json!([owner])).unwrap();
    let data =
        format!("0xa9059cbb{:0>64}{:064x}", aggregator.trim_start_matches("0x").to_lowercase(), 250_000_000);
    market.call("eth_sendTransaction", json!([{"from": owner, "to": token, "data": data}])).unwrap();
    market.call("anvil_stopImpersonatingAccount", json!([owner])).unwrap();
    let report = demo::finish(&market, Instant::now(), &mut |_| {}).await.unwrap();
    assert_eq!(report.audit, "pass");
    assert!(report.trainers.iter().all(|trainer| wei(&trainer.paid_wei) > 0), "{report:?}");
}

/// Room for sixty-four: the circuit whose prover commits to its witnesses (docs/protocol.md 6.3). Six come, so
/// registration ends by its deadline.
#[tokio::test]
async fn project_with_sixty_four_slots_is_proved_with_committed_witnesses() {
    let folder = tempfile::tempdir().unwrap();
    // The proving key is made once, and before the project's clock runs.
    let made = Command::new(binary("fairshare").unwrap())
        .args(["keys", "make", "--slots", "64", "--rule", "agreement"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let room = |toml: String| {
        let toml = toml.replace("max_trainers = 6", "max_trainers = 64");
        toml.replace("registration = 120", "registration = 40")
    };
    let market = Market::open(&Options::small(&["sign-flip"]), folder.path(), room, &mut |_| {}).unwrap();
    assert_eq!(market.show().unwrap()["terms"]["slots"], 64);
    let report = demo::finish(&market, Instant::now(), &mut |_| {}).await.unwrap();
    assert_eq!(report.audit, "pass");
    for trainer in &report.trainers {
        assert_eq!(wei(&trainer.paid_wei) > 0, trainer.behaviour == "honest", "{trainer:?}");
    }
}
