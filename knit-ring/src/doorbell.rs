//! Who sleeps, and who must be woken: one word between one sleeper and any number of wakers.
//!
//! It guarantees: if a waker publishes something and the sleeper does not find it when it looks after arming, then that
//! waker, or another one, is told to ring. Of all wakers, exactly one is told to ring for each time the sleeper armed.
//! It does not guarantee: that a sleeper is woken whose appointed waker dies between taking and ringing. Who can lose
//! a waker that way sleeps with a timeout, or is rung by whoever learns of the death. Who is rung finds what its ringer had published;
//! what others published meanwhile it finds at the latest when it looks after the next arming.
//!
//! # The word
//! | value | meaning | entered by |
//! |---|---|---|
//! | 0 AWAKE | the sleeper looks by itself, or is being woken; nobody need ring | sleeper, `disarm`; its relay |
//! | 1 ARMED | the sleeper has looked, or is about to for the last time, before it sleeps | sleeper, `arm` |
//! | 2 RUNG | one waker has taken it upon itself to ring | a waker, `take_armed`, from ARMED only |
//!
//! # Protocol
//! Sleeper: 1. `arm`: store ARMED, then a SeqCst fence. 2. Look at every queue once more: something there, go to 4.
//! 3. Sleep: `wait` on the word, or return to an event loop whose bell the waker rings. 4. `disarm`.
//!
//! Waker: 1. Publish. 2. `take_armed`: a SeqCst fence, then if the word is ARMED, exchange it for RUNG; whoever succeeds
//! is told so. 3. Who was told rings: `ring`, or the event loop's own bell.
//!
//! # A sleeper that cannot sleep on the word
//!
//! An event loop sleeps elsewhere. For wakers in its own process the loop's bell is enough; for those in other processes a *relay*, a thread of
//! the sleeper's process, sleeps on the word in its place: 1. `relay`: the word is RUNG: exchange it for AWAKE, and ring the loop; else
//! sleep while the word is what was seen. 2. Again. The relay never arms, and looks at no queue: the loop does both.
//!
//! Why nothing is lost by it: arming and disarming wake nobody, but they need not. When the relay falls asleep, the word is AWAKE or
//! ARMED, and if it was changed since the relay saw it, there is no sleep. From then on only a waker makes it RUNG, and wakes whoever
//! sleeps on it. If the sleeper arms again before the relay has seen RUNG, that ring is lost, and need not be heard: the sleeper
//! looks at its queues after arming, and finds what it was rung for. Consuming RUNG is what makes the next ring a change of the word.
//!
//! Why nothing is lost: of the two fences one comes first in the order of all SeqCst fences. If the sleeper's, the waker
//! sees ARMED (or someone's RUNG). If the waker's, the sleeper sees what was published when it looks again. And a
//! sleeper that calls `wait` after the word became RUNG does not fall asleep, as the word is not ARMED any more.
//!
//! Sources: the sleeper's and waker's fences are Dekker's pattern, as in the event counts of folly and crossbeam.

use crate::RingError;
use crate::memory::{BellMemory, DefaultMemory};
use crate::sync::{Ordering, fence};
use core::time::Duration;
use knit_shm::wait::Outcome;

const AWAKE: u32 = 0;
const ARMED: u32 = 1;
const RUNG: u32 = 2;

/// A doorbell, for its one sleeper and for its wakers.
#[derive(Clone)]
pub struct Doorbell<M: BellMemory = DefaultMemory> {
    memory: M,
}

#[cfg(not(loom))]
mod mapped {
    use super::*;
    use crate::LINE;
    use crate::memory::Mapped;
    use knit_shm::Area;

    impl Doorbell<Mapped> {
        /// Bytes that a doorbell needs: a line of its own.
        pub const fn area_size() -> usize {
            LINE
        }

        /// The doorbell in `area`, which starts at a multiple of 128 bytes. Zeroed memory is a doorbell of someone awake.
        pub fn attach(area: Area) -> Result<Self, RingError> {
            if area.len() < LINE {
                return Err(RingError::NotARing("smaller than a doorbell"));
            }
            Ok(Doorbell {
                memory: Mapped::new(area, 0, LINE)?,
            })
        }
    }
}

