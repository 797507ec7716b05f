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
//! | [`transit`] | regions on their way from one thread to another, under a number |
//! | [`directory`] | numbers by which other threads find a region that lives |
//! | [`pass`] | descriptors on their way to another process, under a number |
//! | `words` | [`Words`]: private memory that a binding and its program use in turns |
//! | `heap` | the private backing, for Miri and for pools that nobody else joins |
//! | [`wait`] | sleeping on a word and waking who sleeps, in a process and across |
//! | `error` | [`ShmError`] and its stable codes |

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("knit-shm knows Linux and macOS");

mod area;
pub mod directory;
mod error;
mod heap;
mod named;
mod object;
pub mod pass;
mod region;
pub mod transit;
pub mod wait;
mod window;
mod words;

pub use area::Area;
pub use error::ShmError;
pub use region::Region;
pub use words::Words;
