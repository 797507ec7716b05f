//! Learning that a worker's thread has really ended, on runtimes that do not tell: they answer `terminate()` at once, or report an end
//! before the thread has left native code.
//!
//! 1. A host's thread makes a *watch*, with a bell for its event loop; or without one, and then some thread waits ([`wait`]).
//! 2. A worker announces itself to the watch under a number, before it runs anything of the user's.
//! 3. It may leave *last words*: why it ends, if it can say so.
//! 4. When its thread ends, however that comes, its thread-local storage is destroyed. That puts the number on the watch's list and rings.
//!
//! By then nothing of the worker's JavaScript runs any more. What the thread still has of a pool it gives back first: a host that has heard of the end of its last
//! worker has its memory for itself. In which order thread-local storage goes is not to be relied on.

use std::cell::RefCell;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use super::Table;
use crate::bells::Bell;
use crate::error::{Result, SchedError};

/// A thread that has ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// The number that it had announced itself under.
    pub id: u32,
    /// What it said last; empty if nothing.
    pub last_words: String,
}

#[derive(Default)]
struct Threads {
    alive: Vec<u32>,
    ended: Vec<Ended>,
    /// Nobody shall wait at present.
    released: bool,
}

/// What a host's thread watches.
#[derive(Default)]
struct Watch {
    threads: Mutex<Threads>,
    /// With `threads`: something has ended, or waiting is over.
    changed: Condvar,
    bell: Mutex<Option<Arc<dyn Bell>>>,
}

impl Watch {
    fn threads(&self) -> MutexGuard<'_, Threads> {
        lock(&self.threads)
    }
}

/// A watch of this thread; it goes with the thread.
struct Watching(u32);

impl Drop for Watching {
    fn drop(&mut self) {
        if let Some(watch) = lock(&WATCHES).remove(self.0) {
            release(&watch);
        }
    }
}

/// Every thread's watches, so that workers on other threads find them.
static WATCHES: Mutex<Table<Arc<Watch>>> = Mutex::new(Table::new());

/// Lives as long as its thread.
struct Announced {
    watch: Weak<Watch>,
    ended: Ended,
    leave: fn(),
}

impl Drop for Announced {
    fn drop(&mut self) {
        (self.leave)();
        let Some(watch) = self.watch.upgrade() else {
            return;
        };
        let ended = std::mem::take(&mut self.ended);
        {
            let mut threads = watch.threads();
            threads.alive.retain(|alive| *alive != ended.id);
            threads.ended.push(ended);
        }
        watch.changed.notify_all();
        if let Some(bell) = lock(&watch.bell).as_ref() {
            bell.ring();
        }
    }
}

