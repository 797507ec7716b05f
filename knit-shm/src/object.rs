//! What the operating system is asked for: memory objects without a name, proof that one cannot shrink, and pages.
//!
//! One file per system, all with the same items:
//!
//! | item | Linux | macOS |
//! |---|---|---|
//! | `create(len)` | a sealed memfd | a shm object whose name is dropped at once |
//! | `check_fixed(fd, stat)` | `F_SEAL_SHRINK` is set | not a file: a shm object takes its size once |
//! | `release(base, len)` | `MADV_REMOVE` | zeroes written; the pages stay |
//! | `prefault(fd, base, start, len)` | `MADV_POPULATE_WRITE`, else `fallocate` | one read per page |
//! | `SHM_OPEN_EXTRA` | follow no link, never block | nothing |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{SHM_OPEN_EXTRA, check_fixed, check_kind, create, prefault, release};

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub(crate) use macos::{SHM_OPEN_EXTRA, check_fixed, check_kind, create, prefault, release};
