//! Knit's frame ring: one producer, claimed by one consumer here (it could be several).

use super::Threads;
#[cfg(unix)]
use super::{Processes, peer::Peer, shared::Shared};
#[cfg(unix)]
use crate::message::End;
use crate::message::{BATCH, CAPACITY, Message, Receive, Send, poll};
use knit_ring::{Claim, FrameConsumer, FrameProducer, Owner, RingError};
use knit_shm::{Area, Region};

/// Pushes frames.
pub struct Sender(FrameProducer);

/// Claims frames.
pub struct Receiver {
    consumer: FrameConsumer,
    claims: Vec<Claim>,
    region: Region,
}

const BYTES: usize = FrameProducer::area_size(CAPACITY as u32);

impl Sender {
    fn create(area: Area) -> Sender {
        Sender(FrameProducer::create(area, CAPACITY as u32).expect("the area is large enough"))
    }

    fn push(&mut self, message: &Message) {
        poll(|| match self.0.push_raw(bytemuck::bytes_of(message)) {
            Ok(()) => Some(()),
            Err(RingError::Full) => {
                // Whoever waits for room must let the receiver see what there is.
                self.0.publish();
                None
            }
            Err(error) => panic!("{error}"),
        });
    }
}

impl Receiver {
    fn attach(area: Area) -> Receiver {
        let region = area.region().clone();
        let owner = Owner::new(1).expect("1 is an owner's number");
        let consumer = FrameConsumer::attach(area, owner).expect("the ring was just created");
        Receiver {
            consumer,
            claims: Vec::with_capacity(BATCH),
            region,
        }
    }
}

impl Send for Sender {
    fn send(&mut self, message: &Message) {
        self.push(message);
        self.0.publish();
    }

    fn send_all(&mut self, messages: &[Message]) {
        for message in messages {
            self.push(message);
        }
        self.0.publish();
    }
}

impl Receive for Receiver {
    fn receive(&mut self, mut on: impl FnMut(Message)) {
        poll(|| {
            let claimed = self
                .consumer
                .claim(BATCH, |_| true, &mut self.claims)
                .expect("a sound ring");
            (claimed > 0).then_some(())
        });
        for claim in self.claims.drain(..) {
            let words = self
                .region
                .read(claim.data_offset)
                .expect("claims lie in the region");
            let header = claim.header;
            self.consumer.release(claim).expect("the claim is ours");
            on(Message { header, words });
        }
    }
}

/// Between two threads.
pub struct Frame;

impl Threads for Frame {
    const NAME: &'static str = "knit FrameRing";
    type Sender = Sender;
    type Receiver = Receiver;

    fn pipe() -> (Sender, Receiver) {
        let region = Region::anonymous(BYTES).expect("a region");
        let area = region.area(0, BYTES).expect("within the region");
        (Sender::create(area.clone()), Receiver::attach(area))
    }
}

#[cfg(unix)]
impl Processes for Frame {
    const NAME: &'static str = "knit FrameRing";
    type Sender = Sender;
    type Receiver = Receiver;

    fn start() -> (Peer, End<Sender, Receiver>) {
        let shared = Shared::new(BYTES);
        let sender = Sender::create(shared.first());
        let peer = shared.start(<Self as Processes>::NAME);
        (
            peer,
            End {
                sender,
                receiver: Receiver::attach(shared.second()),
            },
        )
    }

    fn connect(_word: &str) -> End<Sender, Receiver> {
        let shared = Shared::inherited(BYTES);
        let sender = Sender::create(shared.second());
        shared.ready();
        End {
            sender,
            receiver: Receiver::attach(shared.first()),
        }
    }
}
