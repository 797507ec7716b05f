//! Where calls go: host and workers of one pool in one thread, so that every choice is known.

use std::time::Duration;

use knit_sched::frames::{append, call_of, result_of};
use knit_sched::{Config, Host, HostOptions, Strategy, Turn, Worker};

struct Pool {
    host: Host,
    workers: Vec<Worker>,
    next: u32,
}

impl Pool {
    fn new(workers: usize, balancer: Strategy, steal: bool, alone: bool) -> Self {
        let mut host = Host::create(HostOptions {
            config: Config {
                workers,
                ..Config::default()
            },
            balancer,
            steal,
            alone,
            spin: Duration::ZERO,
            wakes: 1,
        })
        .unwrap();
        let attach = |index| {
            let epoch = host.begin(index).unwrap();
            Worker::attach(host.shared().clone(), index, epoch, steal).unwrap()
        };
        let workers = (0..workers).map(attach).collect();
        Self {
            host,
            workers,
            next: 0,
        }
    }

    fn submit(&mut self, calls: u32) {
        let mut buffer = Vec::new();
        for call in self.next..self.next + calls {
            append(&mut buffer, &call_of(0, call, &[]), &[]);
        }
        self.next += calls;
        self.host.submit(&buffer).unwrap();
    }

    /// What a worker claims, after it has answered the former.
    fn turn(&mut self, worker: usize) -> usize {
        let worker = &mut self.workers[worker];
        let mut replies = Vec::new();
        for claim in worker.claims() {
            append(&mut replies, &result_of(&claim.header, &[]), &[]);
        }
        assert_ne!(worker.turn(&replies, Duration::ZERO).unwrap(), Turn::Stop);
        worker.claims().len()
    }

    fn queued(&mut self) -> Vec<u64> {
        let stats = self.host.stats().unwrap();
        stats.workers.iter().map(|worker| worker.queued).collect()
    }
}

#[test]
fn round_robin_goes_round_whatever_the_workers_do() {
    let mut pool = Pool::new(3, Strategy::RoundRobin, false, false);
    pool.submit(1);
    pool.turn(0);
    pool.submit(5);
    assert_eq!(pool.queued(), [1, 2, 2]);
}

#[test]
fn first_idle_leaves_the_last_workers_asleep() {
    let mut pool = Pool::new(3, Strategy::FirstIdle, false, false);
    for _ in 0..5 {
        pool.submit(1);
        assert_eq!(pool.turn(0), 1);
        assert_eq!(pool.turn(0), 0);
    }
    pool.submit(1);
    pool.turn(0);
    pool.submit(2);
    assert_eq!(pool.queued(), [0, 1, 1], "the first one is busy");
}

#[test]
fn the_least_loaded_lane_is_chosen_for_each_call_of_a_batch() {
    let mut pool = Pool::new(3, Strategy::LeastLoaded, false, false);
    pool.submit(3);
    for worker in 0..3 {
        assert_eq!(pool.turn(worker), 1);
    }
    pool.turn(1);
    // The others run one each.
    pool.submit(4);
    let queued = pool.queued();
    assert_eq!(queued.iter().sum::<u64>(), 4);
    assert_eq!(queued[1], 2, "{queued:?}");
}

#[test]
fn no_balancer_gives_a_call_to_a_place_without_a_worker() {
    for balancer in Strategy::ALL {
        let mut pool = Pool::new(3, balancer, false, false);
        pool.host.retire(1).unwrap();
        pool.submit(30);
        let queued = pool.queued();
        assert_eq!(queued[1], 0, "{balancer:?}");
        assert_eq!(queued[0] + queued[2], 30, "{balancer:?}");
    }
}

#[test]
fn workers_that_claim_alone_have_no_second_call_in_hand() {
    let mut pool = Pool::new(1, Strategy::RoundRobin, true, true);
    pool.submit(2000);
    let mut calls = 0;
    loop {
        match pool.turn(0) {
            0 => break,
            claimed => assert_eq!(claimed, 1),
        }
        let running = pool.host.running(0).unwrap().unwrap();
        assert_eq!(running.call, calls);
        calls += 1;
    }
    assert_eq!(calls, 2000);
}
