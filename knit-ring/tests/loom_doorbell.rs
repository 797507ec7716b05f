//! Models of the doorbell: a sleeper that is not woken is a deadlock, which loom reports.
#![cfg(loom)]

mod loom_support;

use knit_ring::memory::Model;
use knit_ring::{Doorbell, FrameConsumer, FrameProducer};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use loom_support::{explore, owner, push, take};

/// Sleeps until it has had `count` frames out of any of `rings`.
fn serve(bell: &Doorbell<Model>, rings: &mut [FrameConsumer<Model>], count: usize) -> Vec<u32> {
    let mut calls = Vec::new();
    while calls.len() < count {
        bell.arm();
        if rings.iter().all(|ring| ring.is_empty().unwrap()) {
            bell.wait(None).unwrap();
        }
        bell.disarm();
        for ring in rings.iter_mut() {
            calls.extend(take(ring, 8));
        }
    }
    calls
}

#[test]
fn no_published_frame_finds_its_consumer_asleep() {
    explore(4, || {
        let (model, bell) = (Model::new(4), Doorbell::attach_in(&Model::new(1)));
        let mut producer = FrameProducer::create_in(&model, 0);
        let sleeper = {
            let (mut rings, bell) = ([FrameConsumer::attach_in(&model, owner(1))], bell.clone());
            thread::spawn(move || serve(&bell, &mut rings, 2))
        };
        for call in 0..2 {
            assert!(push(&mut producer, call));
            producer.publish();
            if bell.take_armed() {
                bell.ring();
            }
        }
        assert_eq!(sleeper.join().unwrap(), [0, 1]);
    });
}

#[test]
fn one_arming_appoints_one_ringer() {
    explore(4, || {
        let (model, bell) = (Model::new(1), Arc::new(AtomicUsize::new(0)));
        let (door, rings) = (Doorbell::attach_in(&model), bell);
        let wakers = [(); 2].map(|()| {
            let (door, rings) = (door.clone(), rings.clone());
            thread::spawn(move || {
                if door.take_armed() {
                    rings.fetch_add(1, Ordering::Relaxed);
                    door.ring();
                }
            })
        });
        door.arm();
        let taken = door.disarm();
        for waker in wakers {
            waker.join().unwrap();
        }
        assert_eq!(rings.load(Ordering::Relaxed), usize::from(taken));
    });
}

#[test]
fn an_idle_consumer_is_woken_for_work_queued_at_a_busy_one() {
    explore(4, || {
        let (own, other) = (Model::new(2), Model::new(2));
        let bell = Doorbell::attach_in(&Model::new(1));
        // Nothing will come in the thief's own ring; the other ring's consumer is busy and never looks.
        let _idle = FrameProducer::create_in(&own, 0);
        let mut producer = FrameProducer::create_in(&other, 0);
        let thief = {
            let mut rings = [
                FrameConsumer::attach_in(&own, owner(1)),
                FrameConsumer::attach_in(&other, owner(1)),
            ];
            let bell = bell.clone();
            thread::spawn(move || serve(&bell, &mut rings, 1))
        };
        assert!(push(&mut producer, 42));
        producer.publish();
        if bell.take_armed() {
            bell.ring();
        }
        assert_eq!(thief.join().unwrap(), [42]);
    });
}

#[test]
fn a_thief_and_the_woken_owner_share_without_loss() {
    explore(5, || {
        let ring = Model::new(4);
        let bell = Doorbell::attach_in(&Model::new(1));
        let mut producer = FrameProducer::create_in(&ring, 0);
        let thief = {
            let mut ring = FrameConsumer::attach_in(&ring, owner(2));
            thread::spawn(move || take(&mut ring, 1))
        };
        let sleeper = {
            let (ring, bell) = (FrameConsumer::attach_in(&ring, owner(1)), bell.clone());
            // Both frames come at once and the thief takes one at most: there is always something to be woken for.
            thread::spawn(move || {
                let mut rings = [ring];
                bell.arm();
                if rings[0].is_empty().unwrap() {
                    bell.wait(None).unwrap();
                }
                bell.disarm();
                take(&mut rings[0], 8)
            })
        };
        for call in 0..2 {
            assert!(push(&mut producer, call));
        }
        producer.publish();
        if bell.take_armed() {
            bell.ring();
        }
        let mut calls = thief.join().unwrap();
        calls.extend(sleeper.join().unwrap());
        calls.sort_unstable();
        assert_eq!(calls, [0, 1]);
    });
}
