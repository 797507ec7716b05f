//! The frame ring against a plain queue, under any sequence of operations, near the wrap of the state word's position.

mod support;

use knit_ring::{Claim, FrameConsumer, FrameHeader, FrameProducer, HEADER_BYTES, Owner, RingError};
use knit_shm::Region;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use support::{header, owner};

#[derive(Clone, Debug)]
enum Step {
    Push { len: usize, raw: bool },
    Publish,
    Claim { who: usize, max: usize, below: u32 },
    Release { who: usize, which: usize },
    Reclaim,
    Drain { modulus: u32 },
    Recover { who: usize },
    TakeBack { back: u32 },
    Count,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0..200usize, any::<bool>()).prop_map(|(len, raw)| Step::Push { len, raw }),
        3 => Just(Step::Publish),
        4 => (0..2usize, 0..5usize, 0..300u32)
            .prop_map(|(who, max, below)| Step::Claim { who, max, below }),
        5 => (0..2usize, 0..8usize).prop_map(|(who, which)| Step::Release { who, which }),
        1 => Just(Step::Reclaim),
        1 => (1..6u32).prop_map(|modulus| Step::Drain { modulus }),
        1 => (0..2usize).prop_map(|who| Step::Recover { who }),
        2 => (1..20u32).prop_map(|back| Step::TakeBack { back }),
        2 => Just(Step::Count),
    ];
    prop::collection::vec(step, 1..250)
}

/// Where the position's 32 bits wrap after some pushes, and where they do not.
fn first() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        (0..40u64).prop_map(|n| (1 << 32) - n),
        (0..40u64).prop_map(|n| (7 << 32) - n)
    ]
}

/// What the ring must do, in plain collections.
struct Model {
    producer: FrameProducer,
    consumers: Vec<(FrameConsumer, Vec<Claim>)>,
    /// Calls pushed but not published, and published but not claimed; with their payload lengths.
    pushed: VecDeque<(u32, usize)>,
    ready: VecDeque<(u32, usize)>,
    /// Calls released and not yet heard of from a reclaim; by whom.
    released: Vec<(u32, Owner)>,
    /// What the reclaims of pushes told.
    told: Arc<Mutex<Vec<(u32, Owner)>>>,
    /// Where each call was pushed.
    positions: Vec<u64>,
    next_call: u32,
    next_owner: u16,
    region: Region,
    capacity: u32,
}

fn payload(call: u32, len: usize) -> Vec<u8> {
    (0..len).map(|i| (call as usize * 31 + i) as u8).collect()
}

impl Model {
    fn new(capacity: u32, first: u64) -> Model {
        let size = FrameProducer::area_size(capacity);
        let region = Region::heap(size);
        // The memory was something else before.
        region.copy_to(0, &vec![0xEE; size]).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let mut producer =
            FrameProducer::create_at(region.area(0, size).unwrap(), capacity, first).unwrap();
        let sink = told.clone();
        producer.on_reclaim(move |header, who| sink.lock().unwrap().push((header.call, who)));
        let mut model = Model {
            producer,
            told,
            consumers: Vec::new(),
            pushed: VecDeque::new(),
            ready: VecDeque::new(),
            released: Vec::new(),
            positions: Vec::new(),
            next_call: 0,
            next_owner: 0,
            region,
            capacity,
        };
        for _ in 0..2 {
            let consumer = model.attach();
            model.consumers.push((consumer, Vec::new()));
        }
        model
    }

    fn attach(&mut self) -> FrameConsumer {
        self.next_owner += 1;
        let area = self.region.area(0, self.region.len()).unwrap();
        FrameConsumer::attach(area, owner(self.next_owner)).unwrap()
    }

