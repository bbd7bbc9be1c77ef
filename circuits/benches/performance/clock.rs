//! What is measured: the processor time of this process, the wall time beside it, and the most memory it has held.

use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Bencher, Criterion};
use rustix::time::{clock_gettime, ClockId};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Processor time of all threads together: neither what runs beside it nor the number of cores is in it.
pub(crate) fn cpu_now() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

/// The most memory that this process has held, in MB (10^6 bytes); `None` where the system does not say.
pub(crate) fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

/// Processor time as criterion's measure.
pub(crate) struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        cpu_now()
    }

    fn end(&self, start: Duration) -> Duration {
        cpu_now() - start
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter() // both are nanoseconds
    }
}

/// Seconds of the fastest, the middle and the slowest run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Spread {
    fn of(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        let at = |place: usize| seconds.get(place).copied().unwrap_or(f64::NAN);
        Self { min: at(0), median: at(seconds.len() / 2), max: at(seconds.len().saturating_sub(1)) }
    }
}

/// How often a line is run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Method {
    /// Ten samples and a warm-up by criterion.
    Criterion,
    /// So many runs, none before them: for what takes seconds.
    Runs(usize),
}

/// What came out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) method: String,
    pub(crate) cpu_s: Spread,
    pub(crate) wall_s: Spread,
    /// Of the whole process, with the keys, the reference string and the updates that it holds.
    pub(crate) peak_mb: Option<f64>,
}

/// Runs `work` and takes the times. `peak_mb` counts from the start of the process: a line has a process of its own.
pub(crate) fn measure<T>(id: &str, method: Method, mut work: impl FnMut() -> T) -> Measured {
    let samples = RefCell::new(Vec::<(f64, f64)>::new());
    let mut once = || {
        let (cpu, wall) = (cpu_now(), Instant::now());
        black_box(work());
        let taken = (cpu_now() - cpu, wall.elapsed());
        samples.borrow_mut().push((taken.0.as_secs_f64(), taken.1.as_secs_f64()));
        taken.0
    };
    let name = match method {
        Method::Runs(1) => {
            once();
            "single run".to_owned()
        }
        Method::Runs(runs) => {
            (0..runs).for_each(|_| {
                once();
            });
            format!("{runs} runs")
        }
        Method::Criterion => {
            let mut criterion = Criterion::default()
                .with_measurement(CpuTime)
                .without_plots()
                .sample_size(10)
                .warm_up_time(Duration::from_millis(300))
                .measurement_time(Duration::from_secs(1));
            criterion.bench_function(id, |bencher: &mut Bencher<'_, CpuTime>| {
                bencher.iter_custom(|iterations| (0..iterations).map(|_| once()).sum());
            });
            let runs = samples.borrow().len();
            format!("criterion, {runs} runs with its warm-up")
        }
    };
    let (cpu, wall) = samples.into_inner().into_iter().unzip();
    Measured { method: name, cpu_s: Spread::of(cpu), wall_s: Spread::of(wall), peak_mb: peak_mb() }
}
