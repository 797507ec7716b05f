#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! | file | idea |
//! |---|---|
//! | [`abi`] | the constants and structs of the border |
//! | [`error`] | numbers for errors, what was last wrong on a thread, and the guard that lets no panic through |
//! | [`memory`] | memory that is handed out, and given back by token |
//! | [`bell`] | how a sleeper is woken: by a function pointer, or by a note |
//! | [`options`] | how a host is to be |
//! | [`host`], [`host_places`], [`host_calls`], [`host_blocks`], [`host_figures`] | the host's functions |
//! | [`worker`], [`worker_blocks`] | the worker's functions |
//! | [`process`] | worker processes, from both sides |
//! | [`threads`] | worker threads: that they have ended, and that what they have goes with them |
//! | [`shared`], [`links`] | memory that users share on purpose, and how it crosses to worker processes |
//! | [`permission`] | permissions: plans made and carried out |
//!
//! Every function is a few lines over `knit_sched::port`, the same that the N-API binding stands on. There is no logic here.
//!
//! # Rules that all functions keep
//!
//! - **Results.** A negative result is an error: one of the `KNIT_ERROR_*` numbers. What exactly was wrong is in [`error::knit_last_error`] and
//!   [`error::knit_last_error_code`]. Zero and above is what the function says it is; if it says nothing, 0.
//! - **Threads.** A handle is valid on the thread that made it, until it is closed there or the thread ends, which closes it. On other
//!   threads it is unknown (`KNIT_ERROR_CLOSED`), and nothing happens. Tokens of memory, loans and pools are valid on all threads.
//! - **Memory.** Nothing that was handed out is unmapped or freed before its token is given back, or its thread ends that has said that all goes with it
//!   (`knit_thread_owns`). See [`memory`].
//! - **Panics.** None crosses: a function that panics returns `KNIT_ERROR_PANIC`. That is a defect of this library.
//! - **Pointers.** Null is refused where something must be there. Any other pointer is believed: it must point to what the function says.

pub mod abi;
pub mod bell;
pub mod error;
pub mod host;
pub mod host_blocks;
pub mod host_calls;
pub mod host_figures;
pub mod host_places;
pub mod links;
pub mod memory;
pub mod options;
pub mod permission;
pub mod process;
pub mod shared;
pub mod threads;
pub mod worker;
pub mod worker_blocks;
