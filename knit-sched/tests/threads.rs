//! A host and worker threads, natively.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use knit_ring::FrameHeader;
use knit_sched::frames::{self, kind};
use knit_sched::{Config, Host, HostOptions, Shared, Turn, Worker};

/// Answers every call with the bytes it was given, until it is asked to stop.
fn serve(shared: Arc<Shared>, index: usize, epoch: u32, steal: bool) {
    let mut worker = Worker::attach(shared, index, epoch, steal).unwrap();
    let mut replies = Vec::new();
    loop {
        match worker.turn(&replies, Duration::from_micros(20)).unwrap() {
            Turn::Stop => return,
            Turn::Idle => {
                replies.clear();
                worker.wait(None).unwrap();
            }
            Turn::Work => {
                replies.clear();
                let calls: Vec<_> = (0..worker.claims().len())
                    .map(|n| worker.call(n).unwrap())
                    .collect();
                for call in calls {
                    let header = FrameHeader {
                        kind: kind::RESULT,
                        ..call.header
                    };
                    frames::append(&mut replies, &header, &call.payload);
                }
            }
        }
    }
}

fn pool(workers: usize, config: Config, steal: bool) -> (Host, Vec<std::thread::JoinHandle<()>>) {
    let config = Config { workers, ..config };
    let mut host = Host::create(HostOptions {
        config,
        steal,
        ..HostOptions::default()
    })
    .unwrap();
    let threads = (0..workers)
        .map(|index| {
            let epoch = host.begin(index).unwrap();
            let shared = host.shared().clone();
            std::thread::spawn(move || serve(shared, index, epoch, steal))
        })
        .collect();
    (host, threads)
}

fn close(mut host: Host, threads: Vec<std::thread::JoinHandle<()>>) {
    for worker in 0..host.workers() {
        host.stop(worker).unwrap();
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

fn payload(call: u32, longest: usize) -> Vec<u8> {
    let len = call.wrapping_mul(2_654_435_761) as usize % longest;
    (0..len).map(|at| (call as usize + at) as u8).collect()
}

fn echo_all(host: &mut Host, calls: u32, batch: u32, longest: usize) {
    let mut open: HashSet<u32> = HashSet::new();
    let mut next = 0;
    let mut replies = Vec::new();
    let mut buffer = Vec::new();
    while next < calls || !open.is_empty() {
        buffer.clear();
        let until = calls.min(next + batch);
        for call in next..until {
            let payload = payload(call, longest);
            let header = FrameHeader {
                payload_len: payload.len() as u32,
                function: 3,
                kind: kind::CALL,
                flags: 0,
                call,
                generation: 7,
            };
            frames::append(&mut buffer, &header, &payload);
            open.insert(call);
        }
        next = until;
        host.submit(&buffer).unwrap();
        host.wait(&mut replies, Some(Duration::from_secs(20)))
            .unwrap();
        for reply in host.read(&replies).unwrap() {
            assert_eq!(reply.header.kind, kind::RESULT);
            assert_eq!(reply.header.generation, 7);
            assert_eq!(reply.payload, payload(reply.header.call, longest));
            assert!(
                open.remove(&reply.header.call),
                "{} answered twice",
                reply.header.call
            );
        }
    }
}

#[test]
fn every_call_is_answered_once() {
    for (workers, steal) in [(1, true), (2, true), (3, false), (5, true)] {
        let (mut host, threads) = pool(workers, Config::default(), steal);
        echo_all(&mut host, 30_000, 500, 64);
        close(host, threads);
    }
}

#[test]
fn one_call_at_a_time_is_answered_though_everybody_sleeps_between() {
    let (mut host, threads) = pool(2, Config::default(), true);
    for _ in 0..200 {
        echo_all(&mut host, 1, 1, 64);
        std::thread::sleep(Duration::from_micros(fastrand::u64(0..300)));
    }
    close(host, threads);
}

#[test]
fn full_rings_lose_nothing() {
    let small = Config {
        request_granules: 64,
        reply_granules: 64,
        ..Config::default()
    };
    let (mut host, threads) = pool(2, small, true);
    echo_all(&mut host, 20_000, 5_000, 100);
    assert_eq!(host.backlog(), 0);
    close(host, threads);
}

#[test]
fn payloads_larger_than_a_ring_travel_in_blocks() {
    let (mut host, threads) = pool(2, Config::default(), true);
    echo_all(&mut host, 400, 16, 600_000);
    close(host, threads);
}

#[test]
fn a_full_block_heap_makes_calls_wait() {
    let small = Config {
        arena_bytes: 1024 * 1024,
        ..Config::default()
    };
    let (mut host, threads) = pool(2, small, true);
    echo_all(&mut host, 200, 50, 400_000);
    close(host, threads);
}

#[test]
fn a_worker_knows_of_an_abort_before_it_runs_a_call_that_was_made_after_it() {
    let mut host = Host::create(HostOptions {
        config: Config {
            workers: 1,
            ..Config::default()
        },
        ..HostOptions::default()
    })
    .unwrap();
    let epoch = host.begin(0).unwrap();
    let mut worker = Worker::attach(host.shared().clone(), 0, epoch, true).unwrap();
    worker.watch_aborts(true);
    let slot = host.take_abort_slot().unwrap();
    let searching = std::thread::spawn(move || {
        let turn = worker.turn(&[], Duration::from_secs(20)).unwrap();
        (turn, worker.aborts())
    });
    // It searches by then: what it knew when it began is old.
    std::thread::sleep(Duration::from_millis(50));
    assert!(host.abort(slot));
    let mut call = Vec::new();
    let header = FrameHeader {
        payload_len: 0,
        function: 0,
        kind: kind::CALL,
        flags: 0,
        call: 1,
        generation: 0,
    };
    frames::append(&mut call, &header, &[]);
    host.submit(&call).unwrap();
    let (turn, aborts) = searching.join().unwrap();
    assert!(matches!(turn, Turn::Work));
    assert_eq!(aborts, 1);
}
