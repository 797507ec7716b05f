//! Walking over a value: with every check, or, once it has been checked, with none.

use super::cursor::Cursor;
use super::token::{ErrorRest, Place, Token};
use crate::error::{CodecError, Result};

/// The lengths of a holey array, summed while its entries are read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lengths {
    holes: u64,
    total: u64,
}

impl Lengths {
    /// Counts a run of holes. Gives the index after it.
    pub(crate) fn holes(&mut self, run: u32, at: usize) -> Result<u32> {
        self.holes += u64::from(run);
        if self.holes > 0xFFFF_FFFE {
            return Err(CodecError::BadOperand {
                at,
                why: "holes sum to at most 2^32 - 2",
            });
        }
        self.add(run, at)
    }

    /// Counts an element. Gives the index after it.
    pub(crate) fn element(&mut self, at: usize) -> Result<u32> {
        self.add(1, at)
    }

    fn add(&mut self, count: u32, at: usize) -> Result<u32> {
        self.total += u64::from(count);
        u32::try_from(self.total).map_err(|_| CodecError::BadOperand {
            at,
            why: "an array has at most 2^32 - 1 elements",
        })
    }
}

/// A container whose values are being walked over.
#[derive(Debug)]
pub(crate) enum Open {
    Values(usize),
    Entries(u32, Lengths),
    Fields(ErrorRest),
}

impl Cursor<'_> {
    /// Walks over one value and checks all of it. `stack` is scratch space, left as it was.
    pub(crate) fn check(&mut self, place: Place, stack: &mut Vec<Open>) -> Result<()> {
        let base = stack.len();
        let mut place = place;
        loop {
            let at = self.at();
            let token = self.next(place)?;
            if let (Place::Entry, Some(Open::Entries(_, lengths))) = (place, stack.last_mut()) {
                match token {
                    Token::Holes(run) => lengths.holes(run, at)?,
                    _ => lengths.element(at)?,
                };
            }
            if let Some(open) = opened(&token) {
                self.enter()?;
                stack.push(open);
            }
            place = loop {
                if stack.len() == base {
                    return Ok(());
                }
                let next = match stack.last_mut() {
                    Some(Open::Values(left)) => {
                        left.checked_sub(1).map(|now| (*left = now, Place::Value).1)
                    }
                    Some(Open::Entries(left, _)) => {
                        left.checked_sub(1).map(|now| (*left = now, Place::Entry).1)
                    }
                    Some(Open::Fields(rest)) => rest.pop().map(Place::of_error_field),
                    None => return Ok(()),
                };
                match next {
                    Some(place) => break place,
                    None => {
                        stack.pop();
                        self.leave();
                    }
                }
            };
        }
    }

    /// Passes over what is left of `count` values of a message that has been checked; allocates nothing.
    pub(super) fn skip_checked(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            left -= 1;
            match self.next(Place::Entry) {
                Ok(token) => left += children(&token),
                // The message has been checked, so this does not happen; if it did, stopping is all there is to do.
                Err(_) => return,
            }
        }
    }
}

/// How many values follow a token.
pub(super) fn children(token: &Token<'_>) -> usize {
    match token {
        Token::Object { keys, .. } => keys.len(),
        Token::Array(count) | Token::Holey(count) | Token::Set(count) => *count as usize,
        Token::Map(count) => *count as usize * 2,
        Token::Envelope => 2,
        Token::Error(head) => head.rest.0.count_ones() as usize,
        _ => 0,
    }
}

/// What a token opens, if it is a container.
fn opened(token: &Token<'_>) -> Option<Open> {
    match token {
        Token::Holey(count) => Some(Open::Entries(*count, Lengths::default())),
        Token::Error(head) => Some(Open::Fields(head.rest)),
        Token::Object { .. }
        | Token::Array(_)
        | Token::Map(_)
        | Token::Set(_)
        | Token::Envelope => Some(Open::Values(children(token))),
        _ => None,
    }
}
