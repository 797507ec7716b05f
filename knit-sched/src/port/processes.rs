//! Worker processes behind a border: commands and ends as texts.
//!
//! A command is what [`crate::process::order`] reads. An end is four words, separated by NUL: the place, the exit code (empty if a signal ended
//! it), the signal's number (empty if none did), the last lines of standard error.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use knit_shm::Region;

use super::{HostPort, WorkerPort};
use crate::error::{Result, SchedError};
use crate::process::boot::Boot;
use crate::process::link::Link;
use crate::process::{Fleet, Gone, Joined, Poll, hand_on, join};

/// The pool that this process has joined. It does so once: its standard input is another one afterwards.
static JOINED: Mutex<Option<Joined>> = Mutex::new(None);

/// What a process that has joined must know to take its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The pool's token in this process.
    pub token: u32,
    /// The place.
    pub index: u32,
    /// The epoch for which it is open.
    pub epoch: u32,
    /// Whether this worker may take calls queued for others.
    pub steal: bool,
}

/// Finds the pool and the place of this process.
///
/// # Errors
/// As [`join`](crate::process::join).
pub fn join_process() -> Result<Place> {
    let joined = join(Gone::Kill)?;
    let place = Place {
        token: joined.shared().token(),
        index: joined.index() as u32,
        epoch: joined.epoch(),
        steal: joined.steal(),
    };
    *JOINED.lock().unwrap_or_else(PoisonError::into_inner) = Some(joined);
    Ok(place)
}

/// Leaves what this process was given to the program that it becomes; see [`hand_on`](crate::process::hand_on).
///
/// # Errors
/// As there.
pub fn process_hand_on() -> Result<Option<i32>> {
    hand_on()
}

/// What the host's binding tells this process's.
///
/// # Errors
/// The process has not joined, or the host has told nothing.
pub fn process_boot() -> Result<Vec<u8>> {
    let joined = JOINED.lock().unwrap_or_else(PoisonError::into_inner);
    let joined = joined
        .as_ref()
        .ok_or(SchedError::NotAPool("this process has joined none"))?;
    Ok(joined.boot()?.data)
}

/// The way for shared memory between this worker process and its host.
fn link() -> Result<Arc<Link>> {
    let joined = JOINED.lock().unwrap_or_else(PoisonError::into_inner);
    joined.as_ref().ok_or(SchedError::NoLink)?.link()
}

/// In a worker process: passes memory to the host; returns the number for a message that is published afterwards.
///
/// # Errors
/// There is no way, or the host does not read.
pub fn process_share(region: &Region) -> Result<u32> {
    static LAST: AtomicU32 = AtomicU32::new(0);
    // Relaxed: only that each gets another number matters. 0 is none.
    let number = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1).max(1);
    link()?.pass_now(number, region)?;
    Ok(number)
}

/// In a worker process: no message will name that number.
///
/// # Errors
/// As [`process_share`].
pub fn process_unshare(number: u32) -> Result<()> {
    Ok(link()?.forget_now(number)?)
}

/// In a worker process: the memory that a message of the host names; none if its call was given up.
///
/// # Errors
/// There is no way, or no descriptor left.
pub fn process_take_shared(number: u32) -> Result<Option<Region>> {
    Ok(link()?.take(number)?)
}

impl HostPort {
    /// Tells the workers that are started from now on.
    ///
    /// # Errors
    /// As [`Host::set_boot`](crate::Host::set_boot).
    pub fn set_boot(&mut self, functions: Vec<String>, data: Vec<u8>) -> Result<()> {
        self.host.set_boot(&Boot { functions, data })
    }

    /// Starts a process for a place that was opened; `prepare` may change the command before. Returns its id. The host's bell must have been set.
    ///
    /// # Errors
    /// The text describes no command, or the command cannot be started.
    pub fn spawn(
        &mut self,
        worker: usize,
        order: &str,
        prepare: impl FnOnce(&mut Command) -> Result<()>,
    ) -> Result<u32> {
        let mut order = crate::process::order(order)?;
        prepare(&mut order.command)?;
        if self.fleet.is_none() {
            self.fleet = Some(Fleet::new(self.host.shared())?);
        }
        let fleet = self.fleet.as_mut().expect("made above");
        fleet.spawn(
            &self.host,
            &mut self.parcels,
            worker,
            &mut order,
            self.quiet,
        )
    }

    /// What the host's event loop may poll, once a process was started.
    ///
    /// # Errors
    /// The memory is damaged.
    pub fn poll(&self) -> Result<Option<Poll>> {
        let fleet = self.fleet.as_ref();
        fleet
            .map(|fleet| fleet.poll(self.host.shared()))
            .transpose()
    }

    /// Passes memory to every worker process, and to those that start from now on; returns the number for a message.
    pub fn share(&mut self, region: &Arc<Region>) -> u32 {
        let (number, waits) = self.parcels.share(region);
        self.see_to(waits);
        number
    }

    /// No message will name that number any more.
    pub fn unshare(&mut self, number: u32) {
        let waits = self.parcels.unshare(number);
        self.see_to(waits);
    }

    fn see_to(&self, waits: bool) {
        if let Some(fleet) = self.fleet.as_ref().filter(|_| waits) {
            fleet.nudge();
        }
    }

    /// The memory that an answer of a worker process names, once; none if that has not passed it.
    ///
    /// # Errors
    /// The worker can pass none, or has passed something else.
    pub fn take_shared(&self, worker: usize, number: u32) -> Result<Option<Region>> {
        self.parcels.take(worker, number)
    }

    /// As [`Host::retire`](crate::Host::retire). What else a process there has passed is given up: what it has answered was read before.
    ///
    /// # Errors
    /// As there.
    pub fn retire(&mut self, worker: usize) -> Result<Vec<u32>> {
        self.parcels.close(worker);
        self.host.retire(worker)
    }

    /// The next process that has ended, if there is one.
    pub fn take_exit(&mut self) -> Option<String> {
        let ended = self.fleet.as_mut()?.take_ended()?;
        let number = |number: Option<i32>| number.map_or(String::new(), |n| n.to_string());
        Some(format!(
            "{}\0{}\0{}\0{}",
            ended.worker,
            number(ended.status.and_then(|status| status.code())),
            number(ended.status.and_then(|status| status.signal())),
            // The last word: what it holds separates nothing.
            ended.stderr
        ))
    }

    /// Sends a signal to the process in a place, and to what it has started in its group. Nothing if there is none.
    ///
    /// # Errors
    /// There is no such signal.
    pub fn kill(&mut self, worker: usize, signal: i32) -> Result<()> {
        match &self.fleet {
            Some(fleet) => fleet.signal(worker, signal),
            None => Ok(()),
        }
    }
}

impl Drop for HostPort {
    fn drop(&mut self) {
        if self.fleet.is_some() {
            // Also those that a wrapper has hidden.
            self.host.abandon_processes();
        }
    }
}

impl WorkerPort {
    /// In a worker process: lets other processes ring this worker's bell, which must have been set.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn hear_others(&mut self) -> Result<()> {
        let joined = JOINED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(joined) = joined.as_ref() {
            self.relay = Some(joined.relay()?);
        }
        Ok(())
    }

    /// In a worker process: what this worker's event loop may poll.
    ///
    /// # Errors
    /// The memory is damaged.
    pub fn poll(&self) -> Result<Option<Poll>> {
        let joined = JOINED.lock().unwrap_or_else(PoisonError::into_inner);
        joined.as_ref().map_or(Ok(None), Joined::poll)
    }
}
