//! Errors as JavaScript sees them: an `Error` whose `code` is the engine's.

use knit_sched::SchedError;

/// The error type of every function here: its status is the code string that becomes `error.code`.
pub(crate) type Error = napi::Error<&'static str>;
pub(crate) type Result<T> = std::result::Result<T, Error>;

pub(crate) fn sched(error: SchedError) -> Error {
    Error::new(error.code(), error.to_string())
}

pub(crate) fn unknown(what: &'static str, handle: u32) -> Error {
    Error::new(
        "KNT_CLOSED",
        format!("there is no {what} {handle} on this thread: it was closed, or never made here"),
    )
}

pub(crate) fn napi_status(what: &str, status: napi::sys::napi_status) -> Error {
    Error::new(
        "KNT_NAPI",
        format!("{what} failed with N-API status {status}"),
    )
}
