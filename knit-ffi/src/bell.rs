//! How an event loop in any language is reached: by a function pointer, or by a note to the program whose call has rung.
//!
//! **A function** ([`Ring`]) is called on whichever thread rings.
//!
//! **A note** is for runtimes whose only cheap way to wake another thread is their own (`Atomics.notify` for who sleeps in
//! `Atomics.waitAsync`): the ring is put on the list of the thread that rings ([`knit_rung`]), and its program, which is in a call of this library then,
//! looks there after every call that is about a host or worker, and wakes whom it finds. So all who may ring must be such programs in one
//! process: it is for pools of threads. A thread that ends in the middle rings nobody any more; the host that settles its death wakes everybody.

use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

use knit_sched::{Bell, Shared};
use knit_shm::Words;

use crate::abi::{KNIT_RUNG_MOST, Memory};
use crate::error::{Result, count, guard};
use crate::memory::show_words;

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
    pub(crate) fn new(ring: unsafe extern "C" fn(*mut c_void), context: *mut c_void) -> Arc<Self> {
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

/// Who was rung on a thread.
struct Rung {
    /// How many there are in it; then `pool` and participant of each.
    words: Arc<Words>,
    /// Those for whom there was no room.
    more: Vec<[u32; 2]>,
}

impl Rung {
    fn new() -> Self {
        Self {
            words: Words::new((1 + 2 * KNIT_RUNG_MOST) * 4),
            more: Vec::new(),
        }
    }

    fn list(&mut self) -> &mut [u32] {
        // SAFETY: on the thread whose program reads the list, in a call of its own; as long as this slice lives there is no other.
        unsafe { self.words.words() }
    }

    fn add(&mut self, rung: [u32; 2]) {
        let list = self.list();
        let count = list[0] as usize;
        if count >= KNIT_RUNG_MOST {
            return self.more.push(rung);
        }
        list[1 + 2 * count..][..2].copy_from_slice(&rung);
        list[0] += 1;
    }

    /// The program has seen what is listed; what had no room comes now.
    fn clear(&mut self) -> u32 {
        self.list()[0] = 0;
        for rung in std::mem::take(&mut self.more) {
            self.add(rung);
        }
        self.list()[0]
    }
}

thread_local! {
    static RUNG: RefCell<Rung> = RefCell::new(Rung::new());
}

/// A bell that leaves a note with the thread that rings it.
pub(crate) struct NoteBell {
    pub(crate) pool: u32,
    /// 0 for the host, else the worker's number and one.
    pub(crate) participant: u32,
}

impl Bell for NoteBell {
    fn ring(&self) {
        // Gone while the thread ends, and then nobody looks any more.
        let _ = RUNG.try_with(|rung| rung.borrow_mut().add([self.pool, self.participant]));
    }
}

/// Whether somebody is on this thread's list.
pub(crate) fn any_rung() -> bool {
    RUNG.with_borrow_mut(|rung| rung.list()[0] > 0)
}

/// Hands out this thread's list of those who were rung by notes (`knit_host_notes`, `knit_worker_notes`), as `knit_host_memory` does. Word 0: how many; then
/// for each the `pool` that was given with its bell, and 0 for the host or the worker's number and one. At most `KNIT_RUNG_MOST` are in it.
///
/// Whoever has it looks at word 0 after every call about a host or worker on this thread; if it is not 0, wakes them and calls `knit_rung_clear`.
///
/// # Safety
/// `memory` is null, which is refused, or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn knit_rung(memory: *mut Memory) -> i32 {
    guard(|| {
        let words = RUNG.with_borrow(|rung| rung.words.clone());
        // SAFETY: as the caller promises.
        unsafe { show_words(&words, memory) }.map(|()| 0)
    })
}

/// Empties this thread's list; what had no room in it comes now. Returns how many there are again.
#[unsafe(no_mangle)]
pub extern "C" fn knit_rung_clear() -> i32 {
    guard(|| Ok(count(RUNG.with_borrow_mut(Rung::clear) as usize)))
}

/// The bell that a host or worker has set, if any. Dropping it silences it.
#[derive(Default)]
pub(crate) enum OwnBell {
    #[default]
    None,
    Function(Arc<CBell>),
    Notes,
}

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
        *self = bell.map_or(Self::None, Self::Function);
        Ok(())
    }

    /// Has rings noted from now on, and silences the former bell.
    pub(crate) fn note(
        &mut self,
        shared: &Shared,
        participant: Option<usize>,
        pool: u32,
    ) -> Result<()> {
        let bell = NoteBell {
            pool,
            participant: participant.map_or(0, |worker| worker as u32 + 1),
        };
        shared.set_bell(participant, Some(Arc::new(bell)))?;
        *self = Self::Notes;
        Ok(())
    }

    pub(crate) fn is_notes(&self) -> bool {
        matches!(self, Self::Notes)
    }

    pub(crate) fn is_set(&self) -> bool {
        !matches!(self, Self::None)
    }
}

impl Drop for OwnBell {
    fn drop(&mut self) {
        if let Self::Function(bell) = self {
            bell.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> Vec<u32> {
        RUNG.with_borrow_mut(|rung| {
            let list = rung.list();
            list[1..1 + 2 * list[0] as usize].to_vec()
        })
    }

    #[test]
    fn rings_are_noted_on_the_thread_that_rings() {
        let bell = NoteBell {
            pool: 5,
            participant: 2,
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                bell.ring();
                assert_eq!(list(), [5, 2]);
            });
        });
        assert!(list().is_empty());
    }

    #[test]
    fn none_is_lost_when_there_are_more_than_the_list_has_room_for() {
        let all: Vec<u32> = (0..2 * KNIT_RUNG_MOST as u32 + 3).collect();
        for &participant in &all {
            let pool = 9;
            NoteBell { pool, participant }.ring();
        }
        let mut seen = Vec::new();
        loop {
            seen.extend(list().chunks(2).map(|pair| pair[1]));
            if knit_rung_clear() == 0 {
                break;
            }
        }
        assert_eq!(seen, all);
    }
}
