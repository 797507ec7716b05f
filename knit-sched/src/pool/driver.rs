//! The thread that owns a pool's host: hands calls over, passes answers on, replaces workers.
//!
//! # A worker's death
//!
//! 1. Its end is reported. All that it had published is read: these calls are answered.
//! 2. [`Host::retire`] names the calls that it had taken. Those of them that are still open end with [`CallError::WorkerCrashed`].
//! 3. It is replaced: at once if it had answered anything, else after a delay that doubles each time it happens, so that a worker
//!    that cannot start does not occupy the machine. Meanwhile others run what waits in its lane.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::call::{CallError, Exit};
use super::crew::Crew;
use super::mailbox::{Ended, Mailbox, Request};
use super::open::OpenCalls;
use crate::error::Result;
use crate::frames::{self, Message, flag, kind};
use crate::host::{Host, Replies};
use crate::serve::text_of;

/// The delay after the first fruitless start.
const FIRST_DELAY: Duration = Duration::from_millis(10);
/// It doubles so many times at most: to 5 seconds.
const DOUBLINGS: u32 = 9;

#[derive(Default)]
struct Place {
    epoch: u32,
    /// Started, and its end is not reported yet.
    lives: bool,
    /// This worker has answered something.
    useful: bool,
    /// Workers in a row that have not.
    fruitless: u32,
    /// When to start the next one.
    start_at: Option<Instant>,
}

pub(super) struct Driver {
    host: Host,
    mailbox: Arc<Mailbox>,
    crew: Crew,
    open: OpenCalls,
    places: Vec<Place>,
    respawn: bool,
    grace: Duration,
    replies: Vec<Replies>,
    buffer: Vec<u8>,
}

