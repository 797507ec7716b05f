//! kanal, bounded: many producers, many consumers; the receiver may drain all at once.

use super::Threads;
use crate::message::{CAPACITY, Message, Receive, Send, poll};
use kanal::{Receiver, Sender, bounded};

/// Between two threads.
pub struct Kanal;

/// Drains the channel into a vector.
pub struct Drain {
    receiver: Receiver<Message>,
    drained: Vec<Message>,
}

impl Threads for Kanal {
    const NAME: &'static str = "kanal";
    type Sender = Sender<Message>;
    type Receiver = Drain;

    fn pipe() -> (Sender<Message>, Drain) {
        let (sender, receiver) = bounded(CAPACITY);
        (
            sender,
            Drain {
                receiver,
                drained: Vec::with_capacity(CAPACITY),
            },
        )
    }
}

impl Send for Sender<Message> {
    fn send(&mut self, message: &Message) {
        poll(|| {
            self.try_send(*message)
                .expect("the receiver is there")
                .then_some(())
        });
    }
}

impl Receive for Drain {
    fn receive(&mut self, on: impl FnMut(Message)) {
        poll(|| match self.receiver.drain_into(&mut self.drained) {
            Ok(0) => None,
            Ok(_) => Some(()),
            Err(error) => panic!("the sender is there: {error}"),
        });
        self.drained.drain(..).for_each(on);
    }
}
