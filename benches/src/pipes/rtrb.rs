//! rtrb: one producer, one consumer; chunks for what goes together.

use super::Threads;
use crate::message::{BATCH, CAPACITY, Message, Receive, Send, poll};
use rtrb::{Consumer, Producer, RingBuffer};

/// Between two threads.
pub struct Rtrb;

impl Threads for Rtrb {
    const NAME: &'static str = "rtrb";
    type Sender = Producer<Message>;
    type Receiver = Consumer<Message>;

    fn pipe() -> (Producer<Message>, Consumer<Message>) {
        RingBuffer::new(CAPACITY)
    }
}

impl Send for Producer<Message> {
    fn send(&mut self, message: &Message) {
        poll(|| self.push(*message).ok());
    }

    fn send_all(&mut self, messages: &[Message]) {
        let chunk = poll(|| match self.write_chunk_uninit(messages.len()) {
            Ok(chunk) => Some(chunk.fill_from_iter(messages.iter().copied())),
            Err(_) => None,
        });
        assert_eq!(chunk, messages.len(), "a chunk takes what it was asked for");
    }
}

impl Receive for Consumer<Message> {
    fn receive(&mut self, mut on: impl FnMut(Message)) {
        let ready = poll(|| match self.slots() {
            0 => None,
            ready => Some(ready.min(BATCH)),
        });
        if let Ok(chunk) = self.read_chunk(ready) {
            chunk.into_iter().for_each(&mut on);
        }
    }
}
