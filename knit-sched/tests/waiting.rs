//! How long calls wait if nothing is chosen: as long as with one ideal queue for all, or nearly.

mod simulation;

use knit_sched::{HostOptions, Strategy};
use simulation::{MEAN, Workload, calls, central_queue, pool};

#[test]
fn by_default_calls_wait_within_a_tenth_of_one_ideal_queue_at_70_percent_load() {
    let defaults = HostOptions::default();
    assert!(defaults.steal);
    for workload in Workload::ALL {
        for workers in [2, 3, 8, 24, 64, 256] {
            let calls = calls(workload, workers, 0.7, 60_000, 11);
            let ideal = central_queue(&calls, workers);
            let waits = pool(&calls, workers, defaults.balancer, defaults.steal, 11);
            // With many workers nearly no call waits: then a hundredth of a mean run time is as good as nothing.
            let nothing = MEAN / 100.0;
            let holds = |waits: f64, ideal: f64| waits <= ideal * 1.1 + nothing;
            assert!(
                holds(waits.mean, ideal.mean) && holds(waits.p99, ideal.p99),
                "{workload:?}, {workers} workers: {waits:?} against {ideal:?}"
            );
        }
    }
}

/// The bound above would show a worse choice.
#[test]
fn without_stealing_calls_wait_longer_than_that() {
    for workload in Workload::ALL {
        let calls = calls(workload, 8, 0.7, 60_000, 11);
        let ideal = central_queue(&calls, 8);
        let waits = pool(&calls, 8, Strategy::RandomLane, false, 11);
        assert!(waits.mean > ideal.mean * 1.1, "{workload:?}");
        assert!(waits.p99 > ideal.p99 * 1.1, "{workload:?}");
    }
}
