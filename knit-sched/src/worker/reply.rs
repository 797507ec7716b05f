//! Replies: settling the last claims, moving replies into the ring, telling the host.

use core::sync::atomic::{Ordering, fence};
use std::time::Duration;

use knit_ring::RingError;
use knit_ring::heap::Locator;

use super::Worker;
use crate::blocks;
use crate::error::{Result, SchedError};
use crate::frames::{Frame, frame_at};

impl Worker {
    /// Publishes replies without claiming anything, for what becomes ready between turns.
    ///
    /// # Errors
    /// As [`Worker::turn`].
    pub fn publish(&mut self, replies: &[u8]) -> Result<()> {
        if !self.owns_place() {
            // Another worker may write into the reply ring by now.
            return Ok(());
        }
        let mut news = self.move_replies(replies)?;
        if self.armed && !self.backlog.is_empty() {
            // A promise was settled while this worker sleeps: nobody but the host says when there is room.
            self.own().set_wants_room(true);
            // SeqCst fence: between the announcement and the second attempt; pairs with the one in `Host::give_back_space`.
            fence(Ordering::SeqCst);
            news |= self.move_replies(&[])?;
            self.own().set_wants_room(!self.backlog.is_empty());
        }
        self.tell_host(news);
        Ok(())
    }

    pub(super) fn settle(&mut self, replies: &[u8]) -> Result<()> {
        if self.claims.is_empty() && replies.is_empty() && self.backlog.is_empty() {
            return Ok(());
        }
        let ran = std::mem::take(&mut self.running).then(|| self.meter.ran());
        if let Some(elapsed) = ran {
            self.costs.record(
                self.claims.iter().map(|claim| claim.header.function),
                Duration::from_nanos(elapsed),
            );
        }
        for claim in self.claims.drain(..) {
            self.lanes[self.claimed_lane].requests.release(claim)?;
        }
        self.publish(replies)?;
        if let Some(elapsed) = ran {
            self.meter.settle(elapsed);
        }
        Ok(())
    }

    /// Wakes the host if it sleeps and there is news, or it waits for the room that was just released.
    pub(super) fn tell_host(&mut self, news: bool) {
        // SeqCst fence: between what was published or released and the look at the host's words; pairs with the one in `Host::arm`.
        fence(Ordering::SeqCst);
        if news || self.host.has_backlog() {
            self.woke |= self.shared.wake_host(&self.host);
        }
    }

    /// Moves replies into the ring and publishes them; tells whether there were any.
    fn move_replies(&mut self, replies: &[u8]) -> Result<bool> {
        if !self.backlog.is_empty() {
            let mut backlog = std::mem::take(&mut self.backlog);
            let moved = backlog.drain(|frame| self.place(frame));
            self.backlog = backlog;
            moved?;
        }
        let mut at = 0;
        while at < replies.len() {
            let frame = frame_at(replies, at).ok_or(SchedError::BadSubmission(at))?;
            at += frame.padded_len();
            self.meter.answer(frame.header());
            if !self.backlog.is_empty() || !self.place(&frame)? {
                self.backlog.push(&frame);
            }
        }
        if !replies.is_empty() {
            self.meter.show();
        }
        Ok(self.replies.publish())
    }

    fn place(&mut self, frame: &Frame<'_>) -> Result<bool> {
        let pushed = if frame.bytes().len() > self.inline_limit {
            let Some((header, payload)) =
                blocks::store(&mut self.heap.main, self.shared.region(), frame)?
            else {
                return Ok(false);
            };
            let pushed = self.replies.push(&header, bytemuck::bytes_of(&payload));
            if matches!(pushed, Err(RingError::Full)) {
                self.heap.free(Locator::from_raw(payload.locator))?;
            }
            pushed
        } else {
            self.replies.push_raw(frame.bytes())
        };
        match pushed {
            Ok(()) => Ok(true),
            Err(RingError::Full) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
