//! How a host is to be: a struct that may grow. It begins with its size, so a caller that knows only its first fields gets the defaults of the
//! others, and one that knows more than this library is refused.

use std::time::Duration;

use knit_sched::{Config, HostOptions, Strategy};

use crate::abi::Options;
use crate::error::{Result, argument, guard, put};

impl Default for Options {
    fn default() -> Self {
        let HostOptions { config, steal, .. } = HostOptions::default();
        Self {
            size: size_of::<Self>() as u32,
            workers: config.workers as u32,
            steal: u32::from(steal),
            arena_bytes: config.arena_bytes,
            abort_slots: config.abort_slots,
            spin_microseconds: -1,
            request_granules: config.request_granules,
            reply_granules: config.reply_granules,
            balancer: 0,
            alone: 0,
        }
    }
}

impl Options {
    /// What a caller gives, of which perhaps only the first fields.
    ///
    /// # Safety
    /// `given` is null, or is as long as its first word says.
    pub(crate) unsafe fn read(given: *const Self) -> Result<Self> {
        const WORD: usize = size_of::<u32>();
        let mut options = Self::default();
        if given.is_null() {
            return Ok(options);
        }
        // SAFETY: not null, and at least the first word is there.
        let size = unsafe { given.cast::<u32>().read_unaligned() } as usize;
        if size < WORD || size > size_of::<Self>() || size % WORD != 0 {
            return Err(argument(
                "options.size",
                "the size of struct knit_options of this version or an earlier one",
            ));
        }
        // SAFETY: the caller has `size` bytes, so have the options; all their patterns are numbers.
        unsafe {
            std::ptr::copy_nonoverlapping(
                given.cast::<u8>(),
                std::ptr::from_mut(&mut options).cast(),
                size,
            );
        };
        Ok(options)
    }

    pub(crate) fn for_host(&self) -> Result<HostOptions> {
        let strategy = Strategy::ALL.get(self.balancer as usize).copied();
        let mut options = HostOptions {
            steal: flag("options.steal", self.steal)?,
            alone: flag("options.alone", self.alone)?,
            balancer: strategy.ok_or(argument("options.balancer", "a balancer's number"))?,
            ..HostOptions::default()
        };
        options.config = Config {
            workers: self.workers as usize,
            arena_bytes: self.arena_bytes,
            abort_slots: self.abort_slots,
            request_granules: self.request_granules,
            reply_granules: self.reply_granules,
            ..options.config
        };
        if let Ok(microseconds) = u64::try_from(self.spin_microseconds) {
            options.spin = Duration::from_micros(microseconds);
        }
        Ok(options)
    }
}

/// A truth value of the caller.
pub(crate) fn flag(name: &'static str, value: u32) -> Result<bool> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(argument(name, "0 or 1")),
    }
}

/// Fills in how a host is unless told otherwise: one worker, rings of 256 KiB, 64 MiB of block heap a participant.
///
/// `options` is the caller's. May be called on any thread.
///
/// # Safety
/// `options` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_options_default(options: *mut Options) -> i32 {
    // SAFETY: as the caller promises.
    guard(|| unsafe { put(options, Options::default()) }.map(|()| 0))
}