impl Driver {
    pub(super) fn new(
        host: Host,
        mailbox: Arc<Mailbox>,
        crew: Crew,
        respawn: bool,
        grace: Duration,
    ) -> Self {
        let places = (0..host.workers()).map(|_| Place::default()).collect();
        Self {
            host,
            mailbox,
            crew,
            open: OpenCalls::default(),
            places,
            respawn,
            grace,
            replies: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Starts a worker in every place; none stays if one cannot be started.
    pub(super) fn open(mut self) -> Result<Self> {
        for worker in 0..self.places.len() {
            if let Err(error) = self.start(worker) {
                self.end_workers(Duration::ZERO);
                return Err(error);
            }
        }
        Ok(self)
    }

    /// Works until the pool is closed, then ends the workers.
    pub(super) fn run(mut self) {
        let ended = catch_unwind(AssertUnwindSafe(|| self.work()));
        let (over, grace) = match ended {
            Ok(Ok(())) => (CallError::Closed, self.grace),
            Ok(Err(error)) => (CallError::Broken(error.to_string()), Duration::ZERO),
            Err(panic) => {
                let why = CallError::Broken(text_of(&*panic).to_owned());
                (why, Duration::ZERO)
            }
        };
        self.refuse(over);
        self.end_workers(grace);
    }

    fn work(&mut self) -> Result<()> {
        loop {
            // First this, then the look: what comes in between is found the next time.
            self.host.take_called();
            let mut inbox = self.mailbox.take();
            // Before anything can fail: whoever ends the pool relies on it.
            inbox.ended.retain(|ended| self.is_news(ended));
            self.buffer.clear();
            for request in inbox.calls {
                self.admit(request);
            }
            if inbox.closing {
                return Ok(());
            }
            if !self.buffer.is_empty() {
                self.host.submit(&self.buffer)?;
            }
            let fewer = !self.respawn && !inbox.ended.is_empty();
            for ended in inbox.ended {
                self.settle_death(ended)?;
            }
            if fewer && self.places.iter().all(|place| !place.lives) {
                self.refuse(CallError::NoWorkers);
            }
            let next_start = self.start_due()?;
            self.host.wait(&mut self.replies, next_start)?;
            self.answer()?;
            while let Some(worker) = self.host.take_damaged() {
                // Its end is reported as any other's.
                self.host.stop(worker)?;
                self.crew.kill(Some(worker));
            }
        }
    }

    /// Opens a call and appends its frame to what will be submitted.
    fn admit(&mut self, request: Request) {
        let (call, generation) = self.open.insert(request.slot);
        let header = knit_ring::FrameHeader {
            generation,
            ..frames::call_of(request.function, call, &request.payload)
        };
        frames::append(&mut self.buffer, &header, &request.payload);
    }

    /// Notes that a worker has ended, unless that was another one in its place.
    fn is_news(&mut self, ended: &Ended) -> bool {
        let place = &mut self.places[ended.worker];
        let news = place.lives && place.epoch == ended.epoch;
        if news {
            place.lives = false;
            self.mailbox.update(ended.worker, |info| info.alive = false);
        }
        news
    }

    /// Passes on what the last look at the replies has found.
    fn answer(&mut self) -> Result<()> {
        if self.replies.is_empty() {
            return Ok(());
        }
        for span in &self.replies {
            self.places[span.worker].useful = true;
        }
        for message in self.host.read(&self.replies)? {
            let Message {
                header, payload, ..
            } = message;
            if header.kind == kind::NOTE {
                continue;
            }
            let Some(slot) = self.open.take(header.call, header.generation) else {
                self.mailbox.counters.stale.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            self.mailbox
                .counters
                .answered
                .fetch_add(1, Ordering::Relaxed);
            slot.settle(match (header.kind, header.flags & flag::TEXT) {
                (kind::RESULT, _) => Ok(payload),
                (_, 0) => Err(CallError::Thrown(payload)),
                _ => {
                    let text = String::from_utf8_lossy(&payload).into_owned();
                    Err(CallError::Failed(text))
                }
            });
        }
        self.replies.clear();
        Ok(())
    }

    fn settle_death(&mut self, ended: Ended) -> Result<()> {
        let Ended { worker, exit, .. } = ended;
        loop {
            self.host.poll(&mut self.replies)?;
            let more = self.replies.iter().any(|span| span.worker == worker);
            self.answer()?;
            if !more {
                break;
            }
        }
        self.vacate(worker, &exit)?;
        let place = &mut self.places[worker];
        place.fruitless = if place.useful { 0 } else { place.fruitless + 1 };
        if self.respawn {
            self.start_later(worker)
        } else {
            self.host.evacuate(worker)
        }
    }

    /// Closes a place whose worker is gone, and the calls that it had.
    fn vacate(&mut self, worker: usize, exit: &Exit) -> Result<()> {
        for call in self.host.retire(worker)? {
            if let Some(slot) = self.open.take_any(call) {
                self.mailbox
                    .counters
                    .crashed
                    .fetch_add(1, Ordering::Relaxed);
                slot.settle(Err(CallError::WorkerCrashed(exit.clone())));
            }
        }
        Ok(())
    }

    fn start_later(&mut self, worker: usize) -> Result<()> {
        let place = &mut self.places[worker];
        let delay = match place.fruitless {
            0 => Duration::ZERO,
            n => FIRST_DELAY * 2_u32.pow((n - 1).min(DOUBLINGS)),
        };
        place.start_at = Some(Instant::now() + delay);
        if delay > Duration::ZERO {
            self.host.evacuate(worker)?;
        }
        Ok(())
    }

    /// Starts the workers whose time has come. Returns the time until the next one's.
    fn start_due(&mut self) -> Result<Option<Duration>> {
        let now = Instant::now();
        for worker in 0..self.places.len() {
            if self.places[worker].start_at.is_none_or(|at| at > now) {
                continue;
            }
            self.places[worker].start_at = None;
            match self.start(worker) {
                Ok(()) => self.mailbox.update(worker, |info| info.restarts += 1),
                Err(error) => {
                    // The system has no process or no memory left: as if the worker had died at its start.
                    self.vacate(worker, &Exit::Thread(Some(error.to_string())))?;
                    self.places[worker].fruitless += 1;
                    self.start_later(worker)?;
                }
            }
        }
        let next = self.places.iter().filter_map(|place| place.start_at).min();
        Ok(next.map(|at| at.saturating_duration_since(Instant::now())))
    }

    fn start(&mut self, worker: usize) -> Result<()> {
        let epoch = self.host.begin(worker)?;
        let pid = self.crew.start(&self.host, worker, epoch)?;
        let place = &mut self.places[worker];
        place.epoch = epoch;
        place.lives = true;
        place.useful = false;
        self.mailbox.update(worker, |info| {
            info.pid = pid;
            info.alive = true;
        });
        Ok(())
    }

    /// Ends every open call and every further one with this error.
    fn refuse(&mut self, over: CallError) {
        let unseen = self.mailbox.refuse(over.clone());
        let slots = unseen.into_iter().map(|request| request.slot);
        for slot in self.open.take_all().into_iter().chain(slots) {
            slot.settle(Err(over.clone()));
        }
    }

    /// Asks all workers to end, and ends those that do not within the time.
    fn end_workers(mut self, grace: Duration) {
        for worker in 0..self.places.len() {
            // It fails only for a worker that there is not.
            let _ = self.host.stop(worker);
        }
        let mut until = Some(Instant::now() + grace);
        while self.places.iter().any(|place| place.lives) {
            let ended = self.mailbox.wait_for_ended(until);
            if ended.is_empty() {
                self.crew.kill(None);
                until = None;
            }
            for ended in ended {
                self.is_news(&ended);
            }
        }
        self.crew.finish();
    }
}
