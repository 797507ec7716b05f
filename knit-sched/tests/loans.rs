//! Blocks that a receiver's program keeps: never in anybody's way, back when it lets go of them, and not lost when it dies.

use std::time::Duration;

use knit_ring::FrameHeader;
use knit_sched::frames::{self, flag, kind};
use knit_sched::{Config, Host, HostOptions, LENT, Turn, Worker};

const MIB: usize = 1024 * 1024;
const HEAP: usize = 8 * MIB;

fn host() -> Host {
    let config = Config {
        workers: 2,
        arena_bytes: HEAP as u32,
        ..Config::default()
    };
    Host::create(HostOptions {
        config,
        steal: true,
        spin: Duration::ZERO,
        ..HostOptions::default()
    })
    .unwrap()
}

fn start(host: &mut Host, place: usize) -> Worker {
    let epoch = host.begin(place).unwrap();
    Worker::attach(host.shared().clone(), place, epoch, true).unwrap()
}

fn frame(header: FrameHeader, payload: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    let header = FrameHeader {
        payload_len: payload.len() as u32,
        ..header
    };
    frames::append(&mut buffer, &header, payload);
    buffer
}

/// Sends a block of a MiB with a call; returns its locator.
fn send(host: &mut Host, call: u32) -> u64 {
    let locator = host
        .alloc_block(MIB)
        .unwrap()
        .expect("there is room")
        .locator
        .raw();
    host.assign_block(call, locator);
    let header = FrameHeader {
        kind: kind::CALL,
        call,
        generation: 1,
        ..FrameHeader::default()
    };
    host.submit(&frame(header, &locator.to_le_bytes())).unwrap();
    locator
}

/// Takes one call and answers it, with these flags.
fn answer(worker: &mut Worker, call: u32, flags: u8) {
    assert_eq!(worker.turn(&[], Duration::ZERO).unwrap(), Turn::Work);
    let header = FrameHeader {
        kind: kind::RESULT,
        flags,
        call,
        generation: 1,
        ..FrameHeader::default()
    };
    worker.publish(&frame(header, &[])).unwrap();
}

/// How many loans of a MiB there is room for; all of them are given back.
fn room(host: &mut Host) -> usize {
    let mut loans = Vec::new();
    while let Some(loan) = host.lend_block(MIB).unwrap() {
        loans.push(loan);
    }
    loans.len()
}

#[test]
fn what_a_program_keeps_is_in_nobodys_way() {
    let mut host = host();
    let mut worker = start(&mut host, 0);
    let mut held = Vec::new();
    for call in 0.. {
        let locator = send(&mut host, call);
        answer(&mut worker, call, flag::KEPT);
        match worker.hold_block(locator).unwrap() {
            Some(loan) => held.push(loan),
            // All loans are out: this one is from the main arena, and comes back at once.
            None => {
                worker.close_block(locator).unwrap();
                break;
            }
        }
    }
    assert_eq!(held.len(), HEAP / MIB);
    for call in 100..200 {
        let locator = send(&mut host, call);
        answer(&mut worker, call, 0);
        assert!(worker.hold_block(locator).unwrap().is_none());
        worker.close_block(locator).unwrap();
    }
    held.clear();
    assert_eq!(room(&mut host), HEAP / MIB);
}

#[test]
fn a_loan_ends_when_it_is_dropped_also_after_the_pool() {
    let mut host = host();
    let mut worker = start(&mut host, 0);
    let locator = send(&mut host, 0);
    answer(&mut worker, 0, flag::KEPT);
    let loan = worker.hold_block(locator).unwrap().unwrap();
    assert_eq!(room(&mut host), HEAP / MIB - 1);
    drop(worker);
    drop(host);
    let mut byte = [1];
    loan.region()
        .copy_from(loan.block().offset, &mut byte)
        .unwrap();
    assert_eq!(byte, [0]);
}

