//! The stream ring: against a plain queue under any sequence of operations, and its promises one by one.

mod support;

use knit_ring::{FrameHeader, HEADER_BYTES, KIND_PAD, RingError, StreamConsumer, StreamProducer};
use knit_shm::{Area, Region};
use proptest::prelude::*;
use std::collections::VecDeque;
use support::{fill, header, is_genuine, scaled};

// Where the words are, as the table in `layout` says.
const TAIL: usize = 128;
const HEAD: usize = 256;
const DATA: usize = 384;

fn ring(capacity: u32, first: u32) -> (Area, StreamProducer, StreamConsumer) {
    let size = StreamProducer::area_size(capacity);
    let area = Region::heap(size).area(0, size).unwrap();
    area.copy_to(0, &vec![0xEE; size]).unwrap();
    let producer = StreamProducer::create_at(area.clone(), capacity, first).unwrap();
    let consumer = StreamConsumer::attach(area.clone()).unwrap();
    (area, producer, consumer)
}

/// Reads and consumes one span.
fn read(consumer: &mut StreamConsumer) -> Result<Vec<(FrameHeader, Vec<u8>)>, RingError> {
    let mut frames = Vec::new();
    if let Some(span) = consumer.readable()? {
        for frame in consumer.frames(span) {
            let frame = frame?;
            let mut payload = Vec::new();
            consumer.payload(&frame, &mut payload)?;
            frames.push((frame.header, payload));
        }
        consumer.consume(span.len)?;
    }
    Ok(frames)
}

#[derive(Clone, Debug)]
enum Step {
    Push { len: usize, raw: bool },
    Publish,
    Read { frames: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0..200usize, any::<bool>()).prop_map(|(len, raw)| Step::Push { len, raw }),
        3 => Just(Step::Publish),
        3 => (0..6usize).prop_map(|frames| Step::Read { frames }),
    ];
    prop::collection::vec(step, 1..250)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: scaled(400) as u32,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn every_sequence_ends_as_with_a_queue(below in 0..2000u32, log in 3..6u32, steps in steps()) {
        let capacity = 1 << log;
        let (area, mut producer, mut consumer) = ring(capacity, 0u32.wrapping_sub(below));
        let (mut pushed, mut published) = (VecDeque::new(), VecDeque::new());
        let mut next = 0;
        for step in steps {
            match step {
                Step::Push { len, raw } => {
                    let payload = vec![next as u8; len];
                    let header = header(next, &payload);
                    let length = header.granules() as u32 * 32;
                    let result = if raw {
                        producer.push_raw(&[bytemuck::bytes_of(&header), &payload].concat())
                    } else {
                        producer.push(&header, &payload)
                    };
                    match result {
                        Ok(()) => pushed.push_back((header, payload)),
                        // Only if the frame and the pad before it, which is shorter, really might not fit.
                        Err(RingError::Full) => prop_assert!(producer.used() + 2 * length > capacity * 32),
                        Err(RingError::TooLong { .. }) => prop_assert!(length > capacity * 16),
                        Err(error) => return Err(TestCaseError::fail(error.to_string())),
                    }
                    next += 1;
                }
                Step::Publish => {
                    prop_assert_eq!(producer.publish(), !pushed.is_empty());
                    published.append(&mut pushed);
                }
                Step::Read { frames } => {
                    let Some(span) = consumer.readable().unwrap() else {
                        prop_assert!(published.is_empty() && consumer.is_empty());
                        continue;
                    };
                    let base = span.offset;
                    let mut end = base;
                    let found: Vec<_> = consumer.frames(span).take(frames).collect();
                    for frame in found {
                        let frame = frame.unwrap();
                        let mut payload = Vec::new();
                        consumer.payload(&frame, &mut payload).unwrap();
                        let mut in_place = vec![0; payload.len()];
                        area.region().copy_from(frame.data_offset, &mut in_place).unwrap();
                        prop_assert_eq!(&payload, &in_place);
                        prop_assert_eq!(Some((frame.header, payload)), published.pop_front());
                        end = frame.data_offset - HEADER_BYTES + frame.header.granules() as usize * 32;
                    }
                    consumer.consume((end - base) as u32).unwrap();
                }
            }
        }
        producer.publish();
        published.append(&mut pushed);
        // What it knew of, then what came since: up to the end, and from the start.
        for _ in 0..3 {
            for frame in read(&mut consumer).unwrap() {
                prop_assert_eq!(Some(frame), published.pop_front());
            }
        }
        prop_assert!(published.is_empty() && consumer.is_empty());
    }
}

#[test]
fn nothing_is_seen_before_it_is_published() {
    let (_, mut producer, mut consumer) = ring(8, 0);
    producer.push(&header(1, b"one"), b"one").unwrap();
    assert_eq!(consumer.readable().unwrap(), None);
    assert!(producer.publish());
    assert!(!producer.publish());
    assert_eq!(
        read(&mut consumer).unwrap(),
        [(header(1, b"one"), b"one".to_vec())]
    );
}

