//! What a writer remembers of shapes, within a message and from one message to the next.
//!
//! - Known shapes: each with its number in the message that is written, and in the sender's table if it is there.
//!   A shape is found by its address first, then by its content.
//! - Hints: which keys an object is likely to have, by the name of its Rust type and how many fields it has. A hint is checked
//!   key by key while the object is written; the address of a key that is a constant is enough.
//!
//! The memory is bounded: past [`MOST_SHAPES`] everything is forgotten, between two messages.

use std::collections::HashMap;
use std::sync::Arc;

use crate::shape::Shape;
use crate::table::ShapeWriter;

/// Known shapes and hints that are kept from one message to the next.
const MOST_SHAPES: usize = 512;
/// Slots of the direct-mapped lookups; a power of two.
const SLOTS: usize = 64;
/// Hints of one name and size that are tried before giving up.
const MOST_TRIES: usize = 8;
const NONE: u32 = u32::MAX;

/// How an object names its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Number in the sender's table.
    Shared(u32),
    /// Number in this message, defined before.
    Local(u32),
    /// To be defined by this object.
    New,
}

#[derive(Debug)]
struct Known {
    shape: Arc<Shape>,
    /// The message in which `local` holds.
    message: u64,
    local: u32,
    shared: Option<u32>,
    /// The message in which the shape was met first.
    first: u64,
    /// The table has refused it.
    refused: bool,
}

/// The likely keys of an object.
#[derive(Debug)]
struct Hint {
    name: Name,
    shape: u32,
    /// Addresses of keys that are constants, 0 for the others.
    addresses: Box<[usize]>,
    next: u32,
}

/// A type's name by address and length, and how many keys. No name for maps.
pub(super) type Name = (usize, usize, u32);

#[derive(Debug)]
pub(super) struct Shapes {
    message: u64,
    known: Vec<Known>,
    by_content: HashMap<Arc<Shape>, u32>,
    /// Holds the shape, so its address is not used again while it is here.
    by_address: Vec<Option<(Arc<Shape>, u32)>>,
    hints: Vec<Hint>,
    heads: [u32; SLOTS],
    pub(super) table: Option<ShapeWriter>,
    next_local: u32,
}

impl Shapes {
    pub(super) fn new() -> Self {
        Self {
            message: 1,
            known: Vec::new(),
            by_content: HashMap::new(),
            by_address: Vec::new(),
            hints: Vec::new(),
            heads: [NONE; SLOTS],
            table: None,
            next_local: 0,
        }
    }

    /// Begins another message.
    pub(super) fn next_message(&mut self) {
        self.message += 1;
        self.next_local = 0;
        if self.known.len() > MOST_SHAPES || self.hints.len() > MOST_SHAPES {
            self.known.clear();
            self.by_content.clear();
            self.by_address.clear();
            self.hints.clear();
            self.heads = [NONE; SLOTS];
        }
    }

    /// The number of the shape that the message defines next.
    pub(super) fn take_local(&mut self) -> u32 {
        self.next_local += 1;
        self.next_local - 1
    }

    pub(super) fn shape(&self, index: u32) -> &Arc<Shape> {
        &self.known[index as usize].shape
    }

    /// Finds a shape, or remembers it.
    #[inline]
    pub(super) fn index_of(&mut self, shape: &Arc<Shape>) -> u32 {
        let slot = (Arc::as_ptr(shape) as usize >> 4) % SLOTS;
        match self.by_address.get(slot) {
            Some(Some((held, index))) if Arc::ptr_eq(held, shape) => *index,
            _ => self.index_by_content(shape, slot),
        }
    }

    fn index_by_content(&mut self, shape: &Arc<Shape>, slot: usize) -> u32 {
        let index = match self.by_content.get(shape) {
            Some(index) => *index,
            None => {
                let index = self.known.len() as u32;
                let shared = self.table.as_ref().and_then(|table| table.number_of(shape));
                self.known.push(Known {
                    shape: Arc::clone(shape),
                    message: 0,
                    local: 0,
                    shared,
                    first: self.message,
                    refused: false,
                });
                self.by_content.insert(Arc::clone(shape), index);
                index
            }
        };
        if self.by_address.is_empty() {
            self.by_address.resize(SLOTS, None);
        }
        self.by_address[slot] = Some((Arc::clone(shape), index));
        index
    }

