//! Random lives of an arena against a plain list of blocks.

use knit_ring::heap::{Block, BlockArena, BlockView, GRANULE, HeapError, Locator};
use knit_shm::{Area, Region};
use proptest::prelude::*;

const ARENA: u16 = 3;
const GRANULES: usize = 48;
/// The arena does not start at the region's start.
const OFFSET: usize = 8192;

#[derive(Clone, Debug)]
enum Step {
    Alloc { bytes: usize },
    GiveBack { which: usize },
    GiveBackAgain { which: usize },
    Free { which: usize },
    Shrink { which: usize, per_mille: usize },
    Reclaim,
    Settle,
    Trim,
    OwnerDies { keep: u64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = prop_oneof![
        4 => 0usize..3 * GRANULE as usize,
        2 => 0usize..20 * GRANULE as usize,
        1 => 0usize..(GRANULES + 1) * GRANULE as usize,
    ];
    let step = prop_oneof![
        8 => bytes.prop_map(|bytes| Step::Alloc { bytes }),
        5 => any::<usize>().prop_map(|which| Step::GiveBack { which }),
        1 => any::<usize>().prop_map(|which| Step::GiveBackAgain { which }),
        1 => any::<usize>().prop_map(|which| Step::Free { which }),
        2 => (any::<usize>(), 0usize..=1000).prop_map(|(which, per_mille)| Step::Shrink { which, per_mille }),
        1 => Just(Step::Reclaim),
        1 => Just(Step::Settle),
        1 => Just(Step::Trim),
        1 => any::<u64>().prop_map(|keep| Step::OwnerDies { keep }),
    ];
    proptest::collection::vec(step, 1..120)
}

/// A live block and the byte that fills it.
#[derive(Clone, Debug)]
struct Held {
    block: Block,
    fill: u8,
}

struct World {
    region: Region,
    area: Area,
    arena: BlockArena,
    view: BlockView,
    held: Vec<Held>,
    gone: Vec<Locator>,
    fills: u8,
}

fn granules(bytes: usize) -> usize {
    bytes.div_ceil(GRANULE as usize).max(1)
}

impl World {
    fn new() -> Self {
        let bytes = BlockArena::area_size(GRANULES * GRANULE as usize);
        let region = Region::heap(OFFSET + bytes);
        let area = region.area(OFFSET, bytes).expect("inside");
        let arena = BlockArena::create(area.clone(), ARENA).expect("fresh");
        let view = BlockView::open(area.clone(), ARENA).expect("just made");
        Self {
            region,
            area,
            arena,
            view,
            held: Vec::new(),
            gone: Vec::new(),
            fills: 0,
        }
    }

    /// The longest run of granules that no held block covers.
    fn longest_hole(&self) -> usize {
        let mut used = [false; GRANULES];
        for held in &self.held {
            let first = held.block.locator.granule() as usize;
            used[first..first + granules(held.block.len)].fill(true);
        }
        used.split(|used| *used)
            .map(<[bool]>::len)
            .max()
            .unwrap_or(0)
    }

    fn fill(&mut self, block: Block) -> Held {
        self.fills = self.fills.wrapping_add(1);
        let bytes = vec![self.fills; block.len];
        self.region.copy_to(block.offset, &bytes).expect("inside");
        Held {
            block,
            fill: self.fills,
        }
    }

    fn check(&self, held: &Held) {
        let resolved = self.view.resolve(held.block.locator).expect("live");
        assert_eq!(resolved, held.block);
        assert!(
            resolved.offset >= OFFSET && resolved.offset + resolved.len <= OFFSET + self.area.len()
        );
        let mut bytes = vec![0; resolved.len];
        self.region
            .copy_from(resolved.offset, &mut bytes)
            .expect("inside");
        assert!(
            bytes.iter().all(|byte| *byte == held.fill),
            "nobody else wrote here"
        );
    }

