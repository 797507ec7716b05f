//! Worker processes: started and watched by their host, joined from within. See `knit_sched::process`.

use knit_sched::port;
use napi::Env;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::error::{Result, sched};
use crate::host::with;

/// Tells the workers that are started from now on: the functions' names by number, and whatever their binding must know.
#[napi]
pub fn host_boot(handle: u32, functions: Vec<String>, data: Uint8Array) -> Result<()> {
    with(handle, |entry| {
        let data = data.to_vec();
        entry.port.set_boot(functions, data).map_err(sched)
    })
}

/// Starts a process for a place that was opened, by a command as `knit_sched::process::order` reads it. Returns its id.
#[napi]
pub fn host_spawn(env: Env, handle: u32, worker: u32, order: String) -> Result<u32> {
    with(handle, |entry| {
        let sandbox = entry.sandbox.as_ref();
        let prepare = |command: &mut std::process::Command| {
            sandbox.inspect(|sandbox| sandbox.put_on(command));
            Ok(())
        };
        let id = entry
            .port
            .spawn(worker as usize, &order, prepare)
            .map_err(sched)?;
        #[cfg(target_os = "linux")]
        entry.hear_processes(&env)?;
        #[cfg(not(target_os = "linux"))]
        let _ = env;
        Ok(id)
    })
}

/// The next process that has ended: place, exit code, signal, last lines of its standard error, separated by NUL. Empty if there is none.
#[napi]
pub fn host_take_exit(handle: u32) -> Result<String> {
    with(handle, |entry| {
        Ok(entry.port.take_exit().unwrap_or_default())
    })
}

/// Sends a signal to the process in a place.
#[napi]
pub fn host_kill(handle: u32, worker: u32, signal: i32) -> Result<()> {
    with(handle, |entry| {
        entry.port.kill(worker as usize, signal).map_err(sched)
    })
}

/// What a process needs to take its place.
#[napi(object)]
pub struct ProcessPlace {
    /// The pool's token in this process.
    pub token: u32,
    /// The place.
    pub index: u32,
    /// The epoch for which it is open.
    pub epoch: u32,
    /// Whether this worker may take calls queued for others.
    pub steal: bool,
}

/// Finds the pool and the place that this process was started for.
#[napi]
pub fn process_join() -> Result<ProcessPlace> {
    let port::Place {
        token,
        index,
        epoch,
        steal,
    } = port::join_process().map_err(sched)?;
    Ok(ProcessPlace {
        token,
        index,
        epoch,
        steal,
    })
}

/// What the host's binding tells this process.
#[napi]
pub fn process_boot() -> Result<Uint8Array> {
    port::process_boot().map(Uint8Array::from).map_err(sched)
}
