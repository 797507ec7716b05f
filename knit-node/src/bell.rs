//! Waking an event loop from another thread: an N-API threadsafe function without a queue's worth of anything, only a call.
//!
//! A threadsafe function is destroyed with its environment, at any moment from another thread's view. Whoever rings holds the lock
//! under which the environment's finalizer takes the function away, so a bell of a loop that is gone is silent.

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use knit_sched::Bell;
use napi::{Env, JsValue, bindgen_prelude::Unknown, sys};

use crate::error::{Result, napi_status};

/// The bell of one event loop. It does not keep the loop alive unless asked to.
pub(crate) struct LoopBell(Mutex<Option<Function>>);

struct Function(sys::napi_threadsafe_function);

// SAFETY: a threadsafe function may be called from any thread; it is taken away under the lock before it is destroyed.
unsafe impl Send for Function {}

impl LoopBell {
    /// A bell that calls `callback`, without arguments, on this environment's loop.
    pub(crate) fn new(env: &Env, callback: &Unknown) -> Result<Arc<Self>> {
        let bell = Arc::new(Self(Mutex::new(None)));
        let name = env
            .create_string("knit")
            .map_err(|error| crate::error::Error::new("KNT_NAPI", error.reason.clone()))?;
        let keep = Arc::into_raw(bell.clone());
        let mut function = ptr::null_mut();
        // SAFETY: the values belong to this environment; `finalize` takes `keep` back, once, when the function is destroyed.
        let status = unsafe {
            sys::napi_create_threadsafe_function(
                env.raw(),
                callback.raw(),
                ptr::null_mut(),
                name.raw(),
                0,
                1,
                keep.cast_mut().cast(),
                Some(finalize),
                ptr::null_mut(),
                Some(call),
                &mut function,
            )
        };
        if status != sys::Status::napi_ok {
            // SAFETY: the call failed, so nobody else has this reference.
            drop(unsafe { Arc::from_raw(keep) });
            return Err(napi_status("napi_create_threadsafe_function", status));
        }
        *bell.lock() = Some(Function(function));
        bell.keep_loop_alive(env, false)?;
        Ok(bell)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Function>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this bell alone keeps its event loop from ending.
    pub(crate) fn keep_loop_alive(&self, env: &Env, alive: bool) -> Result<()> {
        let guard = self.lock();
        let Some(function) = guard.as_ref() else {
            return Ok(());
        };
        let status = if alive {
            // SAFETY: called on the thread of the environment, whose finalizer has not run: the function is still here.
            unsafe { sys::napi_ref_threadsafe_function(env.raw(), function.0) }
        } else {
            // SAFETY: as above.
            unsafe { sys::napi_unref_threadsafe_function(env.raw(), function.0) }
        };
        if status == sys::Status::napi_ok {
            Ok(())
        } else {
            Err(napi_status("napi_ref_threadsafe_function", status))
        }
    }

    /// Whether it was closed, or its environment is gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.lock().is_none()
    }

    /// Takes the bell off: it never rings again.
    pub(crate) fn close(&self) {
        // Taken first, released without the lock: the finalizer may run at once, and takes it too.
        let function = self.lock().take();
        if let Some(function) = function {
            // SAFETY: nobody rings it any more, since it was taken away under the lock.
            unsafe {
                sys::napi_release_threadsafe_function(
                    function.0,
                    sys::ThreadsafeFunctionReleaseMode::abort,
                )
            };
        }
    }
}

impl Bell for LoopBell {
    fn ring(&self) {
        if let Some(function) = self.lock().as_ref() {
            // The queue is unbounded and the mode does not block: all that can fail is that the loop is closing, and then nobody sleeps.
            // SAFETY: the function exists while the lock is held.
            unsafe {
                sys::napi_call_threadsafe_function(
                    function.0,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                )
            };
        }
    }
}

/// # Safety
/// Called by the runtime on the environment's thread when the function is destroyed, with the reference that `new` gave.
unsafe extern "C" fn finalize(_: sys::napi_env, keep: *mut c_void, _: *mut c_void) {
    // SAFETY: `keep` is the reference that `new` leaked.
    let bell = unsafe { Arc::from_raw(keep.cast::<LoopBell>()) };
    // The runtime frees the function itself.
    *bell.lock() = None;
}

/// # Safety
/// Called by the runtime on the environment's thread; `env` is null if the environment is going away.
unsafe extern "C" fn call(
    env: sys::napi_env,
    callback: sys::napi_value,
    _: *mut c_void,
    _: *mut c_void,
) {
    if env.is_null() || callback.is_null() {
        return;
    }
    let mut receiver = ptr::null_mut();
    // SAFETY: the environment is alive, and its thread calls.
    unsafe { sys::napi_get_undefined(env, &mut receiver) };
    // An exception stays pending, and the runtime reports it as uncaught.
    // SAFETY: as above; the callback is the function that `new` was given.
    unsafe { sys::napi_call_function(env, receiver, callback, 0, ptr::null(), ptr::null_mut()) };
}