thread_local! {
    static WATCHING: RefCell<Vec<Watching>> = const { RefCell::new(Vec::new()) };
    static ANNOUNCED: RefCell<Vec<Announced>> = const { RefCell::new(Vec::new()) };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn find(watch: u32) -> Option<Arc<Watch>> {
    lock(&WATCHES).get(watch).cloned()
}

fn with<T>(watch: u32, use_it: impl FnOnce(&Watch) -> T) -> Result<T> {
    Ok(use_it(&*find(watch).ok_or(SchedError::NoWatch(watch))?))
}

/// Makes a watch of this thread and returns its number. It ends with the thread.
pub fn watch() -> u32 {
    let number = lock(&WATCHES).insert(Arc::default());
    WATCHING.with_borrow_mut(|watching| watching.push(Watching(number)));
    number
}

/// Sets the bell that rings after threads have ended, or none. The former one is not rung any more when this returns.
///
/// # Errors
/// The watch is gone.
pub fn set_bell(watch: u32, bell: Option<Arc<dyn Bell>>) -> Result<()> {
    with(watch, |watch| *lock(&watch.bell) = bell)
}

/// Sleeps until a thread has ended that [`take_ended`] did not tell of yet, or [`stop_waiting`] is called. Returns whether one has. Any thread may wait.
///
/// # Errors
/// The watch is gone.
pub fn wait(watch: u32) -> Result<bool> {
    with(watch, |watch| {
        let mut threads = watch.threads();
        while threads.ended.is_empty() && !threads.released {
            threads = watch
                .changed
                .wait(threads)
                .unwrap_or_else(PoisonError::into_inner);
        }
        threads.released = false;
        !threads.ended.is_empty()
    })
}

fn release(watch: &Watch) {
    watch.threads().released = true;
    watch.changed.notify_all();
}

/// Lets the one who waits go, or the next one who would.
///
/// # Errors
/// The watch is gone.
pub fn stop_waiting(watch: u32) -> Result<()> {
    with(watch, release)
}

/// The next thread that has ended, each once.
///
/// # Errors
/// The watch is gone.
pub fn take_ended(watch: u32) -> Result<Option<Ended>> {
    with(watch, |watch| watch.threads().ended.pop())
}

/// Whether that thread has announced itself and its end was not told by [`take_ended`] yet.
///
/// # Errors
/// The watch is gone.
pub fn is_alive(watch: u32, id: u32) -> Result<bool> {
    with(watch, |watch| {
        let threads = watch.threads();
        threads.alive.contains(&id) || threads.ended.iter().any(|ended| ended.id == id)
    })
}

/// Announces this thread to a watch. False if the watch is gone: nobody waits for this thread any more. `leave` gives back what the thread has of pools, before its end is
/// told.
pub fn announce(watch: u32, id: u32, leave: fn()) -> bool {
    let Some(watch) = find(watch) else {
        return false;
    };
    watch.threads().alive.push(id);
    let ended = Ended {
        id,
        last_words: String::new(),
    };
    let watch = Arc::downgrade(&watch);
    let announced = Announced {
        watch,
        ended,
        leave,
    };
    ANNOUNCED.with_borrow_mut(|all| all.push(announced));
    true
}

/// Says why this thread is about to end; the last one counts.
pub fn last_words(words: &str) {
    ANNOUNCED.with_borrow_mut(|all| {
        for one in all.iter_mut() {
            words.clone_into(&mut one.ended.last_words);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Bell for Count {
        fn ring(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn an_end_is_told_with_its_last_words_once() {
        let number = watch();
        let bell = Arc::new(Count::default());
        set_bell(number, Some(bell.clone())).unwrap();
        let (go, gone) = mpsc::channel::<()>();
        let worker = thread::spawn(move || {
            assert!(announce(number, 7, || {}));
            last_words("first");
            last_words("of old age");
            gone.recv().unwrap();
        });
        while !is_alive(number, 7).unwrap() {
            thread::yield_now();
        }
        assert!(take_ended(number).unwrap().is_none());
        go.send(()).unwrap();
        assert!(wait(number).unwrap());
        assert!(is_alive(number, 7).unwrap(), "not told yet");
        let last_words = "of old age".to_owned();
        assert_eq!(
            take_ended(number).unwrap(),
            Some(Ended { id: 7, last_words })
        );
        assert!(!is_alive(number, 7).unwrap());
        worker.join().unwrap();
        assert_eq!(bell.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_thread_leaves_before_its_end_is_told() {
        static LEFT: AtomicU32 = AtomicU32::new(0);
        fn leave() {
            // Whoever is told at once would look too early.
            thread::sleep(std::time::Duration::from_millis(20));
            LEFT.fetch_add(1, Ordering::SeqCst);
        }
        let number = watch();
        let worker = thread::spawn(move || assert!(announce(number, 1, leave)));
        while take_ended(number).unwrap().is_none() {
            wait(number).unwrap();
        }
        assert_eq!(LEFT.load(Ordering::SeqCst), 1);
        worker.join().unwrap();
    }

    #[test]
    fn who_waits_can_be_let_go() {
        let number = watch();
        let waiter = thread::spawn(move || wait(number).unwrap());
        stop_waiting(number).unwrap();
        assert!(!waiter.join().unwrap());
    }

    #[test]
    fn a_watch_ends_with_its_thread() {
        let number = thread::spawn(watch).join().unwrap();
        assert!(!announce(number, 1, || {}));
        assert_eq!(wait(number).unwrap_err().code(), "KNT_CLOSED");
    }

    #[test]
    fn who_waits_is_let_go_when_the_watching_thread_ends() {
        let (tell, told) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let watcher = thread::spawn(move || {
            tell.send(watch()).unwrap();
            gone.recv().unwrap();
        });
        let number = told.recv().unwrap();
        let waiter = thread::spawn(move || wait(number));
        // Whether it waits by then or finds nothing: it ends.
        go.send(()).unwrap();
        watcher.join().unwrap();
        assert!(!waiter.join().unwrap().unwrap_or(false));
    }
}
