//! A worker that damages its reply ring: the host learns whose it was, reads no more of it, and goes on with the others.

use std::time::Duration;

use knit_sched::frames::{append, call_of, result_of};
use knit_sched::{Config, Host, HostOptions, Turn, Worker};

const MAGIC: &[u8] = b"knitSTRM";

fn host() -> Host {
    Host::create(HostOptions {
        config: Config {
            workers: 2,
            ..Config::default()
        },
        steal: false,
        spin: Duration::ZERO,
        ..HostOptions::default()
    })
    .unwrap()
}

fn start(host: &mut Host, place: usize) -> Worker {
    let epoch = host.begin(place).unwrap();
    Worker::attach(host.shared().clone(), place, epoch, false).unwrap()
}

/// Where the reply ring of a place begins.
fn ring(host: &Host, place: usize) -> usize {
    let (region, front) = (host.shared().region(), host.shared().layout().front_bytes());
    let mut bytes = vec![0; front];
    region.copy_from(0, &mut bytes).unwrap();
    let begins = |at: &usize| &bytes[*at..*at + MAGIC.len()] == MAGIC;
    (0..front - MAGIC.len())
        .step_by(128)
        .filter(begins)
        .nth(place)
        .unwrap()
}

fn submit(host: &mut Host, numbers: &[u32]) {
    let mut calls = Vec::new();
    for call in numbers {
        append(&mut calls, &call_of(0, *call, &[]), &[]);
    }
    host.submit(&calls).unwrap();
}

fn answer(worker: &mut Worker) {
    let mut answers = Vec::new();
    while worker
        .turn(&std::mem::take(&mut answers), Duration::ZERO)
        .unwrap()
        == Turn::Work
    {
        for n in 0..worker.claims().len() {
            let header = worker.call(n).unwrap().header;
            append(&mut answers, &result_of(&header, &[]), &[]);
        }
    }
}

fn answered(host: &mut Host) -> Vec<u32> {
    let mut replies = Vec::new();
    let mut calls = Vec::new();
    loop {
        host.poll(&mut replies).unwrap();
        if replies.is_empty() {
            return calls;
        }
        calls.extend(
            host.read(&replies)
                .unwrap()
                .iter()
                .map(|message| message.header.call),
        );
    }
}

#[test]
fn a_position_outside_the_ring_names_its_worker_and_costs_only_its_calls() {
    let mut host = host();
    let mut workers = [start(&mut host, 0), start(&mut host, 1)];
    submit(&mut host, &[0, 1, 2, 3]);
    // It has taken its calls, and answers none.
    assert_eq!(workers[0].turn(&[], Duration::ZERO).unwrap(), Turn::Work);
    let tail = ring(&host, 0) + 128;
    host.shared()
        .region()
        .copy_to(tail, &0xffff_ffe0_u32.to_le_bytes())
        .unwrap();
    answer(&mut workers[1]);
    assert_eq!(answered(&mut host), [1, 3]);
    assert_eq!(host.take_damaged(), Some(0));
    assert_eq!(host.take_damaged(), None, "once");
    // Nothing more is read from there, and nobody spins because of it.
    assert!(answered(&mut host).is_empty());
    assert!(host.arm().unwrap());
    host.disarm();
    let [worker, mut other] = workers;
    drop(worker);
    let lost = host.retire(0).unwrap();
    assert!(
        !lost.is_empty() && lost.iter().all(|call| [0, 2].contains(call)),
        "{lost:?}"
    );
    let mut next = start(&mut host, 0);
    submit(&mut host, &[4, 5]);
    answer(&mut next);
    answer(&mut other);
    let mut calls = answered(&mut host);
    calls.retain(|call| *call > 3);
    calls.sort_unstable();
    assert_eq!(calls, [4, 5]);
    assert_eq!(host.take_damaged(), None);
}

#[test]
fn a_reply_longer_than_what_is_published_names_its_worker() {
    let mut host = host();
    let mut workers = [start(&mut host, 0), start(&mut host, 1)];
    submit(&mut host, &[0, 1]);
    for worker in &mut workers {
        answer(worker);
    }
    let mut replies = Vec::new();
    host.poll(&mut replies).unwrap();
    let span = replies.iter().find(|span| span.worker == 0).unwrap().offset;
    host.shared()
        .region()
        .copy_to(span, &0x00ff_ffff_u32.to_le_bytes())
        .unwrap();
    let read: Vec<u32> = host
        .read(&replies)
        .unwrap()
        .iter()
        .map(|message| message.header.call)
        .collect();
    assert_eq!(read, [1]);
    assert_eq!(host.take_damaged(), Some(0));
}
