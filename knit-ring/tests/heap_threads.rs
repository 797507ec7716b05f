//! One owner hands blocks out as fast as it can while several receivers check them and give them back.

use knit_ring::heap::{Block, BlockArena, BlockView, GRANULE, HeapError, Locator};
use knit_shm::{Area, Region};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

const ARENA: u16 = 1;
const RECEIVERS: usize = 3;

/// Fewer rounds where every instruction is simulated.
fn rounds(native: usize) -> usize {
    let divisor =
        std::env::var("KNIT_TEST_DIVISOR").map_or(1, |divisor| divisor.parse().expect("a number"));
    if cfg!(miri) {
        10
    } else {
        (native / divisor).max(1)
    }
}

fn make(granules: usize) -> (Region, Area, BlockArena) {
    let bytes = BlockArena::area_size(granules * GRANULE as usize);
    let region = Region::heap(bytes);
    let area = region.area(0, bytes).expect("the whole region");
    let arena = BlockArena::create(area.clone(), ARENA).expect("fresh");
    (region, area, arena)
}

fn pattern(block: Block) -> Vec<u8> {
    let seed = block.locator.raw() as usize ^ block.len;
    (0..block.len)
        .map(|index| (seed + index * 31) as u8)
        .collect()
}

/// Waits for receivers if need be: they hold nothing back while they wait for more.
fn alloc_when_there_is_room(arena: &mut BlockArena, bytes: usize) -> Block {
    loop {
        match arena.alloc(bytes) {
            Ok(block) => return block,
            Err(HeapError::Full { .. }) => thread::yield_now(),
            Err(other) => panic!("{other}"),
        }
    }
}

fn receive(
    receiver: &Receiver<Locator>,
    view: &BlockView,
    region: &Region,
    received: &AtomicUsize,
) {
    let mut held: Vec<Locator> = Vec::new();
    loop {
        let next = receiver.try_recv().or_else(|_| {
            for locator in held.drain(..) {
                view.give_back(locator).expect("live until now");
            }
            receiver.recv()
        });
        let Ok(locator) = next else { return };
        let block = view.resolve(locator).expect("it was sent, so it is live");
        let mut bytes = vec![0; block.len];
        region.copy_from(block.offset, &mut bytes).expect("inside");
        assert_eq!(bytes, pattern(block));
        received.fetch_add(1, Ordering::Relaxed);
        // Some are kept a while, so that blocks come back in another order than they went.
        held.push(locator);
        if held.len() > fastrand::usize(0..5) {
            let locator = held.swap_remove(fastrand::usize(..held.len()));
            view.give_back(locator).expect("live until now");
            let again = view.give_back(locator);
            assert!(matches!(again, Err(HeapError::NotLive(_))));
        }
    }
}

#[test]
fn every_block_arrives_whole_and_comes_back_once() {
    let (region, area, mut arena) = make(64);
    let view = BlockView::open(area, ARENA).expect("an arena");
    let received = AtomicUsize::new(0);
    let total = rounds(15_000);
    thread::scope(|scope| {
        let senders = [(); RECEIVERS].map(|()| {
            let (sender, receiver) = channel();
            let (view, region, received) = (view.clone(), region.clone(), &received);
            scope.spawn(move || receive(&receiver, &view, &region, received));
            sender
        });
        for _ in 0..total {
            let most = fastrand::usize(0..6) * GRANULE as usize + fastrand::usize(0..4097);
            let block = alloc_when_there_is_room(&mut arena, most);
            let block = arena
                .shrink(block.locator, fastrand::usize(0..=block.len))
                .expect("not sent yet");
            region
                .copy_to(block.offset, &pattern(block))
                .expect("inside");
            let sender = &senders[fastrand::usize(..RECEIVERS)];
            sender.send(block.locator).expect("receivers are there");
        }
    });
    assert_eq!(received.into_inner(), total);
    assert_eq!(view.outstanding(), 0);
    arena
        .alloc(64 * GRANULE as usize)
        .expect("all of it, in one piece again");
}

#[test]
fn of_many_who_give_the_same_block_back_one_succeeds() {
    let (_, area, mut arena) = make(4);
    for _ in 0..rounds(500) {
        let block = arena.alloc(1).expect("room");
        let successes = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..RECEIVERS {
                let view = BlockView::open(area.clone(), ARENA).expect("an arena");
                let successes = &successes;
                scope.spawn(move || {
                    if view.give_back(block.locator).is_ok() {
                        successes.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            arena
                .alloc(1)
                .map(|other| arena.free(other.locator).expect("mine"))
                .expect("room");
        });
        assert_eq!(successes.into_inner(), 1);
        arena.reclaim();
        assert_eq!(arena.live_blocks(), 0);
    }
}

#[test]
fn a_block_freed_while_it_is_given_back_is_free_once() {
    let (_, area, mut arena) = make(4);
    for _ in 0..rounds(500) {
        let blocks = [
            arena.alloc(1).expect("room"),
            arena.alloc(4097).expect("room"),
        ];
        thread::scope(|scope| {
            let view = BlockView::open(area.clone(), ARENA).expect("an arena");
            scope.spawn(move || {
                for block in blocks {
                    // Either way is right; that it is one or the other is what the end shows.
                    let _ = view.give_back(block.locator);
                }
            });
            arena.reclaim_from(blocks.map(|block| block.locator));
        });
        assert_eq!(arena.live_blocks(), 0);
        let all = arena.alloc(4 * GRANULE as usize).expect("all of it");
        arena.free(all.locator).expect("mine");
    }
}
