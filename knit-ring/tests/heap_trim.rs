//! Pages: there before a block is written, kept while they are useful, and gone after a burst. On real shared memory.

use knit_ring::heap::{Block, BlockArena, BlockView, HIGH_WATER, KEEP};
use knit_shm::Region;

const ARENA: u16 = 0;
const MIB: usize = 1 << 20;
/// Page tables of the object, state words and headers: what may be there beside the data.
const SLACK: u64 = 1 << 20;

fn make(data: usize) -> (Region, BlockArena, BlockView) {
    let bytes = BlockArena::area_size(data);
    let region = Region::anonymous(bytes).expect("memory");
    let area = region.area(0, bytes).expect("the whole region");
    let arena = BlockArena::create(area.clone(), ARENA).expect("fresh");
    let view = BlockView::open(area, ARENA).expect("just made");
    (region, arena, view)
}

fn resident(region: &Region) -> u64 {
    region.resident_bytes().expect("a memory object")
}

fn burst(arena: &mut BlockArena, region: &Region, bytes: usize) -> Vec<Block> {
    (0..bytes / (4 * MIB))
        .map(|_| {
            let block = arena.alloc(4 * MIB).expect("room");
            region.copy_to(block.offset, &[1; 4096]).expect("inside");
            block
        })
        .collect()
}

fn give_back(view: &BlockView, blocks: &[Block]) {
    for block in blocks {
        view.give_back(block.locator).expect("live");
    }
}

#[test]
fn a_large_arena_costs_what_is_used_of_it() {
    let (region, mut arena, _) = make(16 << 30);
    assert!(resident(&region) < SLACK);
    arena.alloc(MIB).expect("room");
    assert!(resident(&region) < SLACK + MIB as u64);
}

#[test]
fn the_pages_of_a_block_are_there_before_it_is_written() {
    let (region, mut arena, _) = make(64 * MIB);
    let before = resident(&region);
    let block = arena.alloc(8 * MIB).expect("room");
    assert!(resident(&region) >= before + 8 * MIB as u64);
    arena.free(block.locator).expect("mine");
    // Half of these are there already.
    arena.alloc(16 * MIB).expect("room");
    assert!(resident(&region) >= before + 16 * MIB as u64);
    assert!(resident(&region) < before + 17 * MIB as u64);
}

#[test]
fn pages_go_back_when_a_burst_is_over() {
    let (region, mut arena, view) = make(1 << 30);
    let blocks = burst(&mut arena, &region, 512 * MIB);
    assert!(resident(&region) >= 512 * MIB as u64);
    assert_eq!(arena.settle().expect("released"), 0, "everything is in use");
    give_back(&view, &blocks);
    assert_eq!(arena.settle().expect("released"), 512 * MIB as u64 - KEEP);
    assert!(resident(&region) < KEEP + SLACK);
    assert_eq!(arena.settle().expect("released"), 0, "nothing more to give");
    // Those that were kept are the ones that come next.
    arena.alloc(KEEP as usize).expect("room");
    assert!(resident(&region) < KEEP + SLACK);
}

#[test]
fn pages_in_use_survive_those_around_them() {
    let (region, mut arena, view) = make(1 << 30);
    let mut blocks = burst(&mut arena, &region, 256 * MIB);
    let kept: Vec<Block> = (0..4).map(|index| blocks.remove(index * 10)).collect();
    for (fill, block) in kept.iter().enumerate() {
        region
            .copy_to(block.offset, &vec![fill as u8; block.len])
            .expect("inside");
    }
    give_back(&view, &blocks);
    assert_eq!(arena.trim().expect("released"), (256 - 16) * MIB as u64);
    assert!(resident(&region) < 16 * MIB as u64 + SLACK);
    for (fill, block) in kept.iter().enumerate() {
        let mut bytes = vec![99; block.len];
        region.copy_from(block.offset, &mut bytes).expect("inside");
        assert!(bytes.iter().all(|byte| usize::from(*byte) == fill));
    }
}

#[test]
fn a_modest_amount_of_free_pages_is_kept() {
    let (region, mut arena, view) = make(1 << 30);
    let blocks = burst(&mut arena, &region, HIGH_WATER as usize);
    give_back(&view, &blocks);
    assert_eq!(arena.settle().expect("released"), 0);
    assert_eq!(arena.live_blocks(), 0);
    assert_eq!(arena.backed_free_bytes(), HIGH_WATER);
}

#[test]
fn a_new_owner_knows_which_pages_the_old_one_left() {
    let (region, mut arena, view) = make(1 << 30);
    let blocks = burst(&mut arena, &region, 128 * MIB);
    drop(arena);
    let area = region.area(0, region.len()).expect("the whole region");
    let kept = blocks[31].locator;
    let mut arena = BlockArena::recover(area, ARENA, |locator| locator == kept).expect("sound");
    assert_eq!(arena.backed_free_bytes(), 124 * MIB as u64);
    arena.trim().expect("released");
    assert!(resident(&region) < 4 * MIB as u64 + SLACK);
    assert_eq!(view.outstanding(), 1);
}
