//! `docs/performance.md` and its machine-readable twin, from the lines of one run.

use crate::baseline_direct;
use crate::clock::Measured;
use crate::lines::{Line, Multiplication, Work};
use serde_json::{json, Value};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

pub(crate) struct Report {
    lines: Vec<(Line, Measured)>,
    took: Duration,
}

/// The machine and the build, in names and words.
fn circumstances() -> Vec<(&'static str, String)> {
    // What the script knows and this process does not.
    let given = |name: &str| std::env::var(name).unwrap_or_else(|_| "not given".to_owned());
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"));
    let gib = kib.and_then(|kib| kib.parse::<f64>().ok()).map(|kib| kib / 1024.0 / 1024.0);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    vec![
        ("processor", model.map_or("unknown", |(_, model)| model).to_owned()),
        ("cores", cores.to_string()),
        ("memory", gib.map_or_else(|| "unknown".to_owned(), |gib| format!("{gib:.0} GiB"))),
        ("load average at the end", load.split(' ').take(3).collect::<Vec<_>>().join(", ")),
        ("date", given("FAIRSHARE_BENCH_DATE")),
        ("commit", given("FAIRSHARE_BENCH_COMMIT")),
        ("compiler", given("FAIRSHARE_BENCH_COMPILER")),
        ("command", given("FAIRSHARE_BENCH_COMMAND")),
    ]
}

impl Report {
    pub(crate) fn new(lines: Vec<(Line, Measured)>, took: Duration) -> Self {
        Self { lines, took }
    }

    /// Writes `performance.md` and `performance.json` into `folder`.
    pub(crate) fn write(&self, folder: &Path) -> std::io::Result<()> {
        let json = serde_json::to_string_pretty(&self.json())?;
        std::fs::write(folder.join("performance.json"), json + "\n")?;
        std::fs::write(folder.join("performance.md"), self.markdown())
    }

    /// Median CPU seconds of the line that does `work`.
    fn cpu(&self, work: Work) -> Option<f64> {
        self.lines.iter().find(|(line, _)| line.work == work).map(|(_, measured)| measured.cpu_s.median)
    }

    /// Cost of one more trainer as a part of the whole at ten, between ten and a hundred.
    fn one_more(&self, work: impl Fn(usize) -> Work) -> Option<f64> {
        let (ten, hundred) = (self.cpu(work(10))?, self.cpu(work(100))?);
        Some((hundred - ten) / 90.0 / ten)
    }

    fn json(&self) -> Value {
        let lines: Vec<Value> = self.lines.iter().map(|(line, measured)| {
            json!({ "id": line.id, "what": line.what, "at": line.at, "reach_cpu_s": line.reach, "measured": measured })
        }).collect();
        let of: serde_json::Map<String, Value> =
            circumstances().into_iter().map(|(name, value)| (name.replace(' ', "_"), value.into())).collect();
        json!({ "machine": of, "took_s": self.took.as_secs(), "lines": lines })
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from("# Performance\n\nMade by `scripts/bench`, everything in one run; do not edit. The same figures stand in `performance.json`.\n\n");
        for (name, value) in circumstances() {
            let _ = writeln!(text, "- {name}: {value}");
        }
        let _ = writeln!(text, "- the run took {} s", self.took.as_secs());
        text.push_str(
            "\nCPU seconds are processor time of all threads together (median, and from the fastest to the slowest run). Peak is the most memory that\n\
             the line's process held, with keys, reference string and updates. Lines below about two seconds are sampled by criterion with\n\
             processor time as its measure; longer ones are run as often as the last column says.\n\n",
        );
        text.push_str("| what | at | CPU-s | from - to | reach | wall s | peak MB | how |\n");
        text.push_str("| --- | --- | ---: | --- | --- | ---: | ---: | --- |\n");
        for (line, Measured { method, cpu_s, wall_s, peak_mb }) in &self.lines {
            let reach = match line.reach {
                Some(reach) if cpu_s.median < reach => format!("under {reach}: yes"),
                Some(reach) => format!("under {reach}: **no**"),
                None => String::new(),
            };
            let peak = peak_mb.map_or_else(String::new, |mb| format!("{mb:.0}"));
            let _ = writeln!(
                text,
                "| {} | {} | {:.3} | {:.3} - {:.3} | {reach} | {:.3} | {peak} | {method} |",
                line.what, line.at, cpu_s.median, cpu_s.min, cpu_s.max, wall_s.median
            );
        }
        self.compare(&mut text);
        text
    }

    /// What follows from two lines and more.
    fn compare(&self, text: &mut String) {
        let mut found = String::new();
        let large = 1 << 20;
        let round = |trainers| Work::Round { trainers, dimension: large };
        let argument = |trainers| Work::Argument { trainers, dimension: large };
        for (name, share) in [
            ("whole round proof", self.one_more(round)),
            ("Gram matrix and argument", self.one_more(argument)),
        ] {
            if let Some(share) = share {
                let _ = writeln!(
                    found,
                    "- One more trainer, from n = 10 to 100 at d = 2^20, {name}: {:.2} % more (reach: under 5 %).",
                    100.0 * share
                );
            }
        }
        for log2 in [14, 16, 18, 20] {
            let of = |which| self.cpu(Work::Multiply { log2, which });
            let ratio = |own, theirs| Some(of(theirs)? / of(own)?);
            if let (Some(full), Some(small)) = (
                ratio(Multiplication::FullOwn, Multiplication::FullArkworks),
                ratio(Multiplication::SmallOwn, Multiplication::SmallArkworks),
            ) {
                let _ = writeln!(found, "- Multiplication of 2^{log2} points: {full:.2} times faster than arkworks on full scalars (reach: 1.3), {small:.2} times on 16-bit integers.");
            }
        }
        if let Some(direct) = self.cpu(Work::Direct { trainers: 10, dimension: 1000 }) {
            let small = baseline_direct::constraints(10, 1000);
            let _ = writeln!(found, "- Baseline, measured: {direct:.1} CPU-s for {small} constraints at n = 10, d = 1000 (hash, range and products, without any rule behind them).");
            for dimension in [21_840, large] {
                let count = baseline_direct::constraints(10, dimension);
                let would = direct * count as f64 / small as f64;
                if let Some(round) = self.cpu(Work::Round { trainers: 10, dimension }) {
                    let _ = writeln!(found, "- Baseline, EXTRAPOLATED in proportion to its {count} constraints, n = 10, d = {dimension}: {would:.0} CPU-s, {:.0} times the round proof above. Nobody ran this.", would / round);
                }
            }
        }
        if !found.is_empty() {
            let _ = write!(text, "\n## What follows\n\n{found}");
        }
    }
}
