#![doc = include_str!("../README.md")]
//!
//! # Where things are
//!
//! | to | use | which |
//! |---|---|---|
//! | say what is allowed | [`Policy`] | parses the object of the API, names wrong keys |
//! | ask the machine | [`Facts::gather`], [`kernel()`] | the only part that looks at files and environment |
//! | know what must be done, and who enforces what | [`plan()`], [`Plan`] | a pure function |
//! | restrict a process that is started | [`Prepared`] | once per kind of worker; then per spawn, between fork and exec |
//! | restrict a thread | [`restrict_thread`] | for good |
//! | do it from another language | [`json`], [`border`] | text in, text out; plans as texts carried out |
//!
//! `unsafe` is in the private module `apply` only, where system calls are made.
#![deny(unsafe_code)]

#[allow(unsafe_code)]
mod apply;
pub mod border;
pub mod host;
pub mod json;
pub mod plan;
pub mod policy;

pub use apply::{ApplyError, kernel};
#[cfg(target_os = "linux")]
pub use apply::{Prepared, restrict_thread};
pub use host::{Facts, HostError, Kernel};
pub use plan::{Kind, Plan, Refused, Runtime, Target, Version, plan};
pub use policy::{Policy, PolicyError};
