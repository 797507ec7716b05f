//! Promises of the frame ring, one by one: what is refused, what a crash may leave, what hostile memory may do.

mod support;

use knit_ring::frame::{MAX_CAPACITY, MIN_CAPACITY};
use knit_ring::{FrameConsumer, FrameHeader, FrameProducer, HEADER_BYTES, Owner, RingError};
use knit_shm::{Area, Region};
use std::sync::atomic::{AtomicBool, Ordering};
use support::{fill, header, is_genuine, owner, scaled};

// Where the words are, as the table in `layout` says.
const TAIL: usize = 128;
const CURSOR: usize = 256;
const HEAD: usize = 384;
const ENTRIES: usize = 512;

fn ring(capacity: u32) -> (Area, FrameProducer) {
    let size = FrameProducer::area_size(capacity);
    let area = Region::heap(size).area(0, size).unwrap();
    (area.clone(), FrameProducer::create(area, capacity).unwrap())
}

fn push(producer: &mut FrameProducer, call: u32, len: usize) -> Result<(), RingError> {
    let payload = vec![call as u8; len];
    producer.push(&header(call, &payload), &payload)
}

fn calls(consumer: &mut FrameConsumer) -> Vec<u32> {
    let mut claims = Vec::new();
    consumer.claim(usize::MAX, |_| true, &mut claims).unwrap();
    let released = claims.into_iter().map(|claim| {
        let call = claim.header.call;
        consumer.release(claim).unwrap();
        call
    });
    released.collect()
}

#[test]
fn capacities_outside_the_limits_are_refused() {
    let area = ring(64).0;
    for capacity in [0, 1, MIN_CAPACITY / 2, 24, MAX_CAPACITY * 2, u32::MAX] {
        let refused = FrameProducer::create(area.clone(), capacity).err().unwrap();
        assert_eq!(refused.code(), "RING_BAD_CAPACITY", "{capacity}");
    }
    let refused = FrameProducer::create(area, 128).err().unwrap();
    assert_eq!(refused.code(), "RING_NOT_A_RING");
}

#[test]
fn an_area_off_the_lines_is_refused() {
    let region = Region::heap(8192);
    let area = region.area(64, 4096).unwrap();
    assert_eq!(
        FrameProducer::create(area, 8).err().unwrap().code(),
        "RING_NOT_A_RING"
    );
}

#[test]
fn what_is_no_ring_is_not_attached() {
    let size = FrameProducer::area_size(8);
    let blank = Region::heap(size).area(0, size).unwrap();
    let attach = |area: &Area| FrameConsumer::attach(area.clone(), owner(1)).map(drop);
    assert_eq!(attach(&blank).unwrap_err().code(), "RING_NOT_A_RING");
    // Each word of the header, changed alone.
    for at in (0..24).step_by(4) {
        let (area, _producer) = ring(8);
        attach(&area).unwrap();
        let word: u32 = area.read(at).unwrap();
        for wrong in [word ^ 1, word << 1, word | 1 << 31, 0] {
            if wrong != word {
                area.write(at, &wrong).unwrap();
                assert_eq!(
                    attach(&area).unwrap_err().code(),
                    "RING_NOT_A_RING",
                    "{at} {wrong:x}"
                );
            }
        }
    }
    // A header that promises more than the area has.
    let (area, _producer) = ring(64);
    let short = area.area(0, area.len() - 1).unwrap();
    assert_eq!(attach(&short).unwrap_err().code(), "RING_NOT_A_RING");
}

#[test]
fn nothing_is_seen_before_it_is_published() {
    let (area, mut producer) = ring(8);
    let mut consumer = FrameConsumer::attach(area, owner(1)).unwrap();
    assert!(!producer.publish());
    push(&mut producer, 1, 10).unwrap();
    assert!(consumer.is_empty().unwrap());
    assert_eq!(calls(&mut consumer), []);
    assert!(producer.publish());
    assert!(!producer.publish());
    assert_eq!(consumer.peek().unwrap().unwrap().call, 1);
    assert_eq!(calls(&mut consumer), [1]);
}

