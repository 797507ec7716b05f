//! What only a look inside can show: state left as a crash or a hostile peer would leave it.

use super::word::StateWord;
use super::{ArenaMemory, Block, BlockArena, BlockView, GRANULE, HeapError, Locator, MappedArena};
use core::cell::Cell;
use core::sync::atomic::Ordering;
use knit_shm::{Area, Region, ShmError};

const ARENA: u16 = 7;

fn area(granules: usize) -> Area {
    let bytes = BlockArena::area_size(granules * GRANULE as usize);
    Region::heap(bytes)
        .area(0, bytes)
        .expect("the whole region")
}

fn arena(area: &Area) -> BlockArena {
    BlockArena::create(area.clone(), ARENA).expect("a fresh area")
}

fn view(area: &Area) -> BlockView {
    BlockView::open(area.clone(), ARENA).expect("an arena")
}

fn memory(area: &Area) -> MappedArena {
    MappedArena::open(area.clone(), ARENA).expect("an arena")
}

fn granules(arena: &mut BlockArena, count: usize) -> Block {
    arena.alloc(count * GRANULE as usize).expect("room")
}

/// What a receiver leaves that dies after the compare-exchange and before it has counted.
fn return_without_counting(area: &Area, block: Block) {
    let memory = memory(area);
    let granule = block.locator.granule();
    let word = StateWord::unpack(memory.load(granule, Ordering::Relaxed)).expect("live");
    memory.store(granule, word.returned().pack(), Ordering::Release);
}

#[test]
fn a_return_that_was_never_counted_is_found_with_the_next_one() {
    let area = area(3);
    let mut arena = arena(&area);
    let blocks = [
        granules(&mut arena, 1),
        granules(&mut arena, 1),
        granules(&mut arena, 1),
    ];
    assert!(matches!(arena.alloc(1), Err(HeapError::Full { .. })));
    return_without_counting(&area, blocks[0]);
    view(&area).give_back(blocks[2].locator).expect("live");
    granules(&mut arena, 1);
    granules(&mut arena, 1);
    assert_eq!(arena.live_blocks(), 3);
}

#[test]
fn a_return_that_was_never_counted_is_found_by_reclaim() {
    let area = area(3);
    let mut arena = arena(&area);
    let block = granules(&mut arena, 3);
    assert!(matches!(arena.alloc(1), Err(HeapError::Full { .. })));
    return_without_counting(&area, block);
    assert_eq!(arena.reclaim(), 1);
    granules(&mut arena, 3);
}

#[test]
fn made_up_counts_cost_looks_and_nothing_else() {
    let area = area(40);
    let mut arena = arena(&area);
    let kept: Vec<Block> = (0..39).map(|_| granules(&mut arena, 1)).collect();
    for _ in 0..100 {
        memory(&area).count_return(Ordering::Release);
        let block = granules(&mut arena, 1);
        assert!(matches!(arena.alloc(1), Err(HeapError::Full { .. })));
        arena.free(block.locator).expect("outstanding");
    }
    for block in kept {
        view(&area).resolve(block.locator).expect("still live");
    }
}

#[test]
fn few_steps_of_many_allocs_find_what_came_back() {
    let count = if cfg!(miri) { 50 } else { 1000 };
    let area = area(2 * count);
    let mut arena = arena(&area);
    let blocks: Vec<Block> = (0..count).map(|_| granules(&mut arena, 1)).collect();
    for block in &blocks {
        view(&area).give_back(block.locator).expect("live");
    }
    // Room is never short here, so only the few steps that each alloc takes can find them. New blocks go into the holes below the
    // sweep and none of them has been counted, so the pass gets through.
    for _ in 0..count {
        granules(&mut arena, 1);
    }
    assert_eq!(arena.live_blocks(), count);
}

#[test]
fn a_scribbled_word_never_makes_two_blocks_overlap() {
    let area = area(4);
    let mut arena = arena(&area);
    let block = granules(&mut arena, 2);
    let live = StateWord::live(block.locator.generation(), block.len as u64);
    let scribbles = [
        0,
        u64::MAX,
        StateWord::freed(9).pack(),
        StateWord::live(block.locator.generation(), 1).pack(),
        StateWord::live(block.locator.generation(), 1)
            .returned()
            .pack(),
        StateWord::live(block.locator.generation() + 1, live.bytes)
            .returned()
            .pack(),
    ];
    for word in scribbles {
        memory(&area).store(block.locator.granule(), word, Ordering::Relaxed);
        memory(&area).count_return(Ordering::Release);
        assert_eq!(arena.reclaim(), 0);
        assert!(matches!(arena.alloc(3 * 4096), Err(HeapError::Full { .. })));
    }
    assert_eq!(arena.reclaim_from([block.locator]), 1);
    granules(&mut arena, 4);
}

