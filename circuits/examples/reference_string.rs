//! What making, opening and using a reference string costs: seconds of the clock and of the processor, peak memory.
//!
//!     cargo run --release -p fairshare-circuits --example reference_string -- 21 [FOLDER]

use fairshare_circuits::{default_data_folder, ReferenceString};
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let log2: u32 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(14);
    let folder = arguments.next().map_or_else(default_data_folder, Into::into);
    let d = 1usize << log2;
    let started = Instant::now();
    let string = ReferenceString::open_dev(&folder, d).expect("a folder that can be written");
    report(&format!("2^{log2}: opened or made"), started);
    let update: Vec<i16> = (0..d).map(|i| (i.wrapping_mul(40_503) % 65_535) as i16).collect();
    let started = Instant::now();
    let commitment = string.commit_update(&update).expect("as many points as entries");
    report(&format!("2^{log2}: committed to an update"), started);
    let _ = std::hint::black_box(commitment);
}

/// Time since `started`, processor time and peak memory of the process until now, as Linux has them.
fn report(what: &str, started: Instant) {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let status = read("/proc/self/status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    let stat = read("/proc/self/stat");
    let ticks: u64 = stat.rsplit(") ").next().map_or(0, |rest| {
        rest.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
    });
    let (clock, processor) = (started.elapsed().as_secs_f64(), ticks as f64 / 100.0);
    println!("{what}: {clock:.3} s; process so far: {processor:.2} CPU-s, peak {peak}");
}