#[test]
fn the_longest_frame_always_fits_an_emptied_ring() {
    for start in 0..16 {
        let (area, mut producer) = ring(16);
        let mut consumer = FrameConsumer::attach(area, owner(1)).unwrap();
        for call in 0..start {
            push(&mut producer, call, 0).unwrap();
            producer.publish();
            assert_eq!(calls(&mut consumer), [call]);
        }
        let longest = producer.max_frame_bytes() - HEADER_BYTES;
        push(&mut producer, 99, longest).unwrap();
        let refused = push(&mut producer, 99, longest + 1).unwrap_err();
        assert_eq!(refused.code(), "RING_FRAME_TOO_LONG");
        producer.publish();
        assert_eq!(calls(&mut consumer), [99]);
    }
}

#[test]
fn frames_that_are_not_whole_are_refused() {
    let (_, mut producer) = ring(16);
    let frame = [bytemuck::bytes_of(&header(1, b"abc")), b"abc"].concat();
    for cut in 0..frame.len() {
        assert_eq!(
            producer.push_raw(&frame[..cut]).unwrap_err().code(),
            "RING_FRAME_MALFORMED"
        );
    }
    let longer = [&frame[..], b"d"].concat();
    assert_eq!(
        producer.push_raw(&longer).unwrap_err().code(),
        "RING_FRAME_MALFORMED"
    );
    let refused = producer.push(&header(1, b"abc"), b"ab").unwrap_err();
    assert_eq!(refused.code(), "RING_FRAME_MALFORMED");
    assert_eq!(producer.used(), 0);
    producer.push_raw(&frame).unwrap();
}

#[test]
fn a_refused_frame_stays_for_others() {
    let (area, mut producer) = ring(32);
    let mut picky = FrameConsumer::attach(area.clone(), owner(1)).unwrap();
    let mut other = FrameConsumer::attach(area, owner(2)).unwrap();
    for call in 0..3 {
        push(&mut producer, call, 4).unwrap();
    }
    producer.publish();
    let mut claims = Vec::new();
    assert_eq!(
        picky.claim(9, |peek| peek.call < 1, &mut claims).unwrap(),
        1
    );
    assert_eq!(
        picky.claim(9, |peek| peek.call < 1, &mut claims).unwrap(),
        0
    );
    assert_eq!(producer.unclaimed().unwrap(), 2);
    assert_eq!(calls(&mut other), [1, 2]);
    picky.release(claims.pop().unwrap()).unwrap();
}

#[test]
fn a_claim_is_taken_only_by_the_ring_it_was_made_on() {
    let (area, mut producer) = ring(8);
    let (foreign, _other) = ring(8);
    push(&mut producer, 1, 4).unwrap();
    producer.publish();
    let mut claims = Vec::new();
    let mut consumer = FrameConsumer::attach(area, owner(1)).unwrap();
    consumer.claim(1, |_| true, &mut claims).unwrap();
    let mut stranger = FrameConsumer::attach(foreign, owner(1)).unwrap();
    let claim = claims.pop().unwrap();
    let refused = stranger.payload(&claim, &mut Vec::new()).unwrap_err();
    assert_eq!(refused.code(), "RING_FOREIGN_CLAIM");
    assert_eq!(
        stranger.release(claim).unwrap_err().code(),
        "RING_FOREIGN_CLAIM"
    );
}

#[test]
fn space_comes_back_in_order_and_says_who_had_it() {
    let (area, mut producer) = ring(16);
    let mut first = FrameConsumer::attach(area.clone(), owner(1)).unwrap();
    let mut second = FrameConsumer::attach(area, owner(2)).unwrap();
    push(&mut producer, 0, 4).unwrap();
    push(&mut producer, 1, 4).unwrap();
    producer.publish();
    let mut held = Vec::new();
    first.claim(1, |_| true, &mut held).unwrap();
    assert_eq!(calls(&mut second), [1]);
    assert_eq!(
        producer
            .reclaim(|_, _| panic!("the first is still held"))
            .unwrap(),
        0
    );
    first.release(held.pop().unwrap()).unwrap();
    let mut told = Vec::new();
    producer
        .reclaim(|header: &FrameHeader, who| told.push((header.call, who)))
        .unwrap();
    assert_eq!(told, [(0, owner(1)), (1, owner(2))]);
    assert_eq!(producer.used(), 0);
}

