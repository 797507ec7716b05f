//! What must hold when a worker dies at an exact point: host and workers in one thread, each step on purpose.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use knit_ring::FrameHeader;
use knit_sched::frames;
use knit_sched::{Bell, Config, Host, HostOptions, State, Turn, Worker};

#[derive(Default)]
struct Rings(AtomicU32);

impl Bell for Rings {
    fn ring(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Rings {
    fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

fn host(workers: usize, steal: bool) -> Host {
    let config = Config {
        workers,
        request_granules: 64,
        reply_granules: 64,
        arena_bytes: 1024 * 1024,
        ..Config::default()
    };
    Host::create(HostOptions {
        config,
        steal,
        spin: Duration::ZERO,
        ..HostOptions::default()
    })
    .unwrap()
}

fn start(host: &mut Host, place: usize, steal: bool) -> Worker {
    let epoch = host.begin(place).unwrap();
    Worker::attach(host.shared().clone(), place, epoch, steal).unwrap()
}

fn bell(host: &Host, participant: Option<usize>) -> Arc<Rings> {
    let rings = Arc::new(Rings::default());
    host.shared()
        .set_bell(participant, Some(rings.clone()))
        .unwrap();
    rings
}

fn calls(numbers: impl IntoIterator<Item = u32>, generation: u32, bytes: usize) -> Vec<u8> {
    let mut buffer = Vec::new();
    for call in numbers {
        let payload = vec![call as u8; bytes];
        let header = FrameHeader {
            generation,
            ..frames::call_of(0, call, &payload)
        };
        frames::append(&mut buffer, &header, &payload);
    }
    buffer
}

fn answers(worker: &mut Worker) -> Vec<u8> {
    let mut replies = Vec::new();
    for n in 0..worker.claims().len() {
        let call = worker.call(n).unwrap();
        frames::append(
            &mut replies,
            &frames::result_of(&call.header, &call.payload),
            &call.payload,
        );
    }
    replies
}

/// Claims until there is nothing more, answering nothing: what is claimed is given back.
fn swallow(worker: &mut Worker) {
    while worker.turn(&[], Duration::ZERO).unwrap() == Turn::Work {}
}

/// Runs everything there is, and tells the calls that the host was shown answers to.
fn run(host: &mut Host, worker: &mut Worker) -> Vec<u32> {
    let (mut replies, mut spans, mut answered) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let turn = worker.turn(&replies, Duration::ZERO).unwrap();
        replies = answers(worker);
        host.poll(&mut spans).unwrap();
        let messages = host.read(&spans).unwrap();
        answered.extend(messages.iter().map(|message| message.header.call));
        if turn == Turn::Idle && spans.is_empty() {
            return answered;
        }
    }
}

#[test]
fn a_call_that_a_dead_worker_was_woken_for_wakes_another() {
    let mut host = host(2, true);
    let mut workers = [0, 1].map(|place| start(&mut host, place, true));
    let bells = [0, 1].map(|place| bell(&host, Some(place)));
    assert!(workers.iter_mut().all(|worker| worker.arm().unwrap()));
    host.submit(&calls([7], 0, 8)).unwrap();
    assert_eq!([bells[0].count(), bells[1].count()], [1, 0]);
    // It dies before it has claimed.
    let [first, mut second] = workers;
    drop(first);
    assert!(host.retire(0).unwrap().is_empty(), "it had taken nothing");
    assert_eq!(bells[1].count(), 1);
    assert_eq!(run(&mut host, &mut second), [7]);
}

#[test]
fn a_call_that_a_stopping_worker_was_woken_for_wakes_another() {
    let mut host = host(2, true);
    let mut workers = [0, 1].map(|place| start(&mut host, place, true));
    let bells = [0, 1].map(|place| bell(&host, Some(place)));
    assert!(workers.iter_mut().all(|worker| worker.arm().unwrap()));
    host.submit(&calls([7], 0, 8)).unwrap();
    host.stop(0).unwrap();
    assert_eq!(workers[0].turn(&[], Duration::ZERO).unwrap(), Turn::Stop);
    assert_eq!(bells[1].count(), 1);
}

#[test]
fn exactly_what_the_dead_worker_had_taken_is_named() {
    let mut host = host(2, true);
    let mut dead = start(&mut host, 0, true);
    let mut other = start(&mut host, 1, true);
    host.submit(&calls(0..20, 0, 8)).unwrap();
    // An unknown function is claimed alone: the second turn gives the first call back and takes another.
    for _ in 0..2 {
        assert_eq!(dead.turn(&[], Duration::ZERO).unwrap(), Turn::Work);
    }
    assert_eq!(other.turn(&[], Duration::ZERO).unwrap(), Turn::Work);
    drop(dead);
    // They went round the lanes: the first one has the even calls.
    assert_eq!(host.retire(0).unwrap(), [0, 2]);
    let mut answered = run(&mut host, &mut other);
    answered.sort_unstable();
    let rest: Vec<u32> = (0..20).filter(|call| ![0, 1, 2].contains(call)).collect();
    assert_eq!(answered, rest, "the first of the other's was swallowed");
}

#[test]
fn calls_given_back_unanswered_are_named_though_their_space_is_in_use_again() {
    let mut host = host(1, true);
    let mut worker = start(&mut host, 0, true);
    let mut taken = Vec::new();
    for round in 0..10 {
        let numbers: Vec<u32> = (round * 10..round * 10 + 10).collect();
        host.submit(&calls(numbers.iter().copied(), 0, 100))
            .unwrap();
        swallow(&mut worker);
        taken.extend(numbers);
    }
    assert_eq!(host.backlog(), 0);
    drop(worker);
    assert_eq!(host.retire(0).unwrap(), taken);
}

#[test]
fn a_number_in_use_again_is_not_taken_for_its_former_call() {
    let mut host = host(2, false);
    let mut first = start(&mut host, 0, false);
    let mut second = start(&mut host, 1, false);
    // One goes to each; the frame of the first's is still in its ring when the number is used again.
    host.submit(&calls([0, 1], 0, 8)).unwrap();
    assert_eq!(run(&mut host, &mut first), [0]);
    assert_eq!(run(&mut host, &mut second), [1]);
    host.submit(&calls([2], 0, 8)).unwrap();
    host.submit(&calls([0], 1, 8)).unwrap();
    drop(first);
    assert_eq!(host.retire(0).unwrap(), [] as [u32; 0]);
    assert_eq!(run(&mut host, &mut second), [0]);
}

#[test]
fn calls_taken_back_from_a_lane_are_named_when_who_took_them_next_dies() {
    let mut host = host(2, false);
    let first = start(&mut host, 0, false);
    let mut second = start(&mut host, 1, false);
    host.submit(&calls(0..6, 0, 8)).unwrap();
    drop(first);
    assert!(host.retire(0).unwrap().is_empty());
    host.evacuate(0).unwrap();
    swallow(&mut second);
    drop(second);
    let mut taken = host.retire(1).unwrap();
    taken.sort_unstable();
    assert_eq!(taken, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_block_that_a_dead_worker_had_not_read_comes_back() {
    let mut host = host(1, true);
    // Each needs more than half of the heap.
    for number in 0..4 {
        let mut worker = start(&mut host, 0, true);
        host.submit(&calls([number], 0, 600_000)).unwrap();
        assert_eq!(host.backlog(), 0, "there is room again");
        assert_eq!(worker.turn(&[], Duration::ZERO).unwrap(), Turn::Work);
        drop(worker);
        assert_eq!(host.retire(0).unwrap(), [number]);
    }
}

#[test]
fn what_waited_for_a_worker_is_handed_to_the_first() {
    let mut host = host(2, false);
    host.submit(&calls(0..3, 0, 8)).unwrap();
    assert_eq!(host.backlog(), 3);
    let mut worker = start(&mut host, 1, false);
    assert_eq!(host.backlog(), 0);
    assert_eq!(run(&mut host, &mut worker), [0, 1, 2]);
}

#[test]
fn a_worker_that_was_taken_for_dead_writes_nothing_more() {
    let mut host = host(1, true);
    let mut lost = start(&mut host, 0, true);
    host.submit(&calls([5], 0, 8)).unwrap();
    assert_eq!(lost.turn(&[], Duration::ZERO).unwrap(), Turn::Work);
    let late = answers(&mut lost);
    assert_eq!(host.retire(0).unwrap(), [5]);
    let mut next = start(&mut host, 0, true);
    assert_eq!(lost.turn(&late, Duration::ZERO).unwrap(), Turn::Stop);
    assert!(!lost.arm().unwrap(), "it does not fall asleep either");
    assert_eq!(run(&mut host, &mut next), [] as [u32; 0]);
    assert_eq!(host.state(0).unwrap(), State::Ready);
}

#[test]
fn a_call_that_never_fits_is_refused_and_holds_nobody_up() {
    let mut host = host(1, true);
    let mut worker = start(&mut host, 0, true);
    let mut buffer = calls([1], 0, 8);
    buffer.extend(calls([2], 0, 2_000_000));
    let rings = bell(&host, Some(0));
    assert!(worker.arm().unwrap());
    let error = host.submit(&buffer).unwrap_err();
    assert_eq!(error.code(), "KNT_TOO_LONG");
    assert_eq!(rings.count(), 1, "what came before it is published");
    assert_eq!(host.backlog(), 0);
    assert_eq!(run(&mut host, &mut worker), [1]);
}

#[test]
fn room_that_a_worker_makes_wakes_a_host_that_waits_for_it() {
    let mut host = host(1, true);
    let mut worker = start(&mut host, 0, true);
    // Both need more than half of the heap.
    host.submit(&calls([1, 2], 0, 600_000)).unwrap();
    assert_eq!(host.backlog(), 1);
    assert_eq!(worker.turn(&[], Duration::ZERO).unwrap(), Turn::Work);
    let rings = bell(&host, None);
    // The first look finds the worker's reply ring.
    host.poll(&mut Vec::new()).unwrap();
    assert!(host.arm().unwrap());
    // Reading the argument gives its block back.
    assert_eq!(worker.call(0).unwrap().payload.len(), 600_000);
    worker.turn(&[], Duration::ZERO).unwrap();
    assert_eq!(rings.count(), 1);
    host.disarm();
    host.poll(&mut Vec::new()).unwrap();
    assert_eq!(host.backlog(), 0);
}

#[test]
fn a_waker_keeps_a_host_from_sleeping_once() {
    let mut host = host(1, true);
    let waker = host.waker();
    assert!(host.arm().unwrap(), "nobody has called");
    host.disarm();
    waker.wake();
    assert!(!host.arm().unwrap());
    assert!(host.arm().unwrap());
    let rings = bell(&host, None);
    waker.wake();
    waker.wake();
    assert_eq!(rings.count(), 1);
    host.disarm();
    assert!(host.take_called());
    assert!(!host.take_called());
}
