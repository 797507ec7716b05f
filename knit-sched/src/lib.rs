#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod abort;
mod backlog;
pub mod balancer;
mod bells;
mod blocks;
mod calls;
mod cell;
mod clock;
mod cost;
mod counters;
mod crowding;
mod deadlines;
mod error;
pub mod frames;
mod heap;
mod histogram;
mod host;
pub mod layout;
mod owner;
mod pool;
pub mod port;
#[cfg(target_os = "linux")]
pub mod process;
mod serve;
mod spin;
mod stamps;
mod stats;
mod steal;
mod sync;
pub mod tasks;
mod typescript;
mod wake;
mod worker;

pub use abort::AbortSlot;
pub use balancer::Strategy;
pub use bells::{Bell, HostWaker, Shared};
pub use cell::State;
pub use deadlines::{Deadlines, Expired};
pub use error::{Result, SchedError};
pub use heap::{LENT, Loan};
pub use host::{Host, HostOptions, Replies, Running};
pub use layout::{Config, Layout, MAX_WORKERS};
pub use pool::{Builder, Call, CallError, Exit, Outcome, Pool, Stats, WorkerInfo};
#[cfg(target_os = "linux")]
pub use serve::serve_process;
pub use serve::{Functions, serve};
pub use stats::{Figures, PoolStats, Times};
pub use typescript::typescript;
pub use worker::{Turn, Worker};