    /// How an object of this shape names it now.
    #[inline]
    pub(super) fn target(&mut self, index: u32) -> Target {
        let known = &mut self.known[index as usize];
        if let Some(number) = known.shared {
            return Target::Shared(number);
        }
        if known.message == self.message {
            return Target::Local(known.local);
        }
        if let (Some(table), true) = (
            &mut self.table,
            known.first < self.message && !known.refused,
        ) {
            known.shared = table.intern(&known.shape);
            known.refused = known.shared.is_none();
            if let Some(number) = known.shared {
                return Target::Shared(number);
            }
        }
        Target::New
    }

    /// From now on the shape has this number in this message.
    pub(super) fn define(&mut self, index: u32, local: u32) {
        let known = &mut self.known[index as usize];
        known.message = self.message;
        known.local = local;
    }

    /// The most likely hint for an object.
    #[inline]
    pub(super) fn likely(&self, name: Name) -> Option<u32> {
        self.chain(name).next()
    }

    fn chain(&self, name: Name) -> impl Iterator<Item = u32> + '_ {
        let mut next = self.heads[slot_of(name)];
        std::iter::from_fn(move || {
            let hint = self.hints.get(next as usize)?;
            Some((std::mem::replace(&mut next, hint.next), hint.name))
        })
        .take(MOST_TRIES * 4)
        .filter(move |(_, candidate)| *candidate == name)
        .map(|(index, _)| index)
        .take(MOST_TRIES)
    }

    /// The keys that a hint expects.
    pub(super) fn shape_of(&self, hint: u32) -> &Arc<Shape> {
        self.shape(self.shape_of_hint(hint))
    }

    pub(super) fn shape_of_hint(&self, hint: u32) -> u32 {
        self.hints[hint as usize].shape
    }

    /// Whether the hint has this key at this place. `address` is that of a constant, or 0.
    #[inline]
    pub(super) fn confirms(&self, hint: u32, place: u32, key: &str, address: usize) -> bool {
        let hint = &self.hints[hint as usize];
        let keys = self.known[hint.shape as usize].shape.keys();
        let Some(expected) = keys.get(place as usize).and_then(|key| key.as_str()) else {
            return false;
        };
        if expected.len() != key.len() {
            return false;
        }
        (address != 0 && hint.addresses.get(place as usize) == Some(&address)) || expected == key
    }

    /// Another hint that has the same keys as this one before a place, and this key there. It becomes the most likely one.
    pub(super) fn other(&mut self, hint: u32, place: u32, key: &str) -> Option<u32> {
        let Hint { name, shape, .. } = self.hints[hint as usize];
        let before = &self.known[shape as usize].shape.keys()[..place as usize];
        let found = self.chain(name).find(|candidate| {
            let keys = self.shape(self.shape_of_hint(*candidate)).keys();
            keys.get(place as usize).is_some_and(|found| found == key)
                && keys[..place as usize] == *before
        })?;
        self.prefer(found);
        Some(found)
    }

    /// The hint with exactly these keys, made if there is none. Gives the shape's index.
    pub(super) fn learn(&mut self, name: Name, shape: Shape, addresses: &[usize]) -> u32 {
        let found = self
            .chain(name)
            .find(|hint| **self.shape(self.shape_of_hint(*hint)) == shape);
        if let Some(hint) = found {
            self.prefer(hint);
            return self.shape_of_hint(hint);
        }
        let index = self.index_of(&Arc::new(shape));
        let slot = slot_of(name);
        let next = std::mem::replace(&mut self.heads[slot], self.hints.len() as u32);
        self.hints.push(Hint {
            name,
            shape: index,
            addresses: addresses.into(),
            next,
        });
        index
    }

    /// Moves a hint to the front of its chain.
    fn prefer(&mut self, hint: u32) {
        let slot = slot_of(self.hints[hint as usize].name);
        let first = self.heads[slot];
        if first == hint {
            return;
        }
        let after = self.hints[hint as usize].next;
        let mut at = first;
        while let Some(candidate) = self.hints.get_mut(at as usize) {
            if candidate.next == hint {
                candidate.next = after;
                break;
            }
            at = candidate.next;
        }
        self.hints[hint as usize].next = first;
        self.heads[slot] = hint;
    }
}

fn slot_of((address, len, count): Name) -> usize {
    let mixed = (address as u64 ^ (len as u64) << 17 ^ u64::from(count) << 7)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 58) as usize
}
