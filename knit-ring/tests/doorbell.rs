//! Promises of the doorbell, one by one. That no wake is lost is shown by the models in `loom_doorbell`.

mod support;

use knit_ring::{Doorbell, FrameConsumer, FrameProducer};
use knit_shm::Region;
use knit_shm::wait::Outcome;
use std::time::Duration;
use support::{header, owner, scaled};

fn bell() -> Doorbell {
    let size = Doorbell::area_size();
    Doorbell::attach(Region::heap(size).area(0, size).unwrap()).unwrap()
}

#[test]
fn whoever_is_awake_is_not_rung() {
    let bell = bell();
    assert!(!bell.take_armed());
    bell.arm();
    assert!(bell.is_armed());
    assert!(!bell.disarm());
    assert!(!bell.take_armed());
}

#[test]
fn an_armed_bell_is_taken_once() {
    let bell = bell();
    bell.arm();
    assert!(bell.take_armed());
    assert!(!bell.take_armed());
    assert!(!bell.is_armed());
    assert!(bell.disarm());
    bell.arm();
    assert!(bell.take_armed());
}

#[test]
fn a_bell_taken_before_the_sleep_prevents_it() {
    let bell = bell();
    bell.arm();
    assert!(bell.take_armed());
    // Without a timeout: if this slept, nobody would end it.
    assert_eq!(bell.wait(None).unwrap(), Outcome::Changed);
    assert!(!bell.ring());
}

#[test]
fn a_sleep_ends_with_its_time() {
    let bell = bell();
    bell.arm();
    assert_eq!(
        bell.wait(Some(Duration::from_millis(2))).unwrap(),
        Outcome::TimedOut
    );
    assert!(!bell.disarm());
}

#[test]
fn a_relay_hears_each_ring_once() {
    let bell = bell();
    bell.arm();
    assert!(bell.take_armed());
    assert!(bell.relay().unwrap());
    // The word tells the next waker that the sleeper is being woken.
    assert!(!bell.take_armed());
    bell.arm();
    assert!(bell.take_armed());
    assert!(bell.relay().unwrap());
    bell.retire();
    assert!(bell.relay().unwrap());
}

#[test]
fn a_ring_that_was_given_back_is_heard_by_another() {
    let bell = bell();
    bell.arm();
    assert!(bell.take_armed());
    assert!(bell.relay().unwrap());
    bell.give_back_ring();
    assert!(bell.relay().unwrap());
}

#[test]
fn a_bell_needs_a_line() {
    let region = Region::heap(4096);
    let short = region.area(0, Doorbell::area_size() - 1).unwrap();
    assert_eq!(
        Doorbell::attach(short).err().unwrap().code(),
        "RING_NOT_A_RING"
    );
    let skewed = region.area(64, Doorbell::area_size()).unwrap();
    assert_eq!(
        Doorbell::attach(skewed).err().unwrap().code(),
        "RING_NOT_A_RING"
    );
}

#[test]
fn a_sleeper_without_timeout_gets_every_frame() {
    let total = scaled(50_000) as u32;
    let size = FrameProducer::area_size(64);
    let area = Region::heap(size).area(0, size).unwrap();
    let mut producer = FrameProducer::create(area.clone(), 64).unwrap();
    let mut consumer = FrameConsumer::attach(area, owner(1)).unwrap();
    let bell = bell();
    std::thread::scope(|scope| {
        let sleeper = bell.clone();
        scope.spawn(move || {
            let (mut next, mut claims) = (0, Vec::new());
            while next < total {
                sleeper.arm();
                if consumer.is_empty().unwrap() {
                    sleeper.wait(None).unwrap();
                }
                sleeper.disarm();
                consumer.claim(usize::MAX, |_| true, &mut claims).unwrap();
                for claim in claims.drain(..) {
                    assert_eq!(claim.header.call, next);
                    next += 1;
                    consumer.release(claim).unwrap();
                }
            }
        });
        for call in 0..total {
            while producer.push(&header(call, &[]), &[]).is_err() {
                std::thread::yield_now();
            }
            producer.publish();
            if bell.take_armed() {
                bell.ring();
            }
        }
    });
}
