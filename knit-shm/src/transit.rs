//! Regions on their way from one thread of this process to another, each under a number.
//!
//! A message that names the number may be read late or never, and the sender may be gone by then. So the region waits here, alive, until
//! 1. the receiver takes it, once ([`take`]),
//! 2. or the sender takes it back ([`forget`]),
//! 3. or the sender is known to be dead, and everything it has sent to have been read ([`forget_all`]).

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::Region;

#[derive(Default)]
struct Transit {
    last: u32,
    /// Region and sender, by number.
    waiting: HashMap<u32, (Arc<Region>, u32)>,
}

static TRANSIT: LazyLock<Mutex<Transit>> = LazyLock::new(Mutex::default);

fn with<T>(use_it: impl FnOnce(&mut Transit) -> T) -> T {
    use_it(&mut TRANSIT.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A number for a new sender.
#[must_use]
pub fn sender() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    // Relaxed: only that all are different matters.
    LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
}

/// Puts a region on its way; returns its number, which is not 0.
#[must_use]
pub fn put(region: Arc<Region>, sender: u32) -> u32 {
    with(|transit| {
        loop {
            transit.last = transit.last.wrapping_add(1);
            if transit.last != 0 && !transit.waiting.contains_key(&transit.last) {
                break;
            }
        }
        transit.waiting.insert(transit.last, (region, sender));
        transit.last
    })
}

/// The region under that number, which then is on its way no more.
#[must_use]
pub fn take(number: u32) -> Option<Arc<Region>> {
    with(|transit| transit.waiting.remove(&number)).map(|(region, _)| region)
}

/// Takes a region back, unless it was taken.
pub fn forget(number: u32) {
    // Dropped outside of the lock: it may unmap.
    drop(take(number));
}

/// Takes back everything of a sender that was not taken.
pub fn forget_all(sender: u32) {
    let mut gone = Vec::new();
    with(|transit| {
        transit.waiting.retain(|_, (region, from)| {
            if *from == sender {
                gone.push(Arc::clone(region));
            }
            *from != sender
        });
    });
    // Here, outside of the lock, the last of them go.
    drop(gone);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heap(len: usize) -> Arc<Region> {
        Arc::new(Region::heap(len))
    }

    #[test]
    fn a_region_arrives_once() {
        let number = put(heap(16), sender());
        let taken = std::thread::spawn(move || take(number).map(|region| region.len()))
            .join()
            .unwrap();
        assert_eq!(taken, Some(16));
        assert!(take(number).is_none());
    }

    #[test]
    fn what_a_dead_sender_has_sent_is_given_up_and_nothing_else() {
        let (dead, alive) = (sender(), sender());
        let lost = [put(heap(8), dead), put(heap(8), dead)];
        let kept = put(heap(8), alive);
        forget_all(dead);
        assert!(lost.iter().all(|number| take(*number).is_none()));
        assert!(take(kept).is_some());
    }

    #[test]
    fn what_is_taken_back_does_not_arrive() {
        let number = put(heap(8), sender());
        forget(number);
        forget(number);
        assert!(take(number).is_none());
    }
}
