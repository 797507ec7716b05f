//! What a pool tells about itself: host and worker in one thread, so that every figure is known.

use std::thread::sleep;
use std::time::Duration;

use knit_sched::frames::{answer_of, append, call_of, kind, result_of};
use knit_sched::{Host, HostOptions, PoolStats, Turn, Worker};

const MS: Duration = Duration::from_millis(1);

struct Pool {
    host: Host,
    workers: Vec<Worker>,
}

impl Pool {
    fn new(workers: usize) -> Self {
        let mut options = HostOptions {
            spin: Duration::ZERO,
            ..HostOptions::default()
        };
        options.config.workers = workers;
        let mut host = Host::create(options).unwrap();
        let workers = (0..workers).map(|index| attach(&mut host, index)).collect();
        Self { host, workers }
    }

    fn submit(&mut self, calls: impl IntoIterator<Item = u32>, bytes: usize) {
        let mut buffer = Vec::new();
        let payload = vec![0; bytes];
        for call in calls {
            append(&mut buffer, &call_of(0, call, &payload), &payload);
        }
        self.host.submit(&buffer).unwrap();
    }

    fn turn(&mut self, worker: usize, replies: &[u8]) -> Turn {
        self.workers[worker].turn(replies, Duration::ZERO).unwrap()
    }

    fn stats(&mut self) -> PoolStats {
        self.host.stats().unwrap()
    }
}

fn attach(host: &mut Host, index: usize) -> Worker {
    let epoch = host.begin(index).unwrap();
    Worker::attach(host.shared().clone(), index, epoch, true).unwrap()
}

/// The answers to what a worker has claimed.
fn answers(worker: &Worker, bytes: usize) -> Vec<u8> {
    let payload = vec![0; bytes];
    let mut buffer = Vec::new();
    for claim in worker.claims() {
        append(&mut buffer, &result_of(&claim.header, &payload), &payload);
    }
    buffer
}

#[test]
fn a_new_pool_has_nothing_to_tell() {
    assert_eq!(
        Pool::new(2).stats(),
        PoolStats {
            workers: vec![Default::default(); 2],
            ..Default::default()
        }
    );
}

#[test]
fn what_a_worker_says_about_itself_is_no_call() {
    let mut pool = Pool::new(1);
    pool.submit(0..1, 8);
    pool.turn(0, &[]);
    let none = call_of(0, 0, &[]);
    let mut note = Vec::new();
    append(&mut note, &answer_of(&none, kind::NOTE, 0, &[]), &[]);
    pool.workers[0].publish(&note).unwrap();
    let stats = pool.stats().pool;
    assert_eq!((stats.running, stats.completed, stats.failed), (1, 0, 0));
}

#[test]
fn every_call_is_counted_where_it_is() {
    let mut pool = Pool::new(2);
    pool.submit(0..4, 100);
    let stats = pool.stats();
    assert_eq!((stats.pool.submitted, stats.pool.queued), (4, 4));
    assert_eq!(stats.workers[0].queued + stats.workers[1].queued, 4);
    assert!(pool.host.cancel(3, 0).unwrap());

    // Of a function that is not known yet, one is claimed at a time.
    assert_eq!(pool.turn(0, &[]), Turn::Work);
    let stats = pool.stats();
    assert_eq!((stats.pool.queued, stats.pool.removed), (2, 1));
    assert_eq!((stats.pool.running, stats.workers[0].running), (1, 1));
    assert_eq!(stats.workers[0].submitted, 1);
    assert_eq!(stats.workers[0].bytes_in, 100);

    let result = answers(&pool.workers[0], 40);
    assert_eq!(pool.turn(0, &result), Turn::Work);
    let thrown = answer_of(
        &pool.workers[0].claims()[0].header,
        kind::THROWN,
        0,
        &[0; 7],
    );
    let mut replies = Vec::new();
    append(&mut replies, &thrown, &[0; 7]);
    pool.turn(0, &replies);
    let stats = pool.stats();
    assert_eq!((stats.pool.completed, stats.pool.failed), (1, 1));
    assert_eq!((stats.pool.running, stats.pool.queued), (1, 0));
    assert_eq!((stats.pool.bytes_in, stats.pool.bytes_out), (300, 47));
    assert_eq!(stats.workers[1], Default::default());
}

#[test]
fn bytes_of_large_arguments_and_results_count() {
    let mut pool = Pool::new(1);
    pool.submit([0], 100_000);
    pool.turn(0, &[]);
    let result = answers(&pool.workers[0], 50_000);
    pool.turn(0, &result);
    let stats = pool.stats();
    assert_eq!(stats.pool.bytes_in, 100_000);
    assert_eq!(stats.pool.bytes_out, 50_000);
}

#[test]
fn waits_and_runs_are_measured() {
    let mut pool = Pool::new(1);
    pool.submit([0], 8);
    sleep(20 * MS);
    pool.turn(0, &[]);
    let between = pool.stats();
    assert!(between.pool.wait.max >= 20 * MS);
    assert_eq!(between.pool.run.max, Duration::ZERO, "nothing has run");
    sleep(5 * MS);
    let result = answers(&pool.workers[0], 8);
    pool.turn(0, &result);
    let stats = pool.stats();
    assert!(stats.pool.run.max >= 5 * MS);
    assert_eq!(stats.pool.wait, between.pool.wait);
    assert_eq!(stats.workers[0].wait, stats.pool.wait);
    assert_eq!(stats.workers[0].run, stats.pool.run);
    // One sample: all quantiles are it.
    let near = stats.pool.run.max.mul_f64(0.97);
    assert!(stats.pool.run.p50 >= near && stats.pool.run.p99 >= near);
}

