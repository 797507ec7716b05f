//! Models of the doorbell: a sleeper that is not woken is a deadlock, which loom reports.
#![cfg(loom)]

mod loom_support;

use knit_ring::memory::Model;
use knit_ring::{Doorbell, FrameConsumer, FrameProducer};
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
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

/// The relay of a sleeper: passes rings on to `inbox` until it has been retired.
fn relay(bell: &Doorbell<Model>, over: &AtomicBool, inbox: &Inbox) {
    loop {
        let rung = bell.relay().unwrap();
        if over.load(Ordering::Acquire) {
            return;
        }
        if rung {
            inbox.ring();
        }
    }
}

/// The bell of an event loop: rings are remembered until they are heard.
#[derive(Default)]
struct Inbox {
    rung: Mutex<bool>,
    bed: Condvar,
}

impl Inbox {
    fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.bed.notify_one();
    }

    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.bed.wait(rung).unwrap();
        }
        *rung = false;
    }
}

/// An event loop that wants `count` frames, which `wakers` bring one each, through a relay.
fn relayed(wakers: usize, preemptions: usize) {
    explore(preemptions, move || {
        let (bell, over) = (
            Doorbell::attach_in(&Model::new(1)),
            Arc::new(AtomicBool::new(false)),
        );
        let inbox = Arc::new(Inbox::default());
        let published = Arc::new(AtomicUsize::new(0));
        let relay = {
            let (bell, over, inbox) = (bell.clone(), over.clone(), inbox.clone());
            thread::spawn(move || relay(&bell, &over, &inbox))
        };
        let wakers: Vec<_> = (0..wakers)
            .map(|_| {
                let (bell, published) = (bell.clone(), published.clone());
                thread::spawn(move || {
                    published.fetch_add(1, Ordering::Release);
                    if bell.take_armed() {
                        bell.ring();
                    }
                })
            })
            .collect();
        // A wake that is lost leaves this loop asleep, and the model in a deadlock.
        loop {
            bell.arm();
            if published.load(Ordering::Acquire) == wakers.len() {
                break;
            }
            inbox.wait();
        }
        for waker in wakers {
            waker.join().unwrap();
        }
        over.store(true, Ordering::Release);
        bell.retire();
        relay.join().unwrap();
    });
}

#[test]
fn a_relay_loses_no_wake() {
    relayed(1, 4);
}

#[test]
fn a_relay_loses_no_wake_of_two_wakers() {
    relayed(2, 2);
}

#[test]
fn a_relay_that_outlived_its_sleeper_gives_the_next_one_s_ring_back() {
    explore(3, || {
        let (bell, published) = (
            Doorbell::attach_in(&Model::new(1)),
            Arc::new(AtomicUsize::new(0)),
        );
        let stale = {
            let bell = bell.clone();
            // One step at a moment when it should take no part any more.
            thread::spawn(move || {
                if bell.relay().unwrap() {
                    bell.give_back_ring();
                }
            })
        };
        let sleeper = {
            let (bell, published) = (bell.clone(), published.clone());
            thread::spawn(move || {
                loop {
                    bell.arm();
                    if published.load(Ordering::Acquire) == 1 {
                        return;
                    }
                    // It sleeps as a native worker does.
                    while !bell.relay().unwrap() {}
                }
            })
        };
        published.fetch_add(1, Ordering::Release);
        if bell.take_armed() {
            bell.ring();
        }
        sleeper.join().unwrap();
        // Whoever was given up learns of it by a ring.
        bell.retire();
        stale.join().unwrap();
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
