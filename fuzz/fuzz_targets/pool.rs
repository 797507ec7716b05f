//! Any bytes over a pool's rings, cells and tables, while a host and a worker use them: never a panic, never a loop without end. What they say of it may be
//! wrong; what they touch must not be.
#![no_main]

use std::time::Duration;

use knit_ring::FrameHeader;
use knit_sched::frames::{self, kind};
use knit_sched::{Config, Host, HostOptions, Layout, Shared, Worker};
use libfuzzer_sys::fuzz_target;

const CONFIG: Config = Config {
    workers: 2,
    request_granules: 64,
    reply_granules: 64,
    arena_bytes: 64 * 1024,
    abort_slots: 4,
    host_shape_bytes: 4096,
    worker_shape_bytes: 4096,
};

fn frame(kind: u8, call: u32, payload: &[u8]) -> Vec<u8> {
    let header = FrameHeader {
        kind,
        call,
        payload_len: payload.len() as u32,
        ..FrameHeader::default()
    };
    let mut buffer = Vec::new();
    frames::append(&mut buffer, &header, payload);
    buffer
}

/// Writes each piece of the input (place, length, bytes) into the front of the memory.
fn damage(host: &Host, mut input: &[u8]) {
    let region = host.shared().region();
    let front = host.shared().layout().front_bytes();
    while let [low, high, len, rest @ ..] = input {
        let bytes = &rest[..usize::from(*len % 33).min(rest.len())];
        let at = usize::from(u16::from_le_bytes([*low, *high])) * 4 % (front - 32);
        region.copy_to(at, bytes).expect("inside the region");
        input = &rest[bytes.len()..];
    }
}

fuzz_target!(|input: &[u8]| {
    let mut host = Host::create(HostOptions {
        config: CONFIG,
        spin: Duration::ZERO,
        ..HostOptions::default()
    })
    .expect("a pool");
    let epoch = host.begin(0).expect("a place");
    let mut worker =
        Worker::attach(host.shared().clone(), 0, epoch, true).expect("the place is open");
    for call in 0..3 {
        host.submit(&frame(kind::CALL, call, &[7; 100]))
            .expect("there is room");
    }
    let _ = worker.turn(&[], Duration::ZERO);
    let half = input.len() / 2;
    let mut spans = Vec::new();
    for part in [&input[..half], &input[half..]] {
        let _ = worker.publish(&frame(kind::RESULT, 0, &[1; 40]));
        damage(&host, part);
        if let Ok(layout) = Layout::attach(host.shared().region()) {
            assert!(layout.total_bytes() <= host.shared().region().len());
        }
        if host.poll(&mut spans).is_ok() {
            let _ = host.read(&spans);
        }
        let _ = host.submit(&frame(kind::CALL, 3, &[2; 700]));
        if worker.turn(&[], Duration::ZERO).is_ok() {
            for claim in 0..worker.claims().len() {
                let _ = worker.call(claim);
            }
        }
        let _ = worker.arm();
        let _ = host.arm();
    }
    if let Ok(shared) = Shared::attach(host.shared().region().clone()) {
        if let Ok(epoch) = host.begin(1) {
            if let Ok(mut other) = Worker::attach(shared, 1, epoch, true) {
                let _ = other.turn(&[], Duration::ZERO);
            }
        }
    }
    let _ = host.retire(0);
    let _ = host.begin(0);
    let _ = host.evacuate(1);
});