#[test]
fn a_call_in_the_backlog_waits_from_its_hand_over_on() {
    let mut pool = Pool::new(1);
    pool.submit(0..10_000, 100);
    assert!(pool.host.backlog() > 0);
    sleep(20 * MS);
    let mut replies = Vec::new();
    while pool.host.queued().unwrap() > 0 {
        pool.turn(0, &replies);
        replies = answers(&pool.workers[0], 0);
        pool.host.poll(&mut Vec::new()).unwrap();
    }
    let wait = pool.stats().pool.wait;
    assert!(wait.p50 >= 19 * MS, "{wait:?}");
}

#[test]
fn calls_that_move_to_another_lane_have_waited_all_the_while() {
    let mut pool = Pool::new(2);
    pool.submit([0, 1], 8);
    sleep(20 * MS);
    pool.host.evacuate(0).unwrap();
    let mut replies = Vec::new();
    while pool.host.queued().unwrap() > 0 {
        pool.turn(1, &replies);
        replies = answers(&pool.workers[1], 0);
    }
    assert!(pool.stats().pool.wait.p50 >= 19 * MS);
}

#[test]
fn an_asynchronous_call_runs_from_its_claim_to_its_answer() {
    let mut pool = Pool::new(1);
    pool.submit([0, 1], 8);
    pool.turn(0, &[]);
    let later = answers(&pool.workers[0], 8);
    assert_eq!(pool.turn(0, &[]), Turn::Work, "it goes on to the next call");
    let next = answers(&pool.workers[0], 8);
    assert_eq!(pool.turn(0, &next), Turn::Idle);
    assert_eq!(pool.stats().pool.running, 1);
    sleep(20 * MS);
    pool.workers[0].publish(&later).unwrap();
    let stats = pool.stats();
    assert_eq!((stats.pool.running, stats.pool.completed), (0, 2));
    assert!(stats.pool.run.max >= 20 * MS);
}

#[test]
fn answers_of_one_claim_may_come_in_any_order() {
    let mut pool = Pool::new(1);
    // Known to be short, so that several are claimed together.
    let mut replies = Vec::new();
    let mut call = 0;
    while pool.workers[0].claims().len() < 4 {
        pool.submit(call..call + 8, 0);
        call += 8;
        pool.turn(0, &replies);
        replies = answers(&pool.workers[0], 0);
    }
    let count = pool.workers[0].claims().len();
    let frames: Vec<_> = replies.chunks(32).rev().flatten().copied().collect();
    pool.workers[0].publish(&frames).unwrap();
    let before = pool.stats().pool;
    assert!(before.completed as usize >= count);
    pool.turn(0, &[]);
    let left = pool.workers[0].claims().len() as u64;
    assert_eq!(pool.stats().pool.running, left);
}

#[test]
fn the_host_sees_what_a_worker_runs_and_since_when() {
    let mut pool = Pool::new(1);
    assert_eq!(pool.host.running(0).unwrap(), None);
    pool.submit([7], 0);
    pool.turn(0, &[]);
    sleep(5 * MS);
    let running = pool.host.running(0).unwrap().unwrap();
    assert_eq!((running.call, running.generation), (7, 0));
    assert!(running.since >= 5 * MS);
    let turns = pool.host.turns(0).unwrap();
    let result = answers(&pool.workers[0], 0);
    pool.turn(0, &result);
    assert_eq!(pool.host.running(0).unwrap(), None);
    assert_eq!(pool.host.turns(0).unwrap(), turns + 1);
    assert!(pool.host.running(1).is_err());
}

#[test]
fn a_death_fails_what_ran_and_the_figures_go_on() {
    let mut pool = Pool::new(1);
    pool.submit(0..3, 0);
    pool.turn(0, &[]);
    let result = answers(&pool.workers[0], 0);
    pool.turn(0, &result);
    assert_eq!(pool.stats().pool.running, 1);
    assert!(pool.host.running(0).unwrap().is_some());

    pool.host.retire(0).unwrap();
    let stats = pool.stats();
    assert_eq!((stats.pool.running, stats.pool.queued), (0, 1));
    assert_eq!((stats.pool.completed, stats.pool.failed), (1, 1));
    assert_eq!(stats.pool.respawns, 0);
    assert_eq!(pool.host.running(0).unwrap(), None);

    pool.workers[0] = attach(&mut pool.host, 0);
    pool.turn(0, &[]);
    let result = answers(&pool.workers[0], 0);
    pool.turn(0, &result);
    let stats = pool.stats();
    assert_eq!((stats.pool.completed, stats.pool.failed), (2, 1));
    assert_eq!((stats.pool.respawns, stats.workers[0].respawns), (1, 1));
    assert_eq!(stats.workers[0].submitted, 3);
}
