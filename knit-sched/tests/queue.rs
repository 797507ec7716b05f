//! What becomes of queued calls: host and workers of one pool in one thread, step by step, against plain collections.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use knit_sched::frames::{append, call_of, result_of};
use knit_sched::{Config, Host, HostOptions, Turn, Worker};
use proptest::prelude::*;

/// A pool whose rings are so small that calls often wait in the backlog.
fn options(workers: usize, steal: bool) -> HostOptions {
    HostOptions {
        config: Config {
            workers,
            request_granules: 64,
            arena_bytes: 65_536,
            ..Config::default()
        },
        steal,
        spin: Duration::ZERO,
        ..HostOptions::default()
    }
}

fn attach(host: &mut Host, index: usize, steal: bool) -> Worker {
    let epoch = host.begin(index).unwrap();
    Worker::attach(host.shared().clone(), index, epoch, steal).unwrap()
}

fn frame(call: u32, generation: u32, bytes: usize) -> Vec<u8> {
    let payload = vec![call as u8; bytes];
    let mut header = call_of(0, call, &payload);
    header.generation = generation;
    let mut buffer = Vec::new();
    append(&mut buffer, &header, &payload);
    buffer
}

/// Claims once and answers what was claimed; returns it.
fn run(worker: &mut Worker, replies: &mut Vec<u8>) -> Vec<(u32, u32)> {
    let turn = worker.turn(replies, Duration::ZERO).unwrap();
    replies.clear();
    assert_ne!(turn, Turn::Stop);
    let mut ran = Vec::new();
    for n in 0..worker.claims().len() {
        let call = worker.call(n).unwrap();
        append(replies, &result_of(&call.header, &[]), &[]);
        ran.push((call.header.call, call.header.generation));
    }
    ran
}

#[test]
fn a_call_that_is_removed_before_it_was_taken_never_runs() {
    let mut host = Host::create(options(1, true)).unwrap();
    let mut worker = attach(&mut host, 0, true);
    // The first ones fill the ring, the others wait in the backlog.
    let calls: Vec<u8> = (0..200).flat_map(|call| frame(call, 0, 30)).collect();
    host.submit(&calls).unwrap();
    assert!(host.backlog() > 0);
    assert_eq!(host.queued().unwrap(), 200);
    for call in (1..200).step_by(2) {
        assert!(host.cancel(call, 0).unwrap());
        assert!(!host.cancel(call, 0).unwrap(), "once");
    }
    assert_eq!(host.queued().unwrap(), 100);
    // The numbers are free.
    host.submit(&frame(1, 1, 30)).unwrap();
    let mut ran = Vec::new();
    let mut replies = Vec::new();
    loop {
        let more = run(&mut worker, &mut replies);
        if more.is_empty() && host.backlog() == 0 {
            break;
        }
        ran.extend(more);
        host.poll(&mut Vec::new()).unwrap();
    }
    let mut expected: Vec<_> = (0..200).step_by(2).map(|call| (call, 0)).collect();
    expected.push((1, 1));
    assert_eq!(ran, expected);
    assert_eq!(host.queued().unwrap(), 0);
    assert!(!host.cancel(0, 0).unwrap(), "it was run");
}

#[test]
fn a_call_that_is_removed_before_it_was_handed_over_is_not() {
    let mut host = Host::create(options(1, true)).unwrap();
    let mut worker = attach(&mut host, 0, true);
    assert!(host.cancel(0, 0).unwrap());
    assert!(host.cancel(3, 0).unwrap());
    let calls = [0, 1, 2, 3].map(|call| frame(call, 0, 8)).concat();
    host.submit(&[calls, frame(0, 1, 8)].concat()).unwrap();
    let mut ran = Vec::new();
    let mut replies = Vec::new();
    while host.queued().unwrap() > 0 {
        ran.extend(run(&mut worker, &mut replies));
    }
    assert_eq!(ran, [(1, 0), (2, 0), (0, 1)]);
}

#[test]
fn the_block_of_a_removed_call_is_used_again() {
    let mut host = Host::create(options(1, true)).unwrap();
    let _worker = attach(&mut host, 0, true);
    // Each takes a block, and the arena has room for one.
    for generation in 0..50 {
        host.submit(&frame(0, generation, 40_000)).unwrap();
        assert_eq!(host.backlog(), 0, "there is room at once");
        assert!(host.cancel(0, generation).unwrap());
    }
}

