//! Making the kernel's part of a plan true: of a process between fork and exec, or of a thread.
//!
//! It guarantees that what it reports as done is done, in full: a step that fails ends the attempt, the program is not started, the thread gets an
//! error and must not run tasks. Nothing can be taken back afterwards, by anybody.
//!
//! # Protocol of a process
//!
//! 1. [`Prepared::new`], once in the parent: paths are opened, the filter is compiled. Everything that allocates or may fail for lack of
//!    something happens here.
//! 2. Per spawn, in the child, between fork and exec ([`Prepared::sandbox`] arranges it): limits; a view of the file
//!    system in which denied places are covered; descriptors closed; no new privileges; capabilities; parent's death; Landlock; the filter; exec.
//!    Landlock comes before the filter, which may deny what Landlock needs, and after the view, because it denies mounts. Only system calls are made,
//!    no memory is allocated, no lock is taken: the child is a copy of one thread of a process with many.
//!
//! # Who may call what
//!
//! [`Prepared`] is shared freely between threads. [`restrict_thread`] restricts the thread that calls it, and those that it makes later.
//!
//! Sources: landlock(7), seccomp(2), capabilities(7), close_range(2), prctl(2), signal-safety(7); Landlock's documentation in the kernel's tree.

mod error;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(target_os = "linux")]
mod names;
#[cfg(target_os = "linux")]
mod prepared;
mod probe;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod sys;
#[cfg(target_os = "linux")]
mod thread;

pub use error::ApplyError;
#[cfg(target_os = "linux")]
pub use prepared::Prepared;
pub use probe::kernel;
#[cfg(target_os = "linux")]
pub use thread::restrict_thread;
