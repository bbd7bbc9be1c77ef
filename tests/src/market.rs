//! A marketplace: its devnet, its owner, its trainers, its aggregator.

mod commands;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::devnet::{start_devnet, text, wallet, Devnet, Route, Wallet};
use crate::options::Options;
use crate::process::{binary, run_json, Background, Failure};

/// What a run tells while it goes on.
pub enum Stage<'a> {
    /// A step has begun.
    Begun(&'a str),
    /// A round is settled; held-out accuracy of its model.
    Settled {
        /// Round id.
        round: u64,
        /// 0 to 1.
        accuracy: f64,
    },
}

/// A trainer of the market.
#[derive(Clone, Debug)]
pub struct Participant {
    wallet: Wallet,
    /// `honest`, or the kind of attack.
    pub behaviour: String,
    shard: PathBuf,
    /// Samples of its shard.
    pub samples: u64,
}

impl Participant {
    /// Its name, such as `trainer-3`.
    pub fn name(&self) -> &str {
        &self.wallet.name
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.wallet.address
    }
}

/// A market that is up: devnet running, shards made, project created.
pub struct Market {
    /// Folder of everything.
    pub folder: PathBuf,
    /// Addresses of chain and content store.
    pub rpc: String,
    /// See `rpc`.
    pub ipfs: String,
    /// The project's address.
    pub project: String,
    /// What `project create` printed.
    pub created: Value,
    /// Results of the market's commands, each with the name of its definition in `docs/events.schema.json`.
    pub(crate) results: Mutex<Vec<(&'static str, Value)>>,
    /// The trainers, honest ones first.
    pub trainers: Vec<Participant>,
    /// Which held-out samples judge the model.
    pub held_out: PathBuf,
    options: Options,
    password: PathBuf,
    owner: Wallet,
    aggregator: Wallet,
    devnet: Background,
    wallets: usize,
    /// Of everything that has no route of its own.
    route: Route,
    /// By the participant's name.
    routes: BTreeMap<String, Route>,
}

/// What a finished market came to.
pub struct Outcome {
    /// The aggregator's `round_settled` events.
    pub settled: Vec<Value>,
    /// Accuracy of the first model and after every settled round.
    pub accuracy: Vec<f64>,
}

/// The behaviour of an honest trainer.
const HONEST: &str = "honest";
const SOON: Duration = Duration::from_secs(60);

impl Market {
    /// Starts a devnet in `folder`, splits the digits and creates the project.
    ///
    /// `adjust` may change the specification (TOML) before it is used.
    ///
    /// # Errors
    /// [`Failure`] of the step that went wrong.
    pub fn open(
        options: &Options,
        folder: &Path,
        adjust: impl FnOnce(String) -> String,
        tell: &mut dyn FnMut(Stage),
    ) -> Result<Self, Failure> {
        Self::open_on(options, folder, |_, toml| Ok(adjust(toml)), tell)
    }

    /// The same, for a specification that names something on the chain: `adjust` is also given the devnet.
    ///
    /// # Errors
    /// [`Failure`] of the step that went wrong.
    pub fn open_on(
        options: &Options,
        folder: &Path,
        adjust: impl FnOnce(&mut Devnet, String) -> Result<String, Failure>,
        tell: &mut dyn FnMut(Stage),
    ) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder.join("logs")).map_err(Failure::io(folder.display().to_string()))?;
        let folder = folder.canonicalize().map_err(Failure::io(folder.display().to_string()))?;
        let trainers = usize::from(options.trainers);
        let wallets = trainers + 2;
        tell(Stage::Begun("starting chain and IPFS"));
        let (devnet, ready) = start_devnet(&folder, wallets, 0, 0)?;
        let find = |name: &str| wallet(&ready, name);

