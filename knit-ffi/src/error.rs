//! Numbers for errors, what was last wrong on a thread, and the guard that lets no panic through.
//!
//! The numbers are few, for programs that only ask what to do now; the code and the text say exactly what it was. The codes are the
//! engine's (`KNT_...`) and the same in all bindings.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};

use knit_perm::border::BorderError;
use knit_sched::SchedError;
use knit_shm::ShmError;

/// There is nothing with that handle on this thread, or with that token: it was closed or given back, or made elsewhere.
pub const KNIT_ERROR_CLOSED: i32 = -1;
/// An argument cannot be: null where something must be, or a number outside its limits.
pub const KNIT_ERROR_ARGUMENT: i32 = -2;
/// The engine refuses or has failed: memory, system, or a damaged frame. The code says which.
pub const KNIT_ERROR_ENGINE: i32 = -3;
/// A function was called from within a bell that this thread rang.
pub const KNIT_ERROR_BUSY: i32 = -4;
/// A defect of the library. Close what the call was about.
pub const KNIT_ERROR_PANIC: i32 = -5;

/// What can go wrong at the border.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FfiError {
    /// The handle or token is unknown here.
    #[error("there is no {what} {number} here: it was closed, or never made on this thread")]
    Closed {
        /// What it should have been.
        what: &'static str,
        /// Its handle or token.
        number: u32,
    },
    /// An argument cannot be.
    #[error("{argument} must be {expected}")]
    Argument {
        /// Which.
        argument: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// A bell has called back.
    #[error("this was called from within a bell that this thread rang")]
    Busy,
    /// A panic was stopped.
    #[error("a defect of the library: {0}")]
    Panic(String),
    /// From the engine.
    #[error(transparent)]
    Sched(#[from] SchedError),
    /// From the mapped memory.
    #[error(transparent)]
    Shm(#[from] ShmError),
    /// A plan of permissions was not carried out.
    #[error(transparent)]
    Border(#[from] BorderError),
}

impl FfiError {
    /// The number of the error at the border.
    #[must_use]
    pub fn number(&self) -> i32 {
        match self {
            Self::Closed { .. } => KNIT_ERROR_CLOSED,
            Self::Argument { .. } => KNIT_ERROR_ARGUMENT,
            Self::Busy => KNIT_ERROR_BUSY,
            Self::Panic(_) => KNIT_ERROR_PANIC,
            Self::Sched(_) | Self::Shm(_) | Self::Border(_) => KNIT_ERROR_ENGINE,
        }
    }

    /// A stable, upper-case code for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Closed { .. } => "KNT_CLOSED",
            Self::Argument { .. } => "KNT_ARGUMENT",
            Self::Busy => "KNT_BUSY",
            Self::Panic(_) => "KNT_PANIC",
            Self::Sched(error) => error.code(),
            Self::Shm(error) => error.code(),
            Self::Border(error) => error.code(),
        }
    }
}

/// Shorthand for this crate's results.
pub type Result<T, E = FfiError> = std::result::Result<T, E>;

/// An argument that cannot be.
pub(crate) fn argument(argument: &'static str, expected: &'static str) -> FfiError {
    FfiError::Argument { argument, expected }
}

struct Last {
    code: &'static str,
    text: String,
}

thread_local! {
    static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
}

/// Runs what a function of the border does. An error, or a panic, becomes its number, and is kept for this thread to ask about.
#[inline]
pub(crate) fn guard(run: impl FnOnce() -> Result<i32>) -> i32 {
    // Unwind safety: what a panic leaves behind is a host or worker that the caller is told to close.
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => fail(&error),
        Err(panic) => fail(&FfiError::Panic(text_of(&*panic).to_owned())),
    }
}

#[cold]
fn fail(error: &FfiError) -> i32 {
    let last = Last {
        code: error.code(),
        text: error.to_string(),
    };
    // Gone while the thread ends, and then nobody asks any more; borrowed never, since nothing runs while it is.
    let _ = LAST.try_with(|place| place.replace(Some(last)));
    error.number()
}

fn text_of(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    let formatted = panic.downcast_ref::<String>().map(String::as_str);
    literal.or(formatted).unwrap_or("without a message")
}

