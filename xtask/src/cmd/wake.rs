//! How long this machine takes to wake a core that sleeps. A call after a pause waits for that once or twice, whoever carries it, unless both sides share a core;
//! on a virtual machine, whose core has to be given back to it first, it can be milliseconds at times.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// The sleep before each: the benches' own.
const REST: Duration = Duration::from_millis(20);

/// What it took, the shortest first.
#[derive(Debug)]
pub struct Wakes(Vec<Duration>);

impl Wakes {
    /// Two threads on a core each, the second of which sleeps until the first tells it the time. `None` where threads cannot be held to two cores.
    pub fn measure(rounds: usize) -> Option<Self> {
        let [first, second] = two_cores()?;
        let (tell, told) = mpsc::channel::<Instant>();
        let sleeper = thread::spawn(move || {
            hold(second)?;
            Some(told.iter().map(|at| at.elapsed()).collect::<Vec<_>>())
        });
        // Not on this thread: what it starts later would be held as well.
        let waker = thread::spawn(move || {
            hold(first)?;
            for _ in 0..rounds {
                thread::sleep(REST);
                tell.send(Instant::now()).ok()?;
            }
            Some(())
        });
        waker.join().ok()??;
        let mut wakes = sleeper.join().ok()??;
        wakes.sort_unstable();
        Some(Self(wakes))
    }

    fn percentile(&self, percent: usize) -> Duration {
        self.0[(self.0.len() - 1) * percent / 100]
    }
}

impl std::fmt::Display for Wakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [p50, p99] = [50, 99].map(|percent| self.percentile(percent).as_micros());
        write!(
            f,
            "this machine woke a core that slept in {p50} us (p50), {p99} us (p99 of {}), whoever wakes it",
            self.0.len()
        )
    }
}

#[cfg(target_os = "linux")]
fn two_cores() -> Option<[usize; 2]> {
    let mine = rustix::thread::sched_getaffinity(None).ok()?;
    let mut cores = (0..rustix::thread::CpuSet::MAX_CPU).filter(|&core| mine.is_set(core));
    Some([cores.next()?, cores.next()?])
}

#[cfg(target_os = "linux")]
fn hold(core: usize) -> Option<()> {
    let mut only = rustix::thread::CpuSet::new();
    only.set(core);
    rustix::thread::sched_setaffinity(None, &only).ok()
}

#[cfg(not(target_os = "linux"))]
fn two_cores() -> Option<[usize; 2]> {
    None
}

#[cfg(not(target_os = "linux"))]
fn hold(_core: usize) -> Option<()> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wake_is_measured_and_this_thread_may_go_where_it_might_before() {
        let may_go = || thread::available_parallelism().map(usize::from).ok();
        let before = may_go();
        match Wakes::measure(3) {
            Some(Wakes(wakes)) => {
                assert_eq!(wakes.len(), 3);
                assert!(wakes[0] > Duration::ZERO && wakes.is_sorted());
            }
            None => assert!(two_cores().is_none()),
        }
        assert_eq!(may_go(), before);
    }

    #[test]
    fn a_percentile_is_one_of_what_was_measured() {
        let wakes = Wakes((1..=200).map(Duration::from_micros).collect());
        assert_eq!(wakes.percentile(50), Duration::from_micros(100));
        assert_eq!(wakes.percentile(99), Duration::from_micros(198));
        assert!(
            wakes
                .to_string()
                .contains("100 us (p50), 198 us (p99 of 200)")
        );
    }
}
