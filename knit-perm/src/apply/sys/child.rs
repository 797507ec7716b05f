//! A child of this process that tries something and ends.
//!
//! It has the parent's memory, as that of `posix_spawn` has, and the thread that made it waits until it has ended. A fork of a JavaScript runtime
//! copies the tables of all its pages, and each page that is written afterwards is copied, too: that takes milliseconds.

use std::ffi::{c_int, c_void};

use super::{Errno, last};

/// Bytes of the child's stack: some calls deep.
const STACK: usize = 64 * 1024;

/// Whether `attempt` returns true in a child of this process, which does nothing else. It may make system calls only, must not panic, and may write to
/// nothing but its own variables.
pub(in crate::apply) fn succeeds_in_child<F: Fn() -> bool>(attempt: F) -> bool {
    // No signal when it ends: the host's runtime need not know of it.
    const FLAGS: c_int = libc::CLONE_VM | libc::CLONE_VFORK;
    let mut stack = vec![0_u128; STACK / size_of::<u128>()];
    let argument = (&raw const attempt).cast_mut().cast::<c_void>();
    let signals = Blocked::all();
    // SAFETY: the pointer is one past the end of the stack, which grows down from there and is aligned to 16 bytes. CLONE_VFORK suspends this thread until
    // the child has ended, so that the stack, `attempt` and this thread's storage, whose `errno` the child sets, are the child's alone meanwhile. It
    // makes system calls only, as the caller has promised, and no handler of a signal runs in it.
    let child = unsafe {
        let top = stack.as_mut_ptr_range().end.cast::<c_void>();
        libc::clone(run::<F>, top, FLAGS, argument)
    };
    drop(signals);
    child >= 0 && ended_well(child)
}

/// What the child does.
extern "C" fn run<F: Fn() -> bool>(attempt: *mut c_void) -> c_int {
    // SAFETY: it points to the `attempt` of the function above, which waits.
    let attempt = unsafe { &*attempt.cast::<F>() };
    let status = c_int::from(!attempt());
    // SAFETY: it ends the child at once, without running anything of the parent's.
    unsafe { libc::_exit(status) }
}

/// Waits for the end of a child that ends without a signal.
fn ended_well(child: libc::pid_t) -> bool {
    let mut status = -1;
    loop {
        // SAFETY: `status` is valid and ours while the call lasts. The child is not a thread of a library: nobody else waits for it.
        let waited = unsafe { libc::waitpid(child, &raw mut status, libc::__WALL) };
        if waited >= 0 {
            return libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
        }
        if last() != Errno(libc::EINTR) {
            return false;
        }
    }
}

/// While it lives, this thread and the children that it makes get no signals.
struct Blocked {
    before: libc::sigset_t,
}

impl Blocked {
    fn all() -> Self {
        // SAFETY: a set of signals is plain numbers.
        let mut all: libc::sigset_t = unsafe { std::mem::zeroed() };
        let mut before = all;
        // SAFETY: `all` is valid and ours.
        unsafe { libc::sigfillset(&raw mut all) };
        // SAFETY: both sets are valid and ours while the call lasts.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, &raw mut before) };
        Self { before }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // SAFETY: the set is one that this thread had.
        unsafe {
            libc::pthread_sigmask(
                libc::SIG_SETMASK,
                &raw const self.before,
                std::ptr::null_mut(),
            )
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signals that this thread does not get.
    fn blocked() -> Vec<c_int> {
        // SAFETY: plain numbers.
        let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
        // SAFETY: the set is valid and ours; nothing is changed.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut set) };
        let is_in = |signal: &c_int| {
            // SAFETY: the set is valid.
            unsafe { libc::sigismember(&raw const set, *signal) == 1 }
        };
        (1..32).filter(is_in).collect()
    }

    #[test]
    fn what_a_child_does_to_itself_is_not_done_to_this_process() {
        let folder = std::env::current_dir().unwrap();
        let signals = blocked();
        assert!(succeeds_in_child(|| {
            // SAFETY: it changes only the process that calls it, and `/` ends with a NUL.
            unsafe { libc::chdir(c"/".as_ptr()) == 0 }
        }));
        assert_eq!(std::env::current_dir().unwrap(), folder);
        assert_eq!(blocked(), signals);
    }

    #[test]
    fn a_child_that_fails_or_is_killed_has_not_succeeded() {
        assert!(!succeeds_in_child(|| false));
        assert!(!succeeds_in_child(|| {
            // SAFETY: it reads a number.
            let itself = unsafe { libc::getpid() };
            // SAFETY: it ends the child.
            unsafe { libc::kill(itself, libc::SIGKILL) == 1 }
        }));
        assert!(succeeds_in_child(|| true));
    }

    #[test]
    fn a_child_gets_no_signals() {
        assert!(succeeds_in_child(|| {
            // SAFETY: plain numbers.
            let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
            // SAFETY: the set is valid and ours; nothing is changed.
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut set) };
            // SAFETY: the set is valid.
            unsafe { libc::sigismember(&raw const set, libc::SIGINT) == 1 }
        }));
    }

    #[test]
    fn this_process_can_be_looked_into_as_before_when_a_child_took_another_user_namespace() {
        // SAFETY: it reads a number of this process, which belongs to its memory.
        let dumpable = || unsafe { libc::prctl(libc::PR_GET_DUMPABLE) };
        let before = dumpable();
        // Not allowed everywhere.
        let _ = succeeds_in_child(|| super::super::unshare(libc::CLONE_NEWUSER).is_ok());
        assert_eq!(dumpable(), before);
    }
}
