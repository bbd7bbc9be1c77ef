//! Every figure of docs/performance.md: `scripts/bench`, or `cargo bench --workspace --bench performance -- PART`
//! for the lines whose id holds PART.
//!
//! Each line runs in a process of its own, so that the most memory it held is its own. Lines below about two seconds
//! are sampled by criterion, with processor time as its measure; longer ones are run once to three times.

mod baseline_direct;
mod clock;
mod lines;
mod report;

use clock::Measured;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

struct Options {
    /// Runs this line here and writes what came out to a file.
    line: Option<(String, PathBuf)>,
    /// Makes the files that the lines read.
    prepare: bool,
    quick: bool,
    /// Where `performance.md` and `performance.json` go.
    out: Option<PathBuf>,
    part: String,
}

fn options() -> Result<Options, String> {
    let mut options = Options { line: None, prepare: false, quick: false, out: None, part: String::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} wants a value"));
        match argument.as_str() {
            "--bench" => {} // from cargo
            "--prepare" => options.prepare = true,
            "--quick" => options.quick = true,
            "--out" => options.out = Some(value()?.into()),
            "--line" => options.line = Some((value()?, value()?.into())),
            unknown if unknown.starts_with('-') => return Err(format!("unknown option {unknown}")),
            part => part.clone_into(&mut options.part),
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    match options().and_then(|options| start(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("performance: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn start(options: &Options) -> Result<(), String> {
    let mut lines = lines::all();
    if let Some((id, file)) = &options.line {
        let line = lines.iter().find(|line| line.id == *id).ok_or(format!("no line {id}"))?;
        let text = serde_json::to_string(&lines::run(line)).map_err(|error| error.to_string())?;
        return std::fs::write(file, text).map_err(|error| error.to_string());
    }
    lines.retain(|line| line.id.contains(&options.part) && (!options.quick || line.quick));
    if options.prepare {
        lines::prepare(&lines);
        return Ok(());
    }
    let begun = Instant::now();
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    eprintln!("[0/{}] keys and reference strings (made once)", lines.len());
    let mut prepare = Command::new(&own);
    prepare.arg("--prepare").arg(&options.part).args(options.quick.then_some("--quick"));
    succeed(&mut prepare)?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let file = folder.path().join("line.json");
    let mut measured = vec![];
    for (index, line) in lines.iter().enumerate() {
        let at = begun.elapsed().as_secs();
        eprintln!("[{}/{}] after {at} s: {}, {}", index + 1, lines.len(), line.what, line.at);
        succeed(Command::new(&own).arg("--line").arg(&line.id).arg(&file))?;
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
        let one: Measured = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let peak = one.peak_mb.map_or_else(String::new, |mb| format!(", peak {mb:.0} MB"));
        eprintln!("      {:.3} CPU-s, {:.3} s{peak}", one.cpu_s.median, one.wall_s.median);
        measured.push((line.clone(), one));
    }
    let report = report::Report::new(measured, begun.elapsed());
    match &options.out {
        Some(folder) => report.write(folder).map_err(|error| error.to_string()),
        None => {
            println!("{}", report.markdown());
            Ok(())
        }
    }
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let status = command.status().map_err(|error| error.to_string())?;
    status.success().then_some(()).ok_or(format!("{command:?} failed: {status}"))
}
