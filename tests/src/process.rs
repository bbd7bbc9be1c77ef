//! Running Fairshare's binaries: once for a result, or in the background with their events as they come.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Why a process did not do its part.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A binary is not where it should be.
    #[error("{0} is missing; build it with scripts/setup")]
    NoBinary(PathBuf),
    /// A process could not be started, or a file not be opened.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// A command ended with an error.
    #[error("`{command}` ended with {code}: {stderr}")]
    Command {
        /// The command line.
        command: String,
        /// The exit code, or the signal.
        code: String,
        /// What it said.
        stderr: String,
    },
    /// A command's output is not the JSON that was expected.
    #[error("`{command}` printed {output:?}, expected JSON with {expected}")]
    Output {
        /// The command line.
        command: String,
        /// What it printed.
        output: String,
        /// What was looked for.
        expected: String,
    },
    /// Something did not happen in time.
    #[error("waited {seconds} s in vain for {what}{tail}")]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
        /// The last lines of the process's log.
        tail: String,
    },
    /// A process in the background ended before its time.
    #[error("{name} ended before {what}{tail}")]
    Ended {
        /// Which process.
        name: String,
        /// What was waited for.
        what: String,
        /// The last lines of its log.
        tail: String,
    },
}

impl Failure {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Self::Io { what, error }
    }
}

/// The path of one of Fairshare's binaries, beside the running one.
///
/// # Errors
/// [`Failure::NoBinary`] when it was not built.
pub fn binary(name: &str) -> Result<PathBuf, Failure> {
    let running = std::env::current_exe().map_err(Failure::io("find the running program"))?;
    // A test runs in target/release/deps, a binary in target/release.
    let found =
        running.ancestors().skip(1).take(2).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| Failure::NoBinary(running.with_file_name(name)))
}

fn line_of(command: &Command) -> String {
    let program =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    command.get_args().fold(program, |line, argument| line + " " + &argument.to_string_lossy())
}

/// Runs a command to its end, whatever its exit code.
///
/// # Errors
/// [`Failure::Io`] when it cannot be started.
pub fn run_raw(command: &mut Command) -> Result<Output, Failure> {
    command.stdin(Stdio::null()).output().map_err(Failure::io(format!("start `{}`", line_of(command))))
}

/// Runs a command that must succeed and print one JSON object.
///
/// # Errors
/// [`Failure::Command`] with its standard error, [`Failure::Output`] when it printed something else.
pub fn run_json(command: &mut Command) -> Result<Value, Failure> {
    let output = run_raw(command)?;
    let line = line_of(command);
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Failure::Command { command: line, code: output.status.to_string(), stderr });
    }
    serde_json::from_slice(&output.stdout).map_err(|error| Failure::Output {
        command: line,
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        expected: format!("one object ({error})"),
    })
}

/// One JSON-RPC call to a node on this machine.
///
/// # Errors
/// [`Failure::Io`] when it does not answer, [`Failure::Output`] with its error.
pub(crate) fn call_node(rpc: &str, method: &str, parameters: Value) -> Result<Value, Failure> {
    let host = rpc.trim_start_matches("http://").trim_end_matches('/');
    let body =
        serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).to_string();
    let exchange = || {
        let mut stream = TcpStream::connect(host)?;
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer: String = exchange().map_err(Failure::io(format!("ask {rpc}")))?;
    // The object of the body, whether it came whole or in one chunk.
    let object = answer.find('{').and_then(|from| answer.rfind('}').and_then(|to| answer.get(from..=to)));
    let parsed: Option<Value> = object.and_then(|text| serde_json::from_str(text).ok());
    match parsed {
        Some(value) if value.get("error").is_none() => Ok(value["result"].clone()),
        _ => Err(Failure::Output { command: method.into(), output: answer, expected: "a result".into() }),
    }
}

#[derive(Default)]
struct Events {
    seen: Mutex<(Vec<Value>, bool)>,
    changed: Condvar,
}