#[test]
fn a_consumer_that_died_before_it_raised_the_cursor_stops_nobody() {
    for first in [0, (1 << 32) - 4] {
        let size = FrameProducer::area_size(8);
        let area = Region::heap(size).area(0, size).unwrap();
        let mut producer = FrameProducer::create_at(area.clone(), 8, first).unwrap();
        let mut dying = FrameConsumer::attach(area.clone(), owner(1)).unwrap();
        let mut living = FrameConsumer::attach(area.clone(), owner(2)).unwrap();
        for call in 0..4 {
            push(&mut producer, call, 40).unwrap();
        }
        producer.publish();
        let mut claims = Vec::new();
        dying.claim(4, |_| true, &mut claims).unwrap();
        // As its death between the last claim and the end of the walk would have left it.
        area.write(CURSOR, &first).unwrap();
        assert!(living.is_empty().unwrap());
        area.write(CURSOR, &first).unwrap();
        let mut recovered = Vec::new();
        producer
            .recover(owner(1), |header| recovered.push(header.call))
            .unwrap();
        assert_eq!(recovered, [0, 1, 2, 3]);
        // More than once around, so that the old cursor is more than a ring behind.
        for round in 0..3 {
            for call in 0..4 {
                push(&mut producer, round * 4 + call, 40).unwrap();
            }
            producer.publish();
            assert_eq!(
                calls(&mut living),
                (round * 4..round * 4 + 4).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn taking_back_leaves_what_is_not_wanted() {
    let (area, mut producer) = ring(32);
    let mut consumer = FrameConsumer::attach(area, owner(1)).unwrap();
    for call in 0..4 {
        push(&mut producer, call, 4).unwrap();
        if call == 2 {
            producer.publish();
        }
    }
    let mut back = Vec::new();
    let odd = |peek: &knit_ring::Peek| peek.call % 2 == 1;
    producer
        .drain_unclaimed(odd, |header, payload| {
            back.push((header.call, payload.len()))
        })
        .unwrap();
    assert_eq!(back, [(1, 4), (3, 4)]);
    producer.publish();
    assert_eq!(calls(&mut consumer), [0, 2]);
    let mut who = Vec::new();
    producer.reclaim(|_, owner| who.push(owner)).unwrap();
    assert_eq!(who, [owner(1), Owner::PRODUCER, owner(1), Owner::PRODUCER]);
}

#[test]
fn a_payload_length_changed_behind_our_back_is_found_out() {
    for wrong in [0, 16, 49, u32::MAX - 20, u32::MAX] {
        let (area, mut producer) = ring(8);
        let mut consumer = FrameConsumer::attach(area.clone(), owner(1)).unwrap();
        push(&mut producer, 1, 16 + 32).unwrap();
        producer.publish();
        area.write(ENTRIES + 8 * 16, &(wrong)).unwrap();
        let error = consumer.claim(1, |_| true, &mut Vec::new()).unwrap_err();
        assert_eq!(error.code(), "RING_CORRUPT", "{wrong}");
    }
}

#[test]
fn hostile_words_end_in_an_error_or_in_other_frames_but_always_end() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut corrupt = 0;
    for _ in 0..scaled(20_000) {
        let (area, mut producer) = ring(8);
        let mut consumer = FrameConsumer::attach(area.clone(), owner(1)).unwrap();
        for call in 0..random.u32(0..4) {
            let _ = push(&mut producer, call, random.usize(0..70));
        }
        producer.publish();
        for _ in 0..random.usize(1..4) {
            let at = match random.u8(0..5) {
                0 => TAIL,
                1 => CURSOR,
                2 => HEAD,
                3 => ENTRIES + 16 * random.usize(0..8),
                _ => ENTRIES + 8 * 16 + 32 * random.usize(0..8),
            };
            let old: u64 = area.read(at).unwrap();
            let value = match random.u8(0..4) {
                0 => random.u64(..),
                1 => old ^ (1 << random.u32(0..64)),
                2 => old.wrapping_add(random.u64(0..20)),
                _ => random.u64(0..24),
            };
            area.write(at, &value).unwrap();
        }
        let mut claims = Vec::new();
        let mut failed = consumer.claim(usize::MAX, |_| true, &mut claims).is_err();
        failed |= consumer.peek().is_err();
        for claim in claims {
            let end = claim.data_offset + claim.payload_len();
            assert!(claim.data_offset >= ENTRIES + 8 * 16 && end <= area.len());
            consumer.payload(&claim, &mut Vec::new()).unwrap();
            let _ = consumer.release(claim);
        }
        failed |= producer.unclaimed().is_err();
        failed |= producer.recover(owner(1), |_| ()).is_err();
        failed |= producer.drain_unclaimed(|_| true, |_, _| ()).is_err();
        failed |= producer.reclaim(|_, _| ()).is_err();
        for call in 0..8 {
            let _ = push(&mut producer, call, 60);
        }
        corrupt += u64::from(failed);
    }
    assert!(corrupt > 0);
}

#[test]
fn threads_share_a_ring_without_loss() {
    let total = scaled(400_000) as u32;
    for first in [0, (1 << 32) - 1000] {
        let size = FrameProducer::area_size(64);
        let area = Region::heap(size).area(0, size).unwrap();
        let mut producer = FrameProducer::create_at(area.clone(), 64, first).unwrap();
        let mut seen = vec![false; total as usize];
        let done = &AtomicBool::new(false);
        std::thread::scope(|scope| {
            let consumers = [1, 2].map(|number| {
                let mut ring = FrameConsumer::attach(area.clone(), owner(number)).unwrap();
                scope.spawn(move || {
                    let (mut mine, mut claims, mut payload) = (Vec::new(), Vec::new(), Vec::new());
                    loop {
                        let last = done.load(Ordering::Acquire);
                        let claimed = ring.claim(4, |_| true, &mut claims).unwrap();
                        if claimed == 0 && last {
                            return mine;
                        }
                        if claimed == 0 {
                            std::thread::yield_now();
                        }
                        for claim in claims.drain(..) {
                            payload.clear();
                            ring.payload(&claim, &mut payload).unwrap();
                            assert!(is_genuine(&claim.header, &payload));
                            mine.push(claim.header.call);
                            ring.release(claim).unwrap();
                        }
                    }
                })
            });
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
            done.store(true, Ordering::Release);
            for consumer in consumers {
                for call in consumer.join().unwrap() {
                    assert!(!std::mem::replace(&mut seen[call as usize], true));
                }
            }
        });
        assert!(seen.iter().all(|seen| *seen));
    }
}

#[test]
fn a_producer_that_reclaims_by_hand_hears_of_every_frame() {
    let size = FrameProducer::area_size(64);
    let area = Region::heap(size).area(0, size).unwrap();
    let mut producer = FrameProducer::create(area.clone(), 64).unwrap();
    producer.reclaim_by_hand();
    let mut consumer = FrameConsumer::attach(area, owner(1)).unwrap();
    let (mut heard, mut claims) = (Vec::new(), Vec::new());
    for call in 0..1000 {
        while push(&mut producer, call, 40).is_err() {
            producer.publish();
            consumer.claim(64, |_| true, &mut claims).unwrap();
            for claim in claims.drain(..) {
                consumer.release(claim).unwrap();
            }
            producer
                .reclaim(|header, _| heard.push(header.call))
                .unwrap();
        }
    }
    let pushed = heard.len() as u32;
    assert!(pushed > 900);
    assert_eq!(heard, (0..pushed).collect::<Vec<_>>());
}
