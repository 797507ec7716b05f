//! Abort slots: how a host tells a running task, also one that never looks up from a loop, that nobody wants its result any more.
//!
//! It guarantees: a task sees an abort by one plain read of shared memory; an abort never reaches another call than its own; a slot is
//! given out again only after it was released. It does not stop anything: a task looks, or does not.
//!
//! # Layout
//!
//! One u32 a slot in the front of the region, where JavaScript reads it with `Atomics.load`. Only the host writes it.
//!
//! | bits | content |
//! |---|---|
//! | 0 | aborted |
//! | 1..32 | how often the slot was given out, wrapping |
//!
//! # Protocol
//!
//! 1. [`AbortSlots::take`] raises the count and clears the bit: the word is now the *ticket*. Slot and ticket travel in the call's frame, before
//!    its argument ([`flag::ABORT`](crate::frames::flag::ABORT)).
//! 2. A task is aborted if the word differs from its ticket: [`AbortWords::is_aborted`].
//! 3. [`AbortSlots::abort`] sets the bit, if the slot is still the ticket's.
//! 4. [`AbortSlots::release`] when the call is over: answered, or removed from the queue, or named by [`Host::retire`](crate::Host::retire). Not when
//!    its caller merely waits no longer: the task may still run, and would take another call's abort for its own.
//!
//! Who has a slot is private memory of the host, so that no worker can make it give one out twice.

use core::sync::atomic::Ordering;

use bytemuck::{Pod, Zeroable};
use knit_shm::{Area, Region};

use crate::error::Result;
use crate::layout::Layout;

/// A slot that belongs to one call. As it lies before the argument of an abort-aware call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct AbortSlot {
    /// Its number.
    pub slot: u32,
    /// What its word says until the call is aborted.
    pub ticket: u32,
}

const ABORTED: u32 = 1;
const ONE_TAKING: u32 = 2;

/// The words, as both sides see them.
#[derive(Clone)]
pub(crate) struct AbortWords {
    area: Area,
}

impl AbortWords {
    pub(crate) fn new(layout: &Layout, region: &Region) -> Result<Self> {
        Ok(Self {
            area: layout.abort_words(region)?,
        })
    }

    /// Whether the call that was given this slot is aborted. A slot that does not exist is nobody's: so is its call's result.
    pub(crate) fn is_aborted(&self, slot: AbortSlot) -> bool {
        // Relaxed: nothing else is read because of it.
        self.area
            .atomic_u32(slot.slot as usize * 4)
            .map_or(true, |word| word.load(Ordering::Relaxed) != slot.ticket)
    }

    fn set(&self, slot: u32, word: u32) {
        // Relaxed: for a ticket, the frame that carries it is published with Release; for an abort, see `Host::abort`.
        self.area
            .atomic_u32(slot as usize * 4)
            .expect("the layout has a word for every slot")
            .store(word, Ordering::Relaxed);
    }
}

/// The host's side: which slots are free.
pub(crate) struct AbortSlots {
    words: AbortWords,
    /// The ticket of each slot that was ever given out; the bit is set while nobody has it.
    tickets: Vec<u32>,
    free: Vec<u32>,
    capacity: u32,
}

impl AbortSlots {
    pub(crate) fn new(words: AbortWords, capacity: u32) -> Self {
        Self {
            words,
            tickets: Vec::new(),
            free: Vec::new(),
            capacity,
        }
    }