        tell(Stage::Begun("splitting the digits among the trainers"));
        let data = folder.join("data");
        let split = run_json(
            Command::new(binary("fairshare-trainer")?)
                .args(["data", "split", "--dataset", "digits", "--json"])
                .args([
                    format!("--trainers={trainers}"),
                    format!("--alpha={}", options.alpha),
                    format!("--seed={}", options.seed),
                    "--held-out=0.2".into(),
                    format!("--out={}", data.display()),
                ]),
        )?;
        let honest = trainers - options.attackers.count().min(trainers);
        let behaviours = std::iter::repeat_n(HONEST, honest).chain(options.attackers.behaviours());
        let trainers = behaviours
            .enumerate()
            .map(|(i, behaviour)| {
                let shard = &split["shards"][i];
                Ok(Participant {
                    wallet: find(&format!("trainer-{}", i + 1))?,
                    behaviour: behaviour.to_owned(),
                    shard: text(shard, "path")?.into(),
                    samples: shard["samples"].as_u64().unwrap_or_default(),
                })
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        let held_out = match &split["held_out"] {
            Value::String(path) => path.into(),
            other => text(other, "path")?.into(),
        };

        tell(Stage::Begun("deploying contracts and project, the reward in escrow"));
        let specification = folder.join("project.toml");
        let route = Route { rpc: text(&ready, "rpc")?.into(), ipfs: text(&ready, "ipfs")?.into() };
        let mut devnet_for_creation = Devnet { ready: &ready, route };
        let toml = adjust(&mut devnet_for_creation, options.specification())?;
        let route = devnet_for_creation.route;
        std::fs::write(&specification, toml).map_err(Failure::io(specification.display().to_string()))?;
        let (owner, aggregator) = (find("owner")?, find("aggregator")?);
        let password = PathBuf::from(text(&ready, "password_file")?);
        let created = run_json(
            Command::new(binary("fairshare")?)
                .args(["project", "create", "--json", "--rpc", &route.rpc, "--ipfs", &route.ipfs])
                .arg("--spec")
                .arg(&specification)
                .args(["--aggregator", &aggregator.address])
                .arg("--wallet")
                .arg(&owner.keystore)
                .arg("--password-file")
                .arg(&password),
        )?;
        Ok(Self {
            rpc: text(&ready, "rpc")?.into(),
            ipfs: text(&ready, "ipfs")?.into(),
            project: text(&created, "project")?.into(),
            results: Mutex::new(vec![("devnet", ready.clone()), ("project_create", created.clone())]),
            created,
            trainers,
            held_out,
            options: options.clone(),
            password,
            owner,
            aggregator,
            devnet,
            folder,
            wallets,
            route,
            routes: BTreeMap::new(),
        })
    }

    /// Lets a participant reach chain and content at other addresses, such as those of a proxy, from its next process on.
    pub fn route(&mut self, name: &str, rpc: &str, ipfs: &str) {
        self.routes.insert(name.to_owned(), Route { rpc: rpc.into(), ipfs: ipfs.into() });
    }

    /// A command of a binary with the addresses of chain, content and project.
    ///
    /// # Errors
    /// [`Failure::NoBinary`].
    pub fn command(&self, program: &str, arguments: &[&str]) -> Result<Command, Failure> {
        let mut command = Command::new(binary(program)?);
        command.args(arguments).current_dir(&self.folder).env("FAIRSHARE_PROJECT", &self.project);
        self.route.apply(&mut command);
        Ok(command)
    }

    fn signed(&self, program: &str, arguments: &[&str], wallet: &Wallet) -> Result<Command, Failure> {
        let mut command = self.command(program, arguments)?;
        command.arg("--wallet").arg(&wallet.keystore).arg("--password-file").arg(&self.password);
        if let Some(route) = self.routes.get(&wallet.name) {
            route.apply(&mut command);
        }
        Ok(command)
    }

    /// `fairshare ...` signed by the owner.
    ///
    /// # Errors
    /// [`Failure::NoBinary`].
    pub fn as_owner(&self, arguments: &[&str]) -> Result<Command, Failure> {
        self.signed("fairshare", arguments, &self.owner)
    }

    /// `fairshare ...` signed by a trainer.
    ///
    /// # Errors
    /// [`Failure::NoBinary`].
    pub fn as_trainer(&self, index: usize, arguments: &[&str]) -> Result<Command, Failure> {
        self.signed("fairshare", arguments, &self.trainers[index].wallet)
    }

    /// Starts a trainer, which joins.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be started.
    pub fn start_trainer(&self, index: usize) -> Result<Background, Failure> {
        self.start_trainer_as(index, self.trainers[index].name())
    }

    /// Starts a trainer as a process of another name, with a state folder and a log of its own: a second one with the
    /// same wallet.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be started.
    pub fn start_trainer_as(&self, index: usize, name: &str) -> Result<Background, Failure> {
        let participant = &self.trainers[index];
        let is_honest = participant.behaviour == HONEST;
        let program = if is_honest { "fairshare-trainer" } else { "fairshare-hostile-trainer" };
        let mut command = self.signed(program, &["run", "--join", "--json"], &participant.wallet)?;
        if !is_honest {
            command.args(["--behaviour", &participant.behaviour]);
        }
        command
            .arg("--data")
            .arg(&participant.shard)
            .arg("--state")
            .arg(self.folder.join("state").join(name))
            .arg(format!("--seed={}", self.options.seed + index as u64));
        Background::start(name, &mut command, &self.folder.join("logs").join(format!("{name}.log")))
    }

    /// Starts the aggregator.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be started.
    pub fn start_aggregator(&self) -> Result<Background, Failure> {
        self.start_aggregator_program("fairshare-aggregator")
    }

    /// Starts `fairshare-aggregator`, or `fairshare-hostile-aggregator`, which withholds the model files.
    ///
    /// # Errors
    /// [`Failure`] when it cannot be started.
    pub fn start_aggregator_program(&self, program: &str) -> Result<Background, Failure> {
        let mut command = self.signed(program, &["run", "--json"], &self.aggregator)?;
        command.arg("--state").arg(self.folder.join("state/aggregator"));
        Background::start("aggregator", &mut command, &self.folder.join("logs/aggregator.log"))
    }

    /// Ends chain and IPFS as a power cut would, or politely, and starts them again on the same ports and state.
    ///
    /// # Errors
    /// [`Failure`] when they do not come up.
    pub fn restart_devnet(&mut self, while_down: impl FnOnce()) -> Result<(), Failure> {
        self.devnet.stop();
        while_down();
        let port = |address: &str| {
            address.rsplit(':').next().and_then(|p| p.trim_end_matches('/').parse().ok()).unwrap_or(0)
        };
        self.devnet = start_devnet(&self.folder, self.wallets, port(&self.rpc), port(&self.ipfs))?.0;
        Ok(())
    }

    /// Runs all trainers and the aggregator until the project ends, measuring every round's model.
    ///
    /// # Errors
    /// [`Failure`] of the step that went wrong, with the end of the log of whoever failed.
    pub fn run(&self, tell: &mut dyn FnMut(Stage)) -> Result<Outcome, Failure> {
        tell(Stage::Begun("trainers and aggregator join"));
        let mut accuracy = vec![self.accuracy(Some(0))?];
        let mut aggregator = self.start_aggregator()?;
        let mut trainers =
            (0..self.trainers.len()).map(|i| self.start_trainer(i)).collect::<Result<Vec<_>, _>>()?;
        let mut settled = Vec::new();
        for count in 0..usize::from(self.options.rounds) {
            tell(Stage::Begun(&format!("round {}", count + 1)));
            aggregator
                .wait_for("a settled round", SOON * 2, |e| is(e, "round_settled") && !settled.contains(e))?;
            settled = aggregator.events().into_iter().filter(|e| is(e, "round_settled")).collect();
            let round = settled[count]["round"].as_u64().unwrap_or_default();
            accuracy.push(self.accuracy(Some(round))?);
            tell(Stage::Settled { round, accuracy: accuracy[count + 1] });
        }
        for process in std::iter::once(&mut aggregator).chain(&mut trainers) {
            process.wait_end(SOON)?;
        }
        Ok(Outcome { settled, accuracy })
    }

    /// Keystore and password file of the aggregator.
    pub fn aggregator_wallet(&self) -> (&Path, &Path) {
        (&self.aggregator.keystore, &self.password)
    }

    /// The options of the run.
    pub fn options(&self) -> &Options {
        &self.options
    }
}

fn is(event: &Value, kind: &str) -> bool {
    event["event"] == kind
}

/// Seconds since a beginning.
pub(crate) fn seconds_since(start: Instant) -> f64 {
    (start.elapsed().as_secs_f64() * 10.0).round() / 10.0
}
