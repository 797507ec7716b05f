//! `os_sync_wait_on_address` with the shared flag. It exists since macOS 14.4, so it is looked up at run time.

use std::ffi::{c_int, c_void};
use std::mem::transmute;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::io::Errno;

use super::Outcome;
use crate::ShmError;

/// `OS_SYNC_WAIT_ON_ADDRESS_SHARED` and `OS_SYNC_WAKE_BY_ADDRESS_SHARED`.
const SHARED: u32 = 1;
/// `OS_CLOCK_MACH_ABSOLUTE_TIME`.
const CLOCK: u32 = 32;
/// The bytes of the word that are compared.
const WIDTH: usize = size_of::<u32>();

type Wait = unsafe extern "C" fn(*mut c_void, u64, usize, u32) -> c_int;
type WaitFor = unsafe extern "C" fn(*mut c_void, u64, usize, u32, u32, u64) -> c_int;
type Wake = unsafe extern "C" fn(*mut c_void, usize, u32) -> c_int;

struct Calls {
    wait: Wait,
    wait_for: WaitFor,
    wake_any: Wake,
}

fn symbol(name: &std::ffi::CStr) -> Option<*mut c_void> {
    // SAFETY: a valid C string; the handle asks for all that is loaded.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

fn calls() -> Result<&'static Calls, ShmError> {
    static CALLS: OnceLock<Option<Calls>> = OnceLock::new();
    let find = || {
        Some(Calls {
            // SAFETY: the system's function of this name has this signature, by its header.
            wait: unsafe { transmute::<*mut c_void, Wait>(symbol(c"os_sync_wait_on_address")?) },
            // SAFETY: as above.
            wait_for: unsafe {
                transmute::<*mut c_void, WaitFor>(symbol(c"os_sync_wait_on_address_with_timeout")?)
            },
            // SAFETY: as above.
            wake_any: unsafe {
                transmute::<*mut c_void, Wake>(symbol(c"os_sync_wake_by_address_any")?)
            },
        })
    };
    CALLS
        .get_or_init(find)
        .as_ref()
        .ok_or(ShmError::Unsupported {
            what: "os_sync_wait_on_address (macOS 14.4)",
        })
}

fn errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL)
}

/// One wait; `None` if a signal ended it.
pub(super) fn wait(
    word: &AtomicU32,
    expected: u32,
    timeout: Option<Duration>,
) -> Result<Option<Outcome>, ShmError> {
    let calls = calls()?;
    // The call does not tell a word that differs from a wake. Relaxed: the caller loads again with what it needs.
    if word.load(Ordering::Relaxed) != expected {
        return Ok(Some(Outcome::Changed));
    }
    let address = word.as_ptr().cast();
    let waiters = match timeout.map(|timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX))
    {
        // Zero is refused as invalid.
        Some(0) => return Ok(Some(Outcome::TimedOut)),
        // SAFETY: the word is alive while it is borrowed, and the width is its own.
        Some(nanos) => unsafe {
            (calls.wait_for)(address, expected.into(), WIDTH, SHARED, CLOCK, nanos)
        },
        // SAFETY: as above.
        None => unsafe { (calls.wait)(address, expected.into(), WIDTH, SHARED) },
    };
    if waiters >= 0 {
        return Ok(Some(Outcome::Woken));
    }
    match errno() {
        Errno::TIMEDOUT => Ok(Some(Outcome::TimedOut)),
        // EFAULT: the page was in motion; the header asks to try again.
        Errno::INTR | Errno::FAULT => Ok(None),
        other => Err(ShmError::os("os_sync_wait_on_address")(other)),
    }
}

pub(super) fn wake(word: &AtomicU32, n: u32) -> usize {
    // Where the calls are missing, nobody can have fallen asleep through them.
    let Ok(calls) = calls() else { return 0 };
    let mut woken = 0;
    while woken < n as usize {
        // SAFETY: the word is alive while it is borrowed, and the width is its own.
        let result = unsafe { (calls.wake_any)(word.as_ptr().cast(), WIDTH, SHARED) };
        if result >= 0 {
            woken += 1;
        } else if errno() != Errno::INTR {
            // ENOENT: nobody is left.
            break;
        }
    }
    woken
}
