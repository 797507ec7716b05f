//! Replies that become ready while their worker sleeps, as promises do: host and worker of one pool in one thread, step by step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use knit_sched::frames::{append, call_of, result_of};
use knit_sched::{Bell, Config, Host, HostOptions, Worker};

#[derive(Default)]
struct Rung(AtomicBool);

impl Bell for Rung {
    fn ring(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_sleeping_worker_whose_replies_find_no_room_is_woken_when_there_is_some() {
    const CALLS: u32 = 500;
    let mut host = Host::create(HostOptions {
        config: Config {
            workers: 1,
            reply_granules: 64,
            ..Config::default()
        },
        steal: true,
        spin: Duration::ZERO,
        ..HostOptions::default()
    })
    .unwrap();
    let epoch = host.begin(0).unwrap();
    let mut worker = Worker::attach(host.shared().clone(), 0, epoch, true).unwrap();
    let rung = Arc::new(Rung::default());
    host.shared().set_bell(Some(0), Some(rung.clone())).unwrap();

    let mut calls = Vec::new();
    for call in 0..CALLS {
        append(&mut calls, &call_of(0, call, &[]), &[]);
    }
    host.submit(&calls).unwrap();
    let mut answers = Vec::new();
    while !worker.arm().unwrap() {
        worker.turn(&[], Duration::ZERO).unwrap();
        for n in 0..worker.claims().len() {
            let header = worker.call(n).unwrap().header;
            append(&mut answers, &result_of(&header, &[]), &[]);
        }
    }
    // It sleeps; its promises resolve all the same.
    worker.publish(&answers).unwrap();

    let mut received = 0;
    let mut replies = Vec::new();
    for _ in 0..CALLS {
        host.poll(&mut replies).unwrap();
        received += host.read(&replies).unwrap().len();
        if rung.0.swap(false, Ordering::Relaxed) {
            worker.turn(&[], Duration::ZERO).unwrap();
            while !worker.arm().unwrap() {}
        }
    }
    assert_eq!(received, CALLS as usize);
}
