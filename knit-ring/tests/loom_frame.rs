//! Models of the frame ring: claiming by several, reuse of space, recovery. Loom checks the payloads for data races.
#![cfg(loom)]

mod loom_support;

use knit_ring::memory::Model;
use knit_ring::{FrameConsumer, FrameProducer, RingError};
use loom::thread;
use loom_support::{explore, open, owner, push, small, take};

/// Below 2^32 granules, so that the position's half in the state word wraps on the way.
const BEFORE_WRAP: u64 = (1 << 32) - 1;

#[test]
fn each_frame_goes_to_exactly_one_of_two_consumers() {
    explore(4, || {
        let model = Model::new(4);
        let mut producer = FrameProducer::create_in(&model, BEFORE_WRAP);
        let consumers = [1, 2].map(|number| {
            let mut ring = FrameConsumer::attach_in(&model, owner(number));
            thread::spawn(move || take(&mut ring, 2))
        });
        assert!(push(&mut producer, 10));
        assert!(producer.publish());
        assert!(push(&mut producer, 11));
        assert!(producer.publish());
        let mut calls: Vec<u32> = consumers
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect();
        calls.extend(take(&mut FrameConsumer::attach_in(&model, owner(3)), 8));
        calls.sort_unstable();
        assert_eq!(calls, [10, 11]);
    });
}

#[test]
fn a_consumer_that_lags_behind_a_reused_ring_finds_its_way() {
    explore(4, || {
        // Two granules: every second frame has the slot of the one before last.
        let model = Model::new(2);
        let mut producer = FrameProducer::create_in(&model, BEFORE_WRAP);
        assert!(push(&mut producer, 0));
        producer.publish();
        let laggard = {
            let mut ring = FrameConsumer::attach_in(&model, owner(1));
            thread::spawn(move || take(&mut ring, 1))
        };
        let mut quick = FrameConsumer::attach_in(&model, owner(2));
        let mut calls = Vec::new();
        let mut pushed = 1;
        for _ in 0..3 {
            calls.extend(take(&mut quick, 1));
            if push(&mut producer, pushed) {
                pushed += 1;
            }
            producer.publish();
        }
        calls.extend(laggard.join().unwrap());
        calls.extend(take(&mut quick, 8));
        calls.sort_unstable();
        assert_eq!(calls, (0..pushed).collect::<Vec<_>>());
        assert!(pushed >= 2);
    });
}

#[test]
fn pads_at_the_end_are_stepped_over_by_everyone() {
    explore(4, || {
        let model = Model::new(4);
        // One granule before the ring's end: a frame of two needs a pad.
        let mut producer = FrameProducer::create_in(&model, 3);
        let consumer = {
            let mut ring = FrameConsumer::attach_in(&model, owner(1));
            thread::spawn(move || take_any(&mut ring))
        };
        let (mut header, _) = small(7);
        header.payload_len = 48;
        producer.push(&header, &[9; 48]).unwrap();
        producer.publish();
        let mut seen = take_any(&mut FrameConsumer::attach_in(&model, owner(2)));
        seen.extend(consumer.join().unwrap());
        seen.extend(take_any(&mut FrameConsumer::attach_in(&model, owner(3))));
        assert_eq!(seen, [vec![9; 48]]);
        assert_eq!(producer.reclaim(|_, _| ()).unwrap(), 3);
    });
}

fn take_any(ring: &mut FrameConsumer<Model>) -> Vec<Vec<u8>> {
    let mut claims = Vec::new();
    ring.claim(8, |_| true, &mut claims).unwrap();
    let read = |claim| {
        let mut payload = Vec::new();
        ring.payload(&claim, &mut payload).unwrap();
        ring.release(claim).unwrap();
        payload
    };
    claims.into_iter().map(read).collect()
}

#[test]
fn recovery_finds_exactly_the_dead_ones_frames_while_another_claims() {
    explore(4, || {
        let model = Model::new(4);
        let mut producer = FrameProducer::create_in(&model, BEFORE_WRAP);
        for call in 0..3 {
            assert!(push(&mut producer, call));
        }
        producer.publish();
        let dead = owner(1);
        let dying = {
            let mut ring = FrameConsumer::attach_in(&model, dead);
            thread::spawn(move || {
                let mut claims = Vec::new();
                ring.claim(2, |_| true, &mut claims).unwrap();
                // It dies with the first in hand, and may have released the second.
                let second = claims.pop().filter(|_| !claims.is_empty());
                let mut calls: Vec<u32> = claims.iter().map(|c| c.header.call).collect();
                if let Some(claim) = second {
                    calls.push(claim.header.call);
                    ring.release(claim).unwrap();
                }
                calls
            })
        };
        let living = {
            let mut ring = FrameConsumer::attach_in(&model, owner(2));
            thread::spawn(move || take(&mut ring, 1))
        };
        let mut taken = dying.join().unwrap();
        let mut recovered = Vec::new();
        producer
            .recover(dead, |header| recovered.push(header.call))
            .unwrap();
        taken.sort_unstable();
        recovered.sort_unstable();
        assert_eq!(recovered, taken);

        let mut calls = living.join().unwrap();
        calls.extend(take(&mut FrameConsumer::attach_in(&model, owner(3)), 8));
        calls.extend(recovered);
        calls.sort_unstable();
        assert_eq!(calls, [0, 1, 2]);
        producer.reclaim(|_, _| ()).unwrap();
        assert_eq!(producer.used(), 0);
    });
}