#[test]
fn a_scribbled_word_never_leads_a_view_outside() {
    let area = area(4);
    let mut arena = arena(&area);
    granules(&mut arena, 1);
    let block = granules(&mut arena, 1);
    let generation = block.locator.generation();
    for bytes in [3 * GRANULE + 1, 4 * GRANULE, (1 << 46) - 1] {
        let word = StateWord::live(generation, bytes).pack();
        memory(&area).store(block.locator.granule(), word, Ordering::Relaxed);
        for result in [
            view(&area).resolve(block.locator).map(|_| ()),
            view(&area).give_back(block.locator),
        ] {
            assert!(matches!(result, Err(HeapError::Corrupt { granule: 1 })));
        }
    }
    let word = StateWord::live(generation, 3 * GRANULE).pack();
    memory(&area).store(block.locator.granule(), word, Ordering::Relaxed);
    let resolved = view(&area).resolve(block.locator).expect("inside");
    assert_eq!(
        resolved.offset + resolved.len,
        area.offset() + area.len(),
        "up to the very end"
    );
}

#[test]
fn a_stale_locator_stays_stale_for_65_534_blocks() {
    let area = area(1);
    let mut arena = arena(&area);
    let first = granules(&mut arena, 1).locator;
    arena.free(first).expect("outstanding");
    let rounds = if cfg!(miri) { 30 } else { u16::MAX - 1 };
    for _ in 0..rounds {
        let block = granules(&mut arena, 1);
        assert!(matches!(
            view(&area).resolve(first),
            Err(HeapError::NotLive(_))
        ));
        arena.free(block.locator).expect("outstanding");
    }
    if !cfg!(miri) {
        assert_eq!(granules(&mut arena, 1).locator, first, "come round");
    }
}

#[test]
fn a_hostile_mark_of_use_is_bounded_by_the_arena() {
    let area = area(4);
    let mut arena = arena(&area);
    granules(&mut arena, 1);
    memory(&area).set_touched(u32::MAX);
    assert_eq!(view(&area).outstanding(), 1);
    drop(arena);
    let mut arena = BlockArena::recover(area.clone(), ARENA, |_| false).expect("sound");
    granules(&mut arena, 4);
}

#[test]
fn words_that_contradict_each_other_are_not_recovered_from() {
    let contradictions: [(u32, u64); 4] = [
        (1, u64::MAX),
        (1, StateWord::live(1, 1).pack()),
        (3, StateWord::live(1, 2 * GRANULE).pack()),
        (2, StateWord::live(1, 1).returned().pack()),
    ];
    for (granule, word) in contradictions {
        let area = area(4);
        let mut arena = arena(&area);
        let blocks = [granules(&mut arena, 3), granules(&mut arena, 1)];
        memory(&area).store(granule, word, Ordering::Relaxed);
        drop(arena);
        let result = BlockArena::recover(area.clone(), ARENA, |_| true);
        assert!(
            matches!(result, Err(HeapError::Corrupt { .. })),
            "{granule} {word:x}"
        );
        let untouched = blocks[usize::from(granule == 3) ^ 1];
        view(&area)
            .resolve(untouched.locator)
            .expect("nothing was changed");
    }
}

/// Real memory with a system that has only so many pages left.
struct Scarce {
    memory: MappedArena,
    pages_left: Cell<u32>,
    released: Cell<u32>,
}

impl ArenaMemory for Scarce {
    fn granules(&self) -> u32 {
        self.memory.granules()
    }
    fn data_offset(&self) -> usize {
        self.memory.data_offset()
    }
    fn load(&self, granule: u32, order: Ordering) -> u64 {
        self.memory.load(granule, order)
    }
    fn store(&self, granule: u32, word: u64, order: Ordering) {
        self.memory.store(granule, word, order);
    }
    fn swap(&self, granule: u32, word: u64, order: Ordering) -> u64 {
        self.memory.swap(granule, word, order)
    }
    fn compare_exchange(
        &self,
        granule: u32,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        self.memory
            .compare_exchange(granule, current, new, success, failure)
    }
    fn returns(&self, order: Ordering) -> u32 {
        self.memory.returns(order)
    }
    fn count_return(&self, order: Ordering) {
        self.memory.count_return(order);
    }
    fn touched(&self) -> u32 {
        self.memory.touched()
    }
    fn set_touched(&self, granule: u32) {
        self.memory.set_touched(granule);
    }
    fn kept(&self) -> u32 {
        self.memory.kept()
    }
    fn set_kept(&self, granules: u32) {
        self.memory.set_kept(granules);
    }
    fn commit(&self, _: u32, len: u32) -> Result<(), HeapError> {
        match self.pages_left.get().checked_sub(len) {
            Some(left) => self.pages_left.set(left),
            None => {
                return Err(HeapError::Shm(ShmError::Os {
                    call: "madvise",
                    errno: 12,
                }));
            }
        }
        Ok(())
    }
    fn release(&self, _: u32, len: u32) -> Result<(), HeapError> {
        self.released.set(self.released.get() + len);
        Ok(())
    }
}

