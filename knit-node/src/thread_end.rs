//! Learning that a worker's thread has really ended, on runtimes that do not tell: they answer `terminate()` at once, or report an end
//! before the thread has left native code.
//!
//! 1. A host's thread makes a *watch*, with a callback for its event loop.
//! 2. A worker announces itself to the watch under a number, before it runs anything of the user's.
//! 3. It may leave *last words*: why it ends, if it can say so.
//! 4. When its thread ends, however that comes, its thread-local storage is destroyed. That puts the number on the watch's list and rings.
//!
//! By then nothing of the worker's JavaScript runs any more, and its handles of the pool's memory are gone or go in the same breath.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use knit_sched::Bell;
use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::bell::LoopBell;
use crate::error::{Result, unknown};
use knit_sched::port::Table;

/// What a host's thread watches.
struct Watch {
    alive: Mutex<Vec<u32>>,
    ended: Mutex<Vec<EndedThread>>,
    bell: Arc<LoopBell>,
}

/// A watch of this thread; it goes with the thread.
struct Watching {
    number: u32,
    watch: Arc<Watch>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        lock(&WATCHES).remove(self.number);
    }
}

/// A thread that has ended.
#[napi(object)]
pub struct EndedThread {
    /// The number that it had announced itself under.
    pub id: u32,
    /// What it said last; empty if nothing.
    pub last_words: String,
}

/// Every thread's watches, so that workers on other threads find them.
static WATCHES: Mutex<Table<Weak<Watch>>> = Mutex::new(Table::new());

/// Lives as long as its thread.
struct Announced {
    watch: Weak<Watch>,
    ended: Option<EndedThread>,
}

impl Drop for Announced {
    fn drop(&mut self) {
        if let (Some(watch), Some(ended)) = (self.watch.upgrade(), self.ended.take()) {
            let id = ended.id;
            // Listed first: at no moment is it neither alive nor listed.
            lock(&watch.ended).push(ended);
            lock(&watch.alive).retain(|alive| *alive != id);
            watch.bell.ring();
        }
    }
}

thread_local! {
    static WATCHING: RefCell<Vec<Watching>> = const { RefCell::new(Vec::new()) };
    static ANNOUNCED: RefCell<Vec<Announced>> = const { RefCell::new(Vec::new()) };
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with<T>(watch: u32, use_it: impl FnOnce(&Watch) -> Result<T>) -> Result<T> {
    WATCHING.with_borrow(|watching| {
        let found = watching.iter().find(|one| one.number == watch);
        use_it(&found.ok_or_else(|| unknown("watch", watch))?.watch)
    })
}

/// Makes a watch of this thread and returns its number. The callback is called after threads have ended; it keeps no event loop alive
/// unless asked to.
#[napi(ts_args_type = "callback: () => void")]
pub fn threads_watch(env: Env, callback: Unknown<'_>) -> Result<u32> {
    let watch = Arc::new(Watch {
        alive: Mutex::default(),
        ended: Mutex::default(),
        bell: LoopBell::new(&env, &callback)?,
    });
    let number = lock(&WATCHES).insert(Arc::downgrade(&watch));
    WATCHING.with_borrow_mut(|watching| watching.push(Watching { number, watch }));
    Ok(number)
}

/// The threads that have ended since this was asked last.
#[napi]
pub fn threads_ended(watch: u32) -> Result<Vec<EndedThread>> {
    with(watch, |watch| Ok(std::mem::take(&mut *lock(&watch.ended))))
}

/// Whether that thread has announced itself and its end was not listed by [`threads_ended`] yet.
#[napi]
pub fn threads_alive(watch: u32, id: u32) -> Result<bool> {
    with(watch, |watch| {
        let alive = lock(&watch.alive).contains(&id);
        Ok(alive || lock(&watch.ended).iter().any(|ended| ended.id == id))
    })
}

/// Whether the watch keeps the event loop from ending.
#[napi]
pub fn threads_keep_alive(env: Env, watch: u32, alive: bool) -> Result<()> {
    with(watch, |watch| watch.bell.keep_loop_alive(&env, alive))
}

/// Announces this thread to a watch. False if the watch is gone: nobody waits for this thread any more.
#[napi]
pub fn thread_announce(watch: u32, id: u32) -> bool {
    let found = lock(&WATCHES).get(watch).cloned();
    let Some(strong) = found.and_then(|watch| watch.upgrade()) else {
        return false;
    };
    lock(&strong.alive).push(id);
    let ended = Some(EndedThread {
        id,
        last_words: String::new(),
    });
    let watch = Arc::downgrade(&strong);
    ANNOUNCED.with_borrow_mut(|all| all.push(Announced { watch, ended }));
    true
}

/// Says why this thread is about to end; the last one counts.
#[napi]
pub fn thread_last_words(words: String) {
    ANNOUNCED.with_borrow_mut(|all| {
        for ended in all.iter_mut().filter_map(|one| one.ended.as_mut()) {
            ended.last_words.clone_from(&words);
        }
    });
}
