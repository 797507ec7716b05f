//! What a host keeps ready for a process that can inherit nothing: a name, told by the last argument, at which the process gets the pool's memory and the socket for
//! shared memory.
//!
//! 1. The host makes the name ([`DescriptorListener`]), puts it behind the command, and gives nothing to the process but `/dev/null`.
//! 2. The process connects. The host's watcher sees it, removes the name, and passes the descriptor that the process would have inherited as standard
//!    input. The connection is the link from then on.
//! 3. If the process ends without having connected, or the pool does, the name is removed. If the host is killed before, the process removes it, or the next
//!    host of that user.
//!
//! Each process has a name of its own: one that is started again gets a fresh one.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Command;
use std::time::Duration;

use knit_shm::ShmError;
use knit_shm::pass::DescriptorListener;

use super::given::{MEMORY, WORD};
use super::link::Link;
use crate::error::Result;

pub(crate) struct Door {
    listener: DescriptorListener,
    memory: OwnedFd,
}

impl Door {
    /// Makes the name, and tells it to the command.
    pub(super) fn new(prefix: &str, memory: OwnedFd, command: &mut Command) -> Result<Self> {
        let listener = DescriptorListener::new(prefix)?;
        let path = listener.path().to_str().expect("it is ASCII");
        command.arg(format!("{WORD}{path}"));
        Ok(Self { listener, memory })
    }

    /// Somebody has connected. True if this door has served its purpose, or cannot: the process finds it closed then, and says so.
    pub(super) fn answer(&self, link: &Link) -> bool {
        match self.listener.accept(Duration::ZERO) {
            Err(ShmError::TimedOut) => false,
            Err(_) => true,
            Ok(socket) => {
                // An error says that the process has ended.
                if socket.send(MEMORY, self.memory.as_fd()).is_ok() {
                    link.connect(socket);
                }
                true
            }
        }
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
