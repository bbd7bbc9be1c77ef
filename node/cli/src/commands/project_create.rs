//! `fairshare project create`.

use std::path::PathBuf;

use clap::Args;
use eyre::{ensure, WrapErr};
use fairshare_client::service::{
    add_amounts, print_json, print_line, DataArgs, NetworkArgs, OutputArgs, WalletArgs,
};
use fairshare_client::{
    ether, format_point, Chain, ContentId, ContentStore, Market, Receipt, Terms, MAX_SPECIFICATION,
};
use fairshare_protocol::{bounds, encode_model, Address, Specification};
use serde_json::{json, Value};

use super::output::{hash, reference_string, table, Progress};

/// Upper bounds for the gas of deployment and creation: a wallet that cannot pay them is refused before anything is spent.
const DEPLOYMENT_GAS: u128 = 40_000_000;
const CREATION_GAS: u128 = 10_000_000;

/// `fairshare project create`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare project create --spec project.toml --aggregator 0x.. --wallet owner.json --password-file password

A specification (all fields: docs/operations.md):
  name = \"handwritten digits\"
  [model]
  kind = \"mlp\"          # logistic (inputs, classes), mlp (inputs, hidden, classes) or cnn (inputs, channels, classes)
  inputs = 64
  hidden = 128
  classes = 10
  [participation]
  min_trainers = 5
  max_trainers = 10
  stake = \"0.1 ether\"
  bond = \"1 ether\"
  [reward]
  rounds = 5
  per_round = \"1 ether\"
  aggregator_fee = \"0.05 ether\"
  [rule]                  # this section and the next are optional
  name = \"agreement\"
  [currency]              # an ERC-20 instead of ether: then every amount is written as \"1000000 units\"
  token = \"0x..\"

Everything is checked before anything is spent. The creation puts the reward of all rounds into escrow.")]
pub(super) struct CreateArgs {
    /// The project's specification (TOML)
    #[arg(long, value_name = "FILE")]
    spec: PathBuf,
    /// Address of the account that aggregates and proves
    #[arg(long, value_name = "ADDRESS")]
    aggregator: Address,
    /// The market's factory [default: a new market is deployed]
    #[arg(long, env = "FAIRSHARE_FACTORY", value_name = "ADDRESS")]
    factory: Option<Address>,
    #[command(flatten)]
    wallet: WalletArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl CreateArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let (spec, chain, store) = self.check().await?;
        let market = match self.factory {
            Some(factory) => Some(Market::open(&chain, factory).await?),
            None => None,
        };
        let owner = chain.account()?;
        let deposit = spec.deposit()?;
        self.check_funds(&chain, owner, deposit, spec.token()).await?;

        let progress = Progress::start("opening the reference string");
        let srs = reference_string(&self.data, spec.model.dimension(), &progress)?;
        progress.say("committing to the first model");
        let first = spec.model.initial(spec.training.seed, spec.quantisation.scale_log2);
        let commitment = srs.commit_model(&first)?;
        progress.say("adding specification and first model to IPFS");
        let json = spec.canonical_json();
        ensure!(
            json.len() <= MAX_SPECIFICATION,
            "the specification {} has {} bytes as JSON; expected at most {MAX_SPECIFICATION}: shorten its description",
            self.spec.display(),
            json.len()
        );
        let specification = store.add(&json).await?;
        let model = store.add(&encode_model(&spec.model, &first)?).await?;

