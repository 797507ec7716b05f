//! A function pointer that wakes a sleeper: how an event loop in any language is reached.

use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

use knit_sched::{Bell, Shared};

use crate::error::Result;

/// Wakes an event loop. Called with the context that was given with it, on any thread, at most once for each time the sleeper armed. It must not
/// block, must not call functions of this library, and must not throw or jump out.
pub type Ring = Option<unsafe extern "C" fn(context: *mut c_void)>;

struct Target {
    ring: unsafe extern "C" fn(context: *mut c_void),
    context: *mut c_void,
}

// SAFETY: who sets a bell promises that it may be rung from any thread.
unsafe impl Send for Target {}

/// A bell until it is closed. Closing waits for a ring that is under way: then the context may be freed.
pub(crate) struct CBell(Mutex<Option<Target>>);

impl CBell {
    fn new(ring: unsafe extern "C" fn(*mut c_void), context: *mut c_void) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(Target { ring, context }))))
    }

    fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Bell for CBell {
    fn ring(&self) {
        // The lock is held meanwhile, so the context is still there.
        let target = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = target.as_ref() {
            // SAFETY: who set the bell promises that function and context are good until it is replaced or closed, which takes it away.
            unsafe { (target.ring)(target.context) };
        }
    }
}

/// The bell that a host or worker has set, if any. Dropping it silences it.
#[derive(Default)]
pub(crate) struct OwnBell(Option<Arc<CBell>>);

impl OwnBell {
    /// Sets another bell, or none, for this participant, and silences the former one.
    pub(crate) fn set(
        &mut self,
        shared: &Shared,
        participant: Option<usize>,
        ring: Ring,
        context: *mut c_void,
    ) -> Result<()> {
        let bell = ring.map(|ring| CBell::new(ring, context));
        let shown = bell.clone().map(|bell| bell as Arc<dyn Bell>);
        shared.set_bell(participant, shown)?;
        // After the new one is in place: rings in between reach one of them.
        *self = Self(bell);
        Ok(())
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for OwnBell {
    fn drop(&mut self) {
        if let Some(bell) = self.0.take() {
            bell.close();
        }
    }
}
