#![doc = include_str!("../README.md")]
//!
//! ## Where things are
//!
//! | module | its one idea |
//! |---|---|
//! | `region` | [`Region`]: memory with an owner, by whichever way it came |
//! | `area` | [`Area`]: a checked window on a region, which it keeps alive |
//! | `window` | the accessors that both share, and the two rules they keep |
//! | `object` | what the operating system is asked for: one file per system |
//! | `named` | names: their form, their exclusive creation, whose they must be |
//! | `heap` | the private backing, for Miri and for pools that nobody else joins |
//! | [`wait`] | sleeping on a word and waking who sleeps, in a process and across |
//! | `error` | [`ShmError`] and its stable codes |

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("knit-shm knows Linux and macOS");

mod area;
mod error;
mod heap;
mod named;
mod object;
mod region;
pub mod wait;
mod window;

pub use area::Area;
pub use error::ShmError;
pub use region::Region;
