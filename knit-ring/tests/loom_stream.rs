//! Models of the stream: order, reuse of space across the wrap, pads.
#![cfg(loom)]

mod loom_support;

use knit_ring::memory::Model;
use knit_ring::{StreamConsumer, StreamProducer};
use loom::thread;
use loom_support::{explore, small};

fn read(ring: &mut StreamConsumer<Model>) -> Vec<u32> {
    let mut calls = Vec::new();
    while let Some(span) = ring.readable().unwrap() {
        let mut payload = Vec::new();
        for frame in ring.frames(span) {
            let frame = frame.unwrap();
            let (header, expected) = small(frame.header.call);
            payload.clear();
            ring.payload(&frame, &mut payload).unwrap();
            assert_eq!(
                (frame.header.generation, &payload[..16]),
                (header.generation, &expected[..])
            );
            calls.push(frame.header.call);
        }
        ring.consume(span.len).unwrap();
    }
    calls
}

#[test]
fn frames_arrive_once_and_in_order_across_the_wrap() {
    explore(4, || {
        let model = Model::new(2);
        // The last granule below 2^32 bytes.
        let mut producer = StreamProducer::create_in(&model, 0u32.wrapping_sub(32));
        let mut consumer = StreamConsumer::attach_in(&model);
        let reader = thread::spawn(move || {
            let mut calls = read(&mut consumer);
            calls.extend(read(&mut consumer));
            (calls, consumer)
        });
        let mut pushed = 0;
        for _ in 0..4 {
            let (header, payload) = small(pushed);
            if producer.push(&header, &payload).is_ok() {
                pushed += 1;
            }
            producer.publish();
        }
        let (mut calls, mut consumer) = reader.join().unwrap();
        calls.extend(read(&mut consumer));
        assert_eq!(calls, (0..pushed).collect::<Vec<_>>());
        assert!(pushed >= 2);
    });
}

#[test]
fn pads_are_never_shown() {
    explore(4, || {
        let model = Model::new(4);
        // One granule before the end: the frame of two granules needs a pad.
        let mut producer = StreamProducer::create_in(&model, 0u32.wrapping_sub(32));
        let mut consumer = StreamConsumer::attach_in(&model);
        let reader = thread::spawn(move || (read(&mut consumer), consumer));
        let (mut header, payload) = small(1);
        header.payload_len = 48;
        producer.push(&header, &[payload; 3].concat()).unwrap();
        producer.publish();
        let (mut calls, mut consumer) = reader.join().unwrap();
        calls.extend(read(&mut consumer));
        assert_eq!(calls, [1]);
    });
}
