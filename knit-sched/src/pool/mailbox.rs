//! Where the threads that use a pool meet the one that owns its host.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::call::{Call, CallError, Exit, Slot};
use super::{Stats, WorkerInfo};
use crate::bells::HostWaker;

/// A call that no host has seen yet.
pub(super) struct Request {
    pub(super) function: u16,
    pub(super) payload: Vec<u8>,
    pub(super) slot: Arc<Slot>,
}

/// The end of a worker.
pub(super) struct Ended {
    pub(super) worker: usize,
    pub(super) epoch: u32,
    pub(super) exit: Exit,
}

/// What waits for the host's thread.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) calls: Vec<Request>,
    pub(super) ended: Vec<Ended>,
    pub(super) closing: bool,
    /// What every further call ends with.
    over: Option<CallError>,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) answered: AtomicU64,
    pub(super) crashed: AtomicU64,
    pub(super) stale: AtomicU64,
}

pub(super) struct Mailbox {
    inbox: Mutex<Inbox>,
    ended: Condvar,
    waker: HostWaker,
    longest: usize,
    pub(super) workers: Mutex<Vec<WorkerInfo>>,
    pub(super) counters: Counters,
}

impl Mailbox {
    pub(super) fn new(waker: HostWaker, longest: usize, workers: usize) -> Arc<Self> {
        Arc::new(Self {
            inbox: Mutex::default(),
            ended: Condvar::new(),
            waker,
            longest,
            workers: Mutex::new(vec![WorkerInfo::default(); workers]),
            counters: Counters::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn call(&self, function: u16, payload: Vec<u8>) -> Call {
        let slot = Slot::new();
        let call = Call { slot: slot.clone() };
        let (bytes, limit) = (payload.len(), self.longest);
        if bytes > limit {
            slot.settle(Err(CallError::TooLong { bytes, limit }));
            return call;
        }
        let mut inbox = self.lock();
        if let Some(over) = inbox.over.clone() {
            drop(inbox);
            slot.settle(Err(over));
            return call;
        }
        inbox.calls.push(Request {
            function,
            payload,
            slot,
        });
        drop(inbox);
        self.waker.wake();
        call
    }

    pub(super) fn ended(&self, ended: Ended) {
        self.lock().ended.push(ended);
        self.ended.notify_one();
        self.waker.wake_for_a_death();
    }

    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.waker.wake();
    }

    /// Host: everything that has come.
    pub(super) fn take(&self) -> Inbox {
        let mut inbox = self.lock();
        Inbox {
            calls: std::mem::take(&mut inbox.calls),
            ended: std::mem::take(&mut inbox.ended),
            closing: inbox.closing,
            over: None,
        }
    }

    /// Host: takes no further calls; returns those that it has not seen.
    pub(super) fn refuse(&self, over: CallError) -> Vec<Request> {
        let mut inbox = self.lock();
        inbox.over.get_or_insert(over);
        std::mem::take(&mut inbox.calls)
    }

    /// Host: waits for the end of workers, at most until then.
    pub(super) fn wait_for_ended(&self, until: Option<Instant>) -> Vec<Ended> {
        let mut inbox = self.lock();
        while inbox.ended.is_empty() {
            let Some(until) = until else {
                inbox = (self.ended.wait(inbox)).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let woken = self.ended.wait_timeout(inbox, left);
            inbox = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::take(&mut inbox.ended)
    }

    pub(super) fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            answered: read(&self.counters.answered),
            crashed: read(&self.counters.crashed),
            stale: read(&self.counters.stale),
        }
    }

    pub(super) fn update(&self, worker: usize, change: impl FnOnce(&mut WorkerInfo)) {
        change(&mut self.workers.lock().unwrap_or_else(PoisonError::into_inner)[worker]);
    }
}
