//! N-API binding of the Knit worker pool, for Node.js (and any runtime that loads N-API libraries).
//!
//! The library also exports the C interface of `knit-ffi`: Deno and Bun call that, and need N-API only for what C cannot do there (bells that any thread
//! rings, memory shown without the right to show any address). One file, so that both see the same pools.
//!
//! The binding is thin: a dozen functions over [`knit_sched::port`], numbers in and numbers out, and no logic of its own. A host or a worker
//! is a number, valid on the thread that made it. All memory is shown to JavaScript as external `ArrayBuffer`s over
//! what Rust mapped; each buffer keeps its memory alive until it is collected.
//!
//! | file | idea |
//! |---|---|
//! | `host.rs`, `worker.rs` | the functions |
//! | `processes.rs` | worker processes |
//! | `permissions.rs` | plans made and carried out |
//! | `shared.rs`, `links.rs` | memory that users share on purpose, and how it crosses to worker processes |
//! | `external.rs` | memory shown to JavaScript |
//! | `bell.rs` | waking an event loop from another thread |
//! | `poll.rs` | the same from another process |
//! | `foreign_bell.rs`, `foreign_memory.rs` | bells and memory for programs that call the C interface |
//! | `error.rs` | errors with their codes |

#![cfg_attr(
    test,
    allow(
        dead_code,
        reason = "in a test build the functions are not registered, so nothing uses them"
    )
)]

mod bell;
mod error;
mod external;
mod foreign_bell;
mod foreign_memory;
mod host;
mod host_blocks;
mod host_calls;
mod host_figures;
mod links;
mod permissions;
#[cfg(target_os = "linux")]
mod poll;
mod processes;
mod shared;

mod worker;