#[test]
fn a_block_whose_pages_cannot_be_had_is_refused_and_costs_nothing() {
    let area = area(8);
    drop(arena(&area));
    let scarce = Scarce {
        memory: memory(&area),
        pages_left: Cell::new(3),
        released: Cell::new(0),
    };
    let mut arena = BlockArena::over(scarce, ARENA);
    let small = arena.alloc(3 * 4096).expect("pages for three");
    let refused = arena.alloc(4 * 4096);
    assert!(matches!(refused, Err(HeapError::Shm(_))));
    assert_eq!(refused.expect_err("refused").code(), "SHM_OS");
    assert_eq!(
        arena.memory.released.get(),
        4,
        "nothing half done stays behind"
    );
    assert_eq!((arena.live_blocks(), arena.free_bytes()), (1, 5 * 4096));
    arena.free(small.locator).expect("outstanding");
    arena.alloc(3 * 4096).expect("these have their pages");
    assert!(
        arena.alloc(1).is_err(),
        "these were never believed to have any"
    );
    arena.memory.pages_left.set(5);
    arena.alloc(5 * 4096).expect("the rest, in one piece");
}

#[test]
fn a_locator_is_only_good_in_its_own_arena() {
    let area = area(2);
    let mut arena = arena(&area);
    let block = granules(&mut arena, 1);
    let foreign = Locator::new(
        ARENA + 1,
        block.locator.generation(),
        block.locator.granule(),
    );
    assert!(matches!(
        arena.free(foreign),
        Err(HeapError::WrongArena { .. })
    ));
    assert!(matches!(
        view(&area).give_back(foreign),
        Err(HeapError::WrongArena { .. })
    ));
    assert_eq!(arena.reclaim_from([foreign]), 0);
    assert_eq!(arena.live_blocks(), 1);
}

#[test]
fn what_was_reserved_has_its_pages_and_keeps_them_under_every_owner() {
    let area = area(32);
    let mut arena = arena(&area);
    arena.reserve(10 * GRANULE - 1).expect("pages");
    assert_eq!(arena.backed_free_bytes(), 10 * GRANULE);
    let low = granules(&mut arena, 4);
    let high = granules(&mut arena, 20);
    assert_eq!(arena.backed_free_bytes(), 0);
    arena.free(high.locator).expect("outstanding");
    assert_eq!(arena.trim().expect("released"), 14 * GRANULE);
    assert_eq!(arena.backed_free_bytes(), 6 * GRANULE);
    drop(arena);
    let mut arena = BlockArena::recover(area.clone(), ARENA, |_| false).expect("sound");
    arena.trim().expect("released");
    assert_eq!(arena.backed_free_bytes(), 10 * GRANULE);
    assert!(arena.free(low.locator).is_err(), "its sender is dead");
    arena.reserve(u64::MAX).expect("pages");
    assert_eq!(arena.backed_free_bytes(), arena.capacity());
    assert_eq!(arena.trim().expect("nothing to release"), 0);
}

#[test]
fn reserving_beside_blocks_counts_only_what_is_free() {
    let area = area(16);
    let mut arena = arena(&area);
    let blocks = [granules(&mut arena, 2), granules(&mut arena, 3)];
    arena.free(blocks[0].locator).expect("outstanding");
    arena.reserve(8 * GRANULE).expect("pages");
    assert_eq!(arena.backed_free_bytes(), 5 * GRANULE);
    arena.free(blocks[1].locator).expect("outstanding");
    arena.trim().expect("released");
    assert_eq!(arena.backed_free_bytes(), 8 * GRANULE);
}

#[test]
fn a_system_without_so_many_pages_says_so_when_they_are_reserved() {
    let area = area(8);
    drop(arena(&area));
    let scarce = Scarce {
        memory: memory(&area),
        pages_left: Cell::new(3),
        released: Cell::new(0),
    };
    let mut arena = BlockArena::over(scarce, ARENA);
    assert!(matches!(arena.reserve(4 * GRANULE), Err(HeapError::Shm(_))));
    assert_eq!(
        arena.backed_free_bytes(),
        0,
        "nothing is believed to be there"
    );
}