/// A count as a result.
pub(crate) fn count(value: usize) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// Writes the text of this thread's last error into `buffer`, in UTF-8, cut to `len` bytes with the NUL that ends it. Empty if there was none.
///
/// Returns the bytes of the whole text without the NUL: if that is `len` or more, it was cut. Later calls that succeed do not change it.
/// `buffer` stays the caller's; null if `len` is 0. May be called on any thread, and speaks of that one.
///
/// # Safety
/// `buffer` is null, or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_last_error(buffer: *mut c_char, len: usize) -> i32 {
    guard(|| {
        // SAFETY: as the caller promises.
        last(|last| unsafe { write_text(&last.text, buffer, len) })
    })
}

/// Writes the stable code of this thread's last error, such as `KNT_CLOSED`, as `knit_last_error` does its text.
///
/// # Safety
/// `buffer` is null, or has room for `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_last_error_code(buffer: *mut c_char, len: usize) -> i32 {
    guard(|| {
        // SAFETY: as the caller promises.
        last(|last| unsafe { write_text(last.code, buffer, len) })
    })
}

fn last(write: impl FnOnce(&Last) -> i32) -> Result<i32> {
    const NONE: Last = Last {
        code: "",
        text: String::new(),
    };
    LAST.try_with(|last| match last.borrow().as_ref() {
        Some(last) => write(last),
        None => write(&NONE),
    })
    .map_err(|_| argument("the thread", "one that has not ended"))
}

/// Writes a text and its NUL, cut to `len` bytes at a whole character. Returns its whole length.
///
/// # Safety
/// `buffer` is null, or has room for `len` bytes.
pub(crate) unsafe fn write_text(text: &str, buffer: *mut c_char, len: usize) -> i32 {
    if !buffer.is_null() && len > 0 {
        let mut end = text.len().min(len - 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let to = buffer.cast::<u8>();
        // SAFETY: `end` is below `len`, the room that the caller promises; a text of ours does not overlap it.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), to, end) };
        // SAFETY: `end` is below `len`.
        let nul = unsafe { to.add(end) };
        // SAFETY: as above.
        unsafe { nul.write(0) };
    }
    count(text.len())
}

/// Writes a value where the caller wants it.
///
/// # Safety
/// `out` is null, or may be written as a `T`.
pub(crate) unsafe fn put<T>(out: *mut T, value: T) -> Result<()> {
    if out.is_null() {
        return Err(argument("the place for a result", "no null pointer"));
    }
    // SAFETY: not null, and the caller promises the rest. Unaligned, because arrays of 32-bit words are given for structs.
    unsafe { out.write_unaligned(value) };
    Ok(())
}

/// Bytes of the caller. Null stands for none.
///
/// # Safety
/// `data` is null and `len` 0, or `data` has `len` bytes that nobody writes as long as the slice lives.
pub(crate) unsafe fn bytes<'a>(data: *const u8, len: usize) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() || len > isize::MAX as usize {
        return Err(argument("bytes", "no null pointer"));
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_panic_crosses_the_border() {
        std::panic::set_hook(Box::new(|_| {}));
        assert_eq!(guard(|| panic!("half-way")), KNIT_ERROR_PANIC);
        let _ = std::panic::take_hook();
        let mut text = [0 as c_char; 64];
        // SAFETY: the room is there.
        let len = unsafe { knit_last_error(text.as_mut_ptr(), text.len()) };
        assert_eq!(len as usize, "a defect of the library: half-way".len());
        let mut code = [0 as c_char; 64];
        // SAFETY: the room is there.
        let result = unsafe { knit_last_error_code(code.as_mut_ptr(), code.len()) };
        assert_eq!(result, 9);
        assert_eq!(code.map(|c| c as u8)[..10], *b"KNT_PANIC\0");
    }

    #[test]
    fn a_text_is_cut_at_a_whole_character() {
        let mut buffer = [1 as c_char; 4];
        // SAFETY: the room is there.
        let whole = unsafe { write_text("grün", buffer.as_mut_ptr(), 4) };
        assert_eq!(whole, 5);
        assert_eq!(buffer.map(|c| c as u8), *b"gr\0\x01");
        // SAFETY: nothing is written.
        assert_eq!(unsafe { write_text("x", std::ptr::null_mut(), 9) }, 1);
    }
}
