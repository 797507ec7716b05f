//! Blocks between processes, and what is left of them when one is killed in the middle of it.
//!
//! The region: one page with a word per block that is under way (its locator, or 0), then the arena.

mod support;

use knit_ring::heap::{Block, BlockArena, BlockView, GRANULE, HeapError, Locator};
use knit_shm::{Area, Region};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use support::{Reaped, again, inherited, role, scaled};

const ARENA: u16 = 2;
const GRANULES: usize = 64;
const SLOTS: usize = 8;
const PAGE: usize = 4096;

/// The region, in a process that ends with the one that started it: what it does, it does until it is killed.
fn inherited_for_life() -> Region {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .expect("any process may ask for that");
    inherited()
}

/// How often somebody is killed.
fn rounds() -> u64 {
    (scaled(2_000) / 100).max(1)
}

fn region() -> Region {
    Region::anonymous(PAGE + BlockArena::area_size(GRANULES * GRANULE as usize)).expect("memory")
}

fn arena_in(region: &Region) -> Area {
    region.area(PAGE, region.len() - PAGE).expect("inside")
}

fn slots(region: &Region) -> [&AtomicU64; SLOTS] {
    std::array::from_fn(|slot| region.atomic_u64(slot * 8).expect("inside"))
}

/// What a block holds follows from its name and length.
fn contents(block: Block) -> Vec<u8> {
    let seed = block.locator.raw() as usize ^ block.len;
    (0..block.len)
        .map(|index| (seed + index * 31) as u8)
        .collect()
}

fn check(region: &Region, block: Block) {
    let mut bytes = vec![0; block.len];
    region
        .copy_from(block.offset, &mut bytes)
        .expect("inside the region");
    assert_eq!(bytes, contents(block));
}

/// Allocs, writes and sends one block, if there is room for it and a slot to send it in.
fn send_one(arena: &mut BlockArena, region: &Region) -> Option<Locator> {
    let block = match arena.alloc(fastrand::usize(0..10 * GRANULE as usize)) {
        Ok(block) => block,
        Err(HeapError::Full { .. }) => return None,
        Err(other) => panic!("{other}"),
    };
    let block = arena
        .shrink(block.locator, fastrand::usize(0..=block.len))
        .expect("not sent yet");
    region
        .copy_to(block.offset, &contents(block))
        .expect("inside the region");
    let raw = block.locator.raw();
    // Release: pairs with `receive_one`.
    let sent = slots(region).into_iter().any(|slot| {
        slot.compare_exchange(0, raw, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    });
    if !sent {
        arena
            .free(block.locator)
            .expect("nobody has heard of it yet");
    }
    sent.then_some(block.locator)
}

/// Takes a block out of any slot.
fn receive_one(region: &Region) -> Option<Locator> {
    slots(region)
        .into_iter()
        // Acquire: pairs with `send_one`.
        .map(|slot| slot.swap(0, Ordering::Acquire))
        .find(|raw| *raw != 0)
        .map(Locator::from_raw)
}

/// Looks at blocks, keeps a few, and gives the others back, until `enough`.
fn receive(region: &Region, held: &mut Vec<Locator>, mut enough: impl FnMut(u64) -> bool) {
    let view = BlockView::open(arena_in(region), ARENA).expect("an arena");
    let mut received = 0;
    while !enough(received) {
        let Some(locator) = receive_one(region) else {
            thread::yield_now();
            continue;
        };
        check(
            region,
            view.resolve(locator).expect("it was sent, so it is live"),
        );
        received += 1;
        held.push(locator);
        if held.len() > 3 {
            let locator = held.swap_remove(fastrand::usize(..held.len()));
            view.give_back(locator).expect("live until now");
        }
    }
}

fn one_piece(arena: &mut BlockArena) {
    let all = arena
        .alloc(GRANULES * GRANULE as usize)
        .expect("all of it, in one piece");
    arena.free(all.locator).expect("mine");
}

#[test]
fn a_killed_owner_costs_none_of_the_blocks_that_others_hold() {
    const NAME: &str = "a_killed_owner_costs_none_of_the_blocks_that_others_hold";
    if role().is_some() {
        let region = inherited_for_life();
        // Whoever ran before is dead, and what it left was checked: all that is live is held by the parent.
        let mut arena = BlockArena::recover(arena_in(&region), ARENA, |_| true).expect("sound");
        loop {
            if send_one(&mut arena, &region).is_none() {
                thread::yield_now();
            }
        }
    }
    let region = region();
    drop(BlockArena::create(arena_in(&region), ARENA).expect("fresh"));
    let view = BlockView::open(arena_in(&region), ARENA).expect("just made");
    let mut held = Vec::new();
    for round in 1..=rounds() {
        let mut owner = again(NAME, 1, &region);
        let until = fastrand::u64(1..200);
        receive(&region, &mut held, |received| {
            owner.must_live();
            received == until
        });
        owner.kill();
        while let Some(locator) = receive_one(&region) {
            held.push(locator);
        }
        let mut arena =
            BlockArena::recover(arena_in(&region), ARENA, |locator| held.contains(&locator))
                .expect("sound");
        assert_eq!(u64::from(view.epoch()), 1 + 2 * round);
        assert_eq!(arena.live_blocks(), held.len());
        assert_eq!(view.outstanding(), held.len());
        for &locator in &held {
            check(&region, view.resolve(locator).expect("still held"));
        }
        if round % 2 == 0 {
            for locator in held.drain(..) {
                view.give_back(locator).expect("held until now");
            }
            one_piece(&mut arena);
        }
    }
}

#[test]
fn a_killed_receiver_costs_no_room() {
    const NAME: &str = "a_killed_receiver_costs_no_room";
    if role().is_some() {
        receive(&inherited_for_life(), &mut Vec::new(), |_| false);
    }
    let region = region();
    let mut arena = BlockArena::create(arena_in(&region), ARENA).expect("fresh");
    let mut reclaimed = 0;
    for _ in 0..rounds() {
        let mut receiver: Reaped = again(NAME, 1, &region);
        let mut sent = Vec::new();
        let until = fastrand::usize(SLOTS + 1..200);
        while sent.len() < until {
            receiver.must_live();
            match send_one(&mut arena, &region) {
                Some(locator) => sent.push(locator),
                None => thread::yield_now(),
            }
        }
        receiver.kill();
        while receive_one(&region).is_some() {}
        // What it gave back before is passed over, whatever became of its place since.
        arena.reclaim();
        let outstanding = arena.live_blocks();
        assert_eq!(arena.reclaim_from(sent), outstanding);
        reclaimed += outstanding;
        assert_eq!(arena.live_blocks(), 0);
        one_piece(&mut arena);
    }
    assert!(reclaimed > 0, "nobody held anything when it was killed");
}
