//! Permissions: plans made and carried out. See `knit_perm::json` and `knit_perm::border`.

use knit_perm::border::{self, BorderError, Sandbox};
use knit_perm::json;
use knit_sched::port;
use napi_derive::napi;

use crate::error::{Error, Result, sched};
use crate::host::with;

fn border_error(error: &BorderError) -> Error {
    Error::new(error.code(), error.to_string())
}

/// Makes a plan: JSON in, JSON out.
#[napi]
pub fn permission_plan(request: String) -> String {
    json::plan(&request)
}

/// Says whether a failure is the policy's doing: JSON in, JSON out.
#[napi]
pub fn permission_denial(request: String) -> String {
    json::denial(&request)
}

/// Puts the sandbox of a plan on every process that this pool starts from now on.
#[napi]
pub fn host_sandbox(handle: u32, plan: String) -> Result<()> {
    let sandbox = Sandbox::new(&plan).map_err(|error| border_error(&error))?;
    with(handle, |entry| {
        entry.port.quiet = sandbox.quiet;
        entry.sandbox = Some(sandbox);
        Ok(())
    })
}

/// Restricts the calling thread, for good, as a plan for threads says. False if it has nothing for the kernel.
#[napi]
pub fn thread_restrict(plan: String) -> Result<bool> {
    border::restrict(&plan).map_err(|error| border_error(&error))
}

/// Becomes another program in the sandbox of a plan, which gets what this one was given by a pool's host. Returns only by an error, after which this process must end.
#[napi]
pub fn process_become(plan: String, words: Vec<String>, without: Vec<String>) -> Result<()> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let without: Vec<&str> = without.iter().map(String::as_str).collect();
    let keep = port::process_hand_on().map_err(sched)?;
    let keep: Vec<_> = keep.into_iter().collect();
    Err(border_error(&border::become_program(
        &plan, &words, &without, &keep,
    )))
}