    fn push(&mut self, len: usize, raw: bool) {
        let bytes = payload(self.next_call, len);
        let header = header(self.next_call, &bytes);
        let granules = header.granules();
        let result = if raw {
            self.producer
                .push_raw(&[bytemuck::bytes_of(&header), &bytes].concat())
        } else {
            self.producer.push(&header, &bytes)
        };
        for entry in self.told.lock().unwrap().drain(..) {
            let found = self.released.iter().position(|other| *other == entry);
            self.released
                .swap_remove(found.expect("a frame that was not released was reclaimed"));
        }
        match result {
            Ok(()) => {
                self.pushed.push_back((self.next_call, len));
                self.positions
                    .push(self.producer.position_of_last(granules));
                self.next_call += 1;
            }
            Err(RingError::Full) => {
                // Only if the frame and the pad before it, which is shorter than the frame, really might not fit.
                assert!(self.producer.used() + 2 * granules > self.capacity as u64);
                let nothing_held = self.consumers.iter().all(|(_, claims)| claims.is_empty());
                assert!(!nothing_held || !self.ready.is_empty() || self.has_unpublished());
            }
            Err(RingError::TooLong { bytes, limit }) => {
                assert_eq!(bytes, HEADER_BYTES + len);
                assert_eq!(limit, self.capacity as usize / 2 * 32);
                assert!(granules > self.capacity as u64 / 2);
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn claim(&mut self, who: usize, max: usize, below: u32) {
        let (consumer, claims) = &mut self.consumers[who];
        let before = claims.len();
        let n = consumer
            .claim(max, |peek| peek.call < below, claims)
            .unwrap();
        assert_eq!(n, claims.len() - before);
        let expected = self
            .ready
            .iter()
            .take(max)
            .take_while(|(call, _)| *call < below)
            .count();
        assert_eq!(n, expected);
        for claim in &claims[before..] {
            let (call, len) = self.ready.pop_front().unwrap();
            let expected = payload(call, len);
            assert_eq!(claim.header, header(call, &expected));
            let mut bytes = Vec::new();
            consumer.payload(claim, &mut bytes).unwrap();
            assert_eq!(bytes, expected);
            let mut in_place = vec![0; len];
            self.region
                .copy_from(claim.data_offset, &mut in_place)
                .unwrap();
            assert_eq!(in_place, expected);
        }
    }

    fn release(&mut self, who: usize, which: usize) {
        let (consumer, claims) = &mut self.consumers[who];
        if claims.is_empty() {
            return;
        }
        let claim = claims.swap_remove(which % claims.len());
        self.released.push((claim.header.call, consumer.owner()));
        consumer.release(claim).unwrap();
    }

    fn reclaim(&mut self) {
        let released = &mut self.released;
        let told = |header: &FrameHeader, who| {
            let found = released
                .iter()
                .position(|entry| *entry == (header.call, who));
            released.swap_remove(found.expect("a frame that was not released was reclaimed"));
        };
        self.producer.reclaim(told).unwrap();
    }

    fn drain(&mut self, modulus: u32) {
        let mut taken = Vec::new();
        let n = self
            .producer
            .drain_unclaimed(
                |peek| peek.call % modulus == 0,
                |found, bytes| {
                    assert_eq!(*found, header(found.call, bytes));
                    taken.push((found.call, bytes.len()));
                },
            )
            .unwrap();
        assert_eq!(n, taken.len());
        let mut expected = Vec::new();
        for queue in [&mut self.ready, &mut self.pushed] {
            expected.extend(
                queue
                    .iter()
                    .filter(|(call, _)| call % modulus == 0)
                    .copied(),
            );
            queue.retain(|(call, _)| call % modulus != 0);
        }
        assert_eq!(taken, expected);
        self.released
            .extend(taken.iter().map(|(call, _)| (*call, Owner::PRODUCER)));
    }

    fn recover(&mut self, who: usize) {
        let successor = self.attach();
        let (dead, claims) = core::mem::replace(&mut self.consumers[who], (successor, Vec::new()));
        let mut held: Vec<u32> = claims.iter().map(|claim| claim.header.call).collect();
        let mut reported = Vec::new();
        self.producer
            .recover(dead.owner(), |header| reported.push(header.call))
            .unwrap();
        // All that it held, and of what it had released that which has not been reclaimed yet.
        for call in &reported {
            match held.iter().position(|other| other == call) {
                Some(index) => {
                    held.swap_remove(index);
                    self.released.push((*call, dead.owner()));
                }
                None => assert!(self.released.contains(&(*call, dead.owner()))),
            }
        }
        assert!(held.is_empty());
        let mut late = dead;
        for claim in claims {
            assert!(matches!(late.release(claim), Err(RingError::ClaimLost)));
        }
    }

    fn take_back(&mut self, back: u32) {
        let Some(call) = self.next_call.checked_sub(back) else {
            return;
        };
        let position = self.positions[call as usize];
        let mut waits = false;
        for queue in [&mut self.ready, &mut self.pushed] {
            waits |= queue.iter().any(|(other, _)| *other == call);
            queue.retain(|(other, _)| *other != call);
        }
        assert_eq!(self.producer.take_back(position).unwrap(), waits);
        if waits {
            self.released.push((call, Owner::PRODUCER));
        }
    }

    fn count(&mut self) {
        assert_eq!(self.producer.unclaimed().unwrap(), self.ready.len());
        assert_eq!(
            self.producer.has_unclaimed().unwrap(),
            !self.ready.is_empty()
        );
    }

    fn check(&mut self) {
        for (consumer, _) in &self.consumers {
            let first = consumer.peek().unwrap().map(|peek| peek.call);
            assert_eq!(first, self.ready.front().map(|(call, _)| *call));
            assert_eq!(consumer.is_empty().unwrap(), self.ready.is_empty());
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Push { len, raw } => self.push(len, raw),
            Step::Publish => {
                let anything = self.has_unpublished();
                assert_eq!(self.producer.publish(), anything);
                self.ready.append(&mut self.pushed);
            }
            Step::Claim { who, max, below } => {
                self.claim(who, max, self.next_call.saturating_sub(below))
            }
            Step::Release { who, which } => self.release(who, which),
            Step::Reclaim => self.reclaim(),
            Step::Drain { modulus } => self.drain(modulus),
            Step::Recover { who } => self.recover(who),
            Step::TakeBack { back } => self.take_back(back),
            Step::Count => self.count(),
        }
    }

    /// Frames, or what is left of frames that were taken back before they were published.
    fn has_unpublished(&self) -> bool {
        let tail: u64 = self.region.read(128).unwrap();
        let head: u64 = self.region.read(384).unwrap();
        self.producer.used() > tail - head
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: support::scaled(400) as u32,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn every_sequence_ends_as_with_a_queue(first in first(), log in 3..6u32, steps in steps()) {
        let mut model = Model::new(1 << log, first);
        for step in &steps {
            model.take(step);
            model.check();
        }
        // Whatever happened, the whole ring comes back.
        model.producer.publish();
        model.ready.append(&mut model.pushed);
        model.count();
        let all = model.ready.len();
        model.claim(0, usize::MAX, u32::MAX);
        prop_assert!(model.consumers[0].1.len() >= all);
        for who in 0..2 {
            while !model.consumers[who].1.is_empty() {
                model.release(who, 0);
            }
        }
        model.reclaim();
        model.count();
        prop_assert_eq!(model.producer.used(), 0);
        prop_assert!(model.released.is_empty());
    }
}
