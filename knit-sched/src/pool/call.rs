//! A call on its way, and what it can end with.

use std::future::Future;
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// How a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// It was a process, and this is its status: none if the system did not keep it (in programs that ignore SIGCHLD).
    Process(Option<ExitStatus>),
    /// It was a thread; with the error that ended it, if it was one.
    Thread(Option<String>),
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Process(Some(status)) => write!(f, "{status}"),
            Self::Process(None) => f.write_str("its process is gone"),
            Self::Thread(Some(error)) => f.write_str(error),
            Self::Thread(None) => f.write_str("its thread returned"),
        }
    }
}

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The function returned an error: these bytes.
    #[error("the function returned an error of {} bytes", .0.len())]
    Thrown(Vec<u8>),
    /// The worker lives but could not run the function to its end: it panicked, or there is no function with that number.
    #[error("{0}")]
    Failed(String),
    /// The worker that had taken the call ended before it answered. The function may have run, in part or to its end.
    #[error("the worker that ran this call has ended: {0}")]
    WorkerCrashed(Exit),
    /// The argument is longer than the pool's memory can hold.
    #[error(
        "an argument of {bytes} bytes is longer than {limit} bytes, the most that this pool can pass"
    )]
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The most there can be.
        limit: usize,
    },
    /// The pool was closed before the call was answered.
    #[error("the pool is closed")]
    Closed,
    /// Every worker has ended, and none is replaced.
    #[error("the pool has no worker left")]
    NoWorkers,
    /// The pool's memory is damaged: nothing in it can be believed any more.
    #[error("the pool is broken: {0}")]
    Broken(String),
}

impl CallError {
    /// A stable, upper-case code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Thrown(_) => "KNT_THROWN",
            Self::Failed(_) => "KNT_FAILED",
            Self::WorkerCrashed(_) => "KNT_WORKER_CRASHED",
            Self::TooLong { .. } => "KNT_TOO_LONG",
            Self::Closed => "KNT_POOL_CLOSED",
            Self::NoWorkers => "KNT_NO_WORKERS",
            Self::Broken(_) => "KNT_POOL_BROKEN",
        }
    }
}

/// What a call ends with.
pub type Outcome = Result<Vec<u8>, CallError>;

#[derive(Debug)]
enum State {
    Open(Option<Waker>),
    Settled(Outcome),
    Taken,
}

/// Where the outcome of one call is put.
#[derive(Debug)]
pub(super) struct Slot {
    state: Mutex<State>,
    settled: Condvar,
}

impl Slot {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State::Open(None)),
            settled: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the outcome there: once.
    pub(super) fn settle(&self, outcome: Outcome) {
        let mut state = self.lock();
        let State::Open(waker) = std::mem::replace(&mut *state, State::Settled(outcome)) else {
            unreachable!("a call leaves the table of open calls before it is settled");
        };
        drop(state);
        self.settled.notify_one();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A call that was made: wait for it, or await it. Dropped, it runs all the same.
#[derive(Debug)]
#[must_use = "a call has an outcome"]
pub struct Call {
    pub(super) slot: Arc<Slot>,
}

impl Call {
    /// Blocks until the call is answered.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn wait(self) -> Outcome {
        let mut state = self.slot.lock();
        loop {
            match take(&mut state) {
                Some(outcome) => return outcome,
                None => {
                    state = (self.slot.settled.wait(state)).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    /// Blocks until the call is answered, or the time is over: then it comes back, to be waited for again.
    ///
    /// # Errors
    /// The call itself, if it is still open.
    pub fn wait_for(self, time: Duration) -> Result<Outcome, Self> {
        let end = Instant::now() + time;
        let mut state = self.slot.lock();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match take(&mut state) {
                Some(outcome) => return Ok(outcome),
                None if left.is_zero() => break,
                None => {
                    let woken = self.slot.settled.wait_timeout(state, left);
                    state = woken.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
        drop(state);
        Err(self)
    }
}

fn take(state: &mut State) -> Option<Outcome> {
    match std::mem::replace(state, State::Taken) {
        State::Settled(outcome) => Some(outcome),
        other => {
            *state = other;
            None
        }
    }
}

impl Future for Call {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let mut state = self.slot.lock();
        match take(&mut state) {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                assert!(
                    matches!(*state, State::Open(_)),
                    "a call is not polled after it was ready"
                );
                *state = State::Open(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}
