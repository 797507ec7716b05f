//! Memory for large payloads that is set up beforehand: it is there at once, and stays, whoever uses it.

use std::time::Duration;

use knit_sched::{Config, Host, HostOptions, Worker};

const MIB: u64 = 1024 * 1024;

fn host() -> Host {
    let config = Config {
        workers: 2,
        arena_bytes: 8 * MIB as u32,
        ..Config::default()
    };
    Host::create(HostOptions {
        config,
        spin: Duration::ZERO,
        ..HostOptions::default()
    })
    .unwrap()
}

fn resident(host: &Host) -> u64 {
    host.shared().region().resident_bytes().unwrap()
}

fn start(host: &mut Host, place: usize) -> Worker {
    let epoch = host.begin(place).unwrap();
    Worker::attach(host.shared().clone(), place, epoch, true).unwrap()
}

#[test]
fn reserved_pages_of_all_heaps_are_there_at_once_and_stay() {
    let mut host = host();
    let before = resident(&host);
    assert!(before < MIB, "a pool is small unless it is told otherwise");
    host.reserve(2 * MIB).unwrap();
    // Two arenas each: the host's and the two workers'.
    let reserved = 6 * 2 * MIB;
    assert!(resident(&host) >= before + reserved);
    let mut workers = [start(&mut host, 0), start(&mut host, 1)];
    let block = host.alloc_block(6 * MIB as usize).unwrap().unwrap();
    host.free_block(block.locator.raw()).unwrap();
    let block = workers[0].alloc_block(6 * MIB as usize).unwrap().unwrap();
    workers[0].free_block(block.locator.raw()).unwrap();
    let most = resident(&host);
    host.trim().unwrap();
    for worker in &mut workers {
        worker.trim().unwrap();
    }
    let after = resident(&host);
    assert!(
        after >= before + reserved && after < most,
        "{after} of {most}"
    );
}

#[test]
fn a_replacement_keeps_what_its_predecessor_had() {
    let mut host = host();
    host.reserve(2 * MIB).unwrap();
    let before = resident(&host);
    for _ in 0..2 {
        let mut worker = start(&mut host, 0);
        worker.trim().unwrap();
        drop(worker);
        host.retire(0).unwrap();
        host.trim().unwrap();
    }
    assert!(resident(&host) >= before);
}

#[test]
fn everything_can_be_reserved() {
    let mut host = host();
    host.reserve(u64::MAX).unwrap();
    assert!(resident(&host) >= 6 * 8 * MIB);
}