    /// Gives out a slot. None if all are in use.
    pub(crate) fn take(&mut self) -> Option<AbortSlot> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None if self.tickets.len() < self.capacity as usize => {
                self.tickets.push(ABORTED);
                self.tickets.len() as u32 - 1
            }
            None => return None,
        };
        let ticket = &mut self.tickets[slot as usize];
        *ticket = (*ticket & !ABORTED).wrapping_add(ONE_TAKING);
        self.words.set(slot, *ticket);
        Some(AbortSlot {
            slot,
            ticket: *ticket,
        })
    }

    /// Aborts the call that has this slot. False if none has it under that ticket any more.
    pub(crate) fn abort(&self, slot: AbortSlot) -> bool {
        let owned = self.owned(slot);
        if owned {
            self.words.set(slot.slot, slot.ticket | ABORTED);
        }
        owned
    }

    /// Takes a slot back: its call is over. False if no call has it under that ticket.
    pub(crate) fn release(&mut self, slot: AbortSlot) -> bool {
        let owned = self.owned(slot);
        if owned {
            self.tickets[slot.slot as usize] |= ABORTED;
            self.free.push(slot.slot);
        }
        owned
    }

    /// How many are in use.
    pub(crate) fn in_use(&self) -> usize {
        self.tickets.len() - self.free.len()
    }

    fn owned(&self, slot: AbortSlot) -> bool {
        // A ticket never has the bit, so a free slot equals none.
        slot.ticket & ABORTED == 0 && self.tickets.get(slot.slot as usize) == Some(&slot.ticket)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::layout::Config;

    fn slots(capacity: u32) -> (AbortSlots, AbortWords) {
        let layout = Layout::new(Config {
            abort_slots: capacity,
            ..Config::default()
        })
        .unwrap();
        let region = Region::heap(layout.front_bytes());
        let words = AbortWords::new(&layout, &region).unwrap();
        (AbortSlots::new(words.clone(), capacity), words)
    }

    #[test]
    fn an_abort_is_seen_by_its_call_and_not_by_the_next_one_in_the_slot() {
        let (mut slots, words) = slots(1);
        let first = slots.take().unwrap();
        assert!(!words.is_aborted(first));
        assert!(slots.abort(first));
        assert!(words.is_aborted(first));
        assert!(slots.release(first));
        let second = slots.take().unwrap();
        assert_eq!(second.slot, first.slot);
        assert!(!words.is_aborted(second));
        assert!(!slots.abort(first), "it is another call's by now");
        assert!(!words.is_aborted(second));
        assert!(words.is_aborted(first), "a task that runs on regardless");
    }

    #[test]
    fn nothing_but_a_ticket_opens_a_slot() {
        let (mut slots, words) = slots(2);
        let taken = slots.take().unwrap();
        for wrong in [
            AbortSlot { slot: 1, ..taken },
            AbortSlot {
                slot: u32::MAX,
                ..taken
            },
            AbortSlot {
                ticket: taken.ticket | ABORTED,
                ..taken
            },
            AbortSlot {
                ticket: taken.ticket + ONE_TAKING,
                ..taken
            },
        ] {
            assert!(!slots.abort(wrong), "{wrong:?}");
            assert!(!slots.release(wrong), "{wrong:?}");
        }
        assert!(slots.release(taken));
        assert!(!slots.release(taken), "a slot comes back once");
        assert!(!slots.abort(taken));
        assert!(words.is_aborted(AbortSlot { slot: 2, ticket: 0 }));
    }

    #[test]
    fn the_count_of_takings_wraps_without_an_abort_of_old_coming_back() {
        let (mut slots, words) = slots(1);
        let first = slots.take().unwrap();
        slots.abort(first);
        slots.release(first);
        slots.tickets[0] = u32::MAX;
        let wrapped = slots.take().unwrap();
        assert_eq!(wrapped.ticket, 0);
        assert!(!words.is_aborted(wrapped));
        slots.release(wrapped);
        let again = slots.take().unwrap();
        assert_eq!(again, first);
        assert!(!words.is_aborted(again));
    }

    proptest! {
        #[test]
        fn slots_are_neither_lost_nor_shared(
            capacity in 1_u32..6,
            steps in proptest::collection::vec((0_u8..3, any::<usize>()), 0..400),
        ) {
            let (mut slots, words) = slots(capacity);
            let mut live: Vec<AbortSlot> = Vec::new();
            let mut aborted: HashMap<u32, bool> = HashMap::new();
            for (step, pick) in steps {
                match (step, live.len()) {
                    (0, taken) => match slots.take() {
                        Some(slot) => {
                            prop_assert!(taken < capacity as usize);
                            prop_assert!(live.iter().all(|other| other.slot != slot.slot));
                            live.push(slot);
                            aborted.insert(slot.slot, false);
                        }
                        None => prop_assert_eq!(taken, capacity as usize),
                    },
                    (_, 0) => {}
                    (1, taken) => {
                        let slot = live[pick % taken];
                        prop_assert!(slots.abort(slot));
                        aborted.insert(slot.slot, true);
                    }
                    (_, taken) => prop_assert!(slots.release(live.swap_remove(pick % taken))),
                }
                prop_assert_eq!(slots.in_use(), live.len());
                for slot in &live {
                    prop_assert_eq!(words.is_aborted(*slot), aborted[&slot.slot]);
                }
            }
        }
    }
}
