//! A model of who is woken for new calls: `wake.rs`, the very file, on loom's atomics. It runs in every test run, without a special build.
//!
//! Around it the model has what the real host and worker have around it: lanes (a counter each: how many calls are ready) and the doorbell's
//! three states. A worker that falls asleep leaves its thread, and so does one that takes a call, if calls are to be long: it would look
//! for nothing more while others sleep. When all threads have ended, those that were rung run once more, one after the other, until nobody
//! is rung: a call that is left then waits though somebody sleeps. Rings and the doorbell themselves are proved in models of their own,
//! where they live.

mod sync {
    pub(crate) use loom::sync::atomic::{Ordering, fence};
}

#[path = "../src/wake.rs"]
mod wake;

use std::convert::Infallible;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, Ordering};
use loom::thread;
use sync::fence;
use wake::Crew;

const AWAKE: u32 = 0;
const ARMED: u32 = 1;
const RUNG: u32 = 2;

#[derive(Default)]
struct Worker {
    /// Ready calls in its lane.
    lane: AtomicU32,
    searching: AtomicU32,
    bell: AtomicU32,
    watches: AtomicU32,
    /// How many aborts it knows of.
    seen: AtomicU32,
}

struct Pool {
    workers: Vec<Worker>,
    aborts: AtomicU32,
    /// Who takes a call takes no other.
    long: bool,
    /// How many workers the host wakes at most for a batch.
    most: usize,
}

impl Pool {
    /// Host: puts one call into each of these lanes, then wakes who is needed.
    fn submit(&self, lanes: &[usize]) {
        for lane in lanes {
            self.workers[*lane].lane.fetch_add(1, Ordering::Release);
        }
        let near = |worker: usize| lanes.contains(&worker);
        wake::for_new_calls(self, lanes.len(), self.most, near);
    }

    /// Host: makes an abort known.
    fn abort(&self) {
        self.aborts.fetch_add(1, Ordering::Release);
        wake::for_abort(self);
    }

    /// What a worker with a task that waits in its event loop does, until it sleeps.
    fn watch(&self, own: usize) {
        let me = &self.workers[own];
        loop {
            let seen = self.aborts.load(Ordering::Acquire);
            me.seen.store(seen, Ordering::Relaxed);
            me.watches.store(1, Ordering::Relaxed);
            me.bell.store(ARMED, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            if self.aborts.load(Ordering::Acquire) == seen {
                return;
            }
            me.bell.swap(AWAKE, Ordering::Acquire);
        }
    }

    fn any_request(&self) -> bool {
        let ready = |worker: &Worker| worker.lane.load(Ordering::Acquire) > 0;
        self.workers.iter().any(ready)
    }

    /// Claims one call, from its own lane first.
    fn claim(&self, own: usize) -> bool {
        let count = self.workers.len();
        (0..count).any(|turn| {
            let lane = &self.workers[(own + turn) % count].lane;
            let ready = lane.load(Ordering::Acquire);
            // One that is overtaken looks again when it searches next, or before it sleeps.
            ready > 0
                && lane
                    .compare_exchange(ready, ready - 1, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
        })
    }

    /// What a worker does, for one call a claim, until it sleeps or is busy.
    fn work(&self, own: usize) {
        let me = &self.workers[own];
        loop {
            me.searching.store(1, Ordering::Relaxed);
            let found = self.claim(own);
            me.searching.store(0, Ordering::Relaxed);
            if found {
                wake::pass_on(self, own, || Ok::<_, Infallible>(self.any_request())).unwrap();
                if self.long {
                    return;
                }
                continue;
            }
            me.bell.store(ARMED, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            if !self.any_request() {
                return;
            }
            me.bell.swap(AWAKE, Ordering::Acquire);
        }
    }
}

impl Crew for Pool {
    fn count(&self) -> usize {
        self.workers.len()
    }

    fn is_searching(&self, worker: usize) -> bool {
        self.workers[worker].searching.load(Ordering::Relaxed) != 0
    }

    fn is_watching(&self, worker: usize) -> bool {
        self.workers[worker].watches.load(Ordering::Relaxed) != 0
    }

    fn wake(&self, worker: usize) -> bool {
        let bell = &self.workers[worker].bell;
        fence(Ordering::SeqCst);
        bell.load(Ordering::Relaxed) == ARMED
            && bell
                .compare_exchange(ARMED, RUNG, Ordering::Release, Ordering::Relaxed)
                .is_ok()
    }
}

/// Runs all interleavings with at most so many preemptions of a host that submits `batches` and of the first `awake` workers; the others
/// sleep. The host wakes `most` for a batch.
fn explore(
    workers: usize,
    awake: usize,
    most: usize,
    long: bool,
    batches: &'static [&'static [usize]],
    preemptions: usize,
) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let pool = Arc::new(Pool {
            workers: (0..workers).map(|_| Worker::default()).collect(),
            aborts: AtomicU32::new(0),
            long,
            most,
        });
        for own in awake..workers {
            pool.work(own);
        }
        let threads: Vec<_> = (0..awake)
            .map(|own| {
                let pool = pool.clone();
                thread::spawn(move || pool.work(own))
            })
            .collect();
        for batch in batches {
            pool.submit(batch);
        }
        for thread in threads {
            thread.join().unwrap();
        }
        let rung = |own: &usize| pool.workers[*own].bell.load(Ordering::Acquire) == RUNG;
        while let Some(own) = (0..workers).find(rung) {
            pool.workers[own].bell.store(AWAKE, Ordering::Relaxed);
            pool.work(own);
        }
        assert!(!pool.any_request(), "a call waits, and somebody sleeps");
    });
}

#[test]
fn a_call_is_taken_whatever_its_only_worker_does_at_that_moment() {
    explore(1, 1, 1, false, &[&[0], &[0]], 3);
}

#[test]
fn long_calls_that_counted_on_one_searcher_wake_a_sleeper() {
    explore(2, 1, 1, true, &[&[0], &[0]], 3);
}

#[test]
fn a_batch_of_long_calls_occupies_as_many_workers() {
    explore(3, 1, 3, true, &[&[0, 1, 2]], 3);
}

#[test]
fn those_whom_the_host_may_not_wake_are_woken_by_those_it_wakes() {
    explore(3, 0, 1, true, &[&[0, 1, 2]], 3);
    explore(3, 1, 1, true, &[&[0, 1, 2]], 3);
    explore(3, 1, 1, true, &[&[0, 1], &[2]], 2);
}

#[test]
fn an_abort_reaches_a_worker_that_falls_asleep_at_that_moment() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let pool = Arc::new(Pool {
            workers: vec![Worker::default()],
            aborts: AtomicU32::new(0),
            long: false,
            most: 1,
        });
        let worker = {
            let pool = pool.clone();
            thread::spawn(move || pool.watch(0))
        };
        pool.abort();
        pool.abort();
        worker.join().unwrap();
        let me = &pool.workers[0];
        while me.bell.load(Ordering::Acquire) == RUNG {
            me.bell.store(AWAKE, Ordering::Relaxed);
            pool.watch(0);
        }
        let seen = me.seen.load(Ordering::Relaxed);
        assert_eq!(seen, 2, "a task waits, and was aborted");
    });
}

#[test]
fn of_two_searchers_each_takes_a_long_call() {
    explore(2, 2, 2, true, &[&[0, 1]], 2);
}