        let mut transactions = Vec::new();
        let market = match market {
            Some(market) => market,
            None => {
                progress.say("deploying the market's contracts");
                let (market, receipts) = Market::deploy(&chain).await?;
                transactions = receipts;
                market
            }
        };
        progress.say("creating the project");
        let terms = Terms::from_specification(
            &spec,
            owner,
            self.aggregator,
            specification.digest(),
            commitment,
            model.digest(),
        );
        let (project, receipt) = market.create_project(&chain, &terms).await?;
        transactions.push(("create_project".to_owned(), receipt));
        drop(progress);
        let created = Created { project, market, specification, model, terms, transactions };
        if self.output.json {
            created.print_json()
        } else {
            created.print_text(&spec)
        }
    }

    /// Checks that cost nothing.
    async fn check(&self) -> eyre::Result<(Specification, Chain, ContentStore)> {
        let path = self.spec.display();
        let text = std::fs::read_to_string(&self.spec)
            .wrap_err_with(|| format!("the specification {path} cannot be read"))?;
        let spec = Specification::from_toml(&text).wrap_err_with(|| format!("the specification {path}"))?;
        let wallet = self.wallet.open()?;
        ensure!(
            !self.aggregator.is_zero(),
            "--aggregator is the zero address; name the account that aggregates"
        );
        let chain = self.network.chain(Some(wallet)).await?;
        let min_active = u32::from(spec.participation.min_active);
        let least = bounds::min_active(chain.chain_id());
        ensure!(
            min_active >= least,
            "the specification {path}: participation.min_active is {min_active}, expected at least {least}: smaller values are for test chains only, and the chain at {} has id {}",
            chain.rpc(),
            chain.chain_id()
        );
        let (shortest, periods) = (bounds::min_period(chain.chain_id()), &spec.periods);
        for (field, period) in [
            ("registration", periods.registration),
            ("commit", periods.commit),
            ("reveal", periods.reveal),
            ("attest", periods.attest),
            ("aggregate", periods.aggregate),
        ] {
            ensure!(
                period >= shortest,
                "the specification {path}: periods.{field} is {period}, expected at least {shortest} seconds: shorter phases are for test chains only, and the chain at {} has id {}",
                chain.rpc(),
                chain.chain_id()
            );
        }
        let store = self.network.store().await?;
        Ok((spec, chain, store))
    }

    async fn check_funds(
        &self,
        chain: &Chain,
        owner: Address,
        deposit: u128,
        token: Option<Address>,
    ) -> eyre::Result<()> {
        let mut in_ether = deposit;
        if let Some(token) = token {
            let has = chain.token_balance(token, owner).await?;
            ensure!(
                has >= deposit,
                "the escrow needs {deposit} units of the token {} and the wallet {} has {has}: fund it; nothing was sent",
                token,
                owner
            );
            in_ether = 0;
        }
        let gas = CREATION_GAS + if self.factory.is_none() { DEPLOYMENT_GAS } else { 0 };
        let (has, for_gas) = (chain.balance(owner).await?, gas.saturating_mul(chain.gas_price().await?));
        let needs = in_ether.saturating_add(for_gas);
        let wallet = owner.to_string();
        ensure!(
            has >= needs,
            "creating the project needs {} ({} for the escrow, up to {} for gas) and the wallet {wallet} has {}: fund it; nothing was sent",
            ether(needs),
            ether(in_ether),
            ether(for_gas),
            ether(has)
        );
        Ok(())
    }
}

struct Created {
    project: Address,
    market: Market,
    specification: ContentId,
    model: ContentId,
    terms: Terms,
    transactions: Vec<(String, Receipt)>,
}

impl Created {
    fn print_json(&self) -> eyre::Result<()> {
        let transactions: Vec<Value> = self
            .transactions
            .iter()
            .map(|(kind, r)| json!({"kind": kind, "transaction": hash(&r.transaction), "gas": r.gas_used}))
            .collect();
        let mut created = json!({
            "project": self.project.to_string(),
            "factory": self.market.factory.to_string(),
            "key_registry": self.market.key_registry.to_string(),
            "round_verifier": self.market.round_verifier.to_string(),
            "range_verifier": self.market.range_verifier.to_string(),
            "specification_cid": self.specification.to_string(),
            "model_cid": self.model.to_string(),
            "model_commitment": format_point(&self.terms.model),
            "transactions": transactions,
        });
        add_amounts(&mut created, [("deposit", self.terms.amount(self.terms.deposit()))]);
        Ok(print_json(&created)?)
    }

    fn print_text(&self, spec: &Specification) -> eyre::Result<()> {
        let t = &self.terms;
        print_line(&format!("created {:?}: {}", spec.name, self.project))?;
        print_line("")?;
        let mut facts = table(&[]);
        facts.add_row(vec!["escrow".to_owned(), format!("{} for {} rounds", t.money(t.deposit()), t.rounds)]);
        facts.add_row(vec![
            "factory".to_owned(),
            format!("{} (--factory for the next project)", self.market.factory),
        ]);
        facts.add_row(vec!["specification".to_owned(), self.specification.to_string()]);
        facts.add_row(vec!["first model".to_owned(), format!("{} parameters, {}", t.dimension, self.model)]);
        let gas: u64 = self.transactions.iter().map(|(_, r)| r.gas_used).sum();
        facts.add_row(vec!["gas".to_owned(), format!("{gas} in {} transactions", self.transactions.len())]);
        for line in facts.lines() {
            print_line(line.trim_end())?;
        }
        print_line("")?;
        print_line(&format!("export FAIRSHARE_PROJECT={}", self.project))?;
        Ok(())
    }
}
