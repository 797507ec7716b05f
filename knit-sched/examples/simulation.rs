//! How long calls wait with each balancer, with and without stealing, against one ideal central queue: tables in Markdown, in mean run times.
//!
//!     cargo run --release -p knit-sched --example simulation [calls] [seed]
//!
//! See `tests/simulation/mod.rs` for what is simulated and what is not.

#[path = "../tests/simulation/mod.rs"]
mod simulation;

use knit_sched::Strategy;
use simulation::{MEAN, Waits, Workload, calls, central_queue, pool};

const LOAD: f64 = 0.7;
const WORKERS: [usize; 6] = [2, 4, 8, 16, 64, 256];

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| {
        argument
            .parse::<u64>()
            .unwrap_or_else(|_| panic!("{argument} is no number: simulation [calls] [seed]"))
    });
    let count = arguments.next().unwrap_or(400_000) as usize;
    let seed = arguments.next().unwrap_or(1);
    println!(
        "Waiting time, mean / 99th percentile, in mean run times; {count} calls, {LOAD} load, seed {seed}."
    );
    for workload in Workload::ALL {
        println!("\n| {}, workers | {} |", workload.name(), join(WORKERS));
        println!("|---|{}", "---|".repeat(WORKERS.len()));
        let made = WORKERS.map(|workers| (workers, calls(workload, workers, LOAD, count, seed)));
        let row = |name: &str, waits: &dyn Fn(&[simulation::Call], usize) -> Waits| {
            let cells = made
                .iter()
                .map(|(workers, calls)| cell(waits(calls, *workers)));
            println!("| {name} | {} |", join(cells));
        };
        row("central queue", &|calls, workers| {
            central_queue(calls, workers)
        });
        for steal in [true, false] {
            for strategy in Strategy::ALL {
                let stealing = if steal { " + stealing" } else { "" };
                row(
                    &format!("{}{stealing}", strategy.name()),
                    &|calls, workers| pool(calls, workers, strategy, steal, seed),
                );
            }
        }
    }
}

fn cell(waits: Waits) -> String {
    format!("{:.2} / {:.2}", waits.mean / MEAN, waits.p99 / MEAN)
}

fn join(items: impl IntoIterator<Item = impl ToString>) -> String {
    let texts: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    texts.join(" | ")
}
