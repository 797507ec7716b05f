//! What the host gives to a process: a description of the pool's memory that stands at the worker's cell.

use std::os::fd::{AsRawFd, OwnedFd};

use knit_shm::pass::Heirloom;
use rustix::fs::{FlockOperation, Mode, OFlags, SeekFrom, flock, open, seek};

use super::io;
use crate::cell::Cell;
use crate::error::{Result, SchedError};
use crate::host::Host;

impl Host {
    /// What a process must get as standard input to become the worker of this place, which must have been opened. Each call makes a
    /// descriptor of its own, closed on exec like all others.
    ///
    /// # Errors
    /// There is no such worker, or no descriptor left.
    pub fn descriptor(&self, worker: usize) -> Result<OwnedFd> {
        let region = self.shared().region();
        let cell = self.shared().layout().cell_offset(worker)?;
        let own = region
            .fd()
            .ok_or(SchedError::NotAPool("it has no descriptor"))?;
        // Held already, it stays held.
        flock(own, FlockOperation::NonBlockingLockExclusive).map_err(io("flock"))?;
        let path = format!("/proc/self/fd/{}", own.as_raw_fd());
        let fd = open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            .map_err(io("opening the pool's memory again"))?;
        seek(&fd, SeekFrom::Start(cell as u64)).map_err(io("lseek"))?;
        Ok(fd)
    }

    /// Says by what the process that is about to be started in that place finds its socket for shared memory.
    pub(super) fn set_socket(&self, worker: usize, socket: Heirloom) -> Result<()> {
        let (layout, region) = (self.shared().layout(), self.shared().region());
        Cell::new(layout, region, worker)?.set_socket(socket);
        Ok(())
    }

    /// Ends every worker process that is still there, and was not started by this one itself perhaps: for them the host is gone now. The memory
    /// may stay mapped here for longer.
    pub fn abandon_processes(&self) {
        if let Some(own) = self.shared().region().fd() {
            // An error says that the lock was never taken: there was no process.
            let _ = flock(own, FlockOperation::Unlock);
        }
    }
}