#[test]
fn what_a_dead_workers_program_held_comes_back() {
    let mut host = host();
    let mut worker = start(&mut host, 0);
    let mut other = start(&mut host, 1);
    let mut held = Vec::new();
    for (call, worker) in [(0, &mut worker), (1, &mut other)] {
        let locator = send(&mut host, call);
        answer(worker, call, flag::KEPT);
        held.push(worker.hold_block(locator).unwrap().unwrap());
    }
    // A third one is being looked at when the worker dies.
    let locator = send(&mut host, 2);
    assert_eq!(worker.turn(&[], Duration::ZERO).unwrap(), Turn::Work);
    held.push(worker.hold_block(locator).unwrap().unwrap());
    let mut replies = Vec::new();
    host.poll(&mut replies).unwrap();
    host.poll(&mut replies).unwrap();
    host.kept(0, 0).unwrap();
    host.kept(1, 1).unwrap();
    assert_eq!(room(&mut host), HEAP / MIB - 3);
    assert!(host.retire(0).unwrap().contains(&2));
    assert_eq!(
        room(&mut host),
        HEAP / MIB - 1,
        "the living one's is its own"
    );
    // What the dead one's memory still does is too late, and changes nothing.
    drop(held);
    assert_eq!(room(&mut host), HEAP / MIB);
}

#[test]
fn what_the_host_holds_of_a_dead_worker_stays_as_it_is() {
    let mut host = host();
    let mut worker = start(&mut host, 0);
    let block = worker.alloc_block(LENT).unwrap().unwrap();
    worker
        .shared()
        .region()
        .copy_to(block.offset, &[7; LENT])
        .unwrap();
    let loan = host.hold_block(0, block.locator.raw()).unwrap().unwrap();
    host.retire(0).unwrap();
    drop(worker);
    let mut worker = start(&mut host, 0);
    while let Some(block) = worker.alloc_block(LENT).unwrap() {
        worker
            .shared()
            .region()
            .copy_to(block.offset, &[9; LENT])
            .unwrap();
    }
    let mut bytes = vec![0; LENT];
    loan.region()
        .copy_from(loan.block().offset, &mut bytes)
        .unwrap();
    assert!(bytes.iter().all(|byte| *byte == 7));
}

#[test]
fn a_loan_that_is_sent_on_is_its_receivers() {
    let mut host = host();
    let mut worker = start(&mut host, 0);
    let loan = host.lend_block(MIB).unwrap().unwrap();
    let locator = loan.block().locator.raw();
    assert!(host.take_over_block(locator));
    assert!(!host.take_over_block(locator), "it is given once");
    host.assign_block(5, locator);
    drop(loan);
    let header = FrameHeader {
        kind: kind::CALL,
        call: 5,
        generation: 1,
        ..FrameHeader::default()
    };
    host.submit(&frame(header, &[])).unwrap();
    answer(&mut worker, 5, 0);
    assert_eq!(room(&mut host), HEAP / MIB - 1);
    worker.close_block(locator).unwrap();
    assert_eq!(room(&mut host), HEAP / MIB);
}

#[test]
fn small_blocks_are_not_lent() {
    let mut host = host();
    let mut worker = start(&mut host, 0);
    let block = host.alloc_block(LENT - 1).unwrap().unwrap();
    assert!(worker.hold_block(block.locator.raw()).unwrap().is_none());
    worker.close_block(block.locator.raw()).unwrap();
    assert!(worker.turn(&[], Duration::ZERO).unwrap() == Turn::Idle);
}

#[test]
fn a_worker_that_lives_on_after_its_death_was_settled_touches_nothing_of_its_successors() {
    let mut host = host();
    let mut zombie = start(&mut host, 0);
    send(&mut host, 1);
    assert_eq!(zombie.turn(&[], Duration::ZERO).unwrap(), Turn::Work);
    assert!(zombie.owns_place());
    assert_eq!(host.retire(0).unwrap(), [1]);
    let mut successor = start(&mut host, 0);

    assert!(!zombie.owns_place());
    assert!(
        zombie.alloc_block(MIB).unwrap().is_none(),
        "the heap is the successor's"
    );
    let header = FrameHeader {
        kind: kind::RESULT,
        call: 1,
        generation: 1,
        ..FrameHeader::default()
    };
    zombie.publish(&frame(header, &[])).unwrap();
    let mut replies = Vec::new();
    host.poll(&mut replies).unwrap();
    assert!(replies.is_empty());
    assert_eq!(zombie.turn(&[], Duration::ZERO).unwrap(), Turn::Stop);

    send(&mut host, 2);
    answer(&mut successor, 2, 0);
    assert!(successor.owns_place());
    assert!(successor.alloc_block(MIB).unwrap().is_some());
}
