//! Polling a descriptor in Node's own event loop, through libuv, which Node's program exports.
//!
//! It lives on the thread of its environment. Node insists that a loop is empty when its environment has ended, and closing takes a turn of the loop: so
//! the environment waits for it by a cleanup hook.
//!
//! Sources: libuv's documentation of `uv_poll_t`; Node-API's of asynchronous cleanup hooks.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_int, c_uint, c_void};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::rc::Rc;
use std::sync::LazyLock;

use knit_sched::process::Poll;
use napi::{Env, JsValue, bindgen_prelude::Unknown, sys};

use crate::error::{Result, napi_status};

/// `UV_POLL` of `uv_handle_type`, and `UV_READABLE` of `uv_poll_event`: both of libuv's first stable version.
const UV_POLL: c_int = 8;
const UV_READABLE: c_int = 1;

type Handle = *mut c_void;

/// What is used of libuv.
struct Uv {
    handle_size: unsafe extern "C" fn(c_int) -> usize,
    set_data: unsafe extern "C" fn(Handle, *mut c_void),
    get_data: unsafe extern "C" fn(Handle) -> *mut c_void,
    poll_init: unsafe extern "C" fn(*mut c_void, Handle, c_int) -> c_int,
    poll_start:
        unsafe extern "C" fn(Handle, c_int, unsafe extern "C" fn(Handle, c_int, c_int)) -> c_int,
    unref: unsafe extern "C" fn(Handle),
    close: unsafe extern "C" fn(Handle, unsafe extern "C" fn(Handle)),
}

/// None in a program that does not export it.
static UV: LazyLock<Option<Uv>> = LazyLock::new(|| {
    // Deno exports the names below, over a loop of its own in which they crash, but not this one.
    // SAFETY: it is the function of that name, and is not called.
    unsafe { symbol::<unsafe extern "C" fn() -> c_uint>(c"uv_version") }?;
    Some(Uv {
        // SAFETY: each is the function of that name, with its signature as libuv documents it.
        handle_size: unsafe { symbol(c"uv_handle_size") }?,
        // SAFETY: as above.
        set_data: unsafe { symbol(c"uv_handle_set_data") }?,
        // SAFETY: as above.
        get_data: unsafe { symbol(c"uv_handle_get_data") }?,
        // SAFETY: as above.
        poll_init: unsafe { symbol(c"uv_poll_init") }?,
        // SAFETY: as above.
        poll_start: unsafe { symbol(c"uv_poll_start") }?,
        // SAFETY: as above.
        unref: unsafe { symbol(c"uv_unref") }?,
        // SAFETY: as above.
        close: unsafe { symbol(c"uv_close") }?,
    })
});

/// A function of the program or its libraries.
///
/// # Safety
/// `F` is a function pointer of its signature.
unsafe fn symbol<F: Copy>(name: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: a name that ends with NUL.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    // SAFETY: the caller vouches for the signature, the assertion for the size.
    (!symbol.is_null()).then(|| unsafe { std::mem::transmute_copy(&symbol) })
}

/// A function of an environment, kept until it is released, or the environment ends.
pub(crate) struct Callback {
    env: sys::napi_env,
    /// Null once it is released.
    reference: Cell<sys::napi_ref>,
}

impl Callback {
    pub(crate) fn new(env: &Env, callback: &Unknown) -> Result<Rc<Self>> {
        let mut reference = ptr::null_mut();
        // SAFETY: the callback belongs to this environment.
        let status =
            unsafe { sys::napi_create_reference(env.raw(), callback.raw(), 1, &mut reference) };
        if status != sys::Status::napi_ok {
            return Err(napi_status("napi_create_reference", status));
        }
        Ok(Rc::new(Self {
            env: env.raw(),
            reference: Cell::new(reference),
        }))
    }

    /// It is never called again. Not when this is dropped, which may be after the environment's end.
    pub(crate) fn release(&self) {
        let reference = self.reference.replace(ptr::null_mut());
        if !reference.is_null() {
            // SAFETY: the environment lives, and this is its thread; the reference was not deleted before.
            unsafe { sys::napi_delete_reference(self.env, reference) };
        }
    }

    /// Calls it from the loop, as Node calls back: what it queues runs afterwards, what it throws is uncaught.
    fn call(&self) {
        let mut scope = ptr::null_mut();
        // SAFETY: the environment lives, and this is its thread.
        let opened = unsafe { sys::napi_open_handle_scope(self.env, &mut scope) };
        if opened != sys::Status::napi_ok {
            return;
        }
        self.call_in_scope();
        // SAFETY: the scope was opened above, and those within are closed.
        unsafe { sys::napi_close_handle_scope(self.env, scope) };
    }

    fn call_in_scope(&self) {
        let (env, reference) = (self.env, self.reference.get());
        if reference.is_null() {
            return;
        }
        let (mut callback, mut receiver) = (ptr::null_mut(), ptr::null_mut());
        let (context, result) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the environment lives, this is its thread, and the reference is its own.
        unsafe { sys::napi_get_reference_value(env, reference, &mut callback) };
        // SAFETY: as above.
        unsafe { sys::napi_get_global(env, &mut receiver) };
        // SAFETY: as above; both values are in the scope.
        let status = unsafe {
            sys::napi_make_callback(env, context, receiver, callback, 0, ptr::null(), result)
        };
        if status != sys::Status::napi_pending_exception {
            return;
        }
        let mut thrown = ptr::null_mut();
        // SAFETY: as above.
        unsafe { sys::napi_get_and_clear_last_exception(env, &mut thrown) };
        // SAFETY: as above.
        unsafe { sys::napi_fatal_exception(env, thrown) };
    }
}