    fn lose(&mut self, which: usize) -> Option<Held> {
        if self.held.is_empty() {
            return None;
        }
        let held = self.held.swap_remove(which % self.held.len());
        self.check(&held);
        self.gone.push(held.block.locator);
        Some(held)
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Alloc { bytes } => match self.arena.alloc(bytes) {
                Ok(block) => {
                    assert_eq!(block.len, bytes);
                    let held = self.fill(block);
                    self.held.push(held);
                }
                Err(HeapError::Full { .. }) => assert!(granules(bytes) > self.longest_hole()),
                Err(HeapError::TooLarge { .. }) => assert!(granules(bytes) > GRANULES),
                Err(other) => panic!("{other}"),
            },
            Step::GiveBack { which } => {
                if let Some(held) = self.lose(which) {
                    self.view.give_back(held.block.locator).expect("live");
                }
            }
            Step::GiveBackAgain { which } => {
                if !self.gone.is_empty() {
                    let locator = self.gone[which % self.gone.len()];
                    for result in [
                        self.view.give_back(locator),
                        self.view.resolve(locator).map(|_| ()),
                    ] {
                        assert!(matches!(result, Err(HeapError::NotLive(_))));
                    }
                }
            }
            Step::Free { which } => {
                if let Some(held) = self.lose(which) {
                    self.arena.free(held.block.locator).expect("outstanding");
                    let again = self.arena.free(held.block.locator);
                    assert!(matches!(again, Err(HeapError::NotLive(_))));
                }
            }
            Step::Shrink { which, per_mille } => {
                if !self.held.is_empty() {
                    let index = which % self.held.len();
                    let held = &mut self.held[index];
                    let bytes = held.block.len * per_mille / 1000;
                    let longer = self.arena.shrink(held.block.locator, held.block.len + 1);
                    assert!(matches!(longer, Err(HeapError::NotLive(_))));
                    held.block = self
                        .arena
                        .shrink(held.block.locator, bytes)
                        .expect("live and longer");
                    assert_eq!(held.block.len, bytes);
                }
            }
            Step::Reclaim => {
                self.arena.reclaim();
                self.check_totals();
            }
            Step::Settle => assert_eq!(
                self.arena.settle().expect("heap memory"),
                0,
                "below the mark"
            ),
            Step::Trim => {
                let backed = self.arena.backed_free_bytes();
                let released = self.arena.trim().expect("heap memory");
                assert!(released >= backed);
                assert_eq!(self.arena.backed_free_bytes(), 0);
                self.check_totals();
            }
            Step::OwnerDies { keep } => {
                let (keep, lose): (Vec<_>, Vec<_>) = self
                    .held
                    .drain(..)
                    .partition(|held| keep >> (held.block.locator.granule() % 64) & 1 == 1);
                self.held = keep;
                self.gone.extend(lose.iter().map(|held| held.block.locator));
                let epoch = self.view.epoch();
                let held = &self.held;
                self.arena = BlockArena::recover(self.area.clone(), ARENA, |locator| {
                    held.iter().any(|held| held.block.locator == locator)
                })
                .expect("sound");
                assert_eq!(self.view.epoch(), epoch + 1);
                self.check_totals();
            }
        }
    }

    /// After everything that was given back has been taken back, the arena knows of exactly the blocks that are held.
    fn check_totals(&self) {
        let live: usize = self.held.iter().map(|held| granules(held.block.len)).sum();
        assert_eq!(self.arena.live_blocks(), self.held.len());
        assert_eq!(self.arena.live_bytes(), live as u64 * GRANULE);
        assert_eq!(
            self.arena.free_bytes() + self.arena.live_bytes(),
            self.arena.capacity()
        );
        assert_eq!(self.view.outstanding(), self.held.len());
    }

    fn end(mut self) {
        while let Some(held) = self.lose(0) {
            self.view.give_back(held.block.locator).expect("live");
        }
        assert_eq!(self.view.outstanding(), 0);
        self.arena
            .alloc(GRANULES * GRANULE as usize)
            .expect("all of it, in one piece again");
    }
}

/// Fewer where every instruction is simulated.
fn cases() -> u32 {
    let divisor =
        std::env::var("KNIT_TEST_DIVISOR").map_or(1, |text| text.parse().expect("a number"));
    if cfg!(miri) {
        4
    } else {
        (192 / divisor).max(4)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_never_overlap_and_whatever_comes_back_is_whole_again(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.run(step);
            for held in &world.held {
                world.check(held);
            }
        }
        world.end();
    }

    #[test]
    fn made_up_locators_resolve_to_a_live_block_or_to_an_error(
        sizes in proptest::collection::vec(0usize..5 * GRANULE as usize, 1..12),
        raws in proptest::collection::vec(
            prop_oneof![any::<u64>(), (any::<u8>(), 0u64..8).prop_map(|(granule, generation)| {
                u64::from(ARENA) << 48 | generation << 32 | u64::from(granule)
            })],
            1..60,
        ),
    ) {
        let mut world = World::new();
        let blocks: Vec<Block> = sizes.iter().map_while(|bytes| world.arena.alloc(*bytes).ok()).collect();
        let mut live = blocks.len();
        for raw in raws {
            let locator = Locator::from_raw(raw);
            let meant = blocks.iter().find(|block| block.locator == locator);
            match world.view.resolve(locator) {
                Ok(block) => {
                    prop_assert_eq!(Some(&block), meant);
                    world.view.give_back(locator).expect("it resolved just now");
                    live -= 1;
                }
                Err(_) => prop_assert!(world.view.give_back(locator).is_err()),
            }
            prop_assert_eq!(world.view.outstanding(), live);
        }
        world.arena.reclaim();
        prop_assert_eq!(world.arena.live_blocks(), live);
    }
}
