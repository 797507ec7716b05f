//! Where there are no worker processes: everything about them is an error that says so.

use std::process::Command;
use std::sync::Arc;

use knit_shm::Region;

use super::{HostPort, WorkerPort};
use crate::error::{Result, SchedError};

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
/// Always [`SchedError::NoProcesses`].
pub fn join_process() -> Result<Place> {
    Err(SchedError::NoProcesses)
}

/// Leaves what this process was given to the program that it becomes.
///
/// # Errors
/// None: no process is given anything.
pub fn process_hand_on() -> Result<Option<i32>> {
    Ok(None)
}

/// What the host's binding tells this process's.
///
/// # Errors
/// Always [`SchedError::NoProcesses`].
pub fn process_boot() -> Result<Vec<u8>> {
    Err(SchedError::NoProcesses)
}

/// Passes memory to the host.
///
/// # Errors
/// Always [`SchedError::NoProcesses`].
pub fn process_share(_: &Region) -> Result<u32> {
    Err(SchedError::NoProcesses)
}

/// No message will name that number.
///
/// # Errors
/// Always [`SchedError::NoProcesses`].
pub fn process_unshare(_: u32) -> Result<()> {
    Err(SchedError::NoProcesses)
}

/// The memory that a message of the host names.
///
/// # Errors
/// Always [`SchedError::NoProcesses`].
pub fn process_take_shared(_: u32) -> Result<Option<Region>> {
    Err(SchedError::NoProcesses)
}

impl HostPort {
    /// There is nobody to pass memory to: a number that stands for none.
    pub fn share(&mut self, _: &Arc<Region>) -> u32 {
        0
    }

    /// No message will name that number any more.
    pub fn unshare(&mut self, _: u32) {}

    /// The memory that an answer of a worker process names.
    ///
    /// # Errors
    /// Always [`SchedError::NoProcesses`].
    pub fn take_shared(&self, _: usize, _: u32) -> Result<Option<Region>> {
        Err(SchedError::NoProcesses)
    }

    /// As [`Host::retire`](crate::Host::retire).
    ///
    /// # Errors
    /// As there.
    pub fn retire(&mut self, worker: usize) -> Result<Vec<u32>> {
        self.host.retire(worker)
    }

    /// Tells the workers that are started from now on.
    ///
    /// # Errors
    /// Always [`SchedError::NoProcesses`].
    pub fn set_boot(&mut self, _: Vec<String>, _: Vec<u8>) -> Result<()> {
        Err(SchedError::NoProcesses)
    }

    /// Starts a process for a place.
    ///
    /// # Errors
    /// Always [`SchedError::NoProcesses`].
    pub fn spawn(
        &mut self,
        _: usize,
        _: &str,
        _: impl FnOnce(&mut Command) -> Result<()>,
    ) -> Result<u32> {
        Err(SchedError::NoProcesses)
    }

    /// No process has ended.
    pub fn take_exit(&mut self) -> Option<String> {
        None
    }

    /// Sends a signal to the process in a place.
    ///
    /// # Errors
    /// None: there is no process.
    pub fn kill(&mut self, _: usize, _: i32) -> Result<()> {
        Ok(())
    }
}

impl WorkerPort {
    /// Nothing: this worker is a thread.
    ///
    /// # Errors
    /// None.
    pub fn hear_others(&mut self) -> Result<()> {
        Ok(())
    }
}
