//! The calls that are open, by number.
//!
//! A number is used again with the next generation, so that an answer to an earlier call is told from an answer to this one.

use std::sync::Arc;

use super::call::Slot;

#[derive(Debug, Default)]
struct Entry {
    generation: u32,
    slot: Option<Arc<Slot>>,
}

/// A table of numbered slots.
#[derive(Debug, Default)]
pub(super) struct OpenCalls {
    entries: Vec<Entry>,
    free: Vec<u32>,
}

impl OpenCalls {
    /// Opens a call: its number and generation.
    pub(super) fn insert(&mut self, slot: Arc<Slot>) -> (u32, u32) {
        let call = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry::default());
            u32::try_from(self.entries.len() - 1).expect("memory ends before 2^32 open calls")
        });
        let entry = &mut self.entries[call as usize];
        entry.slot = Some(slot);
        (call, entry.generation)
    }

    /// Closes a call, if there is one of that number and generation.
    pub(super) fn take(&mut self, call: u32, generation: u32) -> Option<Arc<Slot>> {
        match self.entries.get(call as usize) {
            Some(entry) if entry.generation == generation => self.take_any(call),
            _ => None,
        }
    }

    /// Closes the call of that number, if it is open.
    pub(super) fn take_any(&mut self, call: u32) -> Option<Arc<Slot>> {
        let entry = self.entries.get_mut(call as usize)?;
        let slot = entry.slot.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(call);
        Some(slot)
    }

    /// Closes all.
    pub(super) fn take_all(&mut self) -> Vec<Arc<Slot>> {
        (0..self.entries.len() as u32)
            .filter_map(|call| self.take_any(call))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_an_earlier_call_closes_no_later_one() {
        let mut open = OpenCalls::default();
        let (call, first) = open.insert(Slot::new());
        assert!(open.take(call, first).is_some());
        assert!(open.take(call, first).is_none());
        let (again, second) = open.insert(Slot::new());
        assert_eq!(again, call);
        assert!(open.take(call, first).is_none());
        assert!(open.take(call + 1, second).is_none());
        assert!(open.take(call, second).is_some());
        assert!(open.take_all().is_empty());
    }
}
