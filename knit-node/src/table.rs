//! Numbers for things that JavaScript refers to. One table a thread: what another thread made does not exist here.

/// Things by number. Numbers are used again only after all 2^32 others.
pub(crate) struct Table<T> {
    next: u32,
    entries: Vec<(u32, T)>,
}

impl<T> Table<T> {
    pub(crate) const fn new() -> Self {
        Self {
            next: 1,
            entries: Vec::new(),
        }
    }

    pub(crate) fn insert(&mut self, value: T) -> u32 {
        let handle = self.next;
        self.next = self.next.wrapping_add(1).max(1);
        self.entries.push((handle, value));
        handle
    }

    /// A linear search: a thread has one pool, or a few.
    #[inline]
    pub(crate) fn get(&mut self, handle: u32) -> Option<&mut T> {
        self.entries
            .iter_mut()
            .find(|(number, _)| *number == handle)
            .map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, handle: u32) -> Option<T> {
        let index = self
            .entries
            .iter()
            .position(|(number, _)| *number == handle)?;
        Some(self.entries.swap_remove(index).1)
    }
}
