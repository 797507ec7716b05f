//! Worker processes behind a border: commands and ends as texts.
//!
//! A command is what [`crate::process::command`] reads. An end is four words, separated by NUL: the place, the exit code (empty if a signal ended
//! it), the signal's number (empty if none did), the last lines of standard error.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::{HostPort, WorkerPort};
use crate::error::{Result, SchedError};
use crate::process::boot::Boot;
use crate::process::{Fleet, Gone, Joined, command, join};

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
        let mut command = command(order)?;
        prepare(&mut command)?;
        if self.fleet.is_none() {
            self.fleet = Some(Fleet::new(self.host.shared())?);
        }
        let fleet = self.fleet.as_mut().expect("made above");
        fleet.spawn(&self.host, worker, &mut command)
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
}