/// A descriptor that is polled until this is closed, or the environment ends.
pub(crate) struct LoopPoll(Rc<Watch>);

struct Watch {
    uv: &'static Uv,
    callback: Rc<Callback>,
    hook: Cell<sys::napi_async_cleanup_hook_handle>,
    /// Memory of the size that libuv wants, aligned for anything. The loop owns it until it is closed.
    handle: Box<[Cell<u128>]>,
    /// None once it is closing: the descriptor and the pool's memory go at once, the handle in a turn of the loop.
    poll: RefCell<Option<Poll>>,
}

impl LoopPoll {
    /// Calls `callback`, without arguments, on this environment's loop, whenever the descriptor is readable. It does not keep the loop alive. None if the loop cannot
    /// poll it: it is rung by other means then.
    pub(crate) fn new(env: &Env, callback: Rc<Callback>, poll: Poll) -> Option<Self> {
        let uv = UV.as_ref()?;
        let mut uv_loop = ptr::null_mut();
        // SAFETY: the environment is this thread's.
        let status = unsafe { sys::napi_get_uv_event_loop(env.raw(), &mut uv_loop) };
        if status != sys::Status::napi_ok {
            return None;
        }
        // SAFETY: a pure function.
        let bytes = unsafe { (uv.handle_size)(UV_POLL) };
        let handle = vec![Cell::new(0); bytes.div_ceil(size_of::<u128>())].into_boxed_slice();
        let fd = poll.as_fd().as_raw_fd();
        let watch = Rc::new(Watch {
            uv,
            callback,
            hook: Cell::new(ptr::null_mut()),
            handle,
            poll: RefCell::new(Some(poll)),
        });
        // SAFETY: the loop is this environment's, the handle has the size that libuv told, and does not move: it is on the heap.
        if unsafe { (uv.poll_init)(uv_loop.cast(), watch.handle(), fd) } != 0 {
            return None;
        }
        let keep = Rc::into_raw(watch.clone());
        // SAFETY: the handle was made above. `on_closed` takes `keep` back, once, when the loop has let go of it.
        unsafe { (uv.set_data)(watch.handle(), keep.cast_mut().cast()) };
        let this = Self(watch);
        if this.0.begin() {
            return Some(this);
        }
        this.close();
        None
    }

    /// Ends it, if the environment has not.
    pub(crate) fn close(&self) {
        self.0.close();
    }
}

impl Watch {
    fn handle(&self) -> Handle {
        self.handle.as_ptr().cast_mut().cast()
    }

    fn begin(&self) -> bool {
        let mut hook = ptr::null_mut();
        let this = ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the hook is removed before this memory goes: in `on_closed`.
        let status = unsafe {
            sys::napi_add_async_cleanup_hook(self.callback.env, Some(end), this, &mut hook)
        };
        if status != sys::Status::napi_ok {
            return false;
        }
        self.hook.set(hook);
        // SAFETY: the handle is initialized and open.
        unsafe { (self.uv.unref)(self.handle()) };
        // SAFETY: as above.
        let failed = unsafe { (self.uv.poll_start)(self.handle(), UV_READABLE, readable) };
        if failed != 0 {
            return false;
        }
        if let Some(poll) = &*self.poll.borrow() {
            poll.begin();
        }
        true
    }

    fn close(&self) {
        let Some(poll) = self.poll.take() else {
            return;
        };
        // Nobody writes there any more, but for those that have just looked.
        poll.end();
        self.callback.release();
        // SAFETY: the handle is open. `self` stays until `on_closed`. The descriptor may be closed from then on.
        unsafe { (self.uv.close)(self.handle(), on_closed) };
    }
}

/// # Safety
/// Called by libuv on the loop's thread, with a handle of this file.
unsafe extern "C" fn readable(handle: Handle, _: c_int, _: c_int) {
    let Some(uv) = UV.as_ref() else { return };
    // SAFETY: the handle is open.
    let watch = unsafe { (uv.get_data)(handle) }.cast::<Watch>();
    // SAFETY: the data is what `new` set, and `on_closed` has not taken it back.
    let watch = unsafe { &*watch };
    match &*watch.poll.borrow() {
        Some(poll) => poll.heard(),
        None => return,
    }
    // A reference of its own: JavaScript may close the watch.
    let callback = watch.callback.clone();
    callback.call();
}

/// # Safety
/// Called by Node when the environment ends, with the `Watch` that registered it, unless that has removed it.
unsafe extern "C" fn end(_: sys::napi_async_cleanup_hook_handle, watch: *mut c_void) {
    // SAFETY: the loop keeps it until `on_closed`, which removes this hook.
    unsafe { &*watch.cast::<Watch>() }.close();
}

/// # Safety
/// Called by libuv on the loop's thread, once, when it has let go of the handle.
unsafe extern "C" fn on_closed(handle: Handle) {
    let Some(uv) = UV.as_ref() else { return };
    // SAFETY: its memory is still there.
    let watch = unsafe { (uv.get_data)(handle) }.cast::<Watch>();
    // SAFETY: the reference that `new` leaked.
    let watch = unsafe { Rc::from_raw(watch) };
    if !watch.hook.get().is_null() {
        // SAFETY: what registering gave; Node waits for this if the environment is ending.
        unsafe { sys::napi_remove_async_cleanup_hook(watch.hook.get()) };
    }
}