#[test]
fn who_was_taken_for_dead_is_refused_or_was_faster() {
    explore(4, || {
        let model = Model::new(2);
        let mut producer = FrameProducer::create_in(&model, 0);
        assert!(push(&mut producer, 5));
        producer.publish();
        let suspect = {
            let mut ring = FrameConsumer::attach_in(&model, owner(1));
            thread::spawn(move || {
                let mut claims = Vec::new();
                ring.claim(1, |_| true, &mut claims).unwrap();
                claims.pop().map(|claim| {
                    assert_eq!(claim.header.call, 5);
                    match ring.release(claim) {
                        Ok(()) => true,
                        Err(RingError::ClaimLost) => false,
                        Err(error) => panic!("{error}"),
                    }
                })
            })
        };
        let mut recovered = 0;
        producer
            .recover(owner(1), |header| recovered += header.call)
            .unwrap();
        let outcome = suspect.join().unwrap();
        match outcome {
            // Refused: then it had been recovered.
            Some(false) => assert_eq!(recovered, 5),
            Some(true) | None => {}
        }
        if recovered == 5 {
            // Recovered means that its space comes back, whatever the suspect did.
            producer
                .reclaim(|_, who| assert_eq!(who, owner(1)))
                .unwrap();
            assert_eq!(producer.used(), 0);
        }
    });
}

#[test]
fn a_frame_taken_back_by_the_producer_is_claimed_by_nobody_else() {
    explore(4, || {
        let model = Model::new(4);
        let mut producer = FrameProducer::create_in(&model, 0);
        for call in 0..2 {
            assert!(push(&mut producer, call));
        }
        producer.publish();
        let consumer = {
            let mut ring = FrameConsumer::attach_in(&model, owner(1));
            thread::spawn(move || take(&mut ring, 2))
        };
        let mut back = Vec::new();
        let wanted = |peek: &knit_ring::Peek| peek.call == 1;
        producer
            .drain_unclaimed(wanted, |header, payload| {
                assert_eq!((*header, payload), (small(1).0, &small(1).1[..]));
                back.push(header.call);
            })
            .unwrap();
        let mut calls = consumer.join().unwrap();
        calls.extend(back);
        calls.sort_unstable();
        assert_eq!(calls, [0, 1]);
    });
}

#[test]
fn a_frame_is_taken_back_by_its_position_or_claimed_and_counted_so() {
    explore(4, || {
        let model = Model::new(4);
        let mut producer = FrameProducer::create_in(&model, BEFORE_WRAP);
        let positions = [0, 1].map(|call| {
            assert!(push(&mut producer, call));
            producer.position_of_last(1)
        });
        producer.publish();
        let consumer = {
            let mut ring = FrameConsumer::attach_in(&model, owner(1));
            thread::spawn(move || take(&mut ring, 2))
        };
        let mut calls = Vec::new();
        if producer.take_back(positions[1]).unwrap() {
            calls.push(1);
            assert!(!producer.take_back(positions[1]).unwrap(), "once");
        }
        let waiting = producer.unclaimed().unwrap();
        assert!(waiting + calls.len() <= 2);
        calls.extend(consumer.join().unwrap());
        calls.sort_unstable();
        assert_eq!(calls, [0, 1]);
        assert_eq!(producer.unclaimed().unwrap(), 0);
        producer.reclaim(|_, _| ()).unwrap();
        assert_eq!(producer.used(), 0);
        assert!(!producer.take_back(positions[1]).unwrap(), "it is gone");
    });
}

#[test]
fn a_claim_is_read_before_its_space_is_used_again() {
    explore(4, || {
        let model = Model::new(2);
        let mut producer = FrameProducer::create_in(&model, 0);
        assert!(push(&mut producer, 0));
        assert!(push(&mut producer, 1));
        producer.publish();
        let consumer = {
            let mut ring = FrameConsumer::attach_in(&model, owner(1));
            thread::spawn(move || {
                let mut claims = Vec::new();
                ring.claim(2, |_| true, &mut claims).unwrap();
                for claim in claims {
                    open(&ring, &claim);
                    ring.release(claim).unwrap();
                }
            })
        };
        // Full until the consumer has released: never overwritten while it reads (loom would see the race).
        let fit = push(&mut producer, 2);
        consumer.join().unwrap();
        assert!(fit || push(&mut producer, 2));
    });
}