#[cfg(loom)]
impl Doorbell<crate::memory::Model> {
    /// The doorbell of a model.
    pub fn attach_in(model: &crate::memory::Model) -> Self {
        Doorbell {
            memory: model.clone(),
        }
    }
}

impl<M: BellMemory> Doorbell<M> {
    /// Sleeper: announces that it is about to sleep. Look at every queue after this, and before [`wait`](Self::wait).
    pub fn arm(&self) {
        self.memory.bell().store(ARMED, Ordering::Relaxed);
        // Pairs with the fence in `take_armed`: either that waker sees ARMED, or we see what it published.
        fence(Ordering::SeqCst);
    }

    /// Sleeper: ends the announcement. Says whether a waker has taken it, and so rings or has rung.
    pub fn disarm(&self) -> bool {
        // Acquire: pairs with the waker's fence before it took the bell, so that who was rung finds what it was rung for. (Without it
        // the next `arm` would find it: one look in vain.)
        self.memory.bell().swap(AWAKE, Ordering::Acquire) == RUNG
    }

    /// Sleeper: sleeps until rung, unless that has happened since [`arm`](Self::arm) (`Changed`), or until the time is
    /// over. May also return `Woken` for no reason. Call [`disarm`](Self::disarm) afterwards, whatever it returned.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<Outcome, RingError> {
        self.memory.sleep(ARMED, timeout)
    }

    /// Waker: whether the caller must ring, after it has published something. True for one waker per arming.
    #[inline]
    #[must_use = "who takes an armed bell must ring it"]
    pub fn take_armed(&self) -> bool {
        // Pairs with the fence in `arm`.
        fence(Ordering::SeqCst);
        let bell = self.memory.bell();
        // A load first: an exchange would take the line from the sleeper each time, even if it is awake. Relaxed: the
        // fence orders both against the queues, and is also the Release that the sleeper's `disarm` acquires.
        bell.load(Ordering::Relaxed) == ARMED
            && bell
                .compare_exchange(ARMED, RUNG, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Relay: one step. Takes a ring that nobody has heard yet, and says so: wake the sleeper then. Else sleeps until the word changes or somebody
    /// calls [`ring`](Self::ring), and says no: look again.
    pub fn relay(&self) -> Result<bool, RingError> {
        let bell = self.memory.bell();
        let seen = bell.load(Ordering::Relaxed);
        if seen == RUNG {
            // Acquire: pairs with the waker's fence before it took the bell, as in `disarm`. It fails if the sleeper has disarmed or armed
            // meanwhile: then it looks by itself.
            return Ok(bell
                .compare_exchange(RUNG, AWAKE, Ordering::Acquire, Ordering::Relaxed)
                .is_ok());
        }
        self.memory.sleep(seen, None)?;
        Ok(false)
    }

    /// Relay: gives back a ring that was not meant for it, because the bell has another sleeper by now.
    pub fn give_back_ring(&self) {
        // Release: what was acquired with the ring goes on to who takes it next. It fails if the new sleeper has armed meanwhile: it looks by itself.
        let _ =
            self.memory
                .bell()
                .compare_exchange(AWAKE, RUNG, Ordering::Release, Ordering::Relaxed);
        self.ring();
    }

    /// Sleeper, which never arms again: the word becomes a ring that stays, so that a relay's next step ends. Look at a sign of one's own after each
    /// step, and set it before this.
    pub fn retire(&self) {
        // Release: pairs with the acquire in `relay`. A swap, as loom does not order a plain store against the exchanges of others.
        self.memory.bell().swap(RUNG, Ordering::Release);
        self.ring();
    }

    /// Waker: wakes the sleeper of a bell that it has taken. Says whether someone slept in [`wait`](Self::wait).
    pub fn ring(&self) -> bool {
        self.memory.wake() > 0
    }

    /// Whether the sleeper has announced itself and no one has taken it. For statistics; decide nothing on it.
    pub fn is_armed(&self) -> bool {
        self.memory.bell().load(Ordering::Relaxed) == ARMED
    }
}
