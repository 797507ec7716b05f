//! From the reply rings to the caller: looking, spinning, sleeping.

use core::sync::atomic::{Ordering, fence};
use std::time::Duration;

use knit_ring::Span;

use super::{Host, Replies};
use crate::blocks;
use crate::cell::State;
use crate::clock;
use crate::error::{Result, SchedError};
use crate::frames::{Message, flag};
use crate::spin::{LONGEST, look};

impl Host {
    /// Gives back the space of the replies shown before, and shows those that are there now. Also moves the backlog.
    ///
    /// A worker that has damaged its reply ring is not read any more: see [`Host::take_damaged`].
    ///
    /// # Errors
    /// The memory is corrupt in a way that does not tell who did it.
    pub fn poll(&mut self, replies: &mut Vec<Replies>) -> Result<()> {
        replies.clear();
        self.give_back_space()?;
        for (worker, lane) in self.lanes.iter_mut().enumerate() {
            match lane.readable(&self.shared, worker) {
                Ok(Some(span)) => {
                    lane.shown = Some(span.len);
                    replies.push(Replies {
                        worker,
                        offset: span.offset,
                        len: span.len as usize,
                    });
                }
                Ok(None) => {}
                // What others answer is as good as before.
                Err(_) => {
                    lane.damaged = true;
                    lane.replies = None;
                    self.damaged.push(worker);
                }
            }
        }
        if !replies.is_empty() {
            let now = clock::now();
            let time = now.saturating_sub(self.progress);
            self.spin.record(Duration::from_nanos(time));
            self.progress = now;
        }
        if !self.backlog.is_empty() {
            let placed = self.move_backlog()?;
            self.publish(placed, clock::now());
        }
        Ok(())
    }

    /// A worker that has damaged its reply ring, each once: it must be ended, and then retired, which names the calls that it had taken.
    pub fn take_damaged(&mut self) -> Option<usize> {
        self.damaged.pop()
    }

    fn give_back_space(&mut self) -> Result<()> {
        let mut any = false;
        for lane in &mut self.lanes {
            if let (Some(len), Some(ring)) = (lane.shown.take(), lane.replies.as_mut()) {
                ring.consume(len)?;
                any = true;
            }
        }
        if !any {
            return Ok(());
        }
        // SeqCst fence: between giving space back and the look at who wants it. Pairs with the fence in the worker's `arm`.
        fence(Ordering::SeqCst);
        for (worker, lane) in self.lanes.iter().enumerate() {
            if lane.cell.wants_room() {
                self.shared.wake_worker(worker, &lane.cell);
            }
        }
        Ok(())
    }

    /// Polls until there are replies, a [`HostWaker`](crate::HostWaker) calls, or the adaptive limit (at most `longest`) is over. Returns whether there are
    /// replies.
    ///
    /// # Errors
    /// As [`Host::poll`].
    pub fn spin(&mut self, replies: &mut Vec<Replies>, longest: Duration) -> Result<bool> {
        self.poll(replies)?;
        let limit = self.spin.limit().min(longest);
        if !replies.is_empty() || limit.is_zero() {
            return Ok(!replies.is_empty());
        }
        let news = || Ok::<_, SchedError>(self.any_reply() || self.shared.is_called());
        // On which core its owner's thread runs is none of the host's business.
        if look(limit, Duration::ZERO, std::thread::yield_now, news)? {
            self.poll(replies)?;
        }
        Ok(!replies.is_empty())
    }

    /// Whether replies have come so late lately that a host with nothing else to do should sleep at once: to look for them would only burn a core,
    /// and it may be the one that they wait for.
    #[must_use]
    pub fn replies_are_far(&self) -> bool {
        self.spin.is_far()
    }

    fn any_reply(&self) -> bool {
        self.lanes.iter().any(|lane| match &lane.replies {
            Some(ring) => !ring.is_empty(),
            None => !lane.damaged && lane.cell.state() == State::Ready,
        })
    }

    /// Announces that the host is about to sleep. Returns false, and takes the announcement back, if there is something to do first, or a
    /// [`HostWaker`](crate::HostWaker) has called since the last time: look then at what it may have called for.
    ///
    /// # Errors
    /// As [`Host::poll`].
    pub fn arm(&mut self) -> Result<bool> {
        self.give_back_space()?;
        self.blocks.settle()?;
        self.words.set_backlog(!self.backlog.is_empty());
        // Contains the SeqCst fence that pairs with the one in `Worker::turn`.
        self.words.bell().arm();
        self.armed = true;
        let placed = self.move_backlog()?;
        self.publish(placed, clock::now());
        if placed > 0 {
            self.words.set_backlog(!self.backlog.is_empty());
        }
        if self.shared.take_called() || self.any_reply() || !self.damaged.is_empty() {
            self.disarm();
            return Ok(false);
        }
        Ok(true)
    }

    /// Takes the announcement back. To be called when the host wakes for whatever reason.
    pub fn disarm(&mut self) {
        self.armed = false;
        self.words.bell().disarm();
        self.words.set_backlog(false);
    }

    /// Sleeps until replies are there, a [`HostWaker`](crate::HostWaker) calls, or the time is over; for hosts without an event loop. Returns whether there
    /// are replies.
    ///
    /// # Errors
    /// As [`Host::poll`], and what the system says about waiting.
    pub fn wait(&mut self, replies: &mut Vec<Replies>, timeout: Option<Duration>) -> Result<bool> {
        if self.spin(replies, LONGEST)? {
            return Ok(true);
        }
        if self.arm()? {
            self.words.bell().wait(timeout)?;
            self.disarm();
        }
        self.poll(replies)?;
        Ok(!replies.is_empty())
    }

    /// Private copies of what the last poll showed: each reply's header (without [`flag::BLOCK`]) and its payload. For hosts that do
    /// not read in place. Of a worker that has damaged its reply ring, or names a block that is not there, only what came before:
    /// see [`Host::take_damaged`].
    ///
    /// # Errors
    /// There is no such worker.
    pub fn read(&mut self, replies: &[Replies]) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        for span in replies {
            let mut copies = Vec::new();
            let whole = copy(self.lane(span.worker)?, span, &mut copies);
            let fetched = copies
                .into_iter()
                .map(|message| self.fetch(span.worker, message))
                .try_for_each(|message| message.map(|message| messages.push(message)));
            if whole.and(fetched).is_err() {
                self.distrust(span.worker);
            }
        }
        Ok(messages)
    }

    fn distrust(&mut self, worker: usize) {
        let lane = &mut self.lanes[worker];
        if !lane.damaged {
            lane.damaged = true;
            lane.replies = None;
            lane.shown = None;
            self.damaged.push(worker);
        }
    }

    fn fetch(&mut self, worker: usize, mut message: Message) -> Result<Message> {
        if message.header.flags & flag::BLOCK != 0 {
            let region = self.shared.region().clone();
            message.payload = blocks::take(self.blocks.view(worker)?, &region, &message.payload)?;
            message.header.flags &= !flag::BLOCK;
            message.header.payload_len = message.payload.len() as u32;
        }
        Ok(message)
    }
}

/// Copies the frames of a span, as far as they are whole.
fn copy(lane: &super::Lane, span: &Replies, messages: &mut Vec<Message>) -> Result<()> {
    let Some(ring) = &lane.replies else {
        return Ok(());
    };
    for frame in ring.frames(Span {
        offset: span.offset,
        len: span.len as u32,
    }) {
        let frame = frame?;
        let mut payload = Vec::new();
        ring.payload(&frame, &mut payload)?;
        messages.push(Message {
            header: frame.header,
            payload,
            abort: None,
        });
    }
    Ok(())
}
