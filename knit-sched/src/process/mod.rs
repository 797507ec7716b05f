//! Worker processes: how they are started and watched, how one finds its pool and its place, how both sides wake each other, and how each
//! learns that the other is gone.
//!
//! All that a worker process is given is its standard input. That descriptor is the pool's memory, and the *position* of the descriptor is the
//! offset of the worker's cell. So a worker needs no argument and no environment, and may be wrapped in any command that leaves standard
//! input alone. For wrappers that do not there are names (`door`, `given`): the worker is told one by its last argument, connects there, and puts what
//! it gets where it would have inherited it; everything after that is the same. What it must know besides (its epoch, whether it may steal, what its binding wants to tell it) is in the memory.
//!
//! # Protocol
//!
//! 1. The host opens the place ([`Host::begin`](crate::Host::begin)), asks for a descriptor ([`Host::descriptor`](crate::Host::descriptor)) and starts
//!    the process with it as descriptor 0. Every process gets one of its own (an open file description, in the words of POSIX), because a
//!    position belongs to the description.
//! 2. The worker ([`join`], or [`attach`] for both steps) maps the memory, reads the position, and puts `/dev/null` in place of descriptor 0: what
//!    it runs later neither reads the pool's memory by mistake nor hands it on. When it is ready to serve it takes the place.
//! 3. The host holds an exclusive `flock` on its own description, which no other process ever has. A thread of the worker waits for that
//!    lock. It is given when the host has ended, however it ended, or has let go of the memory: the worker ends then, whatever it runs.
//!
//! That holds across process-id and user namespaces, where neither pidfds of parents nor parent-death signals reach, and costs nothing
//! while nothing happens. It does not hold for a worker that stops its own threads (SIGSTOP): it ends when it goes on.
//!
//! | file | idea |
//! |---|---|
//! | `descriptor` | what the host gives to a process |
//! | `door` | the same behind a name, for a process that can inherit nothing |
//! | `given` | what the process has inherited, or gets at that name |
//! | `join` | what it makes of that |
//! | [`boot`] | what a binding tells its workers, in the pool's memory |
//! | `bell` | event loops that are rung from other processes, by a descriptor |
//! | `relay` | the same by a thread, for loops that poll none |
//! | `order` | a command as a list of words |
//! | `watcher`, `stderr` | one thread that learns how processes end, and what they said |
//! | `fleet` | the processes of a host that has an event loop |
//! | `link`, `parcels` | memory that crosses beside messages: one socket, and a host's book of all of them |
//!
//! Linux only: no other system opens anonymous memory a second time.

mod bell;
pub mod boot;
mod descriptor;
mod door;
mod fleet;
mod given;
mod join;
pub(crate) mod link;
mod order;
pub(crate) mod parcels;
mod relay;
mod stderr;
pub(crate) mod watcher;

pub use bell::Poll;
pub use fleet::Fleet;
pub use given::hand_on;
pub use join::{Joined, attach, is_worker, join};
pub use order::{Order, order};
pub use relay::Relay;
pub use watcher::Ended;

use rustix::io::Errno;

use crate::error::SchedError;

/// Exit status of a worker process whose host is gone (`EX_UNAVAILABLE` in sysexits.h), if it ends by [`Gone::Exit`].
pub const HOST_GONE: i32 = 69;

/// What a worker process does when its host is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It exits with the status [`HOST_GONE`], after what was registered to run at exit.
    Exit,
    /// It ends at once, by SIGKILL: for processes whose exit handlers must not run beside their main thread, as those of JavaScript's
    /// runtimes.
    Kill,
}

fn io(what: &'static str) -> impl FnOnce(Errno) -> SchedError {
    move |errno| SchedError::Io {
        what,
        source: errno.into(),
    }
}
