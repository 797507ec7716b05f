//! Numbers for what a program on the other side of the border refers to. Each thread has its own tables: what another thread made does not
//! exist here.

use std::sync::atomic::{AtomicU32, Ordering};

/// The next number, of any table: so a number that is passed to a wrong thread, or to the table of something else, is unknown there
/// instead of meaning another thing.
static NEXT: AtomicU32 = AtomicU32::new(1);

/// Things by number, which is never 0. Numbers are used again only after all 2^32 others.
pub struct Table<T>(Vec<(u32, T)>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Table<T> {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Enters a thing and returns its number.
    pub fn insert(&mut self, value: T) -> u32 {
        let handle = loop {
            // Relaxed: only that each gets another number matters.
            let next = NEXT.fetch_add(1, Ordering::Relaxed);
            if next != 0 && self.get(next).is_none() {
                break next;
            }
        };
        self.0.push((handle, value));
        handle
    }

    /// The thing of that number. A linear search: a thread has one pool, or a few.
    #[inline]
    pub fn get(&mut self, handle: u32) -> Option<&mut T> {
        self.0
            .iter_mut()
            .find(|(number, _)| *number == handle)
            .map(|(_, value)| value)
    }

    /// Takes out what is not to stay.
    pub fn retain(&mut self, mut stays: impl FnMut(&T) -> bool) {
        self.0.retain(|(_, value)| stays(value));
    }

    /// Takes the thing of that number out.
    pub fn remove(&mut self, handle: u32) -> Option<T> {
        let index = self.0.iter().position(|(number, _)| *number == handle)?;
        Some(self.0.swap_remove(index).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_means_one_thing_in_all_tables() {
        let (mut hosts, mut workers) = (Table::new(), Table::new());
        let (host, worker) = (hosts.insert("host"), workers.insert("worker"));
        assert_ne!(host, worker);
        assert_eq!(hosts.get(host).copied(), Some("host"));
        assert!(hosts.get(worker).is_none());
        assert_eq!(hosts.remove(host), Some("host"));
        assert!(hosts.get(host).is_none() && hosts.remove(host).is_none());
        assert_ne!(hosts.insert("next"), host);
    }
}
