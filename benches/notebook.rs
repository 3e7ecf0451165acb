//! The kernel as a front end feels it, against ipykernel and xeus-python over the same sockets.

use std::process::ExitCode;
use std::time::Duration;

use ag_benches::client::{Kernel, Spec, ours, peer};
use ag_benches::machine::resident_mb;
use ag_benches::row::{Measured, PeerMeasured, median, quantile};
use ag_benches::runner::{Bench, run};

/// Processes a sample each; the comparison of runs wants 10.
const PROCESSES: usize = 10;
/// The smallest of so many repetitions is a process's sample.
const REPETITIONS: usize = 20;
/// Executes whose median is one repetition.
const BATCH: usize = 25;

fn main() -> ExitCode {
    run(
        "notebook",
        &[
            Bench { name: "empty_execute_p50", measure: empty_execute },
            Bench { name: "start_to_kernel_info", measure: start },
            Bench { name: "idle_rss", measure: idle_rss },
            Bench { name: "interrupt_busy_loop", measure: interrupt },
        ],
    )
}

fn empty_execute() -> Result<Measured, String> {
    against("median of the smallest of 20 medians", &["ipykernel", "xeus-python"], |spec| {
        let mut kernel = Kernel::start(spec)?;
        for _ in 0..BATCH {
            kernel.execute("")?;
        }
        let mut best = f64::INFINITY;
        for _ in 0..REPETITIONS {
            let batch: Result<Vec<f64>, String> = (0..BATCH)
                .map(|_| kernel.execute("").map(|spent| spent.as_secs_f64() * 1e6))
                .collect();
            best = best.min(median(&batch?).unwrap_or(f64::INFINITY));
        }
        Ok((best, kernel.version.clone()))
    })
}

fn start() -> Result<Measured, String> {
    against("median", &["ipykernel"], |spec| {
        let kernel = Kernel::start(spec)?;
        Ok((kernel.start.as_secs_f64() * 1e3, kernel.version.clone()))
    })
}

fn idle_rss() -> Result<Measured, String> {
    against("median", &["ipykernel"], |spec| {
        let mut kernel = Kernel::start(spec)?;
        kernel.execute("1")?;
        std::thread::sleep(Duration::from_millis(500));
        Ok((resident_mb(kernel.pid()).ok_or("the process is gone")?, kernel.version.clone()))
    })
}

/// Each process's sample is its p95, the figure a person notices.
fn interrupt() -> Result<Measured, String> {
    against("median of p95", &[], |spec| {
        let mut kernel = Kernel::start(spec)?;
        let spent: Result<Vec<f64>, String> = (0..REPETITIONS)
            .map(|_| Ok(kernel.interrupt(spec.endless)?.as_secs_f64() * 1e3))
            .collect();
        Ok((quantile(&spent?, 0.95).ok_or("no sample")?, kernel.version.clone()))
    })
}

/// Samples of ours and of the peers that are installed, in turns, so that a change of load meets all of them.
fn against(
    metric: &'static str,
    peers: &[&str],
    sample: impl Fn(&Spec) -> Result<(f64, String), String>,
) -> Result<Measured, String> {
    let ours = ours()?;
    let specs: Vec<(&str, Spec)> =
        peers.iter().filter_map(|name| Some((*name, peer(kernel_of(name))?))).collect();
    let mut measured = Measured { metric, samples: Vec::new(), peers: Vec::new() };
    for _ in 0..PROCESSES {
        measured.samples.push(sample(&ours)?.0);
        for (name, spec) in &specs {
            // A peer that fails has no value, and its row says so; it does not cost us ours.
            let Ok((value, version)) = sample(spec) else { continue };
            match measured.peers.iter_mut().find(|peer| peer.name == *name) {
                Some(peer) => peer.samples.push(value),
                None => {
                    let name = (*name).to_owned();
                    measured.peers.push(PeerMeasured { name, version, samples: vec![value] });
                }
            }
        }
    }
    Ok(measured)
}

/// The kernelspec's name of a peer.
fn kernel_of(peer: &str) -> &str {
    match peer {
        "ipykernel" => "python3",
        "xeus-python" => "xpython",
        other => other,
    }
}