/// A process that runs in the background. Its events are the JSON lines on its standard output, which also go to a file
/// beside its log (`.jsonl`); its standard error goes to the log file. It ends with the value.
pub struct Background {
    name: String,
    child: Child,
    events: Arc<Events>,
    log: PathBuf,
}

impl Background {
    /// Starts a command; standard error is appended to `log`.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self, Failure> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(Failure::io(log.display().to_string()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(Failure::io(format!("start `{}`", line_of(command))))?;
        let events = Arc::new(Events::default());
        let lines = log.with_extension("jsonl");
        let mut lines = File::options()
            .create(true)
            .append(true)
            .open(&lines)
            .map_err(Failure::io(lines.display().to_string()))?;
        let output = child.stdout.take().expect("standard output is piped");
        std::thread::spawn({
            let events = Arc::clone(&events);
            move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // A full disk shows in the test that reads the file.
                    let _ = writeln!(lines, "{line}");
                    if let Ok(event) = serde_json::from_str(&line) {
                        events.seen.lock().expect("no holder panics").0.push(event);
                        events.changed.notify_all();
                    }
                }
                events.seen.lock().expect("no holder panics").1 = true;
                events.changed.notify_all();
            }
        });
        Ok(Self { name: name.to_owned(), child, events, log: log.to_owned() })
    }

    /// The name that it was started with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All events so far.
    pub fn events(&self) -> Vec<Value> {
        self.events.seen.lock().expect("no holder panics").0.clone()
    }

    /// Waits for the first event that `wanted` accepts, also among those that have come already.
    ///
    /// # Errors
    /// [`Failure::Deadline`] after `limit`, [`Failure::Ended`] when the process ends without it.
    pub fn wait_for(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value, Failure> {
        let end = Instant::now() + limit;
        let mut seen = self.events.seen.lock().expect("no holder panics");
        loop {
            if let Some(event) = seen.0.iter().find(|event| wanted(event)) {
                return Ok(event.clone());
            }
            if seen.1 {
                return Err(Failure::Ended {
                    name: self.name.clone(),
                    what: what.to_owned(),
                    tail: self.tail(),
                });
            }
            let Some(left) = end.checked_duration_since(Instant::now()) else {
                let what = format!("{}: {what}", self.name);
                return Err(Failure::Deadline { what, seconds: limit.as_secs(), tail: self.tail() });
            };
            seen = self.events.changed.wait_timeout(seen, left).expect("no holder panics").0;
        }
    }

    /// Waits for the end of the process and says whether it was a success.
    ///
    /// # Errors
    /// [`Failure::Deadline`] after `limit`.
    pub fn wait_end(&mut self, limit: Duration) -> Result<bool, Failure> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().map_err(Failure::io(self.name.clone()))? {
                return Ok(status.success());
            }
            if Instant::now() > end {
                let what = format!("the end of {}", self.name);
                return Err(Failure::Deadline { what, seconds: limit.as_secs(), tail: self.tail() });
            }
            std::thread::sleep(Duration::from_millis(20)); // polls a condition; `Child` has no wait with a deadline
        }
    }

    /// True while the process runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks the process to end (SIGTERM) and waits; kills it when it does not.
    pub fn stop(&mut self) {
        if self.is_running() {
            // A service has ten seconds for its step.
            if self.terminate(Duration::from_secs(12)).is_err() {
                self.kill();
            }
        }
    }

    /// Asks the process to end (SIGTERM), and says whether it ended with success.
    ///
    /// # Errors
    /// [`Failure::Deadline`] when it does not end within `limit`.
    pub fn terminate(&mut self, limit: Duration) -> Result<bool, Failure> {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        self.wait_end(limit)
    }

    /// Ends the process at once, as a power cut would (SIGKILL).
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The last lines of its log, for a message.
    pub fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(12)..].join("\n  ");
        if last.is_empty() {
            String::new()
        } else {
            format!("; the end of {}:\n  {last}", self.log.display())
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}