#[derive(Debug, Clone)]
enum Step {
    Submit { calls: usize, bytes: usize },
    Cancel(prop::sample::Index),
    Run(usize),
    Poll,
    Kill(usize),
    Evacuate(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..12_usize, 0..300_usize).prop_map(|(calls, bytes)| Step::Submit { calls, bytes }),
        4 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        4 => (0..3_usize).prop_map(Step::Run),
        2 => Just(Step::Poll),
        1 => (0..3_usize).prop_map(Step::Kill),
        1 => (0..3_usize).prop_map(Step::Evacuate),
    ];
    prop::collection::vec(step, 1..120)
}

struct Pool {
    host: Host,
    steal: bool,
    /// With the replies that it has not published.
    workers: Vec<(Worker, Vec<u8>)>,
    generations: Vec<u32>,
    free: Vec<u32>,
    /// Calls that nobody has taken.
    waiting: Vec<(u32, u32)>,
    /// Taken, and not known to be answered; by whom.
    taken: HashMap<(u32, u32), usize>,
    removed: HashSet<(u32, u32)>,
}

impl Pool {
    fn new(steal: bool) -> Self {
        let mut host = Host::create(options(3, steal)).unwrap();
        let workers = (0..3)
            .map(|index| (attach(&mut host, index, steal), Vec::new()))
            .collect();
        Self {
            host,
            steal,
            workers,
            generations: Vec::new(),
            free: Vec::new(),
            waiting: Vec::new(),
            taken: HashMap::new(),
            removed: HashSet::new(),
        }
    }

    fn submit(&mut self, calls: usize, bytes: usize) {
        let mut buffer = Vec::new();
        for _ in 0..calls {
            let call = self.free.pop().unwrap_or_else(|| {
                self.generations.push(0);
                self.generations.len() as u32 - 1
            });
            let generation = self.generations[call as usize];
            buffer.extend(frame(call, generation, bytes));
            self.waiting.push((call, generation));
        }
        self.host.submit(&buffer).unwrap();
    }

    /// The call is over: its number may be used again.
    fn over(&mut self, call: u32) {
        self.generations[call as usize] += 1;
        self.free.push(call);
    }

    fn cancel(&mut self, which: prop::sample::Index) {
        let mut all: Vec<_> = self.waiting.iter().chain(self.taken.keys()).collect();
        all.sort_unstable();
        if all.is_empty() {
            return;
        }
        let call = **which.get(&all);
        let waits = self.waiting.contains(&call);
        assert_eq!(self.host.cancel(call.0, call.1).unwrap(), waits);
        if waits {
            self.waiting.retain(|other| *other != call);
            self.removed.insert(call);
            self.over(call.0);
        }
    }

    fn run(&mut self, index: usize) {
        let (worker, replies) = &mut self.workers[index];
        for call in run(worker, replies) {
            assert!(!self.removed.contains(&call), "{call:?} was removed");
            let waited = self.waiting.iter().position(|other| *other == call);
            self.waiting
                .swap_remove(waited.expect("it is run once, and was submitted"));
            self.taken.insert(call, index);
        }
    }

    fn poll(&mut self) {
        let mut replies = Vec::new();
        self.host.poll(&mut replies).unwrap();
        for message in self.host.read(&replies).unwrap() {
            let call = (message.header.call, message.header.generation);
            self.taken.remove(&call).expect("it is answered once");
            self.over(call.0);
        }
    }

    fn kill(&mut self, index: usize) {
        // Its published replies count.
        self.poll();
        let dead = self.host.retire(index).unwrap();
        for call in dead {
            let call = (call, self.generations[call as usize]);
            if self.taken.get(&call) == Some(&index) {
                self.taken.remove(&call);
                self.over(call.0);
            }
        }
        assert!(self.taken.values().all(|who| *who != index));
        self.workers[index] = (attach(&mut self.host, index, self.steal), Vec::new());
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Submit { calls, bytes } => self.submit(calls, bytes),
            Step::Cancel(which) => self.cancel(which),
            Step::Run(index) => self.run(index),
            Step::Poll => self.poll(),
            Step::Kill(index) => self.kill(index),
            Step::Evacuate(index) => self.host.evacuate(index).unwrap(),
        }
        assert_eq!(self.host.queued().unwrap(), self.waiting.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn each_call_is_removed_or_taken_once_and_the_queue_is_counted(steal: bool, steps in steps()) {
        let mut pool = Pool::new(steal);
        for step in &steps {
            pool.take(step);
        }
        for _ in 0..10_000 {
            if pool.waiting.is_empty() && pool.taken.is_empty() {
                return Ok(());
            }
            for index in 0..3 {
                pool.take(&Step::Run(index));
            }
            pool.take(&Step::Poll);
        }
        prop_assert!(false, "calls were lost: {:?} {:?}", pool.waiting, pool.taken);
    }
}
