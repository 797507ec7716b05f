//! The message that every ring and channel carries, and the two sides of a measurement.
//!
//! Every contestant moves the same 32 bytes. For Knit they are a frame of one granule, header included: its header is
//! part of what others would carry as data (which function, which call).
//!
//! # Protocol
//! One side runs [`serve`] in another thread or process. It adds up messages of kind [`ADD`], sends the count and the
//! sum back for [`TOTAL`], sends [`ECHO`] back as it is, and ends with [`QUIT`]. So a throughput is the time from the
//! first message to the answer that proves the last, and no message can be lost unnoticed.

use bytemuck::{Pod, Zeroable};
use knit_ring::FrameHeader;
use std::thread::yield_now;
use std::time::{Duration, Instant};

/// Count and add.
pub const ADD: u8 = 0;
/// Answer with count and sum, and begin anew.
pub const TOTAL: u8 = 1;
/// Answer with the same.
pub const ECHO: u8 = 2;
/// End.
pub const QUIT: u8 = 3;

/// Messages that a ring or bounded channel holds.
pub const CAPACITY: usize = 1024;
/// Messages of one `send_all`.
pub const BATCH: usize = 64;

/// 32 bytes: the header of a frame and two words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Message {
    /// As Knit's rings carry it.
    pub header: FrameHeader,
    /// The data.
    pub words: [u64; 2],
}

const _: () = assert!(size_of::<Message>() == 32);

impl Message {
    /// A message of this kind with these words.
    pub fn new(kind: u8, words: [u64; 2]) -> Message {
        let header = FrameHeader {
            payload_len: 16,
            kind,
            ..FrameHeader::default()
        };
        Message { header, words }
    }
}

/// The sending end of a pipe.
pub trait Send {
    /// Sends one message; it is visible to the receiver on return. Waits for room.
    fn send(&mut self, message: &Message);

    /// Sends several, by whatever the pipe offers for that. Waits for room.
    fn send_all(&mut self, messages: &[Message]) {
        for message in messages {
            self.send(message);
        }
    }
}

/// The receiving end of a pipe.
pub trait Receive {
    /// Waits for one message at least; hands over what is there, up to [`BATCH`].
    fn receive(&mut self, on: impl FnMut(Message));
}

/// One side of two pipes.
pub struct End<S, R> {
    /// To the other side.
    pub sender: S,
    /// From the other side.
    pub receiver: R,
}

/// Polls until there is something: spinning first, as whoever comes soon is cheaper waited for, then giving the core to
/// others. Every contestant that can be polled waits in this way.
pub fn poll<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    loop {
        for _ in 0..256 {
            if let Some(value) = attempt() {
                return value;
            }
            core::hint::spin_loop();
        }
        yield_now();
    }
}

/// The other side of a measurement; returns after [`QUIT`].
pub fn serve<S: Send, R: Receive>(mut end: End<S, R>) {
    let (mut count, mut sum, mut quit) = (0u64, 0u64, false);
    while !quit {
        let sender = &mut end.sender;
        end.receiver.receive(|message| match message.header.kind {
            ADD => {
                count += 1;
                sum = sum.wrapping_add(message.words[0] ^ message.words[1]);
            }
            TOTAL => {
                sender.send(&Message::new(TOTAL, [count, sum]));
                (count, sum) = (0, 0);
            }
            ECHO => sender.send(&message),
            _ => quit = true,
        });
    }
}

impl<S: Send, R: Receive> End<S, R> {
    fn answer(&mut self) -> Message {
        let mut answer = None;
        while answer.is_none() {
            self.receiver.receive(|message| answer = Some(message));
        }
        answer.unwrap_or_default()
    }

    /// Time to move `n` messages to the other side, `batch` per send, until it has answered that it has them all.
    pub fn throughput(&mut self, n: u64, batch: usize) -> Duration {
        let mut messages = [Message::new(ADD, [0; 2]); BATCH];
        let mut sum = 0u64;
        let start = Instant::now();
        let mut sent = 0;
        while sent < n {
            let many = (batch as u64).min(n - sent) as usize;
            for message in &mut messages[..many] {
                message.words = [sent, sent.rotate_left(32)];
                sum = sum.wrapping_add(message.words[0] ^ message.words[1]);
                sent += 1;
            }
            if many == 1 {
                self.sender.send(&messages[0]);
            } else {
                self.sender.send_all(&messages[..many]);
            }
        }
        self.sender.send(&Message::new(TOTAL, [0; 2]));
        let answer = self.answer();
        let elapsed = start.elapsed();
        assert_eq!(
            answer.words,
            [n, sum],
            "messages were lost, doubled or changed"
        );
        elapsed
    }

    /// Time for `n` messages to go there and back, one after another.
    pub fn ping_pong(&mut self, n: u64) -> Duration {
        let start = Instant::now();
        for i in 0..n {
            let message = Message::new(ECHO, [i, !i]);
            self.sender.send(&message);
            assert_eq!(self.answer(), message);
        }
        start.elapsed()
    }

    /// Ends the other side.
    pub fn quit(&mut self) {
        self.sender.send(&Message::new(QUIT, [0; 2]));
    }
}
