//! crossbeam-channel, bounded: many producers, many consumers, one message at a time.

use super::Threads;
use crate::message::{BATCH, CAPACITY, Message, Receive, Send, poll};
use crossbeam_channel::{Receiver, Sender, bounded};

/// Between two threads.
pub struct Crossbeam;

impl Threads for Crossbeam {
    const NAME: &'static str = "crossbeam-channel";
    type Sender = Sender<Message>;
    type Receiver = Receiver<Message>;

    fn pipe() -> (Sender<Message>, Receiver<Message>) {
        bounded(CAPACITY)
    }
}

impl Send for Sender<Message> {
    fn send(&mut self, message: &Message) {
        poll(|| self.try_send(*message).ok());
    }
}

impl Receive for Receiver<Message> {
    fn receive(&mut self, mut on: impl FnMut(Message)) {
        on(poll(|| self.try_recv().ok()));
        self.try_iter().take(BATCH - 1).for_each(on);
    }
}
