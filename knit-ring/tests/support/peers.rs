//! Rings, streams and doorbells between processes: where they lie in the region, and both ends' loops.
#![allow(dead_code, reason = "each test uses its part of it")]

use super::{Reaped, checksum, inherited, is_genuine, owner};
use knit_ring::{
    Doorbell, FrameConsumer, FrameHeader, FrameProducer, RingError, StreamConsumer, StreamProducer,
};
use knit_shm::{Area, Region};
use std::os::unix::process::parent_id;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub const CAPACITY: u32 = 1 << 12;
/// Looks that are worth more than a sleep.
const SPINS: u32 = 200;
/// Only so that a dead peer ends a test instead of hanging it.
const PATIENCE: Duration = Duration::from_millis(200);

/// Where things are: the shared ring, then for each consumer a stream and a bell, then the producer's bell, then
/// the word that tells consumers to end.
pub struct Plan {
    pub region: Region,
}

impl Plan {
    pub const RING: usize = FrameProducer::area_size(CAPACITY);
    const STREAM: usize = StreamProducer::area_size(CAPACITY);
    const BELL: usize = Doorbell::area_size();
    const CONSUMERS: usize = 4;

    pub fn new() -> Plan {
        let each = Self::STREAM + Self::BELL;
        let region =
            Region::anonymous(Self::RING + Self::CONSUMERS * each + 2 * Self::BELL).unwrap();
        Plan { region }
    }

    pub fn area(&self, at: usize, len: usize) -> Area {
        self.region.area(at, len).unwrap()
    }

    pub fn ring(&self) -> Area {
        self.area(0, Self::RING)
    }

    pub fn stream(&self, consumer: usize) -> Area {
        self.area(
            Self::RING + consumer * (Self::STREAM + Self::BELL),
            Self::STREAM,
        )
    }

    pub fn bell(&self, consumer: usize) -> Doorbell {
        let at = Self::RING + consumer * (Self::STREAM + Self::BELL) + Self::STREAM;
        Doorbell::attach(self.area(at, Self::BELL)).unwrap()
    }

    const BELL_AT: usize = Self::RING + Self::CONSUMERS * (Self::STREAM + Self::BELL);

    pub fn producers_bell(&self) -> Doorbell {
        Doorbell::attach(self.area(Self::BELL_AT, Self::BELL)).unwrap()
    }

    fn stop(&self) -> &AtomicU32 {
        self.region.atomic_u32(Self::BELL_AT + Self::BELL).unwrap()
    }

    /// Ends consumers that find no more to claim.
    pub fn end(&self, consumers: &mut [(usize, Reaped)]) {
        self.stop().store(1, Ordering::SeqCst);
        for (index, child) in consumers {
            ring_if_armed(&self.bell(*index));
            child.succeeds();
        }
    }
}

pub fn ring_if_armed(bell: &Doorbell) {
    if bell.take_armed() {
        bell.ring();
    }
}

/// Looks for a while, then sleeps.
pub fn wait_for(bell: &Doorbell, mut ready: impl FnMut() -> bool) {
    for _ in 0..SPINS {
        if ready() {
            return;
        }
        std::hint::spin_loop();
    }
    bell.arm();
    if !ready() {
        bell.wait(Some(PATIENCE)).unwrap();
    }
    bell.disarm();
}

/// A consumer: answers each frame with one that names it and repeats its checksum, until it is told to end.
pub fn consume(number: u16) {
    let plan = Plan {
        region: inherited(),
    };
    let mut ring = FrameConsumer::attach(plan.ring(), owner(number)).unwrap();
    let mut replies = introduce(&plan, number);
    let (own, producers) = (plan.bell(index(number)), plan.producers_bell());
    let (mut claims, mut payload) = (Vec::new(), Vec::new());
    let parent = parent_id();
    loop {
        let stop = plan.stop().load(Ordering::SeqCst) == 1;
        if ring.claim(16, |_| true, &mut claims).unwrap() == 0 {
            if stop || parent != parent_id() {
                return;
            }
            wait_for(&own, || {
                !ring.is_empty().unwrap() || plan.stop().load(Ordering::Relaxed) == 1
            });
            continue;
        }
        for claim in claims.drain(..) {
            payload.clear();
            ring.payload(&claim, &mut payload).unwrap();
            let request = claim.header;
            assert!(is_genuine(&request, &payload));
            ring.release(claim).unwrap();
            let reply = FrameHeader {
                generation: checksum(&payload),
                payload_len: 0,
                ..request
            };
            while let Err(RingError::Full) = replies.push(&reply, &[]) {
                replies.publish();
                ring_if_armed(&producers);
                assert_eq!(parent, parent_id());
                std::thread::yield_now();
            }
        }
        replies.publish();
        ring_if_armed(&producers);
    }
}

/// A consumer that claims `count` frames, says which, and then does nothing until it is killed.
pub fn hold(number: u16, count: usize) {
    let plan = Plan {
        region: inherited(),
    };
    let mut ring = FrameConsumer::attach(plan.ring(), owner(number)).unwrap();
    let mut replies = introduce(&plan, number);
    let mut claims = Vec::new();
    let parent = parent_id();
    while claims.len() < count && parent == parent_id() {
        ring.claim(count - claims.len(), |_| true, &mut claims)
            .unwrap();
    }
    for claim in &claims {
        replies
            .push(
                &FrameHeader {
                    payload_len: 0,
                    ..claim.header
                },
                &[],
            )
            .unwrap();
    }
    replies.publish();
    while parent == parent_id() {
        std::thread::sleep(PATIENCE);
    }
}

pub fn index(number: u16) -> usize {
    number as usize - 1
}

/// Makes a consumer's stream, and says by a first frame that it is there.
fn introduce(plan: &Plan, number: u16) -> StreamProducer {
    let mut replies = StreamProducer::create(plan.stream(index(number)), CAPACITY).unwrap();
    replies.push(&FrameHeader::default(), &[]).unwrap();
    replies.publish();
    ring_if_armed(&plan.producers_bell());
    replies
}

/// Waits for a consumer's first frame, which says that its stream can be attached.
pub fn meet(plan: &Plan, index: usize, child: &mut Reaped) -> StreamConsumer {
    loop {
        if let Ok(mut stream) = StreamConsumer::attach(plan.stream(index)) {
            if let Some(span) = stream.readable().unwrap() {
                // Only what came first: answers may follow it already.
                assert_eq!(stream.frames(span).next().unwrap().unwrap().header.kind, 0);
                stream.consume(32).unwrap();
                return stream;
            }
        }
        child.must_live();
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Reads all that a stream has, and says whether that was anything.
pub fn drain(stream: &mut StreamConsumer, mut on: impl FnMut(&FrameHeader)) -> bool {
    let mut any = false;
    while let Some(span) = stream.readable().unwrap() {
        for frame in stream.frames(span) {
            on(&frame.unwrap().header);
        }
        stream.consume(span.len).unwrap();
        any = true;
    }
    any
}

pub fn push(
    producer: &mut FrameProducer,
    bells: &[Doorbell],
    frame: (&FrameHeader, &[u8]),
    mut meanwhile: impl FnMut() -> bool,
) {
    while let Err(error) = producer.push(frame.0, frame.1) {
        assert_eq!(error.code(), "RING_FULL");
        producer.publish();
        bells.iter().for_each(ring_if_armed);
        if !meanwhile() {
            std::thread::yield_now();
        }
    }
}