#[test]
fn the_longest_frame_always_fits_an_emptied_ring() {
    for start in 0..16 {
        let (_, mut producer, mut consumer) = ring(16, start * 32);
        let longest = producer.max_frame_bytes() - HEADER_BYTES;
        let payload = vec![7; longest + 1];
        producer
            .push(&header(1, &payload[1..]), &payload[1..])
            .unwrap();
        let refused = producer.push(&header(1, &payload), &payload).unwrap_err();
        assert_eq!(refused.code(), "RING_FRAME_TOO_LONG");
        producer.publish();
        let frames = [read(&mut consumer).unwrap(), read(&mut consumer).unwrap()].concat();
        assert_eq!(frames, [(header(1, &payload[1..]), payload[1..].to_vec())]);
    }
}

#[test]
fn the_pads_kind_is_reserved() {
    let (_, mut producer, _consumer) = ring(8, 0);
    let header = FrameHeader {
        kind: KIND_PAD,
        ..Default::default()
    };
    assert_eq!(
        producer.push(&header, &[]).unwrap_err().code(),
        "RING_FRAME_MALFORMED"
    );
    let refused = producer.push_raw(bytemuck::bytes_of(&header)).unwrap_err();
    assert_eq!(refused.code(), "RING_FRAME_MALFORMED");
    assert_eq!(producer.used(), 0);
}

#[test]
fn only_what_was_shown_can_be_consumed() {
    let (_, mut producer, mut consumer) = ring(8, 0);
    producer.push(&header(1, &[]), &[]).unwrap();
    producer.publish();
    let span = consumer.readable().unwrap().unwrap();
    assert_eq!(
        consumer.consume(span.len + 32).unwrap_err().code(),
        "RING_FRAME_MALFORMED"
    );
    assert_eq!(
        consumer.consume(8).unwrap_err().code(),
        "RING_FRAME_MALFORMED"
    );
    let frame = consumer.frames(span).next().unwrap().unwrap();
    consumer.consume(span.len).unwrap();
    // Consumed is consumed: neither span nor frame shows it again.
    assert!(consumer.frames(span).next().is_none());
    producer.push(&header(2, b"x"), b"x").unwrap();
    producer.publish();
    assert!(consumer.readable().unwrap().is_some());
    assert_eq!(
        consumer
            .payload(&frame, &mut Vec::new())
            .unwrap_err()
            .code(),
        "RING_FRAME_MALFORMED"
    );
}

#[test]
fn what_is_no_stream_is_not_attached() {
    let (area, ..) = ring(8, 0);
    for at in (0..24).step_by(4) {
        let word: u32 = area.read(at).unwrap();
        area.write(at, &(word ^ 4)).unwrap();
        let refused = StreamConsumer::attach(area.clone()).err().unwrap();
        assert_eq!(refused.code(), "RING_NOT_A_RING", "{at}");
        area.write(at, &word).unwrap();
    }
    let short = area.area(0, area.len() - 1).unwrap();
    assert_eq!(
        StreamConsumer::attach(short).err().unwrap().code(),
        "RING_NOT_A_RING"
    );
}

#[test]
fn a_hostile_tail_is_found_out() {
    for wrong in [8u32, 31, 8 * 32 + 32, 1 << 31, 0u32.wrapping_sub(32)] {
        let (area, _producer, mut consumer) = ring(8, 0);
        area.write(TAIL, &wrong).unwrap();
        assert_eq!(
            consumer.readable().unwrap_err().code(),
            "RING_CORRUPT",
            "{wrong}"
        );
    }
}

#[test]
fn a_hostile_head_is_found_out() {
    for wrong in [8u32, 4 * 32 + 32, 1 << 31, 0u32.wrapping_sub(32)] {
        let (area, mut producer, _consumer) = ring(8, 0);
        for call in 0..4 {
            producer.push(&header(call, &[]), &[]).unwrap();
        }
        producer.publish();
        area.write(HEAD, &wrong).unwrap();
        let refused = (0..8).find_map(|call| producer.push(&header(call, &[]), &[]).err());
        assert_eq!(refused.unwrap().code(), "RING_CORRUPT", "{wrong}");
    }
}

#[test]
fn a_hostile_length_is_found_out_and_ends_the_walk() {
    for wrong in [17u32, 1000, u32::MAX] {
        let (area, mut producer, mut consumer) = ring(8, 0);
        producer.push(&header(1, &[1; 16]), &[1; 16]).unwrap();
        producer.publish();
        area.write(DATA, &wrong).unwrap();
        let span = consumer.readable().unwrap().unwrap();
        let found: Vec<_> = consumer.frames(span).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].as_ref().unwrap_err().code(),
            "RING_CORRUPT",
            "{wrong}"
        );
    }
}

#[test]
fn two_threads_exchange_everything_in_order() {
    let total = scaled(1_000_000) as u32;
    let (_area, mut producer, mut consumer) = ring(64, 0u32.wrapping_sub(1 << 20));
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut payload = Vec::new();
            for call in 0..total {
                let header = fill(call, &mut payload);
                while let Err(error) = producer.push(&header, &payload) {
                    assert_eq!(error.code(), "RING_FULL");
                    producer.publish();
                    std::thread::yield_now();
                }
                if call % 8 == 7 {
                    producer.publish();
                }
            }
            producer.publish();
        });
        let mut next = 0;
        while next < total {
            let frames = read(&mut consumer).unwrap();
            if frames.is_empty() {
                std::thread::yield_now();
            }
            for (header, payload) in frames {
                assert_eq!(header.call, next);
                assert!(is_genuine(&header, &payload));
                next += 1;
            }
        }
    });
}
