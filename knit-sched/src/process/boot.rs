//! What a binding tells its workers before they serve, in the pool's memory: the functions' names, by number, and whatever else it likes.
//!
//! It lies in a block of the host's loans, which no call ever waits for, and stays there: workers that are started later read it, too. The host's
//! line of announcements names the block.
//!
//! ```text
//! u32 names | per name: u32 bytes, UTF-8 | the binding's data, up to the end
//! ```

use std::sync::Arc;

use knit_ring::heap::Locator;

use crate::bells::Shared;
use crate::cell::HostWords;
use crate::error::{Result, SchedError};
use crate::heap::PeerHeap;
use crate::host::Host;

/// What a host tells its workers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Boot {
    /// The name of each function, by its number.
    pub functions: Vec<String>,
    /// What only the two sides of a binding understand.
    pub data: Vec<u8>,
}

impl Boot {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let word = |bytes: &mut Vec<u8>, value: usize| {
            let value = u32::try_from(value).expect("a name is below 4 GiB");
            bytes.extend_from_slice(&value.to_le_bytes());
        };
        word(&mut bytes, self.functions.len());
        for name in &self.functions {
            word(&mut bytes, name.len());
            bytes.extend_from_slice(name.as_bytes());
        }
        bytes.extend_from_slice(&self.data);
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let count = take_word(&mut bytes)?;
        let mut functions = Vec::new();
        for _ in 0..count {
            let len = take_word(&mut bytes)?;
            let name = take(&mut bytes, len)?;
            functions.push(String::from_utf8(name.to_vec()).ok()?);
        }
        Some(Self {
            functions,
            data: bytes.to_vec(),
        })
    }
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(taken)
}

fn take_word(bytes: &mut &[u8]) -> Option<usize> {
    let word = take(bytes, 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(word)).ok()
}

impl Host {
    /// Tells all workers that start from now on. To be called before the first place is opened.
    ///
    /// # Errors
    /// It does not fit into the pool's memory.
    pub fn set_boot(&mut self, boot: &Boot) -> Result<()> {
        let bytes = boot.to_bytes();
        let Some(loan) = self.lend_block(bytes.len())? else {
            return Err(SchedError::TooLong {
                bytes: bytes.len(),
                limit: self.longest_payload(),
            });
        };
        let block = *loan.block();
        loan.region().copy_to(block.offset, &bytes)?;
        self.announce_boot(block.locator.raw(), bytes.len() as u32, loan);
        Ok(())
    }
}

/// Worker: what the host tells.
pub(super) fn read(shared: &Arc<Shared>) -> Result<Boot> {
    const DAMAGED: SchedError = SchedError::NotAPool("what it tells its workers is damaged");
    let (layout, region) = (shared.layout(), shared.region());
    let (locator, len) = HostWords::new(region)?.boot();
    if len == 0 {
        return Err(SchedError::NotAPool("it tells its workers nothing"));
    }
    let block = PeerHeap::open(layout, region, 0)?.resolve(Locator::from_raw(locator))?;
    let len = usize::try_from(len).map_err(|_| DAMAGED)?;
    if len > block.len {
        return Err(DAMAGED);
    }
    let mut bytes = vec![0; len];
    region.copy_from(block.offset, &mut bytes)?;
    Boot::from_bytes(&bytes).ok_or(DAMAGED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot() -> Boot {
        Boot {
            functions: vec!["resize".into(), String::new(), "größer".into()],
            data: vec![1, 2, 3],
        }
    }

    #[test]
    fn it_arrives_as_it_left() {
        for boot in [boot(), Boot::default()] {
            assert_eq!(Boot::from_bytes(&boot.to_bytes()), Some(boot));
        }
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let bytes = boot().to_bytes();
        for len in 0..bytes.len() - boot().data.len() {
            assert_eq!(Boot::from_bytes(&bytes[..len]), None, "{len}");
        }
    }

    #[test]
    fn a_count_that_nothing_follows_costs_nothing() {
        assert_eq!(Boot::from_bytes(&u32::MAX.to_le_bytes()), None);
    }
}
