//! Knit's stream ring: one producer, one consumer.

use super::Threads;
#[cfg(unix)]
use super::{Processes, peer::Peer, shared::Shared};
#[cfg(unix)]
use crate::message::End;
use crate::message::{CAPACITY, Message, Receive, Send, poll};
use knit_ring::{RingError, StreamConsumer, StreamProducer};
use knit_shm::{Area, Region};

/// Pushes frames.
pub struct Sender(StreamProducer);

/// Reads spans of frames.
pub struct Receiver {
    consumer: StreamConsumer,
    region: Region,
}

const BYTES: usize = StreamProducer::area_size(CAPACITY as u32).next_multiple_of(knit_ring::LINE);

impl Sender {
    fn create(area: Area) -> Sender {
        Sender(StreamProducer::create(area, CAPACITY as u32).expect("the area is large enough"))
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
        let consumer = StreamConsumer::attach(area).expect("the ring was just created");
        Receiver { consumer, region }
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
        let span = poll(|| self.consumer.readable().expect("a sound ring"));
        for frame in self.consumer.frames(span) {
            let frame = frame.expect("a sound ring");
            let words = self
                .region
                .read(frame.data_offset)
                .expect("frames lie in the region");
            on(Message {
                header: frame.header,
                words,
            });
        }
        self.consumer.consume(span.len).expect("what was readable");
    }
}

/// Between two threads or processes.
pub struct Stream;

impl Threads for Stream {
    const NAME: &'static str = "knit StreamRing";
    type Sender = Sender;
    type Receiver = Receiver;

    fn pipe() -> (Sender, Receiver) {
        let region = Region::anonymous(BYTES).expect("a region");
        let area = region.area(0, BYTES).expect("within the region");
        (Sender::create(area.clone()), Receiver::attach(area))
    }
}

#[cfg(unix)]
impl Processes for Stream {
    const NAME: &'static str = "knit StreamRing";
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
