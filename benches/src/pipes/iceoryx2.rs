//! iceoryx2, publish and subscribe over shared memory: one publisher and one subscriber each way, polled, nothing dropped.

use super::Processes;
use super::peer::Peer;
use crate::message::{BATCH, CAPACITY, End, Message, Receive, Send, poll};
use iceoryx2::port::{
    publisher::Publisher, subscriber::Subscriber, update_connections::UpdateConnections,
};
use iceoryx2::prelude::*;
use std::process::{Stdio, id};

/// Between two processes.
pub struct Iceoryx2;

/// A message as its payload type.
type Words = [u64; 4];

/// Publishes samples.
pub struct Sender {
    publisher: Publisher<ipc::Service, Words, ()>,
    /// Keeps the service alive.
    _node: Node<ipc::Service>,
}

/// Takes samples.
pub struct Receiver {
    subscriber: Subscriber<ipc::Service, Words, ()>,
    /// Keeps the service alive.
    _node: Node<ipc::Service>,
}

fn node() -> Node<ipc::Service> {
    set_log_level(LogLevel::Error);
    NodeBuilder::new().create::<ipc::Service>().expect("a node")
}

/// One pipe's service; both sides ask for the same.
macro_rules! service {
    ($node:expr, $name:expr) => {
        $node
            .service_builder(&$name.as_str().try_into().expect("a service's name"))
            .publish_subscribe::<Words>()
            .max_publishers(1)
            .max_subscribers(1)
            .history_size(0)
            .subscriber_max_buffer_size(CAPACITY)
            .subscriber_max_borrowed_samples(2)
            .enable_safe_overflow(false)
            .open_or_create()
            .expect("a service")
    };
}

fn sender(name: String) -> Sender {
    let node = node();
    let publisher = service!(node, name)
        .publisher_builder()
        .max_loaned_samples(2)
        .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
        .create()
        .expect("a publisher");
    Sender {
        publisher,
        _node: node,
    }
}

fn receiver(name: String) -> Receiver {
    let node = node();
    let subscriber = service!(node, name)
        .subscriber_builder()
        .create()
        .expect("a subscriber");
    Receiver {
        subscriber,
        _node: node,
    }
}

impl Processes for Iceoryx2 {
    const NAME: &'static str = "iceoryx2";
    type Sender = Sender;
    type Receiver = Receiver;

    fn start() -> (Peer, End<Sender, Receiver>) {
        let base = format!("knit-bench-{}", id());
        let receiver = receiver(format!("{base}-back"));
        let mut sender = sender(format!("{base}-there"));
        let peer = Peer::start(Self::NAME, &base, Stdio::null());
        // What is published before the other side subscribes is lost: it says when it has.
        let mut here = receiver;
        here.receive(|_| ());
        sender.update();
        (
            peer,
            End {
                sender,
                receiver: here,
            },
        )
    }

    fn connect(word: &str) -> End<Sender, Receiver> {
        let receiver = receiver(format!("{word}-there"));
        let mut sender = sender(format!("{word}-back"));
        sender.send(&Message::default());
        End { sender, receiver }
    }
}

impl Sender {
    fn update(&mut self) {
        self.publisher
            .update_connections()
            .expect("the other side is there");
    }
}

impl Send for Sender {
    fn send(&mut self, message: &Message) {
        let sample = self.publisher.loan_uninit().expect("a sample");
        let receivers = sample
            .write_payload(bytemuck::cast(*message))
            .send()
            .expect("the other side is there");
        assert_eq!(receivers, 1, "the other side is there");
    }
}

impl Receive for Receiver {
    fn receive(&mut self, mut on: impl FnMut(Message)) {
        let take = |subscriber: &Subscriber<ipc::Service, Words, ()>| {
            let sample = subscriber.receive().expect("the other side is there")?;
            Some(bytemuck::cast::<Words, Message>(*sample.payload()))
        };
        on(poll(|| take(&self.subscriber)));
        for _ in 1..BATCH {
            let Some(message) = take(&self.subscriber) else {
                break;
            };
            on(message);
        }
    }
}
