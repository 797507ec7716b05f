//! What a host can tell about its pool and its workers.

use knit_shm::Words;
use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::error::{Result, sched};
use crate::external::show_words;
use crate::host::with;

/// The block of figures, as an `ArrayBuffer`: a row for the pool, then one for each worker.
#[napi]
pub fn host_figures(env: Env, handle: u32) -> Result<Unknown<'static>> {
    with(handle, |entry| {
        let port = &entry.port;
        let figures = entry
            .figures
            .get_or_insert_with(|| Words::new(port.figures_bytes()));
        show_words(&env, figures)
    })
}

/// Brings the block of figures up to date.
#[napi]
pub fn host_measure(handle: u32) -> Result<()> {
    with(handle, |entry| {
        let Some(figures) = &entry.figures else {
            return Ok(());
        };
        // SAFETY: a native call on the thread whose JavaScript reads the block; this is its only slice.
        let figures = unsafe { figures.numbers() };
        entry.port.measure(figures).map_err(sched)
    })
}

/// Milliseconds since a worker claimed what it runs now; the call is in the control block. -1 if it runs nothing.
#[napi]
pub fn host_running(handle: u32, worker: u32) -> Result<f64> {
    with(handle, |entry| {
        // SAFETY: a native call on the thread whose JavaScript reads the block; this is its only slice.
        let control = unsafe { entry.control.words() };
        let running = entry.port.running(worker as usize, control);
        Ok(running
            .map_err(sched)?
            .map_or(-1.0, |since| since as f64 / 1000.0))
    })
}

/// How many turns a worker has taken, wrapping.
#[napi]
pub fn host_turns(handle: u32, worker: u32) -> Result<u32> {
    with(handle, |entry| {
        entry.port.host.turns(worker as usize).map_err(sched)
    })
}

/// Wakes a worker if it sleeps, so that it takes a turn.
#[napi]
pub fn host_nudge(handle: u32, worker: u32) -> Result<()> {
    with(handle, |entry| {
        entry.port.host.nudge(worker as usize).map_err(sched)
    })
}
