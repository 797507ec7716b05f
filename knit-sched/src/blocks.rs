//! Payloads too large for a frame: stored in a block of the sender's arena, named by the frame.

use bytemuck::{Pod, Zeroable};
use knit_ring::FrameHeader;
use knit_ring::heap::{Block, BlockArena, HeapError, Locator};
use knit_shm::{Area, Region};

use crate::error::{Result, SchedError};
use crate::frames::{Frame, GRANULE, flag};
use crate::heap::PeerHeap;

/// Frames up to this many bytes travel in the rings: below it, a block would cost more than the copy.
const INLINE: usize = 16 * 1024;

/// The longest frame that travels in a ring of so many granules.
pub(crate) fn inline_limit(granules: u32) -> usize {
    INLINE.min(granules as usize * GRANULE / 8)
}

/// The payload of a frame with [`flag::BLOCK`].
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct BlockPayload {
    /// [`knit_ring::heap::Locator`], raw.
    pub(crate) locator: u64,
    /// Exact bytes of the payload.
    pub(crate) len: u64,
}

/// Copies a frame's payload into a new block. None if the arena has no room at present.
pub(crate) fn store(
    arena: &mut BlockArena,
    region: &Region,
    frame: &Frame<'_>,
) -> Result<Option<(FrameHeader, BlockPayload)>> {
    let payload = frame.payload();
    let block = match arena.alloc(payload.len()) {
        Ok(block) => block,
        Err(HeapError::Full { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    region.copy_to(block.offset, payload)?;
    let header = FrameHeader {
        payload_len: size_of::<BlockPayload>() as u32,
        flags: frame.header().flags | flag::BLOCK,
        ..*frame.header()
    };
    Ok(Some((
        header,
        BlockPayload {
            locator: block.locator.raw(),
            len: payload.len() as u64,
        },
    )))
}

/// Opens a participant's own arena: a new one, or the one that its predecessor in the same place left behind.
pub(crate) fn open_own(area: Area, index: u16) -> Result<BlockArena> {
    match BlockArena::create(area.clone(), index) {
        // What its predecessor had not sent was freed by the host when it opened the place again: see `heap::free_all`.
        Err(HeapError::Exists) => Ok(BlockArena::recover(area, index, |_| true)?),
        other => Ok(other?),
    }
}

/// Copies out and gives back the block that `payload` names.
pub(crate) fn take(view: &PeerHeap, region: &Region, payload: &[u8]) -> Result<Vec<u8>> {
    let named: BlockPayload =
        bytemuck::try_pod_read_unaligned(payload).map_err(|_| SchedError::BadBlock)?;
    let locator = Locator::from_raw(named.locator);
    let block = view.resolve(locator)?;
    let len = usize::try_from(named.len)
        .ok()
        .filter(|len| *len <= block.len)
        .ok_or(SchedError::BadBlock)?;
    let mut bytes = vec![0; len];
    region.copy_from(block.offset, &mut bytes)?;
    view.give_back(locator)?;
    Ok(bytes)
}

/// A block for the caller to fill. None if there is no room at present, or never is.
pub(crate) fn alloc(arena: &mut BlockArena, bytes: usize) -> Result<Option<Block>> {
    match arena.alloc(bytes) {
        Ok(block) => Ok(Some(block)),
        Err(HeapError::Full { .. } | HeapError::TooLarge { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
