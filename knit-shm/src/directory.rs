//! Numbers by which other threads of this process find a region, for as long as somebody keeps it.
//!
//! A number can travel as text, through any channel, any number of times. It keeps nothing alive, and means nothing in another process:
//! [`origin`] tells processes apart. Who keeps a region is who holds its `Arc`: what was made from it (areas, buffers shown to a runtime) may live longer, and the
//! memory with it, but is not found.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use crate::Region;

/// Entries up to which nobody looks for dead ones.
const FEW: usize = 64;

#[derive(Default)]
struct Directory {
    last: u32,
    entries: HashMap<u32, Weak<Region>>,
    /// When so many entries are there, those of regions that are gone are removed.
    sweep_at: usize,
}

static DIRECTORY: LazyLock<Mutex<Directory>> = LazyLock::new(Mutex::default);

/// A new number for the region; not 0.
#[must_use]
pub fn publish(region: &Arc<Region>) -> u32 {
    let mut directory = DIRECTORY.lock().unwrap_or_else(PoisonError::into_inner);
    let Directory {
        last,
        entries,
        sweep_at,
    } = &mut *directory;
    if entries.len() >= *sweep_at {
        entries.retain(|_, region| region.strong_count() > 0);
        *sweep_at = FEW.max(entries.len() * 2);
    }
    loop {
        *last = last.wrapping_add(1);
        if *last != 0 && !entries.contains_key(last) {
            break;
        }
    }
    entries.insert(*last, Arc::downgrade(region));
    *last
}

/// The region of that number, unless it is gone.
#[must_use]
pub fn find(number: u32) -> Option<Arc<Region>> {
    let directory = DIRECTORY.lock().unwrap_or_else(PoisonError::into_inner);
    directory.entries.get(&number)?.upgrade()
}

/// A random number of this process: two that run at the same time have different ones, but for one chance in 2^32.
#[must_use]
pub fn origin() -> u32 {
    static ORIGIN: LazyLock<u32> = LazyLock::new(|| {
        // The keys of this hasher are random in each process; hashing its number besides costs nothing.
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u32(std::process::id());
        hasher.finish() as u32
    });
    *ORIGIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_finds_its_region_while_that_lives() {
        let region = Arc::new(Region::heap(64));
        let (one, two) = (publish(&region), publish(&region));
        assert_ne!(one, two);
        region.write(8, &7_u32).unwrap();
        assert_eq!(find(two).unwrap().read::<u32>(8).unwrap(), 7);
        let area = region.area(0, 8).unwrap();
        let clone = Arc::clone(&region);
        drop(region);
        assert!(find(one).is_some());
        drop(clone);
        assert!(find(one).is_none());
        assert_eq!(area.len(), 8);
        assert!(find(0).is_none());
    }

    #[test]
    fn dead_entries_do_not_pile_up() {
        for _ in 0..10 * FEW {
            let _ = publish(&Arc::new(Region::heap(8)));
        }
        let directory = DIRECTORY.lock().unwrap();
        assert!(directory.entries.len() <= 3 * FEW);
    }

    #[test]
    fn a_process_has_one_origin() {
        assert_eq!(origin(), origin());
    }
}
