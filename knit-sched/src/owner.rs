//! The name under which a worker claims: its place and the low bits of its epoch, in the 12 bits that a ring's state word has.
//!
//! The epoch bits are a second line of defence only: a place is opened again after its former worker has ended and all it had claimed
//! is recovered, so no two workers of one place ever claim at the same time.

use knit_ring::Owner;

use crate::error::Result;
use crate::layout::MAX_WORKERS;

/// The owner of claims that the worker in place `worker` makes in epoch `epoch`.
pub(crate) fn owner(worker: usize, epoch: u32) -> Result<Owner> {
    // The highest number is the producer's own.
    const EPOCHS: u32 = 3;
    let number = worker + MAX_WORKERS * (epoch % EPOCHS) as usize;
    Ok(Owner::new(
        u16::try_from(number).expect("3 x 1024 is below 2^16"),
    )?)
}
