//! `docs/performance.md` and its machine-readable twin, from the lines of one run.

use crate::baseline_direct;
use crate::clock::Measured;
use crate::lines::{Line, Multiplication, Work, BASELINE, LARGE, MULTIPLICATIONS};
use serde_json::{json, Value};
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

pub(crate) struct Report {
    lines: Vec<(Line, Measured)>,
    took: Duration,
}

/// What a figure should be.
#[derive(Clone, Copy)]
enum Goal {
    Below(f64),
    AtLeast(f64),
}

impl Goal {
    fn met(self, value: f64) -> bool {
        match self {
            Self::Below(most) => value < most,
            Self::AtLeast(least) => value >= least,
        }
    }

    fn verdict(self, value: f64) -> String {
        let met = if self.met(value) { "yes" } else { "**no**" };
        match self {
            Self::Below(most) => format!("under {most}: {met}"),
            Self::AtLeast(least) => format!("at least {least}: {met}"),
        }
    }
}

/// What follows from the lines.
struct Figure {
    what: String,
    at: String,
    value: f64,
    unit: &'static str,
    goal: Option<Goal>,
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
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|(line, measured)| {
                let goal = line.goal_cpu_s.map(Goal::Below);
                json!({
                    "id": line.id, "what": line.what, "at": line.at, "measured": measured,
                    "goal_cpu_s": line.goal_cpu_s, "met": goal.map(|goal| goal.met(measured.cpu_s.median)),
                })
            })
            .collect();
        let follows: Vec<Value> = self
            .follows()
            .iter()
            .map(|Figure { what, at, value, unit, goal }| {
                let (below, least) = match goal {
                    Some(Goal::Below(most)) => (Some(most), None),
                    Some(Goal::AtLeast(least)) => (None, Some(least)),
                    None => (None, None),
                };
                let met = goal.map(|goal| goal.met(*value));
                json!({
                    "what": what, "at": at, "value": value, "unit": unit,
                    "goal_below": below, "goal_at_least": least, "met": met,
                })
            })
            .collect();
        let of: serde_json::Map<String, Value> =
            circumstances().into_iter().map(|(name, value)| (name.replace(' ', "_"), value.into())).collect();
        json!({ "machine": of, "took_s": self.took.as_secs(), "lines": lines, "follows": follows })
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from(
            "# Performance\n\n\
             Generated by `scripts/bench` in one run; do not edit. `performance.json` holds the same figures.\n\n",
        );
        for (name, value) in circumstances() {
            let _ = writeln!(text, "- {name}: {value}");
        }
        let _ = writeln!(text, "- the run took {} s", self.took.as_secs());
        text.push_str(
            "\nCPU seconds are processor time of all threads together: median, and fastest to slowest run.\n\
             Peak is the most memory that the line's process held, with keys, reference string and updates. Lines\n\
             below about two seconds are sampled by criterion with processor time as its measure; longer ones are run\n\
             as often as the last column says. An assessment circuit is measured as a round of 256 parameters with\n\
             every slot taken, which consists almost only of it.\n\n",
        );
        text.push_str("| what | at | CPU-s | from - to | goal | wall s | peak MB | how |\n");
        text.push_str("| --- | --- | ---: | --- | --- | ---: | ---: | --- |\n");
        for (line, Measured { method, cpu_s, wall_s, peak_mb }) in &self.lines {
            let goal =
                line.goal_cpu_s.map_or_else(String::new, |most| Goal::Below(most).verdict(cpu_s.median));
            let peak = peak_mb.map_or_else(String::new, |mb| format!("{mb:.0}"));
            let _ = writeln!(
                text,
                "| {} | {} | {:.3} | {:.3} - {:.3} | {goal} | {:.3} | {peak} | {method} |",
                line.what, line.at, cpu_s.median, cpu_s.min, cpu_s.max, wall_s.median
            );
        }
        let follows = self.follows();
        if !follows.is_empty() {
            text.push_str("\n## What follows\n\n| what | at | value | unit | goal |\n");
            text.push_str("| --- | --- | ---: | --- | --- |\n");
            for Figure { what, at, value, unit, goal } in follows {
                let goal = goal.map_or_else(String::new, |goal| goal.verdict(value));
                let digits = if value < 100.0 { 2 } else { 0 };
                let _ = writeln!(text, "| {what} | {at} | {value:.digits$} | {unit} | {goal} |");
            }
        }
        text
    }

    /// What follows from one line's memory, or from two lines and more.
    fn follows(&self) -> Vec<Figure> {
        let mut figures = vec![];
        let mut add = |what: String, at: String, value: Option<f64>, unit, goal| {
            figures.extend(value.map(|value| Figure { what, at, value, unit, goal }));
        };
        for (line, measured) in &self.lines {
            if let Some(most) = line.goal_peak_mb {
                let what = format!("most memory, {}", line.what);
                add(what, line.at.clone(), measured.peak_mb, "MB", Some(Goal::Below(most)));
            }
        }
        let large = |trainers| Work::Round { trainers, dimension: LARGE };
        let argument = |trainers| Work::Argument { trainers, dimension: LARGE };
        for (name, share) in [
            ("whole round proof", self.one_more(large)),
            ("Gram matrix and argument", self.one_more(argument)),
        ] {
            let (what, at) = (format!("one more trainer, {name}"), format!("n = 10 to 100, d = {LARGE}"));
            add(what, at, share.map(|share| 100.0 * share), "% more", Some(Goal::Below(5.0)));
        }
        for log2 in MULTIPLICATIONS {
            let of = |which| self.cpu(Work::Multiply { log2, which });
            let ratio = |own, theirs| Some(of(theirs)? / of(own)?);
            for (scalars, ratio, goal) in [
                (
                    "full scalars",
                    ratio(Multiplication::FullOwn, Multiplication::FullArkworks),
                    Some(Goal::AtLeast(1.3)),
                ),
                ("16-bit integers", ratio(Multiplication::SmallOwn, Multiplication::SmallArkworks), None),
            ] {
                let what = format!("multiplication beside that of arkworks, {scalars}");
                add(what, format!("2^{log2} points"), ratio, "times faster", goal);
            }
        }
        let (trainers, dimension) = BASELINE;
        let measured = self.cpu(Work::Direct { trainers, dimension });
        let small = baseline_direct::constraints(trainers, dimension);
        for other in [dimension, 21_840, LARGE] {
            let constraints = baseline_direct::constraints(trainers, other);
            let at = || format!("n = {trainers}, d = {other}, {constraints} constraints");
            let how = if other == dimension {
                "measured"
            } else {
                "EXTRAPOLATED in proportion to its constraints, nobody ran this"
            };
            let direct = measured.map(|seconds| seconds * constraints as f64 / small as f64);
            let round = self.cpu(Work::Round { trainers, dimension: other });
            add(format!("baseline, {how}"), at(), direct, "CPU-s", None);
            let times = direct.zip(round).map(|(direct, round)| direct / round);
            add(
                format!("round proof beside the baseline, which is {how}"),
                at(),
                times,
                "times faster",
                None,
            );
        }
        figures
    }
}
