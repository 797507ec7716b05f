//! A pool that runs purely in Rust: calls from any thread, workers in threads or in processes.
//!
//! A thread of its own (`driver`) owns the [`Host`]; [`Pool::call`] leaves the call at a `mailbox` and wakes that thread if it sleeps. A
//! program that has one thread for this anyway can use [`Host`] itself and save the way between the threads.
//!
//! # What it guarantees
//!
//! - Every call ends exactly once: with its result, with what the function threw, or with a [`CallError`] that says why not.
//! - The death of a worker ends the calls that it had taken, and no others. It is replaced; calls that nobody had taken are run.
//! - [`Pool::close`], or dropping the pool, ends every worker. The death of the program ends its worker processes.
//!
//! What it does not: a call that a dead worker had taken is not tried again, because its function may have run. Calls that wait for workers
//! are not limited in number. Threads cannot be ended by force: closing a pool waits for the functions that its threads run.

mod call;
mod crew;
mod driver;
mod mailbox;
mod open;

pub use call::{Call, CallError, Exit, Outcome};

use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::{Result, SchedError};
use crate::host::{Host, HostOptions};
use crate::layout::Config;
use crate::serve::Functions;
use crew::{Crew, Kind};
use driver::Driver;
use mailbox::Mailbox;

/// What a pool can tell about one of its workers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerInfo {
    /// The process that was started last, if workers are processes.
    pub pid: Option<u32>,
    /// Whether it was started and has not ended.
    pub alive: bool,
    /// How often a worker in this place was replaced.
    pub restarts: u32,
}

/// What a pool has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Calls that a worker answered.
    pub answered: u64,
    /// Calls that ended with their worker.
    pub crashed: u64,
    /// Answers to calls that were not open: none, unless a worker breaks the protocol.
    pub stale: u64,
}

/// How a pool is to be.
#[derive(Debug, Clone)]
pub struct Builder {
    options: HostOptions,
    respawn: bool,
    grace: Duration,
}

impl Builder {
    /// How many workers: as many as there are cores unless set.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.options.config.workers = workers;
        self
    }

    /// Whether idle workers take calls queued for busy ones: yes unless set.
    #[must_use]
    pub fn steal(mut self, steal: bool) -> Self {
        self.options.steal = steal;
        self
    }

    /// Whether a worker that ends is replaced: yes unless set. Without, calls end with [`CallError::NoWorkers`] when all have ended.
    #[must_use]
    pub fn respawn(mut self, respawn: bool) -> Self {
        self.respawn = respawn;
        self
    }

    /// How long worker processes have to end when the pool is closed, before they are killed: a second unless set.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sizes of the memory, but for the number of workers.
    #[must_use]
    pub fn memory(mut self, config: Config) -> Self {
        self.options.config = Config {
            workers: self.options.config.workers,
            ..config
        };
        self
    }

    /// Starts the pool with worker threads that run these functions.
    ///
    /// # Errors
    /// A setting is outside its limits, or the system has no memory or no thread left.
    pub fn threads(self, functions: Functions) -> Result<Pool> {
        self.start(Kind::Threads(functions))
    }

    /// Starts the pool with worker processes: each is this command, and calls [`serve_process`](crate::serve_process) or what else
    /// speaks the protocol of [`crate::process`]. Its standard input is the pool's; all else is as the command says.
    ///
    /// # Errors
    /// A setting is outside its limits, the command cannot be started, or the system has no memory left.
    #[cfg(target_os = "linux")]
    pub fn processes(self, command: std::process::Command) -> Result<Pool> {
        self.start(Kind::Processes(command))
    }

    fn start(self, kind: Kind) -> Result<Pool> {
        let host = Host::create(self.options)?;
        let mailbox = Mailbox::new(host.waker(), host.longest_payload(), host.workers());
        let crew = Crew::new(kind, mailbox.clone(), self.options.steal)?;
        let driver = Driver::new(host, mailbox.clone(), crew, self.respawn, self.grace).open()?;
        let thread = std::thread::Builder::new()
            .name("knit-host".into())
            .spawn(move || driver.run())
            .map_err(|source| SchedError::Io {
                what: "starting a thread",
                source,
            })?;
        Ok(Pool {
            mailbox,
            thread: Some(thread),
        })
    }
}

/// A running pool. Share it by reference, or in an [`Arc`].
pub struct Pool {
    mailbox: Arc<Mailbox>,
    thread: Option<JoinHandle<()>>,
}

impl Pool {
    /// How the next pool is to be.
    #[must_use]
    pub fn builder() -> Builder {
        let mut options = HostOptions::default();
        options.config.workers = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(crate::MAX_WORKERS);
        Builder {
            options,
            respawn: true,
            grace: Duration::from_secs(1),
        }
    }

    /// Calls a function by its number with this argument. Never blocks on a worker.
    pub fn call(&self, function: u16, argument: impl Into<Vec<u8>>) -> Call {
        self.mailbox.call(function, argument.into())
    }

    /// The workers as they are now, by place.
    #[must_use]
    pub fn workers(&self) -> Vec<WorkerInfo> {
        let workers = self.mailbox.workers.lock();
        workers.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the pool has counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.mailbox.stats()
    }

    /// Ends the pool: calls that are not answered end with [`CallError::Closed`], and every worker ends. Returns when they have.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.mailbox.close();
            // Its panics were caught and told to the calls.
            let _ = thread.join();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.end();
    }
}
